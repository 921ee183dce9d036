/* Corrections of what was entered wrongly, and other acts on things of any type; persons. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "node/views/actor.h"
#include "node/views/request.h"
#include "tests/support/story.h"

#define LI "11000000000000000000000000000000"
#define NOBODY "0000000000000000000000000000000000000000000000000000000000000009"

static void found(const char *kind, const char *scope, enum story_who who, const char *body,
                  const char *state)
{
    story_found(scope, &(struct story_step){kind, who, NULL, body, "", state});
}

/* Corrects a field of the step's record; `value` NULL: none in the body. */
static void correct(enum story_who who, const char *target, const char *field, const char *value,
                    const char *why)
{
    char body[512];
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"%s\"%s%s%s}", target, field,
             value ? ",\"value\":\"" : "", value ? value : "", value ? "\"" : "");
    const struct story_step step = {"correct.entry", who, NULL, body, why, NULL};
    story_play(&step, 1);
}

#define SERVICE                                                                                    \
    "{\"person\":\"" LI "\",\"category\":\"elderly\",\"date\":\"2025-11-01\",\"minutes\":90,"      \
    "\"confirm\":\"sign\"}"

static void a_corrected_field_stands_in_the_row(void **state)
{
    (void)state;
    found("service.log", STORY_SCOPE, VILLAGE, SERVICE, "logged");
    const char *founder = story_event(0);
    correct(VILLAGE, founder, "minutes", "60", "");
    story_row_has("\"minutes\": 60");
    correct(VILLAGE, founder, "minutes", "120", "");
    correct(VILLAGE, founder, "date", "2025-11-02", "");
    correct(VILLAGE, founder, "category", "patrol", "");
    story_row_has("\"minutes\": 120");
    story_row_has("\"date\": \"2025-11-02\"");
    story_row_has("\"category\": \"patrol\"");
    story_row_has("[]"); /* it is not listed */
    const struct story_step verify = {
        "service.verify",
        HUB,
        NULL,
        "{\"decision\":\"part\",\"rows\":[[{\"$bin\":\"" LI "\"},120]]}",
        "",
        "verified"};
    story_play(&verify, 1); /* what was corrected counts */
}

static void only_what_was_recorded_about_this_by_this_device_is_corrected(void **state)
{
    (void)state;
    found("service.log", STORY_SCOPE, VILLAGE, SERVICE, "logged");
    const char *founder = story_event(0);
    static const char other[] = "only the device that made a record corrects it";
    correct(SECOND, founder, "minutes", "60", other);
    correct(HUB, founder, "minutes", "60", other);
    correct(VILLAGE, NOBODY, "minutes", "60", "corrects a record that is not about this");
    correct(VILLAGE, founder, "number", "60", "the corrected record has no such field");
    story_row_has("\"minutes\": 90");
}

#define REGISTER                                                                                   \
    "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1,\"nature\":\"help\","           \
    "\"category\":\"0103\",\"urgency\":1}"

/* A device makes a registration of its own about another's request, which has no effect, and
 * corrects that: the request stays as it is. */
static void nobody_corrects_anothers_registration_by_one_without_effect(void **state)
{
    (void)state;
    static const char fixed[] = "this field cannot be corrected";
    found("request.register", STORY_SCOPE, VILLAGE, REGISTER, "registered");
    struct township *town = story_town();
    const struct thing_id subject = story_key()->thing;
    struct township_act act = {
        .kind = "request.register", .subject = &subject, .depth = 1, .seen = 1, .body = REGISTER};
    char target[65], body[256];
    const struct event *e = township_record(town, &town->devices[2], &act);
    for (size_t i = 0; i < sizeof e->id.bytes; i++)
        snprintf(target + 2 * i, 3, "%02x", e->id.bytes[i]);
    static const char *const fields[][2] = {
        {"urgency", "3"}, {"nature", "consult"}, {"channel", "phone"}, {"channel_ref", "x"}};
    act.kind = "correct.entry";
    act.body = body;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"%s\",\"value\":\"%s\"}", target,
                 fields[i][0], fields[i][1]);
        act.depth = ++act.seen;
        township_record(town, &town->devices[2], &act);
    }
    township_node_take_all(story_node(), town);
    struct txn *t;
    struct request r;
    struct history h;
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(request_get(t, story_key(), &r), OK);
    assert_int_equal(r.urgency, 1);
    assert_true(slice_is_text(r.nature, "help") && slice_is_text(r.channel, "visit"));
    assert_int_equal(r.channel_ref.size, 0);
    assert_int_equal(r.effective, 1);
    assert_int_equal(views_history(story_node()->views, t, story_key()->scope_number, &subject, &h),
                     OK);
    txn_abort(t);
    for (size_t i = 2; i < h.count; i++) assert_string_equal(h.items[i].reason, fixed);
    history_clear(&h);
}

static void a_new_value_fits_its_field(void **state)
{
    (void)state;
    found("service.log", STORY_SCOPE, VILLAGE, SERVICE, "logged");
    const char *founder = story_event(0);
    correct(VILLAGE, founder, "minutes", NULL, "needs the new value");
    correct(VILLAGE, founder, "minutes", "060", "is not a whole number from 0 up");
    correct(VILLAGE, founder, "minutes", "-1", "is not a whole number from 0 up");
    correct(VILLAGE, founder, "minutes", "sixty", "is not a whole number from 0 up");
    correct(VILLAGE, founder, "minutes", "99999999999999999999", "is not a whole number from 0 up");
    correct(VILLAGE, founder, "minutes", "481", "is out of range");
    correct(VILLAGE, founder, "minutes", "0", "is out of range");
    correct(VILLAGE, founder, "date", "2025-02-30", "is not a date (YYYY-MM-DD)");
    correct(VILLAGE, founder, "category", "sport", "is not one of the choices");
    correct(VILLAGE, founder, "person", LI, "a field of this type is not corrected");
    correct(VILLAGE, founder, "note", "被照顾的人叫张三", "is personal and belongs into the box");
    correct(VILLAGE, founder, "note", NULL, ""); /* in the box */
    story_row_has("\"minutes\": 90");
}

static void a_correction_keeps_what_founding_asks_for(void **state)
{
    (void)state;
    found("publicity.open", "town", VILLAGE,
          "{\"type\":\"points\",\"year\":2025,\"list\":\"" NOBODY "\",\"from\":\"2025-11-02\","
          "\"to\":\"2025-11-09\",\"place\":\"公开栏\"}",
          "shown");
    const char *founder = story_event(0);
    correct(VILLAGE, founder, "to", "2025-11-01", "is before its first day");
    correct(VILLAGE, founder, "from", "2025-11-10", "is before its first day");
    correct(VILLAGE, founder, "to", "2025-11-12", "");
    correct(VILLAGE, founder, "from", "2025-11-10", "");
    story_row_has("\"from\": \"2025-11-10\"");
}

static void what_an_act_has_set_stands_over_a_correction(void **state)
{
    (void)state;
    static const struct story_step change = {
        "asset.change", VILLAGE, NULL, "{\"condition\":\"in_use\"}", "", NULL};
    found("asset.record", "town", VILLAGE,
          "{\"name\":\"水井\",\"type\":\"well\",\"place\":\"三组\",\"quality\":\"bad\","
          "\"worth\":true,\"condition\":\"disused\"}",
          "recorded");
    const char *founder = story_event(0);
    story_play(&change, 1);
    correct(VILLAGE, founder, "condition", "broken", "");
    correct(VILLAGE, founder, "name", "二组水井", "");
    story_row_has("\"condition\": \"in_use\"");
    story_row_has("\"name\": \"二组水井\"");
    correct(VILLAGE, story_event(1), "condition", "broken", ""); /* in the history alone */
    story_row_has("\"condition\": \"in_use\"");
}

static void acts_on_anything_leave_the_row_as_it_is(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"unit.close", HUB, NULL, "{\"reason\":\"改革\"}", "", "abolished"},
        {"conflict.resolve", HUB, NULL, "{}", "", NULL},
        {"subject.export", HUB, NULL, "{\"asked_by\":\"self\"}", "", NULL},
        {"subject.correct", HUB, NULL, "{\"asked_by\":\"self\"}", "", NULL},
        {"subject.erase_ack", HUB, NULL, "{\"order\":\"" NOBODY "\"}", "", NULL},
    };
    found("unit.put", "town", HUB, "{\"name\":\"水利站\",\"type\":\"station\"}", "in_use");
    story_play(steps, 1);
    const char *before = story_row();
    story_play(steps + 1, 4);
    assert_string_equal(story_row(), before);
}

/* --- persons --------------------------------------------------------------------------------- */

static void actor_of(struct actor *out, char unit[65])
{
    struct txn *t;
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(actor_get(t, &story_key()->thing, out), OK);
    snprintf(unit, 65, "%.*s", (int)out->unit.size, (const char *)out->unit.data);
    txn_abort(t);
}

static void a_person_is_revoked_and_stays_in_the_list(void **state)
{
    (void)state;
    static const struct story_step revoke = {
        "actor.revoke", VILLAGE, NULL, "{\"reason\":\"moved\",\"on\":\"2025-12-31\"}", "",
        "revoked"};
    static const struct story_step again = {"actor.revoke",           HUB, NULL,
                                            "{\"reason\":\"other\"}", "",  "revoked"};
    struct actor actor;
    char unit[65];
    found("actor.enrol", STORY_SCOPE, VILLAGE,
          "{\"unit\":\"村委会\",\"role\":\"clerk\",\"from\":\"2025-01-01\",\"to\":\"2026-01-01\"}",
          "active");
    actor_of(&actor, unit);
    assert_false(actor.revoked);
    story_row_has("[\"村委会\", \"clerk\", 0, \"2025-01-01\", \"2026-01-01\", null]");
    story_play(&revoke, 1);
    actor_of(&actor, unit);
    assert_true(actor.revoked);
    story_row_has("[\"村委会\", \"clerk\", 1, \"2025-01-01\", \"2025-12-31\", null]");
    story_play(&again, 1);
    story_row_has("1, \"2025-01-01\", \"2025-12-31\", null]");
}

#define LEFT                                                                                       \
    "\"on\":\"2025-12-31\",\"open\":2,\"overdue\":0,\"unsent\":1,\"unverified\":0,\"points\":0}"
#define SUCCESSOR "0102030405060708090a0b0c0d0e0f10"

static void who_hands_over_acts_no_more_and_names_who_goes_on(void **state)
{
    (void)state;
    struct actor actor;
    char unit[65], body[256], id[33];
    found("actor.enrol", STORY_SCOPE, VILLAGE, "{\"unit\":\"村委会\",\"role\":\"clerk\"}",
          "active");
    const struct thing_id next = story_key()->thing;
    hex_encode(id, next.bytes, sizeof next.bytes);
    snprintf(body, sizeof body, "{\"to\":\"%s\"," LEFT, id);
    found("actor.enrol", STORY_SCOPE, VILLAGE, "{\"unit\":\"支部\",\"role\":\"clerk\"}", "active");
    const struct story_step over = {"actor.handover", VILLAGE, NULL, body, "", "handed_over"};
    const struct story_step again = {"actor.handover",           HUB,          NULL, body,
                                     "this person acts no more", "handed_over"};
    story_play(&over, 1);
    actor_of(&actor, unit);
    assert_true(actor.revoked && actor.state == ACTOR_HANDED_OVER && actor.has_successor);
    assert_true(thing_id_equal(&actor.successor, &next));
    story_row_has("[\"支部\", \"clerk\", 2, \"\", \"2025-12-31\"");
    story_play(&again, 1);
    story_row_has("2, \"\", \"2025-12-31\"");
}

static void nobody_hands_over_to_himself_or_after_he_was_revoked(void **state)
{
    (void)state;
    static const struct story_step revoke = {"actor.revoke",          HUB, NULL,
                                             "{\"reason\":\"left\"}", "",  "revoked"};
    static const struct story_step late = {
        "actor.handover",           VILLAGE,  NULL, "{\"to\":\"" SUCCESSOR "\"," LEFT,
        "this person acts no more", "revoked"};
    char body[256], id[33];
    found("actor.enrol", STORY_SCOPE, VILLAGE, "{\"unit\":\"村委会\",\"role\":\"clerk\"}",
          "active");
    hex_encode(id, story_key()->thing.bytes, sizeof story_key()->thing.bytes);
    snprintf(body, sizeof body, "{\"to\":\"%s\"," LEFT, id);
    const struct story_step self = {
        "actor.handover", VILLAGE, NULL, body, "somebody else has to take over", "active"};
    story_play(&self, 1);
    story_play(&revoke, 1);
    story_play(&late, 1);
    story_row_has("[\"村委会\", \"clerk\", 1, \"\", \"\", null]");
}

static void what_was_entered_of_a_person_is_corrected(void **state)
{
    (void)state;
    found("actor.enrol", STORY_SCOPE, VILLAGE, "{\"unit\":\"村委\",\"role\":\"clerk\"}", "active");
    const char *founder = story_event(0);
    correct(VILLAGE, founder, "unit", "村委会", "");
    correct(VILLAGE, founder, "to", "2026-01-01", "");
    correct(VILLAGE, founder, "role", "king", "is not one of the choices");
    correct(VILLAGE, founder, "name", NULL, "");
    story_row_has("[\"村委会\", \"clerk\", 0, \"\", \"2026-01-01\", null]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)
        TEST(a_corrected_field_stands_in_the_row),
        TEST(only_what_was_recorded_about_this_by_this_device_is_corrected),
        TEST(nobody_corrects_anothers_registration_by_one_without_effect),
        TEST(a_new_value_fits_its_field),
        TEST(a_correction_keeps_what_founding_asks_for),
        TEST(what_an_act_has_set_stands_over_a_correction),
        TEST(acts_on_anything_leave_the_row_as_it_is),
        TEST(a_person_is_revoked_and_stays_in_the_list),
        TEST(who_hands_over_acts_no_more_and_names_who_goes_on),
        TEST(nobody_hands_over_to_himself_or_after_he_was_revoked),
        TEST(what_was_entered_of_a_person_is_corrected),
#undef TEST
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
