/*
 * What befalls disks, in every seed: villages whose store, disk, folder or backup of some days ago
 * is put back while life goes on. The scene of copies does the same to hubs too, and counts
 * contacts.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROLL_BACKS_A_SEED = 3 };

struct roll_back {
    struct rng rng; /* its own, so that the rest of a seed's story stays what it was */
    struct image {
        char folder[96];
        struct sign_key first; /* whose store it is: a village may get another laptop */
        struct box_key hub;    /* by which it finds the hub: from before a change it does not */
    } images[SIM_NODES_MAX];
    struct acknowledged *owed; /* of what was put back, by others: it comes again */
    size_t owed_count;
    unsigned serial;
};

static void later(struct sim *s, uint64_t min_ms, uint64_t max_ms, size_t a,
                  void (*call)(struct sim *s, size_t a))
{
    story_schedule(s, rng_between(&s->roll_back->rng, min_ms, max_ms),
                   (struct step){.type = STEP_CALL, .a = a, .call = call});
}

static const struct box_key *newest_of_hub(const struct sim *s)
{
    const struct device_keys *k = &s->nodes[SIM_HUB].keys;
    return k->held_count > 0 ? &k->held[0].transport : &k->transport;
}

static struct box_key known_of_hub(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct txn *t;
    const struct roster *roster;
    struct box_key key = {{0}};
    SIM_OK(s, txn_begin(n->store, false, &t));
    SIM_OK(s, views_roster(n->views, t, &roster));
    const struct device *hub = roster_device(roster, &s->nodes[SIM_HUB].first);
    if (hub != NULL) key = hub->transport;
    txn_abort(t);
    return key;
}

bool roll_back_knows_hub(struct sim_node *n)
{
    const struct box_key known = known_of_hub(n);
    return box_key_equal(&known, newest_of_hub(n->sim));
}

/* What a person was told stays owed where the hub has it; the rest was on that disk alone. */
static void owe(struct sim_node *n, const struct acknowledged *all, size_t count)
{
    struct sim *s = n->sim;
    struct roll_back *r = s->roll_back;
    struct txn *t, *at_hub;
    r->owed = realloc(r->owed, (r->owed_count + count + 1) * sizeof *r->owed);
    if (r->owed == NULL) abort();
    SIM_OK(s, txn_begin(n->store, false, &t));
    SIM_OK(s, txn_begin(s->nodes[SIM_HUB].store, false, &at_hub));
    for (size_t i = 0; i < count; i++) {
        if (check_holds(t, &all[i]))
            n->acknowledged[n->acknowledged_count++] = all[i];
        else if (check_holds(at_hub, &all[i]))
            r->owed[r->owed_count++] = all[i];
    }
    txn_abort(at_hub);
    txn_abort(t);
}

static void put_back(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a], *hub = &s->nodes[SIM_HUB];
    struct roll_back *r = s->roll_back;
    const struct image *image = &r->images[a];
    if (s->quiet || n->revoked || n->absent || !sign_key_equal(&image->first, &n->first)) return;
    if (memcmp(&image->hub, newest_of_hub(s), sizeof image->hub) != 0) return;
    if (!n->alive || n->dying || !hub->alive || hub->dying) {
        later(s, HOURS(1), HOURS(3), a, put_back);
        return;
    }
    const size_t count = n->acknowledged_count;
    struct acknowledged *all = calloc(count + 1, sizeof *all);
    if (all == NULL) abort();
    if (count > 0) memcpy(all, n->acknowledged, count * sizeof *all);
    n->acknowledged_count = n->receipted_count = 0;
    const enum node_back how = (enum node_back)rng_below(&r->rng, BACK_ELSEWHERE + 1);
    trace_line(s, n, "is put back from an older copy, way %d", (int)how);
    trace_happened(s, HAPPENED_PUT_BACK);
    node_put_back(n, image->folder, how);
    n->put_back = true;
    node_open(n);
    owe(n, all, count);
    free(all);
    sticks_put_back(s, a);
    story_schedule(s, 0, (struct step){.type = STEP_DIAL, .a = a});
}

static void copied(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a];
    struct roll_back *r = s->roll_back;
    if (s->quiet || !n->alive || n->dying || n->revoked || r->images[a].folder[0] != '\0') return;
    struct image *image = &r->images[a];
    (void)snprintf(image->folder, sizeof image->folder, "%s/image.%u", s->folder, r->serial++);
    image->first = n->first;
    image->hub = known_of_hub(n);
    node_image(n, image->folder);
    later(s, HOURS(2), DAYS(6), a, put_back);
}

void roll_back_schedule(struct sim *s)
{
    s->roll_back = calloc(1, sizeof *s->roll_back);
    if (s->roll_back == NULL) abort();
    s->roll_back->rng.state = s->seed * 5 + 4;
    for (int i = 0; i < ROLL_BACKS_A_SEED; i++)
        later(s, HOURS(12), DAYS(s->days) * 7 / 10,
              1 + rng_below(&s->roll_back->rng, s->node_count - 1), copied);
}

void roll_back_check(struct sim *s)
{
    struct txn *t;
    if (s->roll_back == NULL) return;
    SIM_OK(s, txn_begin(s->nodes[SIM_HUB].store, false, &t));
    for (size_t i = 0; i < s->roll_back->owed_count; i++)
        if (!check_holds(t, &s->roll_back->owed[i]))
            sim_fail(s, "the hub lost number %llu of a laptop that was put back",
                     (unsigned long long)s->roll_back->owed[i].seq);
    txn_abort(t);
}

void roll_back_end(struct sim *s)
{
    if (s->roll_back == NULL) return;
    free(s->roll_back->owed);
    free(s->roll_back);
}
