#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/redemption_plan.h"
#include "common/time.h"
#include "node/views/rules.h"
#include "proto/json.h"
#include "tests/support/rng.h"
#include "tests/support/service_year.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VILLAGE "431322111201"
#define OTHER "431322111202"
#define POOL 20000000
#define SHARE "\"scheme\":\"share\",\"round\":\"yuan\",\"rounding\":\"floor\""

enum { OTHERS = 4 };
static struct township town;
static struct thing_id anna, others[OTHERS]; /* the last of them in the other village */
static struct thing_id sheet, run;

/* A year whose points are final on 2023-01-20: anna has 930 tenths, all together `sum`. */
static void points_of_the_year(int sum)
{
    int points[] = {930, (sum - 930) / 2, (sum - 930) / 4, (sum - 930) / 8, 0}, given = 0;
    struct thing_id people[] = {anna, others[0], others[1], others[2]};
    for (size_t i = 0; i < OTHERS; i++) given += points[i];
    points[OTHERS] = sum - given;
    year_go_to(&town, "2023-01-03");
    sheet = year_award(&town, VILLAGE, 2022, people, points, OTHERS, NULL);
    year_award(&town, OTHER, 2022, &others[3], &points[OTHERS], 1, NULL);
    year_publicity(&town, &town.hub, 2022, NULL, "2023-01-05", "2023-01-11");
    year_go_to(&town, "2023-01-20");
}

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    year_go_to(&town, "2022-01-03");
    anna = year_volunteer(&town, &town.devices[0], "01-0001", "甲某一");
    for (unsigned i = 0; i < OTHERS; i++) {
        char number[16];
        snprintf(number, sizeof number, "%02u-%04u", i == 3 ? 2 : 1, i + 2);
        others[i] = year_volunteer(&town, &town.devices[i == 3], number, "某人");
    }
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

static void look(void)
{
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
    assert_int_equal(ledger_load(&ledger, txn, 2022, time_day_of(2023, 1, 20)), OK);
}

static void leave(void)
{
    ledger_free(ledger);
    txn_abort(txn);
    township_node_close(&node);
}

static struct redeem_options rule_in_force(void)
{
    const struct rules *rules;
    struct redeem_options options;
    assert_int_equal(views_rules(node.views, txn, &rules), OK);
    const struct rule *rule = rules_at(rules, RULE_REDEEM, time_day_of(2023, 1, 20));
    assert_non_null(rule);
    assert_int_equal(redeem_read(&options, rule->fields), OK);
    return options;
}

static int64_t grant_to(const struct redemption_plan *plan, const struct thing_id *person)
{
    for (size_t i = 0; i < plan->list.count; i++)
        if (memcmp(plan->people[i].id.data, person->bytes, sizeof person->bytes) == 0)
            return plan->people[i].fen;
    return -1;
}

/* --- recording ---------------------------------------------------------------------------- */

static void open_run(const struct redemption_plan *plan)
{
    char body[384], hex[sizeof plan->digest.bytes * 2 + 1];
    hex_encode(hex, plan->digest.bytes, sizeof plan->digest.bytes);
    snprintf(body, sizeof body,
             "{\"year\":2022,\"rules\":1,\"pool\":%d,\"total\":%lld,\"list\":\"%s\","
             "\"signed_by\":\"%s\"}",
             POOL, (long long)plan->list.points, hex, year_hex(&anna));
    run = year_record(&town, &town.hub, "redeem.open", "office", NULL, body, NULL);
}

static bool record_grants(void *state, struct slice encoded)
{
    (void)state;
    json_t *object = json_of_fields(encoded, kind_find(slice_of_text("redeem.grant")));
    char *body = json_dumps(object, JSON_COMPACT);
    year_record(&town, &town.hub, "redeem.grant", "office", &run, body, NULL);
    free(body);
    json_decref(object);
    return true;
}

static void pay(const struct thing_id *person, int64_t fen)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"paid\":\"2023-01-25\",\"signed\":true,\"rows\":[[%s,%lld,\"V-1\"]]}",
             year_bin(person), (long long)fen);
    year_record(&town, &town.hub, "redeem.pay", "office", &run, body, NULL);
}

/* Opens a run over what is final, and grants. */
static void open_and_grant(void)
{
    struct redemption_plan plan;
    look();
    struct redeem_options options = rule_in_force();
    assert_int_equal(redemption_plan(&plan, ledger, SIZE_MAX, &options, POOL), OK);
    open_run(&plan);
    assert_int_equal(redemption_plan_grants(&plan, ledger, record_grants, NULL), OK);
    redemption_plan_clear(&plan);
    leave();
}

/* --- the golden values, from the events to the grants ---------------------------------------- */

static int64_t granted_to_anna(int sum, const char *scheme)
{
    struct redemption_plan plan;
    points_of_the_year(sum);
    year_redeem_rule(&town, 1, "2022-01-01", scheme);
    look();
    struct redeem_options options = rule_in_force();
    assert_int_equal(redemption_plan(&plan, ledger, SIZE_MAX, &options, POOL), OK);
    assert_int_equal(plan.list.points, sum);
    assert_true(plan.result.granted_fen <= POOL);
    assert_int_equal(plan.result.granted_fen + plan.result.remainder_fen, POOL);
    int64_t fen = grant_to(&plan, &anna);
    redemption_plan_clear(&plan);
    leave();
    return fen;
}

static void a_share_of_58300_is_3190_yuan(void **state)
{
    (void)state;
    assert_int_equal(granted_to_anna(58300, SHARE), 319000);
}

static void a_share_of_58310_is_3189_yuan_rounded_down(void **state)
{
    (void)state;
    assert_int_equal(granted_to_anna(58310, SHARE), 318900);
}

static void a_share_of_58310_is_3190_yuan_to_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(
        granted_to_anna(58310, "\"scheme\":\"share\",\"round\":\"yuan\",\"rounding\":\"nearest\""),
        319000);
}

static void a_fixed_rate_is_3190_yuan(void **state)
{
    (void)state;
    assert_int_equal(granted_to_anna(58300, "\"scheme\":\"rate\",\"rate_fen\":3430,"
                                            "\"round\":\"yuan\",\"rounding\":\"nearest\""),
                     319000);
}

static void a_bonus_of_rank_is_3190_yuan(void **state)
{
    (void)state;
    /* she is the last of five */
    assert_int_equal(granted_to_anna(58300, "\"scheme\":\"bonus\",\"rate_fen\":3000,"
                                            "\"bonus\":[[5,40000]],\"round\":\"yuan\","
                                            "\"rounding\":\"floor\""),
                     319000);
}

static void what_is_over_a_threshold_is_3190_yuan(void **state)
{
    (void)state;
    assert_int_equal(granted_to_anna(30000, "\"scheme\":\"threshold\",\"rate_fen\":5500,"
                                            "\"base_pt\":350,\"round\":\"yuan\","
                                            "\"rounding\":\"floor\""),
                     319000);
}

/* --- a run -------------------------------------------------------------------------------- */

static const struct ledger_person *person(const struct thing_id *id)
{
    return ledger_person_of(ledger, id);
}

static void an_entry_is_redeemed_when_it_was_paid(void **state)
{
    (void)state;
    points_of_the_year(58300);
    year_redeem_rule(&town, 1, "2022-01-01", SHARE);
    open_and_grant();
    look();
    assert_int_equal(ledger->runs.count, 1);
    const struct redemption *r = &ledger->runs.runs[0];
    assert_int_equal(r->grant_count, 5);
    assert_int_equal(r->pool, POOL);
    assert_true(r->granted <= POOL);
    assert_ptr_equal(redemptions_open(&ledger->runs), r);
    const struct redemption_grant *grant = redemption_grant_of(r, &anna);
    assert_int_equal(grant->fen, 319000);
    assert_int_equal(grant->points, 930);
    assert_string_equal(redemption_grant_of(r, &others[3])->village, OTHER);
    assert_false(grant->paid);
    assert_int_equal(person(&anna)->in_state[LEDGER_FINAL], 930);
    leave();
    pay(&anna, 319000);
    look();
    grant = redemption_grant_of(&ledger->runs.runs[0], &anna);
    assert_true(grant->paid);
    assert_int_equal(grant->paid_day, time_day_of(2023, 1, 25));
    assert_string_equal(grant->voucher, "V-1");
    assert_int_equal(ledger->runs.runs[0].paid, 319000);
    assert_int_equal(person(&anna)->in_state[LEDGER_REDEEMED], 930);
    assert_int_equal(person(&anna)->points, 930); /* they stay in the ranks */
    assert_int_equal(person(&others[0])->in_state[LEDGER_REDEEMED], 0);
    leave();
}

static void the_list_of_a_run_stays_what_it_was(void **state)
{
    (void)state;
    struct ledger_list list;
    struct hash digest;
    points_of_the_year(58300);
    year_redeem_rule(&town, 1, "2022-01-01", SHARE);
    open_and_grant();
    pay(&anna, 319000);
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 2, NULL, "{\"why\":\"错\"}");
    year_award(&town, VILLAGE, 2022, &anna, &(int){50}, 1, NULL);
    look();
    assert_int_equal(ledger_list_run(&list, ledger, 0), OK);
    ledger_list_digest(&digest, &list);
    assert_memory_equal(digest.bytes, ledger->runs.runs[0].list.bytes, sizeof digest.bytes);
    assert_int_equal(list.points, 58300);
    assert_int_equal(ledger_list_disputed(ledger, 0), 1);
    ledger_list_clear(&list);
    leave();
}

static void a_held_entry_is_not_on_the_list_and_holds_no_other(void **state)
{
    (void)state;
    struct redemption_plan plan;
    points_of_the_year(58300);
    year_redeem_rule(&town, 1, "2022-01-01", SHARE);
    year_on_entry(&town, &town.devices[0], "points.object", VILLAGE, &sheet, 1, NULL,
                  "{\"text\":\"没有来\"}");
    open_and_grant();
    /* decided after the run was opened: final, and for the next run */
    year_on_entry(&town, &town.hub, "points.decide", VILLAGE, &sheet, 1, ",\"upheld\":false", NULL);
    look();
    assert_int_equal(ledger->runs.runs[0].total, 58300 - 930);
    assert_null(redemption_grant_of(&ledger->runs.runs[0], &anna));
    assert_int_equal(person(&anna)->in_state[LEDGER_FINAL], 930);
    struct redeem_options options = rule_in_force();
    assert_int_equal(redemption_plan(&plan, ledger, SIZE_MAX, &options, POOL), OK);
    assert_int_equal(plan.list.count, 1);
    assert_int_equal(grant_to(&plan, &anna), POOL);
    redemption_plan_clear(&plan);
    leave();
}

static void what_is_not_paid_when_a_run_is_completed_is_there_for_the_next(void **state)
{
    (void)state;
    struct ledger_list list;
    char body[96];
    points_of_the_year(58300);
    year_redeem_rule(&town, 1, "2022-01-01", SHARE);
    open_and_grant();
    pay(&anna, 319000);
    look();
    assert_int_equal(ledger_list_run(&list, ledger, SIZE_MAX), OK);
    assert_int_equal(list.count, 0); /* all are on the way */
    ledger_list_clear(&list);
    leave();
    snprintf(body, sizeof body, "{\"paid\":319000,\"remainder\":%d}", POOL - 319000);
    year_record(&town, &town.hub, "redeem.close", "office", &run, body, NULL);
    look();
    assert_true(ledger->runs.runs[0].completed);
    assert_null(redemptions_open(&ledger->runs));
    assert_int_equal(ledger_list_run(&list, ledger, SIZE_MAX), OK);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.points, 58300 - 930);
    ledger_list_clear(&list);
    leave();
}

static void a_pool_that_is_too_small_for_the_rate_grants_nothing(void **state)
{
    (void)state;
    struct redemption_plan plan;
    points_of_the_year(58300);
    year_redeem_rule(&town, 1, "2022-01-01",
                     "\"scheme\":\"rate\",\"rate_fen\":4000,\"round\":\"fen\","
                     "\"rounding\":\"floor\"");
    look();
    struct redeem_options options = rule_in_force();
    assert_int_equal(redemption_plan(&plan, ledger, SIZE_MAX, &options, POOL), ERR_LIMIT);
    assert_int_equal(plan.result.missing_fen, 58300 * 400 - POOL);
    redemption_plan_clear(&plan);
    leave();
}

static void no_points_of_a_stranger_or_below_zero_are_on_a_list(void **state)
{
    (void)state;
    struct ledger_list list;
    const struct thing_id nobody = {{9, 9, 9}};
    struct thing_id people[] = {nobody, anna, others[0]};
    year_go_to(&town, "2023-01-03");
    year_award(&town, VILLAGE, 2022, people, (int[]){50, -20, 40}, 3, NULL);
    year_publicity(&town, &town.hub, 2022, NULL, "2023-01-05", "2023-01-11");
    look();
    assert_int_equal(ledger_list_run(&list, ledger, SIZE_MAX), OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.points, 40);
    ledger_list_clear(&list);
    leave();
}

static void grants_never_exceed_the_pool(void **state)
{
    (void)state;
    static const char *const schemes[] = {
        SHARE,
        "\"scheme\":\"share\",\"round\":\"ten\",\"rounding\":\"nearest\"",
        "\"scheme\":\"rate\",\"rate_fen\":3430,\"round\":\"ten\",\"rounding\":\"nearest\"",
        "\"scheme\":\"bonus\",\"rate_fen\":3000,\"bonus\":[[1,9000],[2,700]],\"round\":\"yuan\","
        "\"rounding\":\"nearest\"",
        "\"scheme\":\"threshold\",\"rate_fen\":5500,\"base_pt\":350,\"round\":\"fen\","
        "\"rounding\":\"nearest\",\"min_points\":400,\"top_n\":3",
    };
    struct rng rng = {5};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        end(state);
        begin(state);
        points_of_the_year(2000 + (int)rng_below(&rng, 60000));
        year_redeem_rule(&town, 1, "2022-01-01", schemes[i]);
        look();
        struct redeem_options options = rule_in_force();
        for (int k = 0; k < 200; k++) {
            struct redemption_plan plan;
            int64_t pool = (int64_t)rng_below(&rng, 40000000), sum = 0;
            enum err err = redemption_plan(&plan, ledger, SIZE_MAX, &options, pool);
            assert_true(err == OK || err == ERR_LIMIT);
            for (size_t p = 0; p < plan.list.count; p++) sum += plan.people[p].fen;
            assert_true(sum <= pool);
            assert_int_equal(sum, plan.result.granted_fen);
            redemption_plan_clear(&plan);
        }
        leave();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_share_of_58300_is_3190_yuan),
        TEST(a_share_of_58310_is_3189_yuan_rounded_down),
        TEST(a_share_of_58310_is_3190_yuan_to_the_nearest),
        TEST(a_fixed_rate_is_3190_yuan),
        TEST(a_bonus_of_rank_is_3190_yuan),
        TEST(what_is_over_a_threshold_is_3190_yuan),
        TEST(an_entry_is_redeemed_when_it_was_paid),
        TEST(the_list_of_a_run_stays_what_it_was),
        TEST(a_held_entry_is_not_on_the_list_and_holds_no_other),
        TEST(what_is_not_paid_when_a_run_is_completed_is_there_for_the_next),
        TEST(a_pool_that_is_too_small_for_the_rate_grants_nothing),
        TEST(no_points_of_a_stranger_or_below_zero_are_on_a_list),
        TEST(grants_never_exceed_the_pool),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
