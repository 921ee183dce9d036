/*
 * The views do not depend on the order of arrival: random histories of things of every type reach
 * many nodes, each in another order, in other pieces, the roster first or late; at the end all have
 * the same rows to the byte, and a village has those of what it may hold.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/store/txn.h"
#include "node/views/request.h"
#include "tests/support/histories.h"

enum { HISTORIES = 2000, ORDERS = 20, FEEDS_MAX = 64, SEED = 20220712 };

static struct township town;

/* What is still to come of one feed. */
struct stream {
    struct event *events[TOWNSHIP_EVENTS_MAX];
    size_t count, next;
};
static struct stream streams[FEEDS_MAX];
static size_t stream_count;

static int set_up(void **state)
{
    (void)state;
    struct rng rng = {SEED};
    township_begin(&town, 3);
    histories_begin(&town);
    for (unsigned i = 0; i < HISTORIES; i++) histories_add(&town, &rng);
    for (size_t i = 0; i < town.event_count; i++) {
        struct event *e = town.events[i];
        size_t s = 0;
        while (s < stream_count && !feed_equal(&streams[s].events[0]->feed, &e->feed)) s++;
        if (s == stream_count) stream_count++;
        assert_true(stream_count <= FEEDS_MAX);
        streams[s].events[streams[s].count++] = e;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

static bool wanted(const struct stream *s, const char *village)
{
    const struct scope *scope = &s->events[0]->feed.scope;
    return !village || scope_class(scope) == SCOPE_TOWN ||
           strcmp(scope_village(scope), village) == 0;
}

/* A random stretch of a random feed; NULL when all have come. */
static struct stream *choose_stream(struct rng *rng, const char *village)
{
    size_t open[FEEDS_MAX], count = 0;
    for (size_t s = 0; s < stream_count; s++)
        if (streams[s].next < streams[s].count && wanted(&streams[s], village)) open[count++] = s;
    return count ? &streams[open[rng_below(rng, count)]] : NULL;
}

static void deliver(struct township_node *n, struct rng *rng, const char *village, bool late)
{
    static struct event *batch[4096];
    for (size_t s = 0; s < stream_count; s++) streams[s].next = 0;
    if (!late) township_node_take(n, town.events, town.roster_count);
    for (bool more = true; more;) {
        size_t count = 0;
        for (uint64_t runs = rng_between(rng, 1, 8); runs > 0; runs--) {
            struct stream *s = choose_stream(rng, village);
            more = s != NULL;
            if (!more) break;
            for (uint64_t i = rng_between(rng, 1, 200); i > 0 && s->next < s->count; i--)
                batch[count++] = s->events[s->next++];
        }
        township_node_take(n, batch, count);
        if (late && rng_chance(rng, 2)) township_node_settle(n);
    }
    township_node_settle(n);
}

/* Every row of a scope, table after table. */
static void dump_scope(struct txn *t, const char *text, struct buf *out)
{
    static const uint8_t tables[] = {ROW_THING, ROW_OPEN, ROW_NUMBER};
    struct scope scope;
    struct scope_row row;
    assert_int_equal(scope_parse(&scope, slice_of_text(text)), OK);
    if (!scope_find(t, &scope, &row)) return;
    buf_append(out, row.rows_sum, sizeof row.rows_sum);
    for (size_t i = 0; i < sizeof tables; i++) {
        struct row_cursor cursor = {.scope_number = row.number, .table = tables[i]};
        struct slice key, value;
        while (row_next(t, &cursor, &key, &value)) {
            buf_append_slice(out, key);
            buf_append_slice(out, value);
        }
    }
    assert_int_equal(txn_error(t), OK);
}

/* Says where two dumps part: the bytes there, as far as they are readable in hex. */
static void fail_rows(unsigned order, const char *scope, const struct buf *a, const struct buf *b)
{
    char left[81], right[81];
    size_t at = sizeof((struct scope_row *)0)->rows_sum; /* the sum differs whenever a row does */
    while (at < a->size && at < b->size && a->data[at] == b->data[at]) at++;
    size_t from = at > 20 ? at - 20 : 0;
    hex_encode(left, a->data + from, a->size - from < 40 ? a->size - from : 40);
    hex_encode(right, b->data + from, b->size - from < 40 ? b->size - from : 40);
    fail_msg("order %u: other rows in %s, %zu and %zu bytes, from %zu on:\n%s\n%s", order, scope,
             a->size, b->size, at, left, right);
}

static const char *const scopes[] = {"town", "village:431322111201", "village:431322111202",
                                     "village:431322111203", "office"};
enum { SCOPES = sizeof scopes / sizeof scopes[0] };

static void dump(struct township_node *n, struct buf out[SCOPES])
{
    struct txn *t;
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    for (size_t i = 0; i < SCOPES; i++) dump_scope(t, scopes[i], &out[i]);
    txn_abort(t);
}

static void all_nodes_have_the_same_rows_in_whatever_order_the_events_came(void **state)
{
    (void)state;
    struct buf expected[SCOPES] = {{0}};
    for (unsigned order = 0; order < ORDERS; order++) {
        struct rng rng = {SEED + order + 1};
        struct township_node node;
        struct buf rows[SCOPES] = {{0}};
        bool village = order % 5 == 4;
        township_node_open(&node, &town, village ? &town.devices[0] : &town.hub);
        deliver(&node, &rng, village ? town.devices[0].village : NULL, order % 2 == 1);
        dump(&node, order ? rows : expected);
        for (size_t i = 0; i < SCOPES && order; i++) {
            if (village && i > 1) continue;
            if (!slice_equal(buf_slice(&rows[i]), buf_slice(&expected[i])))
                fail_rows(order, scopes[i], &expected[i], &rows[i]);
        }
        for (size_t i = 0; i < SCOPES; i++) buf_clear(&rows[i]);
        township_node_close(&node);
    }
    assert_true(expected[0].size > 1500 && expected[1].size > 10000);
    for (size_t i = 0; i < SCOPES; i++) buf_clear(&expected[i]);
}

/* The histories are worth something only if much in them has an effect, and much has none. */
static void histories_have_acts_with_and_without_effect(void **state)
{
    (void)state;
    struct township_node node;
    struct txn *t;
    size_t effects[EFFECT_LIMIT + 1] = {0}, states[REQUEST_STATE_COUNT] = {0};
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    township_node_settle(&node);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    struct thing_key key = {0};
    while (thing_each(t, &key)) {
        struct history h;
        struct request r;
        assert_int_equal(views_history(node.views, t, key.scope_number, &key.thing, &h), OK);
        for (size_t i = 0; i < h.count; i++) effects[h.items[i].effect]++;
        history_clear(&h);
        if (request_get(t, &key, &r) == OK) states[r.state]++;
    }
    txn_abort(t);
    township_node_close(&node);
    print_message("%zu events, with effect %zu, forbidden %zu, impossible %zu, bad field %zu\n",
                  town.event_count, effects[EFFECT_COUNTS], effects[EFFECT_FORBIDDEN],
                  effects[EFFECT_IMPOSSIBLE], effects[EFFECT_BAD_FIELD]);
    assert_true(effects[EFFECT_COUNTS] > 4000 && effects[EFFECT_IMPOSSIBLE] > 1000);
    assert_true(effects[EFFECT_FORBIDDEN] > 100 && effects[EFFECT_BAD_FIELD] > 100);
    assert_true(effects[EFFECT_BAD_DEPTH] > 20);
    for (unsigned s = REQUEST_REGISTERED; s < REQUEST_STATE_COUNT; s++)
        if (!states[s]) fail_msg("no request ended in state %s", request_state_name(s));
}

int main(void)
{
    if (crypto_init()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_have_acts_with_and_without_effect),
        cmocka_unit_test(all_nodes_have_the_same_rows_in_whatever_order_the_events_came),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
