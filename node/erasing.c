#include "node/erasing.h"

#include "common/log.h"
#include "node/views/erasure.h"

#define QUIET_MS 1000
#define QUIET_LATEST_MS (10 * 60 * 1000)
#define PAUSE_MS 60000
#define PAUSE_BUSY_MS 5000
#define REWRITE_PAUSE_MIN_MS 10000
#define REWRITE_SHARE 100u /* of the time, one part goes into rewriting */
#define ANSWERS_AT_ONCE 64u

enum err erasing_open(struct erasing *e, struct store *store, struct views *views,
                      const struct device_keys *keys)
{
    const struct recorder_options options = {
        .store = store, .views = views, .signer = &keys->signer};
    *e = (struct erasing){.store = store};
    return recorder_open(&e->recorder, &options);
}

void erasing_close(struct erasing *e)
{
    recorder_close(e->recorder);
    *e = (struct erasing){.store = NULL};
}

/* --- answering -------------------------------------------------------------------------------- */

struct unanswered {
    struct thing_key thing;
    struct event_id order;
};

static bool may_be_answered(const struct erased *row, const struct erase_order *o,
                            uint64_t rewritten)
{
    return !o->answered && !row->next && o->serial <= rewritten;
}

/* Those that may be answered, after *at; *at moves on. */
static size_t unanswered_find(struct txn *t, struct thing_key *at,
                              struct unanswered out[ANSWERS_AT_ONCE])
{
    uint64_t rewritten = erase_rewritten(t);
    struct erased row;
    size_t count = 0;
    if (!erased_unanswered(t)) return 0;
    while (count + ERASE_ORDERS_MAX <= ANSWERS_AT_ONCE && erased_next(t, at, &row))
        for (size_t i = 0; i < row.order_count; i++)
            if (may_be_answered(&row, &row.orders[i], rewritten))
                out[count++] = (struct unanswered){*at, row.orders[i].id};
    return count;
}

static enum err answer_one(struct recorder *r, const struct unanswered *u)
{
    struct mp_map map = {0};
    struct buf body = {0};
    struct scope_row scope;
    struct recorded recorded;
    struct kind_problem problem;
    if (!scope_get(recorder_txn(r), u->thing.scope_number, &scope)) return ERR_CORRUPT;
    struct mp_writer w = mp_map_put(&map, "order");
    mp_write_bin(&w, u->order.bytes, sizeof u->order.bytes);
    enum err err = mp_map_end(&map, &body);
    const struct draft draft = {.kind = "subject.erase_ack",
                                .scope = scope.scope,
                                .lane = LANE_NORMAL,
                                .subject = u->thing.thing,
                                .body = buf_slice(&body)};
    if (!err) err = recorder_add(r, &draft, &recorded, &problem);
    mp_map_clear(&map);
    buf_clear(&body);
    return err;
}

/* What cannot be recorded of one thing, as while its founding event is not held, waits. */
static bool is_of_one(enum err err)
{
    return err == ERR_NOT_FOUND || err == ERR_STATE || err == ERR_FORBIDDEN || err == ERR_LIMIT;
}

/* One commit; *more: there may be others after *at. */
static enum err answer_some(struct recorder *r, const struct clock_reading *clock,
                            struct thing_key *at, size_t *count, bool *more)
{
    struct unanswered found[ANSWERS_AT_ONCE];
    enum err err = recorder_begin(r, clock);
    if (err) return err;
    size_t recorded = 0, finds = unanswered_find(recorder_txn(r), at, found);
    for (size_t i = 0; i < finds && !err; i++) {
        err = answer_one(r, &found[i]);
        recorded += !err;
        if (is_of_one(err)) err = OK;
    }
    *more = finds > 0;
    if (err || !recorded) {
        recorder_abort(r);
        return err;
    }
    err = recorder_commit(r);
    if (!err) *count += recorded;
    return err;
}

enum err erasing_answer(struct recorder *r, const struct clock_reading *clock, size_t *count)
{
    struct thing_key at = {.scope_number = 0};
    bool more = true;
    enum err err = OK;
    *count = 0;
    while (more && !err) err = answer_some(r, clock, &at, count, &more);
    return err;
}

/* --- turns ------------------------------------------------------------------------------------ */

void erasing_look(struct erasing *e, struct txn *t, uint64_t now_ms)
{
    struct thing_key at = {.scope_number = 0};
    struct erased row;
    uint64_t rewritten = erase_rewritten(t);
    bool pages = erase_serial(t) != rewritten;
    if (pages && !e->pages) e->latest_ms = now_ms + QUIET_LATEST_MS;
    e->pages = pages;
    e->quiet_from_ms = now_ms + QUIET_MS;
    e->parts = e->answers = false;
    if (!erased_unanswered(t)) return;
    while (!(e->parts && e->answers) && erased_next(t, &at, &row)) {
        e->parts |= row.next != 0;
        for (size_t i = 0; i < row.order_count; i++)
            e->answers |= may_be_answered(&row, &row.orders[i], rewritten);
    }
}

static enum err go_on(struct erasing *e)
{
    struct txn *t;
    enum err err = txn_begin(e->store, true, &t);
    if (err) return err;
    e->parts = erasure_go_on(t);
    return txn_commit(t);
}

void erasing_turn(struct erasing *e, const struct exchange_time *time)
{
    size_t count = 0;
    enum err err = OK;
    if (time->now_ms < e->not_before_ms) return;
    if (e->parts) err = go_on(e);
    if (!err && e->answers) err = erasing_answer(e->recorder, &time->clock, &count);
    if (count) log_write(LOG_INFO, "orders to erase carried out and answered: %zu", count);
    if (err && err != ERR_AGAIN) log_write(LOG_ERROR, "erasing: %s", err_text(err));
    /* What could not be answered is looked at again when something arrives. */
    e->answers = false;
    if (err) e->not_before_ms = time->now_ms + PAUSE_MS;
    if (err) e->answers = true;
}

static uint64_t rewrite_due_ms(const struct erasing *e)
{
    if (!e->pages || e->parts) return UINT64_MAX;
    uint64_t due_ms = e->quiet_from_ms < e->latest_ms ? e->quiet_from_ms : e->latest_ms;
    return due_ms < e->rewrite_from_ms ? e->rewrite_from_ms : due_ms;
}

bool erasing_rewrites(const struct erasing *e, uint64_t now_ms)
{
    return now_ms >= rewrite_due_ms(e);
}

void erasing_rewrite(struct erasing *e)
{
    uint64_t begun_ms = clock_monotonic_ms();
    enum err err = erase_rewrite(e->store);
    uint64_t now_ms = clock_monotonic_ms(), took_ms = now_ms - begun_ms;
    uint64_t pause_ms = took_ms * REWRITE_SHARE;
    if (pause_ms < REWRITE_PAUSE_MIN_MS) pause_ms = REWRITE_PAUSE_MIN_MS;
    if (err == ERR_BUSY) pause_ms = PAUSE_BUSY_MS;
    e->rewrite_from_ms = now_ms + pause_ms;
    if (!err) {
        log_write(LOG_INFO, "the store was rewritten in %llu ms: what was erased is in no old page",
                  (unsigned long long)took_ms);
        e->pages = false;
    } else if (!e->told || err != ERR_BUSY) {
        log_write(LOG_WARN, "the store waits to be rewritten after an erasure: %s", err_text(err));
    }
    e->told = err != OK;
}

uint64_t erasing_wait_ms(const struct erasing *e, uint64_t now_ms)
{
    uint64_t due_ms = rewrite_due_ms(e);
    if ((e->parts || e->answers) && e->not_before_ms < due_ms) due_ms = e->not_before_ms;
    if (due_ms == UINT64_MAX) return due_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
