#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/recorder.h"
#include "node/store/txn.h"
#include "tests/support/township.h"

#include <string.h>

static struct township town;
static struct township_node node;

/* The devices' own request, by a recorder that was opened now. */
static enum err record_one(uint64_t wall_ms)
{
    const struct clock_reading now = {.wall_ms = wall_ms, .trusted = true, .source = "none"};
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &town.devices[0].signer};
    struct recorder *recorder;
    struct recorded recorded;
    struct kind_problem problem;
    struct buf body = {0}, box = {0};
    const struct kind *kind = kind_find(slice_of_text("request.register"));
    const struct draft draft = {
        .kind = "request.register",
        .scope = scope_of_village("431322111201"),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = township_pack(&body,
                              "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1,"
                              "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}",
                              kind),
        .box = township_pack(&box, "{\"content\":\"路灯不亮\"}", kind),
    };
    assert_int_equal(recorder_open(&recorder, &options), OK);
    problem = (struct kind_problem){.what = ""};
    enum err err = recorder_record(recorder, &now, &draft, &recorded, &problem);
    recorder_close(recorder);
    buf_clear(&body);
    buf_clear(&box);
    return err;
}

/* A bit of the head in the feed's row: the next event would follow one that never was, and every
 * peer would refuse it and all after it. */
static void signs_nothing_over_a_damaged_head(void **state)
{
    (void)state;
    struct txn *t;
    struct feed_row row;
    assert_int_equal(crypto_init(), OK);
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    assert_int_equal(record_one(UINT64_C(1790000000000)), OK);
    for (size_t byte = 0; byte < 32; byte += 31) {
        assert_int_equal(txn_begin(node.store, true, &t), OK);
        uint32_t number = feed_count(t);
        uint64_t events = log_count(t);
        assert_true(feed_get(t, number, &row));
        struct feed_row *hot = feed_hot(t, number);
        hot->heads[0].id.bytes[byte] ^= 1;
        feed_hot_changed(t, hot);
        assert_int_equal(txn_commit(t), OK);
        assert_int_equal(record_one(UINT64_C(1790000001000)), ERR_CORRUPT);
        assert_int_equal(txn_begin(node.store, true, &t), OK);
        assert_int_equal(log_count(t), events);
        hot = feed_hot(t, number);
        *hot = row;
        feed_hot_changed(t, hot);
        assert_int_equal(txn_commit(t), OK);
    }
    assert_int_equal(record_one(UINT64_C(1790000002000)), OK);
    township_node_close(&node);
    township_end(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_nothing_over_a_damaged_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
