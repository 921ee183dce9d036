#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/views/report_help.h"
#include "node/views/report_stat.h"
#include "tests/support/service_year.h"

static struct township town;
static struct township_node node;

static uint64_t ms(const char *text)
{
    uint64_t out;
    assert_int_equal(time_parse(&out, text), OK);
    return out;
}

static struct figure_period period(const char *text)
{
    struct figure_period p;
    assert_int_equal(figure_period_parse(&p, text), OK);
    return p;
}

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 3);
    town.time_ms = ms("2022-03-01 08:00");
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static struct thing_id found(size_t village, const char *kind, const char *body, const char *box)
{
    bool in_town = strncmp(kind, "activity", 8) == 0 || strncmp(kind, "call", 4) == 0;
    return year_record(&town, &town.devices[village], kind, in_town ? "town" : NULL, NULL, body,
                       box);
}

static void act(size_t village, const char *kind, const struct thing_id *thing, uint32_t depth,
                const char *body, const char *scope)
{
    township_record(&town, &town.devices[village],
                    &(struct township_act){
                        .kind = kind,
                        .scope = scope,
                        .subject = thing,
                        .depth = depth,
                        .seen = depth,
                        .body = body,
                    });
}

static struct report_helps helps_of(const char *text, const struct village *only)
{
    struct txn *t;
    const struct roster *roster;
    struct report_helps helps = {0};
    const struct figure_period p = period(text);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(report_helps_read(&helps, t, roster, only, &p), OK);
    txn_abort(t);
    return helps;
}

static void wells(size_t village, const char *date, const char *host, unsigned restored)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"title\":\"淘井\",\"category\":\"water\",\"date\":\"%s\",\"place\":\"井边\","
             "%s%s%s\"outcome\":[[\"wells_restored\",%u]],\"people_helped\":100}",
             date, host ? "\"host\":\"" : "", host ? host : "", host ? "\"," : "", restored);
    found(village, "activity.record", body, NULL);
}

static const struct report_outcome *outcome(const struct report_help *h, const char *key)
{
    for (size_t i = 0; i < h->outcome_count; i++)
        if (slice_is_text(h->outcomes[i].key, key)) return &h->outcomes[i];
    fail_msg("no outcome %s", key);
    return NULL;
}

static void the_wells_are_45_and_4(void **state)
{
    (void)state;
    wells(0, "2022-09-01", NULL, 20);
    wells(0, "2022-10-31", town.devices[0].village, 25);
    wells(0, "2022-10-05", town.devices[1].village, 3);
    wells(0, "2022-10-06", town.devices[2].village, 1);
    wells(1, "2022-10-06", NULL, 7);
    wells(0, "2023-01-01", NULL, 99);
    struct report_helps helps = helps_of("2022", NULL);
    const struct report_help *first = &helps.villages[0];
    assert_string_equal(first->village->code, town.devices[0].village);
    assert_int_equal(outcome(first, "wells_restored")->own, 45);
    assert_int_equal(outcome(first, "wells_restored")->other, 4);
    assert_int_equal(first->activities, 4);
    assert_int_equal(first->activities_elsewhere, 2);
    assert_int_equal(first->people_helped, 400);
    assert_int_equal(outcome(&helps.whole, "wells_restored")->own, 52);
    assert_int_equal(outcome(&helps.whole, "trees_planted")->own, 0);
    assert_int_equal(helps.whole.activities, 5);
    report_helps_clear(&helps);
    helps = helps_of("2022-10", NULL);
    assert_int_equal(outcome(&helps.villages[0], "wells_restored")->own, 25);
    report_helps_clear(&helps);
}

static struct thing_id volunteer(size_t village, const char *joined)
{
    static unsigned number;
    char body[128];
    snprintf(body, sizeof body, "{\"number\":\"%02zuAV-%04u\",\"joined\":\"%s\"}", village + 1,
             ++number, joined);
    return found(village, "volunteer.register", body, "{\"name\":\"甲\",\"phone\":\"1\"}");
}

static void volunteers_joined_left_and_are_there_at_the_end(void **state)
{
    (void)state;
    volunteer(0, "2021-05-01");
    volunteer(0, "2022-12-31");
    volunteer(1, "2023-01-01");
    struct thing_id left = volunteer(1, "2022-01-01"), later = volunteer(1, "2021-01-01");
    act(1, "volunteer.leave", &left, 1, "{\"reason\":\"moved\",\"on\":\"2022-06-30\"}", NULL);
    act(1, "volunteer.leave", &later, 1, "{\"reason\":\"moved\",\"on\":\"2023-02-01\"}", NULL);
    struct report_helps helps = helps_of("2022", NULL);
    assert_int_equal(helps.villages[0].active, 2);
    assert_int_equal(helps.villages[0].joined, 1);
    assert_int_equal(helps.villages[1].active, 1);
    assert_int_equal(helps.villages[1].joined, 1);
    assert_int_equal(helps.villages[1].left, 1);
    assert_int_equal(helps.whole.active, 3);
    report_helps_clear(&helps);
}

static void minutes_are_those_that_were_verified(void **state)
{
    (void)state;
    char body[1024];
    struct thing_id a = volunteer(0, "2022-01-01"), b = volunteer(0, "2022-01-01");
    struct thing_id activity = found(0, "activity.record",
                                     "{\"title\":\"扫路\",\"category\":\"environment\","
                                     "\"date\":\"2022-05-01\",\"place\":\"村口\"}",
                                     NULL);
    /* a is on the sheet twice */
    snprintf(body, sizeof body,
             "{\"activity\":\"%s\",\"category\":\"environment\",\"date\":\"2022-05-01\","
             "\"method\":\"paper\",\"rows\":[[%s,480,600,120],[%s,480,600,120],[%s,840,900,60]]}",
             year_hex(&activity), year_bin(&a), year_bin(&b), year_bin(&a));
    struct thing_id sheet = found(0, "attendance.record", body, NULL);
    static const char *const service =
        "{\"person\":\"%s\",\"category\":\"elderly\",\"date\":\"2022-05-02\",\"minutes\":%u,"
        "\"confirm\":\"sign\"}";
    snprintf(body, sizeof body, service, year_hex(&a), 30u);
    found(0, "service.log", body, NULL); /* not verified yet */
    snprintf(body, sizeof body, service, year_hex(&b), 50u);
    struct thing_id refused = found(0, "service.log", body, NULL);
    year_verify(&town, &town.devices[0], &refused, "no", NULL);
    struct report_helps helps = helps_of("2022-05", NULL);
    assert_int_equal(helps.whole.person_times, 3);
    assert_int_equal(helps.whole.minutes_verified, 0);
    report_helps_clear(&helps);
    snprintf(body, sizeof body, "[[%s,90]]", year_bin(&b));
    year_verify(&town, &town.devices[0], &sheet, "part", body);
    helps = helps_of("2022-05", NULL);
    assert_int_equal(helps.whole.person_times, 3);
    assert_int_equal(helps.whole.minutes_verified, 180 + 90);
    assert_int_equal(helps.villages[1].person_times, 0);
    report_helps_clear(&helps);
}

static void one_village_is_counted_alone(void **state)
{
    (void)state;
    struct txn *t;
    const struct roster *roster;
    struct report_helps helps = {0};
    const struct figure_period p = period("2022");
    wells(0, "2022-09-01", NULL, 20);
    wells(1, "2022-09-01", NULL, 1);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    const struct village *only = roster_village(roster, town.devices[1].village);
    assert_int_equal(report_helps_read(&helps, t, roster, only, &p), OK);
    assert_int_equal(helps.village_count, 1);
    assert_int_equal(outcome(&helps.whole, "wells_restored")->own, 1);
    report_helps_clear(&helps);
    txn_abort(t);
}

static void calls_have_those_who_signed_up(void **state)
{
    (void)state;
    char body[512];
    struct thing_id a = volunteer(0, "2022-01-01"), b = volunteer(0, "2022-01-01");
    struct thing_id call = found(
        0, "call.publish",
        "{\"title\":\"清沟\",\"category\":\"water\",\"place\":\"沟边\",\"start\":1657600000000,"
        "\"need\":5,\"risk\":\"滑\",\"hazard\":false}",
        NULL);
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"by_proxy\":\"phone\"}", year_hex(&a));
    act(0, "call.signup", &call, 1, body, "town");
    act(0, "call.cancel", &call, 2, body, "town");
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"by_proxy\":\"phone\"}", year_hex(&b));
    act(0, "call.signup", &call, 3, body, "town");
    struct report_helps helps = helps_of("2022", NULL);
    assert_int_equal(helps.villages[0].calls, 1);
    assert_int_equal(helps.villages[0].signups, 2);
    assert_int_equal(helps.villages[0].cancels, 1);
    report_helps_clear(&helps);
}

/* --- as they are published ----------------------------------------------------------------- */

static const struct report_stat *stat_of(const struct report_stats *s, const char *id,
                                         const char *village)
{
    struct report_stat like = {0};
    snprintf(like.id, sizeof like.id, "%s", id);
    snprintf(like.village, sizeof like.village, "%s", village);
    return report_stats_find(s, &like);
}

static void published_rows_leave_out_what_is_nothing(void **state)
{
    (void)state;
    struct txn *t;
    const struct roster *roster;
    struct report_stats stats = {0};
    const struct figure_period p = period("2022");
    wells(0, "2022-09-01", NULL, 45);
    wells(0, "2022-09-02", town.devices[1].village, 4);
    township_register(&town, &town.devices[1], "02A-0001");
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(report_stats_count(&stats, t, roster, NULL, &p), OK);
    txn_abort(t);
    assert_int_equal(stat_of(&stats, "wells_restored", "")->num, 45);
    assert_int_equal(stat_of(&stats, "wells_restored", "")->den, 1);
    assert_int_equal(stat_of(&stats, "wells_restored.other", town.devices[0].village)->num, 4);
    assert_null(stat_of(&stats, "wells_restored.other", town.devices[1].village));
    assert_int_equal(stat_of(&stats, "registered", town.devices[1].village)->num, 1);
    assert_null(stat_of(&stats, "close_rate", "")); /* nothing was accepted */
    report_stats_clear(&stats);
}

static void rows_are_read_as_they_were_written_over_several_sheets(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    struct report_stats wrote = {0}, read = {0};
    struct report_stat rows[ROWS] = {0};
    size_t at = 0, sheets = 0;
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(rows[i].id, sizeof rows[i].id, "close_rate");
        if (i % 3 == 0)
            snprintf(rows[i].village, sizeof rows[i].village, "4313221112%02zu", i % 99);
        if (i % 3 == 1) snprintf(rows[i].unit, sizeof rows[i].unit, "第%zu站", i);
        rows[i].num = (uint32_t)i;
        rows[i].den = UINT32_MAX;
    }
    wrote.rows = rows;
    wrote.count = ROWS;
    for (; at < ROWS; sheets++) {
        struct mp_map body = {0};
        struct buf bytes = {0};
        struct mp_writer w = mp_map_put(&body, "figures");
        report_stats_write(&w, &wrote, &at);
        assert_int_equal(mp_map_end(&body, &bytes), OK);
        assert_int_equal(mp_scan_whole(buf_slice(&bytes)), OK);
        assert_true(bytes.size < 15 * 1024);
        assert_int_equal(report_stats_read(&read, buf_slice(&bytes)), OK);
        mp_map_clear(&body);
        buf_clear(&bytes);
    }
    assert_true(sheets >= 3);
    assert_int_equal(read.count, ROWS);
    assert_memory_equal(read.rows, rows, sizeof rows);
    report_stats_clear(&read);
}

static void the_digest_covers_every_scope_but_the_office(void **state)
{
    (void)state;
    struct township_node other;
    struct hash before, same, office, after;
    struct txn *t;
    uint8_t first8[8];
    wells(0, "2022-09-01", NULL, 45);
    township_register(&town, &town.devices[1], "02A-0001");
    township_register(&town, &town.devices[0], "01A-0001");
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_digest_open(t, &before), OK);
    const struct scope scopes[] = {scope_town(), scope_of_village(town.devices[0].village),
                                   scope_of_village(town.devices[1].village)};
    assert_int_equal(views_digest8(t, scopes, 3, first8), OK);
    assert_memory_equal(first8, before.bytes, 8);
    txn_abort(t);
    township_node_open(&other, &town, &town.hub); /* its scopes have other numbers */
    township_node_take(&other, town.events, town.roster_count);
    for (size_t i = town.event_count; i-- > town.roster_count;)
        township_node_take(&other, &town.events[i], 1);
    township_node_settle(&other);
    assert_int_equal(txn_begin(other.store, false, &t), OK);
    assert_int_equal(views_digest_open(t, &same), OK);
    txn_abort(t);
    assert_memory_equal(&same, &before, sizeof same);
    township_record(&town, &town.hub,
                    &(struct township_act){.kind = "request.register",
                                           .scope = "office",
                                           .body = "{\"number\":\"JB-0001\",\"channel\":\"visit\","
                                                   "\"received\":1657500000000,"
                                                   "\"nature\":\"accusation\","
                                                   "\"category\":\"1501\",\"urgency\":1}"});
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_digest_open(t, &office), OK);
    txn_abort(t);
    assert_memory_equal(&office, &before, sizeof office);
    township_register(&town, &town.devices[0], "01A-0002");
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_digest_open(t, &after), OK);
    txn_abort(t);
    assert_memory_not_equal(&after, &before, sizeof after);
    township_node_close(&other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    if (crypto_init()) return 1;
    const struct CMUnitTest tests[] = {
        TEST(the_wells_are_45_and_4),
        TEST(volunteers_joined_left_and_are_there_at_the_end),
        TEST(minutes_are_those_that_were_verified),
        TEST(one_village_is_counted_alone),
        TEST(calls_have_those_who_signed_up),
        TEST(published_rows_leave_out_what_is_nothing),
        TEST(the_digest_covers_every_scope_but_the_office),
        cmocka_unit_test(rows_are_read_as_they_were_written_over_several_sheets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
