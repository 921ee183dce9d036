/* A folder where something is tried out by parts that are processes of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/clock.h"
#include "tools/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON_MS 10000u

static char home[PATH_MAX];
static struct scratch scratch;

static bool is_there(const char *name)
{
    char path[2 * PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", home, name);
    return lstat(path, &st) == 0;
}

static void make(const char *name)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", home, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static int begin(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/sidan-scratch.XXXXXX");
    return !mkdtemp(home) || scratch_begin(&scratch, home, "drill");
}

static int end(void **state)
{
    (void)state;
    if (is_there("drill")) (void)scratch_end(&scratch);
    return rmdir(home);
}

/* --- parts --- */

static int writes_and_ends(void *state)
{
    (void)state;
    make("drill/file");
    return 7;
}

static int never_ends(void *state)
{
    (void)state;
    while (pause()) continue;
    return 0;
}

static int is_deaf(void *state)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &ignore, NULL);
    if (write(*(int *)state, "", 1) != 1) return 1;
    return never_ends(NULL);
}

static int is_killed(void *state)
{
    (void)state;
    return raise(SIGKILL);
}

static size_t start(int (*part)(void *state), void *state)
{
    size_t number = SIZE_MAX;
    assert_int_equal(scratch_start(&scratch, &number, part, state), OK);
    return number;
}

static enum err wait_for(size_t part, size_t other, uint64_t ms, int *code)
{
    return scratch_wait(&scratch, part, other, clock_monotonic_ms() + ms, code);
}

/* --- tests --- */

static void a_part_gives_its_code_and_the_folder_goes_with_what_it_wrote(void **state)
{
    (void)state;
    int code = 0;
    assert_int_equal(wait_for(start(writes_and_ends, NULL), SIZE_MAX, SOON_MS, &code), OK);
    assert_int_equal(code, 7);
    assert_true(is_there("drill/file"));
    assert_true(scratch_end(&scratch));
    assert_false(is_there("drill"));
}

static void a_part_that_takes_too_long_or_is_killed_is_told_from_one_that_ends(void **state)
{
    (void)state;
    int code = 99;
    size_t idle = start(never_ends, NULL);
    assert_int_equal(wait_for(idle, SIZE_MAX, 20, &code), ERR_TIMEOUT);
    assert_int_equal(wait_for(start(is_killed, NULL), SIZE_MAX, SOON_MS, &code), ERR_STATE);
    assert_int_equal(wait_for(idle, start(writes_and_ends, NULL), SOON_MS, &code), ERR_STATE);
    assert_int_equal(code, 99);
    assert_true(scratch_end(&scratch));
}

static void a_part_that_does_not_listen_is_ended_all_the_same(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    size_t part = start(is_deaf, &ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(scratch_end(&scratch));
    assert_int_equal(kill(scratch.parts[part], 0), -1);
    assert_false(is_there("drill"));
    close(ready[0]);
    close(ready[1]);
}

static void one_at_a_time_uses_the_folder(void **state)
{
    (void)state;
    struct scratch second;
    assert_int_equal(scratch_begin(&second, home, "drill"), ERR_BUSY);
    assert_false(scratch_left(home, "drill"));
    assert_true(is_there("drill"));
}

static void what_a_killed_one_left_is_seen_and_taken_away(void **state)
{
    (void)state;
    make("drill/file");
    close(scratch.lock); /* as where its process was killed */
    assert_true(scratch_left(home, "drill"));
    assert_int_equal(scratch_begin(&scratch, home, "drill"), OK);
    assert_false(is_there("drill/file"));
    assert_true(scratch_end(&scratch));
    assert_false(scratch_left(home, "drill"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_part_gives_its_code_and_the_folder_goes_with_what_it_wrote),
        TEST(a_part_that_takes_too_long_or_is_killed_is_told_from_one_that_ends),
        TEST(a_part_that_does_not_listen_is_ended_all_the_same),
        TEST(one_at_a_time_uses_the_folder),
        TEST(what_a_killed_one_left_is_seen_and_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
