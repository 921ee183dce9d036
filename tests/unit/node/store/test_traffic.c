#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/time.h"
#include "node/store/traffic.h"
#include "tests/support/store.h"

static const struct sign_key hub = {{0x11}}, neighbour = {{0x22}};

static uint64_t moment(const char *text)
{
    uint64_t ms = 0;
    assert_int_equal(time_parse(&ms, text), OK);
    return ms;
}

static uint32_t day_of(const char *text)
{
    return time_day(moment(text));
}

static void add(struct txn *t, const struct sign_key *peer, const char *at, bool trusted,
                uint64_t sent, uint64_t received)
{
    traffic_add(t, peer, moment(at), trusted, &(struct traffic){sent, received});
}

static void is(struct traffic got, uint64_t sent, uint64_t received)
{
    assert_int_equal(got.sent, sent);
    assert_int_equal(got.received, received);
}

static void counts_by_peer_day_and_month(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    add(t, &hub, "2026-11-24 23:59", true, 10, 1);
    add(t, &hub, "2026-11-25 00:00", true, 20, 2);
    add(t, &hub, "2026-11-25 12:00", true, 30, 3);
    add(t, &neighbour, "2026-11-25 12:00", true, 100, 0);
    add(t, &hub, "2026-12-01 00:00", true, 1000, 0);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, false);
    uint32_t november = traffic_month_of(day_of("2026-11-24"));
    is(traffic_of_day(t, &hub, day_of("2026-11-24")), 10, 1);
    is(traffic_of_day(t, &hub, day_of("2026-11-25")), 50, 5);
    is(traffic_of_month(t, &hub, november), 60, 6);
    is(traffic_of_month(t, &neighbour, november), 100, 0);
    struct traffic_now now = traffic_now(t, NULL, day_of("2026-12-01"));
    is(now.today, 1000, 0);
    is(now.month, 1000, 0);
    is(traffic_of_month(t, &neighbour, november + 1), 0, 0);
    assert_int_equal(traffic_next_month(day_of("2026-11-01")), day_of("2026-12-01"));
    assert_int_equal(traffic_next_month(day_of("2026-12-31")), day_of("2027-01-01"));
    txn_abort(t);
    test_store_end(&ts);
}

static void a_clock_that_is_not_trusted_begins_no_day(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    add(t, &hub, "2026-11-30 12:00", true, 10, 0);
    add(t, &hub, "2027-01-01 00:00", false, 20, 0); /* a battery that is dead, both ways */
    add(t, &hub, "2020-01-01 00:00", false, 30, 0);
    assert_int_equal(traffic_today(t, moment("2027-01-01 00:00"), false), day_of("2026-11-30"));
    is(traffic_of_day(t, &hub, day_of("2026-11-30")), 60, 0);
    is(traffic_of_month(t, &hub, traffic_month_of(day_of("2027-01-01"))), 0, 0);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void what_was_counted_without_a_date_is_of_the_first_trusted_day(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    add(t, &hub, "2031-05-05 00:00", false, 10, 0);
    add(t, &neighbour, "1999-01-01 00:00", false, 20, 0);
    uint32_t undated = traffic_today(t, moment("2031-05-05 00:00"), false);
    is(traffic_now(t, NULL, undated).month, 30, 0);
    is(traffic_now(t, NULL, day_of("2026-11-25")).month, 30, 0); /* before it is moved */
    is(traffic_now(t, &hub, day_of("2026-11-25")).today, 10, 0);
    add(t, &hub, "2026-11-25 12:00", true, 1, 0);
    is(traffic_of_month(t, &hub, traffic_month_of(undated)), 0, 0);
    is(traffic_of_day(t, &hub, day_of("2026-11-25")), 11, 0);
    is(traffic_of_day(t, &neighbour, day_of("2026-11-25")), 20, 0);
    is(traffic_now(t, NULL, day_of("2026-11-25")).month, 31, 0);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

/* Somebody vouched for a clock that was weeks ahead: its month gives nothing that this one had. */
static void a_clock_that_steps_back_takes_what_it_counted_along(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    add(t, &hub, "2026-11-25 12:00", true, 10, 1);
    add(t, &hub, "2026-12-24 12:00", true, 20, 2);
    add(t, &hub, "2027-02-01 12:00", true, 40, 4);
    add(t, &neighbour, "2027-02-01 12:00", true, 100, 0);
    is(traffic_now(t, NULL, day_of("2026-11-26")).month, 170, 7); /* before it is moved */
    is(traffic_now(t, NULL, day_of("2026-11-26")).today, 160, 6);
    add(t, &hub, "2026-11-26 12:00", true, 80, 8);
    uint32_t november = traffic_month_of(day_of("2026-11-25"));
    is(traffic_of_day(t, &hub, day_of("2026-11-25")), 10, 1);
    is(traffic_of_day(t, &hub, day_of("2026-11-26")), 140, 14);
    is(traffic_now(t, NULL, day_of("2026-11-26")).month, 250, 15);
    for (uint32_t month = november + 1; month < november + 5; month++)
        is(traffic_of_month(t, &hub, month), 0, 0);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void the_oldest_days_go_and_their_months_stay(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    uint64_t first = moment("2026-01-01 12:00");
    for (uint64_t day = 0; day < TRAFFIC_DAYS_MAX + 40; day++)
        traffic_add(t, &hub, first + day * 86400000, true, &(struct traffic){1, 0});
    uint32_t january = day_of("2026-01-01");
    is(traffic_of_day(t, &hub, january + 39), 0, 0);
    is(traffic_of_day(t, &hub, january + 40), 1, 0);
    is(traffic_of_month(t, &hub, traffic_month_of(january)), 31, 0);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_peer_day_and_month),
        cmocka_unit_test(a_clock_that_is_not_trusted_begins_no_day),
        cmocka_unit_test(what_was_counted_without_a_date_is_of_the_first_trusted_day),
        cmocka_unit_test(a_clock_that_steps_back_takes_what_it_counted_along),
        cmocka_unit_test(the_oldest_days_go_and_their_months_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
