#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/join.h"
#include "tests/support/arrays.h"

#include <string.h>

static struct invite invite_of(void)
{
    return (struct invite){
        .township_name = "琅塘镇",
        .authority = {{1}},
        .acceptor = {{2}},
        .acceptor_transport = {{3}},
        .addresses = {"tcp://10.8.0.1:7300", "tcp://192.168.1.2:7300"},
        .address_count = 2,
        .seed = {{4}},
        .transport = {{5}},
        .village = "431322111203",
        .village_name = "龙凤村",
        .roles = 2,
        .device_name = "龙凤村一号机",
        .expires_ms = 1657584000000,
    };
}

static struct buf invite_text(const struct invite *invite, const char *comment)
{
    struct buf text = {0};
    invite_write(&text, invite, comment);
    assert_int_equal(text.err, OK);
    return text;
}

static void reads_back_an_invite(void **state)
{
    (void)state;
    struct invite in = invite_of(), out;
    struct buf text = invite_text(&in, "琅塘镇 龙凤村\n请勿外传");
    assert_int_equal(invite_read(&out, buf_slice(&text)), OK);
    assert_memory_equal(&out, &in, sizeof in);
    assert_int_equal(strncmp(buf_text(&text), "# 琅塘镇 龙凤村\n# 请勿外传\nsidan-invite-1:", 40),
                     0);
    buf_clear(&text);
}

static void reads_an_invite_for_the_township_without_addresses(void **state)
{
    (void)state;
    struct invite in = invite_of(), out;
    in.village[0] = 0;
    memset(in.village, 0, sizeof in.village);
    memset(in.addresses, 0, sizeof in.addresses);
    in.address_count = 0;
    struct buf text = invite_text(&in, NULL);
    assert_int_equal(invite_read(&out, buf_slice(&text)), OK);
    assert_memory_equal(&out, &in, sizeof in);
    buf_clear(&text);
}

static void reads_an_invite_that_a_mail_program_wrapped(void **state)
{
    (void)state;
    struct invite in = invite_of(), out;
    struct buf text = invite_text(&in, NULL), wrapped = {0};
    buf_append_text(&wrapped, "您好,\r\n\r\n");
    for (size_t i = 0; i < text.size; i++) {
        buf_append_byte(&wrapped, text.data[i]);
        if (i % 60 == 59) buf_append_text(&wrapped, "\r\n");
    }
    buf_append_text(&wrapped, " \t\n");
    assert_int_equal(invite_read(&out, buf_slice(&wrapped)), OK);
    assert_memory_equal(&out, &in, sizeof in);
    buf_clear(&text);
    buf_clear(&wrapped);
}

static void notices_every_changed_letter_of_an_invite(void **state)
{
    (void)state;
    struct invite in = invite_of(), out;
    struct buf text = invite_text(&in, NULL);
    for (size_t i = strlen("sidan-invite-1:"); i + 1 < text.size; i++) {
        uint8_t old = text.data[i];
        text.data[i] = old == 'A' ? 'B' : 'A';
        assert_int_equal(invite_read(&out, buf_slice(&text)), ERR_MALFORMED);
        text.data[i] = old;
    }
    buf_clear(&text);
}

static void notices_an_invite_cut_anywhere(void **state)
{
    (void)state;
    struct invite in = invite_of(), out;
    struct buf text = invite_text(&in, NULL);
    for (size_t size = 0; size + 1 < text.size; size++)
        assert_int_equal(invite_read(&out, slice_of(text.data, size)), ERR_MALFORMED);
    buf_clear(&text);
}

static void tells_a_newer_invite_from_what_is_none(void **state)
{
    (void)state;
    struct invite out;
    assert_int_equal(invite_read(&out, slice_of_text("# x\nsidan-invite-2:AAAA\n")), ERR_VERSION);
    assert_int_equal(invite_read(&out, slice_of_text("number,channel\n1,2\n")), ERR_MALFORMED);
    assert_int_equal(invite_read(&out, slice_of_text("# sidan-invite-1:AAAA\n")), ERR_MALFORMED);
    assert_int_equal(invite_read(&out, slice_of_text("sidan-invite-1:\n")), ERR_MALFORMED);
    assert_int_equal(invite_read(&out, SLICE_EMPTY), ERR_MALFORMED);
    static const char large[INVITE_SIZE_MAX + 1] = "sidan-invite-1:";
    assert_int_equal(invite_read(&out, slice_of(large, sizeof large)), ERR_LIMIT);
}

/* An invite's line around any bytes, with a right check. */
static enum err read_encoded(struct slice bytes)
{
    struct invite out;
    struct hash hash;
    struct buf all = {0}, text = {0};
    crypto_hash_one(&hash, CONTEXT_INVITE, bytes);
    buf_append_slice(&all, bytes);
    buf_append(&all, hash.bytes, 4);
    buf_append_text(&text, "sidan-invite-1:");
    base64url_encode(&text, buf_slice(&all));
    enum err err = invite_read(&out, buf_slice(&text));
    buf_clear(&all);
    buf_clear(&text);
    return err;
}

static void refuses_each_wrong_element_of_an_invite(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *value;
        size_t size;
        enum err err;
    } wrong[] = {
        {0, "\xc0", 1, ERR_MALFORMED},
        {1, "\xc4\x01x", 3, ERR_MALFORMED},
        {4, "\xc0", 1, ERR_MALFORMED},
        {4, "\x91\xa0", 2, ERR_MALFORMED},
        {4, "\x95\xa1x\xa1x\xa1x\xa1x\xa1x", 11, ERR_LIMIT},
        {7, "\xa0", 1, ERR_MALFORMED},
        {7,
         "\xac"
         "43132211120x",
         13, ERR_MALFORMED},
        {7,
         "\xad"
         "4313221112034",
         14, ERR_LIMIT},
        {9, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9, ERR_LIMIT},
        {9, "\xff", 1, ERR_MALFORMED},
        {11, "\xcf\x00\x01\x00\x00\x00\x00\x00\x00", 9, ERR_LIMIT},
    };
    struct invite in = invite_of();
    struct buf text = invite_text(&in, NULL), bytes = {0}, bad = {0};
    size_t prefix = strlen("sidan-invite-1:");
    assert_int_equal(base64url_decode(&bytes, slice_of(text.data + prefix, text.size - prefix)),
                     OK);
    bytes.size -= 4;
    assert_int_equal(read_encoded(buf_slice(&bytes)), OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        array_replace(&bad, &bytes, wrong[i].at, slice_of(wrong[i].value, wrong[i].size));
        assert_int_equal(read_encoded(buf_slice(&bad)), wrong[i].err);
    }
    buf_clear(&text);
    buf_clear(&bytes);
    buf_clear(&bad);
}

static void refuses_an_invite_of_loose_msgpack(void **state)
{
    (void)state;
    assert_int_equal(read_encoded(slice_of("\x91\xcc\x01", 3)), ERR_MALFORMED);
    assert_int_equal(read_encoded(slice_of("\x90\x90", 2)), ERR_MALFORMED);
    assert_int_equal(read_encoded(slice_of("\x90", 1)), ERR_MALFORMED);
    assert_int_equal(read_encoded(SLICE_EMPTY), ERR_MALFORMED);
}

/* --- the exchange --- */

struct joiner {
    struct signer invite, device;
    struct buf request, frame;
    struct frame_join join;
};

static void joiner_setup(struct joiner *j)
{
    static const struct sign_seed invite = {{1}}, device = {{2}};
    *j = (struct joiner){0};
    signer_from_seed(&j->invite, &invite);
    signer_from_seed(&j->device, &device);
    struct join_request q = {.township = {{9}},
                             .invite = j->invite.key,
                             .device = j->device.key,
                             .transport = {{8}},
                             .name = "龙凤村一号机",
                             .time_ms = 1657584000000};
    join_request_write(&j->request, &q);
    join_sign(&j->join, buf_slice(&j->request), &j->invite, &j->device);
    frame_join_write(&j->frame, &j->join);
    assert_int_equal(j->frame.err, OK);
}

static void joiner_clear(struct joiner *j)
{
    buf_clear(&j->request);
    buf_clear(&j->frame);
}

static void reads_and_verifies_a_join(void **state)
{
    (void)state;
    struct joiner j;
    struct frame_join f;
    struct join_request q;
    uint64_t type;
    joiner_setup(&j);
    assert_int_equal(frame_type_of(buf_slice(&j.frame), &type), OK);
    assert_int_equal(type, FRAME_JOIN);
    assert_int_equal(frame_join_read(&f, buf_slice(&j.frame)), OK);
    assert_int_equal(join_verify(&q, &f), OK);
    assert_string_equal(q.name, "龙凤村一号机");
    assert_true(sign_key_equal(&q.device, &j.device.key));
    joiner_clear(&j);
}

static void refuses_a_join_when_any_byte_of_it_changed(void **state)
{
    (void)state;
    struct joiner j;
    struct join_request q;
    joiner_setup(&j);
    for (size_t i = 0; i < j.request.size; i += 3) {
        j.request.data[i] ^= 0x10;
        assert_int_not_equal(join_verify(&q, &j.join), OK);
        j.request.data[i] ^= 0x10;
    }
    j.join.invite_signature.bytes[3] ^= 1;
    assert_int_equal(join_verify(&q, &j.join), ERR_SIGNATURE);
    j.join.invite_signature.bytes[3] ^= 1;
    j.join.device_signature.bytes[3] ^= 1;
    assert_int_equal(join_verify(&q, &j.join), ERR_SIGNATURE);
    joiner_clear(&j);
}

static void refuses_a_join_signed_by_one_key_alone(void **state)
{
    (void)state;
    struct joiner j;
    struct join_request q;
    joiner_setup(&j);
    struct frame_join f = j.join;
    f.device_signature = f.invite_signature;
    assert_int_equal(join_verify(&q, &f), ERR_SIGNATURE);
    f = j.join;
    f.invite_signature = f.device_signature;
    assert_int_equal(join_verify(&q, &f), ERR_SIGNATURE);
    joiner_clear(&j);
}

static void refuses_join_frames_of_a_wrong_form(void **state)
{
    (void)state;
    struct frame_join f;
    struct buf frame = {0};
    struct mp_writer w = {&frame};
    static const uint8_t bytes[JOIN_REQUEST_SIZE_MAX + 1];
    mp_write_array(&w, 4);
    mp_write_uint(&w, FRAME_JOIN);
    mp_write_bin(&w, bytes, sizeof bytes);
    mp_write_bin(&w, bytes, 64);
    mp_write_bin(&w, bytes, 64);
    assert_int_equal(frame_join_read(&f, buf_slice(&frame)), ERR_LIMIT);
    assert_int_equal(frame_join_read(&f, slice_of("\x91\x10", 2)), ERR_MALFORMED);
    assert_int_equal(frame_join_read(&f, slice_of("\x91\x06", 2)), ERR_MALFORMED);
    assert_int_equal(frame_join_read(&f, slice_of("\x94\x10", 2)), ERR_MALFORMED);
    assert_int_equal(frame_join_read(&f, slice_of("\xdc\x00\x01\x10", 4)), ERR_MALFORMED);
    buf_clear(&frame);
}

static void answers_with_the_hash_of_the_request(void **state)
{
    (void)state;
    struct joiner j;
    struct hash sent, got;
    struct buf frame = {0};
    joiner_setup(&j);
    join_request_hash(&sent, buf_slice(&j.request));
    frame_admit_write(&frame, &sent);
    assert_int_equal(frame_admit_read(&got, buf_slice(&frame)), OK);
    assert_true(hash_equal(&sent, &got));
    assert_int_equal(frame_admit_read(&got, slice_of("\x92\x11\xc4\x01x", 5)), ERR_MALFORMED);
    assert_int_equal(frame_admit_read(&got, slice_of("\x91\x11", 2)), ERR_MALFORMED);
    buf_clear(&frame);
    joiner_clear(&j);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_an_invite),
        cmocka_unit_test(reads_an_invite_for_the_township_without_addresses),
        cmocka_unit_test(reads_an_invite_that_a_mail_program_wrapped),
        cmocka_unit_test(notices_every_changed_letter_of_an_invite),
        cmocka_unit_test(notices_an_invite_cut_anywhere),
        cmocka_unit_test(tells_a_newer_invite_from_what_is_none),
        cmocka_unit_test(refuses_each_wrong_element_of_an_invite),
        cmocka_unit_test(refuses_an_invite_of_loose_msgpack),
        cmocka_unit_test(reads_and_verifies_a_join),
        cmocka_unit_test(refuses_a_join_when_any_byte_of_it_changed),
        cmocka_unit_test(refuses_a_join_signed_by_one_key_alone),
        cmocka_unit_test(refuses_join_frames_of_a_wrong_form),
        cmocka_unit_test(answers_with_the_hash_of_the_request),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
