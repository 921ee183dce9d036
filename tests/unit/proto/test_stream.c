#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "sidan-test-1\n"

static char path[] = "/tmp/sidan-stream-XXXXXX";
static uint8_t plain[STREAM_CHUNK_SIZE * 2 + 1234], got[sizeof plain];

/* One file for all tests: a passphrase costs a while. */
static int set_up_all(void **state)
{
    (void)state;
    struct stream *s;
    if (crypto_init()) return -1;
    int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(stream_begin(&s, fd, MAGIC, "passphrase"), OK);
    /* in pieces of all sizes */
    for (size_t at = 0, part = 1; at < sizeof plain; at += part, part = part * 3 % 70001 + 1) {
        if (part > sizeof plain - at) part = sizeof plain - at;
        assert_int_equal(stream_put(s, slice_of(plain + at, part)), OK);
    }
    assert_int_equal(stream_finish(s), OK);
    stream_close(s);
    close(fd);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    return unlink(path);
}

static enum err open_it(struct stream **s, int *fd, const char *magic, const char *passphrase)
{
    *fd = open(path, O_RDWR);
    assert_true(*fd >= 0);
    return stream_open(s, *fd, magic, passphrase);
}

static off_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_size;
}

/* All of it, as a reader takes it. */
static enum err read_all(void)
{
    struct stream *s = NULL;
    int fd;
    enum err err = open_it(&s, &fd, MAGIC, "passphrase");
    if (!err) err = stream_get(s, got, 1);
    if (!err) err = stream_get(s, got + 1, sizeof got - 1);
    if (!err) err = stream_end(s);
    stream_close(s);
    close(fd);
    return err;
}

static void what_was_put_is_got(void **state)
{
    (void)state;
    assert_int_equal(read_all(), OK);
    assert_memory_equal(got, plain, sizeof plain);
}

static void another_passphrase_or_magic_is_refused(void **state)
{
    (void)state;
    struct stream *s;
    int fd;
    assert_int_equal(open_it(&s, &fd, MAGIC, "passphrasf"), ERR_PASSPHRASE);
    close(fd);
    assert_int_equal(open_it(&s, &fd, "sidan-other-1\n", "passphrase"), ERR_MALFORMED);
    close(fd);
}

static void more_than_was_put_is_not_got(void **state)
{
    (void)state;
    struct stream *s;
    int fd;
    uint8_t one;
    assert_int_equal(open_it(&s, &fd, MAGIC, "passphrase"), OK);
    assert_int_equal(stream_get(s, got, sizeof got - 1), OK);
    assert_int_equal(stream_end(s), ERR_CORRUPT); /* a byte is left */
    assert_int_equal(stream_get(s, &one, 1), OK);
    assert_int_equal(stream_get(s, &one, 1), ERR_CORRUPT);
    stream_close(s);
    close(fd);
}

/* Anywhere past the line with the key, which has a check of its own. */
static void a_changed_byte_is_known(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR);
    const off_t size = size_of(fd);
    const off_t places[] = {size - 1, size - 700, size / 2, size - (off_t)sizeof plain};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint8_t was, other;
        assert_int_equal(pread(fd, &was, 1, places[i]), 1);
        other = was ^ 4;
        assert_int_equal(pwrite(fd, &other, 1, places[i]), 1);
        assert_int_equal(read_all(), ERR_CORRUPT);
        assert_int_equal(pwrite(fd, &was, 1, places[i]), 1);
    }
    close(fd);
    assert_int_equal(read_all(), OK);
}

static void a_cut_or_longer_file_is_known(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR);
    const off_t size = size_of(fd);
    uint8_t *all = malloc((size_t)size);
    assert_int_equal(pread(fd, all, (size_t)size, 0), size);
    /* between two chunks, within the last, one byte */
    const off_t sizes[] = {size - 1234 - 21, size - 1000, size - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        assert_int_equal(read_all(), ERR_CORRUPT);
        assert_int_equal(pwrite(fd, all, (size_t)size, 0), size);
    }
    assert_int_equal(pwrite(fd, "more", 4, size), 4);
    assert_int_equal(read_all(), ERR_CORRUPT);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(read_all(), OK);
    free(all);
    close(fd);
}

/* Where the last chunk is empty, what was got says nothing of whether there is more: its tag does.
 */
static void a_file_cut_before_its_empty_end_is_known(void **state)
{
    (void)state;
    const struct secret_key key = {{7}};
    char name[] = "/tmp/sidan-stream-XXXXXX";
    struct stream *s;
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(stream_begin_key(&s, fd, &key), OK);
    assert_int_equal(stream_put(s, slice_of(plain, STREAM_CHUNK_SIZE)), OK);
    const off_t whole = size_of(fd);
    assert_int_equal(stream_finish(s), OK);
    stream_close(s);
    for (off_t size = size_of(fd);; size = whole) {
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(stream_open_key(&s, fd, &key), OK);
        assert_int_equal(stream_get(s, got, STREAM_CHUNK_SIZE), OK);
        assert_int_equal(stream_end(s), size == whole ? ERR_CORRUPT : OK);
        stream_close(s);
        if (size == whole) break;
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(another_passphrase_or_magic_is_refused),
        cmocka_unit_test(more_than_was_put_is_not_got),
        cmocka_unit_test(a_changed_byte_is_known),
        cmocka_unit_test(a_cut_or_longer_file_is_known),
        cmocka_unit_test(a_file_cut_before_its_empty_end_is_known),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
