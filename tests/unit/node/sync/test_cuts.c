/*
 * Two nodes on a link that is cut at any byte, processes that are killed, rows of memory that are
 * stale or lost, runs and receipts that cannot be taken at the moment: whatever comes, both hold
 * the same in the end, nobody is refused, and no more bytes pass than each cut excuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/rng.h"
#include "tests/support/sides.h"

#include <stdlib.h>
#include <string.h>

#define SEEDS 400u
#define CONTACTS_MAX 60u
#define EVENT_BYTES 200u
#define RESTS_WITHIN_MS 60000u /* well below what an unanswered run is given */
/* What a contact may cost beside what it brings across: HELLOs, receipts, WANTs, the piece that was
 * cut; now and then a flight that came in vain, for memory was lost or its events came by another
 * way. */
#define FLIGHT_BYTES KIB(16)
#define CONTACT_BYTES_MAX KIB(6)
#define CONTACT_BYTES_MEAN 1250u

/* What a node remembers of the other; `row` is as the store has it. */
struct row {
    bool known, cut;
    uint64_t cut_bytes, credit, rate_bps, rtt_ms;
    struct have_entry have[64], shown[64];
    size_t have_count, shown_count;
    struct session_unfinished in;
    struct session_outgoing out[OUTGOING_MAX];
    size_t out_count;
    struct buf in_bytes, out_bytes[OUTGOING_MAX];
};

struct node {
    struct side *side;
    struct row live, row;
    uint64_t budget; /* bytes that pass before the cut */
};

static struct world {
    struct rng rng;
    uint64_t seed, contacts, bytes;
    struct node nodes[2];
} w;

static struct node *node_of(const struct side *s)
{
    return &w.nodes[s == w.nodes[1].side];
}

/* --- memory --- */

static void copy_bytes(struct slice *out, struct buf *to, struct slice from)
{
    buf_reset(to);
    buf_append_slice(to, from);
    assert_int_equal(to->err, OK);
    *out = buf_slice(to);
}

/* What a commit writes now. */
static void flush(struct node *n)
{
    struct row *to = &n->row, old = n->row;
    struct session_unfinished in;
    struct session_outgoing out;
    *to = n->live;
    to->in = (struct session_unfinished){0};
    to->in_bytes = old.in_bytes;
    memcpy(to->out_bytes, old.out_bytes, sizeof to->out_bytes);
    to->out_count = 0;
    if (session_unfinished(n->side->session, &in)) {
        to->in = in;
        copy_bytes(&to->in.bytes, &to->in_bytes, in.bytes);
    }
    for (size_t i = 0; session_outgoing(n->side->session, i, &out); i++) {
        to->out[i] = out;
        copy_bytes(&to->out[i].frame, &to->out_bytes[i], out.frame);
        to->out_count++;
    }
}

static void remember(struct have_entry *have, size_t *count, const struct session_action *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (memcmp(have[i].feed.id8, a->feed.id8, sizeof a->feed.id8) != 0) have[kept++] = have[i];
    for (size_t i = 0; i < a->point_count; i++) {
        assert_true(kept < 64);
        have[kept] = (struct have_entry){.seq = a->points[i].seq};
        memcpy(have[kept].feed.id8, a->feed.id8, sizeof a->feed.id8);
        memcpy(have[kept++].id8, a->points[i].id8, sizeof a->points[i].id8);
    }
    *count = kept;
}

static void acted(struct side *s, const struct session_action *a)
{
    struct node *n = node_of(s);
    if (a->type == SESSION_ARRIVED) remember(n->live.have, &n->live.have_count, a);
    if (a->type == SESSION_SHOWN) remember(n->live.shown, &n->live.shown_count, a);
    if (a->type == SESSION_PEER) {
        n->live.known = true;
        n->live.credit = a->hello.credit;
    }
    if (a->type == SESSION_STORE && rng_chance(&w.rng, 50)) flush(n);
}

static void forget_all(struct node *n)
{
    for (size_t i = 0; i < OUTGOING_MAX; i++) buf_clear(&n->row.out_bytes[i]);
    buf_clear(&n->row.in_bytes);
    n->row = (struct row){0};
}

static void begin_session(struct node *n, bool connecting)
{
    const struct row *r = &n->row;
    const struct session_memory memory = {.known = r->known,
                                          .have = r->have,
                                          .have_count = r->have_count,
                                          .shown = r->shown,
                                          .shown_count = r->shown_count,
                                          .cut = r->cut,
                                          .cut_bytes = r->cut_bytes,
                                          .unfinished = r->in,
                                          .outgoing = r->out,
                                          .outgoing_count = r->out_count,
                                          .credit = r->credit,
                                          .rate_bps = r->rate_bps,
                                          .rtt_ms = r->rtt_ms};
    n->side->inbox_at = n->side->inbox_count = 0;
    n->side->ended = false;
    side_start(n->side, connecting, &memory);
    n->live = n->row;
}

static void end_session(struct node *n, bool killed)
{
    struct session_status status;
    session_status(n->side->session, &status);
    assert_int_equal(n->side->refuses, 0);
    assert_false(n->side->ended);
    if (status.greeted) {
        n->live.cut = !status.idle;
        n->live.cut_bytes = status.passed_bytes;
    }
    n->live.rate_bps = status.rate_bps;
    n->live.rtt_ms = status.rtt_ms;
    if (!killed) flush(n);
    side_stop(n->side);
}

/* --- the link --- */

static void pass_time(uint64_t ms)
{
    for (size_t i = 0; i < 2; i++) w.nodes[i].side->now_ms += ms;
}

/* One frame of `from`; false when it or what comes after it is cut off. */
static bool pass_frame(struct node *from, struct node *to, uint64_t rate_bps)
{
    struct side *s = from->side;
    struct buf *frame = &s->inbox[s->inbox_at];
    bool passes = frame->size <= from->budget;
    from->budget -= passes ? frame->size : from->budget;
    if (!passes) return false;
    w.bytes += frame->size;
    pass_time(frame->size * 8000 / rate_bps + 1);
    session_frame(to->side->session, buf_slice(frame), to->side->now_ms);
    side_act(to->side); /* STORE borrows from the frame */
    buf_clear(frame);
    s->inbox_at++;
    return true;
}

static void tick(struct node *n)
{
    session_tick(n->side->session, n->side->now_ms);
    side_act(n->side);
}

static bool waiting(const struct node *n)
{
    return n->side->inbox_at < n->side->inbox_count;
}

static bool both_idle(void)
{
    return side_idle(w.nodes[0].side) && side_idle(w.nodes[1].side);
}

/* --- what people do --- */

static void show(struct node *n, size_t feed)
{
    struct session_feed shown;
    if (!n->side->session) return;
    side_describe(n->side, feed, &shown);
    session_heads(n->side->session, &shown, n->side->now_ms);
    side_act(n->side);
}

/* New events; or some that came to the one who lacks them by another way, on a stick say. */
static void something_happens(void)
{
    size_t feed = rng_below(&w.rng, SIDE_FEEDS), author = feed % 2;
    bool brought = rng_chance(&w.rng, 20);
    struct node *n = &w.nodes[brought ? 1 - author : author];
    uint64_t all = w.nodes[author].side->feeds[feed].top[0];
    uint64_t had = n->side->feeds[feed].top[0];
    uint64_t top = brought ? rng_between(&w.rng, had, all) : had + rng_between(&w.rng, 1, 12);
    if (top == had) return;
    side_hold(n->side, feed, top);
    show(n, feed);
}

static void be_in_trouble(bool may)
{
    for (size_t i = 0; i < 2; i++) {
        struct side *s = w.nodes[i].side;
        bool store = may && rng_chance(&w.rng, 3), receipt = may && rng_chance(&w.rng, 3);
        s->store_err = store ? rng_chance(&w.rng, 50) ? ERR_BASE : ERR_DICTIONARY : OK;
        s->receipt_err = receipt ? ERR_NOT_FOUND : OK;
    }
}

/* One connection until it is cut. `last`: it is not, and comes to rest. */
static void contact(bool last)
{
    uint64_t rate_bps = rng_chance(&w.rng, 70) ? 9600 : 400000, quiet_ms = 0;
    for (size_t i = 0; i < 2; i++) {
        uint64_t most = rng_chance(&w.rng, 50) ? 1500 : 12000;
        w.nodes[i].budget = last ? UINT64_MAX : rng_below(&w.rng, most);
        begin_session(&w.nodes[i], i == 0);
    }
    for (size_t i = 0; i < 2; i++) side_act(w.nodes[i].side);
    for (bool up = true; up;) {
        be_in_trouble(!last);
        if (!last && rng_chance(&w.rng, 2)) something_happens();
        struct node *from = &w.nodes[rng_below(&w.rng, 2)], *to = &w.nodes[from == &w.nodes[0]];
        if (waiting(from)) {
            quiet_ms = 0;
            up = pass_frame(from, to, rate_bps);
        } else if (!waiting(to)) {
            if (both_idle() || (!last && rng_chance(&w.rng, 5))) break;
            pass_time(500);
            quiet_ms += 500;
            if (quiet_ms > RESTS_WITHIN_MS)
                fail_msg("seed %llu: stalled", (unsigned long long)w.seed);
            tick(from);
            tick(to);
        }
    }
    for (size_t i = 0; i < 2; i++) end_session(&w.nodes[i], !last && rng_chance(&w.rng, 20));
    pass_time(1000);
    for (size_t i = 0; i < 2; i++)
        if (rng_chance(&w.rng, 5)) forget_all(&w.nodes[i]);
}

/* Gives the bytes that passed beside those of the events. */
static uint64_t live_through(uint64_t seed)
{
    uint64_t data = 0;
    w = (struct world){.rng = {seed}, .seed = seed};
    w.contacts = 2 + rng_below(&w.rng, CONTACTS_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct side *s = w.nodes[i].side = side_new(i ? "hub" : "village");
        s->event_bytes = EVENT_BYTES;
        s->acted = acted;
        if (rng_chance(&w.rng, 70)) w.nodes[i].row.rate_bps = 9600;
        for (size_t f = i; f < SIDE_FEEDS; f += 2)
            if (rng_chance(&w.rng, 80)) side_hold(s, f, rng_between(&w.rng, 1, 60));
    }
    for (uint64_t i = 1; i <= w.contacts; i++) {
        if (rng_chance(&w.rng, 30)) something_happens();
        contact(i == w.contacts);
    }
    for (size_t f = 0; f < SIDE_FEEDS; f++) {
        uint64_t top = w.nodes[f % 2].side->feeds[f].top[0];
        assert_int_equal(w.nodes[1 - f % 2].side->feeds[f].top[0], top);
        data += top * EVENT_BYTES;
    }
    if (w.bytes > data + FLIGHT_BYTES + w.contacts * CONTACT_BYTES_MAX)
        fail_msg("seed %llu: %llu bytes for %llu", (unsigned long long)seed,
                 (unsigned long long)w.bytes, (unsigned long long)data);
    for (size_t i = 0; i < 2; i++) {
        assert_false(w.nodes[i].side->confirmed_early);
        forget_all(&w.nodes[i]);
        free(w.nodes[i].side);
    }
    return w.bytes > data ? w.bytes - data : 0;
}

static void all_arrives_whatever_the_link_and_the_power_do(void **state)
{
    (void)state;
    uint64_t cost = 0, contacts = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        cost += live_through(seed);
        contacts += w.contacts;
    }
    print_message("%llu bytes a contact beside the events\n",
                  (unsigned long long)(cost / contacts));
    assert_true(cost / contacts <= CONTACT_BYTES_MEAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrives_whatever_the_link_and_the_power_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
