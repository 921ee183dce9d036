#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/recorder.h"
#include "node/store/audit.h"
#include "node/views/request.h"
#include "proto/json.h"
#include "tests/support/store.h"
#include "tests/support/township.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SCOPE "village:431322111201"
#define WALL_MS UINT64_C(1790000000000)

static struct township town;
static struct township_node node;
static struct recorder *recorder;
static struct buf body_bytes, box_bytes;
static const struct clock_reading now = {.wall_ms = WALL_MS, .trusted = true, .source = "none"};

static void open_recorder(const struct signer *signer, bool authority)
{
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = signer, .authority = authority};
    assert_int_equal(recorder_open(&recorder, &options), OK);
}

/* The device of the first village, with the roster. */
static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    open_recorder(&town.devices[0].signer, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    recorder_close(recorder);
    township_node_close(&node);
    township_end(&town);
    buf_clear(&body_bytes);
    buf_clear(&box_bytes);
    return 0;
}

static struct slice map_of(struct buf *out, const char *json)
{
    struct json_packer packer = {0};
    struct kind_problem problem;
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    buf_reset(out);
    assert_int_equal(json_pack_map(&packer, out, object, NULL, &problem), OK);
    json_packer_clear(&packer);
    json_decref(object);
    return buf_slice(out);
}

static struct draft request(void)
{
    return (struct draft){
        .kind = "request.register",
        .scope = scope_of_village("431322111201"),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = map_of(&body_bytes, "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1,"
                                    "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}"),
        .box = map_of(&box_bytes, "{\"content\":\"污水管网堵塞\"}"),
    };
}

static struct draft acceptance(const struct thing_id *subject)
{
    return (struct draft){
        .kind = "request.accept",
        .scope = scope_of_village("431322111201"),
        .lane = LANE_NORMAL,
        .subject = *subject,
        .body = map_of(&body_bytes, "{\"class\":\"simple\"}"),
    };
}

static enum err record(const struct draft *d, struct recorded *out)
{
    struct kind_problem problem;
    return recorder_record(recorder, &now, d, out, &problem);
}

static void read_event(uint64_t arrival, struct event *out, struct txn **t)
{
    assert_int_equal(txn_begin(node.store, false, t), OK);
    assert_int_equal(log_read(*t, arrival, out), OK);
}

static void audits_clean(void)
{
    struct audit_result result;
    const struct audit_options options = {.all_signatures = true};
    assert_int_equal(audit_run(node.store, &options, &result), OK);
    assert_int_equal(result.problems, 0);
}

static void one_record_is_signed_linked_and_folded(void **state)
{
    (void)state;
    struct recorded one, two;
    struct event e;
    struct txn *t;
    uint64_t held = test_events_held(node.store);
    struct draft d = request();
    d.has_by = true;
    d.by = (struct thing_id){{7}};
    assert_int_equal(record(&d, &one), OK);
    d = acceptance(&one.subject);
    assert_int_equal(record(&d, &two), OK);
    assert_int_equal(one.seq, 1);
    assert_int_equal(two.seq, 2);
    read_event(held + 1, &e, &t);
    assert_true(event_id_equal(&e.id, &one.id));
    assert_int_equal(e.box_state, BOX_HERE);
    assert_true(e.has_by && e.by.bytes[0] == 7);
    assert_true(e.has_signature && e.depth == 0 && e.seen == 0);
    assert_int_equal(event_verify_signature(&e.id, &e.feed.author, &e.signature), OK);
    assert_int_equal(HLC_MS(e.time), WALL_MS);
    txn_abort(t);
    read_event(held + 2, &e, &t);
    assert_true(event_id_equal(&e.prev, &one.id));
    assert_true(thing_id_equal(&e.subject, &one.subject));
    assert_true(e.depth == 1 && e.seen == 1);
    struct request r;
    struct scope_row scope;
    assert_true(scope_find(t, &d.scope, &scope));
    const struct thing_key key = {scope.number, one.subject};
    assert_int_equal(request_get(t, &key, &r), OK);
    assert_int_equal(r.state, REQUEST_ACCEPTED);
    txn_abort(t);
    audits_clean();
}

#define REGISTER .kind = "request.register", .founding = true

static void refuses_before_it_signs(void **state)
{
    (void)state;
    struct recorded one, out;
    struct kind_problem problem;
    struct draft good = request();
    assert_int_equal(record(&good, &one), OK);
    uint64_t held = test_events_held(node.store);
    const struct scope neighbour = scope_of_village("431322111202");
    const struct {
        enum err err;
        struct draft draft;
    } cases[] = {
        {ERR_RANGE, {.kind = "no.such.kind", .scope = good.scope, .founding = true}},
        {ERR_RANGE, {REGISTER, .scope = good.scope}},
        {ERR_RANGE, {.kind = "request.register", .scope = good.scope, .body = good.body}},
        {ERR_RANGE, {.kind = "request.accept", .scope = good.scope, .founding = true}},
        {ERR_RANGE, {REGISTER, .scope = good.scope, .lane = 3}},
        {ERR_MALFORMED, {REGISTER, .scope = good.scope, .body = slice_of_text("\x81")}},
        {ERR_FORBIDDEN, {REGISTER, .scope = neighbour, .body = good.body, .box = good.box}},
        {ERR_FORBIDDEN, {REGISTER, .scope = scope_town(), .body = good.body, .box = good.box}},
        {ERR_FORBIDDEN,
         {.kind = "device.revoked",
          .scope = scope_town(),
          .subject = town.devices[1].thing,
          .body = slice_of_text("\x81\xa6reason\xa1x")}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum err err = recorder_record(recorder, &now, &cases[i].draft, &out, &problem);
        assert_int_equal(err, cases[i].err);
        assert_string_not_equal(problem.what, "");
    }
    assert_int_equal(test_events_held(node.store), held);
}

static void refuses_an_act_on_what_is_not_held_or_not_in_that_state(void **state)
{
    (void)state;
    struct recorded one, out;
    struct kind_problem problem;
    const struct thing_id nobody = {{9, 9}};
    struct draft d = acceptance(&nobody);
    assert_int_equal(recorder_record(recorder, &now, &d, &out, &problem), ERR_NOT_FOUND);
    d = request();
    assert_int_equal(record(&d, &one), OK);
    d = acceptance(&nobody);
    assert_int_equal(recorder_record(recorder, &now, &d, &out, &problem), ERR_NOT_FOUND);
    d = acceptance(&one.subject);
    d.kind = "order.sign";
    d.body = SLICE_EMPTY;
    assert_int_equal(recorder_record(recorder, &now, &d, &out, &problem), ERR_STATE);
    assert_string_not_equal(problem.what, "");
}

/* --- batches --- */

static void a_batch_keeps_the_good_and_later_drafts_see_earlier_ones(void **state)
{
    (void)state;
    struct recorded one, two;
    struct kind_problem problem;
    uint64_t held = test_events_held(node.store);
    assert_int_equal(recorder_begin(recorder, &now), OK);
    assert_int_equal(recorder_begin(recorder, &now), ERR_STATE);
    struct draft d = request();
    assert_int_equal(recorder_add(recorder, &d, &one, &problem), OK);
    d.kind = "no.such.kind";
    assert_int_equal(recorder_add(recorder, &d, &two, &problem), ERR_RANGE);
    d = acceptance(&one.subject);
    assert_int_equal(recorder_add(recorder, &d, &two, &problem), OK);
    assert_int_equal(recorder_add(recorder, &d, &two, &problem), ERR_STATE);
    assert_int_equal(recorder_commit(recorder), OK);
    assert_int_equal(recorder_commit(recorder), ERR_STATE);
    assert_int_equal(recorder_add(recorder, &d, &two, &problem), ERR_STATE);
    assert_int_equal(test_events_held(node.store), held + 2);
    audits_clean();
}

static void a_batch_is_signed_often_enough_and_at_its_end(void **state)
{
    (void)state;
    struct recorded out;
    struct kind_problem problem;
    struct event e;
    struct txn *t;
    uint64_t held = test_events_held(node.store);
    enum { COUNT = 2 * SIGN_EVENTS_MAX + 7 };
    assert_int_equal(recorder_begin(recorder, &now), OK);
    struct draft d = request();
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(recorder_add(recorder, &d, &out, &problem), OK);
    assert_int_equal(recorder_commit(recorder), OK);
    for (unsigned i = 1; i <= COUNT; i++) {
        read_event(held + i, &e, &t);
        assert_int_equal(e.has_signature, i % SIGN_EVENTS_MAX == 0 || i == COUNT);
        assert_int_equal(e.box_state, BOX_HERE);
        if (i == COUNT) assert_true(slice_equal(e.box, d.box));
        txn_abort(t);
    }
    audits_clean();
}

static void a_batch_of_large_events_is_signed_by_bytes(void **state)
{
    (void)state;
    struct recorded out;
    struct kind_problem problem;
    struct event e;
    struct txn *t;
    struct buf json = {0}, box = {0};
    uint64_t held = test_events_held(node.store);
    buf_append_text(&json, "{\"content\":\"");
    for (int i = 0; i < 10000; i++) buf_append_text(&json, "x");
    buf_append_text(&json, "\"}");
    struct draft d = request();
    d.box = map_of(&box, buf_text(&json));
    assert_int_equal(recorder_begin(recorder, &now), OK);
    for (int i = 0; i < 10; i++) assert_int_equal(recorder_add(recorder, &d, &out, &problem), OK);
    assert_int_equal(recorder_commit(recorder), OK);
    size_t bytes = 0;
    for (unsigned i = 1; i <= 10; i++) {
        read_event(held + i, &e, &t);
        bytes += e.body.size + e.box.size;
        assert_true(bytes <= SIGN_BYTES_MAX);
        if (e.has_signature) bytes = 0;
        txn_abort(t);
    }
    assert_int_equal(bytes, 0);
    buf_clear(&json);
    buf_clear(&box);
    audits_clean();
}

static void an_aborted_batch_leaves_the_feed_as_it_was(void **state)
{
    (void)state;
    struct recorded one, two;
    struct kind_problem problem;
    struct draft d = request();
    assert_int_equal(recorder_begin(recorder, &now), OK);
    assert_int_equal(recorder_add(recorder, &d, &one, &problem), OK);
    recorder_abort(recorder);
    assert_int_equal(record(&d, &two), OK);
    assert_int_equal(two.seq, 1);
    audits_clean();
}

/* --- the clock --- */

static uint64_t time_of_next(const struct clock_reading *clock)
{
    struct recorded out;
    struct kind_problem problem;
    struct event e;
    struct txn *t;
    struct draft d = request();
    assert_int_equal(recorder_record(recorder, clock, &d, &out, &problem), OK);
    read_event(test_events_held(node.store), &e, &t);
    txn_abort(t);
    return e.time;
}

static void time_only_grows(void **state)
{
    (void)state;
    struct clock_reading clock = now;
    assert_int_equal(time_of_next(&clock), HLC_MAKE(WALL_MS, 0, 0));
    assert_int_equal(time_of_next(&clock), HLC_MAKE(WALL_MS, 1, 0));
    clock.wall_ms -= 5000;
    assert_int_equal(time_of_next(&clock), HLC_MAKE(WALL_MS, 2, 0));
    clock.wall_ms += 6000;
    clock.trusted = false;
    assert_int_equal(time_of_next(&clock), HLC_MAKE(WALL_MS + 1000, 0, 1));
    recorder_close(recorder);
    open_recorder(&town.devices[0].signer, false);
    assert_int_equal(time_of_next(&now), HLC_MAKE(WALL_MS + 1000, 1, 0));
}

static void a_clock_that_ran_ahead_untrusted_is_set_right_by_a_trusted_one(void **state)
{
    (void)state;
    struct clock_reading ahead = now;
    ahead.wall_ms += UINT64_C(12) * 365 * 24 * 3600 * 1000;
    ahead.trusted = false;
    assert_int_equal(time_of_next(&ahead), HLC_MAKE(ahead.wall_ms, 0, 1));
    assert_int_equal(time_of_next(&now), HLC_MAKE(WALL_MS, 0, 0));
}

static void what_others_recorded_comes_before_unless_their_clock_is_far_ahead(void **state)
{
    (void)state;
    town.time_ms = WALL_MS + 60 * 1000;
    const struct event *near = township_register(&town, &town.devices[1], "02A-0001");
    town.time_ms = WALL_MS + 3600 * 1000;
    const struct event *far = township_register(&town, &town.hub, "00A-0001");
    township_node_take_all(&node, &town);
    uint64_t time = time_of_next(&now);
    assert_true(time > near->time && time < far->time);
    assert_int_equal(HLC_MS(time), WALL_MS + 60 * 1000);
}

static void a_key_that_is_not_the_stores_is_refused(void **state)
{
    (void)state;
    struct recorder *r;
    struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &town.devices[1].signer};
    assert_int_equal(recorder_open(&r, &options), ERR_FOREIGN);
    options.signer = &town.devices[0].signer;
    options.authority = true;
    assert_int_equal(recorder_open(&r, &options), ERR_FOREIGN);
}

static void the_authority_records_into_the_roster(void **state)
{
    (void)state;
    struct recorded out;
    recorder_close(recorder);
    open_recorder(&town.authority.signer, true);
    struct draft d = {
        .kind = "village.put",
        .scope = scope_town(),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = map_of(&body_bytes, "{\"code\":\"431322111209\",\"name\":\"九村\","
                                    "\"short_name\":\"九\",\"pinyin\":\"Jiu\","
                                    "\"type\":\"village\",\"number\":9}"),
    };
    assert_int_equal(record(&d, &out), OK);
    const struct roster *roster;
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_non_null(roster_village(roster, "431322111209"));
    txn_abort(t);
    audits_clean();
}

/* A copy of this device went on by itself: its branch arrives. */
static void a_feed_that_forked_is_continued_in_a_new_epoch(void **state)
{
    (void)state;
    struct recorded one, two, three;
    struct draft d = request();
    assert_int_equal(record(&d, &one), OK);
    assert_false(one.feed.has_epoch);
    township_register(&town, &town.devices[0], "01A-0001");
    township_node_take_all(&node, &town);
    assert_int_equal(record(&d, &two), OK);
    assert_true(two.feed.has_epoch);
    assert_int_equal(two.seq, 2); /* after feed.continued */
    assert_int_equal(record(&d, &three), OK);
    assert_true(feed_equal(&two.feed, &three.feed));
    assert_int_equal(three.seq, 3);
    audits_clean();
}

static void after_a_failed_commit_the_head_is_read_again(void **state)
{
    (void)state;
    struct recorded one, two;
    struct kind_problem problem;
    struct rlimit before, small;
    struct stat st;
    char path[128];
    struct draft d = request();
    assert_int_equal(record(&d, &one), OK);
    snprintf(path, sizeof path, "%s/store/data.mdb", node.home);
    assert_int_equal(stat(path, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)st.st_size;
    assert_int_equal(recorder_begin(recorder, &now), OK);
    for (int i = 0; i < 200; i++) assert_int_equal(recorder_add(recorder, &d, &two, &problem), OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err err = recorder_commit(recorder);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, ERR_AMBIGUOUS_COMMIT);
    assert_int_equal(record(&d, &two), OK);
    assert_int_equal(two.seq, 2);
    audits_clean();
}

static void with_the_disk_nearly_full_a_person_can_record_but_not_an_import(void **state)
{
    (void)state;
    struct recorded out;
    struct kind_problem problem;
    struct draft d = request();
    recorder_close(recorder);
    views_close(node.views);
    store_close(node.store);
    const struct store_options options = {.disk_free_min = UINT64_MAX};
    assert_int_equal(store_open(&node.store, node.home, &options), OK);
    assert_int_equal(views_open(&node.views, node.store), OK);
    open_recorder(&town.devices[0].signer, false);
    assert_int_equal(record(&d, &out), OK);
    assert_int_equal(recorder_begin(recorder, &now), OK);
    size_t added = 0;
    enum err err;
    while ((err = recorder_add(recorder, &d, &out, &problem)) == OK) added++;
    assert_int_equal(err, ERR_NOSPACE);
    assert_in_range(added, 1, 64);
    assert_int_equal(recorder_commit(recorder), OK);
    audits_clean();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_record_is_signed_linked_and_folded),
        TEST(refuses_before_it_signs),
        TEST(refuses_an_act_on_what_is_not_held_or_not_in_that_state),
        TEST(a_batch_keeps_the_good_and_later_drafts_see_earlier_ones),
        TEST(a_batch_is_signed_often_enough_and_at_its_end),
        TEST(a_batch_of_large_events_is_signed_by_bytes),
        TEST(an_aborted_batch_leaves_the_feed_as_it_was),
        TEST(time_only_grows),
        TEST(a_clock_that_ran_ahead_untrusted_is_set_right_by_a_trusted_one),
        TEST(what_others_recorded_comes_before_unless_their_clock_is_far_ahead),
        TEST(a_key_that_is_not_the_stores_is_refused),
        TEST(the_authority_records_into_the_roster),
        TEST(a_feed_that_forked_is_continued_in_a_new_epoch),
        TEST(after_a_failed_commit_the_head_is_read_again),
        TEST(with_the_disk_nearly_full_a_person_can_record_but_not_an_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
