/* The golden vectors of tests/vectors, which proto/SPEC.md stands by. tests/vectors/check.py reads
 * the same files without any of this code. Run from the root of the tree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/rows.h"
#include "node/store/txn.h"
#include "proto/frame.h"
#include "tests/support/vectors.h"

#include <stdlib.h>
#include <string.h>

/* --- encoding, crypto, feeds --- */

static void takes_canonical_bytes_and_refuses_all_others(void **state)
{
    (void)state;
    json_t *root = vectors_load("encoding"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct buf bytes = vectors_bytes(item, "encoded");
        assert_int_equal(mp_scan_whole(buf_slice(&bytes)), OK);
        buf_clear(&bytes);
    }
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf bytes = vectors_bytes(item, "encoded");
        if (mp_scan_whole(buf_slice(&bytes)) == OK) fail_msg("took %s", vectors_text(item, "what"));
        buf_clear(&bytes);
    }
    json_decref(root);
}

static void hashes_and_signs_as_written(void **state)
{
    (void)state;
    json_t *root = vectors_load("crypto"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "hashes"), i, item)
    {
        struct buf message = vectors_bytes(item, "message");
        struct hash hash;
        crypto_hash_one(&hash, vectors_text(item, "context"), buf_slice(&message));
        vectors_assert_hex(slice_of(hash.bytes, sizeof hash.bytes), item, "hash");
        buf_clear(&message);
    }
    json_array_foreach(json_object_get(root, "signatures"), i, item)
    {
        struct buf message = vectors_bytes(item, "message");
        struct signer signer = vectors_signer(item, "seed");
        struct signature signature;
        signer_sign(&signature, &signer, vectors_text(item, "context"), buf_slice(&message));
        vectors_assert_hex(slice_of(signer.key.bytes, sizeof signer.key.bytes), item, "key");
        vectors_assert_hex(slice_of(signature.bytes, sizeof signature.bytes), item, "signature");
        buf_clear(&message);
    }
    json_decref(root);
}

static void names_feeds_as_written(void **state)
{
    (void)state;
    json_t *root = vectors_load("feeds"), *item;
    size_t i;
    json_array_foreach(root, i, item)
    {
        struct buf bytes = vectors_bytes(item, "encoded");
        struct mp_reader r = mp_reader_of(buf_slice(&bytes));
        struct feed feed;
        struct feed_id id;
        feed_read(&r, &feed);
        assert_int_equal(mp_read_end(&r), OK);
        feed_id_of(&id, &feed);
        vectors_assert_hex(slice_of(id.bytes, sizeof id.bytes), item, "id");
        vectors_assert_value(buf_slice(&bytes), item, "value");
        buf_clear(&bytes);
    }
    json_decref(root);
}

/* --- events --- */

enum { EVENTS_MAX = 16 };
struct chain {
    struct event events[EVENTS_MAX];
    struct buf headers[EVENTS_MAX], boxes[EVENTS_MAX];
    size_t count;
};

static void chain_load(struct chain *c, const json_t *list)
{
    json_t *item;
    size_t i;
    *c = (struct chain){0};
    json_array_foreach(list, i, item)
    {
        struct event *e = &c->events[c->count];
        struct buf *header = &c->headers[c->count], *box = &c->boxes[c->count];
        c->count++;
        *header = vectors_bytes(item, "header");
        assert_int_equal(event_decode(e, buf_slice(header)), OK);
        if (!json_is_null(json_object_get(item, "box"))) {
            uint8_t salt[EVENT_SALT_SIZE];
            *box = vectors_bytes(item, "box");
            vectors_fixed(item, "salt", salt, sizeof salt);
            assert_int_equal(event_attach_box(e, salt, buf_slice(box)), OK);
        }
        vectors_fixed(item, "signature", e->signature.bytes, sizeof e->signature.bytes);
        e->has_signature = true;
    }
}

static void chain_clear(struct chain *c)
{
    for (size_t i = 0; i < c->count; i++) {
        buf_clear(&c->headers[i]);
        buf_clear(&c->boxes[i]);
    }
}

static void takes_events_and_makes_the_same(void **state)
{
    (void)state;
    json_t *root = vectors_load("events"), *list = json_object_get(root, "accept");
    struct signer signer = vectors_signer(root, "seed");
    struct chain c;
    chain_load(&c, list);
    assert_true(c.count > 0);
    for (size_t i = 0; i < c.count; i++) {
        const json_t *item = json_array_get(list, i);
        struct event again = c.events[i];
        struct buf header = {0};
        assert_int_equal(event_encode(&again, &header), OK);
        event_sign(&again, &signer);
        vectors_assert_hex(buf_slice(&header), item, "header");
        vectors_assert_value(buf_slice(&header), item, "value");
        vectors_assert_hex(slice_of(again.id.bytes, sizeof again.id.bytes), item, "id");
        vectors_assert_hex(slice_of(again.subject.bytes, sizeof again.subject.bytes), item,
                           "thing");
        vectors_assert_hex(slice_of(again.signature.bytes, sizeof again.signature.bytes), item,
                           "signature");
        buf_clear(&header);
    }
    chain_clear(&c);
    json_decref(root);
}

static void refuses_headers_of_a_wrong_form(void **state)
{
    (void)state;
    json_t *root = vectors_load("events"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf header = vectors_bytes(item, "header");
        struct event e;
        if (event_decode(&e, buf_slice(&header)) == OK)
            fail_msg("took %s", vectors_text(item, "what"));
        buf_clear(&header);
    }
    json_decref(root);
}

/* --- runs --- */

static enum err open_frame(struct run_decoder *d, const struct chain *c, struct slice frame,
                           size_t dictionary, const struct event **events, size_t *count)
{
    struct frame_run f;
    uint64_t type;
    assert_int_equal(frame_type_of(frame, &type), OK);
    assert_int_equal(type, FRAME_RUN);
    assert_int_equal(frame_run_read(&f, frame), OK);
    size_t base = f.run.base_seq;
    struct run_base before = {0};
    if (base) before = (struct run_base){c->events[base - 1].id, c->events[base - 1].time};
    return run_open(d, &f.run, &c->events[0].feed, base ? &before : NULL,
                    &c->events[base - dictionary], dictionary, events, count);
}

static void check_raw(const struct chain *c, const json_t *item, size_t first, size_t dictionary)
{
    struct run_context context = {0};
    struct buf raw = {0}, before = {0};
    run_context_reset(&context, first ? c->events[first - 1].time : 0);
    assert_int_equal(
        run_dictionary_write(&context, &before, &c->events[first - dictionary], dictionary), OK);
    size_t count = (size_t)json_integer_value(json_object_get(item, "count"));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(run_record_write(&context, &raw, &c->events[first + i]), OK);
    vectors_assert_hex(buf_slice(&before), item, "dictionary");
    vectors_assert_hex(buf_slice(&raw), item, "raw");
    run_context_clear(&context);
    buf_clear(&raw);
    buf_clear(&before);
}

struct run_vectors {
    json_t *root, *events;
    struct chain chain;
    struct run_decoder *decoder;
};

static void run_vectors_load(struct run_vectors *v)
{
    v->root = vectors_load("runs");
    v->events = vectors_load("events");
    chain_load(&v->chain, json_object_get(v->events, "accept"));
    assert_int_equal(run_decoder_open(&v->decoder), OK);
}

static void run_vectors_clear(struct run_vectors *v)
{
    run_decoder_close(v->decoder);
    chain_clear(&v->chain);
    json_decref(v->root);
    json_decref(v->events);
}

static void opens_runs_with_and_without_dictionary(void **state)
{
    (void)state;
    struct run_vectors v;
    json_t *item;
    size_t i;
    run_vectors_load(&v);
    json_array_foreach(json_object_get(v.root, "accept"), i, item)
    {
        struct buf frame = vectors_bytes(item, "frame");
        size_t first = (size_t)json_integer_value(json_object_get(item, "first")) - 1;
        size_t dictionary = (size_t)json_integer_value(json_object_get(item, "dictionary_events"));
        const struct event *events;
        size_t count;
        assert_int_equal(
            open_frame(v.decoder, &v.chain, buf_slice(&frame), dictionary, &events, &count), OK);
        assert_int_equal(count, json_integer_value(json_object_get(item, "count")));
        for (size_t n = 0; n < count; n++)
            assert_true(event_id_equal(&events[n].id, &v.chain.events[first + n].id));
        check_raw(&v.chain, item, first, dictionary);
        buf_clear(&frame);
    }
    run_vectors_clear(&v);
}

static void refuses_runs_for_the_reason_written(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum err err;
    } errors[] = {{"dictionary", ERR_DICTIONARY},
                  {"malformed", ERR_MALFORMED},
                  {"check", ERR_CHAIN},
                  {"signature", ERR_SIGNATURE}};
    struct run_vectors v;
    json_t *item;
    size_t i;
    run_vectors_load(&v);
    json_array_foreach(json_object_get(v.root, "refuse"), i, item)
    {
        struct buf frame = vectors_bytes(item, "frame");
        const struct event *events;
        size_t count, at = 0;
        while (strcmp(errors[at].name, vectors_text(item, "error")) != 0) at++;
        assert_int_equal(open_frame(v.decoder, &v.chain, buf_slice(&frame), 3, &events, &count),
                         errors[at].err);
        buf_clear(&frame);
    }
    run_vectors_clear(&v);
}

/* --- digests --- */

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

static void digests_as_written(void **state)
{
    (void)state;
    json_t *root = vectors_load("digests"), *item;
    struct hash ids[EVENTS_MAX], hash;
    uint8_t sum[32] = {0};
    size_t i, count = 0;
    json_array_foreach(json_object_get(root, "ids"), i, item)
    {
        const char *text = json_string_value(item);
        assert_int_equal(hex_decode(ids[count++].bytes, 32, text, strlen(text)), OK);
    }
    qsort(ids, count, sizeof ids[0], compare_hashes);
    crypto_hash_one(&hash, CONTEXT_EVENTS_DIGEST, slice_of(ids, count * sizeof ids[0]));
    vectors_assert_hex(slice_of(hash.bytes, sizeof hash.bytes), root, "events_digest");
    json_array_foreach(json_object_get(root, "rows"), i, item)
    {
        struct buf key = vectors_bytes(item, "key"), value = vectors_bytes(item, "value");
        row_sum_add(sum, ROW_THING, buf_slice(&key), buf_slice(&value));
        buf_clear(&key);
        buf_clear(&value);
    }
    vectors_assert_hex(slice_of(sum, sizeof sum), root, "row_sum");
    json_decref(root);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_canonical_bytes_and_refuses_all_others),
        cmocka_unit_test(hashes_and_signs_as_written),
        cmocka_unit_test(names_feeds_as_written),
        cmocka_unit_test(takes_events_and_makes_the_same),
        cmocka_unit_test(refuses_headers_of_a_wrong_form),
        cmocka_unit_test(opens_runs_with_and_without_dictionary),
        cmocka_unit_test(refuses_runs_for_the_reason_written),
        cmocka_unit_test(digests_as_written),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
