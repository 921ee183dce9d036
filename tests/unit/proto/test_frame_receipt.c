#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/frame.h"
#include "tests/support/arrays.h"

#include <string.h>

struct receipt_case {
    struct signer signer;
    struct receipt_parties parties;
    struct frame_receipt receipt;
    struct receipt_entry entries[2];
    struct buf frame;
};

static void receipt_setup(struct receipt_case *c)
{
    static const struct sign_seed seed = {{42}};
    *c = (struct receipt_case){
        .parties = {.township = {{1}}, .addressee = {{2}}, .generation = {3}},
        .receipt = {.counter = 5, .time_ms = 1657584000000, .credit = 99, .entry_count = 2},
        .entries = {{.feed8 = {1}, .seq = 7, .id = {{4}}}, {.feed8 = {2}, .seq = 8, .id = {{5}}}},
    };
    signer_from_seed(&c->signer, &seed);
    c->parties.receiver = c->signer.key;
    frame_receipt_write(&c->frame, &c->receipt, c->entries, &c->parties, &c->signer);
    uint64_t type = 0;
    assert_int_equal(c->frame.err, OK);
    assert_int_equal(frame_type_of(buf_slice(&c->frame), &type), OK);
    assert_int_equal(type, FRAME_RECEIPT);
}

static void assert_same_entry(const struct receipt_entry *a, const struct receipt_entry *b)
{
    assert_memory_equal(a->feed8, b->feed8, sizeof a->feed8);
    assert_int_equal(a->seq, b->seq);
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    assert_int_equal(a->brief, b->brief);
}

static void reads_and_verifies_a_receipt(void **state)
{
    (void)state;
    struct receipt_case c;
    struct frame_receipt out;
    struct receipt_entry e;
    receipt_setup(&c);
    assert_int_equal(frame_receipt_verify(&c.receipt, &c.parties), OK);
    assert_int_equal(frame_receipt_read(&out, buf_slice(&c.frame)), OK);
    assert_int_equal(frame_receipt_verify(&out, &c.parties), OK);
    assert_int_equal(out.credit, 99);
    struct mp_reader r = frame_receipt_begin(&out);
    assert_true(frame_receipt_next(&r, &e));
    assert_same_entry(&e, &c.entries[0]);
    assert_true(frame_receipt_next(&r, &e));
    assert_same_entry(&e, &c.entries[1]);
    assert_false(frame_receipt_next(&r, &e));
    buf_clear(&c.frame);
}

static void the_signed_statement_is_read_back(void **state)
{
    (void)state;
    struct receipt_case c;
    struct frame_receipt wire, out;
    struct receipt_parties parties;
    struct buf body = {0};
    receipt_setup(&c);
    assert_int_equal(frame_receipt_read(&wire, buf_slice(&c.frame)), OK);
    receipt_body_write(&body, &c.parties, &wire);
    assert_int_equal(receipt_body_read(&parties, &out, buf_slice(&body)), OK);
    assert_memory_equal(&parties, &c.parties, sizeof parties);
    assert_int_equal(out.counter, wire.counter);
    assert_int_equal(out.time_ms, wire.time_ms);
    assert_int_equal(out.entry_count, 2);
    assert_true(slice_equal(out.entries, wire.entries));
    for (size_t size = 0; size < body.size; size++)
        assert_int_not_equal(receipt_body_read(&parties, &out, slice_of(body.data, size)), OK);
    buf_clear(&body);
    buf_clear(&c.frame);
}

static bool whole(void *state, struct receipt_entry *entry)
{
    const struct receipt_case *c = state;
    const struct receipt_entry *known = &c->entries[0];
    if (memcmp(known->feed8, entry->feed8, 8) != 0 || known->seq != entry->seq ||
        memcmp(known->id.bytes, entry->id.bytes, 8) != 0)
        return false;
    entry->id = known->id;
    return true;
}

static void an_id_in_short_is_made_whole_before_the_signature_is_verified(void **state)
{
    (void)state;
    struct receipt_case c;
    struct frame_receipt out;
    struct buf brief = {0}, entries = {0};
    receipt_setup(&c);
    for (size_t i = 0; i < 32; i++) c.entries[0].id.bytes[i] = (uint8_t)i;
    c.entries[0].brief = true;
    frame_receipt_write(&brief, &c.receipt, c.entries, &c.parties, &c.signer);
    assert_int_equal(brief.size, c.frame.size - 24);
    assert_int_equal(frame_receipt_read(&out, buf_slice(&brief)), OK);
    assert_int_equal(frame_receipt_verify(&out, &c.parties), ERR_SIGNATURE);
    assert_int_equal(frame_receipt_complete(&out, &entries, whole, &c), OK);
    assert_int_equal(frame_receipt_verify(&out, &c.parties), OK);
    c.entries[0].seq++;
    assert_int_equal(frame_receipt_read(&out, buf_slice(&brief)), OK);
    buf_reset(&entries);
    assert_int_equal(frame_receipt_complete(&out, &entries, whole, &c), ERR_NOT_FOUND);
    buf_clear(&c.frame);
    buf_clear(&brief);
    buf_clear(&entries);
}

static void binds_a_receipt_to_its_parties_and_words(void **state)
{
    (void)state;
    struct receipt_case c;
    receipt_setup(&c);
    struct receipt_parties p = c.parties;
    p.township.bytes[31] ^= 1;
    assert_int_equal(frame_receipt_verify(&c.receipt, &p), ERR_SIGNATURE);
    p = c.parties;
    p.addressee.bytes[0] ^= 1;
    assert_int_equal(frame_receipt_verify(&c.receipt, &p), ERR_SIGNATURE);
    p = c.parties;
    p.receiver.bytes[0] ^= 1;
    assert_int_equal(frame_receipt_verify(&c.receipt, &p), ERR_SIGNATURE);
    p = c.parties;
    p.generation[7] ^= 1;
    assert_int_equal(frame_receipt_verify(&c.receipt, &p), ERR_SIGNATURE);
    struct frame_receipt f = c.receipt;
    f.counter++;
    assert_int_equal(frame_receipt_verify(&f, &c.parties), ERR_SIGNATURE);
    f = c.receipt;
    f.time_ms--;
    assert_int_equal(frame_receipt_verify(&f, &c.parties), ERR_SIGNATURE);
    f = c.receipt;
    f.entries.size = 1;
    assert_int_equal(frame_receipt_verify(&f, &c.parties), ERR_SIGNATURE);
    f = c.receipt;
    f.credit = 0; /* not a promise about the past: unsigned */
    assert_int_equal(frame_receipt_verify(&f, &c.parties), OK);
    buf_clear(&c.frame);
}

static void fits_a_full_receipt_and_refuses_one_more(void **state)
{
    (void)state;
    static struct receipt_entry entries[RECEIPT_ENTRIES_MAX + 1];
    for (size_t i = 0; i <= RECEIPT_ENTRIES_MAX; i++) entries[i].seq = FRAME_UINT_MAX;
    struct receipt_case c;
    struct frame_receipt out;
    receipt_setup(&c);
    buf_reset(&c.frame);
    c.receipt.entry_count = RECEIPT_ENTRIES_MAX;
    frame_receipt_write(&c.frame, &c.receipt, entries, &c.parties, &c.signer);
    assert_int_equal(frame_receipt_read(&out, buf_slice(&c.frame)), OK);
    buf_reset(&c.frame);
    c.receipt.entry_count++;
    frame_receipt_write(&c.frame, &c.receipt, entries, &c.parties, &c.signer);
    assert_int_equal(frame_receipt_read(&out, buf_slice(&c.frame)), ERR_LIMIT);
    buf_clear(&c.frame);
}

static void refuses_a_receipt_with_a_wrong_entry(void **state)
{
    (void)state;
    struct receipt_case c;
    struct frame_receipt out;
    struct buf bad = {0};
    receipt_setup(&c);
    array_replace(&bad, &c.frame, 5, slice_of("\x91\x93\xc4\x08xxxxxxxx\x01\xc4\x07xxxxxxx", 22));
    assert_int_equal(frame_receipt_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    array_replace(&bad, &c.frame, 5, slice_of("\xc0", 1));
    assert_int_equal(frame_receipt_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    array_cut(&bad, &c.frame, 6, NULL);
    assert_int_equal(frame_receipt_read(&out, buf_slice(&bad)), ERR_MALFORMED);
    buf_clear(&bad);
    buf_clear(&c.frame);
}

static void passes_on_an_error_of_the_buffer_it_writes_to(void **state)
{
    (void)state;
    struct receipt_case c;
    receipt_setup(&c);
    struct buf small = {.size_max = 40};
    frame_receipt_write(&small, &c.receipt, c.entries, &c.parties, &c.signer);
    assert_int_equal(small.err, ERR_LIMIT);
    buf_clear(&small);
    buf_clear(&c.frame);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_verifies_a_receipt),
        cmocka_unit_test(the_signed_statement_is_read_back),
        cmocka_unit_test(an_id_in_short_is_made_whole_before_the_signature_is_verified),
        cmocka_unit_test(binds_a_receipt_to_its_parties_and_words),
        cmocka_unit_test(fits_a_full_receipt_and_refuses_one_more),
        cmocka_unit_test(refuses_a_receipt_with_a_wrong_entry),
        cmocka_unit_test(passes_on_an_error_of_the_buffer_it_writes_to),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
