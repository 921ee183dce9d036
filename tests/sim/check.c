#include "tests/sim/sim.h"

#include "node/store/audit.h"
#include "node/store/local.h"
#include "node/store/towns.h"

#include <stdlib.h>
#include <string.h>

static bool holds(struct txn *t, const struct feed *feed, uint64_t seq, const struct event_id *id)
{
    struct feed_row row;
    return feed_find(t, feed, &row) && log_find(t, row.number, seq, id->bytes) != 0;
}

bool check_holds(struct txn *t, const struct acknowledged *a)
{
    return holds(t, &a->feed, a->seq, &a->id);
}

static bool holds_id8(struct txn *t, const uint8_t feed8[8], uint64_t seq, const uint8_t id8[8])
{
    struct feed_row row;
    return feed_find_id8(t, feed8, &row) == OK && log_find(t, row.number, seq, id8) != 0;
}

static void keep_receipted(struct sim_node *n, const struct receipt_entry *entry)
{
    for (size_t i = 0; i < n->receipted_count; i++) {
        struct receipted *r = &n->receipted[i];
        if (memcmp(r->feed8, entry->feed8, 8) != 0) continue;
        if (entry->seq > r->seq) {
            r->seq = entry->seq;
            r->id = entry->id;
        }
        return;
    }
    if (n->receipted_count == n->receipted_capacity) {
        n->receipted_capacity = n->receipted_capacity * 2 + 64;
        n->receipted = realloc(n->receipted, n->receipted_capacity * sizeof *n->receipted);
        if (n->receipted == NULL) abort();
    }
    struct receipted *r = &n->receipted[n->receipted_count++];
    memcpy(r->feed8, entry->feed8, 8);
    r->seq = entry->seq;
    r->id = entry->id;
}

/* A receipt never covers what is not durable at its signer: a read transaction sees commits only.
 */
void check_receipt(struct sim_node *signer, struct slice frame)
{
    struct sim *s = signer->sim;
    uint64_t type;
    struct frame_receipt receipt;
    struct txn *t = NULL;
    SIM_OK(s, frame_type_of(frame, &type));
    if (type != FRAME_RECEIPT) return;
    SIM_OK(s, frame_receipt_read(&receipt, frame));
    SIM_OK(s, txn_begin(signer->store, false, &t));
    struct mp_reader r = frame_receipt_begin(&receipt);
    for (struct receipt_entry entry; frame_receipt_next(&r, &entry);) {
        if (!holds_id8(t, entry.feed8, entry.seq, entry.id.bytes))
            sim_fail(s, "%s signed a receipt for number %llu, which it does not hold durably",
                     signer->name, (unsigned long long)entry.seq);
        keep_receipted(signer, &entry);
    }
    txn_abort(t);
}

void check_node(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct txn *t = NULL;
    SIM_OK(s, txn_begin(n->store, false, &t));
    for (size_t i = 0; i < n->acknowledged_count; i++) {
        const struct acknowledged *a = &n->acknowledged[i];
        if (!holds(t, &a->feed, a->seq, &a->id))
            sim_fail(s, "%s lost its own number %llu, which a person was told is safe", n->name,
                     (unsigned long long)a->seq);
    }
    for (size_t i = 0; i < n->receipted_count; i++) {
        const struct receipted *r = &n->receipted[i];
        if (!holds_id8(t, r->feed8, r->seq, r->id.bytes))
            sim_fail(s, "%s lost number %llu, which it had receipted", n->name,
                     (unsigned long long)r->seq);
    }
    txn_abort(t);
}

static struct sim_node *node_of(struct sim *s, const struct sign_key *device)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (sign_key_equal(&s->nodes[i].first, device)) return &s->nodes[i];
    return NULL;
}

/* What a node believes has arrived at a peer is there. */
static void check_arrived_of(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct txn *t = NULL, *there = NULL;
    struct sign_key after = {{0}};
    struct peer_row row;
    SIM_OK(s, txn_begin(n->store, false, &t));
    while (peer_next(t, &after, &row)) {
        struct sim_node *peer = node_of(s, &row.device);
        if (peer == NULL && !trust_is_gone(s, &row.device))
            sim_fail(s, "%s knows a peer that is not in the township", n->name);
        const bool old = peer != NULL && peer->put_back && (!s->quiet || peer->revoked);
        if (peer != NULL && peer->alive && !old) {
            SIM_OK(s, txn_begin(peer->store, false, &there));
            for (size_t i = 0; i < row.have_count; i++)
                if (!holds_id8(there, row.have[i].feed8, row.have[i].seq, row.have[i].id8))
                    sim_fail(s, "%s counts number %llu as arrived at %s, which does not hold it",
                             n->name, (unsigned long long)row.have[i].seq, peer->name);
            txn_abort(there);
        }
        peer_row_clear(&row);
    }
    txn_abort(t);
}

void check_arrived(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].alive) check_arrived_of(&s->nodes[i]);
}

struct digests {
    struct hash events;
    uint64_t count;
    struct views_digest views;
};

static void digests_of(struct sim_node *n, const struct scope *scope, struct digests *out)
{
    struct sim *s = n->sim;
    struct txn *t = NULL;
    struct scope_row row = {0};
    memset(out, 0, sizeof *out);
    SIM_OK(s, txn_begin(n->store, false, &t));
    bool known = scope_find(t, scope, &row);
    SIM_OK(s, views_digest(t, scope, &out->views));
    txn_abort(t);
    if (known) SIM_OK(s, audit_events_digest(n->store, row.number, &out->events, &out->count));
}

static bool agree_on(struct sim_node *a, struct sim_node *b, const struct scope *scope, bool must)
{
    struct digests da, db;
    digests_of(a, scope, &da);
    digests_of(b, scope, &db);
    const char *what = NULL;
    if (!hash_equal(&da.events, &db.events))
        what = "events";
    else if (!hash_equal(&da.views.roster_heads, &db.views.roster_heads))
        what = "roster heads";
    else if (!hash_equal(&da.views.digest, &db.views.digest))
        what = "views";
    if (what != NULL && must)
        sim_fail(a->sim, "%s (%llu events) and %s (%llu events) differ in the %s of %s", a->name,
                 (unsigned long long)da.count, b->name, (unsigned long long)db.count, what,
                 scope->text);
    return what == NULL;
}

bool check_agreement(struct sim *s, bool must)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct scope town = scope_town();
    for (size_t i = 1; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        if (!n->alive || !hub->alive || n->revoked) return false;
        struct scope own = scope_of_village(n->village);
        if (!agree_on(n, hub, &town, must) || !agree_on(n, hub, &own, must)) return false;
    }
    return true;
}

/* What is for the office is at its author and at the hub, nowhere else. */
static void check_office(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct txn *t = NULL;
    struct feed_row feed;
    SIM_OK(s, txn_begin(n->store, false, &t));
    for (uint32_t number = 1; n->index != SIM_HUB && number <= feed_count(t); number++)
        if (feed_get(t, number, &feed) && scope_class(&feed.feed.scope) == SCOPE_OFFICE &&
            device_keys_signer(&n->keys, &feed.feed.author) == NULL)
            sim_fail(s, "%s holds what another village recorded for the office", n->name);
    txn_abort(t);
}

static void audit_problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    struct sim_node *n = state;
    sim_fail(n->sim, "%s: audit: arrival %llu: %s: %s", n->name, (unsigned long long)arrival,
             err_text(err), what);
}

static bool count_both_changed(void *sim, const struct thing_key *key, const struct request *r)
{
    (void)key;
    if (r->both_changed) trace_happened(sim, HAPPENED_BOTH_CHANGED);
    return true;
}

/* Every hub is honest here, whatever befalls it, so nobody keeps a proof that it is not (H4). */
static void check_faces(struct sim_node *n)
{
    struct town_at at = {.hub = {{0}}};
    struct town_kept k, a, b;
    struct txn *t = NULL;
    size_t states = 0;
    SIM_OK(n->sim, txn_begin(n->store, false, &t));
    for (; towns_next(t, &at, &k); states++, town_kept_clear(&k))
        if (towns_split_get(t, &k.state.hub, &a, &b))
            sim_fail(n->sim, "%s takes an honest hub for one with two faces", n->name);
    if (states == 0) sim_fail(n->sim, "%s keeps nothing that a hub signed", n->name);
    txn_abort(t);
}

void check_end(struct sim *s)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct txn *t = NULL;
    (void)check_agreement(s, true);
    check_arrived(s);
    trust_check(s);
    roll_back_check(s);
    clones_check(s);
    SIM_OK(s, txn_begin(hub->store, false, &t));
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        for (size_t j = 0; j < n->acknowledged_count; j++)
            if (!holds(t, &n->acknowledged[j].feed, n->acknowledged[j].seq, &n->acknowledged[j].id))
                sim_fail(s, "the hub lacks number %llu of %s",
                         (unsigned long long)n->acknowledged[j].seq, n->name);
    }
    struct request_filter filter = {.any_state = true};
    SIM_OK(s, requests_each(t, &filter, count_both_changed, s));
    txn_abort(t);
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        struct audit_options options = {.problem = audit_problem, .state = n};
        struct audit_result result;
        uint64_t differing = 0;
        check_node(n);
        check_office(n);
        check_faces(n);
        SIM_OK(s, audit_run(n->store, &options, &result));
        SIM_OK(s, views_compare(n->views, n->store, &differing, NULL, NULL));
        if (differing > 0)
            sim_fail(s, "%s: %llu view rows differ from a fresh fold", n->name,
                     (unsigned long long)differing);
    }
}
