#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/checks_before.h"
#include "common/time.h"
#include "node/views/redemption_plan.h"
#include "proto/json.h"
#include "tests/support/service_year.h"

#include <stdio.h>
#include <string.h>

#define VILLAGE "431322111201"

static struct township town;
static struct township_device *village;
static struct thing_id anna, bela, service;

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    village = &town.devices[0];
    year_go_to(&town, "2021-12-01");
    year_points_rule(&town, 1, "2022-01-01", "[[\"hour\",\"hour\",10,30,100,null,0,0,0,0,true]]");
    year_go_to(&town, "2022-01-03");
    anna = year_volunteer(&town, village, "01AV-0001", "甲某一");
    bela = year_volunteer(&town, village, "01AV-0002", "乙某二");
    service = year_service(&town, village, &anna, "2022-02-01", 60);
    year_verify(&town, village, &service, "ok", NULL);
    year_go_to(&town, "2022-12-01");
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

static void look(void)
{
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
}

static void leave(void)
{
    txn_abort(txn);
    township_node_close(&node);
}

/* --- flags ---------------------------------------------------------------------------------- */

/* Those of other checks are left out: the volunteers of a year have one phone. */
static bool note(void *state, const struct check_flag *flag)
{
    if (flag->code >= CHECK_BASIS && flag->code <= CHECK_BENEFIT)
        buf_printf(state, "%s%s%s%s%zu ", check_name(flag->code), flag->said[0] ? "=" : "",
                   flag->said, flag->has_person ? "*" : "/", flag->thing_count);
    return true;
}

static void flags_are(const char *wanted)
{
    struct buf out = {0};
    look();
    assert_int_equal(checks_each(node.views, txn, note, &out), OK);
    assert_string_equal(buf_text(&out), wanted);
    buf_clear(&out);
    leave();
}

static struct thing_id open_run(int total)
{
    char body[384];
    snprintf(body, sizeof body,
             "{\"year\":2022,\"rules\":1,\"pool\":100000,\"total\":%d,\"list\":\"%064d\","
             "\"signed_by\":\"%s\"}",
             total, 0, year_hex(&anna));
    return year_record(&town, &town.hub, "redeem.open", "office", NULL, body, NULL);
}

static void grant(const struct thing_id *run, int points)
{
    char body[256];
    snprintf(body, sizeof body, "{\"rows\":[[%s,\"" VILLAGE "\",%d,1000]]}", year_bin(&anna),
             points);
    year_record(&town, &town.hub, "redeem.grant", "office", run, body, NULL);
}

static void recommend(unsigned count)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"person\":\"%s\",\"type\":\"party\",\"to\":\"村支部\",\"count\":%u,"
             "\"decided_by\":\"%s\"}",
             year_hex(&anna), count, year_hex(&bela));
    year_record(&town, &town.hub, "benefit.recommend", "office", NULL, body, NULL);
}

static void an_account_in_order_has_no_flags(void **state)
{
    (void)state;
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    year_award(&town, VILLAGE, 2022, &bela, &(int){10}, 1, &service); /* another person */
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    year_go_to(&town, "2022-12-10");
    struct thing_id run = open_run(20);
    grant(&run, 10);
    recommend(5);
    flags_are("");
}

static void what_contradicts_is_flagged(void **state)
{
    (void)state;
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    struct thing_id twice = year_award(&town, VILLAGE, 2022, &anna, &(int){9}, 1, &service);
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-06");
    struct thing_id run = open_run(19);
    grant(&run, 19); /* nothing is final yet */
    open_run(19);
    recommend(4);
    flags_are("service-awarded-twice=hour*2 publicity-too-short/1 two-redemptions-open/2 "
              "grant-not-as-listed*1 recommended-too-early/1 ");
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &twice, 1, NULL, "{\"why\":\"错\"}");
    flags_are("publicity-too-short/1 two-redemptions-open/2 grant-not-as-listed*1 "
              "recommended-too-early/1 ");
}

/* --- before recording ----------------------------------------------------------------------- */

/* The field that is refused, "" where nothing is. */
static void refused(const char *kind_name, const char *scope_text, const struct thing_id *subject,
                    const char *body, const char *date, const char *field)
{
    struct json_packer packer = {0};
    struct kind_problem problem;
    struct checks_finding finding;
    struct buf packed = {0};
    struct scope scope;
    uint32_t day;
    const struct kind *kind = kind_find(slice_of_text(kind_name));
    json_t *object = json_loads(body, 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_pack_map(&packer, &packed, object, kind, &problem), OK);
    assert_int_equal(scope_parse(&scope, slice_of_text(scope_text)), OK);
    assert_int_equal(time_parse_day(&day, slice_of_text(date)), OK);
    struct checks_draft draft = {
        .kind = kind,
        .scope = &scope,
        .founding = !subject,
        .author = town.hub.signer.key,
        .body = buf_slice(&packed),
        .now_ms = time_day_ms(day, 600),
    };
    if (subject) draft.subject = *subject;
    enum err err = checks_before(node.views, txn, false, &draft, &finding);
    assert_string_equal(finding.what ? finding.field : "", field);
    assert_int_equal(err != OK, field[0] != 0);
    json_decref(object);
    json_packer_clear(&packer);
    buf_clear(&packed);
}

static void a_service_is_not_awarded_twice(void **state)
{
    (void)state;
    char once[256], other[256], both[384];
    struct thing_id sheet = year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    snprintf(once, sizeof once, "{\"year\":2022,\"rows\":[[%s,\"hour\",%s,10]]}", year_bin(&anna),
             year_bin(&service));
    snprintf(other, sizeof other, "{\"year\":2022,\"rows\":[[%s,\"act\",%s,10]]}", year_bin(&anna),
             year_bin(&service));
    snprintf(both, sizeof both, "{\"year\":2022,\"rows\":[[%s,\"act\",%s,10],[%s,\"act\",%s,4]]}",
             year_bin(&anna), year_bin(&service), year_bin(&anna), year_bin(&service));
    look();
    refused("points.award", "village:" VILLAGE, NULL, once, "2022-12-01", "rows");
    refused("points.award", "village:" VILLAGE, NULL, other, "2022-12-01", "");
    refused("points.award", "village:" VILLAGE, NULL, both, "2022-12-01", "rows");
    leave();
    year_on_entry(&town, &town.hub, "points.reverse", VILLAGE, &sheet, 1, NULL, "{\"why\":\"错\"}");
    look();
    refused("points.award", "village:" VILLAGE, NULL, once, "2022-12-01", "");
    leave();
}

static void a_list_is_shown_for_as_long_as_the_rule_asks(void **state)
{
    (void)state;
    char text[384];
    static const char form[] = "{\"type\":\"%s\",\"year\":2022,\"list\":\"%064d\","
                               "\"from\":\"2022-12-01\",\"to\":\"%s\",\"place\":\"公开栏\"}";
    look();
    snprintf(text, sizeof text, form, "points", 0, "2022-12-06");
    refused("publicity.open", "town", NULL, text, "2022-12-01", "to");
    snprintf(text, sizeof text, form, "points", 0, "2022-12-07");
    refused("publicity.open", "town", NULL, text, "2022-12-01", "");
    snprintf(text, sizeof text, form, "honour", 0, "2022-12-02");
    refused("publicity.open", "town", NULL, text, "2022-12-01", "");
    leave();
}

static void open_body(char out[512], size_t total, const struct hash *list)
{
    char hex[sizeof list->bytes * 2 + 1];
    hex_encode(hex, list->bytes, sizeof list->bytes);
    snprintf(out, 512,
             "{\"year\":2022,\"pool\":100000,\"total\":%zu,\"list\":\"%s\",\"signed_by\":\"%s\"}",
             total, hex, year_hex(&anna));
}

static void a_redemption_is_opened_over_the_final_list_alone(void **state)
{
    (void)state;
    char body[512];
    struct ledger *l;
    struct ledger_list list;
    struct hash digest;
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    look();
    assert_int_equal(ledger_load(&l, txn, 2022, time_day_of(2022, 12, 10)), OK);
    assert_int_equal(ledger_list_run(&list, l, SIZE_MAX), OK);
    ledger_list_digest(&digest, &list);
    ledger_list_clear(&list);
    ledger_free(l);
    open_body(body, 10, &digest);
    refused("redeem.open", "office", NULL, body, "2022-12-07", "year"); /* still public */
    refused("redeem.open", "office", NULL, body, "2022-12-10", "");
    open_body(body, 11, &digest);
    refused("redeem.open", "office", NULL, body, "2022-12-10", "list");
    leave();
}

static void one_redemption_is_open_and_grants_what_its_list_says(void **state)
{
    (void)state;
    char body[256];
    year_award(&town, VILLAGE, 2022, &anna, &(int){10}, 1, &service);
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    year_go_to(&town, "2022-12-10");
    struct thing_id run = open_run(10);
    look();
    for (int points = 9; points <= 11; points++) {
        snprintf(body, sizeof body, "{\"rows\":[[%s,\"" VILLAGE "\",%d,1000]]}", year_bin(&anna),
                 points);
        refused("redeem.grant", "office", &run, body, "2022-12-10", points == 10 ? "" : "rows");
    }
    snprintf(body, sizeof body, "{\"rows\":[[%s,\"" VILLAGE "\",10,1000]]}", year_bin(&bela));
    refused("redeem.grant", "office", &run, body, "2022-12-10", "rows");
    leave();
}

static void nobody_is_recommended_on_fewer_than_five_activities(void **state)
{
    (void)state;
    char body[256];
    look();
    for (unsigned count = 4; count <= 5; count++) {
        snprintf(body, sizeof body,
                 "{\"person\":\"%s\",\"type\":\"party\",\"to\":\"村支部\",\"count\":%u,"
                 "\"decided_by\":\"%s\"}",
                 year_hex(&anna), count, year_hex(&bela));
        refused("benefit.recommend", "office", NULL, body, "2022-12-10", count < 5 ? "count" : "");
    }
    leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(an_account_in_order_has_no_flags),
        TEST(what_contradicts_is_flagged),
        TEST(a_service_is_not_awarded_twice),
        TEST(a_list_is_shown_for_as_long_as_the_rule_asks),
        TEST(a_redemption_is_opened_over_the_final_list_alone),
        TEST(one_redemption_is_open_and_grants_what_its_list_says),
        TEST(nobody_is_recommended_on_fewer_than_five_activities),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
