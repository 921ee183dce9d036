#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/seal.h"
#include "tests/support/vectors.h"

#include <string.h>

struct desk {
    struct zstd *z;
    struct box_key office;
    struct box_secret secret;
    struct buf body, box, sealed, bytes;
};

static int prepare(void **state)
{
    (void)state;
    return crypto_init() == OK ? 0 : -1;
}

static void desk_open(struct desk *d)
{
    *d = (struct desk){0};
    assert_int_equal(zstd_open(&d->z), OK);
    box_pair_make(&d->office, &d->secret);
}

static void desk_close(struct desk *d)
{
    zstd_close(d->z);
    buf_clear(&d->body);
    buf_clear(&d->box);
    buf_clear(&d->sealed);
    seal_wipe(&d->bytes);
}

/* Text that hardly compresses, of `size` bytes, alone in a map. */
static struct slice box_of(struct buf *out, size_t size)
{
    struct mp_writer w = {out};
    struct buf text = {0};
    uint32_t x = 7;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        buf_append_byte(&text, (uint8_t)('!' + (x >> 24) % 90));
    }
    buf_reset(out);
    mp_write_map(&w, 1);
    mp_write_text(&w, "content");
    mp_write_str(&w, buf_slice(&text));
    buf_clear(&text);
    return buf_slice(out);
}

static struct seal_content content_of(struct desk *d, size_t box_size)
{
    static const uint8_t body[] = {0x81, 0xa6, 'n', 'a', 't', 'u', 'r', 'e', 0xa1, 'x'};
    return (struct seal_content){
        .kind = slice_of_text("request.register"),
        .time = HLC_MAKE(UINT64_C(1657584000123), 3, 1),
        .has_by = true,
        .by = {{1, 2, 3}},
        .body = slice_of(body, sizeof body),
        .box = box_size ? box_of(&d->box, box_size) : SLICE_EMPTY,
    };
}

static enum err open_sealed(struct desk *d, struct seal_content *out, struct slice sealed)
{
    buf_reset(&d->bytes);
    return seal_open(&d->bytes, out, d->z, &d->office, &d->secret, sealed);
}

static void the_office_reads_what_a_village_sealed(void **state)
{
    (void)state;
    struct desk d;
    struct seal_content read;
    desk_open(&d);
    struct seal_content c = content_of(&d, 300);
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), OK);
    assert_int_equal(open_sealed(&d, &read, buf_slice(&d.sealed)), OK);
    assert_true(slice_equal(read.kind, c.kind));
    assert_int_equal(read.time, c.time);
    assert_true(read.has_by);
    assert_true(thing_id_equal(&read.by, &c.by));
    assert_true(slice_equal(read.body, c.body));
    assert_true(slice_equal(read.box, c.box));
    c.has_by = false;
    c.box = SLICE_EMPTY;
    buf_reset(&d.sealed);
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), OK);
    assert_int_equal(open_sealed(&d, &read, buf_slice(&d.sealed)), OK);
    assert_false(read.has_by);
    assert_int_equal(read.box.size, 0);
    desk_close(&d);
}

static void its_size_tells_one_of_four_classes_and_no_more(void **state)
{
    (void)state;
    static const struct {
        size_t text, plain;
    } cases[] = {{1, 1024}, {900, 1024}, {1500, 2048}, {3000, 4096}, {6000, 8192}, {9000, 8192}};
    struct desk d;
    desk_open(&d);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seal_content c = content_of(&d, cases[i].text);
        buf_reset(&d.sealed);
        assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), OK);
        assert_int_equal(d.sealed.size, cases[i].plain + CRYPTO_SEAL_OVERHEAD);
        assert_true(seal_size_valid(d.sealed.size));
        assert_false(seal_size_valid(d.sealed.size - 1));
    }
    assert_false(seal_size_valid(512 + CRYPTO_SEAL_OVERHEAD));
    assert_false(seal_size_valid(16384 + CRYPTO_SEAL_OVERHEAD));
    desk_close(&d);
}

static void refuses_to_seal_what_is_too_long_or_no_map(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    struct seal_content c = content_of(&d, 12000);
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), ERR_LIMIT);
    c = content_of(&d, 10);
    c.body = slice_of("\x90", 1);
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), ERR_MALFORMED);
    c = content_of(&d, 10);
    c.box = slice_of("\x81\x01\x02", 3); /* a key that is no text */
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), ERR_MALFORMED);
    assert_int_equal(d.sealed.size, 0);
    desk_close(&d);
}

static void the_writer_cannot_read_it_again_and_nobody_can_change_it(void **state)
{
    (void)state;
    struct desk d;
    struct seal_content read;
    struct box_key key;
    struct box_secret secret;
    desk_open(&d);
    struct seal_content c = content_of(&d, 300);
    assert_int_equal(seal_write(&d.sealed, d.z, &c, &d.office), OK);
    box_pair_make(&key, &secret);
    assert_int_equal(seal_open(&d.bytes, &read, d.z, &key, &secret, buf_slice(&d.sealed)),
                     ERR_SIGNATURE);
    d.sealed.data[700] ^= 1;
    assert_int_equal(open_sealed(&d, &read, buf_slice(&d.sealed)), ERR_SIGNATURE);
    assert_int_equal(open_sealed(&d, &read, slice_of(d.sealed.data, d.sealed.size - 1)), ERR_LIMIT);
    desk_close(&d);
}

/* Seals a plaintext as a village that does not keep to the rules might. */
static enum err open_made(struct desk *d, uint16_t payload, uint32_t size, struct slice bytes,
                          bool dirty)
{
    struct seal_content read;
    uint8_t plain[SEAL_PLAIN_SIZE_MIN] = {0};
    be16_put(plain, payload);
    be32_put(plain + 2, size);
    if (bytes.size) memcpy(plain + 6, bytes.data, bytes.size);
    if (dirty) plain[sizeof plain - 1] = 1;
    buf_reset(&d->sealed);
    assert_int_equal(crypto_seal(&d->sealed, &d->office, slice_of(plain, sizeof plain)), OK);
    return open_sealed(d, &read, buf_slice(&d->sealed));
}

static enum err open_content(struct desk *d, const char *content, size_t size)
{
    struct buf payload = {0};
    assert_int_equal(zstd_compress(d->z, &payload, slice_of(content, size), SLICE_EMPTY, 3), OK);
    enum err err = open_made(d, (uint16_t)payload.size, (uint32_t)size, buf_slice(&payload), false);
    if (err == OK)
        assert_int_equal(
            open_made(d, (uint16_t)payload.size, (uint32_t)size, buf_slice(&payload), true),
            ERR_MALFORMED);
    buf_clear(&payload);
    return err;
}

#define CONTENT(text) (text), sizeof(text) - 1

static void opens_no_other_form(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xa1k\x07\xc0\x80\xc0")), OK);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xa1k\x07\xc0\x80\x80")), OK);
    assert_int_equal(open_content(&d, CONTENT("\x96\x02\xa1k\x07\xc0\x80\xc0")), ERR_VERSION);
    assert_int_equal(open_content(&d, CONTENT("\x91\x09")), ERR_VERSION);
    assert_int_equal(open_content(&d, CONTENT("\x95\x01\xa1k\x07\xc0\x80")), ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x97\x01\xa1k\x07\xc0\x80\xc0\xc0")), ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xa1k\x07\xc0\x90\xc0")), ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xa1k\x07\xc0\x80\x07")), ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xa1k\x07\xc4\x01z\x80\xc0")),
                     ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x80")), ERR_MALFORMED);
    assert_int_equal(open_content(&d, CONTENT("\x96\x01\xcc\x05")), ERR_MALFORMED);
    /* sizes that lie */
    assert_int_equal(open_made(&d, 1200, 8, SLICE_EMPTY, false), ERR_MALFORMED);
    assert_int_equal(open_made(&d, 0, 8, SLICE_EMPTY, false), ERR_MALFORMED);
    assert_int_equal(open_made(&d, 5, 0, SLICE_EMPTY, false), ERR_MALFORMED);
    assert_int_equal(open_made(&d, 5, EVENT_SIZE_MAX + 1, SLICE_EMPTY, false), ERR_LIMIT);
    assert_int_equal(open_made(&d, 5, 8, slice_of_text("hello"), false), ERR_MALFORMED);
    desk_close(&d);
}

static void opens_the_golden_vectors(void **state)
{
    (void)state;
    json_t *root = vectors_load("sealed"), *item;
    struct desk d;
    size_t i;
    desk_open(&d);
    vectors_fixed(root, "secret", d.secret.bytes, sizeof d.secret.bytes);
    box_key_of_secret(&d.office, &d.secret);
    vectors_assert_hex(slice_of(d.office.bytes, sizeof d.office.bytes), root, "office");
    json_array_foreach(json_object_get(root, "records"), i, item)
    {
        struct buf sealed = vectors_bytes(item, "sealed");
        struct seal_content read;
        assert_int_equal(open_sealed(&d, &read, buf_slice(&sealed)), OK);
        vectors_assert_hex(buf_slice(&d.bytes), item, "content");
        vectors_assert_value(buf_slice(&d.bytes), item, "value");
        buf_clear(&sealed);
    }
    assert_true(i >= 2);
    json_decref(root);
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_office_reads_what_a_village_sealed),
        cmocka_unit_test(its_size_tells_one_of_four_classes_and_no_more),
        cmocka_unit_test(refuses_to_seal_what_is_too_long_or_no_map),
        cmocka_unit_test(the_writer_cannot_read_it_again_and_nobody_can_change_it),
        cmocka_unit_test(opens_no_other_form),
        cmocka_unit_test(opens_the_golden_vectors),
    };
    return cmocka_run_group_tests(tests, prepare, NULL) != 0;
}
