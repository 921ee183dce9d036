#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/audit.h"
#include "tests/support/rng.h"
#include "proto/rotation.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A village's laptop records on two branches (it was copied), the authority revokes it and names
 * heads. Whatever comes first, and whether views are made anew: the same counts, the same stands
 * aside.
 */
static struct township town;
static struct township_device *laptop;
static const struct event *events[2][8]; /* by branch; [1][0..2] is [0][0..2] */
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), OK);
    township_begin(&town, 2);
    laptop = &town.devices[0];
    char number[16];
    struct township_feed before[8];
    size_t count = 0;
    for (size_t i = 0; i < 8; i++) {
        if (i == 3) {
            memcpy(before, laptop->feeds, sizeof before);
            count = laptop->feed_count;
        }
        snprintf(number, sizeof number, "01A-%04zu", i + 1);
        events[0][i] = township_register(&town, laptop, number);
        if (i < 3) events[1][i] = events[0][i];
    }
    memcpy(laptop->feeds, before, sizeof before);
    laptop->feed_count = count;
    for (size_t i = 3; i < 8; i++) {
        snprintf(number, sizeof number, "01A-%04zu", i + 101);
        events[1][i] = township_register(&town, laptop, number);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

/* --- revoking -------------------------------------------------------------------------------- */

static const struct event *revoke(uint32_t depth, const char *heads)
{
    return township_revoke(&town, &laptop->thing, depth, heads);
}

/* --- what a node makes of it ----------------------------------------------------------------- */

struct outcome {
    struct hash events, views;
    uint64_t counted, aside;
    uint8_t aside_sum[32]; /* of the ids, whatever their order */
};

static void problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    (void)state;
    print_error("arrival %llu: %s (%s)\n", (unsigned long long)arrival, what, err_text(err));
}

static struct outcome outcome_of(struct township_node *n)
{
    struct outcome out = {0};
    struct audit_result audit;
    const struct audit_options options = {.all_signatures = true, .problem = problem};
    const struct scope village = scope_of_village(laptop->village);
    struct views_digest digest;
    struct txn *t;
    township_node_settle(n);
    assert_int_equal(audit_run(n->store, &options, &audit), OK);
    assert_int_equal(audit.problems, 0);
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    struct aside_cursor cursor = {.txn = t};
    for (uint64_t arrival; (arrival = aside_next(&cursor)) != 0; out.aside++) {
        struct event e;
        assert_int_equal(log_read(t, arrival, &e), OK);
        assert_int_equal(log_read_unverified(t, arrival, &e), ERR_NOT_FOUND);
        assert_int_equal(log_read(t, arrival, &e), OK);
        for (size_t i = 0; i < sizeof out.aside_sum; i++) out.aside_sum[i] ^= e.id.bytes[i];
    }
    assert_int_equal(views_digest(t, &village, &digest), OK);
    out.views = digest.digest;
    txn_abort(t);
    assert_int_equal(audit_events_digest(n->store, township_node_scope(n, village.text),
                                         &out.events, &out.counted),
                     OK);
    return out;
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->counted, b->counted);
    assert_int_equal(a->aside, b->aside);
    assert_memory_equal(a->aside_sum, b->aside_sum, sizeof a->aside_sum);
    assert_memory_equal(&a->events, &b->events, sizeof a->events);
    assert_memory_equal(&a->views, &b->views, sizeof a->views);
}

/* --- any order ------------------------------------------------------------------------------- */

static bool is_next(const bool *taken, size_t i)
{
    const struct event *e = town.events[i];
    if (e->seq == 1) return true;
    for (size_t k = 0; k < town.event_count; k++)
        if (taken[k] && event_id_equal(&town.events[k]->id, &e->prev)) return true;
    return false;
}

static void take_in_some_order(struct township_node *n, struct rng *rng)
{
    bool taken[128] = {0};
    assert_true(town.event_count <= COUNT_OF(taken));
    for (size_t left = town.event_count; left > 0;) {
        size_t i = (size_t)rng_below(rng, town.event_count);
        if (taken[i] || !is_next(taken, i)) continue;
        township_node_take(n, &town.events[i], 1);
        taken[i] = true;
        left--;
    }
}

static void same_in_every_order(uint64_t counted, uint64_t aside)
{
    struct township_node n;
    township_node_open(&n, &town, &town.hub);
    township_node_take_all(&n, &town);
    struct outcome first = outcome_of(&n);
    township_node_close(&n);
    assert_int_equal(first.counted, counted);
    assert_int_equal(first.aside, aside);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rng rng = {seed};

        township_node_open(&n, &town, &town.hub);
        take_in_some_order(&n, &rng);
        struct outcome other = outcome_of(&n);
        assert_same(&first, &other);
        assert_int_equal(views_rebuild(n.views, n.store, NULL, NULL), OK);
        other = outcome_of(&n);
        assert_same(&first, &other);
        township_node_close(&n);
    }
}

static void a_named_head_takes_the_rest_away_in_every_order(void **state)
{
    (void)state;
    char heads[512] = "";
    township_name_head(heads, sizeof heads, events[0][5]);
    revoke(2, heads);
    same_in_every_order(6, 7);
}

static void both_branches_count_as_far_as_they_are_named(void **state)
{
    (void)state;
    char heads[512] = "";
    township_name_head(heads, sizeof heads, events[0][7]);
    township_name_head(heads, sizeof heads, events[1][4]);
    revoke(2, heads);
    same_in_every_order(10, 3);
}

static void a_feed_that_is_not_named_counts_for_nothing(void **state)
{
    (void)state;
    revoke(2, "");
    same_in_every_order(0, 13);
}

static void a_later_revocation_gives_back_what_it_names(void **state)
{
    (void)state;
    char heads[512] = "", more[512] = "";
    township_name_head(heads, sizeof heads, events[0][1]);
    township_name_head(more, sizeof more, events[0][6]);
    township_name_head(more, sizeof more, events[1][7]);
    revoke(2, heads);
    revoke(3, more);
    same_in_every_order(12, 1);
}

/* build/sim --seed 56: the event that made the key one of the device's stands aside, so its feed
 * was nobody's, and counted where it had come in time. */
static void what_a_thief_signs_with_a_new_key_counts_for_nothing(void **state)
{
    (void)state;
    static struct township_device thief;
    struct signature proof;
    struct outcome taken, again;
    struct township_node n;
    char heads[512] = "", body[512], key[65], proof_hex[129];
    thief = *laptop;
    thief.feed_count = 0;
    memset(thief.feeds, 0, sizeof thief.feeds);
    township_signer(&thief.signer, 77);
    const struct rotation r = {.township = town.authority.signer.key,
                               .device = laptop->thing,
                               .has_key = true,
                               .key = thief.signer.key};
    rotation_sign(&proof, &r, &thief.signer);
    hex_encode(key, thief.signer.key.bytes, 32);
    hex_encode(proof_hex, proof.bytes, 64);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"proof\":\"%s\"}", key, proof_hex);
    township_record(&town, laptop,
                    &(struct township_act){.kind = "device.rotated",
                                           .scope = "town",
                                           .subject = &laptop->thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = body});
    township_register(&town, &thief, "01A-0201");
    township_name_head(heads, sizeof heads, events[0][7]);
    township_name_head(heads, sizeof heads, events[1][7]);
    township_node_open(&n, &town, &town.hub);
    township_node_take_all(&n, &town);
    taken = outcome_of(&n);
    assert_int_equal(taken.counted, 14);
    assert_int_equal(taken.aside, 0);
    revoke(3, heads);
    township_node_take_all(&n, &town);
    taken = outcome_of(&n);
    assert_int_equal(taken.counted, 13);
    assert_int_equal(taken.aside, 2);
    assert_int_equal(views_rebuild(n.views, n.store, NULL, NULL), OK);
    again = outcome_of(&n);
    assert_same(&taken, &again);
    township_node_close(&n);
}

/* The roster is judged from the beginning each time it changes; what else stands aside is not. */
static void a_later_change_of_the_roster_costs_no_rebuild(void **state)
{
    (void)state;
    enum { MANY = 4200 }; /* more than is folded in one transaction */
    struct township_node n;
    struct txn *t;
    uint64_t done, total;
    const struct event *odd = township_record(&town, laptop,
                                              &(struct township_act){.kind = "device.rotated",
                                                                     .scope = "town",
                                                                     .subject = &laptop->thing,
                                                                     .depth = 2,
                                                                     .seen = 2,
                                                                     .body = "{}"});
    for (unsigned i = 0; i < MANY; i++) township_register(&town, laptop, "01A-0301");
    revoke(3, "");
    township_node_open(&n, &town, &town.hub);
    township_node_take_all(&n, &town);
    const struct outcome before = outcome_of(&n);
    assert_true(before.aside > MANY);
    assert_true(odd->seq > 0);
    const size_t known = town.event_count;
    struct signer invite;
    township_signer(&invite, 78);
    township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'C');
    township_node_take(&n, &town.events[known], 1);
    assert_int_equal(txn_begin(n.store, false, &t), OK);
    assert_false(views_rebuild_pending(t, &done, &total));
    txn_abort(t);
    const struct outcome after = outcome_of(&n);
    assert_int_equal(after.aside, before.aside);
    assert_int_equal(after.counted, before.counted);
    township_node_close(&n);
}

/* Until the head is here, nobody can tell which branch leads to it. */
static void what_comes_before_a_head_that_is_not_held_counts_until_it_comes(void **state)
{
    (void)state;
    struct township_node n;
    char heads[512] = "";
    township_name_head(heads, sizeof heads, events[0][7]);
    const struct event *revocation = revoke(2, heads);
    township_node_open(&n, &town, &town.hub);
    for (size_t i = 0; i < town.event_count; i++)
        if (town.events[i] != events[0][7]) township_node_take(&n, &town.events[i], 1);
    assert_non_null(revocation);
    struct outcome out = outcome_of(&n);
    assert_int_equal(out.counted, 11); /* all below number 8 of both branches */
    assert_int_equal(out.aside, 1);
    struct event *last[] = {(struct event *)(uintptr_t)events[0][7]};
    township_node_take(&n, last, 1);
    out = outcome_of(&n);
    assert_int_equal(out.counted, 8);
    assert_int_equal(out.aside, 5);
    township_node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_named_head_takes_the_rest_away_in_every_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(both_branches_count_as_far_as_they_are_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_feed_that_is_not_named_counts_for_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_later_revocation_gives_back_what_it_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_thief_signs_with_a_new_key_counts_for_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_change_of_the_roster_costs_no_rebuild, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_comes_before_a_head_that_is_not_held_counts_until_it_comes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
