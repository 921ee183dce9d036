/*
 * A disk that is used twice, in every seed that has the kind: a village's laptop is copied to
 * another, and for some days both go on as the same device, each with its own contacts. Then the
 * second one is given up. What people were told on it is owed where the hub or the first one has it
 * by then; the rest was on that disk alone. The scene of copies does more of it, and counts
 * contacts.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clones {
    struct sim_node *first; /* whose disk it was; NULL: there is no second one */
    struct acknowledged *owed;
    size_t owed_count;
    unsigned serial;
};

static void later(struct sim *s, uint64_t min_ms, uint64_t max_ms, size_t a,
                  void (*call)(struct sim *s, size_t a))
{
    story_schedule(s, rng_between(&s->faults, min_ms, max_ms),
                   (struct step){.type = STEP_CALL, .a = a, .call = call});
}

/* A node that has nothing open yet, as the first one in all else. */
static struct sim_node *second_of(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct sim_node *second = &s->nodes[s->node_count];
    *second = *n;
    second->index = (int)s->node_count;
    second->life = ++s->clones->serial * 1000;
    second->alive = second->barred = second->remote = false;
    second->store = NULL;
    second->views = NULL;
    second->recorder = NULL;
    second->exchange = NULL;
    second->listener = second->dialled = NULL;
    second->contact_to = s->now_ms;
    second->crash_after_sends = 0;
    second->receipted = NULL;
    second->acknowledged = NULL;
    second->receipted_count = second->receipted_capacity = 0;
    second->acknowledged_count = second->acknowledged_capacity = 0;
    (void)snprintf(second->name, sizeof second->name, "second%02d", n->index);
    (void)snprintf(second->home, sizeof second->home, "%s/none", s->folder);
    return second;
}

static void given_up(struct sim *s, size_t a);

static void cloned(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a];
    char folder[96];
    if (s->quiet || !n->alive || n->dying || n->absent || s->clones->first != NULL ||
        !roll_back_knows_hub(n))
        return;
    s->clones->first = n;
    struct sim_node *second = second_of(n);
    const size_t at = (size_t)second->index;
    trace_line(s, n, "its disk is used twice");
    trace_happened(s, HAPPENED_CLONED);
    (void)snprintf(folder, sizeof folder, "%s/disk.%u", s->folder, s->clones->serial);
    node_image(n, folder);
    node_put_back(second, folder, rng_chance(&s->faults, 50) ? BACK_IMAGE : BACK_COPY);
    s->node_count++;
    n->put_back = second->put_back = true; /* what one tells of itself the other need not hold */
    node_open(second);
    later(s, DAYS(1), DAYS(8), at, given_up);
    story_schedule(s, rng_below(&s->faults, HOURS(12)), (struct step){.type = STEP_WORK, .a = at});
    story_schedule(s, rng_below(&s->faults, DAYS(1)), (struct step){.type = STEP_CONTACT, .a = at});
}

static void owe(struct sim_node *second)
{
    struct sim *s = second->sim;
    struct clones *c = s->clones;
    struct txn *t, *at_hub;
    c->owed = realloc(c->owed, (c->owed_count + second->acknowledged_count + 1) * sizeof *c->owed);
    if (c->owed == NULL) abort();
    SIM_OK(s, txn_begin(c->first->store, false, &t));
    SIM_OK(s, txn_begin(s->nodes[SIM_HUB].store, false, &at_hub));
    for (size_t i = 0; i < second->acknowledged_count; i++) {
        const struct acknowledged *a = &second->acknowledged[i];
        if (!check_holds(t, a) && !check_holds(at_hub, a)) continue;
        c->owed[c->owed_count++] = *a;
        trace_happened(s, HAPPENED_CLONE_OWED);
    }
    txn_abort(at_hub);
    txn_abort(t);
}

static void given_up(struct sim *s, size_t a)
{
    struct clones *c = s->clones;
    struct sim_node *second = &s->nodes[a];
    if (c->first == NULL || a + 1 != s->node_count) return;
    if (!c->first->alive || !s->nodes[SIM_HUB].alive) {
        later(s, MINUTES(10), HOURS(1), a, given_up);
        return;
    }
    owe(second);
    trace_line(s, second, "is given up");
    if (second->alive) net_forget(s, second);
    node_stop(second);
    free(second->receipted);
    free(second->acknowledged);
    second->receipted = NULL;
    second->acknowledged = NULL;
    c->first = NULL;
    s->node_count--;
}

void clones_schedule(struct sim *s)
{
    s->clones = calloc(1, sizeof *s->clones);
    if (s->clones == NULL) abort();
    for (int i = 0; i < 2; i++)
        later(s, DAYS(1), DAYS(s->days) * 8 / 10, 1 + rng_below(&s->faults, s->node_count - 1),
              cloned);
}

void clones_check(struct sim *s)
{
    struct txn *t;
    if (s->clones == NULL) return;
    SIM_OK(s, txn_begin(s->nodes[SIM_HUB].store, false, &t));
    for (size_t i = 0; i < s->clones->owed_count; i++)
        if (!check_holds(t, &s->clones->owed[i]))
            sim_fail(s, "the hub lost number %llu of a disk that was used twice",
                     (unsigned long long)s->clones->owed[i].seq);
    txn_abort(t);
}

bool clones_are_there(const struct sim *s)
{
    return s->clones != NULL && s->clones->first != NULL;
}

void clones_end(struct sim *s)
{
    if (s->clones == NULL) return;
    free(s->clones->owed);
    free(s->clones);
}
