#include "node/township.h"
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void township_laptop(struct sim_node *n)
{
    struct sign_seed seed;
    n->keys = (struct device_keys){.held_count = 0};
    sign_seed_make(&seed);
    signer_from_seed(&n->keys.signer, &seed);
    box_pair_make(&n->keys.transport, &n->keys.transport_secret);
    n->first = n->keys.signer.key;
    (void)snprintf(n->home, sizeof n->home, "%s/%s.%u", n->sim->folder, n->name, n->life);
    if (mkdir(n->home, 0700) != 0) sim_fail(n->sim, "cannot make %s", n->home);
}

static void node_make(struct sim *s, size_t index)
{
    assert(index < SIM_NODES_MAX);
    struct sim_node *n = &s->nodes[index];
    n->sim = s;
    n->index = (int)index;
    n->wake_at = UINT64_MAX;
    if (index == SIM_HUB) {
        (void)snprintf(n->name, sizeof n->name, "hub");
    } else {
        (void)snprintf(n->name, sizeof n->name, "village%02zu", index);
        (void)snprintf(n->village, sizeof n->village, "431322111%03u", 200 + (unsigned)index);
    }
    township_laptop(n);
}

static void store_make(struct sim_node *n)
{
    struct store_identity identity = {.township = n->sim->township, .device = n->first};
    crypto_random(identity.generation, sizeof identity.generation);
    SIM_OK(n->sim, store_create(n->home, &identity));
}

static void found(struct sim *s, struct recorder *authority, const char *kind, enum err built,
                  struct buf *body)
{
    struct draft draft = {.kind = kind,
                          .scope = scope_town(),
                          .lane = LANE_NORMAL,
                          .founding = true,
                          .body = buf_slice(body)};
    struct recorded recorded;
    struct kind_problem problem = {0};
    SIM_OK(s, built);
    enum err err = recorder_add(authority, &draft, &recorded, &problem);
    if (err != OK) sim_fail(s, "%s: %s, field %s", kind, err_text(err), problem.field);
    buf_reset(body);
}

void township_invite(struct sim_node *n, struct invite *out)
{
    struct sim *s = n->sim;
    const struct sim_node *hub = &s->nodes[SIM_HUB];
    struct box_key transport;
    *out = (struct invite){.authority = s->township,
                           .acceptor = hub->first,
                           .acceptor_transport = hub->keys.transport,
                           .roles = ROLE_VILLAGE,
                           .expires_ms = SIM_EPOCH_MS + s->now_ms + DAYS(7)};
    if (hub->alive) trust_served(s, &out->acceptor_transport);
    memcpy(out->village, n->village, sizeof out->village);
    (void)snprintf(out->device_name, sizeof out->device_name, "%s", n->name);
    sign_seed_make(&out->seed);
    box_pair_make(&transport, &out->transport);
}

static void found_villages(struct sim *s, struct recorder *authority, struct invite *invites,
                           struct buf *body)
{
    for (uint32_t i = 1; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        struct township_village village = {.village = {.number = i}, .type = "village"};
        memcpy(village.village.code, n->village, sizeof village.village.code);
        (void)snprintf(village.village.name, sizeof village.village.name, "第%u村", i);
        (void)snprintf(village.village.short_name, sizeof village.village.short_name, "%u村", i);
        (void)snprintf(village.village.pinyin, sizeof village.village.pinyin, "Cun%u", i);
        found(s, authority, "village.put", township_village_write(body, &village), body);

        township_invite(n, &invites[i]);
        found(s, authority, "device.invited", township_invited_write(body, &invites[i], 'A'), body);
    }
}

/* The authority founds the township, the hub, the villages and an invite for each, in one commit.
 */
static void found_all(struct sim *s, struct invite *invites)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct store_options store_options = {.map_size = MIB(256)};
    struct store *store = NULL;
    struct views *views = NULL;
    struct recorder *authority = NULL;
    struct clock_reading clock = node_clock(hub);
    struct buf body = {0}, sealed = {0};
    struct box_secret secret;
    struct sign_seed seed;

    store_make(hub);
    SIM_OK(s, store_open(&store, hub->home, &store_options));
    SIM_OK(s, views_open(&views, store));
    struct recorder_options options = {
        .store = store, .views = views, .signer = &s->authority, .authority = true};
    SIM_OK(s, recorder_open(&authority, &options));
    SIM_OK(s, recorder_begin(authority, &clock));

    struct township_founding founding = {.name = "模拟镇"};
    sign_seed_make(&seed);
    signer_from_seed(&s->recovery, &seed);
    founding.recovery = s->recovery.key;
    box_pair_make(&founding.office, &secret);
    SIM_OK(s,
           crypto_seal(&sealed, &hub->keys.transport, slice_of(secret.bytes, sizeof secret.bytes)));
    found(s, authority, "township.founded", township_founded_write(&body, &founding), &body);
    struct township_hub enrol = {.key = hub->keys.signer.key,
                                 .transport = hub->keys.transport,
                                 .name = "hub",
                                 .office_secret = buf_slice(&sealed)};
    found(s, authority, "device.enrol", township_hub_write(&body, &enrol), &body);
    found_villages(s, authority, invites, &body);
    SIM_OK(s, recorder_commit(authority));

    buf_clear(&body);
    buf_clear(&sealed);
    recorder_close(authority);
    views_close(views);
    store_close(store);
}

/* What `join` leaves in a new store: whom to dial while there is no roster. */
static void remember_hub(struct sim_node *n, const struct box_key *transport)
{
    struct sim *s = n->sim;
    struct store_options options = {.map_size = MIB(256)};
    struct store *store = NULL;
    struct txn *t = NULL;
    const struct sign_key *hub = &s->nodes[SIM_HUB].first;
    SIM_OK(s, store_open(&store, n->home, &options));
    SIM_OK(s, txn_begin(store, true, &t));
    meta_put(t, "hub_device", slice_of(hub->bytes, sizeof hub->bytes));
    meta_put(t, "hub_transport", slice_of(transport->bytes, sizeof transport->bytes));
    SIM_OK(s, txn_commit(t));
    store_close(store);
}

bool township_knows(struct sim_node *n)
{
    struct txn *t = NULL;
    const struct roster *roster;
    SIM_OK(n->sim, txn_begin(n->store, false, &t));
    SIM_OK(n->sim, views_roster(n->views, t, &roster));
    const struct device *self = roster_device(roster, &n->first);
    txn_abort(t);
    return self != NULL && self->state == DEVICE_JOINED;
}

void township_joined(struct sim_node *n, const struct invite *invite)
{
    trace_line(n->sim, n, "joins");
    store_make(n);
    remember_hub(n, &invite->acceptor_transport);
    node_open(n);
}

static void first_sync(struct sim_node *n)
{
    struct sim *s = n->sim;
    n->contact_to = s->now_ms + HOURS(1);
    story_schedule(s, 0, (struct step){.type = STEP_DIAL, .a = (size_t)n->index});
    while (!township_knows(n)) {
        if (s->now_ms > n->contact_to) sim_fail(s, "%s gets no roster", n->name);
        story_run(s, s->now_ms + SECONDS(1));
    }
    n->contact_to = s->now_ms;
    net_cut(s, n, false);
}

static void join(struct sim_node *n, const struct invite *invite)
{
    struct sim *s = n->sim;
    struct box_key key;
    struct join_progress progress = {0};
    box_key_of_secret(&key, &invite->transport);
    struct link *l = net_dial(s, n, &invite->acceptor_transport, &key);
    for (int i = 0; progress.state == JOIN_WAITING; i++) {
        if (i == 600) sim_fail(s, "%s cannot join", n->name);
        story_run(s, s->now_ms + SECONDS(1));
        SIM_OK(s, join_turn(l, invite, &n->keys, node_clock(n).wall_ms, &progress));
    }
    if (progress.state != JOIN_ADMITTED)
        sim_fail(s, "%s was not admitted: %s", n->name, progress.text);
    l->ops->close(l);
    township_joined(n, invite);
    first_sync(n);
}

void township_found(struct sim *s)
{
    struct invite invites[SIM_NODES_MAX];
    struct sign_seed seed;
    sign_seed_make(&seed);
    signer_from_seed(&s->authority, &seed);
    s->township = s->authority.key;
    for (size_t i = 0; i < s->node_count; i++) node_make(s, i);
    found_all(s, invites);
    node_open(&s->nodes[SIM_HUB]);
    for (size_t i = 1; i < s->node_count; i++) join(&s->nodes[i], &invites[i]);
}
