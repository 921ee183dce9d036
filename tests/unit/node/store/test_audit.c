#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/audit.h"
#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <stdlib.h>
#include <string.h>

struct seen {
    char what[64];
    uint64_t arrival;
};

static void note(void *state, uint64_t arrival, enum err err, const char *what)
{
    struct seen *seen = state;
    assert_int_not_equal(err, OK);
    strncpy(seen->what, what, sizeof seen->what - 1);
    seen->arrival = arrival;
}

static struct audit_result audit(struct test_store *ts, bool signatures, struct seen *seen)
{
    struct audit_result result = {0};
    struct audit_options options = {.all_signatures = signatures, .problem = note, .state = seen};
    *seen = (struct seen){0};
    assert_int_equal(audit_run(ts->store, &options, &result), OK);
    return result;
}

/* A store with two feeds, one of them forked, and rows. */
static void fill(struct test_store *ts)
{
    struct test_chain a, b, c;
    test_store_begin(ts, NULL);
    test_chain_begin(&a, 1, "town");
    test_chain_fill(&a, 40);
    test_chain_begin(&b, 1, "town");
    test_chain_fill(&b, 10);
    for (int i = 0; i < 5; i++)
        test_chain_add(
            &b, &(struct test_event){.time = i ? 0 : HLC_MAKE(UINT64_C(2000000000000), 0, 0)});
    test_chain_begin(&c, 2, "village:430923106001");
    test_chain_fill(&c, 20);
    test_store_append(ts, &a, 0, a.count);
    test_store_append(ts, &b, 0, b.count);
    test_store_append(ts, &c, 0, c.count);
    struct txn *t = test_txn(ts, true);
    for (uint32_t scope = 1; scope <= 2; scope++)
        for (char n = 'a'; n < 'f'; n++) {
            const struct row_key key = {scope, ROW_THING, slice_of(&n, 1)};
            row_put(t, &key, slice_of_text("value"));
        }
    assert_int_equal(txn_commit(t), OK);
    test_chain_end(&a);
    test_chain_end(&b);
    test_chain_end(&c);
}

static void finds_nothing_wrong_in_a_good_store(void **state)
{
    (void)state;
    struct test_store ts;
    struct seen seen;
    fill(&ts);
    struct audit_result result = audit(&ts, false, &seen);
    assert_string_equal(seen.what, "");
    assert_int_equal(result.problems, 0);
    assert_int_equal(result.events, 65);
    assert_int_equal(result.signatures, 3); /* one for each branch */
    result = audit(&ts, true, &seen);
    assert_int_equal(result.problems, 0);
    assert_int_equal(result.signatures, 65);
    test_store_end(&ts);

    test_store_begin(&ts, NULL);
    result = audit(&ts, true, &seen);
    assert_int_equal(result.problems + result.events, 0);
    test_store_end(&ts);
}

static void looks_at_a_slice_only_when_asked(void **state)
{
    (void)state;
    struct test_store ts;
    struct audit_result result;
    fill(&ts);
    struct audit_options options = {.first_arrival = 30, .last_arrival = 45};
    assert_int_equal(audit_run(ts.store, &options, &result), OK);
    assert_int_equal(result.events, 16);
    assert_int_equal(result.problems, 0);
    options = (struct audit_options){.first_arrival = 60, .last_arrival = 1000};
    assert_int_equal(audit_run(ts.store, &options, &result), OK);
    assert_int_equal(result.events, 6);
    options = (struct audit_options){.first_arrival = 66, .last_arrival = 1000};
    assert_int_equal(audit_run(ts.store, &options, &result), OK);
    assert_int_equal(result.events, 0);
    test_store_end(&ts);
}

/* Changes one entry and commits: `value` empty deletes it. */
static void change(struct test_store *ts, enum db db, struct slice key, struct slice value,
                   bool delete)
{
    struct txn *t = test_txn(ts, true);
    if (delete)
        db_delete(t, db, key);
    else
        db_put(t, db, key, value);
    assert_int_equal(txn_commit(t), OK);
}

static void expect(struct test_store *ts, const char *what)
{
    struct seen seen;
    struct audit_result result = audit(ts, false, &seen);
    assert_int_not_equal(result.problems, 0);
    assert_string_equal(seen.what, what);
    test_store_end(ts);
}

static void finds_a_damaged_event(void **state)
{
    (void)state;
    struct test_store ts;
    struct seen seen;
    struct key key;
    struct slice value;
    uint8_t copy[4096];
    fill(&ts);
    struct txn *t = test_txn(&ts, false);
    assert_true(db_get(t, DB_LOG, key_arrival(&key, 17), &value));
    size_t size = value.size;
    memcpy(copy, value.data, size);
    txn_abort(t);
    copy[size - 1] ^= 1;
    change(&ts, DB_LOG, key_slice(&key), slice_of(copy, size), false);
    struct audit_result result = audit(&ts, false, &seen);
    assert_int_equal(result.problems, 1);
    assert_int_equal(seen.arrival, 17);
    assert_string_equal(seen.what, "event is damaged");
    test_store_end(&ts);
}

static void finds_a_wrong_signature(void **state)
{
    (void)state;
    struct test_store ts;
    struct seen seen;
    struct test_chain c;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 3);
    c.events[1].signature.bytes[5] ^= 1; /* as if it had been taken unverified */
    test_store_append(&ts, &c, 0, 3);
    assert_int_equal(audit(&ts, false, &seen).problems, 0);
    assert_int_equal(audit(&ts, true, &seen).problems, 1);
    assert_string_equal(seen.what, "signature is wrong");
    assert_int_equal(seen.arrival, 2);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void finds_a_branch_that_no_signature_covers(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 3);
    for (size_t i = 0; i < 3; i++) c.events[i].has_signature = false;
    test_store_append(&ts, &c, 0, 3);
    test_chain_end(&c);
    expect(&ts, "branch has no signature");
}

static void finds_each_index_that_is_wrong(void **state)
{
    (void)state;
    struct test_store ts;
    struct key key;
    struct slice found, value;
    struct thing_key thing = {0};
    struct txn *t;

    fill(&ts);
    t = test_txn(&ts, false);
    assert_true(thing_each(t, &thing));
    struct thing_cursor cursor = {t, thing.scope_number, thing.thing, 0};
    key_thing(&key, thing.scope_number, &thing.thing, thing_next(&cursor));
    txn_abort(t);
    change(&ts, DB_THINGS, key_slice(&key), SLICE_EMPTY, true);
    expect(&ts, "subject index is miscounted");

    fill(&ts);
    change(&ts, DB_THINGS, key_thing(&key, 9, &thing.thing, 1), SLICE_EMPTY, false);
    expect(&ts, "subject index is miscounted");

    static const uint8_t none[8];
    fill(&ts);
    key_chain(&key, 1, 5, none);
    t = test_txn(&ts, false);
    assert_true(db_find(t, DB_CHAIN, key_slice(&key), &found, &value));
    memcpy(key.bytes, found.data, found.size);
    txn_abort(t);
    change(&ts, DB_CHAIN, key_slice(&key), SLICE_EMPTY, true);
    expect(&ts, "chain index is miscounted");

    fill(&ts);
    t = test_txn(&ts, true);
    struct scope_row *scope = scope_hot(t, 1);
    scope->rows_sum[31]++;
    scope_hot_changed(t, scope);
    assert_int_equal(txn_commit(t), OK);
    expect(&ts, "sum of view rows is wrong");

    fill(&ts);
    t = test_txn(&ts, true);
    scope = scope_hot(t, 2);
    scope->events++;
    scope_hot_changed(t, scope);
    assert_int_equal(txn_commit(t), OK);
    expect(&ts, "events of a scope are miscounted");

    fill(&ts);
    t = test_txn(&ts, true);
    scope = scope_hot(t, 1);
    scope->open_rows++;
    scope_hot_changed(t, scope);
    assert_int_equal(txn_commit(t), OK);
    expect(&ts, "open requests of a scope are miscounted");

    fill(&ts);
    change(&ts, DB_LOG, key_arrival(&key, 65), SLICE_EMPTY, true);
    t = test_txn(&ts, true);
    db_put(t, DB_LOG, key_arrival(&key, 66), slice_of_text("x"));
    assert_int_equal(txn_commit(t), OK);
    expect(&ts, "arrival numbers have gaps");
}

static void finds_heads_that_are_wrong(void **state)
{
    (void)state;
    struct test_store ts;
    for (int mistake = 0; mistake < 4; mistake++) {
        fill(&ts);
        struct txn *t = test_txn(&ts, true);
        struct feed_row *feed = feed_hot(t, 1);
        if (mistake == 0) feed->head_count = 1;
        if (mistake == 1) feed->heads[1] = feed->heads[0];
        if (mistake == 2) feed->heads[2] = feed->heads[0], feed->head_count = 3;
        if (mistake == 3) feed->events--;
        feed_hot_changed(t, feed);
        assert_int_equal(txn_commit(t), OK);
        struct seen seen;
        assert_int_not_equal(audit(&ts, false, &seen).problems, 0);
        test_store_end(&ts);
    }
}

/* Found by tests/fault/run bits: its events would have been told under another name. */
static void finds_a_feed_or_scope_that_has_another_name(void **state)
{
    (void)state;
    for (int mistake = 0; mistake < 3; mistake++) {
        struct test_store ts;
        struct seen seen;
        struct key key;
        struct scope_row scope;
        fill(&ts);
        struct txn *t = test_txn(&ts, true);
        struct feed_row *feed = feed_hot(t, 1);
        if (mistake == 0) feed->feed.author.bytes[5] ^= 1;
        feed_hot_changed(t, feed);
        assert_true(scope_get(t, 2, &scope));
        if (mistake == 1) db_delete(t, DB_SCOPES, key_scope_text(&key, &scope.scope));
        if (mistake == 2) {
            struct scope_row *row = scope_hot(t, 2);
            row->scope.text[strlen(row->scope.text) - 1] ^= 4;
            scope_hot_changed(t, row);
        }
        assert_int_equal(txn_commit(t), OK);
        assert_int_not_equal(audit(&ts, false, &seen).problems, 0);
        test_store_end(&ts);
    }
}

static void digests_agree_whatever_the_order_of_arrival(void **state)
{
    (void)state;
    struct test_store one, two;
    struct test_chain a, b;
    struct hash x, y, all;
    uint64_t n = 0, m = 0;
    test_store_begin(&one, NULL);
    test_store_begin(&two, NULL);
    test_chain_begin(&a, 1, "town");
    test_chain_begin(&b, 2, "town");
    test_chain_fill(&a, 100);
    test_chain_fill(&b, 100);
    test_store_append(&one, &a, 0, 100);
    test_store_append(&one, &b, 0, 100);
    for (size_t i = 0; i < 100; i += 20) {
        test_store_append(&two, &b, i, i + 20);
        assert_int_equal(audit_events_digest(two.store, 1, &y, &m), OK);
        test_store_append(&two, &a, i, i + 20);
    }
    assert_int_equal(audit_events_digest(one.store, 1, &x, &n), OK);
    assert_int_equal(m, 180);
    assert_int_equal(n, 200);
    assert_false(hash_equal(&x, &y));
    assert_int_equal(audit_events_digest(two.store, 1, &y, &m), OK);
    assert_int_equal(m, 200);
    assert_true(hash_equal(&x, &y));
    assert_int_equal(audit_events_digest(two.store, 2, &y, &m), ERR_NOT_FOUND);

    /* The definition: the hash of the sorted ids. */
    struct event_id ids[200];
    for (size_t i = 0; i < 100; i++) ids[i] = a.events[i].id, ids[100 + i] = b.events[i].id;
    for (size_t i = 0; i < 200; i++)
        for (size_t k = i + 1; k < 200; k++)
            if (memcmp(&ids[k], &ids[i], 32) < 0) {
                struct event_id swap = ids[i];
                ids[i] = ids[k], ids[k] = swap;
            }
    crypto_hash_one(&all, CONTEXT_EVENTS_DIGEST, slice_of(ids, sizeof ids));
    assert_true(hash_equal(&x, &all));
    test_chain_end(&a);
    test_chain_end(&b);
    test_store_end(&one);
    test_store_end(&two);
}

static void count_line(void *state, const char *text)
{
    size_t *counts = state;
    counts[0]++;
    counts[1] += strncmp(text, "log ", 4) == 0;
    counts[2] += strstr(text, "damaged") != NULL;
    counts[3] += strstr(text, "村") != NULL;
}

static void prints_every_entry_also_of_a_damaged_store(void **state)
{
    (void)state;
    struct test_store ts;
    struct key key;
    size_t counts[4] = {0}, entries = 0;
    fill(&ts);
    struct txn *t = test_txn(&ts, false);
    for (size_t i = 0; i < DB_COUNT; i++) entries += db_entries(t, (enum db)i);
    txn_abort(t);
    assert_int_equal(audit_print_raw(ts.store, count_line, counts), OK);
    assert_int_equal(counts[0], entries);
    assert_int_equal(counts[1], 65);
    assert_int_equal(counts[2], 0);
    assert_int_equal(counts[3], 0); /* no plain text of bodies and boxes */
    static const enum db dbs[] = {DB_FEEDS, DB_CHAIN, DB_LOG, DB_THINGS, DB_ROWS};
    for (size_t i = 0; i < sizeof dbs / sizeof dbs[0]; i++)
        change(&ts, dbs[i], slice_of_text("x"), slice_of_text("strange"), false);
    change(&ts, DB_LOG, key_arrival(&key, 3), slice_of_text("short"), false);
    memset(counts, 0, sizeof counts);
    assert_int_equal(audit_print_raw(ts.store, count_line, counts), OK);
    assert_int_equal(counts[2], 6);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_wrong_in_a_good_store),
        cmocka_unit_test(looks_at_a_slice_only_when_asked),
        cmocka_unit_test(finds_a_damaged_event),
        cmocka_unit_test(finds_a_wrong_signature),
        cmocka_unit_test(finds_a_branch_that_no_signature_covers),
        cmocka_unit_test(finds_each_index_that_is_wrong),
        cmocka_unit_test(finds_heads_that_are_wrong),
        cmocka_unit_test(finds_a_feed_or_scope_that_has_another_name),
        cmocka_unit_test(digests_agree_whatever_the_order_of_arrival),
        cmocka_unit_test(prints_every_entry_also_of_a_damaged_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
