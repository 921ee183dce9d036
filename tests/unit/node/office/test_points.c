#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/points.h"
#include "proto/kinds.h"
#include "proto/msgpack.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct points_rules rules, newer;
static struct points_service services[64];
static size_t service_count;
static struct points_entries entries;

static int begin(void **state)
{
    (void)state;
    service_count = 0;
    memset(&rules, 0, sizeof rules);
    memset(&newer, 0, sizeof newer);
    return 0;
}

static int end(void **state)
{
    (void)state;
    points_entries_clear(&entries);
    return 0;
}

/* A rule without factor, category and caps, for what is verified. */
static struct points_rule *rule(struct points_rules *of, const char *id, enum points_basis basis,
                                int32_t rate)
{
    struct points_rule *r = &of->rules[of->count++];
    *r = (struct points_rule){
        .basis = basis, .rate = rate, .block_min = 30, .factor_pct = 100, .need_verify = true};
    strcpy(r->id, id);
    return r;
}

static struct points_service *service(const char *date, enum points_service_kind kind,
                                      uint32_t minutes, uint8_t activity)
{
    struct points_service *s = &services[service_count];
    *s = (struct points_service){
        .kind = kind, .verified = true, .minutes = minutes, .rules = &rules};
    s->activity.bytes[0] = activity;
    s->basis.bytes[0] = (uint8_t)++service_count;
    assert_int_equal(time_parse_day(&s->day, slice_of_text(date)), OK);
    return s;
}

/* "rule:service=points" of each entry. */
static void gives(const char *expected)
{
    struct buf out = {0};
    assert_int_equal(points_count(&entries, services, service_count), OK);
    for (size_t i = 0; i < entries.count; i++)
        buf_printf(&out, "%s%s:%zu=%d", i ? " " : "", entries.items[i].rule->id,
                   entries.items[i].service, entries.items[i].points);
    assert_string_equal(buf_text(&out), expected);
    buf_clear(&out);
}

static void hours_count_in_whole_blocks(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 100);
    service("2022-08-01", POINTS_ATTENDED, 29, 1);
    service("2022-08-02", POINTS_ATTENDED, 30, 2);
    service("2022-08-03", POINTS_SERVED, 119, 3);
    service("2022-08-04", POINTS_SERVED, 120, 4);
    service("2022-08-05", POINTS_REFERRED, 120, 5);
    gives("h:1=50 h:2=150 h:3=200");
}

static void one_point_for_two_hours(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 5)->block_min = 120;
    service("2022-08-01", POINTS_ATTENDED, 119, 1);
    service("2022-08-02", POINTS_ATTENDED, 239, 2);
    service("2022-08-03", POINTS_ATTENDED, 240, 3);
    gives("h:1=10 h:2=20");
}

static void rounds_down_once_after_the_factor(void **state)
{
    (void)state;
    struct points_rule *r = rule(&rules, "h", POINTS_HOUR, 5);
    r->factor_pct = 150;
    service("2022-08-01", POINTS_ATTENDED, 30, 1); /* 2.5 × 1.5 = 3.75 */
    service("2022-08-02", POINTS_ATTENDED, 90, 2); /* 7.5 × 1.5 = 11.25 */
    gives("h:0=3 h:1=11");
    r->basis = POINTS_ACTIVITY; /* 5 × 1.5 = 7.5 */
    gives("h:0=7 h:1=7");
}

static void an_activity_counts_once(void **state)
{
    (void)state;
    rule(&rules, "a", POINTS_ACTIVITY, 20);
    service("2022-08-01", POINTS_ATTENDED, 0, 1);
    service("2022-08-02", POINTS_ATTENDED, 60, 1);
    service("2022-08-02", POINTS_SERVED, 60, 3);
    service("2022-08-03", POINTS_ATTENDED, 60, 2);
    gives("a:0=20 a:3=20");
}

static void outcomes_and_referrals_count_by_number(void **state)
{
    (void)state;
    rule(&rules, "well", POINTS_OUTCOME, 30);
    rule(&rules, "ref", POINTS_REFERRAL, 20);
    service("2022-08-01", POINTS_ATTENDED, 60, 1)->outcomes = 3;
    service("2022-08-02", POINTS_REFERRED, 0, 2)->outcomes = 3;
    service("2022-08-03", POINTS_ATTENDED, 60, 3);
    gives("well:0=90 ref:1=20");
}

static void counts_the_verified_alone_where_the_rule_asks_for_it(void **state)
{
    (void)state;
    rule(&rules, "v", POINTS_HOUR, 10);
    rule(&rules, "all", POINTS_HOUR, 1)->need_verify = false;
    service("2022-08-01", POINTS_ATTENDED, 60, 1);
    service("2022-08-02", POINTS_ATTENDED, 60, 2)->verified = false;
    gives("v:0=10 all:0=1 all:1=1");
}

static void a_rule_of_a_category_is_for_that_alone(void **state)
{
    (void)state;
    strcpy(rule(&rules, "night", POINTS_HOUR, 20)->category, "patrol");
    service("2022-08-01", POINTS_ATTENDED, 60, 1)->category = slice_of_text("patrol");
    service("2022-08-02", POINTS_ATTENDED, 60, 2)->category = slice_of_text("patrols");
    service("2022-08-03", POINTS_ATTENDED, 60, 3);
    gives("night:0=20");
}

static void caps_an_activity_over_all_its_services(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 10)->cap_activity = 20;
    service("2022-08-01", POINTS_ATTENDED, 180, 1);
    service("2022-08-02", POINTS_ATTENDED, 90, 2);
    service("2022-08-03", POINTS_ATTENDED, 90, 2);
    service("2022-08-04", POINTS_ATTENDED, 90, 2);
    gives("h:0=20 h:1=15 h:2=5");
}

static void caps_day_month_and_year(void **state)
{
    (void)state;
    struct points_rule *r = rule(&rules, "h", POINTS_HOUR, 10);
    r->cap_day = 25;
    r->cap_month = 40;
    r->cap_year = 60;
    service("2022-08-01", POINTS_SERVED, 120, 1);
    service("2022-08-01", POINTS_SERVED, 120, 2); /* the day leaves 5 */
    service("2022-08-01", POINTS_SERVED, 120, 3); /* nothing */
    service("2022-08-31", POINTS_SERVED, 120, 4); /* the month leaves 15 */
    service("2022-09-01", POINTS_SERVED, 60, 5);  /* a new month */
    service("2022-12-31", POINTS_SERVED, 120, 6); /* the year leaves 10 */
    service("2023-01-01", POINTS_SERVED, 120, 7); /* a new year */
    gives("h:0=20 h:1=5 h:3=15 h:4=10 h:5=10 h:6=20");
}

static void caps_of_one_rule_leave_the_others_alone(void **state)
{
    (void)state;
    rule(&rules, "a", POINTS_HOUR, 10)->cap_year = 15;
    rule(&rules, "b", POINTS_HOUR, 10);
    service("2022-08-01", POINTS_SERVED, 60, 1);
    service("2022-08-02", POINTS_SERVED, 60, 2);
    service("2022-08-03", POINTS_SERVED, 60, 3);
    gives("a:0=10 b:0=10 a:1=5 b:1=10 b:2=10");
}

static void an_activity_that_a_cap_left_nothing_counts_on_its_next_day(void **state)
{
    (void)state;
    rule(&rules, "a", POINTS_ACTIVITY, 20)->cap_day = 20;
    service("2022-08-01", POINTS_ATTENDED, 0, 1);
    service("2022-08-01", POINTS_ATTENDED, 0, 2);
    service("2022-08-02", POINTS_ATTENDED, 0, 2);
    gives("a:0=20 a:2=20");
}

static void a_new_version_goes_on_under_its_id(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 10)->cap_year = 100;
    rule(&newer, "other", POINTS_ACTIVITY, 1);
    rule(&newer, "h", POINTS_HOUR, 20)->cap_year = 50;
    service("2022-06-30", POINTS_ATTENDED, 180, 1);
    service("2022-07-01", POINTS_ATTENDED, 180, 2)->rules = &newer;
    service("2022-07-02", POINTS_ATTENDED, 180, 3)->rules = NULL;
    gives("h:0=30 other:1=1 h:1=20");
}

static void one_basis_counts_once(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 10);
    service("2022-08-01", POINTS_ATTENDED, 60, 1);
    service("2022-08-01", POINTS_ATTENDED, 60, 1)->basis = services[0].basis;
    gives("h:0=10");
}

static int by_day_and_basis(const void *a, const void *b)
{
    const struct points_service *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return memcmp(x->basis.bytes, y->basis.bytes, sizeof x->basis.bytes);
}

/* As points_count wants them. */
static void sort_services(void)
{
    if (service_count) qsort(services, service_count, sizeof services[0], by_day_and_basis);
}

static void the_order_of_the_input_does_not_matter(void **state)
{
    (void)state;
    rule(&rules, "h", POINTS_HOUR, 10)->cap_month = 55;
    rule(&rules, "a", POINTS_ACTIVITY, 20)->cap_day = 30;
    for (uint8_t i = 0; i < 20; i++)
        service(i % 3 ? "2022-08-02" : "2022-08-01", POINTS_ATTENDED, 30u * i, i / 2);
    sort_services();
    struct buf first = {0};
    assert_int_equal(points_count(&entries, services, service_count), OK);
    for (size_t i = 0; i < entries.count; i++)
        buf_printf(&first, "%s%s:%zu=%d", i ? " " : "", entries.items[i].rule->id,
                   entries.items[i].service, entries.items[i].points);
    for (unsigned seed = 1; seed < 50; seed++) {
        uint32_t random = seed;
        for (size_t i = service_count; i > 1; i--) {
            random = random * 1664525 + 1013904223;
            struct points_service *other = &services[(random >> 8) % i], swap = *other;
            *other = services[i - 1];
            services[i - 1] = swap;
        }
        sort_services();
        gives(buf_text(&first));
    }
    buf_clear(&first);
}

static void the_greatest_numbers_do_not_overflow(void **state)
{
    (void)state;
    struct points_rule *r = rule(&rules, "h", POINTS_HOUR, POINTS_TENTHS_MAX);
    r->block_min = 1;
    r->factor_pct = 1000;
    service("2022-08-01", POINTS_ATTENDED, UINT32_MAX, 1);
    service("2022-08-02", POINTS_ATTENDED, UINT32_MAX, 2);
    gives("h:0=2147483647 h:1=2147483647");
}

/* --- rules from a body --- */

struct cells {
    const char *id, *basis;
    int64_t rate;
    uint64_t block_min, factor_pct;
    const char *category;
    uint64_t cap;
};

static enum err read_rows(struct points_rules *out, const struct cells *rows, size_t count)
{
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_map(&w, 1);
    mp_write_text(&w, "points");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, 11);
        mp_write_text(&w, rows[i].id);
        mp_write_text(&w, rows[i].basis);
        mp_write_int(&w, rows[i].rate);
        mp_write_uint(&w, rows[i].block_min);
        mp_write_uint(&w, rows[i].factor_pct);
        if (*rows[i].category)
            mp_write_text(&w, rows[i].category);
        else
            mp_write_nil(&w);
        for (uint64_t cap = 0; cap < 4; cap++) mp_write_uint(&w, rows[i].cap + cap);
        mp_write_bool(&w, true);
    }
    enum err e = points_read(out, buf_slice(&body));
    buf_clear(&body);
    return e;
}

static void reads_the_rows_of_a_rule(void **state)
{
    (void)state;
    static const struct cells rows[] = {{"h", "hour", 10, 0, 100, "", 0},
                                        {"夜巡", "activity", 5, 60, 150, "patrol", 20}};
    assert_int_equal(read_rows(&rules, rows, 2), OK);
    assert_int_equal(rules.count, 2);
    assert_int_equal(rules.rules[0].basis, POINTS_HOUR);
    assert_int_equal(rules.rules[0].block_min, POINTS_BLOCK_MIN_DEFAULT);
    assert_int_equal(rules.rules[0].cap_activity, 0);
    const struct points_rule *r = &rules.rules[1];
    assert_string_equal(r->id, "夜巡");
    assert_int_equal(r->basis, POINTS_ACTIVITY);
    assert_int_equal(r->rate, 5);
    assert_int_equal(r->block_min, 60);
    assert_int_equal(r->factor_pct, 150);
    assert_string_equal(r->category, "patrol");
    assert_int_equal(r->cap_activity, 20);
    assert_int_equal(r->cap_day, 21);
    assert_int_equal(r->cap_month, 22);
    assert_int_equal(r->cap_year, 23);
    assert_true(r->need_verify);
}

static void reads_as_many_rows_as_the_kind_allows(void **state)
{
    (void)state;
    const struct field *field = kind_field(kind_find(slice_of_text("rule.put")), "points");
    struct cells rows[POINTS_RULES_MAX + 1];
    char ids[POINTS_RULES_MAX + 1][8];
    for (size_t i = 0; i <= POINTS_RULES_MAX; i++) {
        snprintf(ids[i], sizeof ids[i], "r%zu", i);
        rows[i] = (struct cells){ids[i], "hour", 10, 30, 100, "", 0};
    }
    assert_int_equal(field->max, POINTS_RULES_MAX);
    assert_int_equal(read_rows(&rules, rows, POINTS_RULES_MAX), OK);
    assert_int_equal(rules.count, POINTS_RULES_MAX);
    assert_int_equal(read_rows(&rules, rows, POINTS_RULES_MAX + 1), ERR_RANGE);
}

static void refuses_rules_that_it_does_not_understand(void **state)
{
    (void)state;
    static const struct {
        struct cells row;
        enum err err;
    } bad[] = {
        {{"", "hour", 10, 30, 100, "", 0}, ERR_RANGE},
        {{"h", "week", 10, 30, 100, "", 0}, ERR_RANGE},
        {{"h", "hour", -1, 30, 100, "", 0}, ERR_RANGE},
        {{"h", "hour", POINTS_TENTHS_MAX + 1, 30, 100, "", 0}, ERR_RANGE},
        {{"h", "hour", 10, 1441, 100, "", 0}, ERR_RANGE},
        {{"h", "hour", 10, 30, 0, "", 0}, ERR_RANGE},
        {{"h", "hour", 10, 30, 1001, "", 0}, ERR_RANGE},
        {{"h", "hour", 10, 30, 100, "", POINTS_TENTHS_MAX}, ERR_RANGE},
        {{"0123456789012345678901234567890123", "hour", 10, 30, 100, "", 0}, ERR_RANGE},
    };
    rule(&rules, "kept", POINTS_HOUR, 1);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_rows(&rules, &bad[i].row, 1), bad[i].err);
    static const struct cells twice[] = {{"h", "hour", 10, 0, 100, "", 0},
                                         {"h", "activity", 10, 0, 100, "", 0}};
    assert_int_equal(read_rows(&rules, twice, 2), ERR_EXISTS);
    assert_int_equal(points_read(&rules, slice_of("\x80", 1)), ERR_MALFORMED);
    assert_int_equal(points_read(&rules, slice_of("\x81\xa6points\x91\x91\xa1h", 12)),
                     ERR_MALFORMED);
    assert_int_equal(rules.count, 1);
    assert_string_equal(rules.rules[0].id, "kept");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hours_count_in_whole_blocks),
        TEST(one_point_for_two_hours),
        TEST(rounds_down_once_after_the_factor),
        TEST(an_activity_counts_once),
        TEST(outcomes_and_referrals_count_by_number),
        TEST(counts_the_verified_alone_where_the_rule_asks_for_it),
        TEST(a_rule_of_a_category_is_for_that_alone),
        TEST(caps_an_activity_over_all_its_services),
        TEST(caps_day_month_and_year),
        TEST(caps_of_one_rule_leave_the_others_alone),
        TEST(an_activity_that_a_cap_left_nothing_counts_on_its_next_day),
        TEST(a_new_version_goes_on_under_its_id),
        TEST(one_basis_counts_once),
        TEST(the_order_of_the_input_does_not_matter),
        TEST(the_greatest_numbers_do_not_overflow),
        TEST(reads_the_rows_of_a_rule),
        TEST(reads_as_many_rows_as_the_kind_allows),
        TEST(refuses_rules_that_it_does_not_understand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
