/*
 * Courier rounds: links to three of 27 villages, and once a week somebody goes round the others
 * with a stick. From the township he has a bundle for each; each takes its own and gives one for
 * the township, which he keeps in the courier's folder of his laptop as well in every other case.
 * Now and then he loses all that he has, somewhere on the way.
 *
 * What was recorded before a round of which nothing was lost must have arrived after the next such
 * round at the latest: what a village recorded at the township, what the township recorded at
 * those whom it concerns.
 */
#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "node/courier.h"
#include "tests/sim/scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKED = 3, ROUNDS = 10, VISITS_A_DAY = 4, LOST_PERCENT = 30 };

/* What the cases count together, in sim.kept. */
enum tally {
    TALLY_ROUNDS,
    TALLY_LOST,
    TALLY_RECORDS, /* of villages without a link, that were there when a good round began */
    TALLY_AT_ONCE, /* of these, arrived with it */
    TALLY_DOWN,    /* the same of the township's */
    TALLY_DOWN_AT_ONCE,
    TALLY_BUNDLES,
    TALLY_BYTES,
    TALLY_COUNT
};
_Static_assert((int)TALLY_COUNT <= (int)KEPT_MAX, "a place for each");

struct rounds {
    struct sim *s;
    char laptop[96];                            /* the courier's home; "": he has a stick alone */
    int down[SIM_NODES_MAX], up[SIM_NODES_MAX]; /* what he has; -1: nothing */
    size_t known[SIM_NODES_MAX];  /* of the acknowledged: there when this round began */
    size_t before[SIM_NODES_MAX]; /* when the good one before it began */
};

static bool is_linked(const struct sim_node *n)
{
    return n->index <= LINKED;
}

/* --- a day's work --- */

static void work_a_day(struct sim *s)
{
    work_hub(&s->nodes[SIM_HUB]);
    for (size_t i = 1; i < s->node_count; i++)
        if (rng_chance(&s->story, 25)) work_village(&s->nodes[i]);
}

/* --- what he has --- */

static void drop(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void folder_clear(struct rounds *r)
{
    struct courier_files files;
    if (r->laptop[0] == '\0') return;
    SIM_OK(r->s, courier_list(&files, r->laptop));
    for (size_t i = 0; i < files.count; i++)
        SIM_OK(r->s, courier_drop(r->laptop, &files.files[i].id));
    courier_files_clear(&files);
}

static void lose_all(struct rounds *r)
{
    for (size_t i = 0; i < r->s->node_count; i++) {
        drop(&r->down[i]);
        drop(&r->up[i]);
    }
    folder_clear(r);
}

static int write_for(struct rounds *r, struct sim_node *n, const struct sign_key *to,
                     bool to_township)
{
    struct sim *s = r->s;
    struct bundle_made made;
    int fd = carry_file(s);
    if (!carry_export(n, fd, to, to_township, &made))
        sim_fail(s, "%s cannot write for one whom it knows", n->name);
    if (made.left > 0) sim_fail(s, "%s left out %llu", n->name, (unsigned long long)made.left);
    s->kept[TALLY_BUNDLES]++;
    s->kept[TALLY_BYTES] += made.bytes;
    return fd;
}

static void take_from(struct sim_node *n, int fd)
{
    struct bundle_taken taken;
    enum err err = carry_import(n, fd, &taken);
    trace_line(n->sim, n, "takes a stick: %s, %llu new, %llu known", err_text(err),
               (unsigned long long)taken.fresh, (unsigned long long)taken.known);
    if (err != OK || taken.damaged || taken.refused > 0 || !taken.verified)
        sim_fail(n->sim, "%s does not take what was carried to it: %s, %llu refused (%s)", n->name,
                 err_text(err), (unsigned long long)taken.refused, err_text(taken.why));
    carry_told(n);
}

/* --- a round --- */

static void set_out(struct rounds *r)
{
    struct sim *s = r->s;
    struct sim_node *hub = &s->nodes[SIM_HUB];
    for (size_t i = LINKED + 1; i < s->node_count; i++)
        r->down[i] = write_for(r, hub, &s->nodes[i].first, false);
}

/* Into the laptop's folder, where he has one: the stick has nothing of it then. */
static void visit(struct rounds *r, struct sim_node *n)
{
    struct sim *s = r->s;
    struct courier_file file;
    const size_t at = (size_t)n->index;
    if (r->down[at] >= 0) take_from(n, r->down[at]);
    drop(&r->down[at]);
    int fd = write_for(r, n, &s->nodes[SIM_HUB].first, true);
    if (r->laptop[0] == '\0') {
        r->up[at] = fd;
        return;
    }
    SIM_OK(s, courier_keep(&file, r->laptop, fd, MIB(64)));
    close(fd);
}

static void come_back(struct rounds *r)
{
    struct sim *s = r->s;
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct courier_files files = {.count = 0};
    for (size_t i = 1; i < s->node_count; i++) {
        if (r->up[i] >= 0) take_from(hub, r->up[i]);
        drop(&r->up[i]);
    }
    if (r->laptop[0] == '\0') return;
    SIM_OK(s, courier_list(&files, r->laptop));
    for (size_t i = 0; i < files.count; i++) {
        int fd;
        SIM_OK(s, courier_open(&fd, r->laptop, &files.files[i].id));
        take_from(hub, fd);
        close(fd);
    }
    courier_files_clear(&files);
    folder_clear(r);
}

/* True: nothing was lost. */
static bool go_round(struct rounds *r)
{
    struct sim *s = r->s;
    size_t order[SIM_NODES_MAX], count = 0;
    for (size_t i = LINKED + 1; i < s->node_count; i++) order[count++] = i;
    for (size_t i = count; i > 1; i--) {
        const size_t other = rng_below(&s->story, i), node = order[i - 1];
        order[i - 1] = order[other];
        order[other] = node;
    }
    const bool loses = rng_chance(&s->story, LOST_PERCENT);
    const size_t lost_at = rng_below(&s->story, count + 1);
    set_out(r);
    for (size_t i = 0; i < count; i++) {
        if (loses && i == lost_at) lose_all(r);
        visit(r, &s->nodes[order[i]]);
        if (i % VISITS_A_DAY + 1 < VISITS_A_DAY) continue;
        work_a_day(s);
        story_run(s, s->now_ms + DAYS(1));
    }
    if (loses && lost_at == count) lose_all(r);
    if (loses) trace_line(s, NULL, "the stick is lost after %zu villages", lost_at);
    come_back(r);
    story_run(s, s->now_ms + DAYS(1));
    return !loses;
}

/* --- what has arrived --- */

static bool holds(struct sim_node *n, const struct acknowledged *a)
{
    const struct recorded r = {.feed = a->feed, .seq = a->seq, .id = a->id};
    return scene_holds(n, &r);
}

/* Is it at everybody whom it concerns? */
static bool has_arrived(struct sim *s, const struct sim_node *from, const struct acknowledged *a)
{
    const struct scope town = scope_town();
    if (from->index != SIM_HUB) return holds(&s->nodes[SIM_HUB], a);
    for (size_t i = 1; i < s->node_count; i++) {
        const struct scope own = scope_of_village(s->nodes[i].village);
        if (!scope_equal(&a->feed.scope, &town) && !scope_equal(&a->feed.scope, &own)) continue;
        if (!holds(&s->nodes[i], a)) return false;
    }
    return true;
}

static void judge(struct rounds *r, struct sim_node *n)
{
    struct sim *s = r->s;
    const bool down = n->index == SIM_HUB;
    const size_t at = (size_t)n->index;
    for (size_t i = 0; i < r->known[at]; i++) {
        const bool arrived = has_arrived(s, n, &n->acknowledged[i]);
        if (i < r->before[at] && !arrived)
            sim_fail(s, "number %llu of %s has not arrived after two rounds without a loss",
                     (unsigned long long)n->acknowledged[i].seq, n->name);
        if (i < r->before[at] || is_linked(n) != down) continue;
        s->kept[down ? TALLY_DOWN : TALLY_RECORDS]++;
        s->kept[down ? TALLY_DOWN_AT_ONCE : TALLY_AT_ONCE] += arrived;
    }
    r->before[at] = r->known[at];
}

/* --- the scene --- */

static void laptop_make(struct rounds *r)
{
    (void)snprintf(r->laptop, sizeof r->laptop, "%s/courier-laptop", r->s->folder);
    if (mkdir(r->laptop, 0700) != 0) sim_fail(r->s, "cannot make %s", r->laptop);
}

static void weeks(struct rounds *r)
{
    struct sim *s = r->s;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < s->node_count; i++) r->known[i] = s->nodes[i].acknowledged_count;
        const bool good = go_round(r);
        s->kept[TALLY_ROUNDS]++;
        s->kept[TALLY_LOST] += !good;
        for (size_t i = 0; good && i < s->node_count; i++) judge(r, &s->nodes[i]);
    }
}

void rounds_play(struct sim *s, uint64_t number)
{
    const struct net_line line = scene_line(64000, 300);
    struct rounds r = {.s = s};
    s->story.state += number * 1000;
    for (size_t i = 0; i < SIM_NODES_MAX; i++) r.down[i] = r.up[i] = -1;
    scene_begin(s, &line);
    if (number % 2 == 0) laptop_make(&r);
    for (size_t i = 1; i <= LINKED; i++) scene_contact(&s->nodes[i]);
    weeks(&r);
    lose_all(&r);
    for (size_t i = LINKED + 1; i < s->node_count; i++) scene_contact(&s->nodes[i]);
    scene_settle(s, HOURS(6));
    check_end(s);
}

void rounds_print(const uint64_t kept[KEPT_MAX])
{
    printf("%10llu  rounds, of %llu the stick was lost\n", (unsigned long long)kept[TALLY_ROUNDS],
           (unsigned long long)kept[TALLY_LOST]);
    printf("%10llu  records of villages without a link, %llu there with the first good round\n",
           (unsigned long long)kept[TALLY_RECORDS], (unsigned long long)kept[TALLY_AT_ONCE]);
    printf("%10llu  of the township, %llu\n", (unsigned long long)kept[TALLY_DOWN],
           (unsigned long long)kept[TALLY_DOWN_AT_ONCE]);
    printf("%10llu  bundles of %llu bytes on average\n", (unsigned long long)kept[TALLY_BUNDLES],
           (unsigned long long)(kept[TALLY_BYTES] / (kept[TALLY_BUNDLES] + 1)));
}
