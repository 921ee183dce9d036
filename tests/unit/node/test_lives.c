#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/recorder.h"

#include "node/lives.h"
#include "node/views/body.h"
#include "node/side_file.h"
#include "tests/support/store.h"
#include "tests/support/meeting.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct recorder *recorder; /* of the village's laptop */

static struct meeting_node *village(void)
{
    return &meeting.village;
}

static void open_recorder(void)
{
    const struct recorder_options options = {.store = village()->store.store,
                                             .views = village()->store.views,
                                             .signer = &village()->keys.signer};
    assert_int_equal(recorder_open(&recorder, &options), OK);
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    meeting_begin(2);
    open_recorder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    recorder_close(recorder);
    recorder = NULL;
    meeting_end();
    return 0;
}

static void record_in(struct recorder *r, enum lane lane, struct recorded *out)
{
    struct kind_problem problem;
    struct buf body = {0}, box = {0};
    const struct kind *kind = kind_find(slice_of_text("request.register"));
    const struct draft d = {
        .kind = "request.register",
        .scope = scope_of_village("431322111201"),
        .lane = (uint8_t)lane,
        .founding = true,
        .body = township_pack(&body,
                              "{\"number\":\"01A-0009\",\"channel\":\"visit\",\"received\":1,"
                              "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}",
                              kind),
        .box = township_pack(&box, "{\"content\":\"路灯\"}", kind),
    };
    struct exchange_time now = meeting_time();
    assert_int_equal(recorder_record(r, &now.clock, &d, out, &problem), OK);
    buf_clear(&body);
    buf_clear(&box);
}

static void record(struct recorded *out)
{
    struct exchange_time now = meeting_time();
    record_in(recorder, LANE_NORMAL, out);
    if (village()->exchange) assert_int_equal(exchange_refresh(village()->exchange, &now), OK);
}

static void shut(void)
{
    recorder_close(recorder);
    recorder = NULL;
    if (village()->exchange) meeting_node_stop(village());
    views_close(village()->store.views);
    store_close(village()->store.store);
}

static void open_again(void)
{
    assert_int_equal(store_open(&village()->store.store, village()->store.home, NULL), OK);
    assert_int_equal(views_open(&village()->store.views, village()->store.store), OK);
    open_recorder();
}

static void start(struct meeting_node *n)
{
    if (!n->exchange) meeting_node_start(n);
}

static void copy(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp '%s/%s' '%s/%s'", village()->store.home, from,
             village()->store.home, to);
    assert_int_equal(system(command), 0);
}

static struct life life_now(void)
{
    struct life life;
    struct txn *t;
    assert_int_equal(txn_begin(village()->store.store, false, &t), OK);
    life_get(t, &life);
    txn_abort(t);
    return life;
}

static bool numbers_wait(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(village()->store.store, false, &t), OK);
    bool wait = lives_numbers_wait(t);
    txn_abort(t);
    return wait;
}

/* The event with this number of the recorded one's feed. */
static struct slice body_at(const struct recorded *r, uint64_t seq, char kind[49])
{
    static uint8_t bytes[8192];
    struct txn *t;
    struct feed_row row;
    struct event e;
    uint64_t arrival;
    size_t count;
    assert_int_equal(txn_begin(village()->store.store, false, &t), OK);
    assert_true(feed_find(t, &r->feed, &row));
    assert_int_equal(log_branch(t, &row, &row.heads[0], seq, seq, &arrival, &count), OK);
    assert_int_equal(log_read(t, arrival, &e), OK);
    memcpy(bytes, e.body.data, e.body.size);
    snprintf(kind, 49, "%.*s", (int)e.kind.size, (const char *)e.kind.data);
    txn_abort(t);
    return slice_of(bytes, e.body.size);
}

static void assert_continued(const struct recorded *r, const char *cause, size_t heads)
{
    char kind[49];
    struct mp_reader rows;
    assert_true(r->feed.has_epoch);
    struct slice body = body_at(r, 1, kind);
    assert_string_equal(kind, KIND_CONTINUED);
    assert_true(slice_is_text(body_text(body, "cause"), cause));
    assert_true(mp_map_get(body, "heads", &rows));
    assert_int_equal(mp_read_array(&rows, 400), heads);
}

/* --- */

static void a_home_that_stays_where_it_is_goes_on(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    for (int i = 0; i < 3; i++) {
        shut();
        open_again();
    }
    assert_int_equal(store_compact(village()->store.store), OK);
    shut();
    open_again();
    record(&two);
    assert_true(feed_equal(&one.feed, &two.feed));
    assert_int_equal(two.seq, one.seq + 1);
    assert_false(numbers_wait());
}

static void an_older_store_begins_a_new_life_when_it_signs(void **state)
{
    (void)state;
    struct recorded one, two;
    uint8_t generation[8];
    record(&one);
    shut();
    copy("store/data.mdb", "old");
    open_again();
    record(&one);
    memcpy(generation, store_identity(village()->store.store)->generation, 8);
    shut();
    copy("old", "store/data.mdb");
    open_again();
    assert_true(recorder_is_behind(recorder));
    assert_true(numbers_wait());
    assert_int_equal(life_now().count, 0); /* its later events may come back */
    record(&two);
    assert_continued(&two, "rolled_back", 1);
    assert_int_equal(two.seq, 2);
    shut();
    open_again();
    assert_int_equal(life_now().count, 1);
    record(&two);
    assert_int_equal(two.seq, 3);
}

static void an_older_store_takes_its_events_back_and_goes_on(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    shut();
    copy("store/data.mdb", "old");
    open_again();
    record(&one);
    start(&meeting.hub);
    start(village());
    meeting_connect();
    meeting_sync_to_rest();
    meeting_disconnect();
    shut();
    copy("old", "store/data.mdb");
    open_again();
    assert_true(recorder_is_behind(recorder));
    start(village());
    meeting_connect();
    meeting_sync_to_rest();
    record(&two);
    assert_false(two.feed.has_epoch);
    assert_int_equal(two.seq, one.seq + 1);
    assert_false(recorder_is_behind(recorder));
    assert_true(numbers_wait()); /* others may have been lost for good */
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 5);
}

static void a_copied_home_begins_a_new_life_at_once(void **state)
{
    (void)state;
    struct recorded one, two;
    uint8_t generation[8];
    record(&one);
    memcpy(generation, store_identity(village()->store.store)->generation, 8);
    shut();
    copy("side", "copy");
    copy("side", "keep"); /* so the inode is not given again */
    char from[160], to[160];
    snprintf(from, sizeof from, "%s/copy", village()->store.home);
    snprintf(to, sizeof to, "%s/side", village()->store.home);
    assert_int_equal(rename(from, to), 0);
    open_again();
    assert_int_equal(life_now().count, 1);
    assert_memory_not_equal(generation, store_identity(village()->store.store)->generation, 8);
    record(&two);
    assert_continued(&two, "copied", 1);
    shut();
    open_again();
    assert_int_equal(life_now().count, 1); /* once */
}

static void a_store_without_its_side_file_was_put_here(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    shut();
    char path[160];
    snprintf(path, sizeof path, "%s/side", village()->store.home);
    assert_int_equal(unlink(path), 0);
    open_again();
    record(&two);
    assert_continued(&two, "copied", 1);
    shut();
    open_again();
    assert_int_equal(life_now().count, 1);
}

static void a_store_from_before_its_last_life_goes_past_that(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    shut();
    copy("store/data.mdb", "old");
    for (int i = 0; i < 2; i++) {
        copy("old", "store/data.mdb");
        open_again();
        record(&two);
        shut();
    }
    copy("old", "store/data.mdb");
    open_again();
    record(&two);
    assert_true(two.feed.has_epoch);
    assert_true(life_now().count >= 1);
}

/* The same key signs elsewhere: what two copies of one disk do. */
static void a_fork_from_a_peer_is_continued_at_once_and_once(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    township_register(&meeting.township, &meeting.township.devices[0], "01A-0007");
    start(&meeting.hub);
    township_node_take_all(&meeting.hub.store, &meeting.township);
    struct exchange_time now = meeting_time();
    assert_int_equal(exchange_refresh(meeting.hub.exchange, &now), OK);
    start(village());
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(life_now().count, 1);
    assert_true(numbers_wait());
    record(&two);
    assert_int_equal(two.seq, 2); /* the exchange has said it already */
    assert_continued(&two, "forked", 2);
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(life_now().count, 1);
}

/* --- two of one disk that nothing tells apart --- */

static struct township_node twin;
static struct recorder *twin_recorder;

static void open_twin(void)
{
    char command[256];
    uint8_t generation[8];
    shut();
    snprintf(twin.home, sizeof twin.home, "%.58s.twin", village()->store.home);
    snprintf(command, sizeof command, "mkdir '%s' && cp -r '%s/store' '%s'", twin.home,
             village()->store.home, twin.home);
    assert_int_equal(system(command), 0);
    open_again();
    memcpy(generation, store_identity(village()->store.store)->generation, sizeof generation);
    assert_int_equal(side_file_start(twin.home, 0, generation), OK);
    assert_int_equal(store_open(&twin.store, twin.home, NULL), OK);
    assert_int_equal(views_open(&twin.views, twin.store), OK);
    const struct recorder_options options = {
        .store = twin.store, .views = twin.views, .signer = &village()->keys.signer};
    assert_int_equal(recorder_open(&twin_recorder, &options), OK);
}

static void close_twin(void)
{
    char command[128];
    recorder_close(twin_recorder);
    views_close(twin.views);
    store_close(twin.store);
    snprintf(command, sizeof command, "rm -r '%s'", twin.home);
    assert_int_equal(system(command), 0);
}

/* All events of a lane that `from` holds, as from a peer; true: they forked a feed of this device.
 */
static bool take(struct township_node *to, struct township_node *from, enum lane lane)
{
    struct txn *t;
    struct arrival *a;
    struct event e;
    size_t fresh;
    assert_int_equal(txn_begin(from->store, false, &t), OK);
    assert_int_equal(arrival_begin(&a, to->store, to->views), OK);
    for (uint64_t i = 1; i <= log_count(t); i++) {
        assert_int_equal(log_read(t, i, &e), OK);
        if (e.feed.lane == lane) assert_int_equal(arrival_take(a, &e, 1, &fresh), OK);
    }
    bool forked = arrival_forked(a);
    assert_int_equal(arrival_commit(a), OK);
    txn_abort(t);
    return forked;
}

static void go_on(struct recorder *r)
{
    struct exchange_time now = meeting_time();
    assert_int_equal(recorder_continue(r, &now.clock), OK);
}

/* build/sim --scene copies --case 251: what came first ended the life, the other lane's fork was
 * then one of an earlier life, and nobody was told. */
static void a_fork_of_another_lane_is_told_as_well(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    record_in(recorder, LANE_URGENT, &two);
    open_twin();
    for (enum lane lane = LANE_URGENT; lane <= LANE_NORMAL; lane++) {
        record_in(recorder, lane, &one);
        record_in(twin_recorder, lane, &two);
    }
    uint64_t before = test_events_held(village()->store.store);
    assert_true(take(&village()->store, &twin, LANE_URGENT));
    go_on(recorder);
    assert_int_equal(test_events_held(village()->store.store), before + 2);
    assert_true(take(&village()->store, &twin, LANE_NORMAL));
    go_on(recorder);
    assert_int_equal(test_events_held(village()->store.store), before + 4);
    assert_int_equal(life_now().count, 1);
    close_twin();
}

/* build/sim --scene copies --case 491: each of two copies told the other's news once more. */
static void what_a_copy_has_told_is_told_again_only_where_work_goes_on(void **state)
{
    (void)state;
    struct recorded one, two;
    record(&one);
    open_twin();
    record(&one);
    record_in(twin_recorder, LANE_NORMAL, &two);
    assert_true(take(&twin, &village()->store, LANE_NORMAL));
    go_on(twin_recorder);
    assert_true(take(&village()->store, &twin, LANE_NORMAL));
    uint64_t before = test_events_held(village()->store.store);
    go_on(recorder);
    assert_int_equal(test_events_held(village()->store.store), before);
    assert_int_equal(life_now().count, 1); /* all the same */
    record(&one);
    assert_int_equal(one.seq, 2);
    assert_continued(&one, "forked", 3);
    close_twin();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_home_that_stays_where_it_is_goes_on),
        TEST(an_older_store_begins_a_new_life_when_it_signs),
        TEST(an_older_store_takes_its_events_back_and_goes_on),
        TEST(a_copied_home_begins_a_new_life_at_once),
        TEST(a_store_without_its_side_file_was_put_here),
        TEST(a_store_from_before_its_last_life_goes_past_that),
        TEST(a_fork_from_a_peer_is_continued_at_once_and_once),
        TEST(a_fork_of_another_lane_is_told_as_well),
        TEST(what_a_copy_has_told_is_told_again_only_where_work_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
