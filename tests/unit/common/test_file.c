#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/support/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The system's calls that make a file durable, in the order in which they were made: w write, s
 * sync of a file, d sync of a folder, r rename, l link, u unlink. They are the libraries' too. */
static char calls[64];

static void note(char call)
{
    size_t size = strlen(calls);
    if (size + 1 < sizeof calls && (size == 0 || call != 'w' || calls[size - 1] != 'w'))
        calls[size] = call;
}

int fsync(int fd)
{
    struct stat st;
    if (!fstat(fd, &st)) note(S_ISDIR(st.st_mode) ? 'd' : 's');
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    note('r');
    return (int)syscall(SYS_renameat2, -100, from, -100, to, 0);
}

int link(const char *from, const char *to)
{
    note('l');
    return (int)syscall(SYS_linkat, -100, from, -100, to, 0);
}

int unlink(const char *path)
{
    note('u');
    return (int)syscall(SYS_unlinkat, -100, path, 0);
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct stat st;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode)) note('w');
    return syscall(SYS_write, fd, data, size);
}

static const char *calls_of(enum err err)
{
    static char got[sizeof calls];
    assert_int_equal(err, OK);
    memcpy(got, calls, sizeof got);
    memset(calls, 0, sizeof calls);
    return got;
}

static void each_name_is_durable_before_it_is_said(void **state)
{
    (void)state;
    struct test_store ts;
    char path[128], other[128];
    const struct slice text = slice_of_text("what was confirmed");
    test_home_begin(&ts);
    snprintf(path, sizeof path, "%s/a", ts.home);
    snprintf(other, sizeof other, "%s/b", ts.home);
    memset(calls, 0, sizeof calls);
    assert_string_equal(calls_of(file_create(path, text, 0600)), "wslud");
    assert_string_equal(calls_of(file_replace(path, text, 0600)), "wsrd");
    assert_string_equal(calls_of(file_rename(path, other)), "rd");
    assert_string_equal(calls_of(file_remove(other)), "ud");
    assert_string_equal(calls_of(file_remove(other)), "u");
    test_store_end(&ts);
}

static void a_secret_is_overwritten_where_it_lay(void **state)
{
    (void)state;
    struct test_store ts;
    char path[128];
    test_home_begin(&ts);
    snprintf(path, sizeof path, "%s/a", ts.home);
    assert_int_equal(file_create(path, slice_of_text("old secret"), 0600), OK);
    memset(calls, 0, sizeof calls);
    /* the new one stands whole before the old one is touched */
    assert_string_equal(calls_of(file_replace_secret(path, slice_of_text("new"), 0600)), "wsrdws");
    test_store_end(&ts);
}

static void a_file_that_is_there_is_never_written_over(void **state)
{
    (void)state;
    struct test_store ts;
    char path[128];
    struct buf got = {0};
    test_home_begin(&ts);
    snprintf(path, sizeof path, "%s/a", ts.home);
    assert_int_equal(file_create(path, slice_of_text("first"), 0600), OK);
    assert_int_equal(file_create(path, slice_of_text("second"), 0600), ERR_EXISTS);
    assert_int_equal(file_read(&got, path, 64), OK);
    assert_int_equal(got.size, 5);
    assert_memory_equal(got.data, "first", 5);
    buf_clear(&got);
    test_store_end(&ts);
}

static void only_a_regular_file_of_its_size_is_read(void **state)
{
    (void)state;
    struct test_store ts;
    char path[128], other[128];
    struct buf got = {0};
    test_home_begin(&ts);
    snprintf(path, sizeof path, "%s/a", ts.home);
    snprintf(other, sizeof other, "%s/b", ts.home);
    assert_int_equal(file_read(&got, path, 64), ERR_NOT_FOUND);
    assert_int_equal(file_create(path, slice_of_text("five!"), 0600), OK);
    assert_int_equal(file_read(&got, path, 4), ERR_LIMIT);
    buf_reset(&got);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(file_read(&got, other, 64), ERR_MALFORMED);
    assert_int_equal(file_read(&got, ts.home, 64), ERR_MALFORMED);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(mkfifo(other, 0600), 0);
    assert_int_equal(file_read(&got, other, 64), ERR_MALFORMED);
    buf_clear(&got);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_is_durable_before_it_is_said),
        cmocka_unit_test(a_secret_is_overwritten_where_it_lay),
        cmocka_unit_test(a_file_that_is_there_is_never_written_over),
        cmocka_unit_test(only_a_regular_file_of_its_size_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
