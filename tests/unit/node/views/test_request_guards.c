#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/requests.h"

/* Acts of these tests are recorded from 2025-11-23 09:00 on, a second apart. */
#define DUE "1764064800000" /* 2025-11-25 18:00 */
#define SIGNED "\"signed_by\":\"00000000000000000000000000000001\""
#define ISSUE "{\"unit\":\"水利站\",\"due\":" DUE "," SIGNED "}"
#define ISSUE_OWN "{\"unit\":\"村委会\",\"due\":" DUE "}"
#define REACHED "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"yes\"}"
#define UNSOLVED "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"no\"}"
#define CLOSE "{\"result\":\"solved\"}"
#define ACCEPTED DOES("request.accept", HUB, "{\"class\":\"general\"}", NULL, REQUEST_ACCEPTED)
#define ORDERED ACCEPTED, DOES("order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED)
#define SIGNED_FOR ORDERED, DOES("order.sign", UNIT, NULL, NULL, REQUEST_IN_PROGRESS)
#define HANDLED                                                                                    \
    SIGNED_FOR, DOES("order.report", VILLAGE, "{\"solved\":\"yes\"}", &play_clerk, REQUEST_REPORTED)

static void an_order_of_the_township_needs_who_signed_the_paper(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        ACCEPTED,
        FAILS("order.issue", HUB, ISSUE_OWN, NULL, REQUEST_ACCEPTED, "who signed the paper"),
    };
    PLAY(acts);
}

static void a_village_gives_no_official_numbers(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        FAILS("request.accept", VILLAGE, "{\"class\":\"simple\",\"official_no\":\"2025-0001\"}",
              NULL, REQUEST_REGISTERED, "only the hub"),
        DOES("request.accept", VILLAGE, "{\"class\":\"simple\"}", NULL, REQUEST_ACCEPTED),
        FAILS("order.issue", VILLAGE,
              "{\"unit\":\"村委会\",\"due\":" DUE ",\"doc_no\":\"琅信交〔2025〕1号\"}", NULL,
              REQUEST_ACCEPTED, "document number"),
    };
    PLAY(acts);
}

static void an_order_names_each_unit_once(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        ACCEPTED,
        FAILS("order.issue", HUB,
              "{\"unit\":\"水利站\",\"support\":[\"民政办\",\"水利站\"],\"due\":" DUE "," SIGNED
              "}",
              NULL, REQUEST_ACCEPTED, "a unit twice"),
        FAILS("order.issue", HUB,
              "{\"unit\":\"水利站\",\"support\":[\"民政办\",\"民政办\"],\"due\":" DUE "," SIGNED
              "}",
              NULL, REQUEST_ACCEPTED, "a unit twice"),
        DOES("order.issue", HUB,
             "{\"unit\":\"水利站\",\"support\":[\"民政办\",\"派出所\"],\"due\":" DUE "," SIGNED "}",
             NULL, REQUEST_ASSIGNED),
    };
    PLAY(acts);
}

/* 2025-11-22 23:59:59 lies before the day, 2025-11-23 00:00 does not. */
static void a_due_date_does_not_lie_before_the_day_of_the_act(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        FAILS("request.accept", HUB, "{\"class\":\"simple\",\"due\":1763827199000}", NULL,
              REQUEST_REGISTERED, "before the day"),
        DOES("request.accept", HUB, "{\"class\":\"simple\",\"due\":1763827200000}", NULL,
             REQUEST_ACCEPTED),
        FAILS("order.issue", HUB, "{\"unit\":\"甲\",\"due\":5," SIGNED "}", NULL, REQUEST_ACCEPTED,
              "before the day"),
        DOES("order.issue", HUB, "{\"unit\":\"甲\",\"due\":5,\"at\":4," SIGNED "}", NULL,
             REQUEST_ASSIGNED),
        FAILS("order.transfer", HUB, "{\"unit\":\"乙\",\"due\":5}", NULL, REQUEST_ASSIGNED,
              "before the day"),
    };
    PLAY(acts);
}

static void a_clock_that_is_not_trusted_judges_nobody(void **state)
{
    (void)state;
    static struct play_act acts[] = {
        DOES("request.accept", VILLAGE, "{\"class\":\"simple\",\"due\":5}", NULL, REQUEST_ACCEPTED),
        FAILS("order.issue", VILLAGE, "{\"unit\":\"村委会\",\"due\":5,\"at\":1763859600000}", NULL,
              REQUEST_ACCEPTED, "before the day"),
        DOES("order.issue", VILLAGE, "{\"unit\":\"村委会\",\"due\":5}", NULL, REQUEST_ASSIGNED),
        DOES("order.extend_ask", VILLAGE, "{\"to\":" DUE ",\"reason\":\"weather\"}", NULL,
             REQUEST_ASSIGNED),
    };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) acts[i].untrusted = true;
    PLAY(acts);
}

static void only_what_asks_for_words_is_answered_at_once(void **state)
{
    (void)state;
    static const char *const natures[] = {"consult", "suggestion", "praise", "help", "complaint"};
    static const struct play_act good =
        DOES("request.answer", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_REPORTED);
    static const struct play_act bad = FAILS("request.answer", HUB, "{\"method\":\"phone\"}", NULL,
                                             REQUEST_REGISTERED, "answered at once");
    for (size_t i = 0; i < 5; i++) {
        play_register(natures[i], NULL, 0);
        play_acts(i < 3 ? &good : &bad, 1);
    }
}

static void an_answer_is_closed_as_explained_without_a_callback(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.answer", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_REPORTED),
        FAILS("request.close", HUB, CLOSE, NULL, REQUEST_REPORTED, "needs a callback"),
        DOES("request.close", HUB, "{\"result\":\"explained\"}", NULL, REQUEST_CLOSED),
    };
    play_register("consult", NULL, 0);
    PLAY(acts);
}

static void it_is_declined_for_want_of_an_answer_only_when_one_was_asked(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        FAILS("request.decline", HUB, "{\"reason\":\"no_answer\"}", NULL, REQUEST_REGISTERED,
              "nothing was asked"),
        DOES("request.supplement", HUB, "{\"what\":\"ask\"}", NULL, REQUEST_AWAITING_INFO),
        DOES("request.decline", HUB, "{\"reason\":\"no_answer\"}", NULL, REQUEST_DECLINED),
    };
    PLAY(acts);
}

static void a_request_is_not_merged_into_itself(void **state)
{
    (void)state;
    char id[33], body[64];
    hex_encode(id, play.subject.bytes, sizeof play.subject.bytes);
    snprintf(body, sizeof body, "{\"main\":\"%s\"}", id);
    const struct play_act act =
        FAILS("request.merge", HUB, body, NULL, REQUEST_REGISTERED, "into itself");
    play_acts(&act, 1);
}

/* --- extensions, suspensions --------------------------------------------------------------- */

#define ASK(to, at) "{\"to\":" to ",\"reason\":\"weather\"" at "}"

static void an_extension_is_asked_for_before_the_due_date_and_granted_once(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        SIGNED_FOR,
        FAILS("order.extend_decide", HUB, "{\"ok\":true,\"due\":1764151200000}", NULL,
              REQUEST_IN_PROGRESS, "no extension is asked for"),
        FAILS("order.extend_ask", UNIT, ASK(DUE, ""), NULL, REQUEST_IN_PROGRESS, "no later date"),
        FAILS("order.extend_ask", UNIT, ASK("1764151200000", ",\"at\":1764064800001"), NULL,
              REQUEST_IN_PROGRESS, "has passed"),
        DOES("order.extend_ask", UNIT, ASK("1764151200000", ",\"at\":" DUE), NULL,
             REQUEST_IN_PROGRESS),
        FAILS("order.extend_ask", UNIT, ASK("1764151200000", ""), NULL, REQUEST_IN_PROGRESS,
              "asked for already"),
        DOES("order.extend_decide", HUB, "{\"ok\":false}", NULL, REQUEST_IN_PROGRESS),
        DOES("order.extend_ask", VILLAGE, ASK("1764151200000", ""), NULL, REQUEST_IN_PROGRESS),
        FAILS("order.extend_decide", HUB, "{\"ok\":true,\"due\":" DUE "}", NULL,
              REQUEST_IN_PROGRESS, "not later"),
        DOES("order.extend_decide", HUB, "{\"ok\":true,\"due\":1764151200000}", NULL,
             REQUEST_IN_PROGRESS),
        FAILS("order.extend_ask", UNIT, ASK("1764251200000", ""), NULL, REQUEST_IN_PROGRESS,
              "extended once"),
        DOES("order.transfer", HUB, "{\"unit\":\"民政办\"}", NULL, REQUEST_ASSIGNED),
        DOES("order.extend_ask", UNIT, ASK("1764251200000", ""), NULL, REQUEST_ASSIGNED),
    };
    PLAY(acts);
    assert_int_equal(play_row().due_ms, 1764151200000);
}

static void without_a_due_date_there_is_nothing_to_extend(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        ACCEPTED,
        DOES("order.issue", HUB, "{\"unit\":\"甲\",\"due\":0," SIGNED "}", NULL, REQUEST_ASSIGNED),
        FAILS("order.extend_ask", UNIT, ASK(DUE, ""), NULL, REQUEST_ASSIGNED, "no due date"),
    };
    PLAY(acts);
}

static void a_suspension_is_looked_at_again_within_ninety_days(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        SIGNED_FOR,
        FAILS("order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"2026-02-22\"}", NULL,
              REQUEST_IN_PROGRESS, "within 90 days"),
        FAILS("order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"2025-11-22\"}", NULL,
              REQUEST_IN_PROGRESS, "within 90 days"),
        FAILS("order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"1969-11-22\"}", NULL,
              REQUEST_IN_PROGRESS, "within 90 days"),
        DOES("order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"2026-02-21\"}", NULL,
             REQUEST_SUSPENDED),
        DOES("order.resume", HUB, NULL, NULL, REQUEST_IN_PROGRESS),
        DOES("order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"2025-11-23\"}", NULL,
             REQUEST_SUSPENDED),
        FAILS("order.resume", HUB, "{\"due\":5}", NULL, REQUEST_SUSPENDED, "before the day"),
    };
    PLAY(acts);
}

/* --- results ------------------------------------------------------------------------------- */

static void the_lead_reports_when_all_supporting_units_have(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        ACCEPTED,
        DOES("order.issue", HUB,
             "{\"unit\":\"水利站\",\"support\":[\"民政办\",\"派出所\"],\"due\":" DUE "," SIGNED "}",
             NULL, REQUEST_ASSIGNED),
        DOES("order.sign", UNIT, NULL, NULL, REQUEST_IN_PROGRESS),
        FAILS("order.report", UNIT, "{\"solved\":\"yes\"}", NULL, REQUEST_IN_PROGRESS,
              "has not reported yet"),
        DOES("order.report", UNIT, "{\"solved\":\"yes\",\"unit\":\"派出所\"}", NULL,
             REQUEST_IN_PROGRESS),
        FAILS("order.report", UNIT, "{\"solved\":\"yes\"}", NULL, REQUEST_IN_PROGRESS,
              "has not reported yet"),
        FAILS("order.report", UNIT, "{\"solved\":\"yes\",\"unit\":\"林业站\"}", NULL,
              REQUEST_IN_PROGRESS, "has no order"),
        DOES("order.report", VILLAGE, "{\"solved\":\"part\",\"unit\":\"民政办\"}", NULL,
             REQUEST_IN_PROGRESS),
        DOES("order.report", UNIT, "{\"solved\":\"yes\",\"unit\":\"水利站\"}", NULL,
             REQUEST_REPORTED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.support_count, 2);
    assert_true(r.supports[0].reported && r.supports[1].reported);
    assert_true(slice_is_text(r.supports[1].unit, "派出所"));
}

static void the_person_who_reported_may_not_make_the_visit(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.accept", VILLAGE, "{\"class\":\"simple\"}", NULL, REQUEST_ACCEPTED),
        DOES("order.issue", VILLAGE, ISSUE_OWN, NULL, REQUEST_ASSIGNED),
        DOES("order.sign", VILLAGE, NULL, NULL, REQUEST_IN_PROGRESS),
        DOES("order.report", VILLAGE, "{\"solved\":\"yes\"}", &play_clerk, REQUEST_REPORTED),
        FAILS("callback.record", VILLAGE, REACHED, &play_clerk, REQUEST_REPORTED, "another person"),
        FAILS("callback.record", VILLAGE, REACHED, NULL, REQUEST_REPORTED, "another person"),
        FAILS("callback.record", HUB, REACHED, &play_clerk, REQUEST_REPORTED, "another person"),
        DOES("callback.record", HUB, REACHED, NULL, REQUEST_REPORTED),
    };
    PLAY(acts);
}

static void closes_only_after_a_visit_that_reached_the_person(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        HANDLED,
        FAILS("request.close", HUB, CLOSE, NULL, REQUEST_REPORTED, "needs a callback"),
        FAILS("request.close", HUB, "{\"result\":\"explained\"}", NULL, REQUEST_REPORTED,
              "needs a callback"),
        DOES("callback.record", HUB, UNSOLVED, NULL, REQUEST_REPORTED),
        FAILS("request.close", HUB, CLOSE, NULL, REQUEST_REPORTED, "not solved"),
        DOES("request.close", HUB, "{\"result\":\"explained\"}", NULL, REQUEST_CLOSED),
    };
    PLAY(acts);
}

#define FAILED(at) "{\"attempt\":1,\"method\":\"phone\",\"reached\":false,\"at\":" at "}"
#define UNREACHED "{\"result\":\"unreached\"}"

static void closes_as_unreached_after_three_attempts_on_two_days(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        HANDLED,
        /* 2025-12-08 15:59:59 UTC is 23:59:59 in Hunan, one second later is the next day */
        DOES("callback.record", HUB, FAILED("1765209597000"), NULL, REQUEST_REPORTED),
        DOES("callback.record", HUB, FAILED("1765209598000"), NULL, REQUEST_REPORTED),
        FAILS("request.close", HUB, UNREACHED, NULL, REQUEST_REPORTED, "three failed attempts"),
        DOES("callback.record", HUB, FAILED("1765209599000"), NULL, REQUEST_REPORTED),
        FAILS("request.close", HUB, UNREACHED, NULL, REQUEST_REPORTED, "three failed attempts"),
        DOES("callback.record", HUB, FAILED("1765209600000"), NULL, REQUEST_REPORTED),
        FAILS("request.close", HUB, CLOSE, NULL, REQUEST_REPORTED, "needs a callback"),
        DOES("request.close", HUB, UNREACHED, NULL, REQUEST_CLOSED),
    };
    PLAY(acts);
}

static void counts_the_days_to_the_last_moment(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        HANDLED,
        DOES("callback.record", HUB, FAILED("281474976710655"), NULL, REQUEST_REPORTED),
        DOES("callback.record", HUB, FAILED("1"), NULL, REQUEST_REPORTED),
        DOES("callback.record", HUB, FAILED("1"), NULL, REQUEST_REPORTED),
        DOES("request.close", HUB, UNREACHED, NULL, REQUEST_CLOSED),
    };
    PLAY(acts);
}

#define REOPEN(more) "{\"reason\":\"unsolved\",\"due\":" DUE more "}"

static void the_third_reopening_needs_a_signature(void **state)
{
    (void)state;
    static const struct play_act again[] = {
        HANDLED,
        DOES("request.reopen", HUB, REOPEN(""), NULL, REQUEST_IN_PROGRESS),
        DOES("order.report", UNIT, "{\"solved\":\"no\"}", NULL, REQUEST_REPORTED),
        DOES("request.reopen", HUB, REOPEN(""), NULL, REQUEST_IN_PROGRESS),
        DOES("order.report", UNIT, "{\"solved\":\"no\"}", NULL, REQUEST_REPORTED),
        FAILS("request.reopen", HUB, REOPEN(""), NULL, REQUEST_REPORTED, "who signed it"),
        DOES("request.reopen", HUB, REOPEN("," SIGNED), NULL, REQUEST_IN_PROGRESS),
    };
    PLAY(again);
    assert_int_equal(play_row().rounds, 3);
}

static void what_had_no_order_is_reopened_for_a_unit(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.answer", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_REPORTED),
        FAILS("request.reopen", HUB, REOPEN(""), NULL, REQUEST_REPORTED, "a responsible unit"),
        FAILS("request.reopen", HUB, "{\"reason\":\"other\",\"unit\":\"甲\",\"due\":5}", NULL,
              REQUEST_REPORTED, "before the day"),
        DOES("request.reopen", HUB, REOPEN(",\"unit\":\"民政办\""), NULL, REQUEST_IN_PROGRESS),
    };
    play_register("consult", NULL, 0);
    PLAY(acts);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_order_of_the_township_needs_who_signed_the_paper),
        TEST(a_village_gives_no_official_numbers),
        TEST(an_order_names_each_unit_once),
        TEST(a_due_date_does_not_lie_before_the_day_of_the_act),
        TEST(a_clock_that_is_not_trusted_judges_nobody),
        TEST(only_what_asks_for_words_is_answered_at_once),
        TEST(an_answer_is_closed_as_explained_without_a_callback),
        TEST(it_is_declined_for_want_of_an_answer_only_when_one_was_asked),
        TEST(a_request_is_not_merged_into_itself),
        TEST(an_extension_is_asked_for_before_the_due_date_and_granted_once),
        TEST(without_a_due_date_there_is_nothing_to_extend),
        TEST(a_suspension_is_looked_at_again_within_ninety_days),
        TEST(the_lead_reports_when_all_supporting_units_have),
        TEST(the_person_who_reported_may_not_make_the_visit),
        TEST(closes_only_after_a_visit_that_reached_the_person),
        TEST(closes_as_unreached_after_three_attempts_on_two_days),
        TEST(counts_the_days_to_the_last_moment),
        TEST(the_third_reopening_needs_a_signature),
        TEST(what_had_no_order_is_reopened_for_a_unit),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
