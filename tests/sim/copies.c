/*
 * Copies: a small township lives, and at a random point a store is put back, a disk is used twice
 * or the hub is lost. Whatever any store still holds then must be back after one contact of each
 * side, all digests equal; and it ends there: work goes on, and no further life begins.
 *
 * Two copies of one disk have one device between them, so they cannot be in contact at once. Their
 * branches meet at the hub by each one's next contact; from then on one contact of each is enough.
 */
#include "node/lives.h"
#include "tests/sim/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES_MAX = 6, HEAL_MS = 5 * 60 * 1000 };

/* What the cases count together, in sim.kept. */
enum tally {
    TALLY_STORE_BACK,
    TALLY_IMAGE_BACK,
    TALLY_FOLDER_COPIED,
    TALLY_RESTORED,
    TALLY_ELSEWHERE,
    TALLY_CLONED,
    TALLY_HUB_BACK,
    TALLY_HUB_LOST,
    TALLY_FAULTS,
    TALLY_RECORDED,
    TALLY_AWAY,  /* acknowledged, and not in the copy that was put back, but elsewhere */
    TALLY_GONE,  /* in no store any more: the disk had the only one */
    TALLY_LIVES, /* begun */
    TALLY_FIRST, /* the first case was counted: it is played twice */
    TALLY_COUNT
};
_Static_assert((int)TALLY_COUNT <= (int)KEPT_MAX, "a place for each");

struct image {
    char folder[96];
    uint64_t life;
};
struct copies {
    struct sim *s;
    struct net_line line;
    struct image images[SIM_NODES_MAX][IMAGES_MAX];
    size_t image_count[SIM_NODES_MAX];
    unsigned image_serial;
    uint64_t tally[TALLY_COUNT];
};

static struct sim_node *any_node(struct sim *s, size_t from)
{
    return &s->nodes[from + rng_below(&s->story, s->node_count - from)];
}

static uint64_t life_of(struct sim_node *n)
{
    struct txn *t = NULL;
    struct life life;
    SIM_OK(n->sim, txn_begin(n->store, false, &t));
    life_get(t, &life);
    txn_abort(t);
    return life.count;
}

/* --- an ordinary week --- */

static void work(struct sim_node *n)
{
    if (n->index == SIM_HUB)
        work_hub(n);
    else
        work_village(n);
}

static void keep_image(struct copies *c, struct sim_node *n)
{
    size_t *count = &c->image_count[n->index];
    if (*count == IMAGES_MAX) return;
    struct image *image = &c->images[n->index][(*count)++];
    (void)snprintf(image->folder, sizeof image->folder, "%s/image.%u", c->s->folder,
                   c->image_serial++);
    image->life = life_of(n);
    node_image(n, image->folder);
    trace_line(c->s, n, "is copied");
}

/* The contact may still last when something happens. */
static void short_contact(struct sim_node *n)
{
    struct sim *s = n->sim;
    scene_contact(n);
    story_run(s, s->now_ms + rng_between(&s->story, 200, SECONDS(40)));
    if (rng_chance(&s->story, 70)) scene_apart(n);
}

static void live(struct copies *c)
{
    struct sim *s = c->s;
    for (uint64_t i = rng_between(&s->story, 4, 14); i > 0; i--) {
        switch (rng_below(&s->story, 8)) {
        case 0:
        case 1:
        case 2:
            work(any_node(s, 0));
            break;
        case 3:
            work(any_node(s, 1));
            break;
        case 4:
        case 5:
            short_contact(any_node(s, 1));
            break;
        case 6:
            keep_image(c, any_node(s, 0));
            break;
        default:
            story_run(s, s->now_ms + rng_between(&s->story, SECONDS(1), HOURS(9)));
            break;
        }
    }
}

/* Nobody tells an end whose other end died: it hears nothing for a while. */
static void all_apart(struct sim *s)
{
    for (size_t i = 1; i < s->node_count; i++) scene_apart(&s->nodes[i]);
    for (size_t i = 1; i < s->node_count; i++)
        while (s->nodes[i].dialled != NULL) story_run(s, s->now_ms + SECONDS(3));
}

/* --- faults --- */

static bool holds(struct sim_node *n, const struct feed *feed, uint64_t seq,
                  const struct event_id *id)
{
    const struct recorded r = {.feed = *feed, .seq = seq, .id = *id};
    return scene_holds(n, &r);
}

static bool held_anywhere(struct sim *s, const struct acknowledged *a)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (holds(&s->nodes[i], &a->feed, a->seq, &a->id)) return true;
    return false;
}

/* What a person was told is safe stays owed as long as any store has it. */
static void start_and_owe(struct copies *c, struct sim_node *n)
{
    const size_t count = n->acknowledged_count;
    n->acknowledged_count = 0;
    n->receipted_count = 0; /* of what it holds again it will sign new ones */
    node_open(n);
    for (size_t i = 0; i < count; i++) {
        const struct acknowledged a = n->acknowledged[i];
        if (!held_anywhere(c->s, &a)) {
            c->tally[TALLY_GONE]++;
            continue;
        }
        if (!holds(n, &a.feed, a.seq, &a.id)) c->tally[TALLY_AWAY]++;
        n->acknowledged[n->acknowledged_count++] = a;
    }
}

static void put_back(struct copies *c, struct sim_node *n, enum node_back how)
{
    static const char *const words[] = {"its store is put back",
                                        "the image of its disk is put back",
                                        "its folder is copied from an old one",
                                        "a backup is restored", "a backup lives on elsewhere"};
    static const enum tally tallies[] = {TALLY_STORE_BACK, TALLY_IMAGE_BACK, TALLY_FOLDER_COPIED,
                                         TALLY_RESTORED, TALLY_ELSEWHERE};
    struct sim *s = c->s;
    if (c->image_count[n->index] == 0) keep_image(c, n);
    const struct image *image =
        &c->images[n->index][rng_below(&s->story, c->image_count[n->index])];
    const uint64_t before = life_of(n), most = before > image->life ? before : image->life;
    trace_line(s, n, "%s", words[how]);
    node_put_back(n, image->folder, how);
    start_and_owe(c, n);
    if (life_of(n) > most + 1) sim_fail(s, "%s began more than one life", n->name);
    if (n->index != SIM_HUB)
        c->tally[tallies[how]]++;
    else
        c->tally[how == BACK_ELSEWHERE ? TALLY_HUB_LOST : TALLY_HUB_BACK]++;
}

static void clone(struct copies *c, struct sim_node *n)
{
    struct sim *s = c->s;
    char folder[96];
    struct sim_node *copy = &s->nodes[s->node_count];
    *copy = *n;
    copy->index = (int)s->node_count;
    copy->alive = false;
    copy->store = NULL;
    copy->views = NULL;
    copy->recorder = NULL;
    copy->exchange = NULL;
    copy->listener = copy->dialled = NULL;
    copy->contact_to = s->now_ms;
    copy->receipted = NULL;
    copy->receipted_count = copy->receipted_capacity = 0;
    copy->acknowledged_capacity = n->acknowledged_count + 1;
    copy->acknowledged = calloc(copy->acknowledged_capacity, sizeof *copy->acknowledged);
    if (copy->acknowledged == NULL) abort();
    if (n->acknowledged_count > 0)
        memcpy(copy->acknowledged, n->acknowledged,
               n->acknowledged_count * sizeof *n->acknowledged);
    (void)snprintf(copy->name, sizeof copy->name, "copy%zu", s->node_count);
    (void)snprintf(copy->home, sizeof copy->home, "%s/copy%zu.0", s->folder, s->node_count);
    (void)snprintf(folder, sizeof folder, "%s/disk.%u", s->folder, c->image_serial++);
    node_image(n, folder);
    node_put_back(copy, folder, rng_chance(&s->story, 50) ? BACK_IMAGE : BACK_COPY);
    s->node_count++;
    trace_line(s, n, "its disk is cloned: %s", copy->name);
    start_and_owe(c, copy);
    c->tally[TALLY_CLONED]++;
}

static void fault(struct copies *c)
{
    struct sim *s = c->s;
    const uint64_t kind = rng_below(&s->story, 10);
    c->tally[TALLY_FAULTS]++;
    if (kind < 3)
        put_back(c, &s->nodes[SIM_HUB], (enum node_back)rng_below(&s->story, BACK_ELSEWHERE + 1));
    else if (kind < 8)
        put_back(c, any_node(s, 1), (enum node_back)rng_below(&s->story, BACK_ELSEWHERE + 1));
    else
        clone(c, any_node(s, 1));
}

/* --- healing --- */

static bool is_copied(const struct sim_node *n)
{
    struct sim *s = n->sim;
    for (size_t i = 1; i < s->node_count; i++)
        if (&s->nodes[i] != n && sign_key_equal(&s->nodes[i].keys.signer.key, &n->keys.signer.key))
            return true;
    return false;
}

/* Of the villages, in an order that is drawn: all of them at once, but one at a time where two are
 * one device. */
static void one_contact_of_each(struct sim *s)
{
    size_t order[SIM_NODES_MAX], count = s->node_count - 1, before = s->net.count;
    for (size_t i = 0; i < count; i++) order[i] = i + 1;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(&s->story, i), kept = order[j];
        order[j] = order[i - 1];
        order[i - 1] = kept;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_copied(&s->nodes[order[i]])) continue;
        scene_contact(&s->nodes[order[i]]);
        story_run(s, s->now_ms + rng_below(&s->story, SECONDS(20)));
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_copied(&s->nodes[order[i]])) continue;
        scene_contact(&s->nodes[order[i]]);
        story_run(s, s->now_ms + SECONDS(90));
        scene_apart(&s->nodes[order[i]]);
        story_run(s, s->now_ms + SECONDS(1));
    }
    story_run(s, s->now_ms + SECONDS(90));
    if (s->net.count - before != count)
        sim_fail(s, "%zu connections, and not one of each of %zu", s->net.count - before, count);
}

static bool any_copied(struct sim *s)
{
    for (size_t i = 1; i < s->node_count; i++)
        if (is_copied(&s->nodes[i])) return true;
    return false;
}

static void heal(struct copies *c)
{
    struct sim *s = c->s;
    if (any_copied(s)) { /* until the branches have met */
        one_contact_of_each(s);
        all_apart(s);
    }
    one_contact_of_each(s);
    check_end(s);
    all_apart(s);
}

/* Each node says something of its own, so that what two copies of it say parts. */
static void all_work(struct sim *s)
{
    struct recorded recorded;
    for (size_t i = 0; i < s->node_count; i++) {
        scene_register(&s->nodes[i], LANE_NORMAL, 20, &recorded);
        work(&s->nodes[i]);
    }
}

/* Some went on after the fault, some ask first; then they meet, and then all go on. */
static void fault_and_heal(struct copies *c)
{
    struct sim *s = c->s;
    uint64_t lives[SIM_NODES_MAX];
    live(c);
    fault(c);
    all_apart(s);
    for (size_t i = 0; i < s->node_count; i++)
        if (rng_chance(&s->story, 60)) work(&s->nodes[i]);
    heal(c);
    all_work(s);
    heal(c);
    for (size_t i = 0; i < s->node_count; i++) lives[i] = life_of(&s->nodes[i]);
    all_work(s);
    heal(c);
    for (size_t i = 0; i < s->node_count; i++)
        if (life_of(&s->nodes[i]) != lives[i])
            sim_fail(s, "%s began another life with nothing new behind it", s->nodes[i].name);
}

static void count_at_end(struct copies *c, uint64_t number)
{
    struct sim *s = c->s;
    for (size_t i = 0; i < s->node_count; i++) {
        c->tally[TALLY_RECORDED] += s->nodes[i].acknowledged_count;
        c->tally[TALLY_LIVES] += life_of(&s->nodes[i]);
    }
    if (number == 1 && s->kept[TALLY_FIRST]++ > 0) return;
    for (size_t i = 0; i < TALLY_FIRST; i++) s->kept[i] += c->tally[i];
}

void copies_play(struct sim *s, uint64_t number)
{
    static struct copies c;
    c.s = s;
    c.line = scene_line(64000, 300);
    s->story.state += number * 1000003;
    scene_begin(s, &c.line);
    for (uint64_t i = 1 + number % 3; i > 0; i--) fault_and_heal(&c);
    count_at_end(&c, number);
}

void copies_print(const uint64_t kept[KEPT_MAX])
{
    static const char *const names[] = {
        [TALLY_STORE_BACK] = "laptops whose store alone was put back",
        [TALLY_IMAGE_BACK] = "laptops whose disk's image was put back",
        [TALLY_FOLDER_COPIED] = "laptops whose folder was copied from an old one",
        [TALLY_RESTORED] = "laptops restored from a backup in place",
        [TALLY_ELSEWHERE] = "laptops restored on another machine",
        [TALLY_CLONED] = "disks cloned, both used",
        [TALLY_HUB_BACK] = "hubs rolled back",
        [TALLY_HUB_LOST] = "hubs lost and restored on another machine",
        [TALLY_FAULTS] = "faults in all, healed by one contact of each side",
        [TALLY_RECORDED] = "records acknowledged and held by all who may at the end",
        [TALLY_AWAY] = "of them not in what was put back, and fetched again",
        [TALLY_GONE] = "records that only the disk had that was overwritten",
        [TALLY_LIVES] = "lives begun",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        printf("%10llu  %s\n", (unsigned long long)kept[i], names[i]);
}
