#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <string.h>

/* --- signatures ---------------------------------------------------------------------------- */

void spoil_signature(struct bad_run *r)
{
    r->frame.run.signature.bytes[3] ^= 1;
}

void spoil_signature_of_another_event(struct bad_run *r)
{
    struct event other = odd_event(&(struct odd){.feed = r->frame.feed.feed});
    r->frame.run.signature = other.signature;
}

void spoil_signature_of_another_device(struct bad_run *r)
{
    struct event other = odd_event(&(struct odd){.feed = r->frame.feed.feed});
    event_sign(&other, &scene.township.devices[1].signer);
    r->frame.run.signature = other.signature;
}

/* --- what the frame says of its payload ----------------------------------------------------- */

void spoil_check(struct bad_run *r)
{
    r->frame.run.check4[0] ^= 1;
}

void spoil_size_less(struct bad_run *r)
{
    r->frame.run.raw_size--;
}

void spoil_size_more(struct bad_run *r)
{
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

void spoil_size_over_limit(struct bad_run *r)
{
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX + 1;
}

void spoil_count_less(struct bad_run *r)
{
    r->frame.run.count--;
}

void spoil_count_more(struct bad_run *r)
{
    r->frame.run.count = RUN_EVENTS_MAX;
}

void spoil_count_none(struct bad_run *r)
{
    r->frame.run.count = 0;
}

void spoil_count_over_limit(struct bad_run *r)
{
    r->frame.run.count = RUN_EVENTS_MAX + 1;
}

static void payload_changed(struct bad_run *r)
{
    r->frame.run.payload = buf_slice(&r->payload);
}

void spoil_payload(struct bad_run *r)
{
    memset(r->payload.data + r->payload.size / 2, 0xff, r->payload.size / 2);
}

void spoil_payload_cut(struct bad_run *r)
{
    r->payload.size /= 2;
    payload_changed(r);
}

void spoil_payload_empty(struct bad_run *r)
{
    buf_reset(&r->payload);
    payload_changed(r);
}

void spoil_payload_longer(struct bad_run *r)
{
    buf_append(&r->payload, (const uint8_t *)"tail", 4);
    payload_changed(r);
}

/* A mebibyte of zeros in a few bytes, and the size of the honest records. */
void spoil_bomb_hidden(struct bad_run *r)
{
    static uint8_t zeros[RUN_RAW_SIZE_MAX];
    uint32_t raw_size = r->frame.run.raw_size;
    buf_reset(&r->payload);
    assert_int_equal(run_build(&r->frame.run, scene.zstd, slice_of(zeros, sizeof zeros), 3,
                               SLICE_EMPTY, 1, &r->payload),
                     OK);
    assert_true(r->payload.size < 1024);
    r->frame.run.raw_size = raw_size;
}

void spoil_bomb_stated(struct bad_run *r)
{
    spoil_bomb_hidden(r);
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

/* --- whose run it is ------------------------------------------------------------------------ */

void spoil_lane(struct bad_run *r)
{
    r->frame.feed.feed.lane = LANE_URGENT;
}

void spoil_lane_unknown(struct bad_run *r)
{
    r->frame.feed.feed.lane = LANE_COUNT;
}

void spoil_scope(struct bad_run *r)
{
    r->frame.feed.feed.scope = scope_town();
}

void spoil_scope_text(struct bad_run *r)
{
    memcpy(r->frame.feed.feed.scope.text, "nation", sizeof "nation");
}

void spoil_epoch(struct bad_run *r)
{
    r->frame.feed.feed.has_epoch = true;
}

void spoil_number_overflow(struct bad_run *r)
{
    r->frame.run.base_seq = EVENT_SEQ_MAX - 1;
}

void spoil_number_over_limit(struct bad_run *r)
{
    r->frame.run.base_seq = EVENT_SEQ_MAX + 1;
}

/* --- the records: changed, then packed as an honest sender would --- */

/* Puts `to` in the place of the last `from`, which must be there. */
static void replace(struct bad_run *r, const char *from, const char *to, size_t size)
{
    assert_true(r->raw.size >= size);
    for (size_t i = r->raw.size - size + 1; i > 0; i--) {
        if (memcmp(r->raw.data + i - 1, from, size) != 0) continue;
        memcpy(r->raw.data + i - 1, to, size);
        run_packed(r);
        return;
    }
    fail_msg("no such bytes in the records");
}
#define REPLACE(r, from, to)                                                                       \
    do {                                                                                           \
        _Static_assert(sizeof from == sizeof to, "of one size");                                   \
        replace(r, from, to, sizeof from - 1);                                                     \
    } while (0)

/* depth over seen: no author's tool writes that */
void spoil_depth(struct bad_run *r)
{
    REPLACE(r, "request.register\x00\x00", "request.register\x05\x00");
}

void spoil_kind(struct bad_run *r)
{
    REPLACE(r, "request.register", "request register");
}

void spoil_float(struct bad_run *r)
{
    REPLACE(r, "\xcf\x01\x02\x03\x04\x05\x06\x07\x08", "\xcb\x01\x02\x03\x04\x05\x06\x07\x08");
}

void spoil_longer_form(struct bad_run *r)
{
    REPLACE(r, "\xcd\x01\x00", "\xcd\x00\x01");
}

void spoil_key_twice(struct bad_run *r)
{
    REPLACE(r, "\xa1\x62\xcd", "\xa1\x61\xcd");
}

void spoil_keys_unsorted(struct bad_run *r)
{
    REPLACE(r, "\xa1\x61\x01", "\xa1\x7a\x01");
}

void spoil_text(struct bad_run *r)
{
    REPLACE(r, "\xa2xy", "\xa2\xc3\x28");
}

void spoil_nesting(struct bad_run *r)
{
    REPLACE(r, "\xadnested nested", "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01");
}

/* The place of the founding event's nil: the 32nd thing met before. */
void spoil_thing_never_met(struct bad_run *r)
{
    REPLACE(r, "request.register\x00\x00\xc0\xc0", "request.register\x00\x00\xc0\x20");
}

/* A digest of a box that is gone, in the place of none: the header is another one. */
void spoil_box(struct bad_run *r)
{
    struct buf with = {0};
    buf_append(&with, r->raw.data, r->raw.size - 2); /* box and ext are nil */
    uint8_t gone[35] = {0xc4, 32};
    gone[34] = 0xc0;
    buf_append(&with, gone, sizeof gone);
    buf_clear(&r->raw);
    r->raw = with;
    run_packed(r);
}

/* --- the play ------------------------------------------------------------------------------- */

void lying_run(const struct attack *a)
{
    struct event events[3];
    struct bad_run r;
    struct buf body = {0};
    const char *json = "{\"a\":1,\"b\":256,\"c\":\"xy\",\"d\":72623859790382856,"
                       "\"e\":\"nested nested\"}";
    struct odd o = {.feed = feed_in(scene.enemy, ENEMY_SCOPE),
                    .body = township_pack(&body, json, NULL)};
    for (size_t i = 0; i < 3; i++) {
        o.seq = i + 1;
        events[i] = odd_event(&o);
        o.prev = events[i].id;
    }
    enemy_says_hello();
    run_begin(&r, events, 3);
    a->spoil(&r);
    run_sent(&r);
    buf_clear(&body);
}
