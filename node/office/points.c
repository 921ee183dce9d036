#include "node/office/points.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "proto/msgpack.h"

enum { CELLS = 11, BLOCK_MIN_MAX = 24 * 60, FACTOR_PCT_MAX = 1000 };

static const char *const basis_names[] = {
    [POINTS_ACTIVITY] = "activity",
    [POINTS_HOUR] = "hour",
    [POINTS_OUTCOME] = "outcome",
    [POINTS_REFERRAL] = "referral",
};

/* What a rule has given in the last day, month and year that it gave anything in. */
struct points_tally {
    const char *id;
    uint32_t day, month, year;
    int64_t in_day, in_month, in_year;
};

/* --- rules -------------------------------------------------------------------------------- */

static void read_text(struct mp_reader *r, char *out, size_t size_max)
{
    struct slice text = mp_read_str(r, size_max);
    if (text.size) memcpy(out, text.data, text.size);
    out[text.size] = 0;
}

static enum err find_basis(enum points_basis *out, struct slice name)
{
    for (size_t i = 0; i < sizeof basis_names / sizeof basis_names[0]; i++)
        if (slice_is_text(name, basis_names[i])) {
            *out = (enum points_basis)i;
            return OK;
        }
    return ERR_RANGE;
}

static enum err read_rule(struct mp_reader *r, struct points_rules *rules)
{
    struct points_rule *rule = &rules->rules[rules->count];
    uint32_t *caps[] = {&rule->cap_activity, &rule->cap_day, &rule->cap_month, &rule->cap_year};
    size_t cells = mp_read_array(r, CELLS);
    read_text(r, rule->id, POINTS_ID_SIZE_MAX);
    struct slice basis = mp_read_str(r, POINTS_ID_SIZE_MAX);
    rule->rate = (int32_t)mp_read_int(r, 0, POINTS_TENTHS_MAX);
    rule->block_min = (uint32_t)mp_read_uint(r, BLOCK_MIN_MAX);
    rule->factor_pct = (uint32_t)mp_read_uint(r, FACTOR_PCT_MAX);
    if (!mp_read_nil(r)) read_text(r, rule->category, POINTS_CATEGORY_SIZE_MAX);
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
        *caps[i] = (uint32_t)mp_read_uint(r, POINTS_TENTHS_MAX);
    rule->need_verify = mp_read_bool(r);
    if (r->err || cells != CELLS) return r->err ? r->err : ERR_MALFORMED;
    if (!rule->id[0] || !rule->factor_pct) return ERR_RANGE;
    if (!rule->block_min) rule->block_min = POINTS_BLOCK_MIN_DEFAULT;
    for (size_t i = 0; i < rules->count; i++)
        if (strcmp(rules->rules[i].id, rule->id) == 0) return ERR_EXISTS;
    rules->count++;
    return find_basis(&rule->basis, basis);
}

enum err points_read(struct points_rules *out, struct slice body)
{
    struct mp_reader rows;
    struct points_rules rules = {.count = 0};
    if (!mp_map_get(body, "points", &rows)) return ERR_MALFORMED;
    size_t count = mp_read_array(&rows, POINTS_RULES_MAX);
    enum err e = rows.err;
    for (size_t i = 0; i < count && !e; i++) e = read_rule(&rows, &rules);
    if (!e) *out = rules;
    return e;
}

/* --- one service by one rule --------------------------------------------------------------- */

static int64_t units_of(const struct points_rule *rule, const struct points_service *s)
{
    switch (rule->basis) {
    case POINTS_ACTIVITY:
        return s->kind == POINTS_ATTENDED;
    case POINTS_HOUR: /* in minutes */
        if (s->kind == POINTS_REFERRED) return 0;
        return (int64_t)(s->minutes / rule->block_min) * rule->block_min;
    case POINTS_OUTCOME:
        return s->kind == POINTS_REFERRED ? 0 : s->outcomes;
    case POINTS_REFERRAL:
        return s->kind == POINTS_REFERRED;
    }
    return 0;
}

/* At most 2^32 × 10^6 × 10^3, below 2^63. */
static int64_t points_before_caps(const struct points_rule *rule, const struct points_service *s)
{
    bool applies = (s->verified || !rule->need_verify) &&
                   (!rule->category[0] || slice_is_text(s->category, rule->category));
    int64_t per = rule->basis == POINTS_HOUR ? 60 * 100 : 100;
    return applies ? units_of(rule, s) * rule->rate * rule->factor_pct / per : 0;
}

/* --- caps --------------------------------------------------------------------------------- */

static int64_t cut(int64_t points, uint32_t cap, int64_t given)
{
    if (!cap || points <= cap - given) return points;
    return cap > given ? cap - given : 0;
}

static int64_t given_for_activity(const struct points_entries *entries,
                                  const struct points_service *services, const char *id,
                                  const struct thing_id *activity)
{
    int64_t given = 0;
    for (size_t i = 0; i < entries->count; i++) {
        const struct points_entry *entry = &entries->items[i];
        if (strcmp(entry->rule->id, id) == 0 &&
            thing_id_equal(&services[entry->service].activity, activity))
            given += entry->points;
    }
    return given;
}

static int64_t cut_to_activity(int64_t points, const struct points_entries *entries,
                               const struct points_rule *rule,
                               const struct points_service *services, size_t at)
{
    bool once = rule->basis == POINTS_ACTIVITY;
    if (!once && !rule->cap_activity) return points;
    int64_t given = given_for_activity(entries, services, rule->id, &services[at].activity);
    return once && given ? 0 : cut(points, rule->cap_activity, given);
}

/* NULL: no memory. */
static struct points_tally *tally_of(struct points_entries *entries, const char *id)
{
    for (size_t i = 0; i < entries->tally_count; i++)
        if (strcmp(entries->tallies[i].id, id) == 0) return &entries->tallies[i];
    if (entries->tally_count == entries->tally_capacity) {
        size_t capacity = entries->tally_capacity ? entries->tally_capacity * 2 : POINTS_RULES_MAX;
        void *grown = realloc(entries->tallies, capacity * sizeof *entries->tallies);
        if (!grown) return NULL;
        entries->tallies = grown;
        entries->tally_capacity = capacity;
    }
    struct points_tally *tally = &entries->tallies[entries->tally_count++];
    *tally = (struct points_tally){.id = id};
    return tally;
}

static void turn_to(struct points_tally *tally, uint32_t day)
{
    struct time_date date = time_day_date(day);
    uint32_t month = date.year * 12 + date.month;
    if (tally->day != day) tally->in_day = 0;
    if (tally->month != month) tally->in_month = 0;
    if (tally->year != date.year) tally->in_year = 0;
    tally->day = day;
    tally->month = month;
    tally->year = date.year;
}

/* --- entries ------------------------------------------------------------------------------ */

static enum err add_entry(struct points_entries *entries, struct points_entry entry)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? entries->capacity * 2 : 64;
        void *grown = realloc(entries->items, capacity * sizeof *entries->items);
        if (!grown) return ERR_NOMEM;
        entries->items = grown;
        entries->capacity = capacity;
    }
    entries->items[entries->count++] = entry;
    return OK;
}

static enum err count_by_rule(struct points_entries *entries, const struct points_rule *rule,
                              const struct points_service *services, size_t at)
{
    int64_t points = points_before_caps(rule, &services[at]);
    if (points == 0) return OK;
    struct points_tally *tally = tally_of(entries, rule->id);
    if (!tally) return ERR_NOMEM;
    turn_to(tally, services[at].day);
    points = cut_to_activity(points, entries, rule, services, at);
    points = cut(points, rule->cap_day, tally->in_day);
    points = cut(points, rule->cap_month, tally->in_month);
    points = cut(points, rule->cap_year, tally->in_year);
    if (points > INT32_MAX) points = INT32_MAX;
    if (points == 0) return OK;
    tally->in_day += points;
    tally->in_month += points;
    tally->in_year += points;
    return add_entry(entries, (struct points_entry){rule, at, (int32_t)points});
}

static int by_day_and_basis(const void *a, const void *b)
{
    const struct points_service *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return thing_id_compare(&x->basis, &y->basis);
}

enum err points_count(struct points_entries *out, const struct points_service *services,
                      size_t count)
{
    enum err e = OK;
    out->count = out->tally_count = 0;
    for (size_t i = 0; i < count && !e; i++) {
        int order = i > 0 ? by_day_and_basis(&services[i - 1], &services[i]) : -1;
        assert(order <= 0);
        const struct points_rules *rules = services[i].rules;
        if (order == 0 || !rules) continue;
        for (size_t r = 0; r < rules->count && !e; r++)
            e = count_by_rule(out, &rules->rules[r], services, i);
    }
    return e;
}

void points_entries_clear(struct points_entries *entries)
{
    free(entries->items);
    free(entries->tallies);
    *entries = (struct points_entries){0};
}
