/* The session with a hub that was put back from an older copy: what it lacks is sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

static void a_wrong_memory_is_mended_by_hello(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 50);
    side_hold(p->hub, 0, 10); /* restored from an old backup */
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 40);
    sides_run(p, &memory);
    assert_int_equal(p->hub->feeds[0].top[0], 50);
    assert_int_equal(p->village->alarms, 1);
    assert_true(side_idle(p->village));
}

static struct side *watched;
static bool idle_early;

static void look_at_watched(struct side *s, const struct session_action *a)
{
    (void)a;
    if (side_idle(watched) && !s->feeds[0].held) idle_early = true;
}

/* e2e/test_restore: a hub put back on another machine lacks a feed altogether and remembers nothing
 * of it, so its short HELLO says nothing either. A village that had asked for the whole one took
 * itself to be done meanwhile, and said goodbye. */
static void whoever_asked_for_a_whole_hello_is_not_done_before_it(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 50);
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 50);
    watched = p->village;
    idle_early = false;
    p->hub->acted = look_at_watched;
    side_start(p->village, true, &memory);
    side_start(p->hub, false, &(struct session_memory){.known = true});
    sides_talk(p->village, p->hub);
    assert_false(idle_early);
    assert_int_equal(p->hub->feeds[0].top[0], 50);
    assert_true(side_idle(p->village));
}

static void look_whether_branch_0_came(struct side *s, const struct session_action *a)
{
    (void)a;
    if (side_idle(watched) && !s->feeds[0].top[0]) idle_early = true;
}

/* e2e/test_restore: the image of the hub's disk was put back, and the hub went on. To send it its
 * own former branch the village needs the new one first; while it asked for that it took itself to
 * be done. */
static void whoever_asked_for_the_other_branch_is_not_done_before_it(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 4);
    p->hub->feeds[0].held = true;
    p->hub->feeds[0].feed = side_feed(0);
    p->hub->feeds[0].fork = 3;
    p->hub->feeds[0].top[1] = 4;
    p->village->feeds[0].fork = 3;
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 4);
    watched = p->village;
    idle_early = false;
    p->hub->acted = look_whether_branch_0_came;
    sides_run(p, &memory);
    assert_false(idle_early);
    assert_int_equal(p->hub->feeds[0].top[0], 4);
    assert_int_equal(p->village->feeds[0].top[1], 4);
    assert_true(side_idle(p->village));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wrong_memory_is_mended_by_hello, sides_begin, sides_end),
        cmocka_unit_test_setup_teardown(whoever_asked_for_a_whole_hello_is_not_done_before_it,
                                        sides_begin, sides_end),
        cmocka_unit_test_setup_teardown(whoever_asked_for_the_other_branch_is_not_done_before_it,
                                        sides_begin, sides_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
