/* A phone stands in a box, which no fold reads: one that is none is flagged, wherever it came from.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/checks.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <string.h>

#define VILLAGE "village:431322111201"

static struct township town;
static struct township_node node;
static const struct event *request;
static uint32_t acts;

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int end(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void registers(const char *box)
{
    request = township_record(&town, &town.devices[0],
                              &(struct township_act){
                                  .kind = "request.register",
                                  .body = "{\"number\":\"01A-0001\",\"channel\":\"visit\","
                                          "\"received\":1763859600000,\"nature\":\"help\","
                                          "\"category\":\"0103\",\"urgency\":2}",
                                  .box = box,
                              });
    acts = 1;
}

static void act(const char *kind, const char *body, const char *box)
{
    township_record(&town, &town.devices[0],
                    &(struct township_act){.kind = kind,
                                           .scope = VILLAGE,
                                           .subject = &request->subject,
                                           .depth = acts,
                                           .seen = acts,
                                           .body = body,
                                           .box = box});
    acts++;
}

static void corrects_phone(const char *personal_value)
{
    char id[65], body[128], box[96];
    hex_encode(id, request->id.bytes, sizeof request->id.bytes);
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"phone\"}", id);
    snprintf(box, sizeof box, "{\"why\":\"错\",\"personal_value\":\"%s\"}", personal_value);
    act("correct.entry", body, box);
}

static bool note(void *state, const struct check_flag *flag)
{
    buf_printf(state, "%s=%s ", check_name(flag->code), thing_type_name(flag->things[0].type));
    return true;
}

static void flags_are(const char *wanted)
{
    struct buf out = {0};
    struct txn *t;
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(checks_each(node.views, t, note, &out), OK);
    assert_string_equal(buf_text(&out), wanted);
    txn_abort(t);
    buf_clear(&out);
}

#define BAD "phone-unusable=request "

static void of_a_request_the_phone_that_stands_is_flagged(void **state)
{
    (void)state;
    registers("{\"content\":\"水\",\"phone\":\"138abc\"}");
    flags_are(BAD);
    corrects_phone("13800001111");
    flags_are("");
    corrects_phone("138xyz");
    flags_are(BAD);
    act("subject.correct", "{\"asked_by\":\"self\"}", "{\"phone\":\"13800002222\"}");
    flags_are("");
    act("subject.correct", "{\"asked_by\":\"self\"}", "{\"phone\":\"无\"}");
    flags_are(BAD);
}

static void a_phone_that_is_told_later_is_looked_at_too(void **state)
{
    (void)state;
    registers("{\"content\":\"水\"}");
    flags_are("");
    act("request.supplement", "{\"what\":\"ask\"}", "{\"text\":\"电话?\"}");
    act("request.supplement", "{\"what\":\"answer\"}", "{\"text\":\"有\",\"phone\":\"138abc\"}");
    flags_are(BAD);
}

static void of_what_had_no_effect_none_is(void **state)
{
    (void)state;
    registers("{\"content\":\"水\",\"phone\":\"13800001111\"}");
    act("request.supplement", "{\"what\":\"answer\"}", "{\"text\":\"有\",\"phone\":\"138abc\"}");
    flags_are("");
}

static void of_units_and_duties_too(void **state)
{
    (void)state;
    township_record(&town, &town.hub,
                    &(struct township_act){
                        .kind = "unit.put",
                        .body = "{\"name\":\"水利站\",\"type\":\"station\",\"phone\":\"无\"}"});
    township_record(&town, &town.hub,
                    &(struct township_act){
                        .kind = "duty.publish",
                        .body = "{\"unit\":\"水利站\",\"duties\":[\"淘井\"],\"phone\":\"abc\","
                                "\"ver\":1}"});
    flags_are("phone-unusable=unit phone-unusable=duty ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(of_a_request_the_phone_that_stands_is_flagged),
        TEST(a_phone_that_is_told_later_is_looked_at_too),
        TEST(of_what_had_no_effect_none_is),
        TEST(of_units_and_duties_too),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
