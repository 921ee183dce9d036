/* Two faces: what hubs sign of `town` is passed on; who was shown different records finds it when
 * he meets another, and nothing honest looks like that (H1 to H6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "node/exchange_state.h"

#include <stdio.h>
#include <string.h>

enum { A, B, C, D, VILLAGES };
#define TOWN_OF (&meeting.township)

static struct meeting_node hub, twin, a, b; /* the twin is another store of the hub's device */

static void open_node(struct meeting_node *n, const struct township_device *d)
{
    memset(n, 0, sizeof *n);
    meeting_node_open(n, d);
    township_node_take_all(&n->store, TOWN_OF);
    meeting_node_start(n);
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    meeting.now_ms = 0;
    township_begin(TOWN_OF, VILLAGES);
    open_node(&hub, &TOWN_OF->hub);
    open_node(&twin, &TOWN_OF->hub);
    open_node(&a, &TOWN_OF->devices[A]);
    open_node(&b, &TOWN_OF->devices[B]);
    return 0;
}

static void close_node(struct meeting_node *n)
{
    meeting_node_stop(n);
    township_node_close(&n->store);
}

static int tear_down(void **state)
{
    (void)state;
    close_node(&hub);
    close_node(&twin);
    close_node(&a);
    close_node(&b);
    township_end(TOWN_OF);
    return 0;
}

/* A village's device says something to the whole town; nobody holds it yet. */
static struct event *says(unsigned village)
{
    township_record(TOWN_OF, &TOWN_OF->devices[village],
                    &(struct township_act){.kind = "actor.enrol",
                                           .scope = "town",
                                           .body = "{\"unit\":\"village\",\"role\":\"clerk\"}",
                                           .box = "{\"name\":\"村民甲\"}"});
    return TOWN_OF->events[TOWN_OF->event_count - 1];
}

static void give(struct meeting_node *n, struct event *e)
{
    const struct exchange_time time = meeting_time();
    township_node_take(&n->store, &e, 1);
    assert_int_equal(exchange_refresh(n->exchange, &time), OK);
}

/* They are linked for half a minute. Returns what it cost in bytes. */
static uint64_t meet(struct meeting_node *from, struct meeting_node *to)
{
    struct pipe *pipe;
    pipe_open(&pipe, &from->link, &from->keys.transport, &to->link, &to->keys.transport);
    assert_int_equal(exchange_add_link(from->exchange, from->link, true), OK);
    assert_int_equal(exchange_add_link(to->exchange, to->link, false), OK);
    for (unsigned i = 0; i < 60; i++, meeting.now_ms += 500) {
        meeting_turn(from);
        meeting_turn(to);
    }
    uint64_t bytes = pipe_bytes(pipe);
    exchange_remove_link(from->exchange, from->link);
    exchange_remove_link(to->exchange, to->link);
    pipe_close(pipe);
    return bytes;
}

static struct txn *look(struct meeting_node *n)
{
    struct txn *t = NULL;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    return t;
}

static void renew(struct meeting_node *n)
{
    struct txn *t = NULL;
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    store_renew(t);
    assert_int_equal(txn_commit(t), OK);
}

/* How many stores of the hub this node keeps a state of; *newest of the last of them. */
static size_t kept(struct meeting_node *n, struct town_state *newest)
{
    struct txn *t = look(n);
    struct town_at at = {.hub = {{0}}};
    struct town_kept k;
    size_t count = 0;
    *newest = (struct town_state){.number = 0};
    for (; towns_next(t, &at, &k); count++, town_kept_clear(&k))
        if (k.state.number > newest->number) *newest = k.state;
    txn_abort(t);
    return count;
}

static bool has_proof(struct meeting_node *n, struct town_kept *x, struct town_kept *y)
{
    struct txn *t = look(n);
    bool there = towns_split_get(t, &TOWN_OF->hub.signer.key, x, y);
    txn_abort(t);
    return there;
}

static void assert_no_alarm(void)
{
    struct meeting_node *all[] = {&hub, &twin, &a, &b};
    struct town_kept x, y;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_false(has_proof(all[i], &x, &y));
        assert_null(strstr(all[i]->log, "cannot both be true"));
    }
}

static void assert_alarm(struct meeting_node *n)
{
    const struct sign_key *key = &TOWN_OF->hub.signer.key;
    const struct sign_key *township = &TOWN_OF->authority.signer.key;
    struct town_kept x, y;
    assert_true(has_proof(n, &x, &y));
    assert_int_equal(town_verify(&x.state, township, key), OK);
    assert_int_equal(town_verify(&y.state, township, key), OK);
    bool same_store = memcmp(x.state.generation, y.state.generation, 8) == 0;
    assert_true(same_store ? !hash_equal(&x.state.digest, &y.state.digest)
                           : town_ends(&x.state, y.state.generation) &&
                                 town_ends(&y.state, x.state.generation));
    assert_true(x.count && y.count);
    town_kept_clear(&x);
    town_kept_clear(&y);
    const char *told = strstr(n->log, "cannot both be true");
    assert_non_null(told);
    assert_null(strstr(told + 1, "cannot both be true")); /* once */
}

/* --- what is passed on ----------------------------------------------------------------------- */

static void a_village_keeps_what_the_hub_signed(void **state)
{
    (void)state;
    struct town_state signed_there, kept_here;
    for (unsigned i = 0; i < 100; i++, meeting.now_ms += 100) meeting_turn(&hub);
    assert_int_equal(kept(&hub, &signed_there), 0); /* nobody is there to be told */
    meet(&a, &hub);
    assert_int_equal(kept(&hub, &signed_there), 1);
    assert_int_equal(kept(&a, &kept_here), 1);
    assert_int_equal(kept_here.number, signed_there.number);
    assert_true(hash_equal(&kept_here.digest, &signed_there.digest));
    assert_no_alarm();
}

static void nothing_new_is_not_told_again(void **state)
{
    (void)state;
    struct town_state before, after;
    meet(&a, &hub);
    kept(&hub, &before);
    uint64_t quiet = meet(&a, &hub);
    assert_true(quiet < 250);
    give(&hub, says(C));
    meet(&a, &hub);
    kept(&hub, &after);
    assert_true(after.number > before.number);
    uint64_t again = meet(&a, &hub);
    assert_true(again < quiet + 30);
}

/* --- two faces ------------------------------------------------------------------------------- */

static void two_villages_that_were_shown_different_records_find_it_when_they_meet(void **state)
{
    (void)state;
    give(&hub, says(C));
    give(&twin, says(D));
    meet(&a, &hub);
    meet(&b, &twin);
    assert_no_alarm();
    meet(&a, &b);
    assert_alarm(&a);
    assert_alarm(&b);
    meet(&a, &b); /* and not anew */
    assert_alarm(&a);
    assert_alarm(&b);
}

static void it_is_found_from_either_side_alone(void **state)
{
    (void)state;
    give(&hub, says(C));
    meet(&a, &hub);
    meet(&b, &twin); /* which leaves out what C said, and signs later */
    meet(&b, &a);
    assert_alarm(&a);
    assert_alarm(&b);
}

/* A store is begun anew by restore alone; one that says so to each village has to say of each that
 * it is ended, or to leave it open for ever. */
static void a_new_store_for_each_village_is_no_way_out(void **state)
{
    (void)state;
    struct town_state s;
    renew(&twin);
    give(&hub, says(C));
    give(&twin, says(D));
    meet(&a, &hub);
    meet(&b, &twin);
    meet(&a, &b);
    assert_int_equal(kept(&a, &s), 2); /* both stand, and are shown */
    assert_int_equal(kept(&b, &s), 2);
    assert_no_alarm();
    meet(&a, &hub);
    meet(&b, &twin);
    meet(&a, &b);
    assert_alarm(&a);
    assert_alarm(&b);
}

/* --- what is honest -------------------------------------------------------------------------- */

static void villages_that_were_there_at_different_times_raise_no_alarm(void **state)
{
    (void)state;
    struct town_state at_a, at_b;
    meet(&a, &hub);
    give(&hub, says(C));
    give(&hub, says(D));
    meet(&b, &hub);
    meet(&a, &b);
    assert_no_alarm();
    kept(&a, &at_a);
    kept(&b, &at_b);
    assert_int_equal(at_a.number, at_b.number);
    give(&a, says(A)); /* that the hub does not know yet */
    meet(&b, &a);
    meet(&b, &hub);
    meet(&a, &hub);
    meet(&a, &b);
    assert_no_alarm();
}

/* What was told before somebody was revoked names more of his than what is told later. */
static void heads_that_go_back_by_a_revocation_raise_no_alarm(void **state)
{
    (void)state;
    char body[256], feed8[17], id16[33];
    struct feed_id feed;
    const struct event *first = says(C);
    give(&hub, TOWN_OF->events[TOWN_OF->event_count - 1]);
    give(&hub, says(C));
    give(&hub, says(C));
    meet(&a, &hub);
    feed_id_of(&feed, &first->feed);
    hex_encode(feed8, feed.bytes, 8);
    hex_encode(id16, first->id.bytes, 16);
    snprintf(body, sizeof body,
             "{\"reason\":\"stolen\",\"heads\":[[{\"$bin\":\"%s\"},1,{\"$bin\":\"%s\"}]]}", feed8,
             id16);
    township_record(TOWN_OF, &TOWN_OF->authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .scope = "town",
                                           .subject = &TOWN_OF->devices[C].thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = body});
    give(&hub, TOWN_OF->events[TOWN_OF->event_count - 1]);
    meet(&b, &hub);
    meet(&a, &b);
    meet(&b, &a);
    meet(&a, &hub);
    assert_no_alarm();
    struct town_state at_a, at_hub;
    kept(&a, &at_a);
    kept(&hub, &at_hub);
    assert_int_equal(at_a.number, at_hub.number);
}

static void a_hub_that_was_restored_raises_no_alarm(void **state)
{
    (void)state;
    struct town_state s;
    give(&hub, says(C));
    meet(&a, &hub);
    meet(&b, &hub);
    renew(&twin); /* from a backup of before, put back: `hub` is gone */
    meet(&a, &twin);
    assert_int_equal(kept(&a, &s), 1); /* it was told of its store before, and says it is ended */
    assert_int_equal(s.ended_count, 1);
    meet(&a, &b);
    assert_int_equal(kept(&b, &s), 1);
    assert_int_equal(s.ended_count, 1);
    give(&twin, says(D));
    meet(&b, &twin);
    meet(&b, &a);
    assert_no_alarm();
}

static void a_hub_that_was_restored_twice_raises_no_alarm(void **state)
{
    (void)state;
    struct town_state s;
    give(&hub, says(C));
    meet(&a, &hub);
    renew(&twin);
    give(&twin, says(D));
    meet(&b, &twin);
    renew(&twin);
    meet(&b, &twin);
    meet(&a, &twin);
    meet(&a, &b);
    meet(&b, &twin);
    meet(&a, &b);
    assert_int_equal(kept(&a, &s), 1);
    assert_int_equal(s.ended_count, 2);
    assert_no_alarm();
}

/* The store was put back with all around it, so nothing says so: whoever comes shows that it has
 * less, and it signs when it has it again. */
static void a_hub_that_was_put_back_signs_once_it_has_all_again(void **state)
{
    (void)state;
    struct town_state before, after;
    give(&hub, says(C));
    give(&hub, says(D));
    meet(&a, &hub);
    kept(&a, &before);
    meet(&a, &twin);
    meet(&b, &twin);
    kept(&b, &after);
    assert_true(after.number > before.number);
    meet(&a, &b);
    assert_no_alarm();
}

/* The image was made before a store was given up, so that store is back, and is told that it was
 * given up: it goes on under another name. */
static void a_store_that_was_given_up_and_is_back_goes_on_under_another_name(void **state)
{
    (void)state;
    struct town_state s;
    meet(&b, &twin); /* the image: a store of generation 1 */
    renew(&hub);
    give(&hub, says(C));
    meet(&b, &hub);
    meet(&a, &hub);
    meet(&b, &hub);
    meet(&a, &hub);
    kept(&a, &s);
    assert_int_equal(s.ended_count, 1);
    meet(&a, &twin); /* the image is put back in the hub's place */
    give(&twin, says(D));
    meet(&b, &twin);
    meet(&a, &twin);
    meet(&a, &b);
    assert_no_alarm();
    assert_int_equal(kept(&a, &s), 1);
    assert_int_equal(s.ended_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_village_keeps_what_the_hub_signed),
        TEST(nothing_new_is_not_told_again),
        TEST(two_villages_that_were_shown_different_records_find_it_when_they_meet),
        TEST(it_is_found_from_either_side_alone),
        TEST(a_new_store_for_each_village_is_no_way_out),
        TEST(villages_that_were_there_at_different_times_raise_no_alarm),
        TEST(heads_that_go_back_by_a_revocation_raise_no_alarm),
        TEST(a_hub_that_was_restored_raises_no_alarm),
        TEST(a_hub_that_was_restored_twice_raises_no_alarm),
        TEST(a_store_that_was_given_up_and_is_back_goes_on_under_another_name),
        TEST(a_hub_that_was_put_back_signs_once_it_has_all_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
