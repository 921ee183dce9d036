#include "node/hub_duty.h"

#include "common/log.h"
#include "common/time.h"
#include "node/lives.h"
#include "node/office_key.h"
#include "node/series.h"
#include "node/views/request.h"

#define PAUSE_MS 60000
#define UNSETTLED_MAX_MS (10 * 60 * 1000)
#define NUMBERS_AT_ONCE 64u

enum err hub_duty_open(struct hub_duty *d, struct store *store, struct views *views,
                       const struct device_keys *keys)
{
    const struct recorder_options options = {
        .store = store, .views = views, .signer = &keys->signer};
    *d = (struct hub_duty){.views = views, .keys = keys};
    return recorder_open(&d->recorder, &options);
}

void hub_duty_close(struct hub_duty *d)
{
    recorder_close(d->recorder);
    *d = (struct hub_duty){0};
}

/* The roster at a hub, where all rows can be asked; NULL elsewhere. */
static const struct roster *hub_roster(struct hub_duty *d, struct txn *t)
{
    const struct roster *roster;
    uint64_t done, total;
    if (views_rebuild_pending(t, &done, &total) || views_roster(d->views, t, &roster)) return NULL;
    const struct device *self = roster_device(roster, &store_identity(txn_store(t))->device);
    return self && device_is_hub(self) ? roster : NULL;
}

/* --- the office's key ---------------------------------------------------------------------- */

static bool lacks_keys(const struct hub_duty *d, struct txn *t, const struct roster *roster)
{
    return office_key_lacking(t, roster) && !hash_equal(&roster->version, &d->keyless);
}

/* Within the recorder's begin..commit, as is what follows; *recorded: something was. A hub that was
 * not given the key itself goes on with the rest. */
static enum err give_keys(struct hub_duty *d, const struct roster *roster, bool *recorded)
{
    unsigned given = 0;
    if (!lacks_keys(d, recorder_txn(d->recorder), roster)) return OK;
    enum err err = office_key_give(d->recorder, roster, d->keys, &given);
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
        log_write(LOG_WARN, "the office's key cannot be given to other devices: %s", err_text(err));
        d->keyless = roster->version;
        return OK;
    }
    if (given) log_write(LOG_INFO, "the office's key was given to %u devices", given);
    *recorded |= given;
    return err;
}

/* --- official numbers ---------------------------------------------------------------------- */

struct unnumbered {
    struct thing_key keys[NUMBERS_AT_ONCE];
    size_t count;
};

static bool take(void *state, const struct thing_key *key)
{
    struct unnumbered *u = state;
    u->keys[u->count++] = *key;
    return u->count < NUMBERS_AT_ONCE;
}

static bool any(void *state, const struct thing_key *key)
{
    (void)key;
    *(bool *)state = true;
    return false;
}

static enum err record_number(struct hub_duty *d, const struct request *r, const char *number,
                              struct draft *draft)
{
    struct mp_map map = {0};
    struct buf body = {0};
    struct recorded recorded;
    struct kind_problem problem;
    struct mp_writer w = mp_map_put(&map, "official_no");
    mp_write_text(&w, number);
    enum err err = mp_map_end(&map, &body);
    draft->kind = "request.number";
    draft->lane = r->urgency == 3 ? LANE_URGENT : LANE_NORMAL;
    draft->body = buf_slice(&body);
    if (!err) err = recorder_add(d->recorder, draft, &recorded, &problem);
    mp_map_clear(&map);
    buf_clear(&body);
    return err;
}

static enum err number_one(struct hub_duty *d, const struct thing_key *key,
                           const struct clock_reading *clock, bool *recorded)
{
    struct txn *t = recorder_txn(d->recorder);
    struct request r;
    struct scope_row scope;
    char number[16];
    enum err err = request_get(t, key, &r);
    if (err) return err;
    /* One with too many records takes no more; it would use up numbers for ever. */
    if (!r.number_due || r.events >= THING_EVENTS_MAX) return OK;
    if (!scope_get(t, key->scope_number, &scope)) return ERR_CORRUPT;
    struct draft draft = {.scope = scope.scope, .subject = key->thing};
    err = request_next_official(t, time_year(r.untrusted ? clock->wall_ms : r.accepted_ms), number);
    if (!err) err = record_number(d, &r, number, &draft);
    if (!err) *recorded = true;
    return err;
}

/* Asked in the transaction that gives them, so what was moved away meanwhile is not given (N11). */
static bool may_number(struct txn *t, const struct roster *roster)
{
    return series_state(t, roster) == SERIES_HERE;
}

static enum err give_numbers(struct hub_duty *d, const struct clock_reading *clock, bool *recorded)
{
    struct unnumbered u = {.count = 0};
    enum err err = requests_each_unnumbered(recorder_txn(d->recorder), take, &u);
    for (size_t i = 0; i < u.count && !err; i++) err = number_one(d, &u.keys[i], clock, recorded);
    return err;
}

/* --- turns --------------------------------------------------------------------------------- */

void hub_duty_look(struct hub_duty *d, struct txn *t, uint64_t now_ms)
{
    const struct roster *roster = hub_roster(d, t);
    bool unnumbered = false;
    bool keys = roster && lacks_keys(d, t, roster);
    if (keys && !d->keys_due) d->keys_since_ms = now_ms;
    d->keys_due = keys;
    d->keys_by_another = keys && series_state(t, roster) == SERIES_ELSEWHERE;
    if (roster && may_number(t, roster) && requests_each_unnumbered(t, any, &unnumbered))
        unnumbered = false;
    /* Others may have been given that this store does not know (F5). */
    if (unnumbered && lives_numbers_wait(t)) {
        if (!d->told_wait) log_write(LOG_WARN, "no official number is given: sidan numbers");
        d->told_wait = true;
        unnumbered = false;
    }
    if (unnumbered && !d->numbers_due) d->numbers_since_ms = now_ms;
    d->numbers_due = unnumbered;
}

/* When this hub gives the office's key: at once, or when the one that should did not. */
static uint64_t keys_due_ms(const struct hub_duty *d)
{
    return d->keys_since_ms + (d->keys_by_another ? UNSETTLED_MAX_MS : 0);
}

static bool gives_keys(const struct hub_duty *d, uint64_t now_ms)
{
    return d->keys_due && now_ms >= keys_due_ms(d);
}

static bool gives_numbers(const struct hub_duty *d, uint64_t now_ms, bool settled)
{
    return d->numbers_due && (settled || now_ms - d->numbers_since_ms >= UNSETTLED_MAX_MS);
}

static enum err perform(struct hub_duty *d, const struct exchange_time *time, bool numbers,
                        bool keys, bool *recorded)
{
    enum err err = recorder_begin(d->recorder, &time->clock);
    if (err) return err;
    const struct roster *roster = hub_roster(d, recorder_txn(d->recorder));
    if (lives_numbers_wait(recorder_txn(d->recorder))) numbers = false;
    if (roster && numbers && may_number(recorder_txn(d->recorder), roster))
        err = give_numbers(d, &time->clock, recorded);
    if (roster && keys && !err) err = give_keys(d, roster, recorded);
    if (!err && *recorded) return recorder_commit(d->recorder);
    recorder_abort(d->recorder);
    return err;
}

void hub_duty_turn(struct hub_duty *d, const struct exchange_time *time, bool settled)
{
    bool recorded = false;
    if (hub_duty_wait_ms(d, time->now_ms, settled)) return;
    bool numbers = gives_numbers(d, time->now_ms, settled), keys = gives_keys(d, time->now_ms);
    enum err err = perform(d, time, numbers, keys, &recorded);
    if (err) {
        log_write(LOG_ERROR, "what the hub records by itself: %s", err_text(err));
        d->not_before_ms = time->now_ms + PAUSE_MS;
        return;
    }
    /* What is left is seen by hub_duty_look after the commit. */
    if (keys) d->keys_due = false;
    if (numbers) d->numbers_due = false;
}

uint64_t hub_duty_wait_ms(const struct hub_duty *d, uint64_t now_ms, bool settled)
{
    uint64_t due_ms = UINT64_MAX;
    if (d->numbers_due)
        due_ms = settled ? d->numbers_since_ms : d->numbers_since_ms + UNSETTLED_MAX_MS;
    /* A store that was put back asks its peers before anything is signed in it (F3). */
    bool may_sign = settled || !recorder_is_behind(d->recorder);
    if (d->keys_due && may_sign && keys_due_ms(d) < due_ms) due_ms = keys_due_ms(d);
    if (due_ms == UINT64_MAX) return due_ms;
    if (due_ms < d->not_before_ms) due_ms = d->not_before_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
