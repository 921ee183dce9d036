#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/actor.h"
#include "node/views/request.h"
#include "tests/support/township.h"

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

/* --- any order of arrival ------------------------------------------------------------------ */

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

static const char *const acts[][2] = {
    {"request.accept", "{\"class\":\"simple\",\"due\":1764000000000}"},
    {"order.issue", "{\"unit\":\"a\",\"due\":1764000000000,\"signed_by\":"
                    "\"00000000000000000000000000000001\"}"},
    {"order.sign", "{}"},
    {"order.report", "{\"solved\":\"yes\"}"},
    {"callback.record", "{\"attempt\":1,\"method\":\"phone\",\"reached\":true}"},
    {"request.close", "{\"result\":\"explained\"}"},
    {"request.fly", "{\"new\":1}"},
    {"request.accept", "{}"},
};

/* Acts of hub, village and neighbour on a few requests: in turn and out of turn, knowing all or
 * little, with clocks that run wild. */
static struct thing_id subjects[8];

static void make_history(size_t requests, size_t count)
{
    uint32_t depths[8] = {0}, seen[8];
    for (size_t i = 0; i < requests; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04zu", i + 1);
        subjects[i] = township_register(&town, &town.devices[i % 2], number)->subject;
        seen[i] = 1;
    }
    for (size_t i = 0; i < count; i++) {
        size_t thing = random_below((uint32_t)requests);
        const char *scope = thing % 2 ? "village:431322111202" : "village:431322111201";
        struct township_device *who =
            random_below(3) ? &town.hub : &town.devices[random_below(8) ? thing % 2 : 0];
        size_t act = random_below(3) ? depths[thing] % 6 : random_below(8);
        uint32_t unknown = random_below(4) ? 0 : random_below(depths[thing] + 1);
        township_record(&town, who,
                        &(struct township_act){
                            .kind = acts[act][0],
                            .body = acts[act][1],
                            .scope = scope,
                            .subject = &subjects[thing],
                            .depth = depths[thing] + 1 - unknown,
                            .seen = seen[thing] - unknown,
                            .time_ms = random_below(4) ? 0 : 1 + random_below(1u << 31),
                        });
        if (!unknown) depths[thing]++;
        seen[thing]++;
    }
}

/* A random order in which every event still follows its feed's one before. */
static void shuffle(struct event **out, size_t first)
{
    size_t count = town.event_count, left = count - first;
    bool *taken = calloc(count, sizeof *taken);
    memcpy(out, town.events, first * sizeof *out);
    for (size_t at = first; left; left--, at++) {
        size_t pick = random_below((uint32_t)left), i = first;
        for (;; i++)
            if (!taken[i] && !pick--) break;
        for (size_t j = first; j < i; j++) /* the oldest of its feed that is left */
            if (!taken[j] && feed_equal(&town.events[j]->feed, &town.events[i]->feed)) {
                i = j;
                break;
            }
        taken[i] = true;
        out[at] = town.events[i];
    }
    free(taken);
}

static void digests_of(struct township_node *n, struct views_digest out[3])
{
    static const char *const scopes[] = {"town", "village:431322111201", "village:431322111202"};
    struct txn *t;
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    for (size_t i = 0; i < 3; i++) {
        struct scope scope;
        assert_int_equal(scope_parse(&scope, slice_of_text(scopes[i])), OK);
        assert_int_equal(views_digest(t, &scope, &out[i]), OK);
    }
    txn_abort(t);
}

static void assert_same_digests(struct township_node *a, struct township_node *b)
{
    struct views_digest x[3], y[3];
    digests_of(a, x);
    digests_of(b, y);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(&x[i].roster_heads, &y[i].roster_heads, sizeof(struct hash));
        assert_memory_equal(&x[i].digest, &y[i].digest, sizeof(struct hash));
    }
}

/* A history in which nothing goes wrong would prove little. */
static void assert_varied(size_t requests)
{
    unsigned effects[EFFECT_LIMIT + 1] = {0}, both = 0;
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    for (size_t i = 0; i < requests; i++) {
        struct history h;
        uint32_t scope =
            township_node_scope(&node, i % 2 ? "village:431322111202" : "village:431322111201");
        assert_int_equal(views_history(node.views, t, scope, &subjects[i], &h), OK);
        for (size_t k = 0; k < h.count; k++) {
            effects[h.items[k].effect]++;
            both += h.items[k].both_changed;
        }
        history_clear(&h);
    }
    txn_abort(t);
    assert_true(effects[EFFECT_COUNTS] > requests * 2);
    assert_true(effects[EFFECT_IMPOSSIBLE] && effects[EFFECT_FORBIDDEN]);
    assert_true(effects[EFFECT_BAD_FIELD] && effects[EFFECT_BAD_DEPTH]);
    assert_true(effects[EFFECT_UNKNOWN_KIND] && both);
}

static void every_order_of_arrival_gives_the_same_bytes(void **state)
{
    (void)state;
    const uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 20251123;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_state = seed;
    make_history(6, 120);
    township_node_take_all(&node, &town);
    assert_varied(6);
    struct event **order = malloc(town.event_count * sizeof *order);
    for (int round = 0; round < 12; round++) {
        struct township_node other;
        uint64_t differing;
        township_node_open(&other, &town, &town.devices[0]);
        /* in half of the rounds the roster comes in between, and what was folded without it again
         */
        shuffle(order, round % 2 ? 0 : town.roster_count);
        township_node_take(&other, order, town.event_count);
        township_node_settle(&other);
        assert_same_digests(&node, &other);
        assert_int_equal(views_compare(other.views, other.store, &differing, NULL, NULL), OK);
        assert_int_equal(differing, 0);
        township_node_close(&other);
    }
    free(order);
}

static void the_digest_is_of_each_scope_and_notices_one_event(void **state)
{
    (void)state;
    struct views_digest before[3], after[3];
    township_node_take_all(&node, &town);
    digests_of(&node, before);
    township_register(&town, &town.devices[0], "01A-0001");
    township_node_take_all(&node, &town);
    digests_of(&node, after);
    assert_memory_equal(&before[0], &after[0], sizeof before[0]);
    assert_memory_not_equal(&before[1].digest, &after[1].digest, sizeof(struct hash));
    assert_memory_equal(&before[2], &after[2], sizeof before[2]);
    assert_memory_not_equal(&after[1].digest, &after[2].digest, sizeof(struct hash));
}

static void the_digest_of_a_scope_that_is_not_held_is_that_of_no_rows(void **state)
{
    (void)state;
    struct views_digest d, e;
    struct txn *t;
    uint8_t a[8], b[8];
    struct scope scopes[] = {scope_of_village("431322111201"), scope_town()};
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    struct scope other = scope_office();
    assert_int_equal(views_digest(t, &scopes[0], &d), OK);
    assert_int_equal(views_digest(t, &other, &e), OK);
    assert_memory_equal(&d.digest, &e.digest, sizeof d.digest);
    assert_int_equal(views_digest8(t, scopes, 2, a), OK);
    assert_int_equal(views_digest8(t, scopes, 1, b), OK);
    assert_memory_not_equal(a, b, sizeof a);
    txn_abort(t);
}

static void the_roster_heads_follow_authority_and_hub_only(void **state)
{
    (void)state;
    struct views_digest before[3], after[3];
    township_node_take_all(&node, &town);
    digests_of(&node, before);
    township_record(&town, &town.devices[0],
                    &(struct township_act){.kind = "actor.enrol",
                                           .scope = "town",
                                           .body = "{\"unit\":\"村委会\",\"role\":\"clerk\"}",
                                           .box = "{\"name\":\"李四\"}"});
    township_node_take_all(&node, &town);
    digests_of(&node, after);
    assert_memory_equal(&before[0].roster_heads, &after[0].roster_heads, sizeof(struct hash));
    assert_memory_not_equal(&before[0].digest, &after[0].digest, sizeof(struct hash));
    township_join(&town, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    digests_of(&node, after);
    assert_memory_not_equal(&before[0].roster_heads, &after[0].roster_heads, sizeof(struct hash));
}

static void another_handle_sees_the_new_roster(void **state)
{
    (void)state;
    struct views *other;
    struct txn *t;
    const struct roster *roster;
    township_node_take_all(&node, &town);
    assert_int_equal(views_open(&other, node.store), OK);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(other, t, &roster), OK);
    assert_int_equal(roster->device_count, 3);
    txn_abort(t);
    township_join(&town, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(other, t, &roster), OK);
    assert_int_equal(roster->device_count, 4);
    txn_abort(t);
    views_close(other);
}

static void an_aborted_arrival_leaves_the_old_roster(void **state)
{
    (void)state;
    struct arrival *arrival;
    struct txn *t;
    const struct roster *roster;
    size_t fresh;
    township_node_take_all(&node, &town);
    size_t first = town.event_count;
    township_join(&town, "431322111201", ROLE_VILLAGE, 'B');
    assert_int_equal(arrival_begin(&arrival, node.store, node.views), OK);
    for (size_t i = first; i < town.event_count; i++)
        assert_int_equal(arrival_add(arrival, town.events[i], 1, &fresh), OK);
    assert_int_equal(views_roster(node.views, arrival_txn(arrival), &roster), OK);
    assert_int_equal(roster->device_count, 4);
    arrival_abort(arrival);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(roster->device_count, 3);
    txn_abort(t);
}

static bool take_actor(void *state, const struct actor *a)
{
    assert_true(slice_is_text(a->name, "李四"));
    assert_true(slice_is_text(a->unit, "村委会"));
    assert_true(slice_is_text(a->role, "clerk"));
    ++*(int *)state;
    return true;
}

static void joins_the_names_of_persons_from_their_boxes(void **state)
{
    (void)state;
    const struct thing_id *actor =
        &township_record(&town, &town.devices[0],
                         &(struct township_act){.kind = "actor.enrol",
                                                .body = "{\"unit\":\"村委会\",\"role\":\"clerk\"}",
                                                .box = "{\"name\":\"李四\"}"})
             ->subject;
    township_node_take_all(&node, &town);
    struct txn *t;
    char name[64], cut[4];
    int count = 0;
    static const struct thing_id nobody = {"nobody"};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(actors_each(t, take_actor, &count), OK);
    assert_int_equal(count, 1);
    assert_true(actor_name(t, actor, name, sizeof name));
    assert_string_equal(name, "李四");
    assert_true(actor_name(t, actor, cut, sizeof cut));
    assert_string_equal(cut, "李");
    assert_false(actor_name(t, &nobody, name, sizeof name));
    assert_string_equal(name, "");
    txn_abort(t);
}

/* --- outlook ------------------------------------------------------------------------------- */

static void the_outlook_counts_what_is_held_and_passes_over_made_up_depths(void **state)
{
    (void)state;
    struct thing_id subject = township_register(&town, &town.devices[0], "01A-0001")->subject;
    struct township_act act = {.kind = "request.fly",
                               .scope = "village:431322111201",
                               .subject = &subject,
                               .depth = 1,
                               .seen = 1};
    township_record(&town, &town.hub, &act);
    act.depth = act.seen = UINT32_MAX;
    township_record(&town, &town.devices[0], &act);
    township_node_take_all(&node, &town);
    struct txn *t;
    struct thing_outlook o;
    static const struct thing_id nothing = {"nothing"};
    uint32_t scope = township_node_scope(&node, "village:431322111201");
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_outlook(&(struct outlook_memo){0}, t, scope, &subject, &o), OK);
    assert_true(o.exists);
    assert_int_equal(o.events, 3);
    assert_int_equal(o.depth_max, 1);
    assert_int_equal(views_outlook(&(struct outlook_memo){0}, t, scope, &nothing, &o), OK);
    assert_false(o.exists);
    assert_int_equal(o.events, 0);
    struct history h;
    assert_int_equal(views_history(node.views, t, scope, &nothing, &h), ERR_NOT_FOUND);
    txn_abort(t);
}

static void assert_outlook_as_read_anew(struct outlook_memo *memo, struct txn *t, uint32_t scope,
                                        const struct thing_id *thing)
{
    struct thing_outlook o, anew;
    assert_int_equal(views_outlook(memo, t, scope, thing, &o), OK);
    assert_int_equal(views_outlook(&(struct outlook_memo){0}, t, scope, thing, &anew), OK);
    assert_true(o.exists == anew.exists && o.type == anew.type);
    assert_int_equal(o.events, anew.events);
    assert_int_equal(o.depth_max, anew.depth_max);
}

static void an_outlook_that_goes_on_is_the_one_that_is_read_anew(void **state)
{
    (void)state;
    /* the next depth, one that came twice, some far ahead, those that a later place carries along
     */
    static const uint32_t depths[] = {1, 2, 3, 3, 5, 6, 70, 8, 9, 500, 10, 11, 66, 13, 14};
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    const struct event *two = township_register(&town, &town.devices[0], "01A-0002");
    township_node_take_all(&node, &town);
    uint32_t scope = township_node_scope(&node, "village:431322111201");
    struct township_act act = {.kind = "request.fly", .scope = "village:431322111201"};
    struct outlook_memo memo = {0};
    for (int round = 0; round < 2; round++) { /* what the transaction before saw is forgotten */
        struct arrival *a;
        size_t fresh;
        assert_int_equal(arrival_begin(&a, node.store, node.views), OK);
        assert_outlook_as_read_anew(&memo, arrival_txn(a), scope, &one->subject);
        for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
            act.subject = i == 4 ? &two->subject : &one->subject;
            act.depth = act.seen = depths[i];
            const struct event *e = township_record(&town, &town.hub, &act);
            assert_int_equal(arrival_add(a, e, 1, &fresh), OK);
            if (i == 7) continue; /* two at once */
            assert_outlook_as_read_anew(&memo, arrival_txn(a), scope, act.subject);
        }
        assert_int_equal(arrival_commit(a), OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_order_of_arrival_gives_the_same_bytes),
        TEST(the_digest_is_of_each_scope_and_notices_one_event),
        TEST(the_digest_of_a_scope_that_is_not_held_is_that_of_no_rows),
        TEST(the_roster_heads_follow_authority_and_hub_only),
        TEST(another_handle_sees_the_new_roster),
        TEST(an_aborted_arrival_leaves_the_old_roster),
        TEST(joins_the_names_of_persons_from_their_boxes),
        TEST(the_outlook_counts_what_is_held_and_passes_over_made_up_depths),
        TEST(an_outlook_that_goes_on_is_the_one_that_is_read_anew),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
