#include "node/views/checks_state.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "node/views/body.h"

static const struct {
    const char *name;
    bool note;
} codes[] = {
#define CHECK_CODE_ROW(code, name_, note_) [code] = {name_, note_},
    CHECK_CODES(CHECK_CODE_ROW)
#undef CHECK_CODE_ROW
};

const char *check_name(enum check_code code)
{
    return code < CHECK_COUNT ? codes[code].name : "?";
}

bool check_is_note(enum check_code code)
{
    return code < CHECK_COUNT && codes[code].note;
}

/* --- flags --------------------------------------------------------------------------------- */

void flag_say(struct check_flag *flag, struct slice text)
{
    text_copy(flag->said, sizeof flag->said, text);
}

struct check_flag flag_of(enum check_code code, enum thing_type type, const struct thing_key *key)
{
    return (struct check_flag){.code = code, .things = {{type, *key}}, .thing_count = 1};
}

void flag_give(struct checking *c, const struct check_flag *flag)
{
    if (!c->stopped && !c->err && !c->each(c->state, flag)) c->stopped = true;
}

/* --- claims -------------------------------------------------------------------------------- */

void claim_add(struct checking *c, enum check_code code, struct slice value, enum thing_type type,
               const struct thing_key *key, bool said)
{
    struct claim claim;
    struct hash h;
    if (!value.size) return;
    memset(&claim, 0, sizeof claim);
    crypto_hash_one(&h, CONTEXT_ROW, value);
    memcpy(claim.digest, h.bytes, sizeof claim.digest);
    claim.code = code;
    claim.thing.type = type;
    claim.thing.key = *key;
    if (said) text_copy(claim.said, sizeof claim.said, value);
    buf_append(&c->claims, &claim, sizeof claim);
}

/* Of one thing the older come first. */
static int by_claim(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    int order = memcmp(x->digest, y->digest, sizeof x->digest);
    if (!order) order = thing_id_compare(&x->thing.key.thing, &y->thing.key.thing);
    if (order) return order;
    return x->thing.key.scope_number < y->thing.key.scope_number ? -1 : 1;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
    return a->code == b->code && memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

static bool same_thing(const struct claim *a, const struct claim *b)
{
    return thing_id_equal(&a->thing.key.thing, &b->thing.key.thing) &&
           a->thing.key.scope_number == b->thing.key.scope_number;
}

/* Each later one is flagged beside the first. */
static void claims_compare(struct checking *c)
{
    struct claim *claims = (struct claim *)(void *)c->claims.data;
    size_t count = c->claims.size / sizeof *claims;
    if (c->claims.err) c->err = c->claims.err;
    if (c->err || !count) return;
    qsort(claims, count, sizeof *claims, by_claim);
    for (size_t first = 0, i = 1; i < count; i++) {
        if (!same_claim(&claims[first], &claims[i])) {
            first = i;
            continue;
        }
        if (same_thing(&claims[i - 1], &claims[i])) continue;
        struct check_flag flag = {.code = claims[i].code,
                                  .things = {claims[i].thing, claims[first].thing},
                                  .thing_count = 2};
        flag_say(&flag, slice_of_text(claims[i].said));
        flag_give(c, &flag);
    }
}

/* --- units --------------------------------------------------------------------------------- */

struct unit_search {
    struct slice name;
    bool in_use, closed;
};

static bool look_at_unit(void *state, const struct thing *unit)
{
    struct unit_search *s = state;
    if (!slice_equal(body_text(unit->fields, "name"), s->name)) return true;
    if (strcmp(thing_state_name(THING_UNIT, unit->state), "in_use") == 0)
        s->in_use = true;
    else
        s->closed = true;
    return true;
}

bool checks_unit_closed(struct txn *t, struct slice name)
{
    struct unit_search s = {.name = name};
    if (!name.size || things_each(t, THING_UNIT, 0, look_at_unit, &s)) return false;
    return s.closed && !s.in_use;
}

/* --- a run --------------------------------------------------------------------------------- */

enum { FLAG_SIZE = sizeof(struct check_flag) };

static bool keep(void *state, const struct check_flag *flag)
{
    buf_append(state, flag, FLAG_SIZE);
    return true;
}

/* Stable: as they were found. */
static void give_in_order(struct buf *kept,
                          bool (*each)(void *state, const struct check_flag *flag), void *state)
{
    const struct check_flag *flags = (const struct check_flag *)(const void *)kept->data;
    size_t count = kept->size / FLAG_SIZE;
    for (unsigned code = 0; code < CHECK_COUNT; code++)
        for (size_t i = 0; i < count; i++)
            if (flags[i].code == code && !each(state, &flags[i])) return;
}

enum err checks_each(struct views *v, struct txn *t,
                     bool (*each)(void *state, const struct check_flag *flag), void *state)
{
    struct buf kept = {0};
    struct checking c = {.views = v, .txn = t, .each = keep, .state = &kept};
    checks_requests(&c);
    checks_people(&c);
    checks_services(&c);
    checks_points(&c);
    checks_twice(&c);
    claims_compare(&c);
    if (!c.err) c.err = kept.err ? kept.err : txn_error(t);
    if (!c.err) give_in_order(&kept, each, state);
    buf_clear(&kept);
    buf_clear(&c.claims);
    crypto_buf_wipe(&c.box);
    buf_clear(&c.left);
    buf_clear(&c.closed);
    return c.err;
}

static bool count_one(void *state, const struct check_flag *flag)
{
    *(uint64_t *)state += !check_is_note(flag->code);
    return true;
}

enum err checks_count(struct views *v, struct txn *t, uint64_t *out)
{
    uint64_t count = 0;
    enum err err = checks_each(v, t, count_one, &count);
    if (!err) *out = count;
    return err;
}
