#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a body and a box, made field by field --- */

struct draft {
    struct mp_map body, box;
    struct buf body_bytes, box_bytes;
};

static void draft_text(struct mp_map *m, const char *key, const char *text)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_text(&w, text);
}

static void draft_uint(struct mp_map *m, const char *key, uint64_t value)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_uint(&w, value);
}

static void draft_end(struct draft *d)
{
    assert_int_equal(mp_map_end(&d->body, &d->body_bytes), OK);
    if (d->box.count) assert_int_equal(mp_map_end(&d->box, &d->box_bytes), OK);
}

static void draft_clear(struct draft *d)
{
    mp_map_clear(&d->body);
    mp_map_clear(&d->box);
    buf_clear(&d->body_bytes);
    buf_clear(&d->box_bytes);
}

/* A good request.register; `skip` is left out. */
static void draft_register(struct draft *d, const char *skip)
{
    static const char *const texts[][2] = {
        {"number", "03A-0127"}, {"channel", "visit"}, {"nature", "help"}, {"category", "0103"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i][0], skip) != 0) draft_text(&d->body, texts[i][0], texts[i][1]);
    if (strcmp(skip, "received") != 0) draft_uint(&d->body, "received", 1657584000000);
    if (strcmp(skip, "urgency") != 0) draft_uint(&d->body, "urgency", 2);
    if (strcmp(skip, "content") != 0) draft_text(&d->box, "content", "污水管网堵塞");
}

static const struct kind *kind_of(const char *name)
{
    const struct kind *k = kind_find(slice_of_text(name));
    assert_non_null(k);
    return k;
}

static void check_refused(struct draft *d, const char *kind, const char *field, const char *what)
{
    struct kind_problem problem = {0};
    draft_end(d);
    assert_int_equal(kind_check(kind_of(kind), buf_slice(&d->body_bytes), buf_slice(&d->box_bytes),
                                false, &problem),
                     ERR_RANGE);
    assert_string_equal(problem.field, field);
    assert_string_equal(problem.what, what);
    draft_clear(d);
}

/* --- the checks --- */

static void takes_a_request_with_all_that_is_required(void **state)
{
    (void)state;
    struct draft d = {0};
    struct kind_problem problem;
    draft_register(&d, "");
    draft_text(&d.box, "phone", "13800000000");
    draft_end(&d);
    assert_int_equal(kind_check(kind_of("request.register"), buf_slice(&d.body_bytes),
                                buf_slice(&d.box_bytes), false, &problem),
                     OK);
    draft_clear(&d);
}

static void names_each_required_field_that_is_missing(void **state)
{
    (void)state;
    static const char *const required[] = {"number",  "channel",  "received", "nature",
                                           "urgency", "category", "content"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        struct draft d = {0};
        draft_register(&d, required[i]);
        draft_text(&d.box, "name", "刘平");
        check_refused(&d, "request.register", required[i], "is missing");
    }
}

static void excuses_an_erased_box_only_when_told_to(void **state)
{
    (void)state;
    struct draft d = {0};
    struct kind_problem problem;
    draft_register(&d, "content");
    draft_end(&d);
    const struct kind *k = kind_of("request.register");
    struct slice body = buf_slice(&d.body_bytes);
    assert_int_equal(kind_check(k, body, SLICE_EMPTY, true, &problem), OK);
    assert_int_equal(kind_check(k, body, SLICE_EMPTY, false, &problem), ERR_RANGE);
    assert_string_equal(problem.field, "content");
    draft_clear(&d);
}

static void refuses_an_accusation_in_the_open_with_its_reason(void **state)
{
    (void)state;
    struct draft d = {0};
    draft_register(&d, "nature");
    draft_text(&d.body, "nature", "accusation");
    check_refused(&d, "request.register", "nature",
                  "must be sealed to the office and is not recorded in the open");
}

static void refuses_a_personal_field_in_the_body(void **state)
{
    (void)state;
    struct draft d = {0};
    draft_register(&d, "");
    draft_text(&d.body, "phone", "13800000000");
    check_refused(&d, "request.register", "phone", "is personal and belongs into the box");
}

static void refuses_a_public_field_in_the_box(void **state)
{
    (void)state;
    struct draft d = {0};
    draft_register(&d, "category");
    draft_text(&d.box, "category", "0103");
    check_refused(&d, "request.register", "category", "belongs into the body");
}

static void allows_fields_of_later_versions(void **state)
{
    (void)state;
    struct draft d = {0};
    struct kind_problem problem;
    draft_register(&d, "");
    draft_text(&d.body, "weather", "rain");
    draft_text(&d.box, "openid", "x");
    draft_end(&d);
    assert_int_equal(kind_check(kind_of("request.register"), buf_slice(&d.body_bytes),
                                buf_slice(&d.box_bytes), false, &problem),
                     OK);
    draft_clear(&d);
}

static void skips_keys_that_are_numbers(void **state)
{
    (void)state;
    static const uint8_t map[] = {0x82, 0x05, 0x91, 0x01, 0xa6, 'r', 'e',
                                  'a',  's',  'o',  'n',  0xa1, 'x'};
    struct kind_problem problem;
    assert_int_equal(kind_check(kind_of("device.revoked"), slice_of(map, sizeof map), SLICE_EMPTY,
                                false, &problem),
                     OK);
}

struct value {
    const char *field, *text;
    uint64_t number;
    const char *what;
};

/* `text` NULL: the number. Both of one wrong value each, in order.issue and others. */
static void refuses_values_outside_their_type_and_range(void **state)
{
    (void)state;
    static const struct value values[] = {
        {"number", "03A", 0, "is too short"},
        {"number", "03A-0127-0127-0127", 0, "is too long"},
        {"number", NULL, 7, "is not text"},
        {"channel", "telex", 0, "is not one of the choices"},
        {"channel", "", 0, "is not one of the choices"},
        {"channel", "phone|visit", 0, "is not one of the choices"},
        {"category", "010", 0, "has the wrong number of digits"},
        {"category", "01031", 0, "has the wrong number of digits"},
        {"category", "01a3", 0, "is not made of digits"},
        {"urgency", NULL, 0, "is out of range"},
        {"urgency", NULL, 4, "is out of range"},
        {"urgency", "2", 0, "is not a whole number from 0 up"},
        {"received", NULL, HLC_MS_MAX + 1, "is out of range"},
        {"received", "yesterday", 0, "is not a time in milliseconds since 1970"},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct draft d = {0};
        draft_register(&d, values[i].field);
        if (values[i].text)
            draft_text(&d.body, values[i].field, values[i].text);
        else
            draft_uint(&d.body, values[i].field, values[i].number);
        check_refused(&d, "request.register", values[i].field, values[i].what);
    }
}

static void draft_order(struct draft *d)
{
    draft_text(&d->body, "unit", "水利站");
    draft_uint(&d->body, "due", 1657584000000);
}

static void takes_real_days_only(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        bool real;
    } days[] = {
        {"2022-07-12", true},  {"2024-02-29", true},  {"2000-02-29", true},  {"2023-02-29", false},
        {"1900-02-29", false}, {"2022-04-31", false}, {"2022-13-01", false}, {"2022-00-10", false},
        {"2022-01-00", false}, {"2022-1-01", false},  {"2022/01/01", false}, {"2022-01-011", false},
        {"", false},           {"２０２２", false},
    };
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        struct draft d = {0};
        struct kind_problem problem;
        draft_order(&d);
        draft_text(&d.body, "signed_on", days[i].day);
        draft_end(&d);
        assert_int_equal(kind_check(kind_of("order.issue"), buf_slice(&d.body_bytes), SLICE_EMPTY,
                                    false, &problem),
                         days[i].real ? OK : ERR_RANGE);
        draft_clear(&d);
    }
}

static void bounds_lists_and_their_items(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        const char *item;
        const char *what;
    } lists[] = {
        {8, "电力所", NULL},
        {0, "", NULL},
        {9, "x", "has too many items"},
        {1, "", "has an item that is empty or too long"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct draft d = {0};
        struct kind_problem problem = {0};
        draft_order(&d);
        struct mp_writer w = mp_map_put(&d.body, "support");
        mp_write_array(&w, lists[i].count);
        for (size_t n = 0; n < lists[i].count; n++) mp_write_text(&w, lists[i].item);
        draft_end(&d);
        enum err err = kind_check(kind_of("order.issue"), buf_slice(&d.body_bytes), SLICE_EMPTY,
                                  false, &problem);
        assert_int_equal(err, lists[i].what ? ERR_RANGE : OK);
        if (lists[i].what) assert_string_equal(problem.what, lists[i].what);
        draft_clear(&d);
    }
}

static void refuses_a_list_that_holds_numbers(void **state)
{
    (void)state;
    struct draft d = {0};
    draft_order(&d);
    struct mp_writer w = mp_map_put(&d.body, "support");
    mp_write_array(&w, 1);
    mp_write_uint(&w, 1);
    check_refused(&d, "order.issue", "support", "has an item that is not text");
}

static void wants_ids_and_keys_of_exact_size(void **state)
{
    (void)state;
    static const uint8_t bytes[33] = {1};
    struct draft d = {0};
    draft_order(&d);
    struct mp_writer w = mp_map_put(&d.body, "signed_by");
    mp_write_bin(&w, bytes, 15);
    check_refused(&d, "order.issue", "signed_by", "is not an id of 16 bytes");
    draft_text(&d.body, "name", "琅塘镇");
    w = mp_map_put(&d.body, "office");
    mp_write_bin(&w, bytes, 32);
    w = mp_map_put(&d.body, "recovery");
    mp_write_bin(&w, bytes, 33);
    check_refused(&d, "township.founded", "recovery", "is too long");
}

static void refuses_a_body_that_is_no_map(void **state)
{
    (void)state;
    static const uint8_t array[] = {0x90};
    struct kind_problem problem;
    assert_int_equal(
        kind_check(kind_of("order.sign"), slice_of(array, 1), SLICE_EMPTY, false, &problem),
        ERR_RANGE);
    assert_string_equal(problem.what, "body is not a map");
}

/* --- roles and lookups --- */

static void reads_and_prints_roles(void **state)
{
    (void)state;
    uint32_t roles = 0;
    assert_int_equal(roles_parse(&roles, slice_of_text("callback,dispatch")), OK);
    assert_int_equal(roles, ROLE_DISPATCH | ROLE_CALLBACK);
    struct buf text = {0};
    roles_print(&text, roles | ROLE_HUB | UINT32_C(1) << 30);
    assert_string_equal(buf_text(&text), "dispatch,callback,hub");
    buf_clear(&text);
}

static void refuses_roles_that_no_device_can_have(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      ",",         "village,",    ",village", "village,,hub", "village,village",
        "mayor", "authority", "village hub", "Village"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t roles = 77;
        assert_int_not_equal(roles_parse(&roles, slice_of_text(bad[i])), OK);
        assert_int_equal(roles, 77);
    }
}

static void finds_kinds_by_their_whole_name(void **state)
{
    (void)state;
    static const char *const unknown[] = {"", "request", "request.registe", "request.register2",
                                          "REQUEST.REGISTER"};
    for (size_t i = 0; i < kinds_count; i++)
        assert_ptr_equal(kind_find(slice_of_text(kinds[i].name)), &kinds[i]);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(kind_find(slice_of_text(unknown[i])));
    assert_null(kind_find(SLICE_EMPTY));
    assert_non_null(kind_field(kind_of("order.report"), "why_not"));
    assert_null(kind_field(kind_of("order.report"), "why"));
}

static void keeps_the_table_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < kinds_count; i++) {
        const struct kind *k = &kinds[i];
        assert_true(strlen(k->name) <= KIND_SIZE_MAX);
        assert_true(k->field_count <= KIND_FIELDS_MAX);
        assert_true(k->roles != 0 && k->scopes != 0 && k->thing != THING_NONE);
        for (size_t n = 0; n < k->field_count; n++) {
            const struct field *f = &k->fields[n];
            assert_ptr_equal(kind_field(k, f->name), f); /* no name twice */
            assert_true(strlen(f->name) < sizeof((struct kind_problem *)0)->field);
            assert_int_equal(f->choices != NULL, f->type == FIELD_CHOICE);
            assert_true(f->min <= f->max);
        }
    }
}

/* --- SPEC, "Kinds" --- */

static const char *const thing_names[THING_TYPE_COUNT] = {
    [THING_NONE] = "none",     [THING_TOWNSHIP] = "township", [THING_VILLAGE] = "village",
    [THING_DEVICE] = "device", [THING_ACTOR] = "actor",       [THING_REQUEST] = "request",
};

static void print_scopes(struct buf *out, uint32_t scopes)
{
    static const char *const names[] = {
        [SCOPE_TOWN] = "town", [SCOPE_VILLAGE] = "village", [SCOPE_OFFICE] = "office"};
    const char *separator = "";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(scopes & 1u << i)) continue;
        buf_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

static void print_choices(struct buf *out, const char *choices)
{
    for (const char *c = choices; *c; c++)
        if (*c == '|')
            buf_append_text(out, ", ");
        else
            buf_append_byte(out, (uint8_t)*c);
}

static void print_bounds(struct buf *out, const struct field *f)
{
    if (f->type == FIELD_CHOICE) {
        print_choices(out, f->choices);
    } else if (f->type == FIELD_BOOL || f->type == FIELD_DATE || f->type == FIELD_TIME ||
               f->type == FIELD_THING) {
        buf_append_text(out, "–");
    } else if (f->min == f->max) {
        buf_printf(out, "%lld", (long long)f->min);
    } else {
        buf_printf(out, "%lld to %lld", (long long)f->min, (long long)f->max);
    }
}

static void print_kind(struct buf *out, const struct kind *k)
{
    struct buf roles = {0};
    roles_print(&roles, k->roles);
    buf_printf(out, "**%s** %s · %s: %s %s. Authors: %s. Scopes: ", k->name, k->zh, k->en,
               k->founding ? "founds a thing of type" : "acts on a thing of type",
               thing_names[k->thing], buf_text(&roles));
    print_scopes(out, k->scopes);
    buf_append_text(out, ".\n\n| field | 中文 | meaning | type | bounds | in | |\n"
                         "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        buf_printf(out, "| %s | %s | %s | %s | ", f->name, f->zh, f->en, field_type_name(f->type));
        print_bounds(out, f);
        buf_printf(out, " | %s | %s |\n", f->personal ? "box" : "body",
                   f->required ? "required" : "");
    }
    buf_append_text(out, "\n");
    buf_clear(&roles);
}

static char *read_spec(void)
{
    static char text[256 * 1024];
    FILE *file = fopen("proto/SPEC.md", "r");
    assert_non_null(file); /* run from the root of the tree */
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void says_the_same_as_the_specification(void **state)
{
    (void)state;
    struct buf table = {0};
    for (size_t i = 0; i < kinds_count; i++) print_kind(&table, &kinds[i]);
    const char *spec = read_spec();
    const char *begin = strstr(spec, "<!-- kinds -->\n");
    assert_non_null(begin);
    begin += strlen("<!-- kinds -->\n");
    const char *end = strstr(begin, "<!-- end of kinds -->");
    assert_non_null(end);
    if (!slice_equal(buf_slice(&table), slice_of(begin, (size_t)(end - begin)))) {
        static const char path[] = SIDAN_BUILD_DIR "/kinds.md";
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fwrite(table.data, 1, table.size, file);
        fclose(file);
        fail_msg("proto/SPEC.md, 13.6 is not the table of proto/kinds_table.c, which is in %s",
                 path);
    }
    buf_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_request_with_all_that_is_required),
        cmocka_unit_test(names_each_required_field_that_is_missing),
        cmocka_unit_test(excuses_an_erased_box_only_when_told_to),
        cmocka_unit_test(refuses_an_accusation_in_the_open_with_its_reason),
        cmocka_unit_test(refuses_a_personal_field_in_the_body),
        cmocka_unit_test(refuses_a_public_field_in_the_box),
        cmocka_unit_test(allows_fields_of_later_versions),
        cmocka_unit_test(skips_keys_that_are_numbers),
        cmocka_unit_test(refuses_values_outside_their_type_and_range),
        cmocka_unit_test(takes_real_days_only),
        cmocka_unit_test(bounds_lists_and_their_items),
        cmocka_unit_test(refuses_a_list_that_holds_numbers),
        cmocka_unit_test(wants_ids_and_keys_of_exact_size),
        cmocka_unit_test(refuses_a_body_that_is_no_map),
        cmocka_unit_test(reads_and_prints_roles),
        cmocka_unit_test(refuses_roles_that_no_device_can_have),
        cmocka_unit_test(finds_kinds_by_their_whole_name),
        cmocka_unit_test(keeps_the_table_sound),
        cmocka_unit_test(says_the_same_as_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
