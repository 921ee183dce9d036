/*
 * A stick that is pulled, is full or breaks at any call, and a file that changes while it is read:
 * the calls of the system stand here, and fail where a test says so.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "node/store/local.h"
#include "tests/support/store.h"
#include "tests/support/bulk.h"
#include "tools/stick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PARTS = 8 };

static struct township town;
static struct township_node hub, laptop;
static struct device_keys hub_keys, laptop_keys;
static struct box_key transport;
static char folder[] = "/tmp/sidan-stick.XXXXXX";

/* --- the stick ------------------------------------------------------------------------------ */

/* Of the calls that are made of files on the stick, this one fails, or it and all that follow. */
static struct {
    unsigned calls, fails; /* 0: none */
    int error;
    bool from_there_on;
    void (*at)(int fd); /* instead of failing: what happens before it */
} stick;

static bool is_on_stick(int fd)
{
    char name[64], path[256];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(name, path, sizeof path - 1);
    path[size < 0 ? 0 : size] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static bool fails(int fd)
{
    const unsigned call = ++stick.calls;
    if (!stick.fails || call < stick.fails || (call > stick.fails && !stick.from_there_on))
        return false;
    if (stick.at) {
        stick.at(fd);
        return false;
    }
    errno = stick.error;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (is_on_stick(fd) && fails(fd)) return -1;
    return syscall(SYS_write, fd, bytes, size);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    if (is_on_stick(fd) && fails(fd)) return -1;
    return syscall(SYS_read, fd, bytes, size);
}

int fsync(int fd)
{
    if (is_on_stick(fd)) return fails(fd) ? -1 : 0;
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    if (strncmp(to, folder, strlen(folder)) == 0 && fails(-1)) return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    if (strncmp(path, folder, strlen(folder)) == 0 && fails(-1)) return -1;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static void works(void)
{
    memset(&stick, 0, sizeof stick);
}

/* --- a hub, and a laptop that has nothing --------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    works();
    if (crypto_init() || !mkdtemp(folder)) return -1;
    box_pair_make(&transport, &laptop_keys.transport_secret);
    laptop_keys.transport = transport;
    town.transport = NULL;
    township_begin(&town, 1);
    town.transport = &transport;
    struct township_device *d = township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    laptop_keys.signer = d->signer;
    hub_keys.signer = town.hub.signer;
    township_node_open(&hub, &town, &town.hub);
    township_node_open(&laptop, &town, d);
    return 0;
}

static const char *part(uint32_t i)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/all-%u.sidan", folder, (unsigned)i + 1);
    return path;
}

static void empty_stick(void)
{
    char beside[80];
    for (uint32_t i = 0; i < PARTS; i++) {
        snprintf(beside, sizeof beside, "%s.new", part(i));
        unlink(part(i));
        unlink(beside);
    }
}

static int tear_down(void **state)
{
    (void)state;
    works();
    empty_stick();
    rmdir(folder);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    township_node_close(&hub);
    township_node_close(&laptop);
    township_end(&town);
    return 0;
}

static enum err write_part(struct bundle_maker *m, uint32_t i)
{
    struct stick_file f;
    struct bundle_made made;
    enum err err = stick_create(&f, part(i), "", 0);
    if (err) return err;
    err = bundle_maker_next(m, f.fd, &made);
    if (!err) return stick_keep(&f);
    stick_abandon(&f);
    return err;
}

/* As `bundle export` does. *whole: files that it says are whole. */
static enum err export(uint32_t *whole) {
    struct bundle_maker *m; struct bundle_plan plan;
    const struct bundle_making making = {.store = hub.store,
                                         .views = hub.views,
                                         .keys = &hub_keys,
                                         .wall_ms = 1000,
                                         .to = laptop_keys.signer.key,
                                         .read_back = true,
                                         .size_max = BUNDLE_PART_SIZE_MIN};
    enum err err = OK;
    assert_int_equal(bundle_maker_open(&m, &making, &plan), OK);
    assert_true(plan.parts <= PARTS);
    for (*whole = 0; !err && *whole < plan.parts; *whole += !err) err = write_part(m, *whole);
    bundle_maker_close(m);
    return err;
}

static enum err take(uint32_t i, bool look, struct bundle_taken *taken)
{
    const struct bundle_taking taking = {.store = laptop.store,
                                         .views = laptop.views,
                                         .keys = &laptop_keys,
                                         .wall_ms = 5000,
                                         .look = look};
    int fd;
    *taken = (struct bundle_taken){0};
    enum err err = stick_open(&fd, part(i), BUNDLE_SIZE_MAX);
    if (err) return err;
    err = bundle_take(fd, &taking, taken);
    close(fd);
    return err;
}

/* What has the name of a file is whole, whether it was said or not. */
static void assert_whole(uint32_t said)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        struct bundle_taken taken;
        enum err err = take(i, true, &taken);
        if (i >= said && err == ERR_NOT_FOUND) continue;
        assert_int_equal(err, OK);
        assert_true(taken.verified && !taken.damaged);
    }
}

static void pulled(size_t bytes, int error, bool from_there_on, unsigned step)
{
    uint32_t whole = 0;
    bulk_record(&town, &town.devices[0], bytes);
    township_node_take_all(&hub, &town);
    for (unsigned at = 1;; at += step) {
        works();
        stick.fails = at;
        stick.error = error;
        stick.from_there_on = from_there_on;
        enum err err = export(&whole);
        const bool reached = stick.calls >= at;
        works();
        if (reached && err != err_from_errno(error)) fail_msg("call %u: %s", at, err_name(err));
        if (!reached) assert_int_equal(err, OK);
        assert_whole(whole);
        if (!reached) break;
        empty_stick();
    }
    assert_int_equal(whole > 1, bytes > BUNDLE_PART_SIZE_MIN);
    /* and nothing of it is lost: the last one brings all */
    for (uint32_t i = 0; i < whole; i++) {
        struct bundle_taken taken;
        assert_int_equal(take(i, false, &taken), OK);
        assert_int_equal(taken.refused, 0);
    }
    assert_int_equal(test_events_held(laptop.store), test_events_held(hub.store));
}

static void a_stick_that_is_pulled_at_any_call_has_whole_files_alone(void **state)
{
    (void)state;
    pulled(KIB(150), EIO, true, 1);
}

static void a_call_that_fails_once_is_noticed(void **state)
{
    (void)state;
    pulled(KIB(150), EIO, false, 1);
}

static void a_stick_that_fills_up_keeps_what_is_whole(void **state)
{
    (void)state;
    pulled(KIB(600), ENOSPC, true, 5); /* in several files */
}

/* --- reading -------------------------------------------------------------------------------- */

static void begin_reading(void)
{
    uint32_t whole;
    bulk_record(&town, &town.devices[0], KIB(300));
    township_node_take_all(&hub, &town);
    assert_int_equal(export(&whole), OK);
    assert_int_equal(whole, 1);
}

/* Whatever was read, the file as it should be brings the rest. */
static void assert_the_rest_comes(void)
{
    struct bundle_taken taken;
    works();
    assert_int_equal(take(0, false, &taken), OK);
    assert_int_equal(taken.refused, 0);
    assert_int_equal(test_events_held(laptop.store), test_events_held(hub.store));
}

static void a_stick_that_is_pulled_while_it_is_read_loses_nothing(void **state)
{
    (void)state;
    begin_reading();
    uint64_t before = 0;
    for (unsigned at = 1;; at++) {
        struct bundle_taken taken;
        works();
        stick.fails = at;
        stick.error = EIO;
        stick.from_there_on = true;
        enum err err = take(0, false, &taken);
        if (stick.calls < at) break;
        if (err != ERR_IO) fail_msg("call %u: %s", at, err_name(err));
        assert_true(test_events_held(laptop.store) >= before);
        before = test_events_held(laptop.store);
    }
    assert_the_rest_comes();
}

static uint8_t *original;
static off_t original_size;

static void read_original(void)
{
    int fd = open(part(0), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    original_size = lseek(fd, 0, SEEK_END);
    original = malloc((size_t)original_size);
    assert_non_null(original);
    assert_int_equal(pread(fd, original, (size_t)original_size, 0), original_size);
    close(fd);
}

static int writer(void)
{
    int fd = open(part(0), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void restore_original(void)
{
    int fd = writer();
    assert_int_equal(ftruncate(fd, original_size), 0);
    assert_int_equal(pwrite(fd, original, (size_t)original_size, 0), original_size);
    close(fd);
}

/* What somebody else does with the file, ahead of the reader. */
static void is_cut(int fd)
{
    int other = writer();
    assert_int_equal(ftruncate(other, lseek(fd, 0, SEEK_CUR)), 0);
    close(other);
}

static void is_written_over(int fd)
{
    const off_t at = lseek(fd, 0, SEEK_CUR);
    int other = writer();
    if (at < original_size)
        assert_true(pwrite(other, original, (size_t)(original_size - at), at) > 0);
    close(other);
}

static void grows(int fd)
{
    int other = writer();
    (void)fd;
    assert_int_equal(pwrite(other, original, 100, original_size), 100);
    close(other);
}

static void changes(void (*change)(int fd))
{
    begin_reading();
    read_original();
    for (unsigned at = 1;; at++) {
        struct bundle_taken taken;
        works();
        stick.fails = at;
        stick.at = change;
        enum err err = take(0, false, &taken);
        const bool reached = stick.calls >= at;
        works();
        restore_original();
        if (!reached) break;
        /* no error of the store, no record that is refused: those that were read are good */
        if (err != OK && err != ERR_MALFORMED && err != ERR_CORRUPT)
            fail_msg("call %u: %s", at, err_name(err));
        if (!err) assert_int_equal(taken.refused, 0);
        assert_true(test_events_held(laptop.store) <= test_events_held(hub.store));
    }
    assert_the_rest_comes();
    free(original);
}

static void a_file_that_is_cut_while_it_is_read_gives_what_was_whole(void **state)
{
    (void)state;
    changes(is_cut);
}

static void a_file_that_is_written_over_while_it_is_read_gives_nothing_else(void **state)
{
    (void)state;
    changes(is_written_over);
}

static void a_file_that_grows_while_it_is_read_is_no_whole_one(void **state)
{
    (void)state;
    changes(grows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stick_that_is_pulled_at_any_call_has_whole_files_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_fails_once_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stick_that_fills_up_keeps_what_is_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stick_that_is_pulled_while_it_is_read_loses_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_while_it_is_read_gives_what_was_whole,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_is_written_over_while_it_is_read_gives_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_grows_while_it_is_read_is_no_whole_one, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
