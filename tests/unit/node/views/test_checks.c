#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/checks_before.h"
#include "node/views/thing.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"

static struct township town;
static struct township_node node;
static struct txn *txn;

/* --- recording ------------------------------------------------------------------------------- */

static struct thing_id act(struct township_device *d, const char *kind,
                           const struct thing_id *thing, uint32_t depth, const char *body,
                           const char *box)
{
    const struct kind *k = kind_find(slice_of_text(kind));
    bool in_town = k->scopes == 1u << SCOPE_TOWN;
    return township_record(&town, d,
                           &(struct township_act){.kind = kind,
                                                  .scope = in_town ? "town" : SCOPE,
                                                  .subject = thing,
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body,
                                                  .box = box})
        ->subject;
}

static struct thing_id founded(const char *kind, const char *body, const char *box)
{
    return act(&town.devices[0], kind, NULL, 0, body, box);
}

static const char *hex_of(const struct thing_id *id)
{
    static char texts[4][33];
    static unsigned next;
    char *text = texts[next++ % 4];
    hex_encode(text, id->bytes, sizeof id->bytes);
    return text;
}

static struct thing_id volunteer(const char *number, const char *name, const char *phone)
{
    char body[96], box[128];
    snprintf(body, sizeof body, "{\"number\":\"%s\",\"joined\":\"2022-03-05\"}", number);
    snprintf(box, sizeof box, "{\"name\":\"%s\",\"phone\":\"%s\"}", name, phone);
    return founded("volunteer.register", body, box);
}

static void request(struct township_device *d, const char *number, const char *reference)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"number\":\"%s\",\"channel\":\"visit\",\"received\":1763859600000,"
             "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2%s%s%s}",
             number, reference ? ",\"channel_ref\":\"" : "", reference ? reference : "",
             reference ? "\"" : "");
    act(d, "request.register", NULL, 0, body,
        "{\"name\":\"张三\",\"phone\":\"13800001111\",\"place\":\"村口\",\"content\":\"水\"}");
}

static struct thing_id call(bool hazard, const char *insurance, unsigned need)
{
    char body[400];
    snprintf(body, sizeof body,
             "{\"title\":\"淘井\",\"category\":\"water\",\"place\":\"老井\","
             "\"start\":1763859600000,\"need\":%u,\"risk\":\"井下缺氧\",\"hazard\":%s%s%s%s}",
             need, hazard ? "true" : "false", insurance ? ",\"insurance_ref\":\"" : "",
             insurance ? insurance : "", insurance ? "\"" : "");
    return founded("call.publish", body, NULL);
}

static const char *activity_body(const struct thing_id *of_call)
{
    static char body[256];
    snprintf(body, sizeof body,
             "{\"title\":\"淘井\",\"category\":\"water\",\"date\":\"2022-11-08\","
             "\"place\":\"老井\",\"call\":\"%s\"}",
             hex_of(of_call));
    return body;
}

static const char *sheet_body(const struct thing_id *person, const char *date, unsigned start,
                              unsigned end)
{
    static char body[400];
    struct thing_id activity = {"activity"};
    snprintf(body, sizeof body,
             "{\"activity\":\"%s\",\"category\":\"water\",\"date\":\"%s\",\"method\":\"paper\","
             "\"rows\":[[{\"$bin\":\"%s\"},%u,%u,%u]]}",
             hex_of(&activity), date, hex_of(person), start, end, end - start);
    return body;
}

static const char *service_body(const struct thing_id *person, const char *date, unsigned minutes)
{
    static char body[256];
    snprintf(body, sizeof body,
             "{\"person\":\"%s\",\"category\":\"elderly\",\"date\":\"%s\",\"minutes\":%u,"
             "\"confirm\":\"sign\"}",
             hex_of(person), date, minutes);
    return body;
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    txn_abort(txn);
    txn = NULL;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

/* --- flags ----------------------------------------------------------------------------------- */

static bool note(void *state, const struct check_flag *flag)
{
    struct buf *out = state;
    buf_printf(out, "%s%s%s%s%zu ", check_name(flag->code), flag->said[0] ? "=" : "", flag->said,
               flag->has_person ? "*" : "/", flag->thing_count);
    return true;
}

/* "code=said/things ...": a star where a person is named. */
static void flags_are(const char *wanted)
{
    struct buf out = {0};
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
    assert_int_equal(checks_each(node.views, txn, note, &out), OK);
    assert_string_equal(buf_text(&out), wanted);
    buf_clear(&out);
}

static void a_township_in_order_has_no_flags(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    volunteer("01AV-0002", "甲二", "13812345679");
    request(&town.devices[0], "01A-0001", "wx-1");
    request(&town.devices[0], "01A-0002", NULL);
    request(&town.devices[0], "01A-0003", NULL);
    founded("team.form", "{\"name\":\"琅塘星\"}", NULL);
    struct thing_id well = call(true, "PICC-1", 5);
    founded("activity.record", activity_body(&well), NULL);
    founded("attendance.record", sheet_body(&a, "2022-11-08", 480, 720), NULL);
    founded("attendance.record", sheet_body(&a, "2022-11-08", 720, 800), NULL);
    founded("service.log", service_body(&a, "2022-11-08", 60), NULL);
    flags_are("");
}

static void what_two_have_is_flagged_beside_both(void **state)
{
    (void)state;
    request(&town.devices[0], "01A-0001", "wx-1");
    request(&town.devices[0], "01A-0001", NULL);
    request(&town.devices[0], "01A-0003", "wx-1");
    volunteer("01AV-0001", "甲一", "138-1234-5678");
    volunteer("01AV-0001", "甲二", "+86 13812345678");
    founded("team.form", "{\"name\":\"琅塘星\"}", NULL);
    founded("team.form", "{\"name\":\"琅塘星二\"}", NULL);
    flags_are("request-number-twice=01A-0001/2 reference-twice=wx-1/2 volunteer-phone-twice/2 "
              "volunteer-number-twice=01AV-0001/2 team-twice/2 ");
}

static void a_phone_of_one_who_left_is_free_again(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    volunteer("01AV-0002", "甲二", "13812345678");
    act(&town.devices[0], "volunteer.leave", &a, 1, "{\"reason\":\"moved\",\"on\":\"2022-06-01\"}",
        NULL);
    flags_are("");
}

static void a_phone_is_digits_and_a_category_stands_on_the_list(void **state)
{
    (void)state;
    volunteer("01AV-0001", "甲一", "1.38E+10");
    volunteer("01AV-0002", "乙一", "1.38E+10");
    founded("request.register",
            "{\"number\":\"01A-0002\",\"channel\":\"visit\",\"received\":1763600000000,"
            "\"nature\":\"help\",\"category\":\"9998\",\"urgency\":1}",
            "{\"content\":\"灯\",\"phone\":\"138abc\"}");
    act(&town.hub, "rule.put", NULL, 0,
        "{\"type\":\"category\",\"ver\":1,\"effective\":\"2020-01-01\","
        "\"approved_by\":\"会\",\"doc_ref\":\"1\",\"categories\":"
        "[[\"0103\",\"水利\",\"water\",null]]}",
        NULL);
    flags_are("category-unknown=9998/1 phone-unusable/1 phone-unusable/1 ");
}

static void a_minor_needs_a_guardian(void **state)
{
    (void)state;
    founded("volunteer.register", "{\"joined\":\"2022-03-05\",\"minor\":true}",
            "{\"name\":\"甲一\",\"phone\":\"13812345678\"}");
    flags_are("guardian-missing/1 ");
}

static void service_at_two_places_at_once_or_after_leaving_is_flagged(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    struct thing_id b = volunteer("01AV-0002", "甲二", "13812345679");
    founded("attendance.record", sheet_body(&a, "2022-11-07", 1320, 1500), NULL);
    founded("attendance.record", sheet_body(&a, "2022-11-08", 30, 90), NULL);
    founded("attendance.record", sheet_body(&b, "2022-11-08", 30, 90), NULL);
    founded("attendance.record", sheet_body(&b, "2022-11-09", 0, 900), NULL);
    founded("service.log", service_body(&b, "2022-11-09", 61), NULL);
    act(&town.devices[0], "volunteer.leave", &b, 1, "{\"reason\":\"moved\",\"on\":\"2022-11-08\"}",
        NULL);
    flags_are("attendance-overlaps=2022-11-08*2 day-too-long=2022-11-09*1 "
              "served-after-leaving=2022-11-09*1 served-after-leaving=2022-11-09*1 ");
}

static void what_was_not_accepted_collides_with_nothing(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    founded("attendance.record", sheet_body(&a, "2022-11-08", 480, 720), NULL);
    struct thing_id other =
        founded("attendance.record", sheet_body(&a, "2022-11-08", 500, 700), NULL);
    act(&town.hub, "service.verify", &other, 1, "{\"decision\":\"no\"}", "{\"why\":\"重复\"}");
    flags_are("");
}

static void dangerous_work_without_insurance_is_flagged_and_who_waits_is_noted(void **state)
{
    (void)state;
    struct thing_id well = call(true, NULL, 1);
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    struct thing_id b = volunteer("01AV-0002", "甲二", "13812345679");
    const struct thing_id *who[] = {&a, &b};
    for (uint32_t i = 0; i < 2; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"person\":\"%s\",\"by_proxy\":\"phone\"}", hex_of(who[i]));
        act(&town.devices[0], "call.signup", &well, i + 1, body, NULL);
    }
    founded("activity.record", activity_body(&well), NULL);
    flags_are("activity-without-insurance=淘井/2 waiting-list=淘井/1 ");
    uint64_t count;
    assert_int_equal(checks_count(node.views, txn, &count), OK);
    assert_int_equal(count, 1);
}

static void who_may_not_sign_and_what_is_abolished_is_flagged(void **state)
{
    (void)state;
    struct thing_id clerk =
        act(&town.hub, "actor.enrol", NULL, 0, "{\"unit\":\"信访办\",\"role\":\"dispatcher\"}",
            "{\"name\":\"乙一\"}");
    struct thing_id mayor = act(&town.hub, "actor.enrol", NULL, 0,
                                "{\"unit\":\"镇政府\",\"role\":\"mayor\"}", "{\"name\":\"乙二\"}");
    struct thing_id unit =
        act(&town.hub, "unit.put", NULL, 0, "{\"name\":\"水利站\",\"type\":\"station\"}", NULL);
    act(&town.hub, "unit.close", &unit, 1, "{\"reason\":\"合并\"}", NULL);
    act(&town.hub, "duty.publish", NULL, 0, "{\"unit\":\"水利站\",\"duties\":[\"井\"],\"ver\":1}",
        NULL);
    const struct thing_id *signers[] = {&clerk, &mayor};
    for (int i = 0; i < 2; i++) {
        char body[400];
        struct thing_id r =
            township_register(&town, &town.devices[0], i ? "01A-0001" : "01A-0002")->subject;
        act(&town.hub, "request.accept", &r, 1,
            "{\"official_no\":\"2025-0001\",\"class\":\"general\",\"due\":1764200000000}", NULL);
        snprintf(body, sizeof body, "{\"unit\":\"%s\",\"due\":1764200000000,\"signed_by\":\"%s\"}",
                 i ? "镇政府" : "水利站", hex_of(signers[i]));
        act(&town.hub, "order.issue", &r, 2, body, "{\"task\":\"查\",\"responsible\":\"丙一\"}");
    }
    flags_are("official-number-twice=2025-0001/2 signer-without-right*1 "
              "unit-of-request-closed=水利站/1 unit-of-duty-closed=水利站/1 ");
}

/* --- before recording ------------------------------------------------------------------------ */

static struct buf encoded_body, encoded_box;

static void encode(struct buf *out, const char *json, const struct kind *k)
{
    buf_reset(out);
    if (json) township_pack(out, json, k);
}

static enum err ask(const char *kind, const struct thing_id *subject, const char *body,
                    const char *box, struct checks_finding *out)
{
    struct scope scope = scope_town();
    const struct kind *k = kind_find(slice_of_text(kind));
    if (k->scopes != 1u << SCOPE_TOWN)
        assert_int_equal(scope_parse(&scope, slice_of_text(SCOPE)), OK);
    if (!txn) {
        township_node_take_all(&node, &town);
        assert_int_equal(txn_begin(node.store, true, &txn), OK);
    }
    encode(&encoded_body, body, k);
    encode(&encoded_box, box, k);
    struct checks_draft draft = {
        .kind = k,
        .scope = &scope,
        .founding = subject == NULL,
        .author = (k->roles & ROLE_DISPATCH ? &town.hub : &town.devices[0])->signer.key,
        .body = buf_slice(&encoded_body),
        .box = buf_slice(&encoded_box),
        .now_ms = town.time_ms,
        .reminders = true,
    };
    if (subject) draft.subject = *subject;
    return checks_before(node.views, txn, true, &draft, out);
}

static void refuses(enum err wanted, const char *kind, const struct thing_id *subject,
                    const char *body, const char *box, const char *field, const char *said)
{
    struct checks_finding found;
    assert_int_equal(ask(kind, subject, body, box, &found), wanted);
    assert_non_null(found.what);
    assert_non_null(found.todo);
    assert_string_equal(found.field, field);
    assert_string_equal(found.said, said);
}

static void passes(const char *kind, const struct thing_id *subject, const char *body,
                   const char *box)
{
    struct checks_finding found;
    assert_int_equal(ask(kind, subject, body, box, &found), OK);
    assert_null(found.what);
}

static void who_is_registered_already_is_refused(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    struct thing_id b = volunteer("01AV-0002", "甲二", "13812345679");
    founded("team.form", "{\"name\":\"琅塘星\"}", NULL);
    const char *joined = "{\"joined\":\"2022-03-05\"}";
    refuses(ERR_EXISTS, "volunteer.register", NULL, joined,
            "{\"name\":\"甲三\",\"phone\":\"138 1234 5678\"}", "phone", "01AV-0001");
    refuses(ERR_EXISTS, "volunteer.update", &b, "{}", "{\"phone\":\"+8613812345678\"}", "phone",
            "01AV-0001");
    passes("volunteer.update", &a, "{}", "{\"phone\":\"13812345678\"}");
    passes("volunteer.register", NULL, joined, "{\"name\":\"甲一\",\"phone\":\"13812345670\"}");
    refuses(ERR_EXISTS, "volunteer.register", NULL,
            "{\"joined\":\"2022-03-05\",\"number\":\"01AV-0001\"}",
            "{\"name\":\"甲一\",\"phone\":\"13812345670\"}", "number", "01AV-0001");
    refuses(ERR_STATE, "volunteer.register", NULL, "{\"joined\":\"2022-03-05\",\"minor\":true}",
            "{\"name\":\"甲一\",\"phone\":\"13812345670\"}", "guardian_ref", "");
    refuses(ERR_EXISTS, "team.form", NULL, "{\"name\":\"二队\"}", NULL, "name", "琅塘星");
}

static void a_request_is_refused_by_its_reference_and_reminded_of_by_phone_and_place(void **state)
{
    (void)state;
    request(&town.devices[0], "01A-0001", "wx-1");
    const char *other = "{\"channel\":\"visit\",\"category\":\"0103\",\"channel_ref\":\"wx-2\"}";
    refuses(ERR_EXISTS, "request.register", NULL, "{\"channel_ref\":\"wx-1\"}", NULL, "channel_ref",
            "01A-0001");
    refuses(ERR_EXISTS, "request.register", NULL, "{\"number\":\"01A-0001\"}", NULL, "number",
            "01A-0001");
    refuses(OK, "request.register", NULL, other, "{\"phone\":\"13800001111\"}", "phone",
            "01A-0001");
    refuses(OK, "request.register", NULL, other, "{\"place\":\"村口\"}", "place", "01A-0001");
    passes("request.register", NULL, other, "{\"phone\":\"13800002222\",\"place\":\"村尾\"}");
    passes("request.register", NULL, "{\"category\":\"0201\"}", "{\"place\":\"村口\"}");
    town.time_ms += UINT64_C(31) * 24 * 60 * 60 * 1000;
    passes("request.register", NULL, other, "{\"phone\":\"13800001111\",\"place\":\"村口\"}");
}

static void dangerous_work_is_not_held_uninsured(void **state)
{
    (void)state;
    struct thing_id well = call(true, NULL, 1), insured = call(true, "PICC-1", 1);
    refuses(OK, "call.publish", NULL, "{\"hazard\":true}", NULL, "insurance_ref", "");
    passes("call.publish", NULL, "{\"hazard\":true,\"insurance_ref\":\"PICC-1\"}", NULL);
    refuses(ERR_STATE, "activity.record", NULL, activity_body(&well), NULL, "call", "淘井");
    passes("activity.record", NULL, activity_body(&insured), NULL);
}

static void who_left_signs_up_for_nothing_and_who_is_over_waits(void **state)
{
    (void)state;
    char body[128];
    struct thing_id drain = call(false, NULL, 1);
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    struct thing_id b = volunteer("01AV-0002", "甲二", "13812345679");
    act(&town.devices[0], "volunteer.leave", &a, 1, "{\"reason\":\"moved\",\"on\":\"2022-06-01\"}",
        NULL);
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"by_proxy\":\"phone\"}", hex_of(&a));
    refuses(ERR_STATE, "call.signup", &drain, body, NULL, "person", "01AV-0001");
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"by_proxy\":\"phone\"}", hex_of(&b));
    passes("call.signup", &drain, body, NULL);
    txn_abort(txn);
    txn = NULL;
    act(&town.devices[0], "call.signup", &drain, 1, body, NULL);
    refuses(OK, "call.signup", &drain, body, NULL, "", "");
}

static void nobody_serves_twice_at_once_nor_after_leaving_nor_all_day(void **state)
{
    (void)state;
    struct thing_id a = volunteer("01AV-0001", "甲一", "13812345678");
    struct thing_id b = volunteer("01AV-0002", "甲二", "13812345679");
    founded("attendance.record", sheet_body(&a, "2022-11-08", 480, 720), NULL);
    act(&town.devices[0], "volunteer.leave", &b, 1, "{\"reason\":\"moved\",\"on\":\"2022-11-08\"}",
        NULL);
    refuses(ERR_EXISTS, "attendance.record", NULL, sheet_body(&a, "2022-11-08", 700, 800), NULL,
            "rows", "2022-11-08");
    refuses(ERR_EXISTS, "attendance.record", NULL, sheet_body(&a, "2022-11-07", 1200, 2000), NULL,
            "rows", "2022-11-08");
    passes("attendance.record", NULL, sheet_body(&a, "2022-11-08", 720, 800), NULL);
    passes("attendance.record", NULL, sheet_body(&a, "2022-11-10", 480, 720), NULL);
    refuses(ERR_STATE, "attendance.record", NULL, sheet_body(&a, "2022-11-08", 720, 1441), NULL,
            "minutes", "");
    refuses(ERR_STATE, "service.log", NULL, service_body(&b, "2022-11-09", 30), NULL, "person",
            "01AV-0002");
    passes("service.log", NULL, service_body(&b, "2022-11-08", 30), NULL);
}

static void an_order_is_signed_by_who_may_and_goes_to_a_unit_that_is(void **state)
{
    (void)state;
    char body[160];
    struct thing_id mayor = act(&town.hub, "actor.enrol", NULL, 0,
                                "{\"unit\":\"镇政府\",\"role\":\"mayor\"}", "{\"name\":\"乙二\"}");
    struct thing_id clerk =
        act(&town.hub, "actor.enrol", NULL, 0, "{\"unit\":\"信访办\",\"role\":\"dispatcher\"}",
            "{\"name\":\"乙一\"}");
    struct thing_id unit =
        act(&town.hub, "unit.put", NULL, 0, "{\"name\":\"水利站\",\"type\":\"station\"}", NULL);
    struct thing_id r = township_register(&town, &town.devices[0], "01A-0001")->subject;
    snprintf(body, sizeof body, "{\"unit\":\"水利站\",\"signed_by\":\"%s\"}", hex_of(&mayor));
    passes("order.issue", &r, body, NULL);
    snprintf(body, sizeof body, "{\"unit\":\"水利站\",\"signed_by\":\"%s\"}", hex_of(&clerk));
    refuses(ERR_STATE, "order.issue", &r, body, NULL, "signed_by", "");
    txn_abort(txn);
    txn = NULL;
    act(&town.hub, "unit.close", &unit, 1, "{\"reason\":\"合并\"}", NULL);
    act(&town.hub, "actor.revoke", &mayor, 1, "{\"reason\":\"left\",\"on\":\"2022-06-30\"}", NULL);
    refuses(ERR_STATE, "duty.publish", NULL, "{\"unit\":\"水利站\"}", NULL, "unit", "");
    snprintf(body, sizeof body, "{\"unit\":\"镇政府\",\"signed_by\":\"%s\"}", hex_of(&mayor));
    refuses(ERR_STATE, "order.issue", &r, body, NULL, "signed_by", "");
    snprintf(body, sizeof body,
             "{\"unit\":\"镇政府\",\"signed_by\":\"%s\",\"signed_on\":\"2022-06-30\"}",
             hex_of(&mayor));
    passes("order.issue", &r, body, NULL);
}

static int clear(void **state)
{
    (void)state;
    buf_clear(&encoded_body);
    buf_clear(&encoded_box);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_township_in_order_has_no_flags),
        TEST(what_two_have_is_flagged_beside_both),
        TEST(a_phone_of_one_who_left_is_free_again),
        TEST(a_phone_is_digits_and_a_category_stands_on_the_list),
        TEST(a_minor_needs_a_guardian),
        TEST(service_at_two_places_at_once_or_after_leaving_is_flagged),
        TEST(what_was_not_accepted_collides_with_nothing),
        TEST(dangerous_work_without_insurance_is_flagged_and_who_waits_is_noted),
        TEST(who_may_not_sign_and_what_is_abolished_is_flagged),
        TEST(who_is_registered_already_is_refused),
        TEST(a_request_is_refused_by_its_reference_and_reminded_of_by_phone_and_place),
        TEST(dangerous_work_is_not_held_uninsured),
        TEST(who_left_signs_up_for_nothing_and_who_is_over_waits),
        TEST(nobody_serves_twice_at_once_nor_after_leaving_nor_all_day),
        TEST(an_order_is_signed_by_who_may_and_goes_to_a_unit_that_is),
    };
    return cmocka_run_group_tests(tests, NULL, clear) != 0;
}
