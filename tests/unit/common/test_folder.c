#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/folder.h"
#include "tests/support/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_store ts;
static char place[PATH_MAX];

static bool is_there(const char *folder, const char *name)
{
    char path[2 * PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &st) == 0;
}

static void put(const char *folder, const char *name)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("a key", f);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    test_home_begin(&ts);
    snprintf(place, sizeof place, "%s/home", ts.home);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_store_end(&ts);
    return 0;
}

static void appears_whole_and_without_its_mark(void **state)
{
    (void)state;
    struct folder f;
    char left[PATH_MAX];
    assert_int_equal(folder_begin(&f, place), OK);
    put(f.path, "device.key");
    assert_false(folder_left(place, left)); /* somebody is at work there */
    assert_int_equal(folder_sweep(place), 0);
    assert_int_equal(folder_finish(&f, place), OK);
    assert_true(is_there(place, "device.key"));
    assert_false(is_there(place, ".sidan-unfinished"));
    folder_abandon(&f);
    assert_true(is_there(place, "device.key"));
}

static void one_that_is_given_up_is_gone(void **state)
{
    (void)state;
    struct folder f;
    char path[PATH_MAX];
    assert_int_equal(folder_begin(&f, place), OK);
    put(f.path, "device.key");
    snprintf(path, sizeof path, "%s", f.path);
    folder_abandon(&f);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* A process that is killed lets go of the lock, and of nothing else. */
static void what_is_left_of_a_killed_one_goes_with_the_next(void **state)
{
    (void)state;
    struct folder f;
    char left[PATH_MAX], slashes[PATH_MAX + 2];
    const pid_t pid = fork();
    if (pid == 0) {
        if (folder_begin(&f, place)) _exit(1);
        put(f.path, "device.key");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    snprintf(slashes, sizeof slashes, "%s//", place);
    assert_true(folder_left(slashes, left));
    assert_true(is_there(left, "device.key"));
    assert_int_equal(folder_begin(&f, place), OK);
    assert_int_not_equal(access(left, F_OK), 0);
    folder_abandon(&f);
}

static void a_folder_of_a_person_stays_whatever_it_is_called(void **state)
{
    (void)state;
    char left[PATH_MAX], own[PATH_MAX + 16];
    snprintf(own, sizeof own, "%s.new-backup", place);
    assert_int_equal(mkdir(own, 0700), 0);
    put(own, "photo");
    assert_false(folder_left(place, left));
    assert_int_equal(folder_sweep(place), 0);
    assert_true(is_there(own, "photo"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appears_whole_and_without_its_mark, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_given_up_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_of_a_killed_one_goes_with_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_a_person_stays_whatever_it_is_called, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
