#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/office/rate.h"
#include "node/views/report.h"
#include "tests/support/township.h"

#define SCOPE_1 "village:431322111201"

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

/* A request in the making: each act has seen all before it. */
struct story {
    struct township_device *village;
    char scope[32];
    struct thing_id thing;
    uint32_t acts;
};

static void act(struct story *s, struct township_device *by, const char *kind, const char *when,
                const char *body)
{
    const struct event *e = township_record(&town, by,
                                            &(struct township_act){
                                                .kind = kind,
                                                .scope = s->scope,
                                                .subject = s->acts ? &s->thing : NULL,
                                                .depth = s->acts,
                                                .seen = s->acts,
                                                .body = body,
                                                .time_ms = ms(when),
                                            });
    if (!s->acts++) s->thing = e->subject;
}

static struct story registered(size_t village, const char *nature, const char *when)
{
    static unsigned number;
    char body[256];
    struct story s = {.village = &town.devices[village]};
    snprintf(s.scope, sizeof s.scope, "village:%s", s.village->village);
    snprintf(body, sizeof body,
             "{\"number\":\"%02zuA-%04u\",\"channel\":\"visit\",\"received\":1657500000000,"
             "\"nature\":\"%s\",\"category\":\"0103\",\"urgency\":2}",
             village + 1, ++number, nature);
    act(&s, s.village, "request.register", when, body);
    return s;
}

/* Accepted, ordered (due on a day) and signed for in July 2022. */
static void ordered(struct story *s, const char *unit, const char *due)
{
    char body[512];
    snprintf(body, sizeof body, "{\"class\":\"general\",\"due\":%llu}",
             (unsigned long long)ms(due));
    act(s, &town.hub, "request.accept", "2022-07-11 10:00", body);
    snprintf(body, sizeof body,
             "{\"unit\":\"%s\",\"due\":%llu,\"next_due\":%llu,"
             "\"signed_by\":\"00112233445566778899aabbccddeeff\"}",
             unit, (unsigned long long)ms(due), (unsigned long long)ms("2022-07-12 18:00"));
    act(s, &town.hub, "order.issue", "2022-07-11 11:00", body);
}

static void reported(struct story *s, const char *signed_at, const char *when)
{
    char body[256];
    snprintf(body, sizeof body, "{\"next_due\":%llu}", (unsigned long long)ms("2022-07-13 12:00"));
    act(s, s->village, "order.sign", signed_at, body);
    act(s, s->village, "contact.log", signed_at, "{\"method\":\"phone\",\"reached\":true}");
    act(s, s->village, "order.report", when, "{\"solved\":\"yes\"}");
}

static void closed(struct story *s, const char *when, const char *callback)
{
    act(s, &town.hub, "callback.record", when, callback);
    act(s, &town.hub, "request.close", when, "{\"result\":\"solved\"}");
}

#define CONTENT                                                                                    \
    "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"contacted_in_time\":true,"             \
    "\"solved\":\"yes\",\"rating\":5}"
#define UNREACHED "{\"attempt\":1,\"method\":\"phone\",\"reached\":false}"

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 3);
    town.time_ms = ms("2022-07-01 08:00");
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

static struct report report_of(struct report_options options)
{
    struct txn *t;
    struct report r = {0};
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(report_requests(&r, t, &options), OK);
    txn_abort(t);
    return r;
}

static void is(const struct report_group *g, enum figure figure, uint32_t num, uint32_t den)
{
    assert_non_null(g);
    const struct figure_rate *rate = &g->figures.of[figure];
    if (rate->num != num || rate->den != den)
        fail_msg("%s: %u/%u instead of %u/%u", figure_id(figure), rate->num, rate->den, num, den);
}

static const struct report_group *named(const struct report *r, const char *name)
{
    return report_find(r, slice_of_text(name));
}

/* --- a July counted by hand ---------------------------------------------------------------- */

/*
 *   village 1, pump station: closed on time, content · closed two days late, content ·
 *                            reported, called once, nobody answered
 *   village 2, road office:  a question, closed, rated 2, no word on time or solution · sent back
 *   village 2, no unit:      declined · answered at once in August
 */
static void record_july(void)
{
    struct story s = registered(0, "help", "2022-07-11 09:00");
    ordered(&s, "水务站", "2022-07-18 18:00");
    reported(&s, "2022-07-12 09:00", "2022-07-15 10:00");
    closed(&s, "2022-07-18 18:00", CONTENT);

    s = registered(0, "complaint", "2022-07-11 09:00");
    ordered(&s, "水务站", "2022-07-18 18:00");
    reported(&s, "2022-07-13 09:00", "2022-07-19 10:00");
    closed(&s, "2022-07-20 10:00", CONTENT);

    s = registered(0, "help", "2022-07-11 09:00");
    ordered(&s, "水务站", "2022-08-18 18:00");
    reported(&s, "2022-07-12 09:00", "2022-07-15 10:00");
    act(&s, &town.hub, "callback.record", "2022-07-16 10:00", UNREACHED);

    s = registered(1, "consult", "2022-07-11 09:00");
    ordered(&s, "公路站", "2022-07-18 18:00");
    reported(&s, "2022-07-12 09:00", "2022-07-15 10:00");
    closed(
        &s, "2022-07-17 18:00",
        "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"part\",\"rating\":2}");

    s = registered(1, "help", "2022-07-11 09:00");
    ordered(&s, "公路站", "2022-07-18 18:00");
    act(&s, s.village, "order.object", "2022-07-12 09:00", "{\"reason\":\"not_duty\"}");

    s = registered(1, "help", "2022-07-11 09:00");
    act(&s, &town.hub, "request.decline", "2022-07-11 10:00", "{\"reason\":\"court\"}");

    s = registered(1, "consult", "2022-07-30 09:00");
    act(&s, &town.hub, "request.answer", "2022-08-01 09:00", "{\"method\":\"phone\"}");
}

static void the_whole_is_what_was_counted_by_hand(void **state)
{
    (void)state;
    record_july();
    struct report r = report_of((struct report_options){.period = period("2022-07")});
    const struct report_group *g = &r.whole;
    is(g, FIGURE_CLOSE, 3, 5);
    is(g, FIGURE_ONTIME, 2, 4); /* the third is due in August */
    is(g, FIGURE_SIGN, 3, 5);
    is(g, FIGURE_CONTACT, 4, 5);
    is(g, FIGURE_RESPONSE, 2, 3);
    is(g, FIGURE_SOLVE, 2, 2); /* not of the question */
    is(g, FIGURE_SATISFIED, 2, 3);
    is(g, FIGURE_VERY, 2, 3);
    is(g, FIGURE_CALLBACK, 4, 4);
    is(g, FIGURE_REACH, 3, 4);
    is(g, FIGURE_OBJECT, 1, 5);
    is(g, FIGURE_REOPEN, 0, 4);
    assert_int_equal(g->counts.registered, 7);
    assert_int_equal(g->counts.declined, 1);
    assert_int_equal(g->counts.answered, 1);
    assert_int_equal(g->counts.closed, 3);
    assert_int_equal(report_open(&g->counts), 3);
    assert_int_equal(g->counts.open[REQUEST_OBJECTED], 1);
    assert_int_equal(g->counts.open[REQUEST_REPORTED], 2);
    assert_int_equal(r.group_count, 0);
    report_clear(&r);
}

static void villages_and_units_have_their_own_and_sum_up(void **state)
{
    (void)state;
    record_july();
    struct report_options options = {.period = period("2022-07"), .by = REPORT_BY_VILLAGE};
    struct report r = report_of(options);
    assert_int_equal(r.group_count, 2);
    is(named(&r, town.devices[0].village), FIGURE_CLOSE, 2, 3);
    is(named(&r, town.devices[1].village), FIGURE_CLOSE, 1, 2);
    assert_null(named(&r, town.devices[2].village));
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const struct figure_rate *a = &r.groups[0]->figures.of[i], *b = &r.groups[1]->figures.of[i];
        is(&r.whole, (enum figure)i, a->num + b->num, a->den + b->den);
    }
    report_clear(&r);
    options.by = REPORT_BY_UNIT;
    r = report_of(options);
    assert_int_equal(r.group_count, 3); /* in the order of bytes, "" first */
    assert_int_equal(r.groups[0]->name.size, 0);
    is(r.groups[0], FIGURE_CLOSE, 0, 0);
    is(named(&r, "水务站"), FIGURE_ONTIME, 1, 2);
    is(named(&r, "公路站"), FIGURE_OBJECT, 1, 2);
    report_clear(&r);
    options.by = REPORT_WHOLE;
    options.scope_number = township_node_scope(&node, SCOPE_1);
    r = report_of(options);
    is(&r.whole, FIGURE_CLOSE, 2, 3);
    report_clear(&r);
}

static void a_period_has_only_what_happened_by_its_end(void **state)
{
    (void)state;
    record_july();
    struct report r = report_of((struct report_options){.period = period("2022-08")});
    is(&r.whole, FIGURE_CLOSE, 0, 1);  /* answered at once */
    is(&r.whole, FIGURE_ONTIME, 0, 1); /* the one that is due in August */
    assert_int_equal(r.whole.counts.registered, 0);
    assert_int_equal(report_open(&r.whole.counts), 3);
    report_clear(&r);
    r = report_of((struct report_options){.period = period("2022-06")});
    is(&r.whole, FIGURE_CLOSE, 0, 0);
    assert_int_equal(report_open(&r.whole.counts), 0);
    report_clear(&r);
}

static void what_was_closed_after_the_period_was_open_at_its_end(void **state)
{
    (void)state;
    struct story s = registered(0, "help", "2022-07-11 09:00");
    ordered(&s, "水务站", "2022-08-18 18:00");
    reported(&s, "2022-07-12 09:00", "2022-07-15 10:00");
    closed(&s, "2022-08-01 00:00", CONTENT);
    struct report r = report_of((struct report_options){.period = period("2022-07")});
    is(&r.whole, FIGURE_CLOSE, 0, 1);
    assert_int_equal(r.whole.counts.closed, 0);
    assert_int_equal(r.whole.counts.open[REQUEST_CLOSED], 1);
    report_clear(&r);
}

static void accusations_are_counted_apart(void **state)
{
    (void)state;
    record_july();
    township_record(&town, &town.hub,
                    &(struct township_act){
                        .kind = "request.register",
                        .scope = "office",
                        .body = "{\"number\":\"JB-0001\",\"channel\":\"visit\","
                                "\"received\":1657500000000,\"nature\":\"accusation\","
                                "\"category\":\"1501\",\"urgency\":1}",
                        .time_ms = ms("2022-07-11 09:00"),
                    });
    struct report_options options = {.period = period("2022-07")};
    struct report r = report_of(options);
    assert_int_equal(r.whole.counts.registered, 7);
    report_clear(&r);
    options.accusations = true;
    r = report_of(options);
    assert_int_equal(r.whole.counts.registered, 1);
    report_clear(&r);
}

static void the_year_2022_reads_as_the_township_told_it(void **state)
{
    (void)state;
    char text[RATE_TEXT_SIZE];
    for (size_t i = 0; i < 81; i++) {
        struct story s = registered(i % 3, "help", "2022-07-11 09:00");
        ordered(&s, "水务站", "2022-07-18 18:00");
        reported(&s, "2022-07-12 09:00", "2022-07-15 10:00");
        if (i < 72) closed(&s, "2022-07-18 18:00", CONTENT);
    }
    struct report r =
        report_of((struct report_options){.period = period("2022"), .by = REPORT_BY_VILLAGE});
    is(&r.whole, FIGURE_CLOSE, 72, 81);
    rate_format(text, 72, 81);
    assert_string_equal(text, "88.9%");
    assert_int_equal(report_open(&r.whole.counts), 9);
    for (size_t i = 0; i < 3; i++) is(r.groups[i], FIGURE_CLOSE, 24, 27);
    report_clear(&r);
}

/* --- ranking ------------------------------------------------------------------------------- */

static struct figures with(enum figure figure, uint32_t num, uint32_t den)
{
    struct figures f = {0};
    f.of[figure] = (struct figure_rate){num, den};
    return f;
}

static int64_t score(const struct figures *f, const struct report_weights *weights)
{
    int64_t out = -1;
    assert_true(report_score(&out, f, weights));
    return out;
}

static void without_weights_the_close_rate_ranks_then_the_number(void **state)
{
    (void)state;
    const struct report_weights none = {0};
    const struct figures good = with(FIGURE_CLOSE, 9, 10), more = with(FIGURE_CLOSE, 18, 20),
                         better = with(FIGURE_CLOSE, 10, 11), nothing = {0};
    int64_t unused;
    assert_true(score(&better, &none) > score(&more, &none));
    assert_true(score(&more, &none) > score(&good, &none));
    assert_true(score(&good, &none) == score(&good, &none));
    assert_false(report_score(&unused, &nothing, &none));
}

static void weights_give_a_mean_of_the_rates_that_exist(void **state)
{
    (void)state;
    struct report_weights weights = {.any = true};
    weights.of[FIGURE_CLOSE] = 60;
    weights.of[FIGURE_REOPEN] = 40;
    struct figures f = with(FIGURE_CLOSE, 3, 4);
    assert_int_equal(score(&f, &weights), 750000); /* nothing was reported: no denominator */
    f.of[FIGURE_REOPEN] = (struct figure_rate){1, 4};
    assert_int_equal(score(&f, &weights), 750000); /* 60 × 0.75 + 40 × (1 - 0.25) */
    f.of[FIGURE_REOPEN] = (struct figure_rate){4, 4};
    assert_int_equal(score(&f, &weights), 450000);
    f = with(FIGURE_SIGN, 1, 1);
    int64_t unused;
    assert_false(report_score(&unused, &f, &weights));
}

static void weights_are_read_from_the_rule(void **state)
{
    (void)state;
    struct mp_map body = {0};
    struct buf bytes = {0};
    size_t unknown;
    struct mp_writer w = mp_map_put(&body, "weights");
    mp_write_array(&w, 2);
    mp_write_array(&w, 2);
    mp_write_text(&w, "ontime_rate");
    mp_write_uint(&w, 70);
    mp_write_array(&w, 2);
    mp_write_text(&w, "volume");
    mp_write_uint(&w, 30);
    assert_int_equal(mp_map_end(&body, &bytes), OK);
    struct report_weights weights = report_weights_read(buf_slice(&bytes), &unknown);
    assert_true(weights.any);
    assert_int_equal(weights.of[FIGURE_ONTIME], 70);
    assert_int_equal(unknown, 1);
    mp_map_clear(&body);
    buf_clear(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    if (crypto_init()) return 1;
    const struct CMUnitTest tests[] = {
        TEST(the_whole_is_what_was_counted_by_hand),
        TEST(villages_and_units_have_their_own_and_sum_up),
        TEST(a_period_has_only_what_happened_by_its_end),
        TEST(what_was_closed_after_the_period_was_open_at_its_end),
        TEST(accusations_are_counted_apart),
        TEST(the_year_2022_reads_as_the_township_told_it),
        cmocka_unit_test(without_weights_the_close_rate_ranks_then_the_number),
        cmocka_unit_test(weights_give_a_mean_of_the_rates_that_exist),
        cmocka_unit_test(weights_are_read_from_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
