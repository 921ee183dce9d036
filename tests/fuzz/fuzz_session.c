/*
 * A session and a hostile peer: each byte of the input chooses what comes next, a frame, the answer
 * to a request, time. Whatever it is, what the session counts stays true and what it keeps bounded.
 */
#include "node/sync/state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FEEDS 3u
#define RUN_FRAMES 4u
#define STEPS_MAX 4096u

static void must(bool holds)
{
    if (!holds) abort();
}

struct play {
    const uint8_t *data;
    size_t size, at;
    struct session *session;
    uint64_t now_ms, counter;
    uint64_t tops[FEEDS];
};

/* 0 where nothing is left. */
static uint8_t pick(struct play *p)
{
    return p->at < p->size ? p->data[p->at++] : 0;
}

static struct session_feed feed_of(const struct play *p, size_t i)
{
    struct session_feed f = {.feed = {.scope = scope_town(), .lane = (uint8_t)(i % LANE_COUNT)},
                             .own = i != 1,
                             .roster = i == 2,
                             .hidden = i == 1,
                             .head_count = 1,
                             .heads = {{.seq = p->tops[i]}}};
    f.feed.author.bytes[0] = (uint8_t)(i + 1);
    feed_id_of(&f.id, &f.feed);
    be64_put(f.heads[0].id.bytes, p->tops[i]);
    return f;
}

static struct want_point point(uint8_t seq)
{
    struct want_point p = {.seq = seq + UINT64_C(1)};
    be64_put(p.id8, p.seq);
    return p;
}

/* --- frames --- */

static void hello_write(struct play *p, struct buf *out)
{
    struct have_entry have[FEEDS];
    uint8_t bits = pick(p);
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .credit = UINT64_C(1) << pick(p) % 48,
                            .complete = bits & 1,
                            .has_unfinished = bits & 2,
                            .unfinished_size = pick(p) * UINT64_C(300)};
    for (size_t i = 0; i < FEEDS; i++) {
        if (!(bits & 4 << i)) continue;
        struct session_feed f = feed_of(p, i);
        struct want_point at = point(pick(p));
        struct have_entry *e = &have[h.have_count++];
        *e = (struct have_entry){.seq = at.seq};
        memcpy(e->feed.id8, f.id.bytes, sizeof e->feed.id8);
        memcpy(e->id8, at.id8, sizeof e->id8);
    }
    have_digest(h.have8, have, h.have_count);
    if (p->session->outgoing_count)
        frame_piece_name(h.unfinished8, p->session->outgoing[0].run.frame);
    frame_hello_write(out, &h, have);
}

static void run_write(struct buf *out, uint8_t which)
{
    static uint8_t payload[RUN_PAYLOAD_SIZE_MAX];
    struct frame_run f = {.feed = {.whole = !(which & 1)},
                          .run = {.base_seq = which & 1 ? which : 0,
                                  .count = 1 + which % 7,
                                  .raw_size = 1,
                                  .payload = slice_of(payload, 1 + (size_t)which * 20)}};
    f.feed.feed.scope = scope_town();
    f.feed.feed.author.bytes[0] = (uint8_t)(which % (FEEDS + 1) + 1);
    f.feed.id8[0] = which;
    frame_run_write(out, &f);
}

static void piece_write(struct play *p, struct buf *out)
{
    struct buf run = {0};
    run_write(&run, (uint8_t)(pick(p) % RUN_FRAMES * 40));
    struct frame_piece f = {.run_size = run.size};
    frame_piece_name(f.run8, buf_slice(&run));
    uint8_t where = pick(p);
    size_t kept = p->session->incoming.done ? 0 : p->session->incoming.bytes.size;
    f.offset = where & 1 ? where : kept; /* mostly it goes on */
    if (f.offset >= run.size) f.offset = 0;
    size_t left = run.size - f.offset, most = 1 + (size_t)pick(p) * 64;
    f.bytes = slice_of(run.data + f.offset, left < most ? left : most);
    if (where == UINT8_MAX) f.run8[0] ^= 1;
    frame_piece_write(out, &f);
    buf_clear(&run);
}

static void want_write(struct play *p, struct buf *out)
{
    uint8_t bits = pick(p);
    struct session_feed feed = feed_of(p, bits % FEEDS);
    struct frame_want f = {.has_feed = bits & 128, .flags = bits >> 2 & 15, .to = pick(p)};
    memcpy(f.feed.id8, feed.id.bytes, sizeof f.feed.id8);
    for (uint8_t left = pick(p) % 4; left > 0; left--) f.points[f.point_count++] = point(pick(p));
    frame_want_write(out, &f);
}

static void receipt_write(struct play *p, struct buf *out)
{
    static const struct receipt_parties parties;
    static const struct sign_seed seed = {{7}};
    struct signer signer;
    struct receipt_entry entries[FEEDS] = {0};
    uint8_t bits = pick(p);
    struct frame_receipt f = {.counter = p->counter += bits >> 7, .credit = pick(p) * KIB(32)};
    for (size_t i = 0; i < FEEDS; i++) {
        if (!(bits & 1 << i)) continue;
        struct session_feed feed = feed_of(p, i);
        struct want_point at = point(pick(p));
        struct receipt_entry *e = &entries[f.entry_count++];
        memcpy(e->feed8, feed.id.bytes, sizeof e->feed8);
        e->seq = at.seq;
        memcpy(e->id.bytes, at.id8, sizeof at.id8);
        e->brief = bits & 8;
    }
    signer_from_seed(&signer, &seed);
    frame_receipt_write(out, &f, entries, &parties, &signer);
}

static void raw_write(struct play *p, struct buf *out)
{
    size_t left = p->size - p->at, size = pick(p);
    if (size > left) size = left;
    buf_append(out, p->data + p->at, size && p->at < p->size ? size - 1 : 0);
    p->at += size;
}

/* --- what the session asks for --- */

static void answer_build(struct play *p, const struct session_action *a)
{
    static const enum err errs[] = {ERR_BASE, ERR_NOT_FOUND, ERR_CORRUPT};
    static uint8_t payload[RUN_PAYLOAD_SIZE_MAX];
    uint8_t how = pick(p);
    uint64_t base = a->point_count ? a->points[0].seq : 0;
    struct session_run built = {.run = {.base_seq = base,
                                        .count = 1 + how % 5,
                                        .raw_size = 1,
                                        .payload = slice_of(payload, 1 + (size_t)how * 40)}};
    if (base) memcpy(built.run.base_id8, a->points[0].id8, sizeof built.run.base_id8);
    built.last_seq = base + built.run.count;
    be64_put(built.last_id.bytes, built.last_seq);
    enum err err = how >= 253 ? errs[how - 253] : OK;
    session_built(p->session, a->ticket, err, err ? NULL : &built, (struct session_points){0},
                  p->now_ms);
}

static void answer_store(struct play *p, const struct session_action *a)
{
    static const enum err errs[] = {OK,        OK,          OK,     ERR_BASE, ERR_DICTIONARY,
                                    ERR_CHAIN, ERR_CORRUPT, ERR_IO, OK,       ERR_UNKNOWN_AUTHOR};
    uint8_t how = pick(p);
    struct session_feed feed = feed_of(p, how % FEEDS);
    bool same = memcmp(feed.id.bytes, a->feed.id8, sizeof a->feed.id8) == 0;
    session_stored(p->session, a->ticket, errs[how % 10], same ? &feed : NULL,
                   (struct session_points){0}, p->now_ms);
}

/* What an action shows can be read. */
static void touch(struct slice bytes)
{
    size_t sum = 0;
    for (size_t i = 0; i < bytes.size; i++) sum += bytes.data[i];
    must(sum <= UINT8_MAX * bytes.size);
}

static void act(struct play *p)
{
    struct session_action a;
    for (unsigned i = 0; session_next(p->session, &a); i++) {
        must(i < STEPS_MAX);
        touch(a.frame);
        touch(a.run.payload);
        if (a.type == SESSION_SEND) must(a.frame.size > 0 && a.frame.size <= FRAME_SIZE_MAX);
        if (a.type == SESSION_BUILD) answer_build(p, &a);
        if (a.type == SESSION_STORE) answer_store(p, &a);
        if (a.type == SESSION_RECEIPT)
            session_receipt_verified(p->session, pick(p) % 8 == 1 ? ERR_NOT_FOUND : OK, p->now_ms);
    }
}

static void must_add_up(const struct session *s)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < s->flight_count; i++) bytes += s->flights[i].size;
    must(bytes == s->unanswered_bytes && bytes <= s->run_bytes_sent);
    must(s->run_bytes_answered <= s->run_bytes_received);
    must(s->incoming.bytes.size <= FRAME_SIZE_MAX);
    must(s->outgoing_count <= OUTGOING_MAX && s->builds_open <= BUILDS_MAX);
    must(s->tracks.count <= 2 * HAVE_ENTRIES_MAX);
    must(s->sent_bytes < UINT64_C(1) << 40 && s->received_bytes < UINT64_C(1) << 40);
    must(s->sent_frames < UINT64_C(1) << 32 && s->received_frames < UINT64_C(1) << 32);
    for (size_t i = 0; i < s->tracks.count; i++) must(!s->tracks.rows[i]->storing || s->ended);
}

/* --- the play --- */

static void hear(struct play *p, void (*write)(struct play *p, struct buf *out))
{
    struct buf frame = {0};
    write(p, &frame);
    must(!frame.err);
    session_frame(p->session, buf_slice(&frame), p->now_ms);
    act(p);
    buf_clear(&frame);
}

static void run_frame(struct play *p, struct buf *out)
{
    run_write(out, pick(p));
}

static void ping_write(struct play *p, struct buf *out)
{
    frame_ping_write(out, pick(p));
}

static void hold_write(struct play *p, struct buf *out)
{
    frame_hold_write(out, pick(p) & 1);
}

static void local_change(struct play *p)
{
    uint8_t how = pick(p);
    struct session_feed feed;
    switch (how % 6) {
    case 0:
        p->now_ms += UINT64_C(1) << how / 6 % 21;
        session_tick(p->session, p->now_ms);
        break;
    case 1:
        p->tops[how / 6 % FEEDS]++;
        feed = feed_of(p, how / 6 % FEEDS);
        session_heads(p->session, &feed, p->now_ms);
        break;
    case 2:
        session_room(p->session, how & 64 ? UINT64_MAX : how / 6 * UINT64_C(1000), p->now_ms);
        break;
    case 3:
        session_ask(p->session, how & 64, p->now_ms);
        break;
    case 4:
        session_grant(p->session, how * KIB(8));
        break;
    default:
        session_partial(p->session, how, p->now_ms);
        break;
    }
    act(p);
}

static void begin(struct play *p)
{
    static uint8_t bytes[3000];
    uint8_t how = pick(p);
    struct session_feed feeds[FEEDS];
    for (size_t i = 0; i < FEEDS; i++) {
        p->tops[i] = 1 + how % 16;
        feeds[i] = feed_of(p, i);
    }
    struct session_outgoing out = {
        .last = point(how % 16), .count = 1, .frame = slice_of(bytes, 3000)};
    memcpy(out.id8, feeds[how & 1].id.bytes, sizeof out.id8);
    const struct session_options options = {
        .connecting = how & 16,
        .software = "fuzz",
        .window = CREDIT_DEFAULT,
        .limited = how & 64,
        .memory = {.known = how & 32,
                   .cut = how & 128,
                   .rate_bps = how & 8 ? 9600 : 0,
                   .unfinished = {.run_size = 5000, .bytes = slice_of(bytes, how & 4 ? 1000 : 0)},
                   .outgoing = &out,
                   .outgoing_count = how & 2 ? 1 : 0}};
    must(session_open(&p->session, &options, feeds, FEEDS, p->now_ms) == OK);
    act(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const frames[])(struct play * p, struct buf * out) = {
        hello_write, run_frame,  piece_write, want_write, receipt_write,
        ping_write,  hold_write, raw_write,   piece_write};
    static bool ready;
    if (!ready) must(crypto_init() == OK);
    ready = true;
    struct play p = {.data = data, .size = size, .now_ms = 1, .counter = 1};
    begin(&p);
    for (unsigned i = 0; i < STEPS_MAX && p.at < p.size && !p.session->ended; i++) {
        uint8_t what = pick(&p) % 12;
        if (what < sizeof frames / sizeof frames[0])
            hear(&p, frames[what]);
        else
            local_change(&p);
        must_add_up(p.session);
    }
    session_close(p.session);
    return 0;
}
