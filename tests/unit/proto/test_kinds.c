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

static void refuses_an_accusation_outside_the_office_with_its_reason(void **state)
{
    (void)state;
    struct draft d = {0};
    struct kind_problem problem;
    const struct kind *k = kind_of("request.register");
    draft_register(&d, "nature");
    draft_text(&d.body, "nature", "accusation");
    draft_end(&d);
    struct slice body = buf_slice(&d.body_bytes);
    assert_int_equal(kind_check(k, body, buf_slice(&d.box_bytes), false, &problem), OK);
    assert_int_equal(kind_check_scope(k, SCOPE_OFFICE, body, &problem), OK);
    assert_int_equal(kind_check_scope(k, SCOPE_VILLAGE, body, &problem), ERR_RANGE);
    assert_string_equal(problem.field, "nature");
    assert_string_equal(problem.what,
                        "must be sealed to the office and is not recorded in the open");
    assert_int_equal(kind_check_scope(k, SCOPE_TOWN, body, &problem), ERR_RANGE);
    draft_clear(&d);
    draft_register(&d, "");
    draft_end(&d);
    assert_int_equal(kind_check_scope(k, SCOPE_VILLAGE, buf_slice(&d.body_bytes), &problem), OK);
    draft_clear(&d);
}

static void a_village_authors_nothing_but_sealed_records_for_the_office(void **state)
{
    (void)state;
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++) {
        uint32_t village = kind_roles(k, SCOPE_OFFICE) & ROLE_VILLAGE;
        assert_int_equal(village, strcmp(k->name, KIND_SEALED) == 0 ? ROLE_VILLAGE : 0);
    }
    k = kind_of("request.register");
    assert_int_equal(kind_roles(k, SCOPE_VILLAGE), ROLE_VILLAGE | ROLE_DISPATCH);
    assert_int_equal(kind_roles(k, SCOPE_OFFICE), ROLE_DISPATCH);
    assert_int_equal(kind_roles(k, SCOPE_TOWN), 0);
    assert_int_equal(kind_roles(kind_of(KIND_SEALED), SCOPE_VILLAGE), 0);
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
        {"", false},           {"２０２２", false},   {"0000-01-01", false}, {"0001-01-01", true},
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

/* A calendar of one day whose row is [date, second, name]; `columns` of them. */
static void draft_calendar(struct draft *d, const char *date, bool off, size_t columns)
{
    draft_uint(&d->body, "year", 2027);
    draft_text(&d->body, "source", "国办");
    struct mp_writer w = mp_map_put(&d->body, "days");
    mp_write_array(&w, 1);
    mp_write_array(&w, columns);
    mp_write_text(&w, date);
    if (off)
        mp_write_bool(&w, off);
    else
        mp_write_nil(&w);
    if (columns == 3) mp_write_text(&w, "元旦");
}

static void checks_each_value_of_a_row(void **state)
{
    (void)state;
    struct draft d = {0};
    struct kind_problem problem;
    draft_calendar(&d, "2027-01-01", true, 3);
    draft_end(&d);
    assert_int_equal(
        kind_check(kind_of("calendar.put"), buf_slice(&d.body_bytes), SLICE_EMPTY, false, &problem),
        OK);
    draft_clear(&d);
    d = (struct draft){0};
    draft_calendar(&d, "2027-02-30", true, 3);
    check_refused(&d, "calendar.put", "days", "has a row with a wrong value");
    d = (struct draft){0};
    draft_calendar(&d, "2027-01-01", false, 3); /* nil where it may not be */
    check_refused(&d, "calendar.put", "days", "has a row with a wrong value");
    d = (struct draft){0};
    draft_calendar(&d, "2027-01-01", true, 2);
    check_refused(&d, "calendar.put", "days", "has a row with the wrong number of columns");
}

static void asks_for_a_reason_unless_it_is_solved(void **state)
{
    (void)state;
    static const char *const solved[] = {"yes", "part", "no"};
    for (size_t i = 0; i < 3; i++) {
        struct draft d = {0};
        struct kind_problem problem;
        draft_text(&d.body, "solved", solved[i]);
        draft_text(&d.box, "measure", "清淤");
        if (i == 0) {
            draft_end(&d);
            assert_int_equal(kind_check(kind_of("order.report"), buf_slice(&d.body_bytes),
                                        buf_slice(&d.box_bytes), false, &problem),
                             OK);
            draft_clear(&d);
        } else {
            check_refused(&d, "order.report", "why_not", "is missing");
        }
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
    const struct kind *k;
    size_t i;
    for (i = 0; (k = kind_at(i)) != NULL; i++)
        assert_ptr_equal(kind_find(slice_of_text(k->name)), k);
    assert_true(i > 80 && i < 200); /* the index of kind_find has 256 places */
    for (i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(kind_find(slice_of_text(unknown[i])));
    assert_null(kind_find(SLICE_EMPTY));
    assert_non_null(kind_field(kind_of("order.report"), "why_not"));
    assert_null(kind_field(kind_of("order.report"), "why"));
}

static void check_field(const struct field *f)
{
    assert_true(strlen(f->name) < sizeof((struct kind_problem *)0)->field);
    assert_int_equal(f->choices != NULL, f->type == FIELD_CHOICE);
    assert_int_equal(f->columns != NULL, f->type == FIELD_ROWS);
    assert_true(f->min <= f->max);
    assert_false(f->required && f->unless);
}

static void keeps_the_table_sound(void **state)
{
    (void)state;
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++) {
        assert_true(strlen(k->name) <= KIND_SIZE_MAX);
        assert_true(k->field_count <= KIND_FIELDS_MAX);
        assert_true(k->roles != 0 && k->scopes != 0 && k->thing != THING_NONE);
        assert_false(k->founding && k->thing == THING_ANY);
        for (size_t n = 0; n < k->field_count; n++) {
            const struct field *f = &k->fields[n];
            assert_ptr_equal(kind_field(k, f->name), f); /* no name twice */
            check_field(f);
            assert_true(f->column_count <= KIND_COLUMNS_MAX);
            for (size_t c = 0; c < f->column_count; c++) {
                check_field(&f->columns[c]);
                assert_true(f->columns[c].type != FIELD_ROWS && !f->columns[c].personal);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_request_with_all_that_is_required),
        cmocka_unit_test(names_each_required_field_that_is_missing),
        cmocka_unit_test(excuses_an_erased_box_only_when_told_to),
        cmocka_unit_test(refuses_an_accusation_outside_the_office_with_its_reason),
        cmocka_unit_test(a_village_authors_nothing_but_sealed_records_for_the_office),
        cmocka_unit_test(refuses_a_personal_field_in_the_body),
        cmocka_unit_test(refuses_a_public_field_in_the_box),
        cmocka_unit_test(allows_fields_of_later_versions),
        cmocka_unit_test(skips_keys_that_are_numbers),
        cmocka_unit_test(refuses_values_outside_their_type_and_range),
        cmocka_unit_test(takes_real_days_only),
        cmocka_unit_test(bounds_lists_and_their_items),
        cmocka_unit_test(checks_each_value_of_a_row),
        cmocka_unit_test(asks_for_a_reason_unless_it_is_solved),
        cmocka_unit_test(refuses_a_list_that_holds_numbers),
        cmocka_unit_test(wants_ids_and_keys_of_exact_size),
        cmocka_unit_test(refuses_a_body_that_is_no_map),
        cmocka_unit_test(reads_and_prints_roles),
        cmocka_unit_test(refuses_roles_that_no_device_can_have),
        cmocka_unit_test(finds_kinds_by_their_whole_name),
        cmocka_unit_test(keeps_the_table_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
