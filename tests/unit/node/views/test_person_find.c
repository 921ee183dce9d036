#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/person.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"

static struct township town;
static struct township_node node;
static struct txn *txn;
static struct thing_id qiu, zhou, other_zhou;

static struct thing_id volunteer(const char *number, const char *name, const char *phone)
{
    char body[96], box[128];
    snprintf(body, sizeof body, "{\"number\":\"%s\",\"joined\":\"2022-03-05\"}", number);
    snprintf(box, sizeof box, "{\"name\":\"%s\",\"phone\":\"%s\"}", name, phone);
    return township_record(
               &town, &town.devices[0],
               &(struct township_act){.kind = "volunteer.register", .body = body, .box = box})
        ->subject;
}

static void act(struct township_device *d, const struct thing_id *thing, uint32_t depth,
                const char *kind, const char *body, const char *box)
{
    township_record(&town, d,
                    &(struct township_act){.kind = kind,
                                           .scope = SCOPE,
                                           .subject = thing,
                                           .depth = depth,
                                           .seen = depth,
                                           .body = body,
                                           .box = box});
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    qiu = volunteer("01AV-0001", "邱一", "13812345678");
    zhou = volunteer("01AV-0002", "周二", "139 0000 1111/0738-3221234");
    other_zhou = volunteer("01AV-0003", "周二", "13900002222");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    txn_abort(txn);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void look(void)
{
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
}

static struct thing_key key_of(const struct thing_id *id)
{
    struct thing thing;
    assert_true(person_of_id(txn, id, &thing));
    return thing.key;
}

static enum err find(const char *text, struct thing_key *out)
{
    return person_find(node.views, txn, slice_of_text(text), out);
}

static void finds(const char *text, const struct thing_id *wanted)
{
    struct thing_key found;
    assert_int_equal(find(text, &found), OK);
    assert_memory_equal(found.thing.bytes, wanted->bytes, sizeof wanted->bytes);
}

static void a_volunteer_is_found_by_number_name_phone_its_end_and_id(void **state)
{
    (void)state;
    char hex[33];
    struct thing_key found;
    look();
    finds("01AV-0001", &qiu);
    finds("邱一", &qiu);
    finds("13812345678", &qiu);
    finds("5678", &qiu);
    finds("1111", &zhou);
    finds("3221234", &zhou);
    hex_encode(hex, other_zhou.bytes, sizeof other_zhou.bytes);
    finds(hex, &other_zhou);
    assert_int_equal(find("周二", &found), ERR_AMBIGUOUS);
    assert_int_equal(find("周", &found), ERR_NOT_FOUND);
    assert_int_equal(find("678", &found), ERR_NOT_FOUND);
    assert_int_equal(find("13812345", &found), ERR_NOT_FOUND);
    assert_int_equal(find("01AV-0009", &found), ERR_NOT_FOUND);
    assert_int_equal(find("", &found), ERR_NOT_FOUND);
}

static void who_left_is_meant_only_where_nobody_else_is(void **state)
{
    (void)state;
    act(&town.devices[0], &zhou, 1, "volunteer.leave",
        "{\"reason\":\"moved\",\"on\":\"2022-06-01\"}", NULL);
    look();
    finds("周二", &other_zhou);
    finds("01AV-0002", &zhou);
    finds("1111", &zhou);
}

static void the_newest_box_that_took_effect_holds(void **state)
{
    (void)state;
    char name[PERSON_NAME_SIZE], phone[PERSON_PHONE_SIZE];
    act(&town.devices[0], &qiu, 1, "volunteer.update", "{}", "{\"phone\":\"13700000000\"}");
    act(&town.hub, &qiu, 2, "subject.correct", "{\"asked_by\":\"self\"}", "{\"name\":\"邱壹\"}");
    act(&town.devices[0], &qiu, 3, "volunteer.leave",
        "{\"reason\":\"moved\",\"on\":\"2022-06-01\"}", NULL);
    act(&town.devices[0], &qiu, 4, "volunteer.update", "{}", "{\"phone\":\"13711111111\"}");
    look();
    struct thing_key key = key_of(&qiu), found;
    assert_true(person_name(node.views, txn, &key, name));
    assert_string_equal(name, "邱壹");
    assert_true(person_phone(node.views, txn, &key, phone));
    assert_string_equal(phone, "13700000000");
    finds("邱壹", &qiu);
    assert_int_equal(find("邱一", &found), ERR_NOT_FOUND);
    assert_int_equal(find("13711111111", &found), ERR_NOT_FOUND);
}

static void a_personal_field_entered_wrongly_is_corrected(void **state)
{
    (void)state;
    char hex[65], body[160], name[PERSON_NAME_SIZE];
    for (size_t i = 0; i < town.event_count; i++)
        if (thing_id_equal(&town.events[i]->subject, &qiu))
            hex_encode(hex, town.events[i]->id.bytes, sizeof town.events[i]->id.bytes);
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"name\"}", hex);
    act(&town.devices[0], &qiu, 1, "correct.entry", body,
        "{\"personal_value\":\"裘一\",\"why\":\"错\"}");
    look();
    struct thing_key key = key_of(&qiu);
    assert_true(person_name(node.views, txn, &key, name));
    assert_string_equal(name, "裘一");
    finds("裘一", &qiu);
}

static void consent_stands_until_it_is_withdrawn(void **state)
{
    (void)state;
    struct thing thing;
    act(&town.devices[0], &qiu, 1, "consent.give", "{\"purpose\":\"rank\",\"method\":\"paper\"}",
        NULL);
    act(&town.devices[0], &qiu, 2, "consent.give", "{\"purpose\":\"card\",\"method\":\"paper\"}",
        NULL);
    act(&town.devices[0], &qiu, 3, "consent.withdraw",
        "{\"purpose\":\"rank\",\"method\":\"spoken\"}", NULL);
    look();
    assert_true(person_of_id(txn, &qiu, &thing));
    assert_true(person_consents(&thing, "card"));
    assert_false(person_consents(&thing, "rank"));
    assert_false(person_consents(&thing, "letter"));
}

static void each_device_gives_numbers_of_its_own(void **state)
{
    (void)state;
    char number[16];
    struct thing_id given = volunteer("01AV-0041", "吴三", "13900003333");
    (void)given;
    const struct roster *roster;
    struct txn *t;
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    const struct device *self = roster_device(roster, &town.devices[0].signer.key);
    const struct device *hub = roster_device(roster, &town.hub.signer.key);
    assert_int_equal(person_next_number(t, roster, self, number), OK);
    assert_string_equal(number, "01AV-0042");
    assert_int_equal(person_next_number(t, roster, self, number), OK);
    assert_string_equal(number, "01AV-0043");
    assert_int_equal(person_next_number(t, roster, hub, number), OK);
    assert_string_equal(number, "00AV-0001");
    txn_abort(t);
    txn = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_volunteer_is_found_by_number_name_phone_its_end_and_id),
        TEST(who_left_is_meant_only_where_nobody_else_is),
        TEST(the_newest_box_that_took_effect_holds),
        TEST(a_personal_field_entered_wrongly_is_corrected),
        TEST(consent_stands_until_it_is_withdrawn),
        TEST(each_device_gives_numbers_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
