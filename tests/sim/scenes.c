#include "tests/sim/scene.h"

#include "node/sync/beat.h"

#include <string.h>

/* --- resume: 64 KiB, cut after so many bytes --- */

enum {
    RESUME_SIZE = 65536,
    RESUME_EVENTS = 48,
    /* A cold connection and its HELLOs; what was cut, and what goes out again blindly. */
    RESUME_EXTRA = 1024 + 8 * 1024,
};

/* The first connection breaks when `way` has carried so many bytes; 0: it does not. */
static void resume(struct sim *s, struct sim_node *from, int way, uint64_t after)
{
    struct net_line line = scene_line(64000, 300);
    struct sim_node *village = &s->nodes[1];
    struct recorded recorded;
    scene_begin(s, &line);
    for (int i = 0; i < RESUME_EVENTS; i++)
        scene_register(from, LANE_NORMAL, RESUME_SIZE / RESUME_EVENTS, &recorded);
    line.way[way].cut_bytes = after;
    size_t before = s->net.count;
    scene_contact(village);
    story_run(s, s->now_ms + 1);
    line.way[way].cut_bytes = 0;
    scene_settle(s, MINUTES(5));
    const uint64_t bytes[2] = {scene_bytes(s, 0).carried, scene_bytes(s, 1).carried};
    size_t connections = s->net.count - before;
    trace_line(s, village, "%llu bytes up, %llu down, %zu connections",
               (unsigned long long)bytes[0], (unsigned long long)bytes[1], connections);
    if (after == 0) memcpy(s->kept, bytes, sizeof bytes);
    if (after > 0 && after < s->kept[way] && s->trace.happened[HAPPENED_CUT_BY_BYTES] == 0)
        sim_fail(s, "nothing was cut");
    if (bytes[0] + bytes[1] > s->kept[0] + s->kept[1] + RESUME_EXTRA)
        sim_fail(s, "%llu bytes were sent again, after a cut at byte %llu",
                 (unsigned long long)(bytes[0] + bytes[1] - s->kept[0] - s->kept[1]),
                 (unsigned long long)after);
    check_end(s);
}

static void resume_up(struct sim *s, uint64_t after)
{
    resume(s, &s->nodes[1], 0, after);
}

static void resume_receipts(struct sim *s, uint64_t after)
{
    resume(s, &s->nodes[1], 1, after);
}

static void resume_down(struct sim *s, uint64_t after)
{
    resume(s, &s->nodes[SIM_HUB], 1, after);
}

/* --- overtaking: an urgent event in the middle of a long backlog --- */

enum {
    OVERTAKE_BACKLOG = 600,
    /* What is left of the run on the line, the one after it; the way there; the event itself. */
    OVERTAKE_MS = 2 * 2000 + 300 + 200,
    OVERTAKE_FIRST_S = 6,     /* no receipt has come by then, so the rate is not known */
    OVERTAKE_FIRST_MS = 3000, /* and 48 KiB are on their way, not 32 */
};

static void overtake(struct sim *s, uint64_t after_s)
{
    const struct net_line line = scene_line(64000, 300);
    struct sim_node *village = &s->nodes[1], *hub = &s->nodes[SIM_HUB];
    struct recorded recorded, urgent;
    const uint64_t limit_ms = OVERTAKE_MS + (after_s < OVERTAKE_FIRST_S ? OVERTAKE_FIRST_MS : 0);
    scene_begin(s, &line);
    for (int i = 0; i < OVERTAKE_BACKLOG; i++) scene_register(village, LANE_NORMAL, 300, &recorded);
    scene_contact(village);
    story_run(s, s->now_ms + SECONDS(after_s));
    uint64_t then = s->now_ms;
    scene_register(village, LANE_URGENT, 100, &urgent);
    while (!scene_holds(hub, &urgent)) story_run(s, s->now_ms + 20);
    trace_line(s, village, "the urgent event arrived after %llu ms",
               (unsigned long long)(s->now_ms - then));
    if (s->now_ms - then > limit_ms)
        sim_fail(s, "the urgent event took %llu ms", (unsigned long long)(s->now_ms - then));
    if (scene_holds(hub, &recorded)) sim_fail(s, "there was no backlog to overtake");
    scene_settle(s, MINUTES(5));
    check_end(s);
}

/* --- half open: neither end is told --- */

/* A sign of life may stand behind the largest frame, and an end that only receives knows no rate:
 * it grants the time that 80 KiB take at 9.6 kbit/s. */
enum { HALF_OPEN_SLACK_MS = 70000 };

/* number 0: nothing to send for an hour; 1: in the middle of a backlog. */
static void half_open(struct sim *s, uint64_t number)
{
    const struct net_line line = scene_line(64000, 300);
    const bool busy = number == 1;
    const uint64_t limit_ms =
        2000 * (uint64_t)(busy ? BEAT_BUSY_S : BEAT_IDLE_S) + HALF_OPEN_SLACK_MS;
    struct sim_node *village = &s->nodes[1];
    struct recorded recorded;
    scene_begin(s, &line);
    for (int i = 0; busy && i < OVERTAKE_BACKLOG; i++)
        scene_register(village, LANE_NORMAL, 300, &recorded);
    scene_contact(village);
    story_run(s, s->now_ms + (busy ? SECONDS(15) : HOURS(1)));
    const struct conn *c = &s->net.conns[s->net.count - 1];
    village->contact_to = s->now_ms; /* a new connection would tell the hub */
    uint64_t then = s->now_ms;
    net_hole(s, village);
    for (int end = 0; end < 2; end++) {
        while (c->end[end] != NULL && s->now_ms - then <= limit_ms) story_run(s, s->now_ms + 100);
        if (c->end[end] != NULL)
            sim_fail(s, "the %s has not noticed a dead line for %llu s",
                     end == 0 ? "village" : "hub", (unsigned long long)limit_ms / 1000);
    }
    trace_line(s, NULL, "both have noticed after %llu s",
               (unsigned long long)(s->now_ms - then) / 1000);
    scene_contact(village);
    scene_settle(s, MINUTES(5));
    check_end(s);
}

/* --- idle: a day of a connection that has nothing to do --- */

enum { IDLE_DAY_BYTES = 50000 };

static void idle(struct sim *s, uint64_t number)
{
    const struct net_line line = scene_line(64000, 300);
    (void)number;
    scene_begin(s, &line);
    scene_contact(&s->nodes[1]);
    scene_settle(s, MINUTES(5));
    size_t connections = s->net.count;
    uint64_t before = scene_bytes(s, 0).carried + scene_bytes(s, 1).carried;
    story_run(s, s->now_ms + DAYS(1));
    uint64_t spent = scene_bytes(s, 0).carried + scene_bytes(s, 1).carried - before;
    trace_line(s, NULL, "an idle day: %llu bytes", (unsigned long long)spent);
    if (s->net.count != connections) sim_fail(s, "an idle connection ended");
    if (spent == 0 || spent > IDLE_DAY_BYTES)
        sim_fail(s, "an idle day is %llu bytes", (unsigned long long)spent);
    check_end(s);
}

/* --- crumbs: 2 KiB each way, then a cut --- */

enum { CRUMB = 2048, CRUMB_BACKLOG = 200, CRUMB_LARGE = 35 * 1024 };

/* number 0: a backlog; 1: one event of 48 KiB. At least a third of a connection must be of use. */
static void crumbs(struct sim *s, uint64_t number)
{
    struct net_line line = scene_line(9600, 300);
    struct sim_node *village = &s->nodes[1];
    struct recorded recorded;
    for (int way = 0; way < 2; way++) line.way[way].cut_bytes = CRUMB;
    scene_begin(s, &line);
    if (number == 0)
        for (int i = 0; i < CRUMB_BACKLOG; i++)
            scene_register(village, LANE_NORMAL, 100, &recorded);
    else
        scene_register(village, LANE_NORMAL, CRUMB_LARGE, &recorded);
    size_t size = number == 0 ? CRUMB_BACKLOG * 180 : CRUMB_LARGE;
    size_t before = s->net.count, most = size / (CRUMB / 3);
    scene_contact(village);
    while (!scene_holds(&s->nodes[SIM_HUB], &recorded)) {
        if (s->net.count - before > most)
            sim_fail(s, "%zu connections of %d bytes were not enough", most, CRUMB);
        story_run(s, s->now_ms + SECONDS(1));
    }
    trace_line(s, village, "%zu connections of %d bytes", s->net.count - before, CRUMB);
    scene_settle(s, HOURS(1));
    check_end(s);
}

/* --- fleet: some villages for some days --- */

static void small_fleet(struct sim *s, uint64_t number)
{
    s->story.state += number;
    fleet_play(s, &(struct fleet_options){.days = 3, .records_a_day = 24});
}

const struct scene scenes[] = {
    {"resume-up", 1, 0, RESUME_SIZE + 4096, 1021, resume_up, NULL},
    {"resume-receipts", 1, 0, 1500, 97, resume_receipts, NULL},
    {"resume-down", 1, 0, RESUME_SIZE + 4096, 1021, resume_down, NULL},
    {"overtake", 1, 4, 20, 4, overtake, NULL},
    {"half-open", 1, 0, 1, 1, half_open, NULL},
    {"idle-day", 1, 0, 0, 1, idle, NULL},
    {"crumbs", 1, 0, 1, 1, crumbs, NULL},
    {"floods", 2, 0, FLOODS, 1, flood_play, NULL},
    {"copies", 3, 1, COPIES_CASES, 20, copies_play, copies_print},
    {"courier", SIM_VILLAGES_MAX, 1, 4, 1, rounds_play, rounds_print},
    {"fleet", 8, 1, 4, 1, small_fleet, NULL},
};
const size_t scene_count = sizeof scenes / sizeof scenes[0];
