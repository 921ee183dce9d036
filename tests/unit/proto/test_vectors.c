/* The golden vectors of tests/vectors, which proto/SPEC.md stands by. tests/vectors/check.py reads
 * the same files without any of this code. Run from the root of the tree. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/rows.h"
#include "node/store/txn.h"
#include "proto/join.h"
#include "proto/json.h"

#include <stdlib.h>
#include <string.h>

static json_t *load(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/vectors/%s.json", name);
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root) fail_msg("%s:%d: %s", path, error.line, error.text);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

/* Bytes of a hex member, owned by the caller. */
static struct buf bytes_of(const json_t *object, const char *key)
{
    const char *text = text_of(object, key);
    struct buf out = {0};
    size_t size = strlen(text) / 2;
    uint8_t *to = buf_reserve(&out, size + 1);
    assert_int_equal(hex_decode(to, size, text, strlen(text)), OK);
    buf_advance(&out, size);
    return out;
}

static void fixed_of(const json_t *object, const char *key, void *out, size_t size)
{
    const char *text = text_of(object, key);
    assert_int_equal(hex_decode(out, size, text, strlen(text)), OK);
}

static void assert_hex(struct slice bytes, const json_t *object, const char *key)
{
    struct buf expected = bytes_of(object, key);
    if (!slice_equal(bytes, buf_slice(&expected)))
        fail_msg("%s differs in \"%s\"", key, json_string_value(json_object_get(object, "what")));
    buf_clear(&expected);
}

static void assert_value(struct slice encoded, const json_t *object, const char *key)
{
    json_t *value = json_of_value(encoded);
    if (!json_equal(value, json_object_get(object, key)))
        fail_msg("%s differs in \"%s\"", key, json_string_value(json_object_get(object, "what")));
    json_decref(value);
}

static struct signer signer_from(const json_t *object, const char *key)
{
    struct sign_seed seed;
    struct signer signer;
    fixed_of(object, key, seed.bytes, sizeof seed.bytes);
    signer_from_seed(&signer, &seed);
    return signer;
}

/* --- encoding, crypto, feeds --- */

static void takes_canonical_bytes_and_refuses_all_others(void **state)
{
    (void)state;
    json_t *root = load("encoding"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct buf bytes = bytes_of(item, "encoded");
        assert_int_equal(mp_scan_whole(buf_slice(&bytes)), OK);
        buf_clear(&bytes);
    }
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf bytes = bytes_of(item, "encoded");
        if (mp_scan_whole(buf_slice(&bytes)) == OK) fail_msg("took %s", text_of(item, "what"));
        buf_clear(&bytes);
    }
    json_decref(root);
}

static void hashes_and_signs_as_written(void **state)
{
    (void)state;
    json_t *root = load("crypto"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "hashes"), i, item)
    {
        struct buf message = bytes_of(item, "message");
        struct hash hash;
        crypto_hash_one(&hash, text_of(item, "context"), buf_slice(&message));
        assert_hex(slice_of(hash.bytes, sizeof hash.bytes), item, "hash");
        buf_clear(&message);
    }
    json_array_foreach(json_object_get(root, "signatures"), i, item)
    {
        struct buf message = bytes_of(item, "message");
        struct signer signer = signer_from(item, "seed");
        struct signature signature;
        signer_sign(&signature, &signer, text_of(item, "context"), buf_slice(&message));
        assert_hex(slice_of(signer.key.bytes, sizeof signer.key.bytes), item, "key");
        assert_hex(slice_of(signature.bytes, sizeof signature.bytes), item, "signature");
        buf_clear(&message);
    }
    json_decref(root);
}

static void names_feeds_as_written(void **state)
{
    (void)state;
    json_t *root = load("feeds"), *item;
    size_t i;
    json_array_foreach(root, i, item)
    {
        struct buf bytes = bytes_of(item, "encoded");
        struct mp_reader r = mp_reader_of(buf_slice(&bytes));
        struct feed feed;
        struct feed_id id;
        feed_read(&r, &feed);
        assert_int_equal(mp_read_end(&r), OK);
        feed_id_of(&id, &feed);
        assert_hex(slice_of(id.bytes, sizeof id.bytes), item, "id");
        assert_value(buf_slice(&bytes), item, "value");
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
        *header = bytes_of(item, "header");
        assert_int_equal(event_decode(e, buf_slice(header)), OK);
        if (!json_is_null(json_object_get(item, "box"))) {
            uint8_t salt[EVENT_SALT_SIZE];
            *box = bytes_of(item, "box");
            fixed_of(item, "salt", salt, sizeof salt);
            assert_int_equal(event_attach_box(e, salt, buf_slice(box)), OK);
        }
        fixed_of(item, "signature", e->signature.bytes, sizeof e->signature.bytes);
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
    json_t *root = load("events"), *list = json_object_get(root, "accept");
    struct signer signer = signer_from(root, "seed");
    struct chain c;
    chain_load(&c, list);
    assert_true(c.count > 0);
    for (size_t i = 0; i < c.count; i++) {
        const json_t *item = json_array_get(list, i);
        struct event again = c.events[i];
        struct buf header = {0};
        assert_int_equal(event_encode(&again, &header), OK);
        event_sign(&again, &signer);
        assert_hex(buf_slice(&header), item, "header");
        assert_value(buf_slice(&header), item, "value");
        assert_hex(slice_of(again.id.bytes, sizeof again.id.bytes), item, "id");
        assert_hex(slice_of(again.subject.bytes, sizeof again.subject.bytes), item, "thing");
        assert_hex(slice_of(again.signature.bytes, sizeof again.signature.bytes), item,
                   "signature");
        buf_clear(&header);
    }
    chain_clear(&c);
    json_decref(root);
}

static void refuses_headers_of_a_wrong_form(void **state)
{
    (void)state;
    json_t *root = load("events"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf header = bytes_of(item, "header");
        struct event e;
        if (event_decode(&e, buf_slice(&header)) == OK) fail_msg("took %s", text_of(item, "what"));
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
    assert_hex(buf_slice(&before), item, "dictionary");
    assert_hex(buf_slice(&raw), item, "raw");
    run_context_clear(&context);
    buf_clear(&raw);
    buf_clear(&before);
}

static void opens_runs_with_and_without_dictionary(void **state)
{
    (void)state;
    json_t *root = load("runs"), *events_root = load("events"), *item;
    struct chain c;
    struct run_decoder *d;
    size_t i;
    chain_load(&c, json_object_get(events_root, "accept"));
    assert_int_equal(run_decoder_open(&d), OK);
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct buf frame = bytes_of(item, "frame");
        size_t first = (size_t)json_integer_value(json_object_get(item, "first")) - 1;
        size_t dictionary = (size_t)json_integer_value(json_object_get(item, "dictionary_events"));
        const struct event *events;
        size_t count;
        assert_int_equal(open_frame(d, &c, buf_slice(&frame), dictionary, &events, &count), OK);
        assert_int_equal(count, json_integer_value(json_object_get(item, "count")));
        for (size_t n = 0; n < count; n++)
            assert_true(event_id_equal(&events[n].id, &c.events[first + n].id));
        check_raw(&c, item, first, dictionary);
        buf_clear(&frame);
    }
    run_decoder_close(d);
    chain_clear(&c);
    json_decref(root);
    json_decref(events_root);
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
    json_t *root = load("runs"), *events_root = load("events"), *item;
    struct chain c;
    struct run_decoder *d;
    size_t i;
    chain_load(&c, json_object_get(events_root, "accept"));
    assert_int_equal(run_decoder_open(&d), OK);
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf frame = bytes_of(item, "frame");
        const struct event *events;
        size_t count, at = 0;
        while (strcmp(errors[at].name, text_of(item, "error")) != 0) at++;
        assert_int_equal(open_frame(d, &c, buf_slice(&frame), 3, &events, &count), errors[at].err);
        buf_clear(&frame);
    }
    run_decoder_close(d);
    chain_clear(&c);
    json_decref(root);
    json_decref(events_root);
}

/* --- frames --- */

/* Reads a frame by its type. For all but receipts `again` is the frame written anew. */
static enum err read_frame(struct slice frame, struct buf *again)
{
    union {
        struct frame_hello hello;
        struct frame_run run;
        struct frame_want want;
        struct frame_receipt receipt;
        struct frame_refuse refuse;
        struct frame_join join;
        struct hash hash;
    } f;
    struct have_entry have[16];
    uint64_t type;
    enum err err = frame_type_of(frame, &type);
    if (err) return err;
    switch (type) {
    case FRAME_HELLO:
        err = frame_hello_read(&f.hello, frame);
        if (err || !frame_hello_version_meets(&f.hello)) return err;
        struct mp_reader r = frame_have_begin(&f.hello);
        for (size_t i = 0; i < f.hello.have_count; i++) assert_true(frame_have_next(&r, &have[i]));
        frame_hello_write(again, &f.hello, have);
        uint8_t digest[8];
        have_digest(digest, have, f.hello.have_count);
        assert_memory_equal(digest, f.hello.have8, sizeof digest);
        return OK;
    case FRAME_WANT:
        err = frame_want_read(&f.want, frame);
        if (!err) frame_want_write(again, &f.want);
        return err;
    case FRAME_RUN:
        return frame_run_read(&f.run, frame);
    case FRAME_RECEIPT:
        return frame_receipt_read(&f.receipt, frame);
    case FRAME_REFUSE:
        err = frame_refuse_read(&f.refuse, frame);
        if (!err) frame_refuse_write(again, f.refuse.code, refuse_text(f.refuse.code));
        return err;
    case FRAME_JOIN:
        return frame_join_read(&f.join, frame);
    case FRAME_ADMIT:
        return frame_admit_read(&f.hash, frame);
    default:
        return OK;
    }
}

static void check_receipt(const json_t *item, struct slice frame)
{
    struct frame_receipt f;
    struct buf body = bytes_of(item, "body"), again = {0};
    struct signer signer = signer_from(item, "seed");
    struct receipt_parties parties;
    struct mp_reader r = mp_reader_of(buf_slice(&body));
    (void)mp_read_array(&r, 7);
    mp_read_bin_exact(&r, parties.township.bytes, 32);
    mp_read_bin_exact(&r, parties.receiver.bytes, 32);
    mp_read_bin_exact(&r, parties.addressee.bytes, 32);
    mp_read_bin_exact(&r, parties.generation, 8);
    assert_true(sign_key_equal(&parties.receiver, &signer.key));
    assert_int_equal(frame_receipt_read(&f, frame), OK);
    assert_int_equal(frame_receipt_verify(&f, &parties), OK);
    receipt_body_write(&again, &parties, &f);
    assert_hex(buf_slice(&again), item, "body");
    buf_clear(&body);
    buf_clear(&again);
}

static void reads_frames_and_writes_the_same(void **state)
{
    (void)state;
    json_t *root = load("frames"), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "accept"), i, item)
    {
        struct buf frame = bytes_of(item, "frame"), again = {0};
        assert_int_equal(read_frame(buf_slice(&frame), &again), OK);
        assert_value(buf_slice(&frame), item, "value");
        bool later = strstr(text_of(item, "what"), "later version") != NULL;
        if (again.size && !later) assert_hex(buf_slice(&again), item, "frame");
        if (json_object_get(item, "body")) check_receipt(item, buf_slice(&frame));
        buf_clear(&frame);
        buf_clear(&again);
    }
    json_array_foreach(json_object_get(root, "refuse"), i, item)
    {
        struct buf frame = bytes_of(item, "encoded"), again = {0};
        if (read_frame(buf_slice(&frame), &again) == OK) fail_msg("took %s", text_of(item, "what"));
        buf_clear(&frame);
        buf_clear(&again);
    }
    json_decref(root);
}

/* --- joining --- */

static void joins_as_written(void **state)
{
    (void)state;
    json_t *root = load("joining");
    const json_t *item = json_object_get(root, "exchange");
    struct buf request = bytes_of(item, "request"), join = {0}, admit = {0};
    struct signer invite = signer_from(item, "invite_seed");
    struct signer device = signer_from(item, "device_seed");
    struct frame_join f;
    struct join_request q;
    struct hash hash;
    join_sign(&f, buf_slice(&request), &invite, &device);
    frame_join_write(&join, &f);
    assert_hex(buf_slice(&join), item, "join");
    assert_int_equal(join_verify(&q, &f), OK);
    assert_value(buf_slice(&request), item, "value");
    join_request_hash(&hash, buf_slice(&request));
    frame_admit_write(&admit, &hash);
    assert_hex(buf_slice(&admit), item, "admit");
    buf_clear(&request);
    buf_clear(&join);
    buf_clear(&admit);
    json_decref(root);
}

static void reads_the_invite_and_writes_the_same(void **state)
{
    (void)state;
    json_t *root = load("joining");
    const char *text = text_of(json_object_get(root, "invite"), "text");
    struct invite invite;
    struct buf again = {0};
    assert_int_equal(invite_read(&invite, slice_of_text(text)), OK);
    invite_write(&again, &invite, "琅塘镇 龙凤村");
    assert_string_equal(buf_text(&again), text);
    buf_clear(&again);
    json_decref(root);
}

/* --- digests --- */

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash));
}

static void digests_as_written(void **state)
{
    (void)state;
    json_t *root = load("digests"), *item;
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
    assert_hex(slice_of(hash.bytes, sizeof hash.bytes), root, "events_digest");
    json_array_foreach(json_object_get(root, "rows"), i, item)
    {
        struct buf key = bytes_of(item, "key"), value = bytes_of(item, "value");
        row_sum_add(sum, ROW_THING, buf_slice(&key), buf_slice(&value));
        buf_clear(&key);
        buf_clear(&value);
    }
    assert_hex(slice_of(sum, sizeof sum), root, "row_sum");
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
        cmocka_unit_test(reads_frames_and_writes_the_same),
        cmocka_unit_test(joins_as_written),
        cmocka_unit_test(reads_the_invite_and_writes_the_same),
        cmocka_unit_test(digests_as_written),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
