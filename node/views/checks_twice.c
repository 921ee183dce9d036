/* What is done once, and done once more: a verdict on a service, a list that is shown. */
#include "node/views/checks_before_state.h"

#include <string.h>

#include "common/i18n.h"
#include "common/time.h"
#include "node/views/body.h"
#include "node/views/rules.h"
#include "node/views/thing.h"

/* --- verdicts ------------------------------------------------------------------------------ */

/* The newest verdict on a service; *again: the one before it was the same. */
static struct slice newest_verdict(const struct thing *service, bool *again)
{
    struct mp_reader acts = mp_reader_of(service->acts);
    struct slice newest = SLICE_EMPTY;
    *again = false;
    for (struct thing_act act; thing_act_next(&acts, &act);) {
        if (!slice_is_text(act.kind, "service.verify")) continue;
        *again = slice_equal(newest, act.body);
        newest = act.body;
    }
    return newest;
}

void before_verify(struct asking *a)
{
    struct thing service;
    bool again;
    if (!thing_of_id(a->txn, THING_SERVICE, &a->draft->subject, &service) ||
        !slice_equal(newest_verdict(&service, &again), a->draft->body))
        return;
    asking_find(a, ERR_EXISTS, "decision", N_("this was decided already, in the same way"),
                N_("nothing more is to be done; another decision would replace it"));
}

static bool take_service(void *state, const struct thing *service)
{
    bool again;
    (void)newest_verdict(service, &again);
    if (again) {
        struct check_flag flag = flag_of(CHECK_VERDICT, THING_SERVICE, &service->key);
        flag_give(state, &flag);
    }
    return true;
}

/* --- lists that are shown ------------------------------------------------------------------ */

static bool is_shown(const struct thing *publicity)
{
    return strcmp(thing_state_name(THING_PUBLICITY, publicity->state), "shown") == 0;
}

uint32_t checks_shown_days(struct slice publicity)
{
    uint32_t from, to;
    bool read = time_parse_day(&from, body_text(publicity, "from")) == OK &&
                time_parse_day(&to, body_text(publicity, "to")) == OK && from <= to;
    return read ? to + 1 - from : 0;
}

bool checks_shown_too_short(const struct rules *rules, struct slice publicity)
{
    uint32_t from;
    return slice_is_text(body_text(publicity, "type"), "points") &&
           time_parse_day(&from, body_text(publicity, "from")) == OK &&
           checks_shown_days(publicity) < rules_public_days(rules, from);
}

/* Which list it is, of what and of whom. */
static void write_identity(struct buf *out, struct slice publicity)
{
    struct mp_writer w = {out};
    mp_write_str(&w, body_text(publicity, "type"));
    mp_write_uint(&w, body_uint(publicity, "year"));
    mp_write_str(&w, body_text(publicity, "village"));
    buf_append_slice(out, body_bin(publicity, "list"));
}

struct showing {
    struct checking *checking; /* of a run of the checks, else: */
    struct asking *asking;
    const struct rules *rules;
    struct buf mine, other;
};

static bool compare_list(void *state, const struct thing *shown)
{
    struct showing *s = state;
    struct slice body = s->asking->draft->body, fields = shown->fields;
    buf_reset(&s->other);
    write_identity(&s->other, fields);
    if (!is_shown(shown) || checks_shown_too_short(s->rules, fields) ||
        !slice_equal(buf_slice(&s->mine), buf_slice(&s->other)) ||
        slice_compare(body_text(fields, "to"), body_text(body, "from")) < 0 ||
        slice_compare(body_text(body, "to"), body_text(fields, "from")) < 0)
        return true;
    asking_find(s->asking, ERR_EXISTS, "list", N_("this list is shown on those days already"),
                N_("nothing more is to be done; when the days are over: sidan points rank"));
    asking_other(s->asking, THING_PUBLICITY, &shown->key, body_text(fields, "from"));
    return false;
}

void before_list(struct asking *a, const struct rules *rules)
{
    struct showing s = {.asking = a, .rules = rules};
    write_identity(&s.mine, a->draft->body);
    enum err err = things_each(a->txn, THING_PUBLICITY, 0, compare_list, &s);
    if (!err) err = s.mine.err ? s.mine.err : s.other.err;
    if (err) a->err = err;
    buf_clear(&s.mine);
    buf_clear(&s.other);
}

static bool claim_list(void *state, const struct thing *shown)
{
    struct showing *s = state;
    if (!is_shown(shown) || checks_shown_too_short(s->rules, shown->fields)) return true;
    buf_reset(&s->mine);
    write_identity(&s->mine, shown->fields);
    claim_add(s->checking, CHECK_SHOWN, buf_slice(&s->mine), THING_PUBLICITY, &shown->key, false);
    return !s->mine.err;
}

void checks_twice(struct checking *c)
{
    struct showing s = {.checking = c};
    if (!c->err) c->err = views_rules(c->views, c->txn, &s.rules);
    if (!c->err) c->err = things_each(c->txn, THING_PUBLICITY, 0, claim_list, &s);
    if (!c->err) c->err = things_each(c->txn, THING_SERVICE, 0, take_service, c);
    if (!c->err) c->err = s.mine.err;
    buf_clear(&s.mine);
}
