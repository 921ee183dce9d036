#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/run.h"
#include "tests/support/events.h"

struct fixture {
    struct test_chain chain;
    struct run_context context;
    struct buf dictionary, raw, payload;
    struct zstd *zstd;
    struct run_decoder *decoder;
    const struct event *events;
    size_t count;
};

static int begin(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    *state = &f;
    if (crypto_init() != OK) return 1;
    test_chain_begin(&f.chain, 3, "village:430522116201");
    return zstd_open(&f.zstd) != OK || run_decoder_open(&f.decoder) != OK;
}

static int end(void **state)
{
    struct fixture *f = *state;
    test_chain_end(&f->chain);
    run_context_clear(&f->context);
    buf_clear(&f->dictionary);
    buf_clear(&f->raw);
    buf_clear(&f->payload);
    zstd_close(f->zstd);
    run_decoder_close(f->decoder);
    return 0;
}

/* The run of the chain's events base_seq + 1 and on, after a dictionary of `dictionary` events. */
static struct run make(struct fixture *f, size_t base_seq, size_t count, size_t dictionary)
{
    struct run run = {.base_seq = base_seq};
    const struct event *events = f->chain.events;
    buf_reset(&f->dictionary);
    buf_reset(&f->raw);
    buf_reset(&f->payload);
    run_context_reset(&f->context, base_seq ? events[base_seq - 1].time : 0);
    if (base_seq) memcpy(run.base_id8, events[base_seq - 1].id.bytes, sizeof run.base_id8);
    assert_int_equal(run_dictionary_write(&f->context, &f->dictionary,
                                          events + base_seq - dictionary, dictionary),
                     OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(run_record_write(&f->context, &f->raw, &events[base_seq + i]), OK);
    assert_int_equal(run_build(&run, f->zstd, buf_slice(&f->raw), (uint32_t)count,
                               buf_slice(&f->dictionary), 3, &f->payload),
                     OK);
    run.signature = events[base_seq + count - 1].signature;
    return run;
}

static enum err open_with(struct fixture *f, const struct run *run, size_t dictionary)
{
    const struct event *events = f->chain.events;
    struct run_base base = {0};
    if (run->base_seq) {
        base.id = events[run->base_seq - 1].id;
        base.time = events[run->base_seq - 1].time;
    }
    return run_open(f->decoder, run, &f->chain.feed, run->base_seq ? &base : NULL,
                    events + run->base_seq - dictionary, dictionary, &f->events, &f->count);
}

static void assert_same_event(const struct event *a, const struct event *b)
{
    assert_true(event_id_equal(&a->id, &b->id));
    assert_true(slice_equal(a->header, b->header));
    assert_true(thing_id_equal(&a->subject, &b->subject));
    assert_int_equal(a->box_state, b->box_state);
    assert_true(slice_equal(a->box, b->box));
    if (a->box_state == BOX_HERE) assert_memory_equal(a->salt, b->salt, sizeof a->salt);
    assert_true(slice_equal(a->kind, b->kind));
    assert_true(slice_equal(a->body, b->body));
    assert_true(a->time == b->time);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->suite, b->suite);
}

static void assert_opens(struct fixture *f, size_t base_seq, size_t count, size_t dictionary)
{
    struct run run = make(f, base_seq, count, dictionary);
    assert_int_equal(run.has_dictionary, dictionary > 0);
    assert_int_equal(open_with(f, &run, dictionary), OK);
    assert_int_equal(f->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_same_event(&f->events[i], &f->chain.events[base_seq + i]);
        assert_int_equal(f->events[i].has_signature, i == count - 1);
    }
}

static void gives_back_the_events_it_took(void **state)
{
    struct fixture *f = *state;
    test_chain_fill(&f->chain, 200);
    assert_opens(f, 0, 1, 0);
    assert_opens(f, 0, 200, 0);
    assert_opens(f, 1, 1, 1);
    assert_opens(f, 100, 64, 0);
    assert_opens(f, 100, 100, 60);
    assert_opens(f, 199, 1, 60);
}

static void keeps_boxes_that_are_gone(void **state)
{
    struct fixture *f = *state;
    test_chain_add(&f->chain, &(struct test_event){.box = {"name", "某某"}, .box_gone = true});
    test_chain_add(&f->chain, &(struct test_event){.box = {"name", "某某"}});
    test_chain_add(&f->chain, &(struct test_event){0});
    assert_opens(f, 0, 3, 0);
    assert_opens(f, 2, 1, 2);
}

static void sends_each_thing_once(void **state)
{
    struct fixture *f = *state;
    struct thing_id here, first = test_thing(1), second = test_thing(2);
    here = test_chain_add(&f->chain, &(struct test_event){0})->subject;
    const struct thing_id *const subjects[] = {&first, &second, &here, &first, &first, &here};
    for (size_t i = 0; i < 6; i++)
        test_chain_add(&f->chain, &(struct test_event){.kind = "a", .subject = subjects[i]});
    assert_opens(f, 0, 7, 0);

    struct mp_reader r = mp_reader_of(buf_slice(&f->raw));
    static const int back[] = {-1, -2, -2, 2, 1, 1, 2}; /* -1: founding, -2: in full */
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(mp_read_array(&r, 9), 9);
        for (size_t skip = 0; skip < 4; skip++) mp_skip(&r);
        enum mp_type expected = back[i] == -1 ? MP_NIL : back[i] == -2 ? MP_BIN : MP_UINT;
        assert_int_equal(mp_peek(&r), expected);
        if (expected == MP_UINT)
            assert_int_equal(mp_read_uint(&r, 9), back[i]);
        else
            mp_skip(&r);
        for (size_t skip = 0; skip < 4; skip++) mp_skip(&r);
    }
    assert_int_equal(mp_read_end(&r), OK);
    assert_opens(f, 3, 4, 3); /* met in the dictionary counts as met */
}

static void says_of_a_time_what_is_not_expected(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t time;
        bool plain;
    } times[] = {
        {HLC_MAKE(1000, 0, false), true}, /* before it 0: trusted, counter 0 */
        {HLC_MAKE(1000, 1, false), true}, /* the same millisecond counts on */
        {HLC_MAKE(1000, 3, false), false},
        {HLC_MAKE(1005, 0, false), true},
        {HLC_MAKE(1005, 0, true), false},
        {HLC_MAKE(1005, 1, true), true},
        {HLC_MAKE(1006, 0, true), true}, /* trust stays as it was */
        {HLC_MAKE(1007, 0, false), false},
        {HLC_MAKE(10, 0, false), true}, /* back in time */
        {HLC_MAKE(HLC_MS_MAX, 0x7fff, true), false},
        {UINT64_C(0xffffffffffff0001), true}, /* the counter comes round */
        {UINT64_C(0xffffffffffff0003), true},
        {0, false}, /* the helper's own: a second later, past the end */
    };
    size_t count = sizeof times / sizeof *times - 1;
    for (size_t i = 0; i < count; i++)
        test_chain_add(&f->chain, &(struct test_event){.time = times[i].time});
    assert_opens(f, 0, count, 0);
    struct mp_reader r = mp_reader_of(buf_slice(&f->raw));
    for (size_t i = 0; i < count; i++) {
        mp_read_array(&r, 9);
        for (size_t skip = 0; skip < 5; skip++) mp_skip(&r);
        if ((mp_peek(&r) != MP_ARRAY) != times[i].plain) fail_msg("time %zu", i);
        for (size_t skip = 0; skip < 4; skip++) mp_skip(&r);
    }
    assert_int_equal(mp_read_end(&r), OK);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refuses_what_was_changed_on_the_way(void **state)
{
    struct fixture *f = *state;
    test_chain_fill(&f->chain, 30);
    const struct run good = make(f, 10, 20, 5);
    struct run run = good;
    run.signature.bytes[0] ^= 1;
    assert_int_equal(open_with(f, &run, 5), ERR_SIGNATURE);
    run = good;
    run.check4[0] ^= 1;
    assert_int_equal(open_with(f, &run, 5), ERR_DICTIONARY);
    run = good;
    run.base_id8[0] ^= 1;
    assert_int_equal(open_with(f, &run, 5), ERR_BASE);
    run = good;
    run.raw_size++;
    assert_int_equal(open_with(f, &run, 5), ERR_DICTIONARY);
    run = good;
    run.count++;
    assert_int_equal(open_with(f, &run, 5), ERR_MALFORMED);
    run.count = good.count - 1;
    assert_int_equal(open_with(f, &run, 5), ERR_MALFORMED);
    run = good;
    run.payload.size--;
    assert_int_equal(open_with(f, &run, 5), ERR_DICTIONARY);
    assert_int_equal(open_with(f, &good, 5), OK);

    f->chain.feed.lane = LANE_URGENT; /* another feed: other headers, other ids */
    assert_int_equal(open_with(f, &good, 5), ERR_SIGNATURE);
    f->chain.feed.lane = LANE_NORMAL;
    run = make(f, 10, 20, 0);
    run.check4[0] ^= 1;
    assert_int_equal(open_with(f, &run, 0), ERR_CHAIN);
}

static void refuses_another_dictionary(void **state)
{
    struct fixture *f = *state;
    test_chain_fill(&f->chain, 30);
    const struct run run = make(f, 20, 10, 5);
    assert_int_equal(open_with(f, &run, 0), ERR_DICTIONARY);
    f->chain.events[18].box_state = BOX_GONE; /* erased here, not there */
    assert_int_equal(open_with(f, &run, 5), ERR_DICTIONARY);
    f->chain.events[18].box_state = BOX_HERE;
    struct event_id id = f->chain.events[19].id;
    struct run_base base = {.id = id, .time = f->chain.events[19].time};
    assert_int_equal(run_open(f->decoder, &run, &f->chain.feed, &base, f->chain.events + 14, 5,
                              &f->events, &f->count),
                     ERR_DICTIONARY); /* not the events right before */
    assert_int_equal(open_with(f, &run, 5), OK);
}

static void refuses_a_dictionary_where_none_may_be(void **state)
{
    struct fixture *f = *state;
    test_chain_fill(&f->chain, 3);
    struct run run = make(f, 0, 3, 0);
    run.has_dictionary = true;
    assert_int_equal(open_with(f, &run, 0), ERR_MALFORMED);
    run = make(f, 1, 2, 1);
    f->chain.feed.lane = LANE_INTAKE;
    assert_int_equal(open_with(f, &run, 1), ERR_MALFORMED);
}

static void refuses_claims_over_the_limits(void **state)
{
    struct fixture *f = *state;
    test_chain_fill(&f->chain, 3);
    const struct run good = make(f, 1, 2, 0);
    struct run run = good;
    run.raw_size = (uint32_t)RUN_RAW_SIZE_MAX + 1;
    assert_int_equal(open_with(f, &run, 0), ERR_LIMIT);
    run = good;
    run.count = RUN_EVENTS_MAX + 1;
    assert_int_equal(open_with(f, &run, 0), ERR_LIMIT);
    run.count = RUN_EVENTS_MAX; /* more than the raw bytes could hold */
    assert_int_equal(open_with(f, &run, 0), ERR_MALFORMED);
    run.count = 0;
    assert_int_equal(open_with(f, &run, 0), ERR_MALFORMED);

    const struct run_base base = {.id = f->chain.events[0].id};
    run = good;
    run.base_seq = EVENT_SEQ_MAX - 1;
    assert_int_equal(
        run_read_records(f->decoder, &run, buf_slice(&f->raw), &f->chain.feed, &base, &f->events),
        ERR_MALFORMED);
}

/* A record as an array of encoded fields, so that a test can replace one of them. */
enum record_at { AT_KIND, AT_DEPTH, AT_SEEN, AT_BY, AT_SUBJECT, AT_TIME, AT_BODY, AT_BOX, AT_EXT };
#define HEX16 "000102030405060708090a0b0c0d0e0f"
#define BIN16 "c410" HEX16
#define SALT "c4080102030405060708"

static void append_hex(struct buf *out, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *to = buf_reserve(out, size);
    assert_non_null(to);
    assert_int_equal(hex_decode(to, size, hex, 2 * size), OK);
    buf_advance(out, size);
}

/* A founding record, then one with the field replaced. */
static enum err read_with(struct fixture *f, enum record_at at, const char *hex)
{
    const char *fields[9] = {"a161", "00", "00", "c0", "00", "00", "80", "c0", "c0"};
    struct run run = {.count = 2};
    fields[at] = hex;
    buf_reset(&f->raw);
    append_hex(&f->raw, "99a1610000c0c00080c0c0");
    append_hex(&f->raw, "99");
    for (size_t i = 0; i < 9; i++) append_hex(&f->raw, fields[i]);
    return run_read_records(f->decoder, &run, buf_slice(&f->raw), &f->chain.feed, NULL, &f->events);
}

static void reads_records_of_every_form(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum record_at at;
        const char *hex;
    } good[] = {
        {AT_SUBJECT, "c0"},       {AT_SUBJECT, "00"},
        {AT_SUBJECT, BIN16},      {AT_BY, BIN16},
        {AT_TIME, "01"},          {AT_TIME, "9201cd7fff"},
        {AT_TIME, "920003"},      {AT_TIME, "cf0000ffffffffffff"},
        {AT_SEEN, "05"},          {AT_BODY, "81a161a0"},
        {AT_BOX, "92" SALT "80"}, {AT_BOX, "c420" HEX16 HEX16},
        {AT_EXT, "8101c400"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (read_with(f, good[i].at, good[i].hex) != OK) fail_msg("refused %s", good[i].hex);
        struct run_context again = {0};
        struct buf raw = {0}; /* one encoding only */
        for (size_t e = 0; e < 2; e++)
            assert_int_equal(run_record_write(&again, &raw, &f->events[e]), OK);
        assert_true(slice_equal(buf_slice(&raw), buf_slice(&f->raw)));
        run_context_clear(&again);
        buf_clear(&raw);
    }
}

static void refuses_records_of_another_form(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum record_at at;
        const char *hex;
    } bad[] = {
        {AT_KIND, "a141"},
        {AT_KIND, "a0"},
        {AT_KIND, "c0"},
        {AT_KIND, "c40161"},
        {AT_DEPTH, "01"},
        {AT_DEPTH, "c0"},
        {AT_SEEN, "ff"},
        {AT_BY, "c400"},
        {AT_BY, "00"},
        {AT_SUBJECT, "01"},
        {AT_SUBJECT, "ff"},
        {AT_SUBJECT, "cfffffffffffffffff"},
        {AT_SUBJECT, "c400"},
        {AT_SUBJECT, "80"},
        {AT_TIME, "ff"},
        {AT_TIME, "cf0001000000000000"},
        {AT_TIME, "c0"},
        {AT_TIME, "9101"},
        {AT_TIME, "930100c0"},
        {AT_TIME, "920100"},
        {AT_TIME, "920004"},
        {AT_TIME, "9201ce00010000"},
        {AT_TIME, "9201ff"},
        {AT_TIME, "92c000"},
        {AT_BODY, "c0"},
        {AT_BODY, "810000"},
        {AT_BODY, "82a161c0a161c0"},
        {AT_BOX, "80"},
        {AT_BOX, "91" SALT},
        {AT_BOX, "92" SALT "c0"},
        {AT_BOX, "92" SALT "810000"},
        {AT_BOX, "92c40080"},
        {AT_BOX, "92c080"},
        {AT_BOX, BIN16},
        {AT_BOX, "93" SALT "80c0"},
        {AT_EXT, "80"},
        {AT_EXT, "8101c0"},
        {AT_EXT, "90"},
        {AT_EXT, "c0c0"},
        {AT_EXT, ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum err err = read_with(f, bad[i].at, bad[i].hex);
        if (err != ERR_MALFORMED) fail_msg("%s for %s", err_name(err), bad[i].hex);
    }
    /* a box of the depth that its record cannot hold */
    assert_int_equal(read_with(f, AT_BOX, "92" SALT "81a161919191919100"), OK);
    assert_int_equal(read_with(f, AT_BOX, "92" SALT "81a16191919191919100"), ERR_LIMIT);
}

static void refuses_a_thing_in_full_that_was_met(void **state)
{
    struct fixture *f = *state;
    const struct run run = {.count = 2};
    append_hex(&f->raw, "99a1610000c0" BIN16 "0080c0c0");
    append_hex(&f->raw, "99a1610000c000"
                        "0080c0c0");
    assert_int_equal(
        run_read_records(f->decoder, &run, buf_slice(&f->raw), &f->chain.feed, NULL, &f->events),
        OK);
    assert_int_equal(f->events[1].subject.bytes[15], 15);
    buf_reset(&f->raw);
    append_hex(&f->raw, "99a1610000c0" BIN16 "0080c0c0");
    append_hex(&f->raw, "99a1610000c0" BIN16 "0080c0c0");
    assert_int_equal(
        run_read_records(f->decoder, &run, buf_slice(&f->raw), &f->chain.feed, NULL, &f->events),
        ERR_MALFORMED);
}

static void writes_no_more_than_a_run_holds(void **state)
{
    struct fixture *f = *state;
    const struct event *e = test_chain_add(&f->chain, &(struct test_event){0});
    static const uint8_t zeros[RUN_RAW_SIZE_MAX];
    buf_append(&f->raw, zeros, RUN_RAW_SIZE_MAX - 5);
    assert_int_equal(run_record_write(&f->context, &f->raw, e), ERR_LIMIT);
    assert_int_equal(f->raw.size, RUN_RAW_SIZE_MAX - 5);
    assert_int_equal(f->context.met_count, 0);
    assert_int_equal(f->context.time, 0);
}

static void meets_thousands_of_things(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < RUN_EVENTS_MAX; i++) {
        struct thing_id id = test_thing(i % 3000);
        test_chain_add(&f->chain, &(struct test_event){.kind = "a", .subject = &id});
    }
    assert_opens(f, 0, RUN_EVENTS_MAX, 0);
    assert_opens(f, 0, 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_the_events_it_took, begin, end),
        cmocka_unit_test_setup_teardown(keeps_boxes_that_are_gone, begin, end),
        cmocka_unit_test_setup_teardown(sends_each_thing_once, begin, end),
        cmocka_unit_test_setup_teardown(says_of_a_time_what_is_not_expected, begin, end),
        cmocka_unit_test_setup_teardown(refuses_what_was_changed_on_the_way, begin, end),
        cmocka_unit_test_setup_teardown(refuses_another_dictionary, begin, end),
        cmocka_unit_test_setup_teardown(refuses_a_dictionary_where_none_may_be, begin, end),
        cmocka_unit_test_setup_teardown(refuses_claims_over_the_limits, begin, end),
        cmocka_unit_test_setup_teardown(reads_records_of_every_form, begin, end),
        cmocka_unit_test_setup_teardown(refuses_records_of_another_form, begin, end),
        cmocka_unit_test_setup_teardown(refuses_a_thing_in_full_that_was_met, begin, end),
        cmocka_unit_test_setup_teardown(writes_no_more_than_a_run_holds, begin, end),
        cmocka_unit_test_setup_teardown(meets_thousands_of_things, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
