/* What hubs signed of `town` (node/towns.h), passed on and taken. */
#include "node/exchange_state.h"
#include "node/lives.h"

#include <stdlib.h>
#include <string.h>

#define SIGN_PAUSE_MS 1000u
#define HELD_BACK_MS 5000u
#define FAILED_MS 60000u
#define HELD_BACK_MAX_MS (10u * 60 * 1000)

/* --- who has what --------------------------------------------------------------------------- */

static bool is_same(const struct town_state *a, const struct town_state *b)
{
    return sign_key_equal(&a->hub, &b->hub) && a->number == b->number &&
           memcmp(a->generation, b->generation, sizeof a->generation) == 0 &&
           hash_equal(&a->digest, &b->digest);
}

static bool peer_has(const struct peer *p, const struct town_state *s)
{
    for (size_t i = 0; i < p->town_count; i++)
        if (is_same(&p->towns[i], s)) return true;
    return false;
}

/* Of more than there is room for the oldest is forgotten, and may be sent again. */
static void note_has(struct peer *p, const struct town_state *s)
{
    if (peer_has(p, s)) return;
    if (p->town_count == TOWNS_TOLD_MAX)
        memmove(p->towns, p->towns + 1, --p->town_count * sizeof p->towns[0]);
    p->towns[p->town_count++] = *s;
}

/* --- taking --------------------------------------------------------------------------------- */

static enum err keep(struct exchange *x, struct town_kept *k, bool *kept)
{
    struct txn *t = NULL;
    struct town_judged judged;
    enum err err = txn_begin(x->store, true, &t);
    if (err) return err;
    err = towns_judge(x->views, t, k, &judged);
    if (!err) *kept = towns_keep(t, k, &judged);
    if (!err && *kept) return txn_commit(t);
    txn_abort(t);
    return err;
}

static enum err judge(struct exchange *x, struct town_kept *k, enum town_verdict *verdict)
{
    struct txn *t = NULL;
    struct town_judged judged;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = towns_judge(x->views, t, k, &judged);
    txn_abort(t);
    if (!err) *verdict = judged.verdict;
    return err;
}

/* The first word that this node has of it; what is kept stays for people (`sidan hub faces`). */
static void tell_split(struct exchange *x, const struct sign_key *hub)
{
    exchange_log(x, LOG_WARN,
                 "hub %02x%02x%02x signed two states of the town's records that cannot both be "
                 "true: sidan hub faces",
                 hub->bytes[0], hub->bytes[1], hub->bytes[2]);
}

/* Anew, or what was held back may have come. */
static void sign_soon(struct exchange *x, bool anew)
{
    uint64_t pause_ms = x->signed_ms ? x->signed_ms + SIGN_PAUSE_MS : 0;
    x->sign_at_ms = pause_ms > x->time.now_ms ? pause_ms : x->time.now_ms;
    if (anew && !x->sign_due) x->sign_since_ms = x->time.now_ms;
    x->sign_due |= anew;
}

static enum town_verdict take(struct exchange *x, struct town_kept *k)
{
    enum town_verdict verdict = TOWN_UNKNOWN;
    bool kept = false;
    enum err err = judge(x, k, &verdict);
    if (!err && (verdict == TOWN_NEWER || verdict == TOWN_SPLIT)) err = keep(x, k, &kept);
    x->towns_changed |= kept;
    if (kept && sign_key_equal(&k->state.hub, &x->identity->device)) sign_soon(x, true);
    if (kept && verdict == TOWN_SPLIT) tell_split(x, &k->state.hub);
    if (err) exchange_log(x, LOG_WARN, "what a hub signed was not kept: %s", err_text(err));
    return verdict;
}

static void drop_waiting(struct exchange *x, size_t at)
{
    town_kept_clear(&x->towns[at].kept);
    x->town_count--;
    memmove(&x->towns[at], &x->towns[at + 1], (x->town_count - at) * sizeof x->towns[0]);
}

/* Of one store of a hub each peer's last; of more than there is room for the latest. Takes it. */
static void let_wait(struct exchange *x, const struct sign_key *from, struct town_kept *k)
{
    size_t at = 0;
    for (; at < x->town_count; at++) {
        const struct town_state *s = &x->towns[at].kept.state;
        if (sign_key_equal(&x->towns[at].from, from) && sign_key_equal(&s->hub, &k->state.hub) &&
            memcmp(s->generation, k->state.generation, sizeof s->generation) == 0)
            break;
    }
    if (at < x->town_count)
        drop_waiting(x, at);
    else if (x->town_count == TOWNS_WAITING_MAX)
        drop_waiting(x, 0);
    x->towns[x->town_count++] = (struct town_waiting){*from, *k};
    *k = (struct town_kept){.count = 0};
}

void exchange_take_town(struct exchange *x, struct peer *p, struct slice frame)
{
    struct town_kept k;
    if (x->options.rehearsal || towns_read(&k, frame)) return;
    const struct town_state state = k.state;
    enum town_verdict verdict = take(x, &k);
    if (verdict == TOWN_WAITS || verdict == TOWN_UNKNOWN) let_wait(x, &p->device.first, &k);
    note_has(p, &state);
    /* A hub that tells an older one of its own than is held here was put back: it is told. */
    p->towns_back |= verdict == TOWN_OLD && sign_key_equal(&state.hub, &p->device.first);
    p->towns_told = 0;
    town_kept_clear(&k);
}

/* --- when `town` changed -------------------------------------------------------------------- */

static void judge_waiting(struct exchange *x)
{
    for (size_t i = 0; i < x->town_count;) {
        enum town_verdict verdict = take(x, &x->towns[i].kept);
        if (verdict == TOWN_WAITS || verdict == TOWN_UNKNOWN)
            i++;
        else
            drop_waiting(x, i);
    }
}

/* *changed: since the last look. */
static enum err look_at_town(struct exchange *x, struct txn *t, bool *changed)
{
    const struct scope town = scope_town();
    struct scope_row scope = {.events = 0};
    struct town_kept own;
    (void)scope_find(t, &town, &scope);
    *changed = !x->towns_looked || scope.events != x->town_events;
    x->town_events = scope.events;
    x->towns_looked = true;
    if (!*changed) return txn_error(t);
    enum err err = towns_heads(t, &own);
    if (!err) x->town_digest = own.state.digest;
    town_kept_clear(&own);
    return err == ERR_LIMIT ? OK : err;
}

static enum err look(struct exchange *x)
{
    struct txn *t = NULL;
    bool changed;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = look_at_town(x, t, &changed);
    txn_abort(t);
    if (!err && changed) judge_waiting(x);
    if (changed) sign_soon(x, true);
    return err;
}

/* Does a peer tell of records of the town, or of feeds unknown here, that are not held? Or did it
 * not tell all yet: what it told a store that was put back since, it does not say again unasked. */
static bool peer_shows_more(struct txn *t, const struct peer *p)
{
    struct session_status status;
    session_status(p->session, &status);
    if (status.greeted && !status.told) return true;
    for (size_t i = 0; i < p->row.have_count; i++) {
        const struct peer_have *have = &p->row.have[i];
        struct feed_row feed;
        if (feed_find_id8(t, have->feed8, &feed)) return true;
        if (scope_class(&feed.feed.scope) == SCOPE_TOWN && !feed.aside_count &&
            !log_find(t, feed.number, have->seq, have->id8))
            return true;
    }
    return false;
}

/* A store that was put back must not sign over less than it signed before (H4): somebody is here,
 * other hubs were met, nobody shows more of the town or of what this hub signed, and the side file
 * (node/lives.h) tells of nothing. Whoever only says that he holds more delays it by ten minutes.
 */
static enum err may_sign(struct exchange *x, bool *may)
{
    struct txn *t = NULL;
    enum life_cause found = LIFE_FIRST;
    enum err err = lives_look(x->store, &found);
    *may = !err && found == LIFE_FIRST && x->met;
    if (err || !*may || x->time.now_ms - x->sign_since_ms >= HELD_BACK_MAX_MS) return err;
    *may = exchange_hubs_are_met(x);
    for (size_t i = 0; *may && i < x->town_count; i++)
        *may = !sign_key_equal(&x->towns[i].kept.state.hub, &x->identity->device);
    err = txn_begin(x->store, false, &t);
    if (err) return err;
    for (const struct peer *p = x->peers; p && *may; p = p->next)
        *may = p->closing || !peer_shows_more(t, p);
    txn_abort(t);
    return OK;
}

static enum err find_due(struct exchange *x, bool *due)
{
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = towns_due(x->views, t, due);
    txn_abort(t);
    return err;
}

static enum err sign_ours(struct exchange *x)
{
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, true, &t);
    if (err) return err;
    err = towns_sign(x->views, t, x->options.keys, x->time.clock.wall_ms);
    if (!err) return txn_commit(t);
    txn_abort(t);
    return err;
}

/* Of changes that follow each other the last is signed. */
static enum err sign_if_due(struct exchange *x)
{
    bool due = false, may = false;
    if (!x->sign_due || x->time.now_ms < x->sign_at_ms) return OK;
    enum err err = find_due(x, &due);
    x->sign_due = due;
    if (!err && due) err = may_sign(x, &may);
    if (err || !due) return err;
    x->sign_at_ms = x->time.now_ms + (may ? FAILED_MS : HELD_BACK_MS);
    if (!may) return OK;
    err = sign_ours(x);
    if (err) {
        exchange_log(x, LOG_WARN, "the state of town was not signed: %s", err_text(err));
        return OK;
    }
    x->sign_due = false;
    x->signed_ms = x->time.now_ms;
    x->towns_changed = true;
    return OK;
}

uint64_t exchange_towns_due_ms(const struct exchange *x)
{
    return x->sign_due ? x->sign_at_ms : UINT64_MAX;
}

void exchange_towns_clear(struct exchange *x)
{
    while (x->town_count) drop_waiting(x, x->town_count - 1);
}

/* --- telling -------------------------------------------------------------------------------- */

static void tell(struct exchange *x, struct peer *p, const struct town_kept *k)
{
    struct buf frame = {0};
    /* Whoever holds all that this hub holds has the same heads. */
    bool known = sign_key_equal(&k->state.hub, &x->identity->device) &&
                 hash_equal(&k->state.digest, &x->town_digest);
    frame_town_write(&frame, &k->state, known ? NULL : k->heads, k->count);
    session_tell(p->session, &frame, x->time.now_ms);
    note_has(p, &k->state);
}

/* A hub is told what it signed itself where that is of another store, so that it says which one is
 * ended, or newer than what it tells. */
static bool is_news(const struct peer *p, const struct town_state *s)
{
    if (peer_has(p, s)) return false;
    return p->towns_back || !sign_key_equal(&s->hub, &p->device.first) ||
           memcmp(s->generation, p->row.generation, sizeof s->generation) != 0;
}

static void tell_peer(struct exchange *x, struct txn *t, struct peer *p)
{
    struct town_at at = {.hub = {{0}}};
    struct town_kept k;
    bool same = p->towns_had && memcmp(p->towns8, x->towns8, sizeof p->towns8) == 0;
    for (size_t i = 0; i < TOWNS_TOLD_MAX && towns_next(t, &at, &k); i++) {
        if (same)
            note_has(p, &k.state);
        else if (is_news(p, &k.state))
            tell(x, p, &k);
        town_kept_clear(&k);
    }
    p->towns_had = false; /* its word is from its HELLO */
    p->towns_told = x->towns_version;
    p->towns_back = false;
}

static void tell_peers(struct exchange *x)
{
    struct txn *t = NULL;
    for (struct peer *p = x->peers; p; p = p->next) {
        if (p->closing || !p->towns_open || p->towns_told == x->towns_version) continue;
        if (!t && txn_begin(x->store, false, &t)) return;
        tell_peer(x, t, p);
        peer_act(x, p);
    }
    txn_abort(t);
}

/* A HELLO that does not say it means: as we last had it in common, which goes for one store. */
void exchange_towns_hello(struct exchange *x, struct peer *p, const struct frame_hello *hello)
{
    static const uint8_t none[8];
    struct peer_row *row = &p->row;
    if (memcmp(row->generation, hello->generation, sizeof row->generation) != 0)
        memset(row->towns8, 0, sizeof row->towns8);
    memcpy(p->towns8, hello->says_towns ? hello->towns8 : row->towns8, sizeof p->towns8);
    p->towns_had = memcmp(p->towns8, none, sizeof none) != 0;
    p->towns_open = true;
    sign_soon(x, false);
    p->towns_told = 0;
    if (memcmp(p->towns8, x->towns8, sizeof p->towns8) != 0 || !x->towns_version) return;
    memcpy(row->towns8, p->towns8, sizeof row->towns8);
    peer_changed(x, p);
}

static enum err read_digest(struct exchange *x)
{
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    x->has_towns = towns_digest8(t, x->towns8);
    err = txn_error(t);
    txn_abort(t);
    x->towns_version++;
    for (struct peer *p = x->peers; p; p = p->next)
        session_towns(p->session, x->has_towns, x->towns8);
    return err;
}

enum err exchange_towns_turn(struct exchange *x)
{
    uint64_t txn = store_last_txn(x->store);
    enum err err = OK;
    if (x->options.rehearsal) return OK;
    if (txn != x->towns_txn || !x->towns_looked) err = look(x);
    if (!err) x->towns_txn = txn;
    if (!err) err = sign_if_due(x);
    if (!err && (x->towns_changed || !x->towns_version)) {
        err = read_digest(x);
        x->towns_changed = false;
    }
    if (!err && x->has_towns) tell_peers(x);
    return err;
}
