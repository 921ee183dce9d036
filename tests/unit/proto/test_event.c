#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "tests/support/events.h"

static int prepare(void **state)
{
    (void)state;
    return crypto_init() != OK;
}

/* A header as an array of encoded fields, so that a test can replace one of them. */
#define FIELDS 16
enum field_at {
    AT_SUITE,
    AT_AUTHOR,
    AT_SCOPE,
    AT_LANE,
    AT_EPOCH,
    AT_SEQ,
    AT_PREV,
    AT_TIME,
    AT_KIND,
    AT_SUBJECT,
    AT_DEPTH,
    AT_SEEN,
    AT_BY,
    AT_BODY,
    AT_BOX_DIGEST,
    AT_EXT,
};
struct header {
    const char *fields[FIELDS]; /* in hex */
    size_t count;
};

#define HEX16 "000102030405060708090a0b0c0d0e0f"
#define BIN8 "c4080102030405060708"
#define BIN16 "c410" HEX16
#define BIN32 "c420" HEX16 HEX16

static const struct header simple = {
    {"01", BIN32, "a4746f776e", "01", "c0", "02", BIN32, "cf01a1eb0000000000", "a161", BIN16, "01",
     "02", BIN16, "80", BIN32, "c0"},
    FIELDS,
};

static enum err decode(const struct header *h, struct event *out, struct buf *bytes)
{
    struct mp_writer w = {bytes};
    mp_write_array(&w, h->count);
    for (size_t i = 0; i < h->count && i < FIELDS; i++) {
        size_t size = strlen(h->fields[i]) / 2;
        uint8_t *to = buf_reserve(bytes, size);
        assert_non_null(to);
        assert_int_equal(hex_decode(to, size, h->fields[i], 2 * size), OK);
        buf_advance(bytes, size);
    }
    return event_decode(out, buf_slice(bytes));
}

static enum err decode_with(enum field_at at, const char *hex)
{
    struct header h = simple;
    struct buf bytes = {0};
    struct event e;
    h.fields[at] = hex;
    enum err err = decode(&h, &e, &bytes);
    buf_clear(&bytes);
    return err;
}

static void decodes_each_field(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct event e;
    assert_int_equal(decode(&simple, &e, &bytes), OK);
    assert_int_equal(e.suite, SUITE_1);
    assert_string_equal(e.feed.scope.text, "town");
    assert_int_equal(e.feed.lane, LANE_NORMAL);
    assert_false(e.feed.has_epoch);
    assert_int_equal(e.seq, 2);
    assert_int_equal(e.prev.bytes[31], 15);
    assert_int_equal(HLC_MS(e.time), 0x01a1eb000000);
    assert_true(slice_is_text(e.kind, "a"));
    assert_false(e.founding);
    assert_int_equal(e.subject.bytes[15], 15);
    assert_int_equal(e.depth, 1);
    assert_int_equal(e.seen, 2);
    assert_true(e.has_by);
    assert_int_equal(e.body.size, 1);
    assert_int_equal(e.box_state, BOX_GONE);
    assert_int_equal(e.ext.size, 0);
    assert_false(e.has_signature);

    struct event trusted;
    assert_int_equal(event_decode_trusted(&trusted, buf_slice(&bytes), &e.id), OK);
    assert_memory_equal(&trusted, &e, sizeof e);
    buf_clear(&bytes);
}

static void takes_every_value_in_range(void **state)
{
    (void)state;
    static const struct {
        enum field_at at;
        const char *hex;
    } good[] = {
        {AT_SCOPE, "a66f6666696365"},
        {AT_SCOPE, "b476696c6c6167653a343330353232313136323031"},
        {AT_LANE, "00"},
        {AT_LANE, "02"},
        {AT_EPOCH, BIN8},
        {AT_SEQ, "cf0000ffffffffffff"},
        {AT_TIME, "00"},
        {AT_TIME, "cfffffffffffffffff"},
        {AT_KIND, "a5612d5f2e39"},
        {AT_DEPTH, "00"},
        {AT_DEPTH, "02"},
        {AT_SEEN, "ceffffffff"},
        {AT_BY, "c0"},
        {AT_BODY, "81a16193c001a0"},
        {AT_BODY, "81a16191919191919100"},
        {AT_BOX_DIGEST, "c0"},
        {AT_EXT, "8101c400"},
        {AT_EXT, "8201c401ffcc80c400"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (decode_with(good[i].at, good[i].hex) != OK) fail_msg("refused %s", good[i].hex);
}

static void refuses_every_value_out_of_range_or_type(void **state)
{
    (void)state;
    static const struct {
        enum field_at at;
        const char *hex;
        enum err err;
    } bad[] = {
        {AT_SUITE, "00", ERR_VERSION},
        {AT_SUITE, "02", ERR_VERSION},
        {AT_SUITE, "c0", ERR_MALFORMED},
        {AT_SUITE, "ff", ERR_MALFORMED},
        {AT_AUTHOR, "c0", ERR_MALFORMED},
        {AT_AUTHOR, BIN16, ERR_MALFORMED},
        {AT_SCOPE, "a3746f77", ERR_MALFORMED},
        {AT_SCOPE, "a0", ERR_MALFORMED},
        {AT_SCOPE, "a5746f776e73", ERR_MALFORMED},
        {AT_SCOPE, "a4546f776e", ERR_MALFORMED},
        {AT_SCOPE, "b476696c6c6167653a34333035323231313632306f", ERR_MALFORMED},
        {AT_SCOPE, "b376696c6c6167653a3433303532323131363230", ERR_MALFORMED},
        {AT_LANE, "03", ERR_MALFORMED},
        {AT_LANE, "c0", ERR_MALFORMED},
        {AT_EPOCH, "c400", ERR_MALFORMED},
        {AT_EPOCH, BIN16, ERR_MALFORMED},
        {AT_SEQ, "00", ERR_MALFORMED},
        {AT_SEQ, "01", ERR_MALFORMED}, /* 1 has no prev */
        {AT_SEQ, "cf0001000000000000", ERR_MALFORMED},
        {AT_SEQ, "ff", ERR_MALFORMED},
        {AT_PREV, "c0", ERR_MALFORMED},
        {AT_PREV, BIN16, ERR_MALFORMED},
        {AT_TIME, "ff", ERR_MALFORMED},
        {AT_TIME, "c0", ERR_MALFORMED},
        {AT_KIND, "a0", ERR_MALFORMED},
        {AT_KIND, "a141", ERR_MALFORMED},
        {AT_KIND, "a139", ERR_MALFORMED},
        {AT_KIND, "a12e", ERR_MALFORMED},
        {AT_KIND, "a26120", ERR_MALFORMED},
        {AT_KIND, "a3e4b8ad", ERR_MALFORMED},
        {AT_KIND, "c40161", ERR_MALFORMED},
        {AT_KIND,
         "d93161616161616161616161616161616161616161616161616161616161616161616161616161"
         "6161616161616161616161616161",
         ERR_MALFORMED},
        {AT_SUBJECT, "c0", ERR_MALFORMED}, /* founding, but seen is 2 */
        {AT_SUBJECT, BIN32, ERR_MALFORMED},
        {AT_SUBJECT, "00", ERR_MALFORMED},
        {AT_DEPTH, "03", ERR_MALFORMED},
        {AT_DEPTH, "ff", ERR_MALFORMED},
        {AT_SEEN, "00", ERR_MALFORMED},
        {AT_SEEN, "cf0000000100000000", ERR_MALFORMED},
        {AT_BY, "c400", ERR_MALFORMED},
        {AT_BY, BIN8, ERR_MALFORMED},
        {AT_BODY, "c0", ERR_MALFORMED},
        {AT_BODY, "90", ERR_MALFORMED},
        {AT_BODY, "810000", ERR_MALFORMED},
        {AT_BODY, "820000a16100", ERR_MALFORMED},
        {AT_BODY, "81a161ca00000000", ERR_MALFORMED},
        {AT_BODY, "82a161c0a161c0", ERR_MALFORMED},
        {AT_BODY, "81a161919191919191919100", ERR_LIMIT},
        {AT_BOX_DIGEST, BIN16, ERR_MALFORMED},
        {AT_BOX_DIGEST, "80", ERR_MALFORMED},
        {AT_EXT, "80", ERR_MALFORMED},
        {AT_EXT, "8101c0", ERR_MALFORMED},
        {AT_EXT, "81a161c400", ERR_MALFORMED},
        {AT_EXT, "8101a0", ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum err err = decode_with(bad[i].at, bad[i].hex);
        if (err != bad[i].err) fail_msg("%s for %s", err_name(err), bad[i].hex);
    }
}

static void refuses_another_number_of_fields(void **state)
{
    (void)state;
    struct event e;
    struct buf bytes = {0};
    struct header h = simple;
    h.count = FIELDS - 1;
    assert_int_equal(decode(&h, &e, &bytes), ERR_MALFORMED);
    buf_reset(&bytes);
    h.count = FIELDS + 1;
    assert_int_equal(decode(&h, &e, &bytes), ERR_MALFORMED);
    buf_append_byte(&bytes, 0);
    assert_int_equal(event_decode(&e, buf_slice(&bytes)), ERR_MALFORMED);
    h.fields[AT_SUITE] = "02"; /* a later suite may have more of them */
    buf_reset(&bytes);
    h.count = FIELDS;
    assert_int_equal(decode(&h, &e, &bytes), ERR_VERSION);
    assert_int_equal(event_decode(&e, SLICE_EMPTY), ERR_MALFORMED);
    buf_clear(&bytes);
}

static void refuses_what_is_over_the_limits(void **state)
{
    (void)state;
    struct buf body = {0}, header = {0};
    static const uint8_t zeros[EVENT_BOX_SIZE_MAX + 1];
    struct test_chain chain;
    test_chain_begin(&chain, 1, "town");
    struct event e = *test_chain_add(&chain, &(struct test_event){0});
    struct mp_writer w = {&body};
    mp_write_map(&w, 1);
    mp_write_text(&w, "a");
    mp_write_bin(&w, zeros, EVENT_HEADER_SIZE_MAX);
    e.body = buf_slice(&body);
    assert_int_equal(event_encode(&e, &header), ERR_LIMIT);
    assert_int_equal(header.size, 0);
    assert_int_equal(event_decode(&e, slice_of(zeros, EVENT_HEADER_SIZE_MAX + 1)), ERR_LIMIT);

    buf_reset(&body); /* ext: 3 bytes for the map, its key and c5, and more than 256 in all */
    mp_write_map(&w, 1);
    mp_write_uint(&w, 1);
    mp_write_bin(&w, zeros, EVENT_EXT_SIZE_MAX);
    e = chain.events[0];
    e.ext = buf_slice(&body);
    assert_int_equal(event_encode(&e, &header), ERR_LIMIT);

    buf_reset(&body);
    mp_write_map(&w, 1);
    mp_write_text(&w, "a");
    mp_write_bin(&w, zeros, EVENT_BOX_SIZE_MAX);
    e = chain.events[0];
    e.box_state = BOX_HERE;
    e.box = buf_slice(&body);
    assert_int_equal(event_encode(&e, &header), ERR_LIMIT);
    buf_clear(&body);
    buf_clear(&header);
    test_chain_end(&chain);
}

static void encodes_what_it_decodes(void **state)
{
    (void)state;
    struct test_chain chain;
    test_chain_begin(&chain, 7, "village:430522116201");
    test_chain_fill(&chain, 20);
    for (size_t i = 0; i < chain.count; i++) {
        const struct event *e = &chain.events[i];
        struct event decoded;
        struct buf again = {0};
        assert_int_equal(event_decode(&decoded, e->header), OK);
        assert_true(event_id_equal(&decoded.id, &e->id));
        assert_true(thing_id_equal(&decoded.subject, &e->subject));
        assert_true(feed_equal(&decoded.feed, &chain.feed));
        assert_int_equal(decoded.seq, i + 1);
        if (i > 0) assert_true(event_id_equal(&decoded.prev, &chain.events[i - 1].id));
        assert_int_equal(event_attach_box(&decoded, e->salt, e->box), OK);
        assert_int_equal(event_encode(&decoded, &again), OK);
        assert_true(slice_equal(buf_slice(&again), e->header));
        buf_clear(&again);
    }
    test_chain_end(&chain);
}

static void refuses_to_encode_parts_that_are_no_values(void **state)
{
    (void)state;
    struct buf header = {0};
    struct test_chain chain;
    test_chain_begin(&chain, 1, "town");
    test_chain_add(&chain, &(struct test_event){0});
    static const struct {
        const char *body, *ext;
    } bad[] = {
        {"", ""},
        {"c0", ""},
        {"8000", ""},
        {"81a161", ""},
        {"80c0", ""},
        {"81a161", "c08101c400"}, /* adds up to a header, but to another one */
        {"80", "c0"},
        {"80", "80"},
        {"82a162c0a161c0", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t body[16], ext[16];
        size_t body_size = strlen(bad[i].body) / 2, ext_size = strlen(bad[i].ext) / 2;
        assert_int_equal(hex_decode(body, body_size, bad[i].body, 2 * body_size), OK);
        assert_int_equal(hex_decode(ext, ext_size, bad[i].ext, 2 * ext_size), OK);
        struct event e = chain.events[0];
        e.body = slice_of(body, body_size);
        e.ext = slice_of(ext, ext_size);
        if (event_encode(&e, &header) != ERR_MALFORMED) fail_msg("took %s", bad[i].body);
        assert_int_equal(header.size, 0);
    }
    header.size_max = 10;
    struct event e = chain.events[0];
    assert_int_equal(event_encode(&e, &header), ERR_LIMIT);
    buf_clear(&header);
    test_chain_end(&chain);
}

static void refuses_to_encode_fields_that_it_would_not_decode(void **state)
{
    (void)state;
    struct buf header = {0};
    struct test_chain chain;
    test_chain_begin(&chain, 1, "town");
    test_chain_add(&chain, &(struct test_event){0});
    struct event bad[9];
    for (size_t i = 0; i < 9; i++) bad[i] = chain.events[0];
    bad[0].kind = slice_of_text("No.Kind");
    bad[1].kind = SLICE_EMPTY;
    bad[2].seen = 1; /* it founds a thing */
    bad[3].depth = bad[3].seen + 1;
    bad[4].seq = 0;
    bad[5].seq = EVENT_SEQ_MAX + 1;
    bad[6].feed.lane = LANE_COUNT;
    memcpy(bad[7].feed.scope.text, "city", sizeof "city");
    bad[8].feed.scope.text[0] = 0;
    for (size_t i = 0; i < 9; i++) {
        if (event_encode(&bad[i], &header) != ERR_MALFORMED) fail_msg("took %zu", i);
        assert_int_equal(header.size, 0);
    }
    buf_clear(&header);
    test_chain_end(&chain);
}

static void attaches_the_right_box_only(void **state)
{
    (void)state;
    struct test_chain chain;
    test_chain_begin(&chain, 1, "town");
    test_chain_add(&chain, &(struct test_event){.box = {"name", "某某"}});
    test_chain_add(&chain, &(struct test_event){.body = {"a", "b"}});
    const struct event *e = &chain.events[0];
    struct event decoded;
    assert_int_equal(event_decode(&decoded, e->header), OK);
    assert_int_equal(decoded.box_state, BOX_GONE);
    uint8_t salt[EVENT_SALT_SIZE] = {0};
    assert_int_equal(event_attach_box(&decoded, salt, e->box), ERR_CHAIN);
    assert_int_equal(event_attach_box(&decoded, e->salt, slice_of("\x80", 1)), ERR_CHAIN);
    assert_int_equal(event_attach_box(&decoded, e->salt, slice_of("\xc0", 1)), ERR_MALFORMED);
    assert_int_equal(event_attach_box(&decoded, e->salt, slice_of("\x81\0\0", 3)), ERR_MALFORMED);
    assert_int_equal(event_attach_box(&decoded, e->salt, SLICE_EMPTY), ERR_MALFORMED);
    assert_int_equal(
        event_attach_box(&decoded, e->salt, slice_of("\x81\xa1\x61\x91\x91\x91\x91\x91\x91\0", 10)),
        ERR_LIMIT);
    assert_int_equal(decoded.box_state, BOX_GONE);
    assert_int_equal(event_attach_box(&decoded, e->salt, e->box), OK);
    assert_int_equal(decoded.box_state, BOX_HERE);
    assert_int_equal(event_decode(&decoded, chain.events[1].header), OK);
    assert_int_equal(event_attach_box(&decoded, salt, slice_of("\x80", 1)), ERR_CHAIN);
    test_chain_end(&chain);
}

static void names_a_thing_by_its_founders_time_and_id(void **state)
{
    (void)state;
    struct test_chain chain;
    test_chain_begin(&chain, 1, "town");
    const struct event *e = test_chain_add(
        &chain, &(struct test_event){.time = HLC_MAKE(UINT64_C(0x010203040506), 9, true)});
    assert_memory_equal(e->subject.bytes, "\1\2\3\4\5\6", 6);
    assert_memory_equal(e->subject.bytes + 6, e->id.bytes, 10);
    assert_int_equal(HLC_COUNTER(e->time), 9);
    assert_int_equal(HLC_UNTRUSTED(e->time), 1);
    test_chain_end(&chain);
}

static void signs_ids_for_the_author_alone(void **state)
{
    (void)state;
    struct test_chain chain;
    struct signer other;
    test_chain_begin(&chain, 1, "office");
    test_signer(&other, 2);
    const struct event *e = test_chain_add(&chain, &(struct test_event){0});
    assert_true(e->has_signature);
    assert_int_equal(event_verify_signature(&e->id, &chain.signer.key, &e->signature), OK);
    assert_int_equal(event_verify_signature(&e->id, &other.key, &e->signature), ERR_SIGNATURE);
    struct event_id bent = e->id;
    bent.bytes[0] ^= 1;
    assert_int_equal(event_verify_signature(&bent, &chain.signer.key, &e->signature),
                     ERR_SIGNATURE);
    test_chain_end(&chain);
}

static void tells_feeds_apart_by_each_part(void **state)
{
    (void)state;
    struct feed feeds[5] = {{.scope = scope_town(), .lane = LANE_NORMAL}};
    for (size_t i = 1; i < 5; i++) feeds[i] = feeds[0];
    feeds[1].author.bytes[31] = 1;
    feeds[2].scope = scope_of_village("430522116201");
    feeds[3].lane = LANE_URGENT;
    feeds[4].has_epoch = true;
    struct feed_id ids[5];
    for (size_t i = 0; i < 5; i++) feed_id_of(&ids[i], &feeds[i]);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            assert_int_equal(feed_equal(&feeds[i], &feeds[j]), i == j);
            assert_int_equal(memcmp(&ids[i], &ids[j], sizeof *ids) == 0, i == j);
        }
    struct buf bytes = {0};
    struct mp_writer w = {&bytes};
    feed_write(&w, &feeds[4]);
    struct mp_reader r = mp_reader_of(buf_slice(&bytes));
    struct feed read;
    feed_read(&r, &read);
    assert_int_equal(mp_read_end(&r), OK);
    assert_true(feed_equal(&read, &feeds[4]));
    buf_clear(&bytes);
}

static void classes_scopes(void **state)
{
    (void)state;
    struct scope village = scope_of_village("430522116201"), town = scope_town();
    struct scope office = scope_office();
    assert_int_equal(scope_class(&village), SCOPE_VILLAGE);
    assert_int_equal(scope_class(&town), SCOPE_TOWN);
    assert_int_equal(scope_class(&office), SCOPE_OFFICE);
    assert_string_equal(scope_village(&village), "430522116201");
    assert_string_equal(scope_village(&town), "");
    assert_false(village_code_valid("43052211620", 11));
    assert_false(village_code_valid("43052211620x", 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_each_field),
        cmocka_unit_test(takes_every_value_in_range),
        cmocka_unit_test(refuses_every_value_out_of_range_or_type),
        cmocka_unit_test(refuses_another_number_of_fields),
        cmocka_unit_test(refuses_what_is_over_the_limits),
        cmocka_unit_test(encodes_what_it_decodes),
        cmocka_unit_test(refuses_to_encode_parts_that_are_no_values),
        cmocka_unit_test(refuses_to_encode_fields_that_it_would_not_decode),
        cmocka_unit_test(attaches_the_right_box_only),
        cmocka_unit_test(names_a_thing_by_its_founders_time_and_id),
        cmocka_unit_test(signs_ids_for_the_author_alone),
        cmocka_unit_test(tells_feeds_apart_by_each_part),
        cmocka_unit_test(classes_scopes),
    };
    return cmocka_run_group_tests(tests, prepare, NULL) != 0;
}
