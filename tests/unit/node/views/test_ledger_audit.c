#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/ledger_audit.h"
#include "common/time.h"
#include "proto/json.h"
#include "tests/support/rng.h"
#include "tests/support/service_year.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VILLAGE "431322111201"
/* id, basis, rate, block, factor, category, caps of activity, day, month, year, verified only */
#define BY_HOUR "[[\"hour\",\"hour\",10,30,100,null,0,0,0,0,true]]"

static struct township town;
static struct township_device *village;
static struct thing_id anna, bela;

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    village = &town.devices[0];
    year_go_to(&town, "2021-12-01");
    year_points_rule(&town, 1, "2022-01-01", BY_HOUR);
    year_go_to(&town, "2022-01-03");
    anna = year_volunteer(&town, village, "01-0001", "甲某一");
    bela = year_volunteer(&town, village, "01-0002", "乙某二");
    return 0;
}

static int end(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

static struct township_node node;
static struct txn *txn;
static struct ledger *ledger;
static struct ledger_audit audit;

static void look(void)
{
    const struct rules *rules;
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
    assert_int_equal(views_rules(node.views, txn, &rules), OK);
    assert_int_equal(ledger_load(&ledger, txn, 2022, time_day_of(2022, 12, 31)), OK);
    assert_int_equal(ledger_audit(&audit, ledger, rules, NULL), OK);
}

static void leave(void)
{
    ledger_audit_clear(&audit);
    ledger_free(ledger);
    txn_abort(txn);
    township_node_close(&node);
}

/* "missing 10/0 different 20/30": type, due and awarded of each finding. */
static void found(const char *expected)
{
    struct buf out = {0};
    look();
    for (size_t i = 0; i < audit.count; i++)
        buf_printf(&out, "%s%s %d/%d", i ? " " : "", ledger_finding_name(audit.findings[i].type),
                   audit.findings[i].due, audit.findings[i].awarded);
    assert_string_equal(buf_text(&out), expected);
    buf_clear(&out);
    leave();
}

/* --- recording the sheets that the ledger lacks ---------------------------------------------- */

static size_t sheets;

static bool record_sheet(void *state, const struct ledger_sheet *sheet)
{
    char scope[32];
    (void)state;
    json_t *object = json_of_fields(sheet->body, kind_find(slice_of_text("points.award")));
    char *body = json_dumps(object, JSON_COMPACT);
    snprintf(scope, sizeof scope, "village:%s", sheet->village);
    year_record(&town, &town.hub, "points.award", scope, NULL, body, NULL);
    free(body);
    json_decref(object);
    sheets++;
    return true;
}

static size_t run(void)
{
    size_t left_out;
    sheets = 0;
    look();
    assert_int_equal(ledger_sheets(ledger, &audit, record_sheet, NULL, &left_out), OK);
    leave();
    return left_out;
}

static struct thing_id served(const struct thing_id *person, const char *date, unsigned minutes)
{
    struct thing_id service = year_service(&town, village, person, date, minutes);
    year_verify(&town, village, &service, "ok", NULL);
    return service;
}

/* --- what is due --------------------------------------------------------------------------- */

static void what_was_verified_is_due_once(void **state)
{
    (void)state;
    served(&anna, "2022-03-01", 120);
    year_service(&town, village, &anna, "2022-03-02", 120); /* not verified */
    served(&anna, "2022-03-03", 29);                        /* no whole block */
    found("missing 20/0");
    assert_int_equal(run(), 0);
    assert_int_equal(sheets, 1);
    found("");
    run();
    assert_int_equal(sheets, 0);
}

static void the_rule_of_the_day_of_service_counts_and_no_later_one(void **state)
{
    (void)state;
    served(&anna, "2022-03-01", 60);
    served(&anna, "2022-07-01", 60);
    served(&anna, "2021-12-31", 60); /* another account */
    year_points_rule(&town, 2, "2022-07-01", "[[\"hour\",\"hour\",5,30,100,null,0,0,0,0,true]]");
    look();
    assert_int_equal(audit.count, 2);
    assert_int_equal(audit.due, 15);
    for (size_t i = 0; i < 2; i++) {
        bool second = audit.findings[i].day >= time_day_of(2022, 7, 1);
        assert_int_equal(audit.findings[i].rules, second ? 2 : 1);
        assert_int_equal(audit.findings[i].due, second ? 5 : 10);
    }
    leave();
    run();
    assert_int_equal(sheets, 2); /* one a version */
    found("");
}

static void nothing_is_due_before_the_first_rule_and_to_no_volunteer(void **state)
{
    (void)state;
    const struct thing_id nobody = {{9, 9, 9}};
    served(&nobody, "2022-03-01", 60);
    found("");
}

/* --- what is not as it should be ------------------------------------------------------------ */

static void an_award_of_other_points_is_different_and_one_without_reason_surplus(void **state)
{
    (void)state;
    struct thing_id service = served(&anna, "2022-03-01", 60);
    year_award(&town, VILLAGE, 2022, &anna, &(int){11}, 1, &service);
    found("different 10/11");
    year_award(&town, VILLAGE, 2022, &bela, &(int){11}, 1, &service);
    look();
    assert_int_equal(audit.of[LEDGER_SURPLUS], 1);
    assert_int_equal(audit.of[LEDGER_DIFFERENT], 1);
    assert_int_equal(audit.awarded, 22);
    assert_int_equal(audit.due, 10);
    leave();
}

static void a_basis_is_used_once(void **state)
{
    (void)state;
    struct thing_id service = served(&anna, "2022-03-01", 60);
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    found("");
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    found("surplus 0/10");
    year_award(&town, VILLAGE, 2022, &anna, &(int){7}, 1, NULL);
    found("surplus 0/7 surplus 0/10");
}

static void what_is_reversed_is_not_awarded_again_as_it_was(void **state)
{
    (void)state;
    struct thing_id service = served(&anna, "2022-03-01", 60);
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 1, NULL, "{\"why\":\"假\"}");
    look();
    assert_int_equal(audit.count, 0);
    assert_int_equal(audit.denied, 1);
    leave();
    run();
    assert_int_equal(sheets, 0);
    /* verified anew with less: another award */
    struct buf rows = {0};
    buf_printf(&rows, "[[%s,30]]", year_bin(&anna));
    year_verify(&town, village, &service, "part", buf_text(&rows));
    buf_clear(&rows);
    found("missing 5/0");
    run();
    found("");
}

static void a_wrong_award_that_is_reversed_is_awarded_right(void **state)
{
    (void)state;
    struct thing_id service = served(&anna, "2022-03-01", 60);
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){11}, 1, &service);
    served(&anna, "2022-03-02", 60);
    found("different 10/11 missing 10/0");
    assert_int_equal(run(), 1); /* left out until the wrong one is reversed */
    assert_int_equal(sheets, 0);
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 1, NULL, "{\"why\":\"错\"}");
    found("missing 10/0 missing 10/0");
    assert_int_equal(run(), 0);
    found("");
}

static void outcomes_count_for_everyone_who_was_there(void **state)
{
    (void)state;
    struct thing_id people[] = {anna, bela};
    year_points_rule(&town, 2, "2022-02-01",
                     "[[\"wells\",\"outcome\",10,30,100,\"water\",0,0,0,25,true]]");
    struct thing_id wells = year_activity(&town, village, "2022-03-01", 2);
    struct thing_id sheet = year_attendance(&town, village, &wells, "2022-03-01", people, 2, 60);
    year_verify(&town, village, &sheet, "ok", NULL);
    struct thing_id more = year_activity(&town, village, "2022-03-02", 1);
    struct thing_id next = year_attendance(&town, village, &more, "2022-03-02", people, 1, 60);
    year_verify(&town, village, &next, "ok", NULL);
    look();
    assert_int_equal(audit.due, 20 + 20 + 5); /* the year's cap cuts the last one */
    leave();
}

/* --- the property --------------------------------------------------------------------------- */

static void random_rules(struct rng *rng, unsigned ver, const char *effective)
{
    char rows[512];
    snprintf(rows, sizeof rows,
             "[[\"hour\",\"hour\",%u,%u,%u,null,%u,%u,%u,%u,true],"
             "[\"act\",\"activity\",%u,30,100,%s,0,%u,0,%u,%s]]",
             (unsigned)rng_below(rng, 30), 1 + (unsigned)rng_below(rng, 60),
             50 + (unsigned)rng_below(rng, 150), (unsigned)rng_below(rng, 3) * 30,
             (unsigned)rng_below(rng, 3) * 40, (unsigned)rng_below(rng, 3) * 70,
             (unsigned)rng_below(rng, 3) * 150, (unsigned)rng_below(rng, 20),
             rng_below(rng, 2) ? "null" : "\"water\"", (unsigned)rng_below(rng, 2) * 10,
             (unsigned)rng_below(rng, 2) * 60, rng_below(rng, 2) ? "true" : "false");
    year_points_rule(&town, ver, effective, rows);
}

static void random_services(struct rng *rng, const struct thing_id *people, size_t count)
{
    char date[32];
    snprintf(date, sizeof date, "2022-%02u-%02u", 1 + (unsigned)rng_below(rng, 12),
             1 + (unsigned)rng_below(rng, 28));
    size_t first = rng_below(rng, count), n = 1 + rng_below(rng, count - first);
    unsigned minutes = 1 + (unsigned)rng_below(rng, 300);
    struct thing_id service;
    if (rng_below(rng, 3)) {
        struct thing_id activity = year_activity(&town, village, date, 1);
        service = year_attendance(&town, village, &activity, date, &people[first], n, minutes);
    } else {
        service = year_service(&town, village, &people[first], date, minutes);
    }
    if (rng_below(rng, 5)) year_verify(&town, village, &service, "ok", NULL);
}

static void whatever_was_served_a_second_run_awards_nothing_and_the_check_is_clean(void **state)
{
    (void)state;
    enum { ROUNDS = 40, PEOPLE = 6 };
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct rng rng = {seed};
        struct thing_id people[PEOPLE];
        for (unsigned i = 0; i < PEOPLE; i++) {
            char number[16];
            snprintf(number, sizeof number, "01-%04u", 10 + i);
            people[i] = year_volunteer(&town, village, number, "某人");
        }
        random_rules(&rng, 2, "2022-01-01");
        random_rules(&rng, 3, "2022-05-01");
        for (size_t i = rng_below(&rng, 25); i-- > 0;) random_services(&rng, people, PEOPLE);
        print_message("seed %u\n", (unsigned)seed);
        run();
        found("");
        look();
        assert_int_equal(audit.awarded, audit.due);
        leave();
        run();
        assert_int_equal(sheets, 0);
        end(state);
        begin(state);
    }
}

static void a_sheet_fits_an_event(void **state)
{
    (void)state;
    enum { PEOPLE = 320 };
    static struct thing_id people[PEOPLE];
    for (unsigned i = 0; i < PEOPLE; i++) {
        char number[16];
        snprintf(number, sizeof number, "01-%04u", 10 + i);
        people[i] = year_volunteer(&town, village, number, "某人");
    }
    year_points_rule(&town, 2, "2022-01-01",
                     "[[\"sixteen-letters-\",\"hour\",10000,30,100,null,0,0,0,0,true]]");
    struct thing_id wells = year_activity(&town, village, "2022-03-01", 2);
    struct thing_id first =
        year_attendance(&town, village, &wells, "2022-03-01", people, PEOPLE / 2, 600);
    struct thing_id second =
        year_attendance(&town, village, &wells, "2022-03-02", &people[PEOPLE / 2], PEOPLE / 2, 600);
    year_verify(&town, village, &first, "ok", NULL);
    year_verify(&town, village, &second, "ok", NULL);
    run();
    assert_int_equal(sheets, 2);
    found("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(what_was_verified_is_due_once),
        TEST(the_rule_of_the_day_of_service_counts_and_no_later_one),
        TEST(nothing_is_due_before_the_first_rule_and_to_no_volunteer),
        TEST(an_award_of_other_points_is_different_and_one_without_reason_surplus),
        TEST(a_basis_is_used_once),
        TEST(what_is_reversed_is_not_awarded_again_as_it_was),
        TEST(a_wrong_award_that_is_reversed_is_awarded_right),
        TEST(outcomes_count_for_everyone_who_was_there),
        TEST(whatever_was_served_a_second_run_awards_nothing_and_the_check_is_clean),
        TEST(a_sheet_fits_an_event),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
