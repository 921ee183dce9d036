#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct machine laptop = {
    .stable = true,
    .side = {10, 1000},
    .store = {11, 1001},
    .disk = 7,
    .installation = 8,
    .cards = {21, 22},
    .card_count = 2,
    .name = "laptop",
};

static void one_that_stayed_is_no_copy(void **state)
{
    (void)state;
    assert_int_equal(machine_compare(&laptop, &laptop), MACHINE_SAME);
}

static void copied_files_are_others_by_inode_or_birth(void **state)
{
    (void)state;
    struct machine now = laptop;
    now.side.ino = 99;
    assert_int_equal(machine_compare(&laptop, &now), MACHINE_FILES_COPIED);
    now = laptop;
    now.store.born_ns = 99;
    assert_int_equal(machine_compare(&laptop, &now), MACHINE_FILES_COPIED);
}

static void a_kernel_without_birth_times_gives_no_alarm(void **state)
{
    (void)state;
    struct machine now = laptop;
    now.side.born_ns = now.store.born_ns = 0;
    assert_int_equal(machine_compare(&laptop, &now), MACHINE_SAME);
}

static void inodes_that_the_file_system_makes_up_are_not_compared(void **state)
{
    (void)state;
    struct machine then = laptop, now = laptop;
    then.stable = now.stable = false;
    now.side.ino = 99;
    assert_int_equal(machine_compare(&then, &now), MACHINE_SAME);
}

static void the_image_of_a_disk_is_told_by_the_disk(void **state)
{
    (void)state;
    struct machine now = laptop;
    now.disk = 70;
    assert_int_equal(machine_compare(&laptop, &now), MACHINE_DISK_COPIED);
}

static void the_same_disk_in_another_machine_is_no_copy(void **state)
{
    (void)state;
    struct machine now = laptop;
    now.cards[0] = 91;
    now.cards[1] = 92;
    now.installation = 80;
    assert_int_equal(machine_compare(&laptop, &now), MACHINE_SAME);
}

static void a_disk_that_tells_nothing_leaves_it_to_the_cards(void **state)
{
    (void)state;
    struct machine then = laptop, now = laptop;
    then.disk = now.disk = 0;
    now.cards[0] = 91; /* a card was taken out, another put in */
    assert_int_equal(machine_compare(&then, &now), MACHINE_SAME);
    now.cards[1] = 92;
    assert_int_equal(machine_compare(&then, &now), MACHINE_OTHER);
    now.card_count = 0; /* a container shows none */
    assert_int_equal(machine_compare(&then, &now), MACHINE_SAME);
    now.installation = 80;
    assert_int_equal(machine_compare(&then, &now), MACHINE_OTHER);
}

static void what_nobody_can_read_gives_no_alarm(void **state)
{
    (void)state;
    const struct machine nothing = {.stable = false};
    assert_int_equal(machine_compare(&nothing, &laptop), MACHINE_SAME);
    assert_int_equal(machine_compare(&laptop, &nothing), MACHINE_SAME);
}

static void its_bytes_read_back(void **state)
{
    (void)state;
    uint8_t bytes[MACHINE_SIZE], again[MACHINE_SIZE];
    struct machine m;
    machine_write(bytes, &laptop);
    machine_parse(&m, bytes);
    machine_write(again, &m);
    assert_memory_equal(bytes, again, sizeof bytes);
    assert_string_equal(m.name, "laptop");
    assert_int_equal(machine_compare(&laptop, &m), MACHINE_SAME);
    memset(bytes, 0xff, sizeof bytes);
    machine_parse(&m, bytes);
    assert_int_equal(m.card_count, MACHINE_CARDS_MAX);
    assert_int_equal(m.name[MACHINE_NAME_SIZE], 0);
}

static void a_file_that_is_copied_here_is_another(void **state)
{
    (void)state;
    char home[] = "/tmp/sidan-machine-XXXXXX", path[64];
    struct machine one, same, two;
    assert_non_null(mkdtemp(home));
    snprintf(path, sizeof path, "%s/store", home);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/a", home);
    int a = open(path, O_CREAT | O_RDWR, 0600);
    machine_read(&one, a, home);
    assert_int_equal(write(a, "x", 1), 1);
    machine_read(&same, a, home);
    assert_int_equal(machine_compare(&one, &same), MACHINE_SAME);
    unlink(path);
    snprintf(path, sizeof path, "%s/b", home);
    int b = open(path, O_CREAT | O_RDWR, 0600);
    machine_read(&two, b, home);
    assert_int_not_equal(one.side.ino, two.side.ino);
    if (one.stable) assert_int_equal(machine_compare(&one, &two), MACHINE_FILES_COPIED);
    close(a);
    close(b);
    unlink(path);
    snprintf(path, sizeof path, "%s/store", home);
    rmdir(path);
    rmdir(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_stayed_is_no_copy),
        cmocka_unit_test(copied_files_are_others_by_inode_or_birth),
        cmocka_unit_test(a_kernel_without_birth_times_gives_no_alarm),
        cmocka_unit_test(inodes_that_the_file_system_makes_up_are_not_compared),
        cmocka_unit_test(the_image_of_a_disk_is_told_by_the_disk),
        cmocka_unit_test(the_same_disk_in_another_machine_is_no_copy),
        cmocka_unit_test(a_disk_that_tells_nothing_leaves_it_to_the_cards),
        cmocka_unit_test(what_nobody_can_read_gives_no_alarm),
        cmocka_unit_test(its_bytes_read_back),
        cmocka_unit_test(a_file_that_is_copied_here_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
