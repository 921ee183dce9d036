#include "node/deadlines.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/time.h"
#include "node/views/body.h"

/* Which acts start the clock of which step. */
enum start {
    FROM_NOW,
    FROM_RECEIVED, /* but not from a day before the recording */
};
enum due {
    DUE_STATED,
    DUE_BY_CLASS,    /* by the class of handling that the act names */
    DUE_AS_ACCEPTED, /* as the request has it */
};
#define ASKED_DAYS 15 /* for the answer to what was asked (信访工作条例 §22's term) */
#define LIMIT_ASKED LIMIT_STEP_COUNT

const char deadlines_is_past[] = N_("is past already");
const char deadlines_not_listed[] = N_("is not in the list in force: sidan category list");

static const struct clock_start {
    const char *kind;
    const char *field, *value; /* only where the body has this value; NULL: always */
    unsigned next;             /* enum limit_step, or LIMIT_ASKED */
    enum start start;
    enum due due;
} starts[] = {
    {"request.register", NULL, NULL, LIMIT_ACCEPT, FROM_RECEIVED, DUE_STATED},
    {"request.supplement", "what", "ask", LIMIT_ASKED, FROM_NOW, DUE_STATED},
    {"request.supplement", "what", "answer", LIMIT_ACCEPT, FROM_NOW, DUE_STATED},
    {"request.answer", NULL, NULL, LIMIT_CALLBACK, FROM_NOW, DUE_STATED},
    {"request.accept", NULL, NULL, LIMIT_ISSUE, FROM_NOW, DUE_BY_CLASS},
    {"request.escalate", NULL, NULL, LIMIT_ACCEPT, FROM_NOW, DUE_STATED},
    {"order.issue", NULL, NULL, LIMIT_SIGN, FROM_NOW, DUE_AS_ACCEPTED},
    {"order.sign", NULL, NULL, LIMIT_CONTACT, FROM_NOW, DUE_STATED},
    {"order.object", NULL, NULL, LIMIT_DECIDE, FROM_NOW, DUE_STATED},
    {"order.object_decide", "agree", "true", LIMIT_ISSUE, FROM_NOW, DUE_STATED},
    {"order.object_decide", "agree", "false", LIMIT_SIGN, FROM_NOW, DUE_STATED},
    {"order.transfer", NULL, NULL, LIMIT_SIGN, FROM_NOW, DUE_STATED},
    {"order.report", NULL, NULL, LIMIT_CALLBACK, FROM_NOW, DUE_STATED},
};

static bool has_value(struct slice body, const char *field, const char *value)
{
    struct mp_reader r;
    if (!mp_map_get(body, field, &r)) return false;
    if (mp_peek(&r) == MP_BOOL) return strcmp(mp_read_bool(&r) ? "true" : "false", value) == 0;
    return mp_peek(&r) == MP_STR && slice_is_text(mp_read_str(&r, SIZE_MAX), value);
}

static const struct clock_start *start_of(const struct kind *kind, struct slice body)
{
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        const struct clock_start *s = &starts[i];
        if (strcmp(s->kind, kind->name) != 0) continue;
        if (!s->field || has_value(body, s->field, s->value)) return s;
    }
    return NULL;
}

bool deadlines_need_request(const struct kind *kind)
{
    const struct clock_start *s = start_of(kind, SLICE_EMPTY);
    return s && s->due == DUE_AS_ACCEPTED;
}

void deadlines_clear(struct deadlines *d)
{
    buf_clear(&d->added);
    buf_clear(&d->body);
}

/* --- what is stated --- */

/* Encoded values, empty where there are none: the body is walked once for all of them. */
struct stated {
    struct slice at, due, to, next_due, received, rules, provisional, class, category, field, value;
};

static struct slice *place_of(struct stated *s, struct slice key)
{
    return slice_is_text(key, "at")            ? &s->at
           : slice_is_text(key, "due")         ? &s->due
           : slice_is_text(key, "to")          ? &s->to
           : slice_is_text(key, "next_due")    ? &s->next_due
           : slice_is_text(key, "received")    ? &s->received
           : slice_is_text(key, "rules")       ? &s->rules
           : slice_is_text(key, "provisional") ? &s->provisional
           : slice_is_text(key, "class")       ? &s->class
           : slice_is_text(key, "category")    ? &s->category
           : slice_is_text(key, "field")       ? &s->field
           : slice_is_text(key, "value")       ? &s->value
                                               : NULL;
}

static void stated_read(struct stated *s, struct slice body)
{
    struct mp_reader r = mp_reader_of(body);
    for (size_t left = mp_read_map(&r, SIZE_MAX); left > 0 && !r.err; left--) {
        struct slice key = SLICE_EMPTY;
        if (mp_peek(&r) == MP_STR)
            key = mp_read_str(&r, SIZE_MAX);
        else
            mp_skip(&r);
        struct slice *place = place_of(s, key), value = mp_skip(&r);
        if (place) *place = value;
    }
}

/* Milliseconds, 0 where there are none: what is of a wrong type the table of kinds refuses. */
static uint64_t time_of(struct slice value)
{
    struct mp_reader r = mp_reader_of(value);
    return mp_peek(&r) == MP_UINT ? mp_read_uint(&r, UINT64_MAX) : 0;
}

static struct slice text_of(struct slice value)
{
    struct mp_reader r = mp_reader_of(value);
    return mp_peek(&r) == MP_STR ? mp_read_str(&r, SIZE_MAX) : SLICE_EMPTY;
}

/* --- what cannot be right --- */

static MUST_CHECK enum err refuse(struct kind_problem *problem, const char *field, const char *what)
{
    *problem = (struct kind_problem){.what = what};
    snprintf(problem->field, sizeof problem->field, "%s", field);
    return ERR_RANGE;
}

/* The day before which nothing can be due any more. A clock that nobody vouches for may be years
 * ahead: then it is the day of the newest rule that is held, which was published before now. */
static uint32_t first_day(const struct rules *rules, const struct deadlines_act *act,
                          const struct stated *stated)
{
    uint64_t now_ms = act->now_ms, at_ms = time_of(stated->at);
    if (!act->trusted && rules_newest_ms(rules) < now_ms) now_ms = rules_newest_ms(rules);
    /* An act from paper may be entered after its term is over. */
    return time_day(at_ms && at_ms < now_ms ? at_ms : now_ms);
}

static MUST_CHECK enum err check_past(const struct rules *rules, const struct deadlines_act *act,
                                      const struct stated *stated, struct kind_problem *problem)
{
    const struct {
        const char *name;
        uint64_t ms;
    } dates[] = {{"due", time_of(stated->due)},
                 {"to", time_of(stated->to)},
                 {"next_due", time_of(stated->next_due)}};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        if (!dates[i].ms) continue;
        const struct field *field = kind_field(act->kind, dates[i].name);
        if (field && field->type == FIELD_TIME &&
            time_day(dates[i].ms) < first_day(rules, act, stated))
            return refuse(problem, dates[i].name, deadlines_is_past);
    }
    return OK;
}

static const char corrects_entry[] = "correct.entry";

/* Of the request itself, or as one of its records is corrected. */
static MUST_CHECK enum err check_category(const struct rules *rules,
                                          const struct deadlines_act *act,
                                          const struct stated *stated, struct kind_problem *problem)
{
    const struct kind *kind = act->kind;
    struct slice code = text_of(stated->category);
    const char *name = "category";
    if (strcmp(kind->name, corrects_entry) == 0 && slice_is_text(text_of(stated->field), name)) {
        kind = kind_find(slice_of_text("request.register"));
        code = text_of(stated->value);
        name = "value";
    }
    const struct field *field = code.data ? kind_field(kind, "category") : NULL;
    if (act->any_category || !field || field->type != FIELD_CODE) return OK;
    const struct rule *list = rules_at(rules, RULE_CATEGORY, time_day(act->now_ms));
    /* Before the first list is in force, what the fold knows of is enough. */
    bool known =
        list ? code_set_has(list->codes, code) : bounds_allow_category(&rules->bounds, code);
    return known ? OK : refuse(problem, name, deadlines_not_listed);
}

/* --- what is filled in --- */

struct filling {
    const struct deadlines_act *act;
    const struct stated *stated;
    const struct calendar *calendar;
    struct limits limits;
    uint64_t start_ms;
    bool provisional;
};

static uint64_t due_of(struct filling *f, unsigned step)
{
    uint64_t due_ms;
    bool provisional = false;
    if (step == LIMIT_ASKED)
        due_ms = time_day_ms(time_day(f->start_ms) + ASKED_DAYS, CALENDAR_CLOSES_MINUTE);
    else
        limits_due(&f->limits, f->calendar, (enum limit_step)step, f->start_ms, &due_ms,
                   &provisional);
    f->provisional = f->provisional || provisional;
    return due_ms;
}

/* An order is due when the request is, unless that day is over. */
static bool due_as_accepted(struct filling *f, uint64_t *due_ms)
{
    const struct request *r = f->act->request;
    if (!r || time_day(r->due_ms) < time_day(f->act->now_ms)) return false;
    f->provisional = f->provisional || r->due_provisional;
    *due_ms = r->due_ms;
    return true;
}

/* 0: none is needed, or the class is no class. */
static uint64_t order_due(struct filling *f, enum due due)
{
    const struct deadlines_act *act = f->act;
    enum limit_step step = LIMIT_GENERAL;
    uint64_t due_ms;
    if (due == DUE_STATED || f->stated->due.size) return 0;
    if (due == DUE_AS_ACCEPTED) {
        if (due_as_accepted(f, &due_ms)) return due_ms;
        if (act->request && limits_find_step(&step, act->request->class) != OK)
            step = LIMIT_GENERAL;
        return due_of(f, step);
    }
    return limits_find_step(&step, text_of(f->stated->class)) == OK ? due_of(f, step) : 0;
}

static void start_clock(struct filling *f, const struct clock_start *s)
{
    uint64_t received = time_of(f->stated->received);
    f->start_ms = f->act->now_ms;
    if (s->start == FROM_RECEIVED && time_day(received) >= time_day(f->start_ms))
        f->start_ms = received;
}

/* A map of what is added; its keys in the order of their bytes, which is that of their sizes. */
static void write_added(struct buf *out, uint64_t due_ms, uint64_t next_ms, uint32_t version,
                        bool has_version, bool provisional)
{
    struct mp_writer w = {out};
    size_t count = (due_ms ? 1u : 0u) + (next_ms ? 1u : 0u);
    mp_write_map(&w, count + (has_version ? 1u : 0u) + (provisional ? 1u : 0u));
    if (due_ms) {
        mp_write_text(&w, "due");
        mp_write_uint(&w, due_ms);
    }
    if (has_version) {
        mp_write_text(&w, "rules");
        mp_write_uint(&w, version);
    }
    if (next_ms) {
        mp_write_text(&w, "next_due");
        mp_write_uint(&w, next_ms);
    }
    if (provisional) {
        mp_write_text(&w, "provisional");
        mp_write_bool(&w, true);
    }
}

static MUST_CHECK enum err fill(struct deadlines *d, const struct rules *rules,
                                const struct deadlines_act *act, const struct stated *stated,
                                const struct clock_start *s, struct slice *body)
{
    struct filling f = {.act = act, .stated = stated, .calendar = &rules->calendar};
    uint32_t version = rules_limits(rules, time_day(act->now_ms), &f.limits);
    start_clock(&f, s);
    uint64_t due_ms = order_due(&f, s->due);
    uint64_t next_ms = stated->next_due.size ? 0 : due_of(&f, s->next);
    if (!due_ms && !next_ms) return OK;
    bool provisional = f.provisional || version == 0;
    buf_reset(&d->added);
    buf_reset(&d->body);
    write_added(&d->added, due_ms, next_ms, version, !stated->rules.size,
                provisional && !stated->provisional.size);
    body_join(&d->body, act->body, buf_slice(&d->added));
    *body = buf_slice(&d->body);
    return d->added.err ? d->added.err : d->body.err;
}

enum err deadlines_fill(struct deadlines *d, const struct rules *rules,
                        const struct deadlines_act *act, struct slice *body,
                        struct kind_problem *problem)
{
    struct stated stated = {0};
    *body = act->body;
    stated_read(&stated, act->body);
    enum err err = check_past(rules, act, &stated, problem);
    if (!err) err = check_category(rules, act, &stated, problem);
    const struct clock_start *s = err ? NULL : start_of(act->kind, act->body);
    return s ? fill(d, rules, act, &stated, s, body) : err;
}

/* --- drafts --- */

static bool request_of(struct txn *t, const struct draft *draft, struct request *out)
{
    struct scope_row scope;
    if (!scope_find(t, &draft->scope, &scope)) return false;
    const struct thing_key key = {scope.number, draft->subject};
    return request_get(t, &key, out) == OK;
}

enum err deadlines_complete(struct deadlines *d, struct views *v, struct txn *t,
                            const struct clock_reading *clock, const struct draft *draft,
                            struct slice *body, struct kind_problem *problem)
{
    struct deadlines_act act = {
        .kind = kind_find(slice_of_text(draft->kind)),
        .body = *body,
        .now_ms = clock->wall_ms,
        .trusted = clock->trusted,
        .any_category = !draft->sealed && scope_class(&draft->scope) == SCOPE_OFFICE,
    };
    const struct rules *rules;
    struct request request;
    uint64_t done, total;
    if (!act.kind) return OK;
    bool corrects = strcmp(act.kind->name, corrects_entry) == 0 && request_of(t, draft, &request);
    if (act.kind->thing != THING_REQUEST && !corrects) return OK;
    enum err err = views_rules(v, t, &rules);
    if (err) return err;
    if (rules->rule_count == 0 && views_rebuild_pending(t, &done, &total)) {
        *problem = (struct kind_problem){.what = N_("the lists are being rebuilt")};
        return ERR_AGAIN;
    }
    /* One that is not held the recorder refuses for its subject's sake. */
    if (deadlines_need_request(act.kind) && request_of(t, draft, &request)) act.request = &request;
    return deadlines_fill(d, rules, &act, body, problem);
}
