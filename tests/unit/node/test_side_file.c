#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/side_file.h"
#include "proto/crypto.h"
#include "tests/support/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct test_store home;
static const uint8_t generation[8] = "generati";

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    test_store_begin(&home, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(test_path(&home, "side"));
    test_store_end(&home);
    return 0;
}

static struct side_row row_at(uint8_t feed, uint64_t seq)
{
    struct side_row row = {.seq = seq};
    memset(row.feed8, feed, sizeof row.feed8);
    memset(row.id8, (int)seq, sizeof row.id8);
    return row;
}

static void note(uint64_t life, uint8_t feed, uint64_t seq)
{
    struct side_row row = row_at(feed, seq);
    side_file_note(home.home, life, &row, 1);
}

static struct side_file read_back(void)
{
    struct side_file s = {0};
    assert_int_equal(side_file_read(&s, NULL, home.home), OK);
    return s;
}

static void where_feeds_stand_reads_back(void **state)
{
    (void)state;
    assert_int_equal(side_file_start(home.home, 3, generation), OK);
    note(3, 1, 5);
    note(3, 2, 9);
    note(3, 1, 6);
    note(3, 1, 4); /* a process that was late */
    struct side_file s = read_back();
    assert_int_equal(s.life, 3);
    assert_memory_equal(s.generation, generation, 8);
    assert_int_equal(s.row_count, 2);
    assert_int_equal(s.rows[0].seq, 6);
    assert_int_equal(s.rows[1].seq, 9);
    side_file_clear(&s);
}

static void a_later_life_begins_without_rows(void **state)
{
    (void)state;
    assert_int_equal(side_file_start(home.home, 0, generation), OK);
    note(0, 1, 5);
    note(1, 2, 7);
    note(0, 1, 6); /* of a life that is over */
    struct side_file s = read_back();
    assert_int_equal(s.life, 1);
    assert_int_equal(s.row_count, 1);
    assert_int_equal(s.rows[0].seq, 7);
    side_file_clear(&s);
}

static void a_torn_slot_leaves_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(side_file_start(home.home, 0, generation), OK);
    note(0, 1, 5);
    note(0, 1, 6);
    struct side_file s = read_back();
    int fd = open(test_path(&home, "side"), O_WRONLY);
    assert_int_equal(pwrite(fd, "torn", 4, (off_t)(s.counter % 2) * SIDE_SLOT_SIZE + 40), 4);
    close(fd);
    side_file_clear(&s);
    s = read_back();
    assert_int_equal(s.rows[0].seq, 5);
    side_file_clear(&s);
}

static void garbage_is_refused_and_begun_anew(void **state)
{
    (void)state;
    struct side_file s;
    assert_int_equal(side_file_read(&s, NULL, home.home), ERR_NOT_FOUND);
    int fd = open(test_path(&home, "side"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "sidan-s1\xff\xff\xff\xff", 12), 12);
    close(fd);
    assert_int_equal(side_file_read(&s, NULL, home.home), ERR_CORRUPT);
    note(0, 1, 1);
    assert_int_equal(side_file_read(&s, NULL, home.home), ERR_CORRUPT);
    assert_int_equal(side_file_start(home.home, 1, generation), OK);
    s = read_back();
    assert_int_equal(s.life, 1);
    side_file_clear(&s);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/null", test_path(&home, "side")), 0);
    assert_int_not_equal(side_file_start(home.home, 0, generation), OK);
}

static void one_who_holds_it_for_ever_holds_nobody_up(void **state)
{
    (void)state;
    assert_int_equal(side_file_start(home.home, 0, generation), OK);
    int fd = open(test_path(&home, "side"), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    note(0, 1, 5);
    close(fd);
    struct side_file s = read_back();
    assert_int_equal(s.row_count, 0);
    side_file_clear(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(where_feeds_stand_reads_back),        TEST(a_later_life_begins_without_rows),
        TEST(a_torn_slot_leaves_the_one_before),   TEST(garbage_is_refused_and_begun_anew),
        TEST(a_link_in_its_place_is_not_followed), TEST(one_who_holds_it_for_ever_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
