#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/courier_parts.h"
#include "tests/support/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_store home;

static int setup(void **state)
{
    (void)state;
    test_home_begin(&home);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_store_end(&home);
    return 0;
}

static struct bundle_id id_of(uint8_t n)
{
    return (struct bundle_id){{n, 1}};
}

static bool is_there(uint8_t n)
{
    const struct bundle_id id = id_of(n);
    char path[PATH_MAX];
    assert_int_equal(courier_path(path, home.home, &id, ".part"), OK);
    return access(path, F_OK) == 0;
}

static enum err open_part(struct courier_part *p, uint8_t n, uint64_t size)
{
    const struct bundle_id id = id_of(n);
    return courier_part_open(p, home.home, &id, size);
}

static void it_grows_at_its_end_and_goes_on_where_it_ended(void **state)
{
    (void)state;
    struct courier_part p;
    assert_int_equal(open_part(&p, 1, 200), OK);
    assert_int_equal(p.held, 0);
    assert_false(p.resumed);
    assert_int_equal(courier_part_add(&p, slice_of("abc", 3)), OK);
    courier_part_close(&p);
    assert_int_equal(open_part(&p, 1, 200), OK);
    assert_int_equal(p.held, 3);
    assert_true(p.resumed);
    uint8_t rest[198] = {0};
    assert_int_equal(courier_part_add(&p, slice_of(rest, 198)), ERR_LIMIT); /* beyond its size */
    assert_int_equal(courier_part_add(&p, slice_of(rest, 197)), OK);
    assert_int_equal(p.held, 200);
    assert_int_equal(courier_part_restart(&p), OK);
    assert_int_equal(p.held, 0);
    assert_false(p.resumed);
    courier_part_drop(&p, home.home);
    assert_false(is_there(1));
    courier_part_drop(&p, home.home); /* nothing more */
}

static void one_link_alone_brings_it(void **state)
{
    (void)state;
    struct courier_part one, other;
    assert_int_equal(open_part(&one, 1, 200), OK);
    assert_int_equal(open_part(&other, 1, 200), ERR_BUSY);
    courier_part_close(&one);
    assert_int_equal(open_part(&other, 1, 200), OK);
    courier_part_close(&other);
}

static void what_is_longer_than_it_can_be_begins_again(void **state)
{
    (void)state;
    struct courier_part p;
    uint8_t bytes[300] = {0};
    assert_int_equal(open_part(&p, 1, 300), OK);
    assert_int_equal(courier_part_add(&p, slice_of(bytes, 300)), OK);
    courier_part_close(&p);
    assert_int_equal(open_part(&p, 1, 200), OK); /* another courier says another size */
    assert_int_equal(p.held, 0);
    courier_part_close(&p);
}

static void no_bundle_is_too_small_or_too_large(void **state)
{
    (void)state;
    struct courier_part p;
    assert_int_equal(open_part(&p, 1, BUNDLE_OUTSIDE_SIZE - 1), ERR_LIMIT);
    assert_int_equal(open_part(&p, 1, COURIER_PARTS_BYTES_MAX + 1), ERR_LIMIT);
    assert_false(is_there(1));
}

/* Sparse, so the disk does not mind. */
static void fill(uint8_t n, uint64_t bytes, time_t since)
{
    const struct bundle_id id = id_of(n);
    struct courier_part p;
    char path[PATH_MAX];
    const struct timespec times[2] = {{.tv_sec = since}, {.tv_sec = since}};
    assert_int_equal(open_part(&p, n, bytes), OK);
    assert_int_equal(ftruncate(p.fd, (off_t)bytes), 0);
    courier_part_close(&p);
    assert_int_equal(courier_path(path, home.home, &id, ".part"), OK);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_one_that_waited_longest_gives_way(void **state)
{
    (void)state;
    struct courier_part p, used;
    fill(1, MIB(100), 2000);
    fill(2, MIB(100), 1000);
    assert_int_equal(open_part(&p, 3, MIB(100)), OK);
    assert_true(is_there(1));
    assert_false(is_there(2));
    courier_part_close(&p);
    /* but not while it is brought */
    fill(3, MIB(100), 3000);
    assert_int_equal(open_part(&used, 1, MIB(100)), OK);
    assert_int_equal(open_part(&p, 4, MIB(150)), OK);
    assert_true(is_there(1));
    assert_false(is_there(3));
    assert_int_equal(ftruncate(p.fd, (off_t)MIB(150)), 0);
    struct courier_part more;
    assert_int_equal(open_part(&more, 5, MIB(100)), ERR_LIMIT); /* both are on their way */
    courier_part_close(&used);
    courier_part_close(&p);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(it_grows_at_its_end_and_goes_on_where_it_ended),
        CASE(one_link_alone_brings_it),
        CASE(what_is_longer_than_it_can_be_begins_again),
        CASE(no_bundle_is_too_small_or_too_large),
        CASE(the_one_that_waited_longest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
