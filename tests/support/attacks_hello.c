/* HELLO, and what a session may do without a RUN or a RECEIPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include "node/sync/state.h"

#include <string.h>

/* --- frames --------------------------------------------------------------------------------- */

void frame_too_large(const struct attack *a)
{
    struct buf frame = {0};
    (void)a;
    enemy_says_hello();
    memset(buf_reserve(&frame, FRAME_SIZE_MAX + 1), 0xc0, FRAME_SIZE_MAX + 1);
    buf_advance(&frame, FRAME_SIZE_MAX + 1);
    enemy_sends(&frame);
}

void frame_garbled(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    pipe_inject(scene.enemy_pipe, slice_of_text("\x9b\x02\xc4"));
}

void frame_nested(const struct attack *a)
{
    uint8_t arrays[4000];
    (void)a;
    memset(arrays, 0x91, sizeof arrays);
    arrays[sizeof arrays - 1] = 0xc0;
    enemy_says_hello();
    pipe_inject(scene.enemy_pipe, slice_of(arrays, sizeof arrays));
}

static void typed_frame(uint64_t type, const char *rest, size_t size)
{
    struct buf frame = {0};
    const uint8_t head[] = {0x92, (uint8_t)type};
    buf_append(&frame, head, sizeof head);
    buf_append(&frame, (const uint8_t *)rest, size);
    enemy_sends(&frame);
}

void frame_before_hello(const struct attack *a)
{
    typed_frame(a->number, "\xc0", 1);
}

void frame_malformed(const struct attack *a)
{
    enemy_says_hello();
    typed_frame(a->number, "\xa3odd", 4);
}

void frames_of_later_versions(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (unsigned i = 0; i < 3000; i++) {
        typed_frame(32 + i % 90, "\xa3new", 4);
        if (i % 100 == 99) turns(1);
    }
}

void join_in_a_session(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    typed_frame(FRAME_JOIN, "\xc0", 1);
    typed_frame(FRAME_ADMIT, "\xc0", 1);
}

/* --- HELLO ---------------------------------------------------------------------------------- */

static void greet(struct frame_hello *h, struct have_entry *have, size_t count)
{
    struct buf frame = {0};
    h->have_count = count;
    have_digest(h->have8, have, count);
    frame_hello_write(&frame, h, have);
    enemy_sends(&frame);
    turns(1);
}

static void greet_alone(struct frame_hello h)
{
    struct have_entry none;
    greet(&h, &none, 0);
}

void hello_of_another_township(const struct attack *a)
{
    (void)a;
    struct frame_hello h = hello_of_enemy();
    h.township8[0] ^= 1;
    greet_alone(h);
}

void hello_of_another_version(const struct attack *a)
{
    (void)a;
    struct frame_hello h = hello_of_enemy();
    h.protocol_min = h.protocol_max = PROTOCOL_MAX + 1;
    greet_alone(h);
}

void hello_with_a_wrong_digest(const struct attack *a)
{
    struct buf frame = {0};
    struct frame_hello h = hello_of_enemy();
    struct have_entry have = {.seq = 1};
    (void)a;
    h.have_count = 1;
    frame_hello_write(&frame, &h, &have);
    enemy_sends(&frame);
}

void hello_flood(const struct attack *a)
{
    (void)a;
    for (unsigned i = 0; i < 500 && !scene.refused; i++) {
        enemy_greets(1, HAVE_ENTRIES_MAX, true);
        if (i % 10 == 9) turns(1);
    }
}

void hello_of_many_feeds(const struct attack *a)
{
    (void)a;
    for (unsigned i = 0; i < 8 && !scene.refused; i++) {
        enemy_greets(1 + i * HAVE_ENTRIES_MAX, HAVE_ENTRIES_MAX, i == 0);
        turns(1);
    }
}

void hello_of_too_many_entries(const struct attack *a)
{
    (void)a;
    enemy_greets(1, HAVE_ENTRIES_MAX + 1, true);
}

static struct have_entry entry_of(const struct feed *feed, uint64_t seq)
{
    struct feed_id id;
    struct have_entry e = {.seq = seq, .id8 = {0xee, 1}};
    feed_id_of(&id, feed);
    memcpy(e.feed.id8, id.bytes, sizeof e.feed.id8);
    return e;
}

static void claims(const struct township_device *author, const char *scope, uint64_t seq)
{
    struct frame_hello h = hello_of_enemy();
    const struct feed feed = feed_in(author, scope);
    struct have_entry have = entry_of(&feed, seq);
    greet(&h, &have, 1);
}

/* So high that nothing is left to send to it; only itself goes without. */
void hello_that_has_all(const struct attack *a)
{
    (void)a;
    claims(&scene.township.authority, "town", EVENT_SEQ_MAX);
}

void hello_of_heads_that_are_none(const struct attack *a)
{
    (void)a;
    claims(&scene.township.authority, "town", 2);
}

void hello_of_foreign_feeds(const struct attack *a)
{
    (void)a;
    assert_the_honest_village_is_served();
    claims(&scene.township.devices[1], HONEST_SCOPE, 1);
}

/* What a peer claims of feeds that are not here is not kept: its row would outgrow the store's
 * limit and take the commits of all peers with it. */
void hello_of_unknown_feeds(const struct attack *a)
{
    (void)a;
    enemy_greets(1, HAVE_ENTRIES_MAX, true);
    turns(1);
    enemy_greets(1 + HAVE_ENTRIES_MAX, HAVE_ENTRIES_MAX - 100, false);
    turns(2);
    assert_int_equal(scene.refused, 0);
    assert_null(strstr(scene.hub.log, "not stored"));
    enemy_leaves();
    enemy_connects();
    turns(2);
    struct peer_row row;
    enemy_row(&row);
    assert_int_equal(row.have_count, 0);
    peer_row_clear(&row);
    enemy_says_hello();
}

void hello_of_an_unfinished_run(const struct attack *a)
{
    (void)a;
    struct frame_hello h = hello_of_enemy();
    h.has_unfinished = true;
    h.unfinished_size = FRAME_UINT_MAX;
    greet_alone(h);
}

void hello_of_another_time(const struct attack *a)
{
    struct frame_hello h = hello_of_enemy();
    h.time_ms = a->number;
    h.time_trusted = true;
    greet_alone(h);
}

void hello_of_credit(const struct attack *a)
{
    struct frame_hello h = hello_of_enemy();
    h.credit = a->number;
    greet_alone(h);
}

void hello_never(const struct attack *a)
{
    (void)a;
    turns(GREETING_TIMEOUT_MS / 40 + 100); /* 20 ms each, for hub and village */
}

void goodbye(const struct attack *a)
{
    struct buf frame = {0};
    (void)a;
    enemy_says_hello();
    frame_bye_write(&frame);
    enemy_sends(&frame);
}

/* --- WANT ----------------------------------------------------------------------------------- */

void want_flood(const struct attack *a)
{
    const struct feed office = feed_in(&scene.township.hub, "office");
    (void)a;
    enemy_says_hello();
    for (unsigned i = 0; i < WANTS_TAKEN_MAX + 1; i++) enemy_wants(i % 2 ? &office : NULL, 0);
}

void want_hello_flood(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (unsigned i = 0; i < HELLOS_TAKEN_MAX + 1 && !scene.refused; i++) {
        enemy_wants(NULL, WANT_HELLO);
        if (i % 10 == 9) turns(1);
    }
}

void want_of_foreign_feeds(const struct attack *a)
{
    (void)a;
    const struct feed honest = feed_in(&scene.township.devices[1], HONEST_SCOPE);
    assert_the_honest_village_is_served();
    enemy_says_hello();
    turns(3);
    const unsigned sent = scene.got[FRAME_RUN];
    enemy_wants(&honest, WANT_NO_DICTIONARY | WANT_BOXES);
    turns(3);
    assert_int_equal(scene.got[FRAME_RUN], sent);
}

void want_of_boxes(const struct attack *a)
{
    (void)a;
    const struct feed town = feed_in(&scene.township.authority, "town");
    enemy_says_hello();
    for (unsigned i = 0; i < 500; i++) {
        enemy_wants(&town, WANT_NO_DICTIONARY | WANT_BOXES);
        if (i % 50 == 49) turns(1);
    }
}

/* The writer knows the limit, so the array is written by hand. */
void want_of_too_many_points(const struct attack *a)
{
    struct buf frame = {0};
    struct mp_writer w = {&frame};
    const struct feed town = feed_in(&scene.township.authority, "town");
    struct feed_id id;
    (void)a;
    feed_id_of(&id, &town);
    enemy_says_hello();
    mp_write_array(&w, 5);
    mp_write_uint(&w, FRAME_WANT);
    mp_write_bin(&w, id.bytes, 8);
    mp_write_array(&w, WANT_POINTS_MAX + 1);
    for (unsigned i = WANT_POINTS_MAX + 1; i > 0; i--) {
        mp_write_array(&w, 2);
        mp_write_uint(&w, i);
        mp_write_bin(&w, id.bytes, 8);
    }
    mp_write_uint(&w, 0);
    mp_write_uint(&w, 0);
    enemy_sends(&frame);
}

/* --- PING and HOLD -------------------------------------------------------------------------- */

void ping_flood(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    turns(2);
    const uint64_t begun_ms = scene.now_ms;
    for (unsigned i = 0; i < 5000; i++) {
        struct buf frame = {0};
        frame_ping_write(&frame, 0);
        enemy_sends(&frame);
        if (i % 50 == 49) turns(1);
    }
    turns(10);
    assert_in_range(scene.got[FRAME_PING], 2, (scene.now_ms - begun_ms) / 1000 + 1);
}

/* "I am heard again in some million years": believed for three minutes. */
void ping_of_centuries(const struct attack *a)
{
    struct buf frame = {0};
    (void)a;
    enemy_says_hello();
    frame_ping_write(&frame, FRAME_UINT_MAX);
    enemy_sends(&frame);
    turns((2 * BEAT_IDLE_S + 90) * 25);
    assert_non_null(strstr(scene.hub.log, "the peer fell silent"));
}

void hold_flood(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (unsigned i = 0; i < 2001; i++) {
        struct buf frame = {0};
        frame_hold_write(&frame, i % 2 == 0);
        enemy_sends(&frame);
        if (i % 50 == 49) turns(1);
    }
}

void refusal(const struct attack *a)
{
    struct buf frame = {0};
    (void)a;
    enemy_says_hello();
    frame_refuse_write(&frame, REFUSE_BUSY, "\xe4\xbd\xa0\xe5\xa5\xbd");
    enemy_sends(&frame);
}
