#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/time.h"
#include "node/office/figures.h"

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

static void is(const struct figures *f, enum figure figure, uint32_t num, uint32_t den)
{
    if (f->of[figure].num != num || f->of[figure].den != den)
        fail_msg("%s: %u/%u instead of %u/%u", figure_id(figure), f->of[figure].num,
                 f->of[figure].den, num, den);
}

/* A request of July 2022 that went well. */
static struct figure_facts good(void)
{
    return (struct figure_facts){
        .accepted_ms = ms("2022-07-11 10:00"),
        .issued_ms = ms("2022-07-12 09:00"),
        .reported_ms = ms("2022-07-15 17:00"),
        .closed_ms = ms("2022-07-18 11:00"),
        .due_ms = ms("2022-07-18 18:00"),
        .sign = CLOCK_IN_TIME,
        .contact = CLOCK_IN_TIME,
        .called_back = true,
        .reached = true,
        .answered = true,
        .answer_in_time = true,
        .answer_solved = true,
        .rating = 5,
    };
}

static void knows_years_quarters_and_months(void **state)
{
    (void)state;
    assert_int_equal(period("2022").from_ms, ms("2022-01-01"));
    assert_int_equal(period("2022").to_ms, ms("2023-01-01"));
    assert_int_equal(period("2022-Q4").from_ms, ms("2022-10-01"));
    assert_int_equal(period("2022-Q4").to_ms, ms("2023-01-01"));
    assert_int_equal(period("2022-12").to_ms, ms("2023-01-01"));
    assert_int_equal(period("2024-02").to_ms, ms("2024-03-01"));
    static const char *const bad[] = {"",          "22",      "2022-",      "2022-13",
                                      "2022-00",   "2022-Q5", "2022-Q",     "2022-7",
                                      "2022-0007", "abcd",    "2022-07-01", "1969"};
    struct figure_period p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (figure_period_parse(&p, bad[i]) != ERR_MALFORMED) fail_msg("taken: \"%s\"", bad[i]);
}

static void counts_a_good_request_in_every_figure_it_belongs_to(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07"), august = period("2022-08");
    figures_add(&f, &facts, &july);
    for (enum figure i = 0; i < FIGURE_COUNT; i++)
        is(&f, i, i == FIGURE_OBJECT || i == FIGURE_REOPEN ? 0 : 1, 1);
    struct figures later = {0};
    figures_add(&later, &facts, &august);
    for (enum figure i = 0; i < FIGURE_COUNT; i++) is(&later, i, 0, 0);
}

static void leaves_out_what_was_declined_withdrawn_or_merged(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.dropped = true;
    figures_add(&f, &facts, &july);
    for (enum figure i = 0; i < FIGURE_COUNT; i++) is(&f, i, 0, 0);
}

static void tells_late_from_in_time_to_the_millisecond(void **state)
{
    (void)state;
    struct figure_period july = period("2022-07");
    for (int late = 0; late < 2; late++) {
        struct figures f = {0};
        struct figure_facts facts = good();
        facts.closed_ms = facts.due_ms + (uint64_t)late;
        figures_add(&f, &facts, &july);
        is(&f, FIGURE_ONTIME, !late, 1);
        is(&f, FIGURE_CLOSE, 1, 1);
    }
}

static void an_order_due_in_the_period_and_still_open_is_late(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.closed_ms = 0;
    facts.reported_ms = 0;
    facts.sign = CLOCK_LATE;
    facts.contact = CLOCK_OPEN;
    facts.objected = true;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_CLOSE, 0, 1);
    is(&f, FIGURE_ONTIME, 0, 1);
    is(&f, FIGURE_SIGN, 0, 1);
    is(&f, FIGURE_CONTACT, 0, 1);
    is(&f, FIGURE_OBJECT, 1, 1);
    is(&f, FIGURE_CALLBACK, 0, 0);
    is(&f, FIGURE_RESPONSE, 0, 0);
}

static void what_happened_after_the_period_does_not_change_its_figures(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.closed_ms = ms("2022-08-01 00:00");
    facts.due_ms = ms("2022-08-05 18:00");
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_CLOSE, 0, 1);
    is(&f, FIGURE_ONTIME, 0, 0);
}

static void nobody_who_was_not_reached_is_satisfied(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.reached = false;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_CALLBACK, 1, 1);
    is(&f, FIGURE_REACH, 0, 1);
    is(&f, FIGURE_RESPONSE, 0, 0);
    is(&f, FIGURE_SOLVE, 0, 0);
    is(&f, FIGURE_SATISFIED, 0, 0);
}

static void an_answer_that_was_not_given_is_none_in_favour(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.rating = 0;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_SATISFIED, 0, 1);
    facts.answered = false;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_REACH, 2, 2);
    is(&f, FIGURE_SATISFIED, 0, 1);
}

static void a_question_counts_in_no_rate_of_solving(void **state)
{
    (void)state;
    struct figures f = {0};
    struct figure_facts facts = good();
    struct figure_period july = period("2022-07");
    facts.nothing_to_solve = true;
    facts.rating = 2;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_SOLVE, 0, 0);
    is(&f, FIGURE_RESPONSE, 1, 1);
    is(&f, FIGURE_SATISFIED, 0, 1);
    facts.rating = 3;
    figures_add(&f, &facts, &july);
    is(&f, FIGURE_SATISFIED, 1, 2);
    is(&f, FIGURE_VERY, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_years_quarters_and_months),
        cmocka_unit_test(counts_a_good_request_in_every_figure_it_belongs_to),
        cmocka_unit_test(leaves_out_what_was_declined_withdrawn_or_merged),
        cmocka_unit_test(tells_late_from_in_time_to_the_millisecond),
        cmocka_unit_test(an_order_due_in_the_period_and_still_open_is_late),
        cmocka_unit_test(what_happened_after_the_period_does_not_change_its_figures),
        cmocka_unit_test(nobody_who_was_not_reached_is_satisfied),
        cmocka_unit_test(an_answer_that_was_not_given_is_none_in_favour),
        cmocka_unit_test(a_question_counts_in_no_rate_of_solving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
