#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/person.h"
#include "tests/support/service_year.h"

static struct township town;
static struct township_node node;
static struct thing_id anna, bela, twin;
static struct txn *txn;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    anna = year_volunteer(&town, &town.devices[0], "01-0001", "甲某一");
    bela = year_volunteer(&town, &town.devices[0], "01-0002", "乙某二");
    twin = year_volunteer(&town, &town.devices[1], "02-0001", "甲某一");
    year_record(&town, &town.devices[0], "volunteer.update", NULL, &bela, "{\"categories\":[]}",
                "{\"name\":\"丙某三\"}");
    /* without effect: she has left, then is renamed */
    year_record(&town, &town.devices[0], "volunteer.leave", NULL, &bela,
                "{\"reason\":\"own_wish\",\"on\":\"2025-11-01\"}", NULL);
    year_record(&town, &town.devices[0], "volunteer.update", NULL, &bela, NULL,
                "{\"name\":\"丁某四\"}");
    year_consent(&town, &town.devices[0], &anna, true);
    year_consent(&town, &town.devices[1], &twin, true);
    year_consent(&town, &town.devices[1], &twin, false);
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    return txn_begin(node.store, false, &txn) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    txn_abort(txn);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static struct thing_key key_of(const char *village, const struct thing_id *id)
{
    return (struct thing_key){township_node_scope(&node, village), *id};
}
#define FIRST "village:431322111201"
#define SECOND "village:431322111202"

static void a_name_is_the_one_registered(void **state)
{
    (void)state;
    char name[PERSON_NAME_SIZE];
    struct thing_key key = key_of(FIRST, &anna);
    assert_true(person_name(node.views, txn, &key, name));
    assert_string_equal(name, "甲某一");
}

static void a_name_is_the_newest_change_that_took_effect(void **state)
{
    (void)state;
    char name[PERSON_NAME_SIZE];
    struct thing_key key = key_of(FIRST, &bela);
    assert_true(person_name(node.views, txn, &key, name));
    assert_string_equal(name, "丙某三");
}

static void nobody_has_no_name(void **state)
{
    (void)state;
    char name[PERSON_NAME_SIZE] = "x";
    struct thing_key key = key_of(SECOND, &bela);
    assert_false(person_name(node.views, txn, &key, name));
    assert_string_equal(name, "");
}

static void a_consent_holds_until_it_is_withdrawn(void **state)
{
    (void)state;
    struct thing thing;
    struct thing_key gave = key_of(FIRST, &anna), withdrew = key_of(SECOND, &twin);
    assert_int_equal(thing_get(txn, THING_VOLUNTEER, &gave, &thing), OK);
    assert_true(person_consents(&thing, "rank"));
    assert_false(person_consents(&thing, "card"));
    assert_int_equal(thing_get(txn, THING_VOLUNTEER, &withdrew, &thing), OK);
    assert_false(person_consents(&thing, "rank"));
}

static void finds(const char *text, const struct thing_id *id)
{
    struct thing_key key;
    assert_int_equal(person_find(node.views, txn, slice_of_text(text), &key), OK);
    assert_memory_equal(key.thing.bytes, id->bytes, sizeof id->bytes);
}

static void a_person_is_found_by_number_name_and_id(void **state)
{
    (void)state;
    finds("01-0001", &anna);
    finds("丙某三", &bela);
    finds(year_hex(&twin), &twin);
}

static void a_name_of_two_is_ambiguous_and_a_former_one_is_nobodys(void **state)
{
    (void)state;
    struct thing_key key;
    assert_int_equal(person_find(node.views, txn, slice_of_text("甲某一"), &key), ERR_AMBIGUOUS);
    assert_int_equal(person_find(node.views, txn, slice_of_text("乙某二"), &key), ERR_NOT_FOUND);
    assert_int_equal(person_find(node.views, txn, slice_of_text("0181"), &key), ERR_NOT_FOUND);
    assert_int_equal(person_find(node.views, txn, SLICE_EMPTY, &key), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_the_one_registered),
        cmocka_unit_test(a_name_is_the_newest_change_that_took_effect),
        cmocka_unit_test(nobody_has_no_name),
        cmocka_unit_test(a_consent_holds_until_it_is_withdrawn),
        cmocka_unit_test(a_person_is_found_by_number_name_and_id),
        cmocka_unit_test(a_name_of_two_is_ambiguous_and_a_former_one_is_nobodys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
