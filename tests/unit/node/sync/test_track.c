/* What a session knows of a feed: points, heads that lack, the order of sending, the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/track.h"

#include <string.h>

static struct want_point point(uint64_t seq, uint8_t branch)
{
    return (struct want_point){.seq = seq, .id8 = {branch + 1, (uint8_t)seq}};
}

static void add(struct point_set *set, uint64_t seq, uint8_t branch)
{
    struct want_point p = point(seq, branch);
    points_add(set, &p, NULL);
}

static bool has(const struct point_set *set, uint64_t seq, uint8_t branch)
{
    struct want_point p = point(seq, branch);
    return points_have(set, &p);
}

static void head(struct track *t, uint64_t seq, uint8_t branch)
{
    struct want_point p = point(seq, branch);
    struct session_head *h = &t->local.heads[t->local.head_count++];
    h->seq = seq;
    memcpy(h->id.bytes, p.id8, sizeof p.id8);
    t->held = true;
}

/* --- points --- */

static void a_point_is_added_once(void **state)
{
    (void)state;
    struct point_set set = {0};
    add(&set, 7, 0);
    add(&set, 7, 0);
    assert_int_equal(set.count, 1);
    add(&set, 7, 1);
    assert_int_equal(set.count, 2);
    assert_int_equal(points_top(&set), 7);
}

static void a_point_takes_its_ancestors_place(void **state)
{
    (void)state;
    struct point_set set = {0};
    struct want_point old = point(5, 0), new = point(9, 0), stranger = point(2, 3);
    add(&set, 5, 0);
    points_add(&set, &new, &old);
    assert_int_equal(set.count, 1);
    assert_true(has(&set, 9, 0));
    new = point(3, 3);
    points_add(&set, &new, &stranger);
    assert_int_equal(set.count, 2);
}

static void a_full_set_loses_its_oldest(void **state)
{
    (void)state;
    struct point_set set = {0};
    for (uint64_t i = 1; i <= TRACK_POINTS_MAX + 3; i++) add(&set, i, 0);
    assert_int_equal(set.count, TRACK_POINTS_MAX);
    assert_false(has(&set, 3, 0));
    assert_true(has(&set, 4, 0));
    assert_true(has(&set, TRACK_POINTS_MAX + 3, 0));
}

static void sets_are_equal_whatever_their_order(void **state)
{
    (void)state;
    struct point_set a = {0}, b = {0};
    assert_true(points_equal(&a, &b));
    add(&a, 1, 0);
    add(&a, 2, 1);
    add(&b, 2, 1);
    assert_false(points_equal(&a, &b));
    add(&b, 1, 0);
    assert_true(points_equal(&a, &b));
    b.points[0].id8[7] = 1;
    assert_false(points_equal(&a, &b));
}

/* --- heads --- */

static void a_head_that_the_peer_lacks_is_next(void **state)
{
    (void)state;
    struct track t = {0};
    assert_null(track_next_head(&t));
    head(&t, 10, 0);
    assert_int_equal(track_next_head(&t)->seq, 10);
    assert_int_equal(track_unsent(&t), 10);
    add(&t.peer, 4, 0);
    add(&t.confirmed, 4, 0);
    assert_int_equal(track_unsent(&t), 6);
    add(&t.sent, 10, 0);
    assert_null(track_next_head(&t));
    assert_false(track_arrived(&t));
    add(&t.confirmed, 10, 0);
    assert_true(track_arrived(&t));
    assert_int_equal(track_unsent(&t), 0);
}

static void both_heads_of_a_fork_are_sent(void **state)
{
    (void)state;
    struct track t = {0};
    head(&t, 10, 0);
    head(&t, 10, 1);
    add(&t.peer, 10, 0);
    assert_memory_equal(track_next_head(&t)->id.bytes, point(10, 1).id8, 8);
    add(&t.sent, 10, 1);
    assert_null(track_next_head(&t));
}

static void a_head_above_on_another_branch_covers_nothing(void **state)
{
    (void)state;
    struct track t = {0};
    head(&t, 7, 0);
    head(&t, 6, 1);
    add(&t.peer, 7, 0);
    assert_int_equal(track_next_head(&t)->seq, 6);
    add(&t.confirmed, 7, 0);
    assert_false(track_arrived(&t));
    add(&t.peer, 9, 1); /* not held here: it may follow on the shorter branch */
    assert_null(track_next_head(&t));
}

static void another_event_of_the_same_number_covers_nothing(void **state)
{
    (void)state;
    struct track t = {0};
    head(&t, 10, 0);
    add(&t.peer, 10, 1);
    add(&t.peer, 11, 1);
    assert_non_null(track_next_head(&t));
}

static void a_wish_counts_and_not_what_was_thought(void **state)
{
    (void)state;
    struct track t = {.want_open = true};
    head(&t, 10, 0);
    add(&t.peer, 10, 0);
    add(&t.confirmed, 10, 0);
    add(&t.wanted, 30, 5);
    assert_non_null(track_next_head(&t));
    add(&t.wanted, 10, 0);
    assert_null(track_next_head(&t));
}

static void a_feed_that_is_parked_building_or_not_here_is_left_alone(void **state)
{
    (void)state;
    struct track t = {0};
    head(&t, 3, 0);
    t.parked = true;
    assert_null(track_next_head(&t));
    t.parked = false;
    t.building = true;
    assert_null(track_next_head(&t));
    t.building = false;
    t.held = false;
    assert_null(track_next_head(&t));
    assert_true(track_arrived(&t));
}

static void numbers_of_a_peer_beyond_ours_are_behind(void **state)
{
    (void)state;
    struct track t = {0};
    add(&t.peer, UINT64_C(1) << 48, 0);
    assert_int_equal(track_behind(&t), UINT64_C(1) << 48);
    head(&t, 3, 0);
    assert_int_equal(track_behind(&t), (UINT64_C(1) << 48) - 3);
}

/* --- order --- */

static void the_order_of_sending_is_that_of_the_design(void **state)
{
    (void)state;
    struct track in_order[7];
    memset(in_order, 0, sizeof in_order);
    in_order[0].local.roster = true;
    in_order[1].local.feed.lane = LANE_URGENT;
    in_order[2].local.feed.lane = LANE_NORMAL;
    in_order[3].local.feed.lane = LANE_NORMAL;
    in_order[4].local.feed.lane = LANE_NORMAL;
    in_order[5].local.feed.lane = LANE_INTAKE;
    in_order[6].local.feed.lane = LANE_URGENT;
    in_order[6].local.village_town = true;
    for (size_t i = 0; i < 7; i++) head(&in_order[i], i == 4 ? 200 : 100, 0);
    in_order[3].id8[7] = 1; /* as much as the one before: by id */
    for (size_t i = 0; i < 7; i++)
        for (size_t j = i + 1; j < 7; j++) {
            assert_true(track_compare(&in_order[i], &in_order[j]) < 0);
            assert_true(track_compare(&in_order[j], &in_order[i]) > 0);
        }
    assert_int_equal(track_compare(&in_order[0], &in_order[0]), 0);
}

/* --- the table --- */

static void the_table_finds_what_it_made_and_has_a_bound(void **state)
{
    (void)state;
    struct track_table table = {0};
    uint8_t id8[8];
    size_t max = 2 * HAVE_ENTRIES_MAX;
    for (size_t i = 0; i < max; i++) {
        be64_put(id8, i * UINT64_C(0x9e3779b97f4a7c15)); /* in no order */
        assert_null(tracks_find(&table, id8));
        struct track *t = tracks_get(&table, id8);
        assert_non_null(t);
        assert_ptr_equal(tracks_get(&table, id8), t);
        assert_ptr_equal(tracks_find(&table, id8), t);
    }
    for (size_t i = 1; i < max; i++)
        assert_true(memcmp(table.rows[i - 1]->id8, table.rows[i]->id8, 8) < 0);
    memset(id8, 0x77, sizeof id8);
    assert_null(tracks_get(&table, id8));
    assert_int_equal(table.count, max);
    tracks_clear(&table);
    assert_int_equal(table.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_added_once),
        cmocka_unit_test(a_point_takes_its_ancestors_place),
        cmocka_unit_test(a_full_set_loses_its_oldest),
        cmocka_unit_test(sets_are_equal_whatever_their_order),
        cmocka_unit_test(a_head_that_the_peer_lacks_is_next),
        cmocka_unit_test(both_heads_of_a_fork_are_sent),
        cmocka_unit_test(a_head_above_on_another_branch_covers_nothing),
        cmocka_unit_test(another_event_of_the_same_number_covers_nothing),
        cmocka_unit_test(a_wish_counts_and_not_what_was_thought),
        cmocka_unit_test(a_feed_that_is_parked_building_or_not_here_is_left_alone),
        cmocka_unit_test(numbers_of_a_peer_beyond_ours_are_behind),
        cmocka_unit_test(the_order_of_sending_is_that_of_the_design),
        cmocka_unit_test(the_table_finds_what_it_made_and_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
