#define _GNU_SOURCE /* memmem */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/store/txn.h"
#include "node/views/request.h"
#include "node/views/state.h"
#include "tests/support/township.h"

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.devices[0]);
    for (unsigned i = 1; i <= 6; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i);
        const struct event *e = township_register(&town, &town.devices[0], number);
        township_record(&town, &town.hub,
                        &(struct township_act){.kind = "request.accept",
                                               .scope = "village:431322111201",
                                               .subject = &e->subject,
                                               .depth = 1,
                                               .seen = 1,
                                               .body = "{\"class\":\"general\"}"});
    }
    township_node_take_all(&node, &town);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

/* All rows of all tables and scopes, one after the other. */
static void dump(struct buf *out)
{
    static const uint8_t tables[] = {ROW_THING, ROW_OPEN, ROW_NUMBER};
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    for (uint32_t scope = 1; scope <= scope_count(t); scope++) {
        struct scope_row row;
        assert_true(scope_get(t, scope, &row));
        buf_append(out, row.rows_sum, sizeof row.rows_sum);
        for (size_t i = 0; i < sizeof tables; i++) {
            struct row_cursor cursor = {.scope_number = scope, .table = tables[i]};
            struct slice key, value;
            while (row_next(t, &cursor, &key, &value)) {
                buf_append_slice(out, key);
                buf_append_slice(out, value);
            }
        }
    }
    assert_int_equal(txn_error(t), OK);
    txn_abort(t);
}

static void assert_rows(const struct buf *expected)
{
    struct buf now = {0};
    dump(&now);
    assert_int_equal(now.size, expected->size);
    assert_memory_equal(now.data, expected->data, expected->size);
    buf_clear(&now);
}

static bool pending(void)
{
    struct txn *t;
    uint64_t done, total;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    bool is = views_rebuild_pending(t, &done, &total);
    txn_abort(t);
    return is;
}

static void begin(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    views_rebuild_begin(t);
    assert_int_equal(txn_commit(t), OK);
}

static void note_progress(void *state, uint64_t done, uint64_t total)
{
    uint64_t *last = state;
    assert_true(done >= *last && done <= total);
    *last = done;
}

static void a_rebuild_gives_the_same_bytes(void **state)
{
    (void)state;
    struct buf before = {0};
    uint64_t last = 0;
    dump(&before);
    assert_true(before.size > 0);
    assert_int_equal(views_rebuild(node.views, node.store, note_progress, &last), OK);
    assert_int_equal(last, town.event_count);
    assert_false(pending());
    assert_rows(&before);
    buf_clear(&before);
}

static void a_rebuild_that_was_cut_short_goes_on(void **state)
{
    (void)state;
    struct buf before = {0};
    uint64_t arrival;
    dump(&before);
    begin();
    assert_rows(&before); /* nothing is thrown away before the first slice */
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), OK);
    assert_true(pending());

    /* the process ends here; the next one finds roster and marker */
    views_close(node.views);
    store_close(node.store);
    assert_int_equal(
        store_open(&node.store, node.home, &(struct store_options){.disk_free_min = 1}), OK);
    assert_int_equal(views_open(&node.views, node.store), OK);
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(roster->device_count, 3);
    txn_abort(t);
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_rows(&before);
    buf_clear(&before);
}

/* The store as a version with other rows left it: one row of the roster is no row to this one. */
static void leave_to_another_version(void)
{
    struct txn *t;
    const struct roster *roster;
    struct slice key, row;
    const uint8_t village = THING_VILLAGE;
    const uint32_t town_number = township_node_scope(&node, "town");
    struct row_cursor cursor = {
        .scope_number = town_number, .table = ROW_THING, .prefix = slice_of(&village, 1)};
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(row_next(t, &cursor, &key, &row));
    uint8_t bytes[17];
    memcpy(bytes, key.data, sizeof bytes);
    row_put(t, &(struct row_key){town_number, ROW_THING, slice_of(bytes, sizeof bytes)},
            slice_of("\x91\x01", 2));
    meta_put_uint(t, "views.fold", FOLD_VERSION - 1);
    assert_int_equal(txn_commit(t), OK);
    views_forget(node.views);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), ERR_CORRUPT);
    txn_abort(t);
    views_close(node.views);
    node.views = NULL;
}

static void reopen_store(bool read_only)
{
    store_close(node.store);
    const struct store_options options = {.disk_free_min = 1, .read_only = read_only};
    assert_int_equal(store_open(&node.store, node.home, &options), OK);
}

static void rows_of_another_version_are_made_anew(void **state)
{
    (void)state;
    struct buf before = {0};
    dump(&before);
    leave_to_another_version();
    reopen_store(true);
    assert_int_equal(views_open(&node.views, node.store), ERR_AGAIN); /* nothing can be written */
    reopen_store(false);
    assert_int_equal(views_open(&node.views, node.store), OK);
    assert_true(pending());
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(roster->village_count, 2);
    txn_abort(t);
    assert_int_equal(views_rebuild_finish(node.views, node.store), OK);
    assert_false(pending());
    assert_rows(&before);
    buf_clear(&before);
    views_close(node.views);
    assert_int_equal(views_open(&node.views, node.store), OK);
    assert_false(pending()); /* once */
}

static void events_that_arrive_during_a_rebuild_are_folded_too(void **state)
{
    (void)state;
    uint64_t arrival;
    begin();
    township_register(&town, &town.devices[0], "01A-0100");
    township_node_take_all(&node, &town);
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), OK);
    township_register(&town, &town.devices[1], "02A-0100");
    township_node_take_all(&node, &town);
    township_node_settle(&node);
    uint64_t count = 1;
    assert_int_equal(views_compare(node.views, node.store, &count, NULL, NULL), OK);
    assert_int_equal(count, 0);
}

static void nothing_is_done_without_a_marker(void **state)
{
    (void)state;
    struct buf before = {0};
    uint64_t arrival;
    dump(&before);
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), OK);
    assert_rows(&before);
    buf_clear(&before);
}

static void a_damaged_marker_begins_again(void **state)
{
    (void)state;
    struct buf before = {0};
    struct txn *t;
    dump(&before);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    meta_put(t, "views.rebuild", slice_of_text("?"));
    assert_int_equal(txn_commit(t), OK);
    assert_true(pending());
    township_node_settle(&node);
    assert_rows(&before);
    buf_clear(&before);
}

static void a_change_of_rights_folds_again_what_was_folded_before(void **state)
{
    (void)state;
    struct signer invite;
    struct township_device *late = &town.devices[town.device_count++];
    township_signer(&invite, 50);
    township_signer(&late->signer, 51);
    snprintf(late->village, sizeof late->village, "431322111201");
    township_register(&town, late, "01B-0001"); /* before anyone knows the laptop */
    township_node_take_all(&node, &town);
    assert_false(pending());
    struct txn *t;
    struct thing_key key;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(request_find_number(t, slice_of_text("01B-0001"), &key), ERR_NOT_FOUND);
    txn_abort(t);

    const struct event *e =
        township_invite(&town, &invite, &town.hub.signer.key, late->village, ROLE_VILLAGE, 'B');
    township_accept(&town, &town.hub, &invite, &late->signer, &e->subject, 1, 1);
    township_node_take_all(&node, &town);
    assert_true(pending());
    township_node_settle(&node);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(request_find_number(t, slice_of_text("01B-0001"), &key), OK);
    txn_abort(t);
}

/* --- damage -------------------------------------------------------------------------------- */

static uint64_t differing(void)
{
    uint64_t count = 99;
    assert_int_equal(views_compare(node.views, node.store, &count, NULL, NULL), OK);
    return count;
}

/* Flips a bit of an event's record which only its hash covers: of the header, or of the box. */
static void flip(uint64_t arrival, bool of_box)
{
    struct txn *t;
    struct key key;
    struct slice value;
    uint8_t copy[4096];
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(db_get(t, DB_LOG, key_arrival(&key, arrival), &value));
    size_t size = value.size;
    assert_true(size <= sizeof copy);
    memcpy(copy, value.data, size);
    /* The box comes last; a header without one ends in a nil. */
    uint8_t *kind = memmem(copy, size, "request.", 8);
    *(of_box || !kind ? copy + size - 1 : kind + 8) ^= 1;
    db_put(t, DB_LOG, key_slice(&key), slice_of(copy, size));
    assert_int_equal(txn_commit(t), OK);
}

static void a_damaged_event_costs_its_own_thing_only(void **state)
{
    (void)state;
    struct buf before = {0};
    uint64_t arrival = 0, bad = town.roster_count + 3; /* the second request */
    dump(&before);
    flip(bad, false);
    assert_int_equal(differing(), 1);
    begin();
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), OK);
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), ERR_CORRUPT);
    assert_int_equal(arrival, bad);
    assert_false(pending());
    struct txn *t;
    struct thing_key key;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(request_find_number(t, slice_of_text("01A-0001"), &key), OK);
    assert_int_equal(request_find_number(t, slice_of_text("01A-0002"), &key), ERR_NOT_FOUND);
    assert_int_equal(request_find_number(t, slice_of_text("01A-0003"), &key), OK);
    txn_abort(t);
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), ERR_CORRUPT);

    township_node_take_all(&node, &town); /* a peer sends it again: healed */
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_rows(&before);
    buf_clear(&before);
}

static void a_damaged_roster_stops_a_rebuild_before_it_throws_anything_away(void **state)
{
    (void)state;
    struct buf before = {0};
    uint64_t arrival = 0;
    dump(&before);
    flip(3, false);
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), ERR_CORRUPT);
    assert_rows(&before);
    assert_int_equal(views_rebuild_slice(node.views, node.store, &arrival), ERR_CORRUPT);
    assert_int_equal(arrival, 3);
    buf_clear(&before);
}

/* --- comparing ----------------------------------------------------------------------------- */

static void comparing_finds_a_changed_a_lost_and_a_made_up_row(void **state)
{
    (void)state;
    struct row_cursor cursor = {.scope_number = township_node_scope(&node, "village:431322111201"),
                                .table = ROW_THING};
    struct slice key, value;
    struct txn *t;
    assert_int_equal(differing(), 0);

    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(row_next(t, &cursor, &key, &value));
    uint8_t bytes[17], made_up[17] = {5, 1, 2, 3};
    memcpy(bytes, key.data, sizeof bytes);
    struct row_key changed = {cursor.scope_number, ROW_THING, slice_of(bytes, sizeof bytes)};
    row_put(t, &changed, slice_of_text("?"));
    row_put(t, &(struct row_key){cursor.scope_number, ROW_THING, slice_of(made_up, sizeof made_up)},
            slice_of_text("?"));
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(differing(), 2);

    assert_int_equal(txn_begin(node.store, true, &t), OK);
    row_delete(t, &changed);
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(differing(), 2);
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_int_equal(differing(), 0);
}

static void a_damaged_box_costs_no_row(void **state)
{
    (void)state;
    struct event e;
    struct txn *t;
    uint64_t last;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    for (last = log_count(t); last > 0; last--) {
        assert_int_equal(log_read(t, last, &e), OK);
        if (e.box_state == BOX_HERE) break;
    }
    txn_abort(t);
    assert_true(last > 0);
    flip(last, true);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(log_read(t, last, &e), ERR_CORRUPT);
    assert_int_equal(log_read_header(t, last, &e), OK);
    txn_abort(t);
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_int_equal(differing(), 0);
}

static void comparing_finds_a_lost_index_row(void **state)
{
    (void)state;
    struct row_cursor cursor = {.scope_number = township_node_scope(&node, "village:431322111201"),
                                .table = ROW_NUMBER};
    struct slice key, value;
    struct txn *t;
    uint8_t bytes[64];
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(row_next(t, &cursor, &key, &value));
    memcpy(bytes, key.data, key.size);
    row_delete(t, &(struct row_key){cursor.scope_number, ROW_NUMBER, slice_of(bytes, key.size)});
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(differing(), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_rebuild_gives_the_same_bytes),
        TEST(a_rebuild_that_was_cut_short_goes_on),
        TEST(rows_of_another_version_are_made_anew),
        TEST(events_that_arrive_during_a_rebuild_are_folded_too),
        TEST(nothing_is_done_without_a_marker),
        TEST(a_damaged_marker_begins_again),
        TEST(a_change_of_rights_folds_again_what_was_folded_before),
        TEST(a_damaged_event_costs_its_own_thing_only),
        TEST(a_damaged_box_costs_no_row),
        TEST(a_damaged_roster_stops_a_rebuild_before_it_throws_anything_away),
        TEST(comparing_finds_a_changed_a_lost_and_a_made_up_row),
        TEST(comparing_finds_a_lost_index_row),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
