#define _GNU_SOURCE /* memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/courier.h"
#include "tests/support/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_LIMIT MIB(64)

static struct test_store home;
static struct box_key key;
static struct box_secret secret;
static struct signer signer;

static int setup(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    test_home_begin(&home);
    box_pair_make(&key, &secret);
    struct sign_seed seed;
    sign_seed_make(&seed);
    signer_from_seed(&signer, &seed);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_store_end(&home);
    return 0;
}

static struct slice hello(void)
{
    static struct buf frame;
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN, .protocol_max = PROTOCOL_MAX};
    buf_reset(&frame);
    frame_hello_write(&frame, &h, NULL);
    assert_int_equal(frame.err, OK);
    return buf_slice(&frame);
}

/* A bundle for a stranger, in memory. */
static int bundle(struct bundle_id *id, uint64_t *size)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    struct bundle_writer *w;
    struct bundle_head head = {.to_township = true, .number = 1};
    assert_true(fd >= 0);
    assert_int_equal(bundle_begin(&w, fd, &key, &head, hello(), &signer), OK);
    assert_int_equal(bundle_finish(w, size), OK);
    bundle_writer_close(w);
    *id = head.id;
    return fd;
}

static struct courier_files list(void)
{
    struct courier_files f;
    assert_int_equal(courier_list(&f, home.home), OK);
    return f;
}

static void expect_held(size_t count, uint64_t bytes)
{
    struct courier_files f = list();
    assert_int_equal(f.count, count);
    assert_int_equal(f.bytes, bytes);
    courier_files_clear(&f);
}

static const char *path_of(const struct courier_file *f)
{
    static char name[96];
    snprintf(name, sizeof name, "courier/%s", f->name);
    return test_path(&home, name);
}

static void keeps_lists_opens_and_drops(void **state)
{
    (void)state;
    struct bundle_id id;
    struct courier_file f;
    struct stat st;
    uint64_t size;
    int fd = bundle(&id, &size), kept;
    expect_held(0, 0);
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT), OK);
    assert_memory_equal(f.id.bytes, id.bytes, sizeof id.bytes);
    assert_int_equal(f.bytes, size);
    assert_int_equal(stat(path_of(&f), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect_held(1, size);
    assert_int_equal(courier_open(&kept, home.home, &id), OK);
    assert_int_equal(courier_compare(fd, kept), OK);
    close(kept);
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT), ERR_EXISTS);
    expect_held(1, size);
    assert_int_equal(courier_drop(home.home, &id), OK);
    assert_int_equal(courier_drop(home.home, &id), OK);
    assert_int_equal(courier_open(&kept, home.home, &id), ERR_NOT_FOUND);
    expect_held(0, 0);
    close(fd);
}

static void carries_no_more_than_its_limit(void **state)
{
    (void)state;
    struct bundle_id id;
    struct courier_file f;
    uint64_t size;
    int one = bundle(&id, &size), other = bundle(&id, &size);
    assert_int_equal(courier_keep(&f, home.home, one, 0), ERR_LIMIT);
    assert_int_equal(courier_keep(&f, home.home, one, size - 1), ERR_LIMIT);
    expect_held(0, 0);
    assert_int_equal(courier_keep(&f, home.home, one, 2 * size - 1), OK);
    assert_int_equal(courier_keep(&f, home.home, other, 2 * size - 1), ERR_LIMIT);
    expect_held(1, size);
    assert_int_equal(courier_keep(&f, home.home, other, 2 * size), OK);
    expect_held(2, 2 * size);
    close(one);
    close(other);
}

static void takes_nothing_whose_beginning_is_not_a_bundles(void **state)
{
    (void)state;
    struct bundle_id id;
    struct courier_file f;
    uint64_t size;
    int fd = bundle(&id, &size);
    for (size_t at = 0; at < BUNDLE_OUTSIDE_SIZE; at++) {
        uint8_t byte, flipped;
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        flipped = byte ^ 0x20;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        enum err err = courier_keep(&f, home.home, fd, NO_LIMIT);
        assert_true(err == ERR_MALFORMED || err == ERR_VERSION);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    assert_int_equal(ftruncate(fd, BUNDLE_OUTSIDE_SIZE - 1), 0);
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT), ERR_MALFORMED);
    expect_held(0, 0);
    close(fd);
}

static void what_is_damaged_in_the_folder_is_seen_and_not_opened(void **state)
{
    (void)state;
    struct bundle_id id;
    struct courier_file f;
    uint64_t size;
    int fd = bundle(&id, &size), kept, there;
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT), OK);
    there = open(path_of(&f), O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(there, "x", 1, 30), 1);
    close(there);
    struct courier_files all = list();
    assert_int_equal(all.count, 1);
    assert_true(all.files[0].damaged);
    courier_files_clear(&all);
    assert_int_equal(courier_open(&kept, home.home, &id), ERR_CORRUPT);
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT),
                     OK); /* a good one takes its place */
    assert_int_equal(courier_open(&kept, home.home, &id), OK);
    close(kept);
    close(fd);
}

static void follows_no_link_and_minds_no_stranger_in_the_folder(void **state)
{
    (void)state;
    struct bundle_id id;
    struct courier_file f;
    uint64_t size;
    int fd = bundle(&id, &size), kept;
    char target[128];
    assert_int_equal(courier_keep(&f, home.home, fd, NO_LIMIT), OK);
    snprintf(target, sizeof target, "%s", test_path(&home, "elsewhere"));
    assert_int_equal(rename(path_of(&f), target), 0);
    assert_int_equal(symlink(target, path_of(&f)), 0);
    assert_int_equal(courier_open(&kept, home.home, &id), ERR_CORRUPT);
    /* what a crash left, and what is none of ours */
    close(open(test_path(&home, "courier/0123.tmp"), O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
    close(open(test_path(&home, "courier/README"), O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
    struct courier_files all = list();
    assert_int_equal(all.count, 1);
    assert_true(all.files[0].damaged);
    courier_files_clear(&all);
    assert_int_equal(unlink(path_of(&f)), 0);
    close(fd);
}

static void what_is_cut_while_it_is_read_is_not_kept(void **state)
{
    (void)state;
    struct courier_file f;
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    assert_true(courier_keep(&f, home.home, pair[0], NO_LIMIT) !=
                OK); /* no file: cannot be read twice */
    close(pair[0]);
    close(pair[1]);
    expect_held(0, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(keeps_lists_opens_and_drops),
        CASE(carries_no_more_than_its_limit),
        CASE(takes_nothing_whose_beginning_is_not_a_bundles),
        CASE(what_is_damaged_in_the_folder_is_seen_and_not_opened),
        CASE(follows_no_link_and_minds_no_stranger_in_the_folder),
        CASE(what_is_cut_while_it_is_read_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
