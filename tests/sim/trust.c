/*
 * What befalls keys. A laptop is stolen: it goes on for a while in the thief's hands, then the
 * township revokes it from the moment of the theft on, and the village gets a new one. Devices
 * change their keys. The authority is replaced by the recovery key, and the old one goes on where
 * nobody has heard of it.
 */
#include "node/dial_plan.h"
#include "node/key_change.h"
#include "node/township.h"
#include "proto/rotation.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum { THEFT_DAYS_MIN = 10, GONE_MAX = 4, KEPT_HEADS = 64 };

struct trust {
    struct sign_key gone[GONE_MAX];
    size_t gone_count;
    struct acknowledged *former; /* what gone laptops had told a person, and the hub held */
    size_t former_count;
    struct head_named heads[KEPT_HEADS]; /* of the stolen laptop, when it was stolen */
    size_t head_count;
    struct invite invite;
    struct link *joining;
    uint64_t joining_until;
    struct join_progress progress;
};

static void later(struct sim *s, uint64_t min_ms, uint64_t max_ms, size_t a,
                  void (*call)(struct sim *s, size_t a))
{
    story_schedule(s, rng_between(&s->story, min_ms, max_ms),
                   (struct step){.type = STEP_CALL, .a = a, .call = call});
}

/* --- reading -------------------------------------------------------------------------------- */

static const struct roster *roster_begin(struct sim_node *n, struct txn **t)
{
    const struct roster *roster;
    SIM_OK(n->sim, txn_begin(n->store, false, t));
    SIM_OK(n->sim, views_roster(n->views, *t, &roster));
    return roster;
}

void trust_served(struct sim *s, struct box_key *out)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    const uint64_t now_ms = node_clock(hub).wall_ms;
    struct txn *t;
    const struct roster *roster = roster_begin(hub, &t);
    const struct device *self = roster_device(roster, &hub->first);
    *out = hub->keys.transport;
    if (self != NULL) key_change_served(t, roster, self, now_ms, out);
    bool note = self != NULL && key_change_to_note(t, roster, self, now_ms);
    txn_abort(t);
    if (note) SIM_OK(s, key_change_note_due(hub->store, hub->views, now_ms));
}

void trust_dial_keys(struct sim_node *n, struct box_key *hub, struct box_key *own)
{
    struct dial_keys keys[DIAL_KEYS_MAX];
    static const char *const address = "tcp://127.0.0.1:1"; /* the one that is there */
    struct dial_plan plan;
    struct txn *t;
    const struct roster *roster = roster_begin(n, &t);
    const struct device *self = roster_device(roster, &n->first);
    dial_plan_make(&plan, t, roster, &address, 1);
    if (plan.count == 0) sim_fail(n->sim, "%s knows no hub", n->name);
    const struct dial_place *place = &plan.places[0];
    const size_t count =
        key_change_dial(keys, t, roster, &place->device, &place->transport, self, &n->keys);
    *hub = keys[n->dial_at % count].peer;
    *own = keys[n->dial_at % count].key;
    txn_abort(t);
}

bool trust_is_gone(const struct sim *s, const struct sign_key *device)
{
    for (size_t i = 0; s->trust != NULL && i < s->trust->gone_count; i++)
        if (sign_key_equal(&s->trust->gone[i], device)) return true;
    return false;
}

/* The heads that the hub holds of feeds of one device, or (NULL) of the authorities. */
static size_t heads_of(struct txn *t, const struct roster *roster, const struct device *d,
                       struct head_named out[KEPT_HEADS])
{
    struct feed_row feed;
    size_t count = 0;
    for (uint32_t i = 1; i <= feed_count(t) && feed_get(t, i, &feed); i++) {
        if (d != NULL ? !roster_has_key(roster, d, &feed.feed.author)
                      : !roster_is_authority(roster, &feed.feed.author))
            continue;
        for (size_t h = 0; h < feed.head_count && count < KEPT_HEADS; h++) {
            struct head_named *head = &out[count++];
            head->seq = feed.heads[h].seq;
            memcpy(head->feed8, feed.id.bytes, sizeof head->feed8);
            memcpy(head->id16, feed.heads[h].id.bytes, sizeof head->id16);
        }
    }
    return count;
}

/* --- signing for the township --------------------------------------------------------------- */

/* At this node; false where the key is not in force there (any more). */
static bool authority_says(struct sim_node *n, const struct signer *signer, bool recovery,
                           struct draft *draft, struct buf *body, enum err built)
{
    struct sim *s = n->sim;
    struct recorder *recorder = NULL;
    struct recorded recorded;
    struct kind_problem problem = {0};
    const struct clock_reading clock = node_clock(n);
    const struct exchange_time time = node_time(n);
    struct recorder_options options = {.store = n->store,
                                       .views = n->views,
                                       .signer = signer,
                                       .authority = !recovery,
                                       .recovery = recovery};
    SIM_OK(s, built);
    draft->scope = scope_town();
    draft->lane = LANE_NORMAL;
    draft->body = buf_slice(body);
    enum err err = recorder_open(&recorder, &options);
    if (err == OK) err = recorder_record(recorder, &clock, draft, &recorded, &problem);
    recorder_close(recorder);
    buf_clear(body);
    if (err == ERR_FOREIGN) return false;
    if (err != OK)
        sim_fail(s, "%s: %s by the authority: %s (%s)", n->name, draft->kind, err_text(err),
                 problem.field);
    trace_line(s, n, "%s says %s", recovery ? "the recovery key" : "the authority", draft->kind);
    SIM_OK(s, exchange_refresh(n->exchange, &time));
    node_turn(n);
    return true;
}

/* --- a stolen laptop ------------------------------------------------------------------------ */

static void join_try(struct sim *s, size_t a);

static void join_over(struct sim *s)
{
    struct trust *trust = s->trust;
    trust->joining->ops->close(trust->joining);
    trust->joining = NULL;
}

static void join_wait(struct sim *s, size_t a)
{
    struct trust *trust = s->trust;
    struct sim_node *n = &s->nodes[a];
    enum err err = join_turn(trust->joining, &trust->invite, &n->keys, node_clock(n).wall_ms,
                             &trust->progress);
    if (trust->progress.state == JOIN_REFUSED)
        sim_fail(s, "the new laptop of %s was refused: %s", n->name, trust->progress.text);
    if (trust->progress.state == JOIN_ADMITTED) {
        join_over(s);
        n->absent = n->revoked = false;
        township_joined(n, &trust->invite);
        n->contact_to = s->quiet ? UINT64_MAX : s->now_ms + HOURS(1);
        story_schedule(s, 0, (struct step){.type = STEP_DIAL, .a = a});
        trace_happened(s, HAPPENED_NEW_LAPTOP);
    } else if (err != OK || s->now_ms > trust->joining_until) {
        join_over(s);
        later(s, MINUTES(5), HOURS(1), a, join_try);
    } else {
        later(s, SECONDS(1), SECONDS(1), a, join_wait);
    }
}

static void join_try(struct sim *s, size_t a)
{
    struct trust *trust = s->trust;
    struct box_key key;
    box_key_of_secret(&key, &trust->invite.transport);
    trust->progress = (struct join_progress){.state = JOIN_WAITING};
    trust->joining = net_dial(s, &s->nodes[a], &trust->invite.acceptor_transport, &key);
    trust->joining_until = s->now_ms + MINUTES(5); /* net_silent allows more */
    later(s, SECONDS(1), SECONDS(1), a, join_wait);
}

/* What a person was told is safe and the hub holds is looked for at the end; what never left the
 * laptop is lost with it. */
static void take_leave(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct trust *trust = s->trust;
    struct txn *t;
    trust->former = realloc(trust->former, (trust->former_count + n->acknowledged_count + 1) *
                                               sizeof *trust->former);
    if (trust->former == NULL) abort();
    (void)roster_begin(&s->nodes[SIM_HUB], &t);
    for (size_t i = 0; i < n->acknowledged_count; i++)
        if (check_holds(t, &n->acknowledged[i]))
            trust->former[trust->former_count++] = n->acknowledged[i];
    txn_abort(t);
    n->acknowledged_count = n->receipted_count = 0;
    trust->gone[trust->gone_count++] = n->first;
}

static void new_laptop(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a], *hub = &s->nodes[SIM_HUB];
    struct draft draft = {.kind = "device.invited", .founding = true};
    struct buf body = {0};
    struct txn *t;
    char letter;
    if (!hub->alive) {
        later(s, HOURS(1), HOURS(2), a, new_laptop);
        return;
    }
    node_stop(n);
    take_leave(n);
    n->absent = true;
    n->dying = false;
    n->crash_after_sends = 0;
    n->life++;
    township_laptop(n);
    township_invite(n, &s->trust->invite);
    SIM_OK(s, township_next_letter(roster_begin(hub, &t), n->village, &letter));
    txn_abort(t);
    (void)authority_says(hub, &s->authority, false, &draft, &body,
                         township_invited_write(&body, &s->trust->invite, letter));
    later(s, MINUTES(1), HOURS(4), a, join_try);
}

static void revoked(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a], *hub = &s->nodes[SIM_HUB];
    struct draft draft = {.kind = "device.revoked"};
    struct buf body = {0};
    struct txn *t;
    if (!hub->alive) {
        later(s, HOURS(1), HOURS(2), a, revoked);
        return;
    }
    draft.subject = roster_device(roster_begin(hub, &t), &n->first)->thing;
    txn_abort(t);
    n->revoked = true;
    (void)authority_says(
        hub, &s->authority, false, &draft, &body,
        township_revoked_write(&body, "stolen", s->trust->heads, s->trust->head_count));
    trace_happened(s, HAPPENED_REVOKED);
    later(s, HOURS(1), HOURS(36), a, new_laptop);
}

static void stolen(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a], *hub = &s->nodes[SIM_HUB];
    struct trust *trust = s->trust;
    struct txn *t;
    if (!hub->alive) {
        later(s, HOURS(1), HOURS(2), a, stolen);
        return;
    }
    const struct roster *roster = roster_begin(hub, &t);
    trust->head_count = heads_of(t, roster, roster_device(roster, &n->first), trust->heads);
    txn_abort(t);
    trace_line(s, n, "is stolen");
    later(s, HOURS(12), DAYS(3), a, revoked);
}

/* --- changed keys --------------------------------------------------------------------------- */

static enum err rotated_write(struct buf *body, struct sim_node *n, const struct device *self,
                              const struct device_pair *pair, bool signing)
{
    struct mp_map map = {0};
    struct signature proof;
    const struct rotation r = {.township = n->sim->township,
                               .device = self->thing,
                               .has_key = signing,
                               .has_transport = !signing,
                               .key = pair->signer.key,
                               .transport = pair->transport};
    rotation_sign(&proof, &r, &pair->signer);
    struct mp_writer w = mp_map_put(&map, signing ? "key" : "transport");
    mp_write_bin(&w, signing ? r.key.bytes : r.transport.bytes, sizeof r.key.bytes);
    w = mp_map_put(&map, "proof");
    mp_write_bin(&w, proof.bytes, sizeof proof.bytes);
    enum err err = mp_map_end(&map, body);
    mp_map_clear(&map);
    return err;
}

/* As the file would have it: the newest first, before the event tells of it. */
static struct device_pair pair_make(struct sim_node *n, bool signing)
{
    struct device_keys *k = &n->keys;
    struct device_pair pair = {k->signer, k->transport, k->transport_secret};
    struct sign_seed seed;
    if (k->held_count == 0) k->held[k->held_count++] = pair;
    if (signing) {
        sign_seed_make(&seed);
        signer_from_seed(&pair.signer, &seed);
    } else {
        box_pair_make(&pair.transport, &pair.transport_secret);
    }
    memmove(&k->held[1], &k->held[0], k->held_count++ * sizeof k->held[0]);
    k->held[0] = pair;
    return pair;
}

static bool may_rotate(struct sim_node *n, bool signing, struct device *self)
{
    struct txn *t;
    size_t at = 0;
    if (!n->alive || !township_knows(n)) return false;
    const struct roster *roster = roster_begin(n, &t);
    *self = *roster_device(roster, &n->first);
    bool may = signing || key_change_untold(t, roster, self, node_clock(n).wall_ms, &at) == NULL;
    txn_abort(t);
    return may;
}

static bool rotate(struct sim_node *n, bool signing)
{
    struct device self;
    struct recorded recorded;
    struct buf body = {0};
    if (!may_rotate(n, signing, &self)) return false;
    const struct device_pair pair = pair_make(n, signing);
    SIM_OK(n->sim, rotated_write(&body, n, &self, &pair, signing));
    const struct draft draft = {.kind = "device.rotated",
                                .scope = scope_town(),
                                .lane = LANE_NORMAL,
                                .subject = self.thing,
                                .body = buf_slice(&body)};
    bool done = node_record(n, &draft, &recorded);
    buf_clear(&body);
    if (!done) sim_fail(n->sim, "%s may not change its keys", n->name);
    if (n->alive) node_follow_keys(n);
    trace_happened(n->sim, signing ? HAPPENED_ROTATED_SIGNER : HAPPENED_ROTATED_TRANSPORT);
    return true;
}

static void rotate_signer(struct sim *s, size_t a)
{
    if (!rotate(&s->nodes[a], true)) later(s, HOURS(1), HOURS(12), a, rotate_signer);
}

static void rotate_transport(struct sim *s, size_t a)
{
    /* Whichever of two copies hears of the hub's new key is taken for both. */
    const bool may = a != SIM_HUB || !clones_are_there(s);
    if (!may || !rotate(&s->nodes[a], false)) later(s, HOURS(1), HOURS(12), a, rotate_transport);
}

/* --- the authority -------------------------------------------------------------------------- */

/* Whoever has the old key uses it where the new one is not known yet. */
static void old_authority(struct sim_node *n, const struct signer *old)
{
    struct draft draft = {.kind = "village.put", .founding = true};
    struct buf body = {0};
    struct township_village village = {.village = {.code = "431322111999",
                                                   .name = "假村",
                                                   .short_name = "假村",
                                                   .pinyin = "Jia",
                                                   .number = 99},
                                       .type = "village"};
    if (!n->alive || !township_knows(n)) return;
    if (authority_says(n, old, false, &draft, &body, township_village_write(&body, &village)))
        trace_happened(n->sim, HAPPENED_OLD_AUTHORITY);
}

static void replaced(struct sim *s, size_t a)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct draft draft = {.kind = "authority.replaced"};
    const struct signer old = s->authority, by = s->recovery;
    struct head_named heads[KEPT_HEADS];
    struct sign_seed seed;
    struct buf body = {0};
    struct txn *t;
    if (!hub->alive) {
        later(s, HOURS(1), HOURS(2), a, replaced);
        return;
    }
    sign_seed_make(&seed);
    signer_from_seed(&s->authority, &seed);
    sign_seed_make(&seed);
    signer_from_seed(&s->recovery, &seed);
    const struct roster *roster = roster_begin(hub, &t);
    draft.subject = roster->thing;
    const struct township_replacement replacement = {.key = s->authority.key,
                                                     .recovery = s->recovery.key,
                                                     .heads = heads,
                                                     .head_count =
                                                         heads_of(t, roster, NULL, heads)};
    txn_abort(t);
    if (!authority_says(hub, &by, true, &draft, &body,
                        township_replaced_write(&body, &replacement)))
        sim_fail(s, "the recovery key is not in force");
    trace_happened(s, HAPPENED_REPLACED);
    for (int i = 0; i < 3; i++)
        old_authority(&s->nodes[1 + rng_below(&s->story, s->node_count - 1)], &old);
}

/* --- a seed's ------------------------------------------------------------------------------- */

void trust_schedule(struct sim *s)
{
    const size_t villages = s->node_count - 1;
    const uint64_t span = DAYS(s->days);
    s->trust = calloc(1, sizeof *s->trust);
    if (s->trust == NULL) abort();
    if (s->days >= THEFT_DAYS_MIN && kinds_has(s, KIND_THEFT))
        later(s, DAYS(2), span * 6 / 10, 1 + rng_below(&s->story, villages), stolen);
    const bool rotates = kinds_has(s, KIND_ROTATION);
    for (int i = 0; rotates && i < 3; i++) {
        later(s, 0, span, 1 + rng_below(&s->story, villages), rotate_signer);
        later(s, 0, span, 1 + rng_below(&s->story, villages), rotate_transport);
    }
    if (rotates) later(s, 0, span, SIM_HUB, rotate_signer);
    if (rotates) later(s, 0, span, SIM_HUB, rotate_transport);
    for (uint64_t i = rng_between(&s->story, 1, 2); kinds_has(s, KIND_REPLACEMENT) && i > 0; i--)
        later(s, 0, span, SIM_HUB, replaced);
}

void trust_check(struct sim *s)
{
    struct txn *t;
    if (s->trust == NULL) return;
    (void)roster_begin(&s->nodes[SIM_HUB], &t);
    for (size_t i = 0; i < s->trust->former_count; i++)
        if (!check_holds(t, &s->trust->former[i]))
            sim_fail(s, "the hub lost number %llu of a laptop that is gone",
                     (unsigned long long)s->trust->former[i].seq);
    for (uint64_t i = aside_count(t); i > 0; i--) trace_happened(s, HAPPENED_ASIDE);
    txn_abort(t);
}

void trust_end(struct sim *s)
{
    if (s->trust == NULL) return;
    if (s->trust->joining != NULL) join_over(s);
    free(s->trust->former);
    free(s->trust);
}
