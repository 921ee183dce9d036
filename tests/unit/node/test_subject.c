/* What is asked before an event is signed: about the subject, the person who acts, and where. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "node/recorder.h"
#include "proto/json.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"

static struct township town;
static struct township_node node;
static struct recorder *recorder;
static struct buf body_bytes, box_bytes;
static struct clock_reading now; /* 2026-09-21, trusted, as each test begins */

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    now = (struct clock_reading){.wall_ms = UINT64_C(1790000000000), .trusted = true};
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &town.hub.signer};
    return recorder_open(&recorder, &options) == OK ? 0 : -1;
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

static struct slice map_of(struct buf *out, const char *json, const char *kind)
{
    struct json_packer packer = {0};
    struct kind_problem problem;
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    buf_reset(out);
    const struct kind *k = kind_find(slice_of_text(kind));
    assert_int_equal(json_pack_map(&packer, out, object, k, &problem), OK);
    json_packer_clear(&packer);
    json_decref(object);
    return buf_slice(out);
}

/* What was refused, "" where it was recorded. `subject` NULL: founds a thing. */
static const char *record(const char *kind, const char *scope, const struct thing_id *subject,
                          const struct thing_id *by, const char *body, const char *box,
                          enum err expected, struct recorded *out)
{
    static struct kind_problem problem;
    struct draft d = {.kind = kind, .lane = LANE_NORMAL, .founding = !subject};
    problem = (struct kind_problem){.what = ""};
    assert_int_equal(scope_parse(&d.scope, slice_of_text(scope)), OK);
    if (subject) d.subject = *subject;
    d.has_by = by != NULL;
    if (by) d.by = *by;
    d.body = map_of(&body_bytes, body, kind);
    if (box) d.box = map_of(&box_bytes, box, kind);
    enum err err = recorder_record(recorder, &now, &d, out, &problem);
    assert_int_equal(err, expected);
    return err ? problem.what : "";
}

#define UNIT "{\"name\":\"水利站\",\"type\":\"station\"}"
#define RULE "{\"type\":\"sla\",\"ver\":1,\"effective\":\"2025-01-01\"}"
#define REQUEST                                                                                    \
    "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1,\"nature\":\"help\","           \
    "\"category\":\"0103\",\"urgency\":2}"

#define AT_2020                                                                                    \
    "{\"number\":\"01A-0002\",\"channel\":\"visit\",\"received\":1,\"nature\":\"help\","           \
    "\"category\":\"0103\",\"urgency\":2,\"at\":1590000000000}"

static void nothing_without_effect_is_recorded_of_a_plain_thing(void **state)
{
    (void)state;
    struct recorded unit, out;
    const char *close = "{\"reason\":\"改革\"}";
    record("unit.put", "town", NULL, NULL, UNIT, NULL, OK, &unit);
    record("unit.close", "town", &unit.subject, NULL, close, NULL, OK, &out);
    assert_string_equal(
        record("unit.close", "town", &unit.subject, NULL, close, NULL, ERR_STATE, &out),
        "not possible in this state");
    assert_string_equal(record("asset.change", "town", &unit.subject, NULL,
                               "{\"condition\":\"in_use\"}", NULL, ERR_FORBIDDEN, &out),
                        "this device has no role for it");
    assert_string_equal(record("publicity.close", "town", &unit.subject, NULL, "{\"objections\":1}",
                               NULL, ERR_NOT_FOUND, &out),
                        "is not held"); /* another type of thing */
}

static void what_founds_a_thing_says_what_its_type_needs(void **state)
{
    (void)state;
    struct recorded out;
    assert_string_equal(record("rule.put", "town", NULL, NULL, RULE, NULL, ERR_RANGE, &out),
                        "is missing");
}

static void an_act_on_anything_needs_a_thing_that_is_held(void **state)
{
    (void)state;
    struct recorded unit, out;
    static const struct thing_id nowhere = {{9}};
    record("unit.put", "town", NULL, NULL, UNIT, NULL, OK, &unit);
    assert_string_equal(
        record("conflict.resolve", "town", &nowhere, NULL, "{}", NULL, ERR_NOT_FOUND, &out),
        "is not held");
    record("conflict.resolve", "town", &unit.subject, NULL, "{}", NULL, OK, &out);
    assert_string_equal(record("conflict.resolve", "town", &town.devices[0].thing, NULL, "{}", NULL,
                               ERR_FORBIDDEN, &out),
                        "only the authority acts on the roster");
}

static void only_ones_own_entry_is_corrected(void **state)
{
    (void)state;
    struct recorded unit, out;
    char id[65], body[256];
    record("unit.put", "town", NULL, NULL, UNIT, NULL, OK, &unit);
    hex_encode(id, unit.id.bytes, sizeof unit.id.bytes);
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"name\",\"value\":\"水站\"}", id);
    record("correct.entry", "town", &unit.subject, NULL, body, "{\"why\":\"写错\"}", OK, &out);
    hex_encode(id, out.id.bytes, sizeof out.id.bytes);
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"name\",\"value\":\"水站\"}", id);
    assert_string_equal(record("correct.entry", "town", &unit.subject, NULL, body,
                               "{\"why\":\"写错\"}", ERR_STATE, &out),
                        "the corrected record has no such field");
}

static void who_was_revoked_acts_no_more(void **state)
{
    (void)state;
    struct recorded person, out;
    record("actor.enrol", "town", NULL, NULL, "{\"unit\":\"信访办\",\"role\":\"dispatcher\"}",
           "{\"name\":\"演示甲\"}", OK, &person);
    record("unit.put", "town", NULL, &person.subject, UNIT, NULL, OK, &out);
    record("actor.revoke", "town", &person.subject, NULL, "{\"reason\":\"left\"}", NULL, OK, &out);
    assert_string_equal(
        record("unit.put", "town", NULL, &person.subject, UNIT, NULL, ERR_FORBIDDEN, &out),
        "this person acts no more");
    record("unit.put", "town", NULL, NULL, UNIT, NULL, OK, &out);
}

static void who_is_enrolled_for_some_days_acts_on_these(void **state)
{
    (void)state;
    static const char later[] = "this person is not in office that day";
    static const struct {
        const char *from, *to, *refused;
    } rows[] = {
        {"2026-09-21", "2026-09-21", ""},
        {"2026-09-22", "2027-01-01", later},
        {"2020-01-01", "2026-09-20", later},
        {"2020-01-01", "2027-01-01", ""},
    };
    struct recorded person, out;
    char body[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(body, sizeof body,
                 "{\"unit\":\"信访办\",\"role\":\"dispatcher\",\"from\":\"%s\",\"to\":\"%s\"}",
                 rows[i].from, rows[i].to);
        record("actor.enrol", "town", NULL, NULL, body, "{\"name\":\"演示甲\"}", OK, &person);
        enum err expected = rows[i].refused[0] ? ERR_FORBIDDEN : OK;
        assert_string_equal(
            record("unit.put", "town", NULL, &person.subject, UNIT, NULL, expected, &out),
            rows[i].refused);
    }
    /* what was done in these days may be entered later, and no wrong clock stops a clerk */
    snprintf(body, sizeof body,
             "{\"unit\":\"信访办\",\"role\":\"dispatcher\",\"to\":\"2020-12-31\"}");
    record("actor.enrol", "town", NULL, NULL, body, "{\"name\":\"演示乙\"}", OK, &person);
    const char *box = "{\"content\":\"污水\"}";
    record("request.register", SCOPE, NULL, &person.subject, REQUEST, box, ERR_FORBIDDEN, &out);
    record("request.register", SCOPE, NULL, &person.subject, AT_2020, box, OK, &out);
    now.trusted = false;
    record("request.register", SCOPE, NULL, &person.subject, REQUEST, box, OK, &out);
}

static void a_closed_village_takes_no_new_request(void **state)
{
    (void)state;
    struct recorded out;
    const char *box = "{\"content\":\"污水\"}";
    record("request.register", SCOPE, NULL, NULL, REQUEST, box, OK, &out);
    const struct event *village = NULL;
    for (size_t i = 0; i < town.event_count && !village; i++)
        if (slice_is_text(town.events[i]->kind, "village.put")) village = town.events[i];
    assert_non_null(village);
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "village.closed",
                                           .subject = &village->subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = "{\"reason\":\"并村\"}"});
    township_node_take_all(&node, &town);
    assert_string_equal(
        record("request.register", SCOPE, NULL, NULL, REQUEST, box, ERR_STATE, &out),
        "this village was closed: it takes no new request");
    record("request.register", "village:431322111202", NULL, NULL, REQUEST, box, OK, &out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(nothing_without_effect_is_recorded_of_a_plain_thing),
        TEST(what_founds_a_thing_says_what_its_type_needs),
        TEST(an_act_on_anything_needs_a_thing_that_is_held),
        TEST(only_ones_own_entry_is_corrected),
        TEST(who_was_revoked_acts_no_more),
        TEST(who_is_enrolled_for_some_days_acts_on_these),
        TEST(a_closed_village_takes_no_new_request),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
