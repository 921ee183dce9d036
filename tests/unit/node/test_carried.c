#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/carried.h"
#include "node/run_making.h"
#include "tests/support/store.h"
#include "tests/support/township.h"

#include <stdlib.h>
#include <string.h>

enum { VILLAGES = 3, RUNS_MAX = 64 };

static struct township town;
static struct township_node hub, laptop;
static struct device_keys hub_keys, laptop_keys;
static struct buf runs;
static struct slice frames[RUNS_MAX];
static size_t frame_count;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, VILLAGES);
    township_node_open(&hub, &town, &town.hub);
    township_node_open(&laptop, &town, &town.devices[0]);
    hub_keys.signer = town.hub.signer;
    laptop_keys.signer = town.devices[0].signer;
    township_register(&town, &town.devices[0], "01A-0001");
    township_node_take_all(&hub, &town);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_clear(&runs);
    runs = (struct buf){0};
    township_node_close(&hub);
    township_node_close(&laptop);
    township_end(&town);
    return 0;
}

static void write_runs(size_t size_max, uint64_t *left)
{
    const struct carried c = {.store = hub.store, .views = hub.views, .keys = &hub_keys};
    buf_reset(&runs);
    assert_int_equal(carried_write(&runs, &c, size_max, left), OK);
    struct mp_reader r = mp_reader_of(buf_slice(&runs));
    frame_count = mp_read_array(&r, RUNS_MAX);
    for (size_t i = 0; i < frame_count; i++) assert_true(join_answer_next(&r, &frames[i]));
}

static enum err take(const struct slice *list, size_t count)
{
    const struct carried c = {.store = laptop.store, .views = laptop.views, .keys = &laptop_keys};
    struct buf array = {0};
    struct mp_writer w = {&array};
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) mp_write_bin(&w, list[i].data, list[i].size);
    const struct join_answer answer = {.runs = buf_slice(&array)};
    enum err err = carried_take(&c, &answer);
    buf_clear(&array);
    return err;
}

static struct hash digest_of(struct township_node *n)
{
    const struct scope scope = scope_town();
    struct views_digest digest;
    struct txn *t;
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    assert_int_equal(views_digest(t, &scope, &digest), OK);
    txn_abort(t);
    return digest.digest;
}

static void the_laptop_holds_the_roster_that_the_hub_holds(void **state)
{
    (void)state;
    uint64_t left;
    write_runs(MIB(1), &left);
    assert_int_equal(left, 0);
    assert_int_equal(take(frames, frame_count), OK);
    struct hash ours = digest_of(&laptop), theirs = digest_of(&hub);
    assert_true(hash_equal(&ours, &theirs));
    uint64_t count = test_events_held(laptop.store);
    assert_true(count > 0);
    assert_int_equal(take(frames, frame_count), OK); /* once more changes nothing */
    assert_int_equal(test_events_held(laptop.store), count);
}

static void the_order_of_the_runs_does_not_matter(void **state)
{
    (void)state;
    uint64_t left;
    struct slice backwards[RUNS_MAX];
    write_runs(MIB(1), &left);
    for (size_t i = 0; i < frame_count; i++) backwards[i] = frames[frame_count - 1 - i];
    assert_int_equal(take(backwards, frame_count), OK);
    struct hash ours = digest_of(&laptop), theirs = digest_of(&hub);
    assert_true(hash_equal(&ours, &theirs));
}

static void stores_nothing_where_one_run_is_lacking(void **state)
{
    (void)state;
    uint64_t left;
    write_runs(MIB(1), &left);
    assert_true(frame_count >= 2);
    for (size_t i = 0; i < 2; i++) { /* the authority's, and the hub's, by which it joined */
        assert_int_not_equal(take(frames + i, 1), OK);
        assert_int_equal(test_events_held(laptop.store), 0);
    }
    assert_int_equal(take(NULL, 0), ERR_FOREIGN);
    assert_int_equal(test_events_held(laptop.store), 0);
}

static void stores_nothing_of_a_changed_answer(void **state)
{
    (void)state;
    uint64_t left;
    write_runs(MIB(1), &left);
    for (size_t i = 0; i < frame_count; i++) {
        uint8_t *bytes = (uint8_t *)frames[i].data;
        for (size_t at = 0; at < frames[i].size; at += 37) {
            bytes[at] ^= 4;
            enum err err = take(frames, frame_count);
            bytes[at] ^= 4;
            /* where that is padding, or a hint that a reader may ignore, nothing is lost */
            if (!err) fail_msg("byte %zu of run %zu", at, i);
            assert_int_equal(test_events_held(laptop.store), 0);
        }
    }
    assert_int_equal(take(frames, frame_count), OK);
}

/* A run of the village's own scope: good in itself, but no roster. */
static void takes_nothing_but_the_town(void **state)
{
    (void)state;
    uint64_t left;
    struct txn *t;
    struct run_making m = {.payload_max = RUN_PAYLOAD_SIZE_MAX, .level = 3};
    struct run_maker maker = {.signer = &hub_keys.signer, .raw_per_payload = RUN_MAKER_RATIO};
    struct buf frame = {0};
    write_runs(MIB(1), &left);
    assert_int_equal(zstd_open(&maker.zstd), OK);
    assert_int_equal(txn_begin(hub.store, false, &t), OK);
    for (uint32_t n = 1; n <= feed_count(t); n++) {
        assert_true(feed_get(t, n, &m.feed));
        if (scope_class(&m.feed.feed.scope) != SCOPE_TOWN) break;
    }
    assert_int_not_equal(scope_class(&m.feed.feed.scope), SCOPE_TOWN);
    m.head = m.feed.heads[0];
    assert_int_equal(run_making_make(&m, &maker, t), OK);
    const struct frame_run f = {.run = m.run, .feed = {.whole = true, .feed = m.feed.feed}};
    frame_run_write(&frame, &f);
    frames[frame_count] = buf_slice(&frame);
    assert_int_equal(take(frames, frame_count + 1), ERR_FORBIDDEN);
    assert_int_equal(test_events_held(laptop.store), 0);
    run_making_clear(&m);
    txn_abort(t);
    zstd_close(maker.zstd);
    buf_clear(&frame);
}

static void what_does_not_fit_is_left_to_the_first_sync(void **state)
{
    (void)state;
    uint64_t left;
    const struct carried c = {.store = hub.store, .views = hub.views, .keys = &hub_keys};
    for (size_t i = 0; i < 40; i++)
        township_record(&town, &town.devices[1],
                        &(struct township_act){.kind = "actor.enrol",
                                               .scope = "town",
                                               .body = "{\"unit\":\"village\",\"role\":\"clerk\"}",
                                               .box = "{\"name\":\"村民甲\"}"});
    township_node_take_all(&hub, &town);
    write_runs(MIB(1), &left);
    size_t all = runs.size;
    assert_int_equal(left, 0);
    write_runs(all - 4, &left);
    assert_int_equal(left, 40);
    assert_int_equal(take(frames, frame_count), OK);
    struct buf out = {0};
    assert_int_equal(carried_write(&out, &c, 300, &left), ERR_LIMIT);
    buf_clear(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_laptop_holds_the_roster_that_the_hub_holds),
        TEST(the_order_of_the_runs_does_not_matter),
        TEST(stores_nothing_where_one_run_is_lacking),
        TEST(stores_nothing_of_a_changed_answer),
        TEST(takes_nothing_but_the_town),
        TEST(what_does_not_fit_is_left_to_the_first_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
