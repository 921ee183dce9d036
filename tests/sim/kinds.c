/* Which kinds of faults a seed has, and those that are of no other file: lines that go in turn,
 * lines that carry one way alone, clocks that jump. */
#include "tests/sim/kinds.h"

#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

enum { LEFT_OUT_PERCENT = 25 };

static const char *const texts[] = {
#define SIM_KIND_TEXT(code, text) text,
    SIM_KINDS(SIM_KIND_TEXT)
#undef SIM_KIND_TEXT
};

void kinds_draw(struct sim *s)
{
    char line[256];
    size_t size = 0;
    s->faults.state = s->seed * 11 + 6;
    for (int i = 0; i < KIND_COUNT; i++) {
        if (rng_chance(&s->faults, LEFT_OUT_PERCENT)) continue;
        s->kinds |= 1u << i;
        size += (size_t)snprintf(line + size, sizeof line - size, " %s", texts[i]);
    }
    trace_line(s, NULL, "kinds:%s", line);
}

bool kinds_has(const struct sim *s, enum sim_kind kind)
{
    return s->kinds >> kind & 1;
}

static void later(struct sim *s, uint64_t min_ms, uint64_t max_ms, size_t a,
                  void (*call)(struct sim *s, size_t a))
{
    story_schedule(s, rng_between(&s->faults, min_ms, max_ms),
                   (struct step){.type = STEP_CALL, .a = a, .call = call});
}

static size_t any_village(struct sim *s)
{
    return 1 + rng_below(&s->faults, s->node_count - 1);
}

/* --- swizzled: some lines go one after the other, and come back in another order ---------- */

static void line_back(struct sim *s, size_t a)
{
    s->nodes[a].barred = false;
    story_schedule(s, 0, (struct step){.type = STEP_DIAL, .a = a});
}

static void line_gone(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a];
    if (s->quiet) return;
    n->barred = true;
    net_cut(s, n, kinds_has(s, KIND_HALF_OPEN) && rng_chance(&s->faults, 50));
    later(s, HOURS(1), HOURS(3), a, line_back);
}

static void swizzle(struct sim *s, size_t a)
{
    (void)a;
    if (s->quiet) return;
    trace_happened(s, HAPPENED_SWIZZLED);
    trace_line(s, NULL, "lines go, one after the other");
    for (size_t i = 1; i < s->node_count; i++)
        if (rng_chance(&s->faults, 40)) later(s, 0, HOURS(1), i, line_gone);
    later(s, DAYS(1), DAYS(9), 0, swizzle);
}

/* --- one way alone ------------------------------------------------------------------------ */

static void one_way(struct sim *s, size_t a)
{
    if (s->quiet) return;
    if (net_one_way(s, &s->nodes[a], (int)rng_below(&s->faults, 2)))
        trace_happened(s, HAPPENED_ONE_WAY);
}

static void one_way_now_and_then(struct sim *s, size_t a)
{
    one_way(s, a);
    later(s, MINUTES(10), HOURS(6), any_village(s), one_way_now_and_then);
}

/* --- clocks ------------------------------------------------------------------------------- */

#define WALL_MAX_MS UINT64_C(4294967296000) /* 2106: where 32 bits of seconds end */

static void clock_back(struct sim *s, size_t a)
{
    s->nodes[a].clock_error_ms = 0;
    trace_line(s, &s->nodes[a], "has the right time again");
}

/* To any time from 1970 to 2106, until somebody sets it right. */
static void clock_jumps(struct sim *s, size_t a)
{
    struct sim_node *n = &s->nodes[a];
    if (s->quiet) return;
    const uint64_t wall_ms = rng_below(&s->faults, WALL_MAX_MS);
    n->clock_error_ms = (int64_t)wall_ms - (int64_t)(SIM_EPOCH_MS + s->now_ms);
    trace_happened(s, HAPPENED_CLOCK_JUMP);
    trace_line(s, n, "has another time: %+lld days",
               (long long)n->clock_error_ms / (int64_t)DAYS(1));
    later(s, HOURS(1), DAYS(3), a, clock_back);
}

void kinds_schedule(struct sim *s)
{
    if (kinds_has(s, KIND_SWIZZLE)) later(s, HOURS(1), DAYS(5), 0, swizzle);
    if (kinds_has(s, KIND_ONE_WAY)) later(s, 0, HOURS(6), any_village(s), one_way_now_and_then);
    for (int i = 0; kinds_has(s, KIND_CLOCK_JUMPS) && i < 3; i++)
        later(s, 0, DAYS(s->days), any_village(s), clock_jumps);
}
