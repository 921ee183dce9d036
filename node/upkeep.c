#include "node/upkeep.h"

#include "common/log.h"
#include "node/views/search.h"

#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)
#define SCRUB_DAYS 30           /* the whole log in so many days */
#define SCRUB_PART_MIN 4096     /* events a day, at least */
#define SCRUB_SLICE_EVENTS 1024 /* events a turn: some milliseconds */
#define SCRUB_AFTER_MS (2 * 60 * 1000)
#define PAUSE_MS 60000
#define INDEX_QUIET_MS 500  /* nothing has arrived for so long */
#define INDEX_WAIT_MS 60000 /* though more keeps arriving */

void upkeep_init(struct upkeep *u, struct store *store, struct views *views, uint64_t now_ms)
{
    *u = (struct upkeep){
        .store = store, .views = views, .scrub_from_ms = now_ms + SCRUB_AFTER_MS, .scrub_next = 1};
}

void upkeep_look(struct upkeep *u, struct txn *t, uint64_t now_ms)
{
    uint64_t done, total, events = log_count(t);
    bool pending = views_rebuild_pending(t, &done, &total);
    if (pending && !u->folding) log_write(LOG_INFO, "folding views again");
    u->folding = pending;
    bool behind = search_behind(t) > SEARCH_TAIL_MAX;
    if (behind && !u->indexing) u->index_latest_ms = now_ms + INDEX_WAIT_MS;
    if (events != u->events) u->index_from_ms = now_ms + INDEX_QUIET_MS;
    u->events = events;
    u->indexing = behind;
}

uint64_t upkeep_wait_ms(const struct upkeep *u, uint64_t now_ms)
{
    if (!u->indexing) return UINT64_MAX;
    uint64_t due_ms = u->index_from_ms < u->index_latest_ms ? u->index_from_ms : u->index_latest_ms;
    if (due_ms < u->not_before_ms) due_ms = u->not_before_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

static void fold_slice(struct upkeep *u, uint64_t now_ms)
{
    uint64_t arrival = 0, done, total;
    struct txn *t;
    enum err err = views_rebuild_slice(u->views, u->store, &arrival);
    if (err) {
        log_write(LOG_ERROR, "views: event %llu: %s; see sidan verify", (unsigned long long)arrival,
                  err_text(err));
        u->not_before_ms = now_ms + PAUSE_MS;
        return;
    }
    if (txn_begin(u->store, false, &t)) return;
    u->folding = views_rebuild_pending(t, &done, &total);
    txn_abort(t);
    if (!u->folding) log_write(LOG_INFO, "views are folded");
}

static void index_slice(struct upkeep *u, uint64_t now_ms)
{
    struct txn *t;
    enum err err = txn_begin(u->store, true, &t);
    if (!err) {
        u->indexing = search_slice(t, SEARCH_SLICE_EVENTS);
        err = txn_commit(t);
    }
    if (err) {
        log_write(LOG_ERROR, "indexing for look-ups: %s", err_text(err));
        u->not_before_ms = now_ms + PAUSE_MS;
    }
}

/* --- the day's scrub --- */

static void problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    struct upkeep *u = state;
    damage_add(&u->found, arrival);
    log_write(LOG_ERROR, "an event is damaged: %s (%s); see sidan verify", what, err_text(err));
}

/* Where today's part begins and ends; false when it was done. */
static bool scrub_plan(struct upkeep *u, uint64_t day)
{
    struct txn *t;
    if (txn_begin(u->store, false, &t)) return false;
    uint64_t done_day = meta_get_uint(t, "scrub_day");
    uint64_t next = meta_get_uint(t, "scrub_next");
    uint64_t total = log_count(t);
    txn_abort(t);
    u->scrub_day = day;
    u->scrub_next = 1;
    u->scrub_last = 0;
    u->found = (struct damage){0};
    if (done_day == day || total == 0) return false;
    uint64_t part = total / SCRUB_DAYS + 1;
    if (part < SCRUB_PART_MIN) part = SCRUB_PART_MIN;
    u->scrub_next = next == 0 || next > total ? 1 : next;
    u->scrub_last = u->scrub_next + part - 1 < total ? u->scrub_next + part - 1 : total;
    return true;
}

static void scrub_done(struct upkeep *u)
{
    struct txn *t;
    struct damage still;
    if (damage_recheck(u->store, &still) || txn_begin(u->store, true, &t)) return;
    for (size_t i = 0; i < u->found.count; i++) damage_add(&still, u->found.arrivals[i]);
    damage_write(t, &still);
    meta_put_uint(t, "scrub_day", u->scrub_day);
    meta_put_uint(t, "scrub_next", u->scrub_next);
    enum err err = txn_commit(t);
    if (err) log_write(LOG_WARN, "the scrub's place was not kept: %s", err_text(err));
}

static void scrub_slice(struct upkeep *u, uint64_t now_ms)
{
    uint64_t last = u->scrub_next + SCRUB_SLICE_EVENTS - 1;
    if (last > u->scrub_last) last = u->scrub_last;
    struct audit_options options = {
        .first_arrival = u->scrub_next, .last_arrival = last, .problem = problem, .state = u};
    struct audit_result result;
    enum err err = audit_run(u->store, &options, &result);
    if (err) {
        log_write(LOG_ERROR, "the day's scrub: %s", err_text(err));
        u->not_before_ms = now_ms + PAUSE_MS;
    }
    u->scrub_next = last + 1;
    if (u->scrub_next > u->scrub_last) scrub_done(u);
}

bool upkeep_turn(struct upkeep *u, uint64_t now_ms, uint64_t wall_ms)
{
    if (now_ms < u->not_before_ms) return false;
    if (u->folding) {
        fold_slice(u, now_ms);
        return u->folding && now_ms >= u->not_before_ms;
    }
    if (u->indexing) {
        if (upkeep_wait_ms(u, now_ms)) return false;
        index_slice(u, now_ms);
        return u->indexing && now_ms >= u->not_before_ms;
    }
    if (now_ms < u->scrub_from_ms) return false;
    uint64_t day = wall_ms / DAY_MS;
    if (u->scrub_next > u->scrub_last && (u->scrub_day == day || !scrub_plan(u, day))) return false;
    scrub_slice(u, now_ms);
    return u->scrub_next <= u->scrub_last;
}
