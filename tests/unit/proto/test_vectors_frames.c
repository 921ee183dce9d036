/* The golden vectors of frames and joining; see test_vectors.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/frame_courier.h"
#include "proto/join.h"
#include "proto/town.h"
#include "tests/support/vectors.h"

#include <string.h>

/* --- frames --- */

static void write_offer(struct buf *again, const struct frame_offer *f)
{
    struct offer_entry entries[4];
    struct mp_reader r = frame_offer_begin(f);
    assert_true(f->count <= 4);
    for (size_t i = 0; i < f->count; i++) assert_true(frame_offer_next(&r, &entries[i]));
    assert_false(frame_offer_next(&r, &entries[0]));
    frame_offer_write(again, entries, f->count);
}

static enum err read_couriers(struct slice frame, uint64_t type, struct buf *again)
{
    struct frame_offer offer;
    struct frame_ask ask;
    struct frame_part part;
    enum err err = OK;
    if (type == FRAME_OFFER && !(err = frame_offer_read(&offer, frame))) write_offer(again, &offer);
    if (type == FRAME_ASK && !(err = frame_ask_read(&ask, frame))) frame_ask_write(again, &ask);
    if (type == FRAME_PART && !(err = frame_part_read(&part, frame)))
        frame_part_write(again, &part);
    return err;
}

/* Reads a frame by its type. For all but receipts `again` is the frame written anew. */
static enum err read_frame(struct slice frame, struct buf *again)
{
    union {
        struct frame_hello hello;
        struct frame_piece piece;
        struct frame_run run;
        struct frame_want want;
        struct frame_receipt receipt;
        struct frame_refuse refuse;
        struct frame_town town;
        struct frame_join join;
        struct hash hash;
    } f;
    struct have_entry have[16];
    uint64_t type, seconds;
    bool hold;
    enum err err = frame_type_of(frame, &type);
    if (err) return err;
    switch (type) {
    case FRAME_HELLO:
        err = frame_hello_read(&f.hello, frame);
        if (err || !frame_hello_version_meets(&f.hello)) return err;
        struct mp_reader r = frame_have_begin(&f.hello);
        for (size_t i = 0; i < f.hello.have_count; i++) assert_true(frame_have_next(&r, &have[i]));
        frame_hello_write(again, &f.hello, have);
        uint8_t digest[8];
        have_digest(digest, have, f.hello.have_count);
        assert_memory_equal(digest, f.hello.have8, sizeof digest);
        return OK;
    case FRAME_WANT:
        err = frame_want_read(&f.want, frame);
        if (!err) frame_want_write(again, &f.want);
        return err;
    case FRAME_PIECE:
        err = frame_piece_read(&f.piece, frame);
        if (!err) frame_piece_write(again, &f.piece);
        return err;
    case FRAME_RUN:
        return frame_run_read(&f.run, frame);
    case FRAME_RECEIPT:
        return frame_receipt_read(&f.receipt, frame);
    case FRAME_REFUSE:
        err = frame_refuse_read(&f.refuse, frame);
        if (!err)
            frame_refuse_write(again, (enum refuse_code)f.refuse.code, refuse_text(f.refuse.code));
        return err;
    case FRAME_PING:
        err = frame_ping_read(&seconds, frame);
        if (!err) frame_ping_write(again, seconds);
        return err;
    case FRAME_HOLD:
        err = frame_hold_read(&hold, frame);
        if (!err) frame_hold_write(again, hold);
        return err;
    case FRAME_TOWN:
        return frame_town_read(&f.town, frame);
    case FRAME_JOIN:
        return frame_join_read(&f.join, frame);
    case FRAME_ADMIT:
        return frame_admit_read(&f.hash, frame);
    default:
        return read_couriers(frame, type, again);
    }
}

static void check_town(const json_t *item, struct slice frame)
{
    struct frame_town f;
    struct town_head heads[4] = {{.seq = 0}};
    struct buf again = {0}, township = vectors_bytes(item, "township");
    struct signer signer = vectors_signer(item, "seed");
    struct sign_key key;
    memcpy(key.bytes, township.data, sizeof key.bytes);
    assert_int_equal(frame_town_read(&f, frame), OK);
    assert_int_equal(town_verify(&f.state, &key, &signer.key), OK);
    assert_true(f.head_count <= 4);
    struct mp_reader r = frame_town_begin(&f);
    for (size_t i = 0; i < f.head_count; i++) assert_true(frame_town_next(&r, &heads[i]));
    frame_town_write(&again, &f.state, f.has_heads ? heads : NULL, f.head_count);
    vectors_assert_hex(buf_slice(&again), item, "frame");
    buf_clear(&again);
    buf_clear(&township);
}

static void check_receipt(const json_t *item, struct slice frame)
{
    struct frame_receipt f;
    struct buf body = vectors_bytes(item, "body"), again = {0};
    struct signer signer = vectors_signer(item, "seed");
    struct receipt_parties parties;
    struct mp_reader r = mp_reader_of(buf_slice(&body));
    (void)mp_read_array(&r, 7);
    mp_read_bin_exact(&r, parties.township.bytes, 32);
    mp_read_bin_exact(&r, parties.receiver.bytes, 32);
    mp_read_bin_exact(&r, parties.addressee.bytes, 32);
    mp_read_bin_exact(&r, parties.generation, 8);
    assert_true(sign_key_equal(&parties.receiver, &signer.key));
    assert_int_equal(frame_receipt_read(&f, frame), OK);
    assert_int_equal(frame_receipt_verify(&f, &parties), OK);
    receipt_body_write(&again, &parties, &f);
    vectors_assert_hex(buf_slice(&again), item, "body");
    buf_clear(&body);
    buf_clear(&again);
}

static void reads_frames_and_writes_the_same(void **state)
{
    (void)state;
    json_t *root = vectors_load("frames"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct buf frame = vectors_bytes(item, "frame"), again = {0};
        assert_int_equal(read_frame(buf_slice(&frame), &again), OK);
        vectors_assert_value(buf_slice(&frame), item, "value");
        bool later = strstr(vectors_text(item, "what"), "later version") != NULL;
        if (again.size && !later) vectors_assert_hex(buf_slice(&again), item, "frame");
        if (json_object_get(item, "body")) check_receipt(item, buf_slice(&frame));
        if (json_object_get(item, "township")) check_town(item, buf_slice(&frame));
        buf_clear(&frame);
        buf_clear(&again);
    }
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf frame = vectors_bytes(item, "encoded"), again = {0};
        if (read_frame(buf_slice(&frame), &again) == OK)
            fail_msg("took %s", vectors_text(item, "what"));
        buf_clear(&frame);
        buf_clear(&again);
    }
    json_decref(root);
}

/* --- joining --- */

static void joins_as_written(void **state)
{
    (void)state;
    json_t *root = vectors_load("joining");
    const json_t *item = json_object_get(root, "exchange");
    struct buf request = vectors_bytes(item, "request"), join = {0}, admit = {0};
    struct signer invite = vectors_signer(item, "invite_seed");
    struct signer device = vectors_signer(item, "device_seed");
    struct frame_join f;
    struct join_request q;
    struct hash hash;
    join_sign(&f, buf_slice(&request), &invite, &device);
    frame_join_write(&join, &f);
    vectors_assert_hex(buf_slice(&join), item, "join");
    assert_int_equal(join_verify(&q, &f), OK);
    vectors_assert_value(buf_slice(&request), item, "value");
    join_request_hash(&hash, buf_slice(&request));
    frame_admit_write(&admit, &hash);
    vectors_assert_hex(buf_slice(&admit), item, "admit");
    buf_clear(&request);
    buf_clear(&join);
    buf_clear(&admit);
    json_decref(root);
}

static void reads_the_invite_and_writes_the_same(void **state)
{
    (void)state;
    json_t *root = vectors_load("joining");
    const char *text = vectors_text(json_object_get(root, "invite"), "text");
    struct invite invite;
    struct buf again = {0};
    assert_int_equal(invite_read(&invite, slice_of_text(text)), OK);
    invite_write(&again, &invite, "琅塘镇 龙凤村");
    assert_string_equal(buf_text(&again), text);
    buf_clear(&again);
    json_decref(root);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_frames_and_writes_the_same),
        cmocka_unit_test(joins_as_written),
        cmocka_unit_test(reads_the_invite_and_writes_the_same),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
