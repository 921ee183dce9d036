#include "node/views/report.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/body.h"

uint32_t report_open(const struct report_counts *c)
{
    uint32_t open = 0;
    for (size_t i = 0; i < REQUEST_STATE_COUNT; i++) open += c->open[i];
    return open;
}

/* --- one request --------------------------------------------------------------------------- */

static bool is_dropped(const struct request *r)
{
    return r->state == REQUEST_DECLINED || r->state == REQUEST_MERGED ||
           r->state == REQUEST_WITHDRAWN;
}

static uint64_t closed_ms(const struct request *r)
{
    return r->state == REQUEST_CLOSED || r->state == REQUEST_ARCHIVED ? r->closed_ms : 0;
}

static enum figure_clock clock_of(enum request_timing timing)
{
    return timing == TIMING_IN_TIME ? CLOCK_IN_TIME
           : timing == TIMING_LATE  ? CLOCK_LATE
                                    : CLOCK_OPEN;
}

static void facts_of(const struct request *r, struct figure_facts *out)
{
    *out = (struct figure_facts){
        .accepted_ms = r->accepted_ms,
        .closed_ms = closed_ms(r),
        .issued_ms = r->issued_ms,
        .reported_ms = r->reported_ms,
        .due_ms = r->due_ms,
        .dropped = is_dropped(r),
        .sign = clock_of(r->timing[CLOCK_SIGN]),
        .contact = clock_of(r->timing[CLOCK_CONTACT]),
        .called_back = r->callback_reached || r->callbacks_failed,
        .reached = r->callback_reached,
        .answered = r->contacted_in_time || r->solved || r->rating,
        .answer_in_time = r->contacted_in_time == TIMING_IN_TIME,
        .answer_solved = r->solved == SOLVED_YES,
        .nothing_to_solve = slice_is_text(r->nature, "consult") ||
                            slice_is_text(r->nature, "suggestion") ||
                            slice_is_text(r->nature, "praise"),
        .rating = r->rating,
        .objected = r->objections,
        .reopened = r->rounds,
    };
}

static void counts_add(struct report_counts *c, const struct request *r,
                       const struct figure_period *p)
{
    uint64_t closed = closed_ms(r);
    c->closed += closed >= p->from_ms && closed < p->to_ms;
    if (r->registered_ms >= p->to_ms) return;
    if (!is_dropped(r) && (!closed || closed >= p->to_ms))
        c->open[closed ? REQUEST_CLOSED : r->state]++;
    if (r->registered_ms < p->from_ms) return;
    c->registered++;
    c->answered += r->answered;
    c->declined += r->state == REQUEST_DECLINED;
    c->merged += r->state == REQUEST_MERGED;
    c->withdrawn += r->state == REQUEST_WITHDRAWN;
    c->supervised += r->supervised > 0;
}

/* --- groups -------------------------------------------------------------------------------- */

/* Where a name stands, or where it would. */
static size_t group_place(const struct report *r, struct slice name, bool *found)
{
    size_t low = 0, high = r->group_count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = (low + high) / 2;
        int order = slice_compare(name, r->groups[middle]->name);
        *found = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

const struct report_group *report_find(const struct report *r, struct slice name)
{
    bool found;
    size_t place = group_place(r, name, &found);
    return found ? r->groups[place] : NULL;
}

/* NULL: no memory. */
static struct report_group *group_of(struct report *r, struct slice name)
{
    bool found;
    size_t place = group_place(r, name, &found);
    if (found) return r->groups[place];
    if (r->group_count == r->group_room) {
        size_t room = r->group_room ? 2 * r->group_room : 32;
        struct report_group **more = realloc(r->groups, room * sizeof(struct report_group *));
        if (!more) return NULL;
        r->groups = more;
        r->group_room = room;
    }
    struct report_group *g = calloc(1, sizeof *g + name.size);
    if (!g) return NULL;
    if (name.size) memcpy(g + 1, name.data, name.size);
    g->name = slice_of(g + 1, name.size);
    memmove(r->groups + place + 1, r->groups + place,
            (r->group_count - place) * sizeof(struct report_group *));
    r->groups[place] = g;
    r->group_count++;
    return g;
}

struct counting {
    struct report *report;
    const struct report_options *options;
    bool no_memory;
};

static void group_add(struct report_group *g, const struct counting *c, const struct request *r,
                      const struct figure_facts *facts)
{
    figures_add(&g->figures, facts, &c->options->period);
    counts_add(&g->counts, r, &c->options->period);
}

static bool add(void *state, const struct thing_key *key, const struct request *r)
{
    struct counting *c = state;
    struct figure_facts facts;
    (void)key;
    facts_of(r, &facts);
    group_add(&c->report->whole, c, r, &facts);
    if (c->options->by == REPORT_WHOLE) return true;
    struct slice name = c->options->by == REPORT_BY_UNIT ? r->holder : slice_of_text(r->village);
    struct report_group *g = group_of(c->report, name);
    c->no_memory = !g;
    if (g) group_add(g, c, r, &facts);
    return g != NULL;
}

enum err report_requests(struct report *out, struct txn *t, const struct report_options *options)
{
    struct counting c = {.report = out, .options = options};
    struct request_filter filter = {
        .scope_number = options->scope_number,
        .accusations = options->accusations,
        .any_state = true,
    };
    enum err err = requests_each(t, &filter, add, &c);
    return !err && c.no_memory ? ERR_NOMEM : err;
}

void report_clear(struct report *r)
{
    for (size_t i = 0; i < r->group_count; i++) free(r->groups[i]);
    free(r->groups);
    *r = (struct report){0};
}

/* --- ranking ------------------------------------------------------------------------------- */

enum { SCALE = 1000000 };

struct report_weights report_weights_read(struct slice fields, size_t *unknown)
{
    struct report_weights weights = {0};
    size_t count;
    struct mp_reader rows = body_rows(fields, "weights", &count);
    *unknown = 0;
    for (size_t i = 0; i < count && !rows.err; i++) {
        if (mp_read_array(&rows, 2) != 2) break;
        struct slice id = mp_read_str(&rows, SIZE_MAX);
        uint32_t weight = (uint32_t)mp_read_uint(&rows, 1000), f = 0;
        while (f < FIGURE_COUNT && !slice_is_text(id, figure_id((enum figure)f))) f++;
        if (f < FIGURE_COUNT) weights.of[f] = weight;
        *unknown += f == FIGURE_COUNT;
        weights.any |= f < FIGURE_COUNT && weight;
    }
    return weights;
}

/* By the close rate, then by how many there were. Rates of up to 30,000 requests never fall
 * together unless they are equal. */
static bool score_by_close(int64_t *out, const struct figures *f)
{
    const struct figure_rate *close = &f->of[FIGURE_CLOSE];
    if (!close->den) return false;
    uint64_t rate = (uint64_t)close->num * 1000 * SCALE / close->den;
    *out = (int64_t)(rate << 32 | close->den);
    return true;
}

bool report_score(int64_t *out, const struct figures *f, const struct report_weights *weights)
{
    if (!weights->any) return score_by_close(out, f);
    uint64_t sum = 0, weight = 0;
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const struct figure_rate *rate = &f->of[i];
        if (!rate->den || !weights->of[i]) continue;
        bool bad = i == FIGURE_OBJECT || i == FIGURE_REOPEN;
        uint64_t num = bad ? rate->den - rate->num : rate->num;
        sum += weights->of[i] * (num * SCALE / rate->den);
        weight += weights->of[i];
    }
    if (weight) *out = (int64_t)(sum / weight);
    return weight > 0;
}
