#include "node/views/rules.h"

#include <stdlib.h>

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/state.h"
#include "node/views/thing.h"

enum { PUBLIC_DAYS_DEFAULT = 7 };

/* --- types --- */

static const struct {
    const char *name, *zh;
} types[RULE_TYPE_COUNT] = {
#define RULE_TYPE_ROW(code, name, zh) {name, zh},
    RULE_TYPES(RULE_TYPE_ROW)
#undef RULE_TYPE_ROW
};

const char *rule_type_name(enum rule_type type)
{
    return types[type].name;
}

const char *rule_type_zh(enum rule_type type)
{
    return types[type].zh;
}

enum err rule_type_parse(enum rule_type *out, struct slice name)
{
    for (int i = 0; i < RULE_TYPE_COUNT; i++)
        if (slice_is_text(name, types[i].name) || slice_is_text(name, types[i].zh)) {
            *out = (enum rule_type)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

/* --- reading rows --- */

/* While `bytes` grows, slices into it are kept as their place there. */
struct loading {
    struct rules *r;
    size_t rule_capacity, calendar_capacity;
    enum err err;
};

static struct slice keep(struct loading *l, struct slice fields)
{
    size_t at = l->r->bytes.size;
    buf_append_slice(&l->r->bytes, fields);
    return (struct slice){(const uint8_t *)(uintptr_t)at, fields.size};
}

static void *grow(struct loading *l, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return items;
    size_t more = *capacity ? *capacity * 2 : 8;
    void *grown = realloc(items, more * size);
    if (!grown) {
        l->err = ERR_NOMEM;
        return items;
    }
    *capacity = more;
    return grown;
}

static bool codes_read(struct loading *l, struct rule *rule)
{
    struct category_cursor at = {0};
    struct category category;
    if (!body_has(rule->fields, "categories")) return false;
    rule->codes = calloc(1, sizeof *rule->codes);
    if (!rule->codes) l->err = ERR_NOMEM;
    while (rule->codes && rule_category_next(rule, &at, &category))
        code_set_add(rule->codes, category.code);
    return true;
}

/* Rules whose parts contradict each other (a limit twice, say) pass the table of kinds. */
static bool rule_readable(struct loading *l, struct rule *rule)
{
    if (rule->type == RULE_SLA) return limits_read(&rule->limits, rule->fields) == OK;
    if (rule->type == RULE_CATEGORY) return codes_read(l, rule);
    return true;
}

static bool take_rule(void *state, const struct thing *thing)
{
    struct loading *l = state;
    struct rules *r = l->r;
    struct rule rule = {
        .ver = (uint32_t)body_uint(thing->fields, "ver"),
        .founded_ms = thing->founded_ms,
        .id = thing->key.thing,
        .fields = thing->fields,
    };
    if (rule_type_parse(&rule.type, body_text(thing->fields, "type")) ||
        time_parse_day(&rule.effective, body_text(thing->fields, "effective")) ||
        !rule_readable(l, &rule))
        return true;
    if (!l->err) r->rules = grow(l, r->rules, r->rule_count, &l->rule_capacity, sizeof *r->rules);
    if (l->err) {
        free(rule.codes);
        return false;
    }
    if (rule.type == RULE_SLA) bounds_add_limits(&r->bounds, &rule.limits);
    if (rule.codes) bounds_add_list(&r->bounds, rule.codes);
    rule.fields = keep(l, thing->fields);
    r->rules[r->rule_count++] = rule;
    return true;
}

static bool take_calendar(void *state, const struct thing *thing)
{
    struct loading *l = state;
    struct rules *r = l->r;
    struct rules_calendar calendar = {
        .year = (uint32_t)body_uint(thing->fields, "year"),
        .founded_ms = thing->founded_ms,
        .id = thing->key.thing,
    };
    if (bounds_add_calendar(&r->bounds, thing->fields)) return true;
    r->calendars =
        grow(l, r->calendars, r->calendar_count, &l->calendar_capacity, sizeof *r->calendars);
    if (l->err) return false;
    calendar.fields = keep(l, thing->fields);
    r->calendars[r->calendar_count++] = calendar;
    return true;
}

/* --- order --- */

static int later(uint64_t a_ms, const struct thing_id *a, uint64_t b_ms, const struct thing_id *b)
{
    if (a_ms != b_ms) return a_ms < b_ms ? -1 : 1;
    return thing_id_compare(a, b);
}

static int by_version(const void *x, const void *y)
{
    const struct rule *a = x, *b = y;
    if (a->type != b->type) return a->type < b->type ? -1 : 1;
    if (a->ver != b->ver) return a->ver < b->ver ? -1 : 1;
    return later(a->founded_ms, &a->id, b->founded_ms, &b->id);
}

static int by_year(const void *x, const void *y)
{
    const struct rules_calendar *a = x, *b = y;
    if (a->year != b->year) return a->year < b->year ? -1 : 1;
    return later(a->founded_ms, &a->id, b->founded_ms, &b->id);
}

static void point(const struct rules *r, struct slice *fields)
{
    fields->data = r->bytes.data + (uintptr_t)fields->data;
}

/* Of each year the one that counts, and the calendar that they make together. */
static void calendars_finish(struct rules *r)
{
    size_t kept = 0;
    qsort(r->calendars, r->calendar_count, sizeof *r->calendars, by_year);
    for (size_t i = 0; i < r->calendar_count; i++)
        if (i + 1 == r->calendar_count || r->calendars[i + 1].year != r->calendars[i].year)
            r->calendars[kept++] = r->calendars[i];
    r->calendar_count = kept;
    calendar_begin(&r->calendar);
    for (size_t i = 0; i < r->calendar_count; i++) {
        enum err err = calendar_put(&r->calendar, r->calendars[i].fields);
        (void)err; /* take_calendar tried it */
    }
}

enum err rules_load(struct rules **out, struct txn *t)
{
    struct loading l = {.r = calloc(1, sizeof *l.r)};
    if (!l.r) return ERR_NOMEM;
    struct rules *r = l.r;
    struct scope town = scope_town();
    struct scope_row scope;
    calendar_begin(&r->calendar);
    bounds_begin(&r->bounds);
    enum err err = OK;
    if (scope_find(t, &town, &scope)) {
        err = things_each(t, THING_RULE, scope.number, take_rule, &l);
        if (!err) err = things_each(t, THING_CALENDAR, scope.number, take_calendar, &l);
    }
    if (!err) err = l.err ? l.err : r->bytes.err ? r->bytes.err : txn_error(t);
    if (err) {
        rules_free(r);
        return err;
    }
    for (size_t i = 0; i < r->rule_count; i++) point(r, &r->rules[i].fields);
    for (size_t i = 0; i < r->calendar_count; i++) point(r, &r->calendars[i].fields);
    if (r->rule_count) qsort(r->rules, r->rule_count, sizeof *r->rules, by_version);
    if (r->calendar_count) calendars_finish(r);
    *out = r;
    return OK;
}

void rules_free(struct rules *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->rule_count; i++) free(r->rules[i].codes);
    free(r->rules);
    free(r->calendars);
    buf_clear(&r->bytes);
    free(r);
}

enum err views_rules(struct views *v, struct txn *t, const struct rules **out)
{
    /* Asked for every event: within a transaction only a fold of this handle changes them. */
    if (!v->rules || v->rules_txn != txn_serial(t)) {
        uint64_t changes = meta_get_uint(t, META_RULES_CHANGES);
        if (!v->rules || v->rules_changes != changes) {
            rules_free(v->rules);
            v->rules = NULL;
            enum err err = rules_load(&v->rules, t);
            if (err) return err;
            v->rules_changes = changes;
        }
        v->rules_txn = txn_serial(t);
    }
    enum err err = txn_error(t);
    if (!err) *out = v->rules;
    return err;
}

/* Wider bounds concern only what was without effect by them. */
enum err views_rules_follow(struct views *v, struct txn *t, bool *altered)
{
    struct rules *before = v->rules;
    const struct rules *now;
    *altered = false;
    if (before && v->rules_txn) return txn_error(t);
    v->rules = NULL;
    enum err err = views_rules(v, t, &now);
    if (!err && before) {
        enum bounds_change change = bounds_compare(&before->bounds, &now->bounds);
        *altered = change == BOUNDS_OTHER ||
                   (change == BOUNDS_WIDER && meta_get_uint(t, META_RULES_BOUND));
        if (*altered) meta_put_uint(t, META_RULES_BOUND, 0); /* whoever is still bound says so */
    }
    rules_free(before);
    return err;
}

/* --- what is in force --- */

const struct rule *rules_at(const struct rules *r, enum rule_type type, uint32_t day)
{
    const struct rule *found = NULL;
    for (size_t i = 0; i < r->rule_count; i++)
        if (r->rules[i].type == type && r->rules[i].effective <= day) found = &r->rules[i];
    return found;
}

const struct rule *rules_newest(const struct rules *r, enum rule_type type)
{
    return rules_at(r, type, UINT32_MAX);
}

uint64_t rules_newest_ms(const struct rules *r)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < r->rule_count; i++)
        if (r->rules[i].founded_ms > newest) newest = r->rules[i].founded_ms;
    for (size_t i = 0; i < r->calendar_count; i++)
        if (r->calendars[i].founded_ms > newest) newest = r->calendars[i].founded_ms;
    return newest;
}

const struct rules_calendar *rules_calendar_of(const struct rules *r, uint32_t year)
{
    for (size_t i = 0; i < r->calendar_count; i++)
        if (r->calendars[i].year == year) return &r->calendars[i];
    return NULL;
}

uint32_t rules_limits(const struct rules *r, uint32_t day, struct limits *out)
{
    const struct rule *rule = rules_at(r, RULE_SLA, day);
    *out = rule ? rule->limits : limits_default();
    return rule ? rule->ver : 0;
}

uint32_t rules_public_days(const struct rules *r, uint32_t day)
{
    const struct rule *rule = rules_at(r, RULE_POINTS, day);
    uint64_t days = rule ? body_uint(rule->fields, "public_days") : 0;
    return days ? (uint32_t)days : PUBLIC_DAYS_DEFAULT;
}

/* --- categories --- */

static struct slice text_or_nil(struct mp_reader *r)
{
    return mp_read_nil(r) ? SLICE_EMPTY : mp_read_str(r, SIZE_MAX);
}

bool rule_category_next(const struct rule *rule, struct category_cursor *at, struct category *out)
{
    if (!at->begun) {
        at->begun = true;
        at->rows = body_rows(rule->fields, "categories", &at->left);
    }
    if (at->left == 0) return false;
    at->left--;
    mp_read_array(&at->rows, SIZE_MAX);
    out->code = mp_read_str(&at->rows, SIZE_MAX);
    out->zh = mp_read_str(&at->rows, SIZE_MAX);
    out->en = text_or_nil(&at->rows);
    out->ext_code = text_or_nil(&at->rows);
    return at->rows.err == OK;
}

bool rule_category_find(const struct rule *rule, struct slice code, struct category *out)
{
    struct category_cursor at = {0};
    while (rule && rule_category_next(rule, &at, out))
        if (slice_equal(out->code, code)) return true;
    return false;
}
