/* Fields of bodies, and maps of them joined. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/body.h"

#include <stdio.h>

/* The keys of the bits in `keys` (of `size` bits), each with `value`. */
static void map_of(struct buf *out, uint32_t keys, size_t size, uint64_t value)
{
    struct mp_map map = {0};
    for (size_t i = 0; i < size; i++) {
        char key[8];
        if (!(keys & UINT32_C(1) << i)) continue;
        snprintf(key, sizeof key, i % 3 ? "k%zu" : "key%zu", i);
        struct mp_writer w = mp_map_put(&map, key);
        mp_write_uint(&w, value ? value : i);
    }
    buf_reset(out);
    assert_int_equal(mp_map_end(&map, out), OK);
    mp_map_clear(&map);
}

/* The join written by itself: of each key of either its value, in canonical order. */
static void expected_of(struct buf *out, uint32_t base, uint32_t over, size_t size)
{
    struct mp_map map = {0};
    for (size_t i = 0; i < size; i++) {
        char key[8];
        if (!((base | over) & UINT32_C(1) << i)) continue;
        snprintf(key, sizeof key, i % 3 ? "k%zu" : "key%zu", i);
        struct mp_writer w = mp_map_put(&map, key);
        mp_write_uint(&w, over & UINT32_C(1) << i ? 70000 : i);
    }
    buf_reset(out);
    assert_int_equal(mp_map_end(&map, out), OK);
    mp_map_clear(&map);
}

static void check_join(uint32_t base_keys, uint32_t over_keys, size_t size)
{
    struct buf base = {0}, over = {0}, joined = {0}, expected = {0};
    map_of(&base, base_keys, size, 0);
    map_of(&over, over_keys, size, 70000);
    expected_of(&expected, base_keys, over_keys, size);
    body_join(&joined, buf_slice(&base), buf_slice(&over));
    assert_int_equal(joined.err, OK);
    assert_true(slice_equal(buf_slice(&joined), buf_slice(&expected)));
    buf_clear(&base);
    buf_clear(&over);
    buf_clear(&joined);
    buf_clear(&expected);
}

static void a_join_has_the_keys_of_both_and_the_later_value(void **state)
{
    (void)state;
    for (uint32_t base = 0; base < 32; base++)
        for (uint32_t over = 0; over < 32; over++) check_join(base, over, 5);
}

/* A map of up to 15 entries has a head of one byte, a larger one of three. */
static void a_join_has_the_shortest_head(void **state)
{
    (void)state;
    const uint32_t fifteen = 0x7fff;
    for (uint32_t i = 0; i < 20; i++) {
        check_join(fifteen, UINT32_C(1) << i, 20);
        check_join(UINT32_C(1) << i, fifteen, 20);
    }
    check_join(fifteen, fifteen, 20);
    check_join(0xfffff, 0xfffff, 20);
}

static void only_fields_of_the_kind_are_known(void **state)
{
    (void)state;
    static const uint8_t body[] = "\x82\xa1x\x01\xa4unit\xa1y";
    struct buf out = {0};
    const struct kind *kind = kind_find(slice_of_text("actor.enrol"));
    body_known(&out, kind, slice_of(body, sizeof body - 1));
    assert_true(slice_equal(buf_slice(&out), slice_of_text("\x81\xa4unit\xa1y")));
    buf_clear(&out);
}

static void an_id_is_copied_where_one_of_its_size_is_there(void **state)
{
    (void)state;
    static const uint8_t body[] = "\x83\xa1"
                                  "a\xc4\x10"
                                  "0123456789abcdef\xa1"
                                  "b\xc4\x03xyz\xa1"
                                  "c\xa3xyz";
    const struct slice map = slice_of(body, sizeof body - 1);
    struct thing_id id = {{0}};
    char three[] = "---";
    assert_true(body_thing(map, "a", &id));
    assert_memory_equal(id.bytes, "0123456789abcdef", 16);
    assert_false(body_thing(map, "b", &id));
    assert_false(body_thing(map, "d", &id));
    assert_memory_equal(id.bytes, "0123456789abcdef", 16);
    assert_false(body_bytes(map, "c", three, 3)); /* text is no bytes */
    assert_string_equal(three, "---");
    assert_true(body_bytes(map, "b", three, 3));
    assert_string_equal(three, "xyz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_has_the_keys_of_both_and_the_later_value),
        cmocka_unit_test(a_join_has_the_shortest_head),
        cmocka_unit_test(an_id_is_copied_where_one_of_its_size_is_there),
        cmocka_unit_test(only_fields_of_the_kind_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
