/* What hubs learn of each other: who gave official numbers before, what came through whom. */
#include "node/exchange_state.h"
#include "node/series.h"

#define HUBS_AWAITED_MS (10 * 60 * 1000)

/* --- official numbers ---------------------------------------------------------------------- */

/* Is it one that this node waits for before it gives numbers? */
static bool is_awaited(struct txn *t, const struct roster *roster, const struct peer *p)
{
    size_t at = 0;
    for (const struct device *d; (d = series_awaited(t, roster, &at)) != NULL;)
        if (sign_key_equal(&d->first, &p->device.first)) return true;
    return false;
}

static enum err note(struct exchange *x, const struct series_vector *vector)
{
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, true, &t);
    if (err) return err;
    err = series_note(x->views, t, vector);
    if (!err) return txn_commit(t);
    txn_abort(t);
    return err;
}

/* A HELLO tells where its own feeds stand; a receipt of the move alone does not, for what was
 * recorded just before may still be on its way. So it is asked for a HELLO then. */
static enum err look_at_series(struct exchange *x, struct peer *p, bool by_hello)
{
    struct txn *t = NULL;
    const struct roster *roster;
    bool awaited = false, known = false;
    const struct series_vector vector = {&p->device, p->row.have, p->row.have_count};
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = views_roster(x->views, t, &roster);
    if (!err) awaited = series_state(t, roster) == SERIES_WAITS && is_awaited(t, roster, p);
    if (!err && awaited) err = series_known(x->views, t, &vector, &known);
    txn_abort(t);
    if (err || !known) return err;
    if (by_hello) return note(x, &vector);
    if (p->hello_asked) return OK;
    p->hello_asked = true;
    session_ask_hello(p->session, x->time.now_ms);
    peer_act(x, p);
    return OK;
}

/* --- who was met --------------------------------------------------------------------------- */

static bool was_met(const struct exchange *x, const struct sign_key *hub)
{
    for (size_t i = 0; i < x->hubs_met_count; i++)
        if (sign_key_equal(&x->hubs_met[i], hub)) return true;
    return false;
}

void exchange_hubs_look(struct exchange *x, struct peer *p)
{
    struct session_status status;
    bool hello = p->hello_taken, arrived = p->arrived;
    p->hello_taken = p->arrived = false;
    if ((!hello && !arrived) || p->closing || !device_is_hub(&p->device) || x->options.rehearsal)
        return;
    if (!was_met(x, &p->device.first) && x->hubs_met_count < HUBS_MET_MAX)
        x->hubs_met[x->hubs_met_count++] = p->device.first;
    session_status(p->session, &status);
    enum err err = look_at_series(x, p, hello && status.told);
    if (err) exchange_log(x, LOG_WARN, "what a hub told was not kept: %s", err_text(err));
}

/* Another hub may have been given the official numbers since this one was last here. */
bool exchange_hubs_are_met(const struct exchange *x)
{
    struct txn *t = NULL;
    const struct roster *roster;
    bool met = true;
    if (x->opened_ms && x->time.now_ms - x->opened_ms >= HUBS_AWAITED_MS) return true;
    if (txn_begin(x->store, false, &t)) return false;
    if (views_roster(x->views, t, &roster)) met = false;
    for (size_t i = 0; met && i < roster->device_count; i++) {
        const struct device *d = &roster->devices[i];
        if (device_is_hub(d) && !sign_key_equal(&d->first, &x->identity->device))
            met = was_met(x, &d->first);
    }
    txn_abort(t);
    return met;
}

bool exchange_settled(const struct exchange *x)
{
    struct session_status status;
    for (const struct peer *p = x->peers; p; p = p->next) {
        session_status(p->session, &status);
        if (status.behind && !p->closing) return false;
    }
    return x->met && exchange_hubs_are_met(x);
}

/* --- what came through whom ---------------------------------------------------------------- */

enum err exchange_note_via(struct exchange *x, struct txn *t, const struct peer *from,
                           const struct sign_key *author)
{
    const struct roster *roster; /* what was stored may have changed it */
    enum err err = views_roster(x->views, t, &roster);
    if (err) return err;
    const struct device *self = roster_device(roster, &x->identity->device);
    const struct device *d = roster_device(roster, author);
    if (!d || device_is_township(d) || !self || !device_is_hub(self)) return OK;
    if (sign_key_equal(&d->first, &from->device.first)) return OK;
    const struct via via = {.from = from->device.first, .wall_ms = x->time.clock.wall_ms};
    via_put(t, &d->first, &via);
    return txn_error(t);
}
