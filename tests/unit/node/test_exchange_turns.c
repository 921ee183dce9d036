/* Whose run the hub makes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/exchange_state.h"

#include <stdlib.h>

enum { PEERS = 4 };

struct scene {
    struct exchange x;
    struct peer peers[PEERS];
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    s->x.builds_tail = &s->x.builds;
    /* the second was last here longest ago, the fourth never */
    static const uint64_t last_ok_ms[PEERS] = {3000, 1000, 2000, 0};
    for (size_t i = 0; i < PEERS; i++) s->peers[i].row.last_ok_ms = last_ok_ms[i];
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    for (struct pending_build *b; (b = s->x.builds); free(b)) s->x.builds = b->next;
    free(s);
    return 0;
}

static void ask(struct scene *s, size_t peer)
{
    struct pending_build *b = calloc(1, sizeof *b);
    b->peer = &s->peers[peer];
    *s->x.builds_tail = b;
    s->x.builds_tail = &b->next;
}

static size_t serve(struct scene *s)
{
    struct pending_build *b = exchange_next_build(&s->x);
    assert_non_null(b);
    size_t peer = (size_t)(b->peer - s->peers);
    free(b);
    return peer;
}

static void who_waited_longest_is_served_first(void **state)
{
    struct scene *s = *state;
    static const size_t order[PEERS] = {3, 1, 2, 0};
    for (size_t i = 0; i < PEERS; i++) ask(s, i);
    for (size_t i = 0; i < PEERS; i++) assert_int_equal(serve(s), order[i]);
    assert_null(exchange_next_build(&s->x));
    ask(s, 2); /* the tail is right after the last one went */
    assert_int_equal(serve(s), 2);
}

/* The one that never succeeds asks for more and more; the others get theirs in every lap. */
static void nobody_starves(void **state)
{
    struct scene *s = *state;
    size_t served[PEERS] = {0};
    for (size_t i = 0; i < PEERS; i++) ask(s, i);
    for (int i = 0; i < 100 * PEERS; i++) {
        size_t peer = serve(s);
        served[peer]++;
        ask(s, peer);
    }
    for (size_t i = 0; i < PEERS; i++) assert_int_equal(served[i], 100);
}

static void who_was_away_does_not_keep_the_others_waiting(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 1000; i++) {
        ask(s, 0);
        assert_int_equal(serve(s), 0);
    }
    ask(s, 0);
    for (int i = 0; i < 1000; i++) ask(s, 3);
    assert_int_equal(serve(s), 3);
    assert_int_equal(serve(s), 3); /* the lap that is under way, and the next */
    assert_int_equal(serve(s), 0);
}

static void who_takes_nothing_is_passed_over(void **state)
{
    struct scene *s = *state;
    static struct unsent waiting;
    s->peers[3].unsent = &waiting;
    ask(s, 3);
    ask(s, 0);
    assert_int_equal(serve(s), 0);
    assert_null(exchange_next_build(&s->x));
    s->peers[3].unsent = NULL;
    assert_int_equal(serve(s), 3);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(who_waited_longest_is_served_first),
        STORY(nobody_starves),
        STORY(who_was_away_does_not_keep_the_others_waiting),
        STORY(who_takes_nothing_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
