#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/msgpack.h"

/* Bytes of a test case, from hex without spaces. */
struct bytes {
    uint8_t data[256];
    size_t size;
};

static struct slice from_hex(struct bytes *b, const char *hex)
{
    b->size = strlen(hex) / 2;
    assert_true(b->size <= sizeof b->data);
    assert_int_equal(hex_decode(b->data, b->size, hex, strlen(hex)), OK);
    return slice_of(b->data, b->size);
}

static void takes_every_shortest_form(void **state)
{
    (void)state;
    static const char *const good[] = {
        "c0",
        "c2",
        "c3", /* nil, false, true */
        "00",
        "7f",
        "cc80",
        "ccff",
        "cd0100",
        "cdffff", /* unsigned */
        "ce00010000",
        "ceffffffff",
        "cf0000000100000000",
        "cfffffffffffffffff",
        "ff",
        "e0",
        "d0df",
        "d080",
        "d1ff7f",
        "d18000",
        "d2ffff7fff",
        "d280000000", /* negative */
        "d3ffffffff7fffffff",
        "d38000000000000000",
        "a0",
        "a161",
        "a3e4b8ad",
        "a4f09f9880",
        "a20a09",
        "a17f", /* text; tab, newline, DEL */
        "a3ed9fbf",
        "a3ee8080",
        "a4f48fbfbf", /* around the surrogates, the last one */
        "c400",
        "c401ff", /* bin */
        "90",
        "9100",
        "80",
        "81a16100",
        "810000", /* array, map with text or unsigned key */
        "820001cc8001",
        "8200a0a161a0",
        "82a161c0a162c0",
        "827f00a000",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct bytes b;
        struct slice in = from_hex(&b, good[i]);
        if (mp_scan_whole(in) != OK) fail_msg("refused %s", good[i]);
        assert_int_equal(mp_check_with_library(in), OK);
    }
}

static const char *const other_forms[] = {
    "", /* nothing */
    "cc7f",
    "cc00",
    "cd00ff",
    "ce0000ffff",
    "cf00000000ffffffff", /* longer than needed */
    "d0e0",
    "d0ff",
    "d1ff80",
    "d2ffff8000",
    "d3ffffffff80000000",
    "d07f",
    "d1007f",
    "d200000001",
    "d30000000000000001", /* not negative, signed form */
    "ca00000000",
    "cb0000000000000000", /* floats */
    "c1",
    "c70001",
    "c8000001",
    "c90000000001",
    "d40100",
    "d5010000", /* never used, ext */
    "d90161",
    "da000161",
    "db0000000161", /* text with a long length */
    "c5000161",
    "c60000000161",
    "dc000100",
    "dd0000000100",
    "de0001a161c0",
    "df00000000",
    "a2c0af",
    "a3e08080",
    "a4f0808080", /* overlong */
    "a3eda080",
    "a3edbfbf",
    "a4f4908080",
    "a4f8888080", /* surrogates, past the end */
    "a180",
    "a1c2",
    "a2c241",
    "a3e4b841",
    "a2e4b8", /* cut and stray continuation */
    "a100",
    "a10d",
    "a11b",                 /* control characters */
    "a9616161616161616100", /* the same in the fast path's reach */
    "81a161",
    "8100",
    "91",
    "a261", /* cut */
    "cd01",
    "c4",
    "c402ff",
    "d9",
    "dc00",
    "82a161c0a161c0",
    "82a162c0a161c0",
    "8201000000",
    "82a161000000", /* keys: same, unsorted */
    "81c0c0",
    "81c40000",
    "8190c0",
    "8180c0",
    "81ffc0",
    "81c3c0", /* keys of other types */
};

static void refuses_every_other_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof other_forms / sizeof *other_forms; i++) {
        struct bytes b;
        if (mp_scan_whole(from_hex(&b, other_forms[i])) != ERR_MALFORMED)
            fail_msg("took %s", other_forms[i]);
    }
}

static void refuses_bytes_after_the_value(void **state)
{
    (void)state;
    struct bytes b;
    struct slice in = from_hex(&b, "9100c0");
    size_t used = 0;
    assert_int_equal(mp_scan_whole(in), ERR_MALFORMED);
    assert_int_equal(mp_scan(in, &used), OK);
    assert_int_equal(used, 2);
}

static void believes_no_count_that_the_bytes_do_not_hold(void **state)
{
    (void)state;
    static const char *const bombs[] = {
        "dd04000000", "ddffffffff",       "dfffffffff", "df80000000", "dbffffffff",
        "c6ffffffff", "dd00010000c0c0c0", "9fc0",       "8fa161c0",
    };
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct bytes b;
        struct slice in = from_hex(&b, bombs[i]);
        assert_int_equal(mp_scan_whole(in), ERR_MALFORMED);
        struct mp_reader r = mp_reader_of(in);
        mp_skip(&r);
        assert_int_equal(r.err, ERR_MALFORMED);
    }
}

static void bounds_the_depth(void **state)
{
    (void)state;
    struct bytes b;
    assert_int_equal(mp_scan_whole(from_hex(&b, "919191919191919100")), OK);
    assert_int_equal(mp_scan_whole(from_hex(&b, "9191919191919190")), OK);
    assert_int_equal(mp_scan_whole(from_hex(&b, "91919191919191919100")), ERR_LIMIT);
    assert_int_equal(mp_scan_whole(from_hex(&b, "919191919191919190")), ERR_LIMIT);
    assert_int_equal(mp_scan_whole(from_hex(&b, "81008100810081008100810081008100810000")),
                     ERR_LIMIT);
    assert_int_equal(mp_scan_whole_depth(from_hex(&b, "929000"), 2), OK);
    assert_int_equal(mp_scan_whole_depth(from_hex(&b, "929000"), 1), ERR_LIMIT);
    assert_int_equal(mp_scan_whole_depth(from_hex(&b, "00"), 0), OK);
    assert_int_equal(mp_scan_whole_depth(from_hex(&b, "90"), 0), ERR_LIMIT);
}

static void reads_what_was_written(void **state)
{
    (void)state;
    struct buf out = {0};
    struct mp_writer w = {&out};
    mp_write_array(&w, 9);
    mp_write_uint(&w, UINT64_MAX);
    mp_write_int(&w, INT64_MIN);
    mp_write_int(&w, 200);
    mp_write_bool(&w, true);
    mp_write_nil(&w);
    mp_write_text(&w, "琅塘镇");
    mp_write_bin(&w, "\0\1", 2);
    mp_write_map(&w, 1);
    mp_write_text(&w, "k");
    mp_write_uint(&w, 7);
    mp_write_bool(&w, false);
    assert_int_equal(out.err, OK);
    assert_int_equal(mp_scan_whole(buf_slice(&out)), OK);

    struct mp_reader r = mp_reader_of(buf_slice(&out));
    uint8_t bin[2];
    assert_int_equal(mp_read_array(&r, 9), 9);
    assert_true(mp_read_uint(&r, UINT64_MAX) == UINT64_MAX);
    assert_true(mp_read_int(&r, INT64_MIN, 0) == INT64_MIN);
    assert_int_equal(mp_read_int(&r, 0, 200), 200);
    assert_false(mp_read_nil(&r));
    assert_true(mp_read_bool(&r));
    assert_true(mp_read_nil(&r));
    assert_true(slice_is_text(mp_read_str(&r, 9), "琅塘镇"));
    mp_read_bin_exact(&r, bin, sizeof bin);
    assert_memory_equal(bin, "\0\1", 2);
    assert_int_equal(mp_peek(&r), MP_MAP);
    assert_int_equal(mp_skip(&r).size, 4);
    assert_false(mp_read_bool(&r));
    assert_int_equal(mp_peek(&r), MP_END);
    assert_int_equal(mp_read_end(&r), OK);
    buf_clear(&out);
}

static void latches_a_readers_first_error(void **state)
{
    (void)state;
    struct bytes b;
    struct slice in = from_hex(&b, "9305a16101");
    struct mp_reader r = mp_reader_of(in);
    assert_int_equal(mp_read_array(&r, 3), 3);
    assert_int_equal(mp_read_uint(&r, 4), 0); /* 5 is over the bound */
    assert_int_equal(r.err, ERR_RANGE);
    assert_int_equal(mp_read_str(&r, 9).size, 0);
    assert_int_equal(mp_skip(&r).size, 0);
    assert_false(mp_read_nil(&r));
    assert_int_equal(mp_peek(&r), MP_END);
    assert_int_equal(mp_read_end(&r), ERR_RANGE);

    r = mp_reader_of(in);
    assert_int_equal(mp_read_map(&r, 9), 0); /* it is an array */
    assert_int_equal(r.err, ERR_MALFORMED);
    r = mp_reader_of(in);
    assert_int_equal(mp_read_array(&r, 2), 0);
    assert_int_equal(r.err, ERR_RANGE);
    r = mp_reader_of(in);
    mp_read_array(&r, 3);
    assert_int_equal(mp_read_end(&r), ERR_MALFORMED); /* not all was read */

    uint8_t four[4] = {1, 2, 3, 4}, zero[4] = {0};
    r = mp_reader_of(from_hex(&b, "c403010203"));
    mp_read_bin_exact(&r, four, sizeof four);
    assert_int_equal(r.err, ERR_MALFORMED);
    assert_memory_equal(four, zero, sizeof four);
    r = mp_reader_of(from_hex(&b, "cfffffffffffffffff"));
    assert_int_equal(mp_read_int(&r, INT64_MIN, INT64_MAX), 0);
    assert_int_equal(r.err, ERR_RANGE);
}

static void sets_a_key_of_a_map_and_takes_it_out_again(void **state)
{
    (void)state;
    static const struct {
        const char *map, *value, *result;
    } cases[] = {
        {"80", "07", "81a26e6f07"},                                 /* into an empty one */
        {"82a16101a3616263c0", "07", "83a16101a26e6f07a3616263c0"}, /* between */
        {"81a16101", "07", "82a16101a26e6f07"},                     /* behind */
        {"81a3616263c0", "07", "82a26e6f07a3616263c0"},             /* before */
        {"82a26e6fa178a3616263c0", "07", "82a26e6f07a3616263c0"},   /* instead */
        {"82a26e6fa178a3616263c0", "", "81a3616263c0"},             /* out */
        {"81a26e6f9101", "", "80"},
        {"81a16101", "", "81a16101"}, /* it was not there */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes map, value = {0}, result;
        struct buf out = {0};
        struct slice in = from_hex(&map, cases[i].map);
        struct slice set = cases[i].value[0] ? from_hex(&value, cases[i].value) : SLICE_EMPTY;
        assert_int_equal(mp_map_with(&out, in, "no", set), OK);
        assert_true(slice_equal(buf_slice(&out), from_hex(&result, cases[i].result)));
        assert_int_equal(mp_scan_whole(buf_slice(&out)), OK);
        buf_clear(&out);
    }
    struct bytes b;
    struct buf out = {0};
    assert_int_equal(mp_map_with(&out, from_hex(&b, "90"), "no", SLICE_EMPTY), ERR_MALFORMED);
    buf_clear(&out);
}

static void stays_inside_bytes_that_nobody_scanned(void **state)
{
    (void)state;
    /* exact heap copies, so a sanitizer sees a step past the end */
    static const char *const cut[] = {"c4",     "c4ff", "d9ff61", "cf0000",
                                      "dd0000", "9f",   "81a1",   "c1"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct bytes b;
        struct slice in = from_hex(&b, cut[i]);
        uint8_t *copy = malloc(in.size);
        assert_non_null(copy);
        memcpy(copy, in.data, in.size);
        struct mp_reader r = mp_reader_of(slice_of(copy, in.size)), again = r;
        mp_skip(&r);
        assert_int_equal(r.err, ERR_MALFORMED);
        mp_read_bin(&again, SIZE_MAX);
        assert_int_equal(again.err, ERR_MALFORMED);
        struct mp_reader value;
        assert_false(mp_map_get(slice_of(copy, in.size), "a", &value));
        free(copy);
    }
}

static void builds_a_map_in_any_order(void **state)
{
    (void)state;
    static const char *const keys[] = {"urgency", "a", "channel", "nature", "zz", "b", "village"};
    struct mp_map map = {0};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct mp_writer w = mp_map_put(&map, keys[i]);
        mp_write_uint(&w, i);
    }
    assert_int_equal(mp_map_end(&map, &out), OK);
    assert_int_equal(mp_scan_whole(buf_slice(&out)), OK);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct mp_reader value;
        assert_true(mp_map_get(buf_slice(&out), keys[i], &value));
        assert_int_equal(mp_read_uint(&value, 99), i);
        assert_int_equal(mp_read_end(&value), OK);
    }
    struct mp_reader value;
    assert_false(mp_map_get(buf_slice(&out), "none", &value));
    assert_false(mp_map_get(SLICE_EMPTY, "none", &value));

    mp_map_reset(&map);
    buf_reset(&out);
    assert_int_equal(mp_map_end(&map, &out), OK);
    assert_int_equal(out.size, 1); /* {} */
    mp_map_clear(&map);
    buf_clear(&out);
}

static void refuses_a_key_twice(void **state)
{
    (void)state;
    struct mp_map map = {0};
    struct buf out = {0};
    for (size_t i = 0; i < 3; i++) {
        struct mp_writer w = mp_map_put(&map, i == 1 ? "other" : "same");
        mp_write_nil(&w);
    }
    assert_int_equal(mp_map_end(&map, &out), ERR_EXISTS);
    assert_int_equal(out.size, 0);
    mp_map_clear(&map);
    buf_clear(&out);
}

static void latches_a_full_buffer(void **state)
{
    (void)state;
    struct buf out = {.size_max = 4};
    struct mp_writer w = {&out};
    mp_write_text(&w, "too long");
    mp_write_nil(&w);
    assert_int_equal(out.err, ERR_LIMIT);
    struct mp_map map = {.bytes = {.size_max = 4}};
    struct mp_writer value = mp_map_put(&map, "too long");
    mp_write_nil(&value);
    struct buf other = {0};
    assert_int_equal(mp_map_end(&map, &other), ERR_LIMIT);
    mp_map_clear(&map);
    buf_clear(&out);
    buf_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_shortest_form),
        cmocka_unit_test(refuses_every_other_form),
        cmocka_unit_test(refuses_bytes_after_the_value),
        cmocka_unit_test(believes_no_count_that_the_bytes_do_not_hold),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(latches_a_readers_first_error),
        cmocka_unit_test(sets_a_key_of_a_map_and_takes_it_out_again),
        cmocka_unit_test(stays_inside_bytes_that_nobody_scanned),
        cmocka_unit_test(builds_a_map_in_any_order),
        cmocka_unit_test(refuses_a_key_twice),
        cmocka_unit_test(latches_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
