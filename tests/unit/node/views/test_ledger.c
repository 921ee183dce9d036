#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/ledger.h"
#include "common/time.h"
#include "tests/support/service_year.h"

#include <stdlib.h>
#include <string.h>

#define VILLAGE "431322111201"
#define OTHER "431322111202"

static struct township town;
static struct township_device *village, *other;
static struct thing_id anna, bela, cora, dora; /* dora is of the other village */

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    village = &town.devices[0];
    other = &town.devices[1];
    year_go_to(&town, "2022-01-03");
    anna = year_volunteer(&town, village, "01-0001", "甲某一");
    bela = year_volunteer(&town, village, "01-0002", "乙某二");
    cora = year_volunteer(&town, village, "01-0003", "丙某三");
    dora = year_volunteer(&town, other, "02-0001", "丁某四");
    return 0;
}

static int end(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

/* --- looking ------------------------------------------------------------------------------ */

static struct township_node node;
static struct txn *txn;
static struct ledger *ledger;

/* What `device` holds when it has all that it may hold: here simply all. */
static void look(uint32_t year, const char *date)
{
    uint32_t day;
    assert_int_equal(time_parse_day(&day, slice_of_text(date)), OK);
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
    assert_int_equal(ledger_load(&ledger, txn, year, day), OK);
}

static void leave(void)
{
    ledger_free(ledger);
    txn_abort(txn);
    township_node_close(&node);
}

static const struct ledger_entry *entry_of(const struct thing_id *sheet, uint32_t number)
{
    for (size_t i = 0; i < ledger->entry_count; i++)
        if (thing_id_equal(&ledger->entries[i].sheet.thing, sheet) &&
            ledger->entries[i].number == number)
            return &ledger->entries[i];
    fail_msg("no such entry");
    return NULL;
}

static void state_is(const struct thing_id *sheet, uint32_t number, enum ledger_state state)
{
    assert_string_equal(ledger_state_name(entry_of(sheet, number)->state),
                        ledger_state_name(state));
}

/* The state of a sheet's first entry on a day. */
static void state_on(const char *date, const struct thing_id *sheet, enum ledger_state state)
{
    look(2022, date);
    state_is(sheet, 1, state);
    leave();
}

static const struct ledger_person *person(const struct thing_id *id)
{
    const struct ledger_person *p = ledger_person_of(ledger, id);
    assert_non_null(p);
    return p;
}

/* --- states ------------------------------------------------------------------------------- */

static void an_entry_is_posted_then_public_then_final(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    state_on("2022-12-31", &sheet, LEDGER_POSTED);
    year_go_to(&town, "2022-12-02");
    year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    state_on("2022-12-04", &sheet, LEDGER_POSTED);
    state_on("2022-12-05", &sheet, LEDGER_PUBLIC);
    state_on("2022-12-11", &sheet, LEDGER_PUBLIC);
    state_on("2022-12-12", &sheet, LEDGER_FINAL);
}

static void what_is_posted_after_the_list_was_made_is_not_on_it(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-02");
    year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    state_on("2022-12-31", &sheet, LEDGER_POSTED);
}

static void a_showing_that_began_before_the_entry_does_not_show_it(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-08");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    state_on("2022-12-31", &sheet, LEDGER_POSTED);
}

static void another_village_or_year_shows_nothing_and_the_township_shows_all(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    year_publicity(&town, other, 2022, OTHER, "2022-12-05", "2022-12-11");
    year_publicity(&town, village, 2021, VILLAGE, "2022-12-05", "2022-12-11");
    state_on("2022-12-31", &sheet, LEDGER_POSTED);
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-05", "2022-12-11");
    state_on("2022-12-31", &sheet, LEDGER_FINAL);
}

static void a_showing_that_was_ended_early_makes_nothing_final(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    struct thing_id shown =
        year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    year_go_to(&town, "2022-12-11");
    year_record(&town, village, "publicity.close", "town", &shown, "{\"objections\":0}", NULL);
    state_on("2022-12-31", &sheet, LEDGER_POSTED);
}

static void a_showing_that_was_ended_after_its_last_day_counts(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    struct thing_id shown =
        year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    year_go_to(&town, "2022-12-12");
    year_record(&town, village, "publicity.close", "town", &shown, "{\"objections\":0}", NULL);
    state_on("2022-12-31", &sheet, LEDGER_FINAL);
}

static void an_objection_holds_one_entry_until_it_is_decided(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id people[] = {anna, bela};
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, people, (int[]){20, 30}, 2, NULL);
    year_publicity(&town, village, 2022, VILLAGE, "2022-12-05", "2022-12-11");
    year_go_to(&town, "2022-12-06");
    year_on_entry(&town, village, "points.object", VILLAGE, &sheet, 2, NULL,
                  "{\"text\":\"没有来\"}");
    look(2022, "2022-12-31");
    state_is(&sheet, 1, LEDGER_FINAL);
    state_is(&sheet, 2, LEDGER_HELD);
    assert_int_equal(person(&bela)->points, 30);
    assert_int_equal(person(&bela)->in_state[LEDGER_HELD], 30);
    leave();
    year_on_entry(&town, &town.hub, "points.decide", VILLAGE, &sheet, 2, ",\"upheld\":false", NULL);
    look(2022, "2022-12-31");
    state_is(&sheet, 2, LEDGER_FINAL);
    leave();
}

static void an_entry_does_not_count_after_an_upheld_objection_or_a_reversal(void **state)
{
    (void)state;
    year_go_to(&town, "2022-12-01");
    struct thing_id people[] = {anna, bela};
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, people, (int[]){20, 30}, 2, NULL);
    year_on_entry(&town, village, "points.object", VILLAGE, &sheet, 1, NULL,
                  "{\"text\":\"没有来\"}");
    year_on_entry(&town, &town.hub, "points.decide", VILLAGE, &sheet, 1, ",\"upheld\":true", NULL);
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 2, NULL,
                  "{\"why\":\"录错\"}");
    look(2022, "2022-12-31");
    state_is(&sheet, 1, LEDGER_REVERSED);
    state_is(&sheet, 2, LEDGER_REVERSED);
    assert_true(entry_of(&sheet, 1)->upheld);
    assert_false(entry_of(&sheet, 2)->upheld);
    assert_int_equal(person(&anna)->points, 0);
    assert_int_equal(person(&anna)->entries, 0);
    assert_int_equal(person(&bela)->in_state[LEDGER_REVERSED], 30);
    leave();
}

static void a_deduction_is_an_entry_below_zero(void **state)
{
    (void)state;
    struct buf body = {0};
    year_go_to(&town, "2022-12-01");
    year_award(&town, VILLAGE, 2022, &anna, &(int){20}, 1, NULL);
    buf_printf(&body, "{\"year\":2022,\"reason\":\"no_show\",\"rows\":[[%s,5]]}", year_bin(&anna));
    struct thing_id sheet = year_record(&town, &town.hub, "points.deduct", "village:" VILLAGE, NULL,
                                        buf_text(&body), NULL);
    buf_clear(&body);
    look(2022, "2022-12-31");
    assert_int_equal(entry_of(&sheet, 1)->points, -5);
    assert_string_equal(entry_of(&sheet, 1)->rule, "");
    assert_int_equal(person(&anna)->points, 15);
    assert_int_equal(person(&anna)->entries, 2);
    leave();
}

/* --- services ----------------------------------------------------------------------------- */

static void minutes_and_activities_are_those_that_were_verified(void **state)
{
    (void)state;
    struct thing_id people[] = {anna, bela, cora};
    struct thing_id wells = year_activity(&town, village, "2022-03-01", 3);
    struct thing_id roads = year_activity(&town, village, "2022-04-01", 1);
    struct thing_id first = year_attendance(&town, village, &wells, "2022-03-01", people, 3, 120);
    struct thing_id second = year_attendance(&town, village, &wells, "2022-03-02", people, 2, 60);
    struct thing_id third = year_attendance(&town, village, &roads, "2022-04-01", people, 1, 30);
    year_attendance(&town, village, &roads, "2022-04-02", people, 3, 90); /* not verified */
    struct thing_id own = year_service(&town, village, &cora, "2022-02-01", 45);
    struct thing_id refused = year_service(&town, village, &cora, "2022-01-05", 45);
    struct thing_id before = year_service(&town, village, &cora, "2021-12-31", 45);
    struct buf rows = {0};
    buf_printf(&rows, "[[%s,100],[%s,0]]", year_bin(&bela), year_bin(&cora));
    year_verify(&town, village, &first, "part", buf_text(&rows));
    buf_clear(&rows);
    year_verify(&town, village, &second, "ok", NULL);
    year_verify(&town, village, &third, "ok", NULL);
    year_verify(&town, village, &own, "ok", NULL);
    year_verify(&town, village, &refused, "no", NULL);
    year_verify(&town, village, &before, "ok", NULL);
    look(2022, "2022-12-31");
    assert_int_equal(person(&anna)->minutes, 210);
    assert_int_equal(person(&anna)->activities, 2);
    assert_int_equal(person(&bela)->minutes, 160);
    assert_int_equal(person(&bela)->activities, 1);
    assert_int_equal(person(&cora)->minutes, 45);
    assert_int_equal(person(&cora)->activities, 0); /* a service of one's own is no activity */
    assert_int_equal(person(&cora)->first_day, time_day_of(2022, 2, 1));
    assert_int_equal(person(&dora)->minutes, 0);
    leave();
}

static void the_last_verification_stands(void **state)
{
    (void)state;
    struct thing_id own = year_service(&town, village, &anna, "2022-02-01", 60);
    struct buf rows = {0};
    buf_printf(&rows, "[[%s,50]]", year_bin(&anna));
    year_verify(&town, village, &own, "part", buf_text(&rows));
    year_verify(&town, village, &own, "ok", NULL);
    buf_clear(&rows);
    look(2022, "2022-12-31");
    assert_int_equal(person(&anna)->minutes, 60);
    leave();
    year_verify(&town, village, &own, "no", NULL);
    look(2022, "2022-12-31");
    assert_int_equal(person(&anna)->minutes, 0);
    leave();
}

static void someone_on_a_sheet_twice_is_one_service_of_both_spans(void **state)
{
    (void)state;
    struct thing_id wells = year_activity(&town, village, "2022-03-01", 0);
    struct buf body = {0};
    buf_printf(&body,
               "{\"activity\":\"%s\",\"category\":\"water\",\"date\":\"2022-03-01\","
               "\"method\":\"paper\",\"rows\":[[%s,480,540,60],[%s,480,540,60],[%s,600,690,90]]}",
               year_hex(&wells), year_bin(&anna), year_bin(&bela), year_bin(&anna));
    struct thing_id sheet =
        year_record(&town, village, "attendance.record", NULL, NULL, buf_text(&body), NULL);
    buf_clear(&body);
    year_verify(&town, village, &sheet, "ok", NULL);
    look(2022, "2022-12-31");
    assert_int_equal(person(&anna)->minutes, 150);
    assert_int_equal(person(&anna)->service_count, 1);
    assert_int_equal(person(&bela)->minutes, 60);
    leave();
}

static void somebody_who_is_no_volunteer_is_kept_apart(void **state)
{
    (void)state;
    const struct thing_id nobody = {{9, 9, 9}};
    year_award(&town, VILLAGE, 2022, &nobody, &(int){20}, 1, NULL);
    year_service(&town, village, &nobody, "2022-02-01", 60);
    look(2022, "2022-12-31");
    assert_int_equal(ledger->person_count, 5);
    assert_int_equal(person(&nobody)->key.scope_number, 0);
    assert_int_equal(person(&nobody)->points, 20);
    assert_int_equal(person(&nobody)->service_count, 1);
    assert_null(ledger_person_of(ledger, &(struct thing_id){{8}}));
    leave();
}

/* --- ranks and lists ----------------------------------------------------------------------- */

static void ranks_are_shared_and_certificates_are_not(void **state)
{
    (void)state;
    struct thing_id people[] = {anna, bela, cora};
    year_award(&town, VILLAGE, 2022, people, (int[]){930, 800, 930}, 3, NULL);
    year_award(&town, OTHER, 2022, &dora, &(int){990}, 1, NULL);
    struct thing_id wells = year_activity(&town, village, "2022-03-01", 0);
    struct thing_id sheet = year_attendance(&town, village, &wells, "2022-03-01", &cora, 1, 60);
    year_verify(&town, village, &sheet, "ok", NULL);
    look(2022, "2022-12-31");
    struct rank_row *rows;
    size_t count;
    assert_int_equal(ledger_rank(&rows, &count, ledger, NULL, false), OK);
    assert_int_equal(count, 4);
    static const unsigned shared[] = {1, 2, 2, 4};
    for (size_t i = 0; i < 4; i++) assert_int_equal(rows[i].rank, shared[i]);
    free(rows);
    assert_int_equal(ledger_rank(&rows, &count, ledger, VILLAGE, true), OK);
    assert_int_equal(count, 3);
    assert_memory_equal(rows[0].id.data, cora.bytes, sizeof cora.bytes); /* more minutes */
    assert_memory_equal(rows[1].id.data, anna.bytes, sizeof anna.bytes);
    assert_int_equal(rows[1].rank, 2);
    free(rows);
    leave();
}

static void a_public_list_is_what_counted_when_it_was_made(void **state)
{
    (void)state;
    struct thing_id people[] = {anna, bela};
    year_go_to(&town, "2022-12-01");
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, people, (int[]){20, 30}, 2, NULL);
    uint64_t made_ms = town.time_ms;
    struct ledger_list list, later;
    struct hash digest, again;
    look(2022, "2022-12-01");
    assert_int_equal(ledger_list_public(&list, ledger, VILLAGE, made_ms), OK);
    leave();
    assert_int_equal(list.count, 2);
    assert_int_equal(list.points, 50);
    assert_int_equal(list.newest, time_day_of(2022, 12, 1));
    ledger_list_digest(&digest, &list);
    year_go_to(&town, "2022-12-20");
    year_award(&town, VILLAGE, 2022, &anna, &(int){5}, 1, NULL);
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 2, NULL,
                  "{\"why\":\"录错\"}");
    look(2022, "2022-12-31");
    assert_int_equal(ledger_list_public(&later, ledger, VILLAGE, made_ms), OK);
    ledger_list_digest(&again, &later);
    assert_memory_equal(again.bytes, digest.bytes, sizeof digest.bytes);
    ledger_list_clear(&later);
    assert_int_equal(ledger_list_public(&later, ledger, VILLAGE, UINT64_MAX - 1), OK);
    assert_int_equal(later.count, 1);
    assert_int_equal(later.points, 25);
    ledger_list_clear(&later);
    ledger_list_clear(&list);
    leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(an_entry_is_posted_then_public_then_final),
        TEST(what_is_posted_after_the_list_was_made_is_not_on_it),
        TEST(a_showing_that_began_before_the_entry_does_not_show_it),
        TEST(another_village_or_year_shows_nothing_and_the_township_shows_all),
        TEST(a_showing_that_was_ended_early_makes_nothing_final),
        TEST(a_showing_that_was_ended_after_its_last_day_counts),
        TEST(an_objection_holds_one_entry_until_it_is_decided),
        TEST(an_entry_does_not_count_after_an_upheld_objection_or_a_reversal),
        TEST(a_deduction_is_an_entry_below_zero),
        TEST(minutes_and_activities_are_those_that_were_verified),
        TEST(the_last_verification_stands),
        TEST(someone_on_a_sheet_twice_is_one_service_of_both_spans),
        TEST(somebody_who_is_no_volunteer_is_kept_apart),
        TEST(ranks_are_shared_and_certificates_are_not),
        TEST(a_public_list_is_what_counted_when_it_was_made),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
