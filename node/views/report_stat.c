#include "node/views/report_stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "node/views/body.h"

enum { ROWS_SIZE_MAX = 12288 }; /* of a body of 16384 bytes */

/* Counts of the requests and of the volunteers; those of what came of activities follow the table
 * of kinds, ".other" behind what was done for other villages. */
static const struct {
    const char *id, *zh;
} counted[] = {
    {"registered", "登记件数"},    {"closed", "办结件数"},       {"open", "期末在办"},
    {"activities", "活动次数"},    {"person_times", "参加人次"}, {"minutes", "核定分钟"},
    {"people_helped", "受益人数"}, {"volunteers", "在册志愿者"},
};

const char *report_stat_zh(const char *id)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (strcmp(counted[i].id, id) == 0) return counted[i].zh;
    return NULL;
}

struct target { /* whose rows are added */
    struct report_stats *stats;
    const char *village;
    struct slice unit;
    bool no_memory;
};

static struct report_stat *add(struct report_stats *s)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        struct report_stat *more = realloc(s->rows, room * sizeof *more);
        if (!more) return NULL;
        s->rows = more;
        s->room = room;
    }
    struct report_stat *row = &s->rows[s->count++];
    *row = (struct report_stat){0};
    return row;
}

static void put(struct target *t, struct slice id, uint64_t num, uint64_t den)
{
    if (!den) return;
    struct report_stat *row = add(t->stats);
    if (!row) {
        t->no_memory = true;
        return;
    }
    text_copy(row->id, sizeof row->id, id);
    text_copy(row->village, sizeof row->village, slice_of_text(t->village));
    text_copy(row->unit, sizeof row->unit, t->unit);
    row->num = num < UINT32_MAX ? (uint32_t)num : UINT32_MAX;
    row->den = (uint32_t)den;
}

static void put_count(struct target *t, const char *id, uint64_t count)
{
    put(t, slice_of_text(id), count, count > 0);
}

static void put_requests(struct target *t, const struct report_group *g)
{
    put_count(t, "registered", g->counts.registered);
    put_count(t, "closed", g->counts.closed);
    put_count(t, "open", report_open(&g->counts));
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        put(t, slice_of_text(figure_id((enum figure)i)), g->figures.of[i].num,
            g->figures.of[i].den);
}

static void put_help(struct target *t, const struct report_help *h)
{
    put_count(t, "activities", h->activities);
    put_count(t, "person_times", h->person_times);
    put_count(t, "minutes", h->minutes_verified);
    put_count(t, "people_helped", h->people_helped);
    put_count(t, "volunteers", h->active);
    for (size_t i = 0; i < h->outcome_count; i++) {
        const struct report_outcome *o = &h->outcomes[i];
        char other[64];
        snprintf(other, sizeof other, "%.*s.other", (int)o->key.size, (const char *)o->key.data);
        put(t, o->key, o->own, o->own > 0);
        put_count(t, other, o->other);
    }
}

struct counting {
    struct txn *txn;
    const struct roster *roster;
    const struct village *only;
    const struct figure_period *period;
    struct report_helps helps;
};

static MUST_CHECK enum err count_by(struct target *target, const struct counting *c,
                                    enum report_by by)
{
    struct report report = {0};
    const struct report_options options = {.period = *c->period, .by = by};
    enum err err = report_requests(&report, c->txn, &options);
    if (!err && by == REPORT_WHOLE) {
        put_requests(target, &report.whole);
        put_help(target, &c->helps.whole);
    }
    for (size_t i = 0; !err && by == REPORT_BY_VILLAGE && i < c->helps.village_count; i++) {
        const struct report_help *help = &c->helps.villages[i];
        const struct report_group *g = report_find(&report, slice_of_text(help->village->code));
        target->village = help->village->code;
        if (g) put_requests(target, g);
        put_help(target, help);
    }
    target->village = "";
    for (size_t i = 0; !err && by == REPORT_BY_UNIT && i < report.group_count; i++) {
        target->unit = report.groups[i]->name;
        if (target->unit.size) put_requests(target, report.groups[i]);
    }
    report_clear(&report);
    return err;
}

enum err report_stats_count(struct report_stats *out, struct txn *t, const struct roster *roster,
                            const struct village *only, const struct figure_period *period)
{
    struct counting c = {.txn = t, .roster = roster, .only = only, .period = period};
    struct target target = {.stats = out, .village = ""};
    enum err err = report_helps_read(&c.helps, t, roster, only, period);
    if (!err && !only) err = count_by(&target, &c, REPORT_WHOLE);
    if (!err) err = count_by(&target, &c, REPORT_BY_VILLAGE);
    if (!err && !only) err = count_by(&target, &c, REPORT_BY_UNIT);
    report_helps_clear(&c.helps);
    return !err && target.no_memory ? ERR_NOMEM : err;
}

const struct report_stat *report_stats_find(const struct report_stats *s,
                                            const struct report_stat *like)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->rows[i].id, like->id) == 0 &&
            strcmp(s->rows[i].village, like->village) == 0 &&
            strcmp(s->rows[i].unit, like->unit) == 0)
            return &s->rows[i];
    return NULL;
}

void report_stats_clear(struct report_stats *s)
{
    free(s->rows);
    *s = (struct report_stats){0};
}

/* --- as rows of an event ------------------------------------------------------------------- */

static void write_text_or_nil(struct mp_writer *w, const char *text)
{
    if (*text)
        mp_write_text(w, text);
    else
        mp_write_nil(w);
}

static void write_row(struct mp_writer *w, const struct report_stat *row)
{
    mp_write_array(w, 5);
    mp_write_text(w, row->id);
    write_text_or_nil(w, row->village);
    write_text_or_nil(w, row->unit);
    mp_write_uint(w, row->num);
    mp_write_uint(w, row->den);
}

void report_stats_write(struct mp_writer *w, const struct report_stats *s, size_t *at)
{
    struct buf rows = {0};
    struct mp_writer row = {&rows};
    size_t count = 0;
    for (; *at < s->count && count < FIGURE_ROWS_MAX && rows.size < ROWS_SIZE_MAX; count++, ++*at)
        write_row(&row, &s->rows[*at]);
    mp_write_array(w, count);
    buf_append_slice(w->out, buf_slice(&rows));
    if (rows.err && !w->out->err) w->out->err = rows.err;
    buf_clear(&rows);
}

static struct slice read_text_or_nil(struct mp_reader *r)
{
    if (mp_peek(r) == MP_STR) return mp_read_str(r, SIZE_MAX);
    mp_skip(r);
    return SLICE_EMPTY;
}

enum err report_stats_read(struct report_stats *out, struct slice fields)
{
    size_t count;
    struct mp_reader rows = body_rows(fields, "figures", &count);
    for (size_t i = 0; i < count && !rows.err; i++) {
        if (mp_read_array(&rows, 5) != 5) break;
        struct report_stat *row = add(out);
        if (!row) return ERR_NOMEM;
        text_copy(row->id, sizeof row->id, mp_read_str(&rows, SIZE_MAX));
        text_copy(row->village, sizeof row->village, read_text_or_nil(&rows));
        text_copy(row->unit, sizeof row->unit, read_text_or_nil(&rows));
        row->num = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
        row->den = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
    }
    return OK;
}
