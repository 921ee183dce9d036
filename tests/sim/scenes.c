#include "node/sync/beat.h"
#include "tests/sim/scene.h"

/* --- resume: 64 KiB, cut after so many bytes --- */

enum {
    RESUME_SIZE = 65536,
    RESUME_EVENTS = 48,
    /* One more cold connection, its HELLOs, and what goes out before the HELLO of the peer. */
    RESUME_EXTRA = 1024 + 60 * 1024,
};

/* The first connection of the exchange breaks when `way` has carried so many bytes; 0: none does.
 */
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
    uint64_t up = scene_bytes(s, 0).carried, down = scene_bytes(s, 1).carried;
    trace_line(s, village, "%llu bytes up, %llu down, %zu connections", (unsigned long long)up,
               (unsigned long long)down, s->net.count - before);
    if (after == 0) {
        s->kept[0] = up;
        s->kept[1] = down;
    } else if (up + down > s->kept[0] + s->kept[1] + RESUME_EXTRA) {
        sim_fail(s, "%llu bytes were sent again, after a cut at byte %llu",
                 (unsigned long long)(up + down - s->kept[0] - s->kept[1]),
                 (unsigned long long)after);
    }
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

/* --- half open: neither end is told --- */

/* A sign of life may stand behind the largest frame and all that is on its way: at the rate that
 * was measured, or at 9.6 kbit/s where none was. */
enum { BUSY_BACKLOG = 600, HALF_OPEN_BUSY_MS = 20000, HALF_OPEN_IDLE_MS = 70000 };

/* number 0: nothing to send for an hour; 1: in the middle of a backlog. */
static void half_open(struct sim *s, uint64_t number)
{
    const struct net_line line = scene_line(64000, 300);
    const bool busy = number == 1;
    const uint64_t limit_ms = busy ? 2000 * (uint64_t)BEAT_BUSY_S + HALF_OPEN_BUSY_MS
                                   : 2000 * (uint64_t)BEAT_IDLE_S + HALF_OPEN_IDLE_MS;
    struct sim_node *village = &s->nodes[1];
    struct recorded recorded;
    scene_begin(s, &line);
    for (int i = 0; busy && i < BUSY_BACKLOG; i++)
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

const struct scene scenes[] = {
    {"resume-up", 1, 0, RESUME_SIZE + 4096, 1021, resume_up},
    {"resume-receipts", 1, 0, 1500, 97, resume_receipts},
    {"resume-down", 1, 0, RESUME_SIZE + 4096, 1021, resume_down},
    {"half-open", 1, 0, 1, 1, half_open},
    {"idle-day", 1, 0, 0, 1, idle},
};
const size_t scene_count = sizeof scenes / sizeof scenes[0];
