/* What records of service say of each person, read from rows made by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/service.h"

#include <string.h>

enum { LOGGED, VERIFIED, REJECTED };

static struct buf fields, acts;
static struct service_person people[SHEET_ROWS_MAX];

static int begin(void **state)
{
    (void)state;
    buf_reset(&fields);
    buf_reset(&acts);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_clear(&fields);
    buf_clear(&acts);
    return 0;
}

static void write_person(struct mp_writer *w, char name)
{
    struct thing_id id;
    memset(id.bytes, name, sizeof id.bytes);
    mp_write_bin(w, id.bytes, sizeof id.bytes);
}

/* "a" was there for `minutes[0]`, and so on. */
static void write_sheet(const char *names, const uint32_t *minutes)
{
    struct mp_writer w = {&fields};
    mp_write_map(&w, 1);
    mp_write_text(&w, "rows");
    mp_write_array(&w, strlen(names));
    for (size_t i = 0; names[i]; i++) {
        mp_write_array(&w, 4);
        write_person(&w, names[i]);
        mp_write_uint(&w, 480);
        mp_write_uint(&w, 1020);
        mp_write_uint(&w, minutes[i]);
    }
}

/* `names` NULL: the body has no rows. */
static void write_verification(const char *names, const uint32_t *minutes)
{
    struct mp_writer w = {&acts};
    mp_write_array(&w, 4);
    mp_write_text(&w, "service.verify");
    mp_write_uint(&w, 1);
    mp_write_nil(&w);
    mp_write_map(&w, names != NULL);
    if (!names) return;
    mp_write_text(&w, "rows");
    mp_write_array(&w, strlen(names));
    for (size_t i = 0; names[i]; i++) {
        mp_write_array(&w, 2);
        write_person(&w, names[i]);
        mp_write_uint(&w, minutes[i]);
    }
}

static size_t read_people(unsigned service_state)
{
    const struct thing service = {
        .type = THING_SERVICE,
        .state = service_state,
        .fields = buf_slice(&fields),
        .acts = buf_slice(&acts),
    };
    assert_int_equal(service_is_verified(&service), service_state == VERIFIED);
    assert_int_equal(service_is_rejected(&service), service_state == REJECTED);
    return service_people(&service, people);
}

static void assert_person(size_t at, char name, uint32_t stated, uint32_t verified)
{
    assert_int_equal(people[at].person.bytes[0], name);
    assert_int_equal(people[at].stated, stated);
    assert_int_equal(people[at].verified, verified);
}

static void who_stands_on_a_sheet_twice_is_one_with_both_times(void **state)
{
    (void)state;
    write_sheet("bab", (const uint32_t[]){60, 30, 45});
    assert_int_equal(read_people(LOGGED), 2);
    assert_person(0, 'b', 105, 0);
    assert_person(1, 'a', 30, 0);
}

static void a_verification_names_those_whose_minutes_differ(void **state)
{
    (void)state;
    write_sheet("abc", (const uint32_t[]){60, 60, 60});
    write_verification("bx", (const uint32_t[]){0, 500});
    assert_int_equal(read_people(VERIFIED), 3);
    assert_person(0, 'a', 60, 60);
    assert_person(1, 'b', 60, 0);
    assert_person(2, 'c', 60, 60);
}

static void the_newest_verification_counts_alone(void **state)
{
    (void)state;
    write_sheet("ab", (const uint32_t[]){60, 60});
    write_verification("ab", (const uint32_t[]){10, 20});
    write_verification("b", (const uint32_t[]){40});
    assert_int_equal(read_people(VERIFIED), 2);
    assert_person(0, 'a', 60, 60);
    assert_person(1, 'b', 60, 40);
    write_verification(NULL, NULL);
    assert_int_equal(read_people(VERIFIED), 2);
    assert_person(1, 'b', 60, 60);
}

static void nothing_is_verified_before_and_after_a_rejection(void **state)
{
    (void)state;
    write_sheet("a", (const uint32_t[]){60});
    write_verification("a", (const uint32_t[]){50});
    assert_int_equal(read_people(LOGGED), 1);
    assert_person(0, 'a', 60, 0);
    assert_int_equal(read_people(REJECTED), 1);
    assert_person(0, 'a', 60, 0);
}

static void a_single_service_is_of_one_person(void **state)
{
    (void)state;
    struct mp_writer w = {&fields};
    mp_write_map(&w, 2);
    mp_write_text(&w, "person");
    write_person(&w, 'a');
    mp_write_text(&w, "minutes");
    mp_write_uint(&w, 90);
    assert_int_equal(read_people(VERIFIED), 1);
    assert_person(0, 'a', 90, 90);
    write_verification("a", (const uint32_t[]){70});
    assert_int_equal(read_people(VERIFIED), 1);
    assert_person(0, 'a', 90, 70);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_stands_on_a_sheet_twice_is_one_with_both_times),
        TEST(a_verification_names_those_whose_minutes_differ),
        TEST(the_newest_verification_counts_alone),
        TEST(nothing_is_verified_before_and_after_a_rejection),
        TEST(a_single_service_is_of_one_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
