#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/requests.h"

/* Moments of these tests: T+n is n thousand milliseconds after 2025-11-24 00:00. */
#define T UINT64_C(1763913600000)
#define AT(n) (T + (n)*UINT64_C(1000))
#define DUE "1764064800000" /* 2025-11-25 18:00 */
#define SIGNED "\"signed_by\":\"00000000000000000000000000000001\""

static struct play_act at(uint64_t time_ms, struct play_act act)
{
    act.time_ms = time_ms;
    return act;
}
#define ACT(n, ...) at(AT(n), (struct play_act)DOES(__VA_ARGS__))

/* Deadlines as the acts state them: accept 1000, issue 2000, sign 3000, contact 4000, callback
 * 5000. */
#define NEXT(n) "\"next_due\":176391" n "000"
#define REGISTERED NEXT("4600") ",\"rules\":1"
#define ACCEPT "{\"class\":\"general\",\"due\":" DUE "," NEXT("5600") ",\"rules\":2}"
#define ISSUE "{\"unit\":\"水利站\",\"due\":" DUE "," NEXT("6600") "," SIGNED "}"
#define SIGN "{" NEXT("7600") "}"
#define CONTACT "{\"method\":\"phone\",\"reached\":true}"
#define REPORT "{\"solved\":\"yes\"," NEXT("8600") "}"
#define REACHED                                                                                    \
    "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"part\",\"rating\":2,"       \
    "\"contacted_in_time\":false}"

static void play_whole(uint64_t late)
{
    const struct play_act acts[] = {
        ACT(1000 + late, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000 + late, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(3000 + late, "order.sign", UNIT, SIGN, &play_clerk, REQUEST_IN_PROGRESS),
        ACT(4000 + late, "contact.log", UNIT, CONTACT, NULL, REQUEST_IN_PROGRESS),
        ACT(4500, "order.report", UNIT, REPORT, &play_clerk, REQUEST_REPORTED),
        ACT(5000 + late, "callback.record", HUB, REACHED, &play_visitor, REQUEST_REPORTED),
        ACT(6000, "request.close", HUB, "{\"result\":\"explained\",\"public\":true}", NULL,
            REQUEST_CLOSED),
    };
    play_register("help", REGISTERED, AT(0));
    PLAY(acts);
}

static void each_step_is_judged_by_the_deadline_in_force_then(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        play_whole(late); /* at the deadline itself, and a second later */
        struct request r = play_row();
        for (unsigned i = 0; i < REQUEST_CLOCK_COUNT; i++)
            assert_int_equal(r.timing[i], late ? TIMING_LATE : TIMING_IN_TIME);
        assert_int_equal(r.registered_ms, AT(0));
        assert_int_equal(r.accepted_ms, AT(1000 + late));
        assert_int_equal(r.issued_ms, AT(2000 + late));
        assert_int_equal(r.signed_ms, AT(3000 + late));
        assert_int_equal(r.contacted_ms, AT(4000 + late));
        assert_int_equal(r.reported_ms, AT(4500));
        assert_int_equal(r.closed_ms, AT(6000));
        assert_int_equal(r.next_due_ms, 0);
        assert_int_equal(r.rules, 2);
        assert_int_equal(r.contacted_in_time, TIMING_LATE);
        assert_true(r.public && r.rating == 2 && r.solved == SOLVED_PART && !r.untrusted);
    }
}

static void without_a_deadline_nothing_is_judged(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1, "request.accept", HUB, "{\"class\":\"simple\"}", NULL, REQUEST_ACCEPTED),
        ACT(2, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.timing[CLOCK_ACCEPT], TIMING_UNKNOWN);
    assert_int_equal(r.timing[CLOCK_ISSUE], TIMING_UNKNOWN);
    assert_int_equal(r.next_due_ms, AT(3000));
}

static void a_villages_moment_is_the_one_it_states_the_townships_its_own(void **state)
{
    (void)state;
    struct play_act acts[] = {
        ACT(50, "request.accept", HUB, "{\"class\":\"simple\",\"at\":1763913601000}", NULL,
            REQUEST_ACCEPTED),
        ACT(60, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(9000, "order.sign", VILLAGE, "{\"at\":1763913670000}", NULL, REQUEST_IN_PROGRESS),
        ACT(9001, "contact.log", VILLAGE, CONTACT, NULL, REQUEST_IN_PROGRESS),
    };
    play_register("help", "\"at\":1763913500000", AT(40));
    play_acts(acts, 3);
    struct request r = play_row();
    assert_int_equal(r.registered_ms, 1763913500000);
    assert_int_equal(r.accepted_ms, AT(50));
    assert_int_equal(r.signed_ms, AT(70));
    assert_false(r.untrusted);
    acts[3].untrusted = true;
    play_acts(acts + 3, 1);
    r = play_row();
    assert_int_equal(r.contacted_ms, AT(9001));
    assert_true(r.untrusted);
}

static void who_was_spoken_to_before_the_signature_was_in_time(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(10, "contact.log", HUB, CONTACT, NULL, REQUEST_REGISTERED), /* not about an order */
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(2100, "contact.log", UNIT, "{\"method\":\"phone\",\"reached\":false}", NULL,
            REQUEST_ASSIGNED),
        ACT(2200, "contact.log", UNIT, CONTACT, NULL, REQUEST_ASSIGNED),
        ACT(3000, "order.sign", UNIT, SIGN, NULL, REQUEST_IN_PROGRESS),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.contacted_ms, AT(2200));
    assert_int_equal(r.timing[CLOCK_CONTACT], TIMING_IN_TIME);
    assert_int_equal(r.next_due_ms, 0);
}

static void marks_of_provisional_dates_go_with_the_dates(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB,
            "{\"class\":\"general\",\"due\":" DUE "," NEXT("5600") ",\"provisional\":true}", NULL,
            REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB,
            "{\"unit\":\"甲\",\"due\":" DUE ",\"provisional\":true," SIGNED "}", NULL,
            REQUEST_ASSIGNED),
        ACT(3000, "order.sign", UNIT, SIGN, NULL, REQUEST_IN_PROGRESS),
    };
    play_acts(acts, 1);
    struct request r = play_row();
    assert_true(r.due_provisional && r.next_due_provisional);
    play_acts(acts + 1, 2);
    r = play_row();
    assert_true(r.due_provisional && !r.next_due_provisional);
}

/* --- suspensions and extensions ------------------------------------------------------------ */

static void a_suspension_moves_what_is_due(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(3000, "order.sign", UNIT, SIGN, NULL, REQUEST_IN_PROGRESS),
        ACT(3500, "order.suspend", HUB, "{\"reason\":\"weather\",\"review\":\"2025-12-01\"}", NULL,
            REQUEST_SUSPENDED),
        ACT(4600, "order.resume", HUB, NULL, NULL, REQUEST_IN_PROGRESS),
        ACT(4700, "order.suspend", HUB, "{\"reason\":\"weather\",\"review\":\"2025-12-01\"}", NULL,
            REQUEST_SUSPENDED),
        ACT(4800, "order.resume", HUB, "{\"due\":1764000000000}", NULL, REQUEST_IN_PROGRESS),
    };
    play_acts(acts, 4);
    struct request r = play_row();
    assert_int_equal(r.review_ms, 1764583200000); /* 2025-12-01 18:00 */
    assert_int_equal(r.suspended_since_ms, AT(3500));
    assert_int_equal(request_next_moment(&r), r.review_ms);
    play_acts(acts + 4, 1);
    r = play_row();
    assert_int_equal(r.due_ms, 1764064800000 + 1100000);
    assert_int_equal(r.next_due_ms, AT(4000) + 1100000);
    assert_int_equal(r.suspended_total_ms, 1100000);
    assert_true(!r.review_ms && !r.suspended_since_ms);
    play_acts(acts + 5, 2);
    r = play_row();
    assert_int_equal(r.due_ms, 1764000000000);
    assert_int_equal(r.suspended_total_ms, 1200000);
}

/* The deadline waits while it is suspended. */
static void a_contact_in_a_suspension_is_judged_by_when_that_began(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(3000, "order.sign", UNIT, SIGN, NULL, REQUEST_IN_PROGRESS),
        ACT(3500, "order.suspend", HUB, "{\"reason\":\"weather\",\"review\":\"2025-12-01\"}", NULL,
            REQUEST_SUSPENDED),
        ACT(9000, "contact.log", UNIT, CONTACT, NULL, REQUEST_SUSPENDED),
        ACT(9100, "request.withdraw", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_WITHDRAWN),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.timing[CLOCK_CONTACT], TIMING_IN_TIME);
    assert_int_equal(r.suspended_total_ms, 5600000);
    assert_int_equal(r.suspended_since_ms, 0);
}

static void an_extension_is_noted_from_the_asking_on(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        ACT(2500, "order.extend_ask", UNIT, "{\"to\":1764151200000,\"reason\":\"funds\"}", NULL,
            REQUEST_ASSIGNED),
        ACT(2600, "order.extend_decide", HUB, "{\"ok\":true,\"due\":1764100000000,\"rules\":7}",
            NULL, REQUEST_ASSIGNED),
    };
    play_acts(acts, 3);
    struct request r = play_row();
    assert_int_equal(r.extend_to_ms, 1764151200000);
    assert_false(r.extended);
    play_acts(acts + 3, 1);
    r = play_row();
    assert_true(!r.extend_to_ms && r.extended);
    assert_int_equal(r.due_ms, 1764100000000);
    assert_int_equal(r.rules, 7);
}

/* --- back and again ------------------------------------------------------------------------ */

static void an_agreed_objection_takes_the_order_back(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB,
            "{\"unit\":\"甲\",\"support\":[\"乙\"],\"due\":" DUE "," SIGNED "}", NULL,
            REQUEST_ASSIGNED),
        ACT(3000, "order.sign", UNIT, NULL, &play_clerk, REQUEST_IN_PROGRESS),
        ACT(3100, "order.object", UNIT, "{\"reason\":\"no_power\"," NEXT("9600") "}", NULL,
            REQUEST_OBJECTED),
        ACT(3200, "order.object_decide", HUB, "{\"agree\":false}", NULL, REQUEST_ASSIGNED),
        ACT(3300, "order.object", UNIT, "{\"reason\":\"no_power\"}", NULL, REQUEST_OBJECTED),
        ACT(3400, "order.object_decide", HUB, "{\"agree\":true}", NULL, REQUEST_ACCEPTED),
    };
    static const struct thing_id nobody;
    play_acts(acts, 4);
    struct request r = play_row();
    assert_int_equal(r.next_due_ms, AT(6000));
    assert_true(thing_id_equal(&r.signer_by, &play_clerk));
    play_acts(acts + 4, 1);
    r = play_row();
    assert_true(slice_is_text(r.holder, "甲") && r.support_count == 1 && !r.signed_ms);
    assert_true(thing_id_equal(&r.signer_by, &nobody));
    play_acts(acts + 5, 2);
    r = play_row();
    assert_true(!r.holder.size && !r.support_count);
    assert_int_equal(r.objections, 2);
    assert_int_equal(r.due_ms, 1764064800000); /* handling runs on */
    assert_int_equal(r.issued_ms, AT(2000));
}

static void a_transfer_to_a_supporting_unit_leaves_the_others(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(1000, "request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(2000, "order.issue", HUB,
            "{\"unit\":\"甲\",\"support\":[\"乙\",\"丙\"],\"due\":" DUE "," SIGNED "}", NULL,
            REQUEST_ASSIGNED),
        ACT(2100, "order.transfer", HUB, "{\"unit\":\"乙\"," NEXT("9600") "}", NULL,
            REQUEST_ASSIGNED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_true(slice_is_text(r.holder, "乙") && r.support_count == 1);
    assert_true(slice_is_text(r.supports[0].unit, "丙"));
    assert_int_equal(r.due_ms, 1764064800000);
    assert_int_equal(r.next_due_ms, AT(6000));
}

static void an_escalated_request_begins_anew(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(10, "request.accept", VILLAGE, ACCEPT, NULL, REQUEST_ACCEPTED),
        ACT(20, "order.issue", VILLAGE, "{\"unit\":\"村委会\",\"due\":" DUE "}", NULL,
            REQUEST_ASSIGNED),
        ACT(30, "order.sign", VILLAGE, SIGN, &play_clerk, REQUEST_IN_PROGRESS),
        ACT(40, "contact.log", VILLAGE, CONTACT, NULL, REQUEST_IN_PROGRESS),
        ACT(50, "request.escalate", VILLAGE, "{\"reason\":\"unsolved\"," NEXT("9600") "}", NULL,
            REQUEST_REGISTERED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_true(r.township && !r.holder.size && !r.class.size && !r.has_reporter);
    assert_int_equal(r.escalated_ms, AT(50));
    assert_int_equal(r.next_due_ms, AT(6000));
    assert_true(!r.due_ms && !r.accepted_ms && !r.issued_ms && !r.signed_ms && !r.contacted_ms);
    for (unsigned i = 0; i < REQUEST_CLOCK_COUNT; i++) assert_int_equal(r.timing[i], 0);
}

static void a_reopened_request_is_a_new_round(void **state)
{
    (void)state;
    play_whole(0);
    const struct play_act acts[] = {
        ACT(7000, "request.reopen", HUB, "{\"reason\":\"bad_rating\",\"due\":1764151200000}", NULL,
            REQUEST_IN_PROGRESS),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.rounds, 1);
    assert_int_equal(r.due_ms, 1764151200000);
    assert_true(!r.closed_ms && !r.result.size && !r.public && !r.callback_reached && !r.rating);
    assert_int_equal(r.reported_ms, AT(4500));
    assert_true(slice_is_text(r.holder, "水利站"));
}

static void the_hub_samples_what_a_village_closed(void **state)
{
    (void)state;
    play_whole(0);
    const struct play_act sample =
        ACT(7000, "callback.record", HUB,
            "{\"attempt\":2,\"method\":\"visit\",\"reached\":true,\"solved\":\"no\",\"rating\":1}",
            &play_visitor, REQUEST_CLOSED);
    play_acts(&sample, 1);
    struct request r = play_row();
    assert_true(r.rating == 1 && r.solved == SOLVED_NO);
    assert_int_equal(r.timing[CLOCK_CALLBACK], TIMING_IN_TIME);
}

static void keeps_level_number_and_target_of_what_ends_it(void **state)
{
    (void)state;
    const struct play_act acts[] = {
        ACT(10, "supervise.issue", HUB, "{\"level\":2,\"reason\":\"leader\"}", NULL,
            REQUEST_REGISTERED),
        ACT(20, "request.merge", HUB, "{\"main\":\"00000000000000000000000000000009\"}", NULL,
            REQUEST_MERGED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.supervised, 2);
    assert_int_equal(r.merged_into.bytes[15], 9);
    play_whole(0);
    const struct play_act archive =
        ACT(9000, "request.archive", HUB, "{\"archive_no\":\"2025-甲-7\",\"term\":\"30y\"}", NULL,
            REQUEST_ARCHIVED);
    play_acts(&archive, 1);
    assert_true(slice_is_text(play_row().archive_number, "2025-甲-7"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_step_is_judged_by_the_deadline_in_force_then),
        TEST(without_a_deadline_nothing_is_judged),
        TEST(a_villages_moment_is_the_one_it_states_the_townships_its_own),
        TEST(who_was_spoken_to_before_the_signature_was_in_time),
        TEST(marks_of_provisional_dates_go_with_the_dates),
        TEST(a_suspension_moves_what_is_due),
        TEST(a_contact_in_a_suspension_is_judged_by_when_that_began),
        TEST(an_extension_is_noted_from_the_asking_on),
        TEST(an_agreed_objection_takes_the_order_back),
        TEST(a_transfer_to_a_supporting_unit_leaves_the_others),
        TEST(an_escalated_request_begins_anew),
        TEST(a_reopened_request_is_a_new_round),
        TEST(the_hub_samples_what_a_village_closed),
        TEST(keeps_level_number_and_target_of_what_ends_it),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
