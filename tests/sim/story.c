#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* --- steps: a binary heap by time, then by order of scheduling --- */

static bool step_before(const struct step *a, const struct step *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void step_swap(struct step *a, struct step *b)
{
    struct step c = *a;
    *a = *b;
    *b = c;
}

void story_schedule(struct sim *s, uint64_t in_ms, struct step step)
{
    if (s->step_count == s->step_capacity) {
        s->step_capacity = s->step_capacity == 0 ? 256 : s->step_capacity * 2;
        s->steps = realloc(s->steps, s->step_capacity * sizeof *s->steps);
        if (s->steps == NULL) abort();
    }
    step.at = s->now_ms + in_ms;
    step.order = s->step_order++;
    size_t i = s->step_count++;
    s->steps[i] = step;
    for (; i > 0 && step_before(&s->steps[i], &s->steps[(i - 1) / 2]); i = (i - 1) / 2)
        step_swap(&s->steps[i], &s->steps[(i - 1) / 2]);
}

static struct step step_take(struct sim *s)
{
    struct step first = s->steps[0];
    s->steps[0] = s->steps[--s->step_count];
    for (size_t i = 0;;) {
        size_t least = i, left = 2 * i + 1, right = left + 1;
        if (left < s->step_count && step_before(&s->steps[left], &s->steps[least])) least = left;
        if (right < s->step_count && step_before(&s->steps[right], &s->steps[least])) least = right;
        if (least == i) return first;
        step_swap(&s->steps[i], &s->steps[least]);
        i = least;
    }
}

/* --- contacts --- */

static bool in_contact(const struct sim_node *n)
{
    return n->index != SIM_HUB && n->alive && !n->barred && n->contact_to > n->sim->now_ms;
}

static void dial(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (!in_contact(n) || n->dialled != NULL) return;
    struct box_key hub, own;
    trust_dial_keys(n, &hub, &own);
    n->dialled = net_dial(s, n, &hub, &own);
    SIM_OK(s, exchange_add_link(n->exchange, n->dialled, true));
}

/* A link whose session is over is thrown away and made again after a while. */
static void renew(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct exchange_link state;
    if (!n->alive || n->dialled == NULL) return;
    exchange_link(n->exchange, n->dialled, &state);
    if (state.state != EXCHANGE_LINK_ENDED) return;
    trace_line(s, n, "link ended: %s, %s%s", err_text(state.err), state.refused ? "refused: " : "",
               state.text);
    if (state.err == ERR_FORBIDDEN) n->dial_at++; /* one of its keys is another one by now */
    if (state.refused != 0 && state.refused != REFUSE_BUSY && !n->revoked)
        sim_fail(s, "%s was refused by the hub: %s", n->name, state.text);
    exchange_remove_link(n->exchange, n->dialled);
    n->dialled->ops->close(n->dialled);
    n->dialled = NULL;
    story_schedule(s, rng_between(&s->network, SECONDS(5), SECONDS(60)),
                   (struct step){.type = STEP_DIAL, .a = (size_t)n->index});
}

static void turn(struct sim_node *n)
{
    node_turn(n);
    renew(n);
}

static void contact(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (s->quiet) return;
    uint64_t length = rng_chance(&s->network, 25) ? rng_between(&s->network, 500, SECONDS(30))
                                                  : rng_between(&s->network, SECONDS(30), HOURS(2));
    struct step cut = {.type = STEP_CUT, .a = (size_t)n->index};
    n->contact_to = s->now_ms + length;
    trace_line(s, n, "contact for %llu s", (unsigned long long)(length / 1000));
    dial(n);
    cut.b = rng_chance(&s->network, 30);
    story_schedule(s, length, cut);
    if (rng_chance(&s->network, 50) && kinds_has(s, KIND_CUTS)) {
        cut.b = rng_chance(&s->network, 40);
        story_schedule(s, rng_below(&s->network, SECONDS(40)), cut);
    }
    story_schedule(s, rng_between(&s->network, HOURS(4), HOURS(60)) * (n->remote ? 6 : 1),
                   (struct step){.type = STEP_CONTACT, .a = (size_t)n->index});
}

/* --- faults and work --- */

static void crash(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct step again = {.a = (size_t)n->index};
    if (s->quiet || !n->alive) return;
    uint64_t back = rng_between(&s->story, SECONDS(5), HOURS(6));
    switch (rng_below(&s->story, 3)) {
    case 0: /* at a send to come, when everything committed is not yet told */
        n->crash_after_sends = (unsigned)rng_between(&s->story, 1, 12);
        return;
    case 1:
        node_crash(n);
        break;
    default:
        node_stop(n);
        trace_happened(s, HAPPENED_CLEAN_RESTART);
        break;
    }
    again.type = STEP_START;
    story_schedule(s, back, again);
}

static void start(struct sim_node *n)
{
    if (n->alive || n->absent) return;
    trace_line(n->sim, n, "starts");
    node_open(n);
    dial(n);
    turn(n);
}

static void work(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (s->quiet) return;
    if (n->alive && n->index == SIM_HUB) work_hub(n);
    if (n->alive && n->index != SIM_HUB) work_village(n);
    uint64_t next = n->index == SIM_HUB ? rng_between(&s->story, HOURS(1), HOURS(8))
                                        : rng_between(&s->story, HOURS(4), DAYS(2));
    story_schedule(s, next, (struct step){.type = STEP_WORK, .a = (size_t)n->index});
}

/* --- playing --- */

static void turn_end(struct sim *s, size_t conn, int end)
{
    struct sim_node *n = net_node(s, conn, end);
    if (n != NULL) turn(n);
}

static void step_play(struct sim *s, struct step *step)
{
    struct sim_node *n = step->a < s->node_count ? &s->nodes[step->a] : NULL;
    const bool of_node = step->type >= STEP_DIAL && step->type <= STEP_WORK;
    if (of_node && n == NULL) return; /* a second one that was given up */
    switch (step->type) {
    case STEP_ARRIVE: {
        bool took, room = net_arrive(s, step->a, step->b, &took);
        if (took) turn_end(s, step->a, 1 - step->b);
        if (room) turn_end(s, step->a, step->b);
        break;
    }
    case STEP_DOWN:
        n = net_node(s, step->a, step->b);
        net_down(s, step->a, step->b);
        if (n != NULL) turn(n);
        break;
    case STEP_SILENT:
        net_silent(s, step->a, step->b);
        break;
    case STEP_DIAL:
        dial(n);
        break;
    case STEP_CONTACT:
        contact(n);
        break;
    case STEP_CUT:
        if (!s->quiet) net_cut(s, n, step->b != 0 && kinds_has(s, KIND_HALF_OPEN));
        break;
    case STEP_CRASH:
        crash(n);
        break;
    case STEP_START:
        start(n);
        break;
    case STEP_WORK:
        work(n);
        break;
    case STEP_CHECK:
        check_arrived(s);
        story_schedule(s, DAYS(1), (struct step){.type = STEP_CHECK});
        break;
    case STEP_CALL:
        step->call(s, step->a);
        break;
    }
}

static struct sim_node *next_to_wake(struct sim *s)
{
    struct sim_node *next = NULL;
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].alive && (next == NULL || s->nodes[i].wake_at < next->wake_at))
            next = &s->nodes[i];
    return next;
}

void story_run(struct sim *s, uint64_t until_ms)
{
    for (;;) {
        struct sim_node *n = next_to_wake(s);
        uint64_t wake = n != NULL ? n->wake_at : UINT64_MAX;
        uint64_t step = s->step_count > 0 ? s->steps[0].at : UINT64_MAX;
        uint64_t next = wake < step ? wake : step;
        if (next > until_ms) break;
        if (next > s->now_ms) s->now_ms = next;
        if (wake < step) {
            turn(n);
        } else {
            struct step taken = step_take(s);
            step_play(s, &taken);
        }
    }
    s->now_ms = until_ms;
}

static void schedule_all(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        struct step step = {.type = STEP_WORK, .a = i};
        story_schedule(s, rng_below(&s->story, DAYS(2)), step);
        step.type = STEP_CONTACT;
        if (i != SIM_HUB) story_schedule(s, rng_below(&s->network, DAYS(1)), step);
        step.type = STEP_CRASH;
        const bool crashes = kinds_has(s, i == SIM_HUB ? KIND_HUB_CRASHES : KIND_CRASHES);
        for (int times = i == SIM_HUB ? 6 : 2; crashes && times > 0; times--)
            story_schedule(s, rng_below(&s->story, DAYS(s->days)), step);
        if (i != SIM_HUB && rng_chance(&s->story, 15) && kinds_has(s, KIND_WRONG_CLOCKS)) {
            int64_t years = (int64_t)rng_between(&s->story, 0, 4) - 2;
            n->clock_error_ms = years * (int64_t)DAYS(365) + (int64_t)MINUTES(17);
            trace_happened(s, HAPPENED_WRONG_CLOCK);
        }
    }
    story_schedule(s, DAYS(1), (struct step){.type = STEP_CHECK});
    trust_schedule(s);
    if (kinds_has(s, KIND_ROLL_BACK)) roll_back_schedule(s);
    if (kinds_has(s, KIND_STICKS)) sticks_schedule(s);
    if (kinds_has(s, KIND_CLONES) && !kinds_has(s, KIND_THEFT))
        clones_schedule(s); /* it would be one more thief */
    erase_schedule(s);
    kinds_schedule(s);
}

/* All links up, nobody dies any more: soon all must agree. */
static void settle(struct sim *s)
{
    s->quiet = true;
    trace_line(s, NULL, "all links are up");
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        n->contact_to = UINT64_MAX;
        n->crash_after_sends = 0;
        n->barred = false;
        start(n);
        dial(n);
    }
    for (int i = 0; i < 72; i++) {
        story_run(s, s->now_ms + MINUTES(20));
        erase_tidy(s);
        if (check_agreement(s, false) && erase_done(s)) break;
    }
    check_end(s);
    erase_check(s);
}

void story_begin(struct sim *s)
{
    crypto_hasher_begin(&s->trace.hasher, "sidan/sim");
    s->story.state = s->seed * 3 + 1;
    s->network.state = s->seed * 3 + 2;
    s->keys.state = s->seed * 3 + 3;
    s->erase = erase_begin();
    crypto_random_source(rng_crypto_source, &s->keys);
}

void story_play(struct sim *s)
{
    sim_cheap_runs();
    s->quiet = true;
    township_found(s);
    s->quiet = false;
    kinds_draw(s);
    schedule_all(s);
    story_run(s, s->now_ms + DAYS(s->days));
    while (clones_are_there(s)) story_run(s, s->now_ms + HOURS(6));
    settle(s);
}

void story_end(struct sim *s, struct hash *hash)
{
    for (size_t i = 0; i < s->node_count; i++) {
        node_stop(&s->nodes[i]);
        free(s->nodes[i].receipted);
        free(s->nodes[i].acknowledged);
    }
    free(s->steps);
    trust_end(s);
    roll_back_end(s);
    clones_end(s);
    sticks_end(s);
    erase_end(s);
    net_clear(s);
    crypto_random_source(NULL, NULL);
    crypto_hasher_end(&s->trace.hasher, hash);
}
