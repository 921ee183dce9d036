#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/series.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <string.h>

/* The founding hub and a standby; the store is the standby's unless a test says otherwise. */
static struct township town;
static struct township_node node;
static struct township_device *standby;
static struct txn *txn;
static const struct roster *roster;
static unsigned moves;

static void leave(void)
{
    assert_int_equal(txn_error(txn), OK);
    txn_abort(txn);
    txn = NULL;
}

static void look(bool write)
{
    if (txn) leave();
    assert_int_equal(txn_begin(node.store, write, &txn), OK);
    assert_int_equal(views_roster(node.views, txn, &roster), OK);
}

static void keep(void)
{
    assert_int_equal(txn_commit(txn), OK);
    txn = NULL;
    look(false);
}

static int set_up(void **state)
{
    (void)state;
    moves = 0;
    township_begin(&town, 1);
    standby = township_join(&town, "", ROLE_HUB, 'C');
    township_node_open(&node, &town, standby);
    township_node_take_all(&node, &town);
    look(false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    leave();
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const struct event *move_to(const struct township_device *hub)
{
    char key[65], body[96];
    hex_encode(key, hub->signer.key.bytes, sizeof hub->signer.key.bytes);
    snprintf(body, sizeof body, "{\"device\":\"%s\"}", key);
    moves++;
    return township_record(&town, &town.authority,
                           &(struct township_act){.kind = "series.moved",
                                                  .subject = &town.events[0]->subject,
                                                  .depth = moves,
                                                  .seen = moves,
                                                  .body = body});
}

static void take(const struct event *e)
{
    struct event *one = (struct event *)(uintptr_t)e;
    if (txn) leave();
    township_node_take(&node, &one, 1);
    look(false);
}

static struct peer_have point_of(const struct event *e)
{
    struct peer_have p = {.seq = e->seq};
    struct feed_id feed;
    feed_id_of(&feed, &e->feed);
    memcpy(p.feed8, feed.bytes, sizeof p.feed8);
    memcpy(p.id8, e->id.bytes, sizeof p.id8);
    return p;
}

static struct series_vector vector_of(const struct peer_have *have, size_t count)
{
    return (struct series_vector){roster_device(roster, &town.hub.signer.key), have, count};
}

static bool knows(const struct peer_have *have, size_t count)
{
    struct series_vector vector = vector_of(have, count);
    bool known;
    assert_int_equal(series_known(node.views, txn, &vector, &known), OK);
    return known;
}

static void note(const struct peer_have *have, size_t count)
{
    look(true);
    struct series_vector vector = vector_of(have, count);
    assert_int_equal(series_note(node.views, txn, &vector), OK);
    keep();
}

static void the_founding_hub_gives_them_until_they_are_moved(void **state)
{
    (void)state;
    size_t at = 0;
    assert_int_equal(series_state(txn, roster), SERIES_ELSEWHERE);
    assert_null(series_awaited(txn, roster, &at));
    leave();
    township_node_close(&node);
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    look(false);
    assert_int_equal(series_state(txn, roster), SERIES_HERE);
    take(move_to(standby));
    assert_int_equal(series_state(txn, roster), SERIES_ELSEWHERE);
}

static void whom_they_were_moved_to_waits_for_the_hub_before(void **state)
{
    (void)state;
    size_t at = 0;
    take(move_to(standby));
    assert_int_equal(series_state(txn, roster), SERIES_WAITS);
    const struct device *before = series_awaited(txn, roster, &at);
    assert_ptr_equal(before, roster_device(roster, &town.hub.signer.key));
    assert_null(series_awaited(txn, roster, &at));
}

/* It tells that it knows of the move, and where its own feeds stand: all of that has to be here. */
static void it_begins_when_all_that_the_hub_before_said_is_here(void **state)
{
    (void)state;
    const struct event *move = move_to(standby);
    const struct event *last = township_record(&town, &town.hub,
                                               &(struct township_act){.kind = "device.note",
                                                                      .scope = "town",
                                                                      .subject = &town.hub.thing,
                                                                      .depth = 2,
                                                                      .seen = 2});
    const struct peer_have told[] = {point_of(move), point_of(last)};
    take(move);
    assert_false(knows(&told[1], 1)); /* of the move it says nothing */
    assert_true(knows(told, 2));
    note(told, 2);
    assert_int_equal(series_state(txn, roster), SERIES_WAITS);
    take(last);
    assert_int_equal(series_state(txn, roster), SERIES_HERE);
}

/* What it told before they were moved once more says nothing about that. */
static void a_later_move_is_waited_for_anew(void **state)
{
    (void)state;
    const struct event *move = move_to(standby);
    const struct peer_have told = point_of(move);
    take(move);
    note(&told, 1);
    assert_int_equal(series_state(txn, roster), SERIES_HERE);
    take(move_to(&town.hub));
    assert_int_equal(series_state(txn, roster), SERIES_ELSEWHERE);
    const struct event *again = move_to(standby);
    take(again);
    assert_int_equal(series_state(txn, roster), SERIES_WAITS);
    assert_false(knows(&told, 1));
    const struct peer_have now = point_of(again);
    assert_true(knows(&now, 1));
    note(&now, 1);
    assert_int_equal(series_state(txn, roster), SERIES_HERE);
}

static void a_person_who_says_the_last_number_ends_the_waiting_of_this_move(void **state)
{
    (void)state;
    take(move_to(standby));
    look(true);
    series_confirm(txn, roster);
    keep();
    assert_int_equal(series_state(txn, roster), SERIES_HERE);
    take(move_to(&town.hub));
    take(move_to(standby));
    assert_int_equal(series_state(txn, roster), SERIES_WAITS);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_founding_hub_gives_them_until_they_are_moved),
        CASE(whom_they_were_moved_to_waits_for_the_hub_before),
        CASE(it_begins_when_all_that_the_hub_before_said_is_here),
        CASE(a_later_move_is_waited_for_anew),
        CASE(a_person_who_says_the_last_number_ends_the_waiting_of_this_move),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
