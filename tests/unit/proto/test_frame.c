#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/frame.h"
#include "tests/support/arrays.h"

#include <string.h>

static const struct feed feed = {.author = {{1, 2, 3}},
                                 .scope = {"village:431322111001"},
                                 .lane = LANE_NORMAL,
                                 .has_epoch = true,
                                 .epoch = {9, 8, 7}};

static struct feed_ref whole_ref(void)
{
    struct feed_ref ref = {.whole = true, .feed = feed};
    struct feed_id id;
    feed_id_of(&id, &feed);
    memcpy(ref.id8, id.bytes, sizeof ref.id8);
    return ref;
}

static struct feed_ref short_ref(uint8_t first)
{
    return (struct feed_ref){.id8 = {first, 0xff}};
}

static uint64_t type_of(const struct buf *frame)
{
    uint64_t type = 0;
    assert_int_equal(frame->err, OK);
    assert_int_equal(frame_type_of(buf_slice(frame), &type), OK);
    return type;
}

/* --- all frames --- */

static void refuses_what_is_no_frame(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"", 0},
               {"\x90", 1},
               {"\x80", 1},
               {"\x06", 1},
               {"\x91\xa1x", 3},
               {"\x91\xff", 2},
               {"\x91", 1},
               {"\x91\x06\x06", 3},
               {"\x92\x06", 2},
               {"\x91\xcc\x06", 3},
               {"\xdc\x00\x01\x06", 4},
               {"\xdd\x04\x00\x00\x00\x06", 6}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t type = 77;
        assert_int_not_equal(frame_type_of(slice_of(bad[i].bytes, bad[i].size), &type), OK);
        assert_int_equal(type, 77);
    }
}

static void refuses_a_frame_over_the_limit(void **state)
{
    (void)state;
    struct buf frame = {0};
    struct mp_writer w = {&frame};
    static uint8_t padding[FRAME_SIZE_MAX];
    mp_write_array(&w, 2);
    mp_write_uint(&w, FRAME_BYE);
    mp_write_bin(&w, padding, FRAME_SIZE_MAX - 7); /* bin 32 takes 5 more bytes */
    uint64_t type;
    assert_int_equal(frame.size, FRAME_SIZE_MAX);
    assert_int_equal(frame_type_of(buf_slice(&frame), &type), OK);
    buf_reset(&frame);
    mp_write_array(&w, 2);
    mp_write_uint(&w, FRAME_BYE);
    mp_write_bin(&w, padding, FRAME_SIZE_MAX - 6);
    assert_int_equal(frame_type_of(buf_slice(&frame), &type), ERR_LIMIT);
    buf_clear(&frame);
}

static void gives_types_of_later_versions(void **state)
{
    (void)state;
    uint64_t type;
    assert_int_equal(frame_type_of(slice_of("\x92\xcd\x03\xe8\xc0", 5), &type), OK);
    assert_int_equal(type, 1000);
}

/* --- HELLO --- */

static struct frame_hello hello_of(size_t have_count)
{
    return (struct frame_hello){.protocol_min = 1,
                                .protocol_max = 3,
                                .township8 = {1, 2},
                                .time_ms = 1657584000000,
                                .time_trusted = true,
                                .generation = {3, 4},
                                .disk_free_mib = 4096,
                                .software = slice_of_text("sidan 1.0"),
                                .credit = 262144,
                                .has_views = true,
                                .views8 = {5},
                                .complete = true,
                                .have8 = {6},
                                .have_count = have_count};
}

static void reads_back_a_hello(void **state)
{
    (void)state;
    struct have_entry have[2] = {{.feed = whole_ref(), .seq = 7, .id8 = {1}},
                                 {.feed = short_ref(4), .seq = FRAME_UINT_MAX, .id8 = {2}}};
    struct frame_hello h = hello_of(2), out;
    struct buf frame = {0};
    frame_hello_write(&frame, &h, have);
    assert_int_equal(type_of(&frame), FRAME_HELLO);
    assert_int_equal(frame_hello_read(&out, buf_slice(&frame)), OK);
    assert_true(frame_hello_version_meets(&out));
    assert_int_equal(out.time_ms, h.time_ms);
    assert_true(out.time_trusted && out.has_views && out.complete);
    assert_memory_equal(out.generation, h.generation, 8);
    assert_true(slice_is_text(out.software, "sidan 1.0"));
    assert_int_equal(out.credit, 262144);
    struct have_entry e;
    struct mp_reader r = frame_have_begin(&out);
    assert_true(frame_have_next(&r, &e));
    assert_true(e.feed.whole && feed_equal(&e.feed.feed, &feed));
    assert_memory_equal(e.feed.id8, have[0].feed.id8, 8);
    assert_true(frame_have_next(&r, &e));
    assert_false(e.feed.whole);
    assert_memory_equal(e.feed.id8, have[1].feed.id8, 8);
    assert_int_equal(e.seq, FRAME_UINT_MAX);
    assert_false(frame_have_next(&r, &e));
    buf_clear(&frame);
}

static void ignores_elements_of_later_versions(void **state)
{
    (void)state;
    struct frame_hello h = hello_of(0), out;
    struct buf frame = {0}, longer = {0};
    h.says_towns = true;
    frame_hello_write(&frame, &h, NULL);
    array_cut(&longer, &frame, 16, "more");
    assert_int_equal(type_of(&longer), FRAME_HELLO);
    assert_int_equal(frame_hello_read(&out, buf_slice(&longer)), OK);
    assert_int_equal(out.have_count, 0);
    buf_clear(&frame);
    buf_clear(&longer);
}

static void refuses_a_hello_cut_anywhere(void **state)
{
    (void)state;
    struct frame_hello h = hello_of(0), out;
    struct buf frame = {0}, shorter = {0};
    frame_hello_write(&frame, &h, NULL);
    for (size_t keep = 1; keep < 14; keep++) {
        array_cut(&shorter, &frame, keep, NULL);
        assert_int_not_equal(frame_hello_read(&out, buf_slice(&shorter)), OK);
    }
    buf_clear(&frame);
    buf_clear(&shorter);
}

static void reads_only_the_range_of_a_hello_of_another_version(void **state)
{
    (void)state;
    static const uint8_t later[] = {0x94, 1, 2, 9, 0xa1, 'x'},
                         upside_down[] = {0x94, 1, 9, 2, 0xc0};
    struct frame_hello out;
    assert_int_equal(frame_hello_read(&out, slice_of(later, sizeof later)), OK);
    assert_false(frame_hello_version_meets(&out));
    assert_int_equal(out.protocol_min, 2);
    assert_int_equal(frame_hello_read(&out, slice_of(upside_down, sizeof upside_down)),
                     ERR_MALFORMED);
}

static void refuses_each_wrong_element_of_a_hello(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *value;
        size_t size;
        enum err err;
    } wrong[] = {
        {0, "\x02", 1, ERR_MALFORMED},            /* type */
        {3, "\xc4\x07xxxxxxx", 9, ERR_MALFORMED}, /* township8 of 7 bytes */
        {4, "\xcf\x00\x01\x00\x00\x00\x00\x00\x00", 9, ERR_LIMIT},
        {4, "\xff", 1, ERR_MALFORMED}, /* time below 0 */
        {5, "\x01", 1, ERR_MALFORMED}, /* bool */
        {8, "\xd9\x21xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 35, ERR_LIMIT},
        {9, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, ERR_LIMIT},
        {10, "\xc4\x01x", 3, ERR_MALFORMED},                     /* views8 */
        {13, "\xc0", 1, ERR_MALFORMED},                          /* have is no array */
        {13, "\x91\xc0", 2, ERR_MALFORMED},                      /* entry is no array */
        {13, "\x91\x92\xc4\x08xxxxxxxx\x01", 13, ERR_MALFORMED}, /* two */
        {13, "\x91\x93\xc4\x08xxxxxxxx\x00\xc4\x08xxxxxxxx", 23, ERR_MALFORMED},     /* number 0 */
        {13, "\x91\x94\xc4\x08xxxxxxxx\x01\xc4\x08xxxxxxxx\xc0", 24, ERR_LIMIT},     /* four */
        {13, "\x91\x93\xc4\x07xxxxxxx\x01\xc4\x08xxxxxxxx", 22, ERR_MALFORMED},      /* feed of 7 */
        {13, "\x91\x93\x94\xc0\xc0\xc0\xc0\x01\xc4\x08xxxxxxxx", 18, ERR_MALFORMED}, /* no feed */
    };
    struct frame_hello h = hello_of(0), out;
    struct buf frame = {0}, bad = {0};
    frame_hello_write(&frame, &h, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        array_replace(&bad, &frame, wrong[i].at, slice_of(wrong[i].value, wrong[i].size));
        assert_int_equal(mp_scan_whole(buf_slice(&bad)), OK);
        assert_int_equal(frame_hello_read(&out, buf_slice(&bad)), wrong[i].err);
    }
    buf_clear(&frame);
    buf_clear(&bad);
}

static void fits_a_full_have_vector_and_refuses_one_more(void **state)
{
    (void)state;
    static struct have_entry have[HAVE_ENTRIES_MAX + 1];
    for (size_t i = 0; i <= HAVE_ENTRIES_MAX; i++)
        have[i] = (struct have_entry){.feed = short_ref((uint8_t)i), .seq = FRAME_UINT_MAX};
    struct frame_hello h = hello_of(HAVE_ENTRIES_MAX), out;
    struct buf frame = {0};
    frame_hello_write(&frame, &h, have);
    assert_int_equal(type_of(&frame), FRAME_HELLO);
    assert_int_equal(frame_hello_read(&out, buf_slice(&frame)), OK);
    buf_reset(&frame);
    h.have_count++;
    frame_hello_write(&frame, &h, have);
    assert_int_equal(frame_hello_read(&out, buf_slice(&frame)), ERR_LIMIT);
    buf_clear(&frame);
}

static void latches_an_error_for_a_frame_over_the_limit(void **state)
{
    (void)state;
    static struct have_entry have[HAVE_ENTRIES_MAX];
    for (size_t i = 0; i < HAVE_ENTRIES_MAX; i++)
        have[i] = (struct have_entry){.feed = whole_ref(), .seq = 1};
    struct frame_hello h = hello_of(HAVE_ENTRIES_MAX);
    struct buf frame = {0};
    frame_hello_write(&frame, &h, have);
    assert_int_equal(frame.err, ERR_LIMIT);
    buf_clear(&frame);
}

static void digests_a_have_vector_in_any_order(void **state)
{
    (void)state;
    struct have_entry a[3] = {{.feed = short_ref(2), .seq = 1, .id8 = {1}},
                              {.feed = short_ref(1), .seq = 300, .id8 = {1}},
                              {.feed = short_ref(1), .seq = 2, .id8 = {9}}};
    struct have_entry b[3] = {a[2], a[0], a[1]};
    uint8_t digest_a[8], digest_b[8], digest_c[8];
    have_digest(digest_a, a, 3);
    have_digest(digest_b, b, 3);
    assert_memory_equal(digest_a, digest_b, 8);
    b[0].id8[7] ^= 1;
    have_digest(digest_c, b, 3);
    assert_memory_not_equal(digest_a, digest_c, 8);
    have_digest(digest_c, NULL, 0);
    assert_memory_not_equal(digest_a, digest_c, 8);
}

/* --- RUN --- */

static struct frame_run run_of(void)
{
    return (struct frame_run){.feed = short_ref(1),
                              .run = {.base_seq = 41,
                                      .base_id8 = {1, 2},
                                      .has_dictionary = true,
                                      .count = 2,
                                      .raw_size = 100,
                                      .check4 = {1, 2, 3, 4},
                                      .payload = slice_of("zstd", 4),
                                      .signature = {{5, 6}}},
                              .has_views = true,
                              .views8 = {8, 8}};
}

static void reads_back_a_run(void **state)
{
    (void)state;
    struct frame_run f = run_of(), out;
    struct buf frame = {0};
    frame_run_write(&frame, &f);
    assert_int_equal(type_of(&frame), FRAME_RUN);
    assert_int_equal(frame_run_read(&out, buf_slice(&frame)), OK);
    assert_int_equal(out.run.base_seq, 41);
    assert_memory_equal(out.run.base_id8, f.run.base_id8, 8);
    assert_true(out.run.has_dictionary);
    assert_int_equal(out.run.count, 2);
    assert_int_equal(out.run.raw_size, 100);
    assert_true(slice_is_text(out.run.payload, "zstd"));
    assert_memory_equal(out.run.signature.bytes, f.run.signature.bytes, 64);
    assert_true(out.has_views);
    assert_memory_equal(out.views8, f.views8, 8);
    assert_true(out.has_views);
    assert_memory_equal(out.views8, f.views8, 8);
    buf_reset(&frame);
    f.has_views = false;
    f.feed = whole_ref();
    f.run.base_seq = 0;
    f.run.has_dictionary = f.has_views = false;
    frame_run_write(&frame, &f);
    assert_int_equal(frame_run_read(&out, buf_slice(&frame)), OK);
    assert_true(out.feed.whole);
    assert_int_equal(out.run.base_seq, 0);
    assert_false(out.run.has_dictionary || out.has_views);
    assert_false(out.has_views);
    buf_clear(&frame);
}

static void refuses_each_wrong_element_of_a_run(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *value;
        size_t size;
        enum err err;
    } wrong[] = {
        {1, "\xc0", 1, ERR_MALFORMED},                                 /* no feed */
        {2, "\x00", 1, ERR_MALFORMED},                                 /* base 0 with an id */
        {2, "\xcf\x00\x00\xff\xff\xff\xff\xff\xfe", 9, ERR_MALFORMED}, /* base + count too great */
        {3, "\xc0", 1, ERR_MALFORMED},                                 /* base 41 without an id */
        {5, "\x00", 1, ERR_MALFORMED},                                 /* no events */
        {5, "\xcd\x10\x01", 3, ERR_LIMIT},                             /* 4097 */
        {6, "\x00", 1, ERR_MALFORMED},                                 /* nothing raw */
        {6, "\xce\x00\x10\x00\x01", 5, ERR_LIMIT},                     /* 1 MiB and 1 */
        {7, "\xc4\x03xxx", 5, ERR_MALFORMED},                          /* check4 */
        {8, "\xc4\x00", 2, ERR_MALFORMED},                             /* no payload */
        {8, "\xa4zstd", 5, ERR_MALFORMED},                             /* text */
        {9, "\xc4\x01x", 3, ERR_MALFORMED},                            /* signature */
        {10, "\xc2", 1, ERR_MALFORMED},                                /* views8 */
    };
    struct frame_run f = run_of(), out;
    struct buf frame = {0}, bad = {0};
    frame_run_write(&frame, &f);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        array_replace(&bad, &frame, wrong[i].at, slice_of(wrong[i].value, wrong[i].size));
        assert_int_equal(mp_scan_whole(buf_slice(&bad)), OK);
        assert_int_equal(frame_run_read(&out, buf_slice(&bad)), wrong[i].err);
    }
    buf_clear(&frame);
    buf_clear(&bad);
}

static void refuses_a_dictionary_where_nothing_came_before(void **state)
{
    (void)state;
    struct frame_run f = run_of(), out;
    struct buf frame = {0};
    f.run.base_seq = 0;
    frame_run_write(&frame, &f);
    assert_int_equal(frame_run_read(&out, buf_slice(&frame)), ERR_MALFORMED);
    buf_clear(&frame);
}

/* --- WANT --- */

static void reads_back_a_want(void **state)
{
    (void)state;
    struct frame_want f = {.has_feed = true,
                           .feed = short_ref(3),
                           .point_count = WANT_POINTS_MAX,
                           .to = 9,
                           .flags = WANT_BOXES | 1024};
    struct frame_want out;
    struct buf frame = {0};
    for (size_t i = 0; i < WANT_POINTS_MAX; i++)
        f.points[i] = (struct want_point){.seq = 100 - i, .id8 = {(uint8_t)i}};
    frame_want_write(&frame, &f);
    assert_int_equal(type_of(&frame), FRAME_WANT);
    assert_int_equal(frame_want_read(&out, buf_slice(&frame)), OK);
    assert_true(out.has_feed);
    assert_int_equal(out.point_count, WANT_POINTS_MAX);
    assert_int_equal(out.points[39].seq, 61);
    assert_int_equal(out.points[39].id8[0], 39);
    assert_int_equal(out.to, 9);
    assert_int_equal(out.flags, WANT_BOXES | 1024);
    buf_reset(&frame);
    f = (struct frame_want){.flags = WANT_ROSTER};
    frame_want_write(&frame, &f);
    assert_int_equal(frame_want_read(&out, buf_slice(&frame)), OK);
    assert_false(out.has_feed);
    assert_int_equal(out.point_count, 0);
    buf_clear(&frame);
}

static void refuses_a_want_with_too_many_or_wrong_points(void **state)
{
    (void)state;
    struct frame_want f = {.has_feed = true, .feed = short_ref(3)}, out;
    struct buf frame = {0}, bad = {0}, points = {0};
    struct mp_writer w = {&points};
    frame_want_write(&frame, &f);
    mp_write_array(&w, WANT_POINTS_MAX + 1);
    for (size_t i = 0; i <= WANT_POINTS_MAX; i++)
        mp_write_raw(&w, slice_of("\x92\x01\xc4\x08xxxxxxxx", 12));
    array_replace(&bad, &frame, 2, buf_slice(&points));
    assert_int_equal(frame_want_read(&out, buf_slice(&bad)), ERR_LIMIT);
    array_replace(&bad, &frame, 2, slice_of("\x91\x92\x00\xc4\x08xxxxxxxx", 13));
    assert_int_equal(frame_want_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    array_replace(&bad, &frame, 2, slice_of("\x91\x91\x01", 3));
    assert_int_equal(frame_want_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    array_replace(&bad, &frame, 4, slice_of("\xff", 1));
    assert_int_equal(frame_want_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    buf_clear(&frame);
    buf_clear(&bad);
    buf_clear(&points);
}

/* --- REFUSE, BYE --- */

static void reads_back_a_refusal(void **state)
{
    (void)state;
    struct frame_refuse out;
    struct buf frame = {0}, bad = {0};
    frame_refuse_write(&frame, REFUSE_CREDIT, "more than was granted");
    assert_int_equal(type_of(&frame), FRAME_REFUSE);
    assert_int_equal(frame_refuse_read(&out, buf_slice(&frame)), OK);
    assert_int_equal(out.code, REFUSE_CREDIT);
    assert_true(slice_is_text(out.text, "more than was granted"));
    array_replace(&bad, &frame, 1, slice_of("\xcd\x03\xe8", 3));
    assert_int_equal(frame_refuse_read(&out, buf_slice(&bad)), OK);
    assert_true(strlen(refuse_text(out.code)) > 0);
    char longer[REFUSE_TEXT_SIZE_MAX + 4] = {(char)0xda, 1, 1};
    memset(longer + 3, 'x', REFUSE_TEXT_SIZE_MAX + 1);
    array_replace(&bad, &frame, 2, slice_of(longer, sizeof longer));
    assert_int_equal(frame_refuse_read(&out, buf_slice(&bad)), ERR_LIMIT);
    buf_clear(&frame);
    buf_clear(&bad);
}

static void says_goodbye_in_two_bytes(void **state)
{
    (void)state;
    struct buf frame = {0};
    frame_bye_write(&frame);
    assert_int_equal(type_of(&frame), FRAME_BYE);
    assert_int_equal(frame.size, 2);
    buf_clear(&frame);
}

static void reads_back_a_ping_of_four_bytes(void **state)
{
    (void)state;
    struct buf frame = {0};
    uint64_t next_s;
    frame_ping_write(&frame, 180);
    assert_int_equal(frame.size, 4);
    assert_int_equal(frame_ping_read(&next_s, slice_of("\x92\x08\xc0", 3)), ERR_MALFORMED);
    assert_int_equal(frame_ping_read(&next_s, slice_of("\x91\x08", 2)), ERR_MALFORMED);
    assert_int_equal(frame_ping_read(&next_s, buf_slice(&frame)), OK);
    assert_int_equal(next_s, 180);
    buf_clear(&frame);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_frame),
        cmocka_unit_test(refuses_a_frame_over_the_limit),
        cmocka_unit_test(gives_types_of_later_versions),
        cmocka_unit_test(reads_back_a_hello),
        cmocka_unit_test(ignores_elements_of_later_versions),
        cmocka_unit_test(refuses_a_hello_cut_anywhere),
        cmocka_unit_test(reads_only_the_range_of_a_hello_of_another_version),
        cmocka_unit_test(refuses_each_wrong_element_of_a_hello),
        cmocka_unit_test(fits_a_full_have_vector_and_refuses_one_more),
        cmocka_unit_test(latches_an_error_for_a_frame_over_the_limit),
        cmocka_unit_test(digests_a_have_vector_in_any_order),
        cmocka_unit_test(reads_back_a_run),
        cmocka_unit_test(refuses_each_wrong_element_of_a_run),
        cmocka_unit_test(refuses_a_dictionary_where_nothing_came_before),
        cmocka_unit_test(reads_back_a_want),
        cmocka_unit_test(refuses_a_want_with_too_many_or_wrong_points),
        cmocka_unit_test(reads_back_a_refusal),
        cmocka_unit_test(says_goodbye_in_two_bytes),
        cmocka_unit_test(reads_back_a_ping_of_four_bytes),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
