#define _GNU_SOURCE /* memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/bundle.h"
#include "tests/support/vectors.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct signer sender;
static struct box_key key, other_key;
static struct box_secret secret, other_secret;

static struct bundle_head head_of(void)
{
    return (struct bundle_head){
        .township = {{9}}, .from = sender.key, .to = {{4}}, .number = 1234567};
}

static void hello_write(struct buf *out)
{
    const struct frame_hello h = {.protocol_min = 1, .protocol_max = 1, .time_ms = 77};
    frame_hello_write(out, &h, NULL);
    assert_int_equal(out->err, OK);
}

/* Frames of these sizes, each of its own byte; the readers of frames are not asked here. */
static const size_t sizes[] = {1, 300, 65000, 81920, 7};
#define FRAMES (sizeof sizes / sizeof sizes[0])

static int file_new(void)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static uint64_t write_bundle(int fd, const size_t *frame_sizes, size_t count)
{
    struct bundle_writer *w;
    struct bundle_head head = head_of();
    struct buf hello = {0};
    uint64_t size;
    uint8_t *bytes = malloc(FRAME_SIZE_MAX);
    assert_non_null(bytes);
    hello_write(&hello);
    assert_int_equal(bundle_begin(&w, fd, &key, &head, buf_slice(&hello), &sender), OK);
    for (size_t i = 0; i < count; i++) {
        memset(bytes, (int)i + 1, frame_sizes[i]);
        assert_int_equal(bundle_put(w, slice_of(bytes, frame_sizes[i])), OK);
    }
    assert_int_equal(bundle_finish(w, &size), OK);
    assert_int_equal(size, (uint64_t)lseek(fd, 0, SEEK_END));
    assert_int_equal(bundle_read_back(w, fd), OK);
    bundle_writer_close(w);
    buf_clear(&hello);
    free(bytes);
    return size;
}

/* Reads all; *frames: how many were read. */
static enum err read_bundle(int fd, const struct bundle_key *keys, size_t key_count,
                            const size_t *frame_sizes, size_t *frames)
{
    struct bundle_reader *r = NULL;
    struct bundle_head head;
    struct slice hello, frame;
    bool end = false;
    *frames = 0;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    enum err err = bundle_open(&r, fd, keys, key_count, &head, &hello);
    if (err) return err;
    assert_true(sign_key_equal(&head.from, &sender.key) && head.number == 1234567);
    assert_true(!head.to_township && head.to.bytes[0] == 4);
    err = bundle_verify(&head, &sender.key);
    for (; !err && !end; *frames += !err && !end) {
        err = bundle_next(r, &frame, &end);
        if (err || end) continue;
        assert_int_equal(frame.size, frame_sizes[*frames]);
        assert_int_equal(frame.data[frame.size - 1], *frames + 1);
    }
    bundle_reader_close(r);
    return err;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const struct bundle_key keys[] = {{&other_key, &other_secret}, {&key, &secret}};
    size_t frames;
    int fd = file_new();
    write_bundle(fd, sizes, FRAMES);
    assert_int_equal(read_bundle(fd, keys, 2, sizes, &frames), OK);
    assert_int_equal(frames, FRAMES);
    assert_int_equal(read_bundle(fd, keys, 1, sizes, &frames), ERR_FOREIGN);
    close(fd);
}

static void its_size_tells_little(void **state)
{
    (void)state;
    for (uint64_t size = 1; size < MIB(8); size += 1 + size / 50) {
        uint64_t padded = bundle_padded(size);
        assert_true(padded >= size && bundle_padded(padded) == padded);
        assert_true(padded - size < 256 || (padded - size) * 64 <= padded);
    }
    const size_t one[] = {10}, another[] = {14};
    int a = file_new(), b = file_new();
    assert_int_equal(write_bundle(a, one, 1), write_bundle(b, another, 1));
    close(a);
    close(b);
}

/* A bundle of about 20 KiB. */
static const size_t some[] = {9000, 11000};

static uint8_t *content_of(int fd, size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, size, 0), size);
    return bytes;
}

static void each_flipped_bit_is_noticed(void **state)
{
    (void)state;
    const struct bundle_key keys[] = {{&key, &secret}};
    int fd = file_new();
    size_t size = write_bundle(fd, some, 2), frames, refused = 0;
    uint8_t *bytes = content_of(fd, size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t byte = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
        enum err err = read_bundle(fd, keys, 1, some, &frames);
        if (err != ERR_MALFORMED && err != ERR_VERSION && err != ERR_CORRUPT)
            fail_msg("bit %zu: %s", bit, err_name(err));
        refused++;
        assert_int_equal(pwrite(fd, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    assert_int_equal(refused, 8 * size);
    assert_int_equal(read_bundle(fd, keys, 1, some, &frames), OK);
    free(bytes);
    close(fd);
}

static void each_cut_is_noticed_and_more_behind_it(void **state)
{
    (void)state;
    const struct bundle_key keys[] = {{&key, &secret}};
    int fd = file_new();
    size_t size = write_bundle(fd, some, 2), frames;
    uint8_t *bytes = content_of(fd, size);
    assert_int_equal(pwrite(fd, "x", 1, (off_t)size), 1);
    assert_int_equal(read_bundle(fd, keys, 1, some, &frames), ERR_CORRUPT);
    for (size_t at = size; at-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
        enum err err = read_bundle(fd, keys, 1, some, &frames);
        if (err != ERR_MALFORMED && err != ERR_CORRUPT) fail_msg("at %zu: %s", at, err_name(err));
    }
    /* two in one file: the first is taken, and that there is more is told */
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)size), size);
    assert_int_equal(read_bundle(fd, keys, 1, some, &frames), ERR_CORRUPT);
    assert_int_equal(frames, 2);
    free(bytes);
    close(fd);
}

/* Who carries it cannot open it, and notices most of what happens to files all the same. */
static void its_shape_is_seen_without_a_key(void **state)
{
    (void)state;
    static const size_t many[] = {70000, 70000, 1};
    int fd = file_new();
    size_t size = write_bundle(fd, many, 3), unnoticed = 0;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(bundle_shape(fd), OK);
    assert_int_equal(pwrite(fd, "x", 1, (off_t)size), 1);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(bundle_shape(fd), ERR_CORRUPT);
    for (size_t at = size; at-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        enum err err = bundle_shape(fd);
        if (err != ERR_MALFORMED && err != ERR_CORRUPT) unnoticed++;
    }
    /* behind a whole chunk, where the size is of a class by chance */
    assert_in_range(unnoticed, 0, 2);
    close(fd);
}

/* Whoever can open one can seal its head and HELLO anew, and is not its sender. */
static void a_head_moved_to_another_file_is_not_its_senders(void **state)
{
    (void)state;
    const struct bundle_key keys[] = {{&key, &secret}};
    struct bundle_reader *r;
    struct bundle_head head;
    struct slice hello;
    struct signer thief;
    struct sign_seed seed = {{5}};
    int fd = file_new();
    write_bundle(fd, some, 2);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(bundle_open(&r, fd, keys, 1, &head, &hello), OK);
    assert_int_equal(bundle_verify(&head, &sender.key), OK);
    signer_from_seed(&thief, &seed);
    assert_int_equal(bundle_verify(&head, &thief.key), ERR_SIGNATURE);
    struct bundle_head changed = head;
    changed.statement.bytes[0] ^= 1;
    assert_int_equal(bundle_verify(&changed, &sender.key), ERR_SIGNATURE);
    /* the same head and HELLO, signed by another, behind another sealed key */
    struct bundle_writer *w;
    uint64_t size;
    int other = file_new();
    struct bundle_head moved = head;
    assert_int_equal(bundle_begin(&w, other, &key, &moved, hello, &thief), OK);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    bundle_reader_close(r);
    lseek(other, 0, SEEK_SET);
    assert_int_equal(bundle_open(&r, other, keys, 1, &moved, &hello), OK);
    assert_memory_not_equal(moved.statement.bytes, head.statement.bytes, 32);
    moved.signature = head.signature;
    assert_int_equal(bundle_verify(&moved, &sender.key), ERR_SIGNATURE);
    bundle_reader_close(r);
    close(fd);
    close(other);
}

/* --- the golden vectors --- */

static int file_of(const json_t *item)
{
    struct buf bytes = vectors_bytes(item, "file");
    int fd = file_new();
    assert_int_equal(pwrite(fd, bytes.data, bytes.size, 0), bytes.size);
    buf_clear(&bytes);
    return fd;
}

/* Reads one to its end with the secret that the vector names; *frames: a list of hex. */
static enum err read_vector(const json_t *item, struct bundle_head *head, json_t **frames)
{
    struct box_secret by;
    struct box_key to;
    struct bundle_reader *r = NULL;
    struct slice frame;
    int fd = file_of(item);
    vectors_fixed(item, "secret", by.bytes, sizeof by.bytes);
    box_key_of_secret(&to, &by);
    const struct bundle_key keys[] = {{&to, &by}};
    *frames = json_array();
    enum err err = bundle_open(&r, fd, keys, 1, head, &frame);
    for (bool end = false; !err && !end;) {
        char text[2 * FRAME_SIZE_MAX + 1];
        hex_encode(text, frame.data, frame.size);
        json_array_append_new(*frames, json_string(text));
        err = bundle_next(r, &frame, &end);
    }
    bundle_reader_close(r);
    close(fd);
    return err;
}

static void the_vectors_are_read_as_written(void **state)
{
    (void)state;
    json_t *root = vectors_load("bundle"), *item, *frames;
    size_t i;
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct bundle_head head;
        const struct signer from = vectors_signer(item, "from_seed");
        assert_int_equal(read_vector(item, &head, &frames), OK);
        assert_true(json_equal(frames, json_object_get(item, "frames")));
        json_decref(frames);
        assert_true(sign_key_equal(&head.from, &from.key));
        vectors_assert_hex(slice_of(head.township.bytes, 32), root, "township");
        assert_int_equal(head.to_township, json_is_null(json_object_get(item, "to")));
        if (!head.to_township) vectors_assert_hex(slice_of(head.to.bytes, 32), item, "to");
        assert_int_equal(head.number, json_integer_value(json_object_get(item, "number")));
        vectors_assert_hex(slice_of(head.statement.bytes, 32), item, "statement");
        vectors_assert_hex(slice_of(head.signature.bytes, 64), item, "signature");
        assert_int_equal(bundle_verify(&head, &from.key), OK);
    }
    json_array_foreach(json_object_get(root, "padded"), i, item)
    {
        const uint64_t size = (uint64_t)json_integer_value(json_array_get(item, 0));
        assert_int_equal(bundle_padded(size), json_integer_value(json_array_get(item, 1)));
    }
    json_decref(root);
}

static void the_vectors_are_refused_for_the_reason_written(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum err err;
    } errors[] = {{"malformed", ERR_MALFORMED},
                  {"version", ERR_VERSION},
                  {"corrupt", ERR_CORRUPT},
                  {"foreign", ERR_FOREIGN}};
    json_t *root = vectors_load("bundle"), *item, *frames;
    size_t i;
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct bundle_head head;
        enum err want = OK, err = read_vector(item, &head, &frames);
        json_decref(frames);
        for (size_t n = 0; n < sizeof errors / sizeof errors[0]; n++)
            if (strcmp(errors[n].name, vectors_text(item, "error")) == 0) want = errors[n].err;
        if (!want || err != want) fail_msg("%s: %s", vectors_text(item, "what"), err_name(err));
    }
    assert_true(i >= 10);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(its_size_tells_little),
        cmocka_unit_test(each_flipped_bit_is_noticed),
        cmocka_unit_test(each_cut_is_noticed_and_more_behind_it),
        cmocka_unit_test(its_shape_is_seen_without_a_key),
        cmocka_unit_test(a_head_moved_to_another_file_is_not_its_senders),
        cmocka_unit_test(the_vectors_are_read_as_written),
        cmocka_unit_test(the_vectors_are_refused_for_the_reason_written),
    };
    struct sign_seed seed = {{3}};
    if (crypto_init()) return 1;
    signer_from_seed(&sender, &seed);
    box_pair_make(&key, &secret);
    box_pair_make(&other_key, &other_secret);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
