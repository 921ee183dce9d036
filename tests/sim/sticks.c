/*
 * Bundles on sticks, in every seed: villages and the hub write one now and then, and a motorcycle
 * has it for days, or weeks, so a later one comes before it. It is lost, copied and taken twice,
 * cut, a bit of it flips; who wrote it or who it is for may have another laptop by then, or other
 * keys; and who took one may answer with one.
 */
#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REMOTE = 6 }; /* villages, some of them drawn twice */
enum damage { WHOLE, CUT, FLIPPED };

struct stick {
    int fd; /* -1: nobody has it any more */
    size_t from, to;
    struct sign_key writer, reader; /* their laptops then */
    bool to_office;
    struct box_key sealed_to; /* else the reader's key then */
    uint64_t made_ms;
    enum damage damage;
    bool again;    /* a copy of it was taken before, */
    bool took_all; /* and nothing was refused */
};
struct sticks {
    struct rng rng; /* its own, so that the rest of a seed's story stays what it was */
    struct stick *items;
    size_t count, capacity;
    uint64_t newest_ms[SIM_PLACES][SIM_PLACES]; /* of those taken, by writer and reader */
};

static void later(struct sim *s, uint64_t min_ms, uint64_t max_ms, size_t a,
                  void (*call)(struct sim *s, size_t a))
{
    story_schedule(s, rng_between(&s->sticks->rng, min_ms, max_ms),
                   (struct step){.type = STEP_CALL, .a = a, .call = call});
}

static bool is_up(const struct sim_node *n)
{
    return n->alive && !n->dying && !n->absent;
}

/* --- on its way --------------------------------------------------------------------------- */

static void arrives(struct sim *s, size_t a);

static void stick_drop(struct stick *stick)
{
    if (stick->fd >= 0) close(stick->fd);
    stick->fd = -1;
}

static off_t size_of(const struct stick *stick)
{
    struct stat st;
    return fstat(stick->fd, &st) == 0 ? st.st_size : 0;
}

static void damage(struct sim *s, struct stick *stick)
{
    struct rng *r = &s->sticks->rng;
    const off_t at = (off_t)rng_below(r, (uint64_t)size_of(stick));
    uint8_t byte;
    if (rng_chance(r, 50)) {
        stick->damage = CUT;
        if (ftruncate(stick->fd, at) != 0) sim_fail(s, "cannot cut a stick");
        return;
    }
    stick->damage = FLIPPED;
    if (pread(stick->fd, &byte, 1, at) != 1) sim_fail(s, "cannot read a stick");
    byte ^= (uint8_t)(1u << rng_below(r, 8));
    if (pwrite(stick->fd, &byte, 1, at) != 1) sim_fail(s, "cannot write a stick");
}

/* What becomes of it. */
static void sent_off(struct sim *s, size_t a)
{
    struct stick *stick = &s->sticks->items[a];
    struct rng *r = &s->sticks->rng;
    if (rng_chance(r, 15)) {
        trace_happened(s, HAPPENED_STICK_LOST);
        stick_drop(stick);
        return;
    }
    if (rng_chance(r, 20)) damage(s, stick);
    if (rng_chance(r, 15))
        later(s, DAYS(10), DAYS(25), a, arrives);
    else
        later(s, HOURS(2), DAYS(6), a, arrives);
}

/* --- written ------------------------------------------------------------------------------ */

static size_t stick_new(struct sim *s)
{
    struct sticks *k = s->sticks;
    if (k->count == k->capacity) {
        k->capacity = k->capacity * 2 + 64;
        k->items = realloc(k->items, k->capacity * sizeof *k->items);
        if (k->items == NULL) abort();
    }
    k->items[k->count] = (struct stick){.fd = carry_file(s)};
    return k->count++;
}

static void write_one(struct sim_node *n, struct sim_node *to, const struct sign_key *device)
{
    struct sim *s = n->sim;
    const size_t at = stick_new(s);
    struct stick *stick = &s->sticks->items[at];
    struct bundle_made made;
    stick->from = (size_t)n->index;
    stick->to = (size_t)to->index;
    stick->writer = n->first;
    stick->reader = *device;
    stick->to_office = to->index == SIM_HUB && rng_chance(&s->sticks->rng, 80);
    stick->sealed_to = to->keys.transport;
    stick->made_ms = s->now_ms;
    if (!carry_export(n, stick->fd, device, stick->to_office, &made)) {
        stick_drop(stick); /* that one has not joined as far as this one knows */
        return;
    }
    trace_happened(s, HAPPENED_STICK_WRITTEN);
    trace_line(s, n, "writes stick %zu for %s, %llu events", at, to->name,
               (unsigned long long)made.events);
    sent_off(s, at);
}

static void village_writes(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a], *hub = &s->nodes[SIM_HUB];
    if (!s->quiet && is_up(n) && township_knows(n)) write_one(n, hub, &hub->first);
    later(s, DAYS(3), n->remote ? DAYS(6) : DAYS(18), a, village_writes);
}

static struct sim_node *any_village(struct sim *s)
{
    return &s->nodes[1 + rng_below(&s->sticks->rng, s->node_count - 1)];
}

static void hub_writes(struct sim *s, size_t a)
{
    struct sim_node *hub = &s->nodes[a];
    struct sim_node *to = any_village(s);
    if (!to->remote) to = any_village(s); /* rather one of those */
    if (!s->quiet && is_up(hub)) write_one(hub, to, &to->first);
    later(s, HOURS(12), DAYS(4), a, hub_writes);
}

static void hub_writes_for(struct sim *s, size_t a)
{
    struct sim_node *hub = &s->nodes[SIM_HUB], *to = &s->nodes[a];
    if (!s->quiet && is_up(hub)) write_one(hub, to, &to->first);
}

void sticks_put_back(struct sim *s, size_t a)
{
    if (s->sticks != NULL) later(s, 0, HOURS(1), a, hub_writes_for);
}

/* --- taken -------------------------------------------------------------------------------- */

static struct sim_node *writer_of(struct sim *s, const struct stick *stick)
{
    struct sim_node *n = &s->nodes[stick->from];
    return sign_key_equal(&n->first, &stick->writer) ? n : NULL;
}

/* Damage is noticed; what is whole is taken, but by another laptop than it is for. */
static void judge(struct sim_node *n, const struct stick *stick, size_t at, enum err err,
                  const struct bundle_taken *taken)
{
    struct sim *s = n->sim;
    const bool gone = !sign_key_equal(&stick->reader, &n->first);
    if (stick->damage == FLIPPED && err == OK && !taken->damaged)
        sim_fail(s, "%s has not noticed a flipped bit in stick %zu", n->name, at);
    if (stick->damage == CUT && err == OK && !taken->damaged)
        sim_fail(s, "%s has not noticed that stick %zu was cut", n->name, at);
    if (stick->damage != WHOLE) {
        trace_happened(s, stick->damage == CUT ? HAPPENED_STICK_CUT : HAPPENED_STICK_FLIPPED);
        return;
    }
    if (err == ERR_FOREIGN && gone) {
        trace_happened(s, HAPPENED_STICK_FOR_GONE);
        return;
    }
    if (err != OK || taken->damaged)
        sim_fail(s, "%s does not take stick %zu, which is whole: %s", n->name, at, err_text(err));
    if (taken->refused > 0 && taken->why != ERR_BASE && taken->why != ERR_UNKNOWN_AUTHOR &&
        taken->why != ERR_FORBIDDEN)
        sim_fail(s, "%s refuses %llu records of stick %zu: %s", n->name,
                 (unsigned long long)taken->refused, at, err_text(taken->why));
    if (stick->took_all && !n->put_back && taken->fresh > 0)
        sim_fail(s, "%s finds %llu new records in stick %zu the second time", n->name,
                 (unsigned long long)taken->fresh, at);
}

static void note(struct sim_node *n, const struct stick *stick, const struct bundle_taken *taken)
{
    struct sim *s = n->sim;
    uint64_t *newest = &s->sticks->newest_ms[stick->from][stick->to];
    const struct sim_node *writer = writer_of(s, stick);
    if (stick->made_ms < *newest)
        trace_happened(s, HAPPENED_STICK_OLDER);
    else
        *newest = stick->made_ms;
    if (s->now_ms - stick->made_ms > DAYS(10)) trace_happened(s, HAPPENED_STICK_LATE);
    if (taken->fresh > 0) trace_happened(s, HAPPENED_STICK_NEWS);
    if (taken->receipts > 0) trace_happened(s, HAPPENED_STICK_RECEIPT);
    if (taken->refused > 0) trace_happened(s, HAPPENED_STICK_REFUSED);
    if (writer == NULL || writer->revoked) trace_happened(s, HAPPENED_STICK_OF_GONE);
    if (!stick->to_office && !box_key_equal(&stick->sealed_to, &n->keys.transport))
        trace_happened(s, HAPPENED_STICK_OLD_KEY);
}

/* True: it was whole, and nothing of it was refused. */
static bool take(struct sim_node *n, size_t at)
{
    struct sim *s = n->sim;
    const struct stick stick = s->sticks->items[at];
    struct bundle_taken taken;
    enum err err = carry_import(n, stick.fd, &taken);
    trace_line(s, n, "takes stick %zu: %s, %llu new, %llu known, %llu refused", at,
               taken.damaged ? "damaged" : err_text(err), (unsigned long long)taken.fresh,
               (unsigned long long)taken.known, (unsigned long long)taken.refused);
    judge(n, &stick, at, err, &taken);
    if (err == OK) note(n, &stick, &taken);
    carry_told(n);
    struct sim_node *writer = &s->nodes[stick.from];
    if (err == OK && is_up(n) && taken.verified && rng_chance(&s->sticks->rng, 50)) {
        trace_happened(s, HAPPENED_STICK_REPLY);
        write_one(n, writer, &stick.writer);
    }
    return err == OK && !taken.damaged && taken.refused == 0;
}

static void arrives(struct sim *s, size_t a)
{
    struct stick *stick = &s->sticks->items[a];
    struct sim_node *n = &s->nodes[stick->to];
    if (s->quiet) return;
    if (!is_up(n)) {
        later(s, HOURS(1), HOURS(12), a, arrives);
        return;
    }
    if (stick->again) trace_happened(s, HAPPENED_STICK_TWICE);
    const bool took_all = take(n, a);
    stick = &s->sticks->items[a]; /* there may be more of them now */
    if (stick->again || rng_chance(&s->sticks->rng, 80)) {
        stick_drop(stick);
        return;
    }
    stick->again = true;
    stick->took_all = took_all;
    later(s, MINUTES(1), DAYS(8), a, arrives);
}

/* --- a seed's ----------------------------------------------------------------------------- */

void sticks_schedule(struct sim *s)
{
    s->sticks = calloc(1, sizeof *s->sticks);
    if (s->sticks == NULL) abort();
    s->sticks->rng.state = s->seed * 7 + 5;
    for (int i = 0; i < REMOTE; i++) any_village(s)->remote = true;
    later(s, HOURS(1), DAYS(3), SIM_HUB, hub_writes);
    for (size_t i = 1; i < s->node_count; i++) later(s, HOURS(1), DAYS(9), i, village_writes);
}

void sticks_end(struct sim *s)
{
    if (s->sticks == NULL) return;
    for (size_t i = 0; i < s->sticks->count; i++) stick_drop(&s->sticks->items[i]);
    free(s->sticks->items);
    free(s->sticks);
}
