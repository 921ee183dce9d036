#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/json.h"

/* Packs JSON text; the result is hex, or "field what" of the refusal. */
static const char *packed(struct buf *out, const char *text, const struct kind *kind)
{
    struct json_packer packer = {0};
    struct kind_problem problem = {0};
    struct buf bytes = {0};
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    buf_reset(out);
    if (json_pack_map(&packer, &bytes, json, kind, &problem) == OK) {
        assert_int_equal(mp_scan_whole(buf_slice(&bytes)), OK);
        char *to = (char *)buf_reserve(out, 2 * bytes.size + 1);
        hex_encode(to, bytes.data, bytes.size);
        buf_advance(out, 2 * bytes.size);
    } else {
        buf_printf(out, "%s|%s", problem.field, problem.what);
    }
    json_decref(json);
    buf_clear(&bytes);
    json_packer_clear(&packer);
    return buf_text(out);
}

static void packs_every_type_in_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *json, *hex;
    } rows[] = {
        {"{}", "80"},
        {"{\"a\":1}", "81a16101"},
        {"{\"b\":-1,\"a\":true}", "82a161c3a162ff"},
        {"{\"aa\":1,\"b\":2}", "82a16202a2616101"}, /* sorted by encoded bytes: short keys first */
        {"{\"a\":null,\"b\":\"\\u6751\"}", "82a161c0a162a3e69d91"},
        {"{\"a\":[1,[2],{\"x\":[]}]}", "81a16193019102"
                                       "81a17890"},
        {"{\"a\":{\"$bin\":\"00ff\"}}", "81a161c40200ff"},
        {"{\"a\":{\"$uint\":\"18446744073709551615\"}}", "81a161cfffffffffffffffff"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(packed(&out, rows[i].json, NULL), rows[i].hex);
    buf_clear(&out);
}

static void refuses_what_has_no_form(void **state)
{
    (void)state;
    static const struct {
        const char *json, *problem;
    } rows[] = {
        {"[]", "|is not an object"},
        {"{\"a\":1.5}", "a|is not a whole number"},
        {"{\"a\":[1e3]}", "a|is not a whole number"},
        {"{\"a\":{\"$bin\":\"0\"}}", "a|is not hex"},
        {"{\"a\":{\"$bin\":\"zz\"}}", "a|is not hex"},
        {"{\"a\":{\"$bin\":7}}", "a|is not hex"},
        {"{\"a\":{\"$uint\":\"18446744073709551616\"}}", "a|is not a number"},
        {"{\"a\":{\"$uint\":\"\"}}", "a|is not a number"},
        {"{\"a\":[[[[[[[[1]]]]]]]]}", "a|is nested too deeply"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(packed(&out, rows[i].json, NULL), rows[i].problem);
    buf_clear(&out);
}

static void reads_fields_as_people_write_them(void **state)
{
    (void)state;
    const struct kind *order = kind_find(slice_of_text("order.issue"));
    struct buf out = {0};
    assert_string_equal(packed(&out, "{\"signed_by\":\"00112233445566778899aabbccddeeff\"}", order),
                        "81a97369676e65645f6279c41000112233445566778899aabbccddeeff");
    assert_string_equal(packed(&out, "{\"due\":\"1970-01-02\"}", order), "81a3647565ce036ee800");
    assert_string_equal(packed(&out, "{\"due\":\"soon\"}", order),
                        "due|is not a time like \"2026-11-23 15:20\"");
    assert_string_equal(packed(&out, "{\"signed_by\":\"xy\"}", order), "signed_by|is not hex");
    buf_clear(&out);
}

static void comes_back_as_it_went(void **state)
{
    (void)state;
    static const char *const text = "{\"a\":[1,-5,null,true,\"x\"],\"b\":{\"c\":{\"$bin\":\"0a\"}},"
                                    "\"d\":{\"$uint\":\"9223372036854775808\"}}";
    struct json_packer packer = {0};
    struct kind_problem problem;
    struct buf bytes = {0};
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(json_pack_map(&packer, &bytes, json, NULL, &problem), OK);
    json_t *back = json_of_fields(buf_slice(&bytes), NULL);
    assert_true(json_equal(json, back));
    json_decref(back);
    json_decref(json);
    buf_clear(&bytes);
    json_packer_clear(&packer);
}

static void shows_known_ids_as_plain_hex(void **state)
{
    (void)state;
    const struct kind *order = kind_find(slice_of_text("order.issue"));
    struct json_packer packer = {0};
    struct kind_problem problem;
    struct buf bytes = {0};
    json_t *json = json_loads("{\"signed_by\":\"00112233445566778899aabbccddeeff\"}", 0, NULL);
    assert_int_equal(json_pack_map(&packer, &bytes, json, order, &problem), OK);
    json_t *back = json_of_fields(buf_slice(&bytes), order);
    assert_true(json_equal(json, back));
    json_decref(back);
    json_decref(json);
    buf_clear(&bytes);
    json_packer_clear(&packer);
}

static void makes_an_empty_object_of_nothing(void **state)
{
    (void)state;
    json_t *o = json_of_fields(SLICE_EMPTY, NULL);
    assert_true(json_is_object(o));
    assert_int_equal(json_object_size(o), 0);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_every_type_in_canonical_form),
        cmocka_unit_test(refuses_what_has_no_form),
        cmocka_unit_test(reads_fields_as_people_write_them),
        cmocka_unit_test(comes_back_as_it_went),
        cmocka_unit_test(shows_known_ids_as_plain_hex),
        cmocka_unit_test(makes_an_empty_object_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
