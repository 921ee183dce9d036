#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/sealing.h"
#include "node/views/sealed.h"
#include "proto/json.h"
#include "proto/seal.h"
#include "tests/support/township.h"

#include <string.h>

/* 2026-09-21 23:33:20 in UTC+8, and when that day began. */
#define WALL_MS UINT64_C(1790004800000)
#define DAY_MS UINT64_C(1789920000000)

static struct township town;
static struct township_node node;
static struct recorder *recorder;
static struct buf body_bytes, box_bytes;
static struct kind_problem problem;
static const struct clock_reading now = {.wall_ms = WALL_MS, .trusted = true, .source = "none"};

static void open_recorder(const struct township_device *device)
{
    township_node_open(&node, &town, device);
    township_node_take_all(&node, &town);
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &device->signer};
    assert_int_equal(recorder_open(&recorder, &options), OK);
}

static void close_recorder(void)
{
    recorder_close(recorder);
    recorder = NULL;
    township_node_close(&node);
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    open_recorder(&town.devices[0]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_recorder();
    township_end(&town);
    buf_clear(&body_bytes);
    buf_clear(&box_bytes);
    return 0;
}

static struct slice map_of(struct buf *out, const char *json)
{
    struct json_packer packer = {0};
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    buf_reset(out);
    assert_int_equal(json_pack_map(&packer, out, object, NULL, &problem), OK);
    json_packer_clear(&packer);
    json_decref(object);
    return buf_slice(out);
}

static struct draft accusation(void)
{
    return (struct draft){
        .kind = "request.register",
        .scope = scope_of_village("431322111201"),
        .lane = LANE_URGENT,
        .founding = true,
        .has_by = true,
        .by = {{9, 9}},
        .sealed = true,
        .body =
            map_of(&body_bytes, "{\"number\":\"JB-0000\",\"channel\":\"visit\",\"received\":1,"
                                "\"nature\":\"accusation\",\"category\":\"0103\",\"urgency\":3}"),
        .box = map_of(&box_bytes, "{\"content\":\"评低保收了钱\"}"),
    };
}

static void the_office_finds_inside_all_that_was_recorded_but_the_number(void **state)
{
    (void)state;
    struct box_key office;
    struct box_secret secret;
    struct sealing sealing;
    struct seal_content content;
    struct zstd *z;
    struct buf bytes = {0}, body = {0};
    struct mp_reader value;
    box_pair_make(&office, &secret);
    assert_int_equal(zstd_open(&z), OK);
    struct draft draft = accusation();
    const uint64_t time = HLC_MAKE(WALL_MS, 5, 0);
    assert_int_equal(sealing_make(&sealing, &draft, &office, time, &problem), OK);
    assert_true(mp_map_get(sealing.draft.box, "sealed", &value));
    struct slice sealed = mp_read_bin(&value, SIZE_MAX);
    assert_int_equal(seal_open(&bytes, &content, z, &office, &secret, sealed), OK);
    assert_true(slice_is_text(content.kind, "request.register"));
    assert_int_equal(content.time, time);
    assert_true(content.has_by && thing_id_equal(&content.by, &draft.by));
    assert_int_equal(mp_map_with(&body, draft.body, "number", SLICE_EMPTY), OK);
    assert_true(slice_equal(content.body, buf_slice(&body)));
    assert_true(slice_equal(content.box, draft.box));
    sealing_clear(&sealing);
    seal_wipe(&bytes);
    buf_clear(&body);
    zstd_close(z);
}

static void the_event_says_the_day_and_nothing_else(void **state)
{
    (void)state;
    struct draft draft = accusation();
    struct recorded recorded, again;
    struct event e;
    struct txn *t;
    struct sealed row;
    assert_int_equal(recorder_record(recorder, &now, &draft, &recorded, &problem), OK);
    assert_int_equal(recorder_record(recorder, &now, &draft, &again, &problem), OK);
    assert_false(thing_id_equal(&recorded.subject, &again.subject));
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(log_read(t, log_count(t), &e), OK);
    assert_true(slice_is_text(e.kind, "sealed"));
    assert_string_equal(e.feed.scope.text, "office");
    assert_int_equal(e.feed.lane, LANE_NORMAL);
    assert_int_equal(e.time, HLC_MAKE(DAY_MS, 0, 0));
    assert_false(e.has_by);
    assert_int_equal(e.body.size, 1);
    struct mp_reader box = mp_reader_of(e.box);
    assert_int_equal(mp_read_map(&box, 9), 1);
    struct scope_row scope;
    assert_true(scope_find(t, &e.feed.scope, &scope));
    assert_int_equal(sealed_get(t, &(struct thing_key){scope.number, recorded.subject}, &row), OK);
    assert_int_equal(row.day_ms, DAY_MS);
    assert_false(row.opened);
    txn_abort(t);
}

static void a_days_records_leave_the_devices_clock_alone(void **state)
{
    (void)state;
    struct recorded recorded;
    struct event e;
    struct txn *t;
    struct draft draft = accusation();
    assert_int_equal(recorder_record(recorder, &now, &draft, &recorded, &problem), OK);
    draft.sealed = false;
    draft.body =
        map_of(&body_bytes, "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1,"
                            "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}");
    assert_int_equal(recorder_record(recorder, &now, &draft, &recorded, &problem), OK);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(log_read(t, log_count(t), &e), OK);
    assert_int_equal(e.time, HLC_MAKE(WALL_MS, 0, 0)); /* as if it were the first today */
    txn_abort(t);
}

static void the_day_is_that_of_the_township(void **state)
{
    (void)state;
    assert_int_equal(sealing_day(HLC_MAKE(DAY_MS, 7, 1)), HLC_MAKE(DAY_MS, 0, 1));
    assert_int_equal(sealing_day(HLC_MAKE(DAY_MS - 1, 7, 0)), HLC_MAKE(DAY_MS - 86400000, 0, 0));
    assert_int_equal(sealing_day(HLC_MAKE(DAY_MS + 86399999, 0, 0)), HLC_MAKE(DAY_MS, 0, 0));
    assert_int_equal(sealing_day(HLC_MAKE(5, 0, 0)), 0);
}

static enum err record(const struct draft *draft)
{
    struct recorded recorded;
    problem = (struct kind_problem){.what = ""};
    return recorder_record(recorder, &now, draft, &recorded, &problem);
}

static void refuses_an_accusation_in_the_open_and_a_seal_by_hand(void **state)
{
    (void)state;
    struct draft draft = accusation();
    draft.sealed = false;
    assert_int_equal(record(&draft), ERR_RANGE);
    assert_string_equal(problem.field, "nature");
    draft.scope = scope_office();
    assert_int_equal(record(&draft), ERR_FORBIDDEN); /* a village, for the office: only sealed */
    static uint8_t box[8 + SEAL_SIZE_MIN] = {0x81, 0xa6, 's', 'e', 'a', 'l', 'e', 'd'};
    struct draft by_hand = {.kind = "sealed",
                            .scope = scope_office(),
                            .lane = LANE_NORMAL,
                            .founding = true,
                            .box = slice_of(box, sizeof box)};
    assert_int_equal(record(&by_hand), ERR_FORBIDDEN);
}

static void refuses_to_seal_what_could_not_be_registered(void **state)
{
    (void)state;
    struct draft draft = accusation();
    draft.box = SLICE_EMPTY;
    assert_int_equal(record(&draft), ERR_RANGE);
    assert_string_equal(problem.field, "content");
    draft = accusation();
    draft.kind = "request.accept";
    assert_int_equal(record(&draft), ERR_RANGE);
    draft = accusation();
    draft.kind = "sealed";
    assert_int_equal(record(&draft), ERR_RANGE);
}

static void says_that_a_text_is_too_long_to_be_sealed(void **state)
{
    (void)state;
    static char json[20100];
    uint32_t x = 3;
    size_t size = (size_t)snprintf(json, sizeof json, "{\"content\":\"");
    for (size_t i = 0; i < 20000; i++) {
        x = x * 1664525u + 1013904223u;
        json[size++] = (char)('#' + (x >> 24) % 57); /* no quotes, no backslash */
    }
    memcpy(json + size, "\"}", 3);
    struct draft draft = accusation();
    draft.box = map_of(&box_bytes, json);
    assert_int_equal(record(&draft), ERR_LIMIT);
    assert_string_equal(problem.what, "is too long to be sealed");
}

static void the_township_registers_in_the_office_and_seals_nothing(void **state)
{
    (void)state;
    close_recorder();
    open_recorder(&town.hub);
    struct draft draft = accusation();
    assert_int_equal(record(&draft), ERR_FORBIDDEN);
    draft.sealed = false;
    draft.scope = scope_office();
    draft.lane = LANE_NORMAL;
    assert_int_equal(record(&draft), OK);
    draft.scope = scope_of_village("431322111201");
    assert_int_equal(record(&draft), ERR_RANGE);
    assert_string_equal(problem.field, "nature");
}

static void what_was_opened_is_not_opened_again(void **state)
{
    (void)state;
    const struct event *sealed = township_record(
        &town, &town.devices[0],
        &(struct township_act){.kind = "sealed", .scope = "office", .box = "{\"sealed\":1}"});
    struct draft draft = {.kind = "sealed.opened",
                          .scope = scope_office(),
                          .lane = LANE_NORMAL,
                          .subject = sealed->subject};
    struct mp_map body = {0};
    struct mp_writer w = mp_map_put(&body, "request");
    mp_write_bin(&w, sealed->subject.bytes, sizeof sealed->subject.bytes);
    w = mp_map_put(&body, "recorded");
    mp_write_uint(&w, 5);
    buf_reset(&body_bytes);
    assert_int_equal(mp_map_end(&body, &body_bytes), OK);
    mp_map_clear(&body);
    draft.body = buf_slice(&body_bytes);
    close_recorder();
    open_recorder(&town.hub);
    assert_int_equal(record(&draft), OK);
    assert_int_equal(record(&draft), ERR_STATE);
    assert_string_equal(problem.what, "was opened already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_office_finds_inside_all_that_was_recorded_but_the_number),
        TEST(the_event_says_the_day_and_nothing_else),
        TEST(a_days_records_leave_the_devices_clock_alone),
        TEST(the_day_is_that_of_the_township),
        TEST(refuses_an_accusation_in_the_open_and_a_seal_by_hand),
        TEST(refuses_to_seal_what_could_not_be_registered),
        TEST(says_that_a_text_is_too_long_to_be_sealed),
        TEST(the_township_registers_in_the_office_and_seals_nothing),
        TEST(what_was_opened_is_not_opened_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
