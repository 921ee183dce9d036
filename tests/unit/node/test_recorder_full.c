/* A thing that has as many records as count: no more is signed about it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/recorder.h"
#include "node/views/request.h"
#include "tests/support/township.h"

#include <stdlib.h>

#define WALL_MS UINT64_C(1890000000000)

static struct township town; /* large */
static struct township_node node;

/* A request with notes, `count` events together, that arrive at once. */
static struct thing_id request_of(size_t count)
{
    struct township_device *laptop = &town.devices[0];
    const size_t first = town.event_count;
    const struct thing_id subject = township_register(&town, laptop, "01A-0001")->subject;
    for (uint32_t i = 1; i < count; i++)
        township_record(&town, laptop,
                        &(struct township_act){
                            .kind = "progress.note", .subject = &subject, .depth = i, .seen = i});
    struct event *all = calloc(count, sizeof *all);
    struct arrival *arrival;
    size_t fresh;
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) all[i] = *town.events[first + i];
    assert_int_equal(arrival_begin(&arrival, node.store, node.views), OK);
    assert_int_equal(arrival_add(arrival, all, count, &fresh), OK);
    assert_int_equal(arrival_commit(arrival), OK);
    free(all);
    return subject;
}

static uint32_t effective(const struct draft *d)
{
    struct txn *t;
    struct scope_row scope;
    struct request r;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_true(scope_find(t, &d->scope, &scope));
    assert_int_equal(request_get(t, &(struct thing_key){scope.number, d->subject}, &r), OK);
    txn_abort(t);
    return r.effective;
}

static void records_what_counts_and_no_more(void **state)
{
    (void)state;
    static const uint8_t box[] = "\x81\xa4note\xa1x";
    const struct clock_reading now = {.wall_ms = WALL_MS, .trusted = true, .source = "none"};
    struct recorder *recorder;
    struct recorded out;
    struct kind_problem problem;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    const struct draft note = {
        .kind = "progress.note",
        .scope = scope_of_village(town.devices[0].village),
        .lane = LANE_NORMAL,
        .subject = request_of(THING_EVENTS_MAX - 1),
        .box = slice_of(box, sizeof box - 1),
    };
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &town.devices[0].signer};
    assert_int_equal(recorder_open(&recorder, &options), OK);
    assert_int_equal(effective(&note), THING_EVENTS_MAX - 1);
    assert_int_equal(recorder_record(recorder, &now, &note, &out, &problem), OK);
    assert_int_equal(effective(&note), THING_EVENTS_MAX);
    assert_int_equal(recorder_record(recorder, &now, &note, &out, &problem), ERR_LIMIT);
    assert_string_equal(problem.what, "too much is recorded of it already");
    recorder_close(recorder);
    township_node_close(&node);
    township_end(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_what_counts_and_no_more),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
