#include "node/sync/track.h"

#include <stdlib.h>
#include <string.h>

struct want_point point_of(uint64_t seq, const struct event_id *id)
{
    struct want_point p = {.seq = seq};
    memcpy(p.id8, id->bytes, sizeof p.id8);
    return p;
}

static bool point_equal(const struct want_point *a, const struct want_point *b)
{
    return a->seq == b->seq && memcmp(a->id8, b->id8, sizeof a->id8) == 0;
}

bool points_have(const struct point_set *set, const struct want_point *p)
{
    for (size_t i = 0; i < set->count; i++)
        if (point_equal(&set->points[i], p)) return true;
    return false;
}

void points_add(struct point_set *set, const struct want_point *p,
                const struct want_point *replaces)
{
    if (points_have(set, p)) return;
    for (size_t i = 0; replaces && i < set->count; i++) {
        if (!point_equal(&set->points[i], replaces)) continue;
        set->points[i] = *p;
        return;
    }
    if (set->count == TRACK_POINTS_MAX) {
        memmove(set->points, set->points + 1, (set->count - 1) * sizeof set->points[0]);
        set->count--;
    }
    set->points[set->count++] = *p;
}

uint64_t points_top(const struct point_set *set)
{
    uint64_t top = 0;
    for (size_t i = 0; i < set->count; i++)
        if (set->points[i].seq > top) top = set->points[i].seq;
    return top;
}

bool points_equal(const struct point_set *a, const struct point_set *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!points_have(b, &a->points[i])) return false;
    return true;
}

static bool is_local_head(const struct track *t, const struct want_point *p)
{
    for (size_t i = 0; i < t->local.head_count; i++) {
        struct want_point head = point_of(t->local.heads[i].seq, &t->local.heads[i].id);
        if (point_equal(&head, p)) return true;
    }
    return false;
}

/* A head with a number below one the peer holds is taken for its ancestor, until a BUILD or a WANT
 * shows otherwise; an equal number with another id is a fork for certain, and so is another head.
 */
static bool head_covered(const struct track *t, const struct point_set *set,
                         const struct want_point *head)
{
    if (points_have(set, head)) return true;
    bool above = false;
    for (size_t i = 0; i < set->count; i++) {
        if (set->points[i].seq == head->seq) return false;
        if (set->points[i].seq > head->seq && !is_local_head(t, &set->points[i])) above = true;
    }
    return above;
}

const struct session_head *track_next_head(const struct track *t)
{
    if (!t->held || t->parked || t->building || t->resuming || t->storing) return NULL;
    for (size_t i = 0; i < t->local.head_count; i++) {
        const struct session_head *h = &t->local.heads[i];
        struct want_point p = point_of(h->seq, &h->id);
        if (t->want_open ? points_have(&t->wanted, &p) || points_have(&t->sent, &p)
                         : head_covered(t, &t->peer, &p) || head_covered(t, &t->sent, &p))
            continue;
        return h;
    }
    return NULL;
}

bool track_arrived(const struct track *t)
{
    for (size_t i = 0; t->held && i < t->local.head_count; i++) {
        struct want_point p = point_of(t->local.heads[i].seq, &t->local.heads[i].id);
        if (!head_covered(t, &t->confirmed, &p)) return false;
    }
    return true;
}

static uint64_t local_top(const struct track *t)
{
    uint64_t top = 0;
    for (size_t i = 0; t->held && i < t->local.head_count; i++)
        if (t->local.heads[i].seq > top) top = t->local.heads[i].seq;
    return top;
}

uint64_t track_unsent(const struct track *t)
{
    if (track_arrived(t)) return 0;
    uint64_t top = local_top(t), there = points_top(&t->confirmed);
    return top > there ? top - there : 1;
}

uint64_t track_behind(const struct track *t)
{
    uint64_t top = local_top(t), there = points_top(&t->peer);
    return there > top ? there - top : 0;
}

static int track_class(const struct track *t)
{
    if (t->local.roster) return t->local.authority ? 0 : 1;
    if (t->local.village_town) return 3 + LANE_COUNT;
    return 2 + t->local.feed.lane;
}

bool track_is_first(const struct track *t)
{
    return t->held && (t->local.roster || t->local.feed.lane == LANE_URGENT);
}

int track_compare(const struct track *a, const struct track *b)
{
    int class = track_class(a) - track_class(b);
    if (class) return class;
    uint64_t left_a = track_unsent(a), left_b = track_unsent(b);
    if (left_a != left_b) return left_a < left_b ? -1 : 1;
    return memcmp(a->id8, b->id8, sizeof a->id8);
}

/* Index of the first row not below id8. */
static size_t lower_bound(const struct track_table *table, const uint8_t id8[8])
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(table->rows[middle]->id8, id8, 8) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct track *tracks_find(const struct track_table *table, const uint8_t id8[8])
{
    size_t at = lower_bound(table, id8);
    bool found = at < table->count && memcmp(table->rows[at]->id8, id8, 8) == 0;
    return found ? table->rows[at] : NULL;
}

struct track *tracks_get(struct track_table *table, const uint8_t id8[8])
{
    size_t at = lower_bound(table, id8);
    if (at < table->count && memcmp(table->rows[at]->id8, id8, 8) == 0) return table->rows[at];
    if (table->count >= 2 * HAVE_ENTRIES_MAX) return NULL;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 8;
        struct track **rows = realloc(table->rows, capacity * sizeof *rows);
        if (!rows) return NULL;
        table->rows = rows;
        table->capacity = capacity;
    }
    struct track *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    memcpy(t->id8, id8, sizeof t->id8);
    memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof table->rows[0]);
    table->rows[at] = t;
    table->count++;
    return t;
}

void tracks_clear(struct track_table *table)
{
    for (size_t i = 0; i < table->count; i++) free(table->rows[i]);
    free(table->rows);
    *table = (struct track_table){0};
}
