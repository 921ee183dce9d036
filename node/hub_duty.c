#include "node/hub_duty.h"

#include "common/log.h"
#include "node/office_key.h"

#define PAUSE_MS 60000

enum err hub_duty_open(struct hub_duty *d, struct store *store, struct views *views,
                       const struct device_keys *keys)
{
    const struct recorder_options options = {
        .store = store, .views = views, .signer = &keys->signer};
    *d = (struct hub_duty){.store = store, .views = views, .keys = keys};
    return recorder_open(&d->recorder, &options);
}

void hub_duty_close(struct hub_duty *d)
{
    recorder_close(d->recorder);
    *d = (struct hub_duty){0};
}

/* The roster at the hub, where all rows can be asked; NULL elsewhere. */
static const struct roster *hub_roster(struct hub_duty *d, struct txn *t)
{
    const struct roster *roster;
    uint64_t done, total;
    if (views_rebuild_pending(t, &done, &total) || views_roster(d->views, t, &roster)) return NULL;
    const struct device *hub = roster_hub(roster);
    return hub && sign_key_equal(&hub->key, &d->keys->signer.key) ? roster : NULL;
}

void hub_duty_look(struct hub_duty *d, struct txn *t)
{
    const struct roster *roster = hub_roster(d, t);
    d->due = roster && office_key_lacking(t, roster);
}

/* Within the recorder's begin..commit; *recorded: something was. */
static enum err give_keys(struct hub_duty *d, const struct roster *roster, bool *recorded)
{
    unsigned given = 0;
    enum err err = office_key_lacking(recorder_txn(d->recorder), roster)
                       ? office_key_give(d->recorder, roster, d->keys, &given)
                       : OK;
    if (err)
        log_write(LOG_ERROR, "the office's key is not given to other devices: %s", err_text(err));
    if (given) log_write(LOG_INFO, "the office's key was given to %u devices", given);
    *recorded = given;
    return err;
}

static enum err perform(struct hub_duty *d, const struct exchange_time *time)
{
    bool recorded = false;
    enum err err = recorder_begin(d->recorder, &time->clock);
    if (err) return err;
    const struct roster *roster = hub_roster(d, recorder_txn(d->recorder));
    if (roster) err = give_keys(d, roster, &recorded);
    if (!err && recorded) return recorder_commit(d->recorder);
    recorder_abort(d->recorder);
    return err;
}

void hub_duty_turn(struct hub_duty *d, const struct exchange_time *time)
{
    if (hub_duty_wait_ms(d, time->now_ms)) return;
    enum err err = perform(d, time);
    d->due = err; /* what is left is seen by hub_duty_look after the commit */
    if (!err) return;
    log_write(LOG_ERROR, "what the hub records by itself: %s", err_text(err));
    d->not_before_ms = time->now_ms + PAUSE_MS;
}

uint64_t hub_duty_wait_ms(const struct hub_duty *d, uint64_t now_ms)
{
    if (!d->due) return UINT64_MAX;
    return d->not_before_ms > now_ms ? d->not_before_ms - now_ms : 0;
}
