#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/requests.h"

#define ACCEPT "{\"class\":\"general\",\"due\":1764500000000}"
#define ACCEPT_OFFICIAL                                                                            \
    "{\"class\":\"general\",\"due\":1764500000000,\"official_no\":\"2025-0001\"}"
#define ISSUE                                                                                      \
    "{\"unit\":\"水利站\",\"due\":1764500000000,\"signed_by\":"                                 \
    "\"00000000000000000000000000000001\"}"
#define ISSUE_OWN "{\"unit\":\"村委会\",\"due\":1764400000000}"
#define REPORT "{\"solved\":\"yes\"}"
#define REACHED                                                                                    \
    "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"yes\",\"rating\":5}"
#define CLOSE "{\"result\":\"solved\"}"

static void a_request_goes_its_whole_way_through_the_township(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.accept", HUB, ACCEPT_OFFICIAL, NULL, REQUEST_ACCEPTED),
        DOES("order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        DOES("order.sign", VILLAGE, NULL, &play_clerk, REQUEST_IN_PROGRESS),
        DOES("order.report", VILLAGE, REPORT, &play_clerk, REQUEST_REPORTED),
        DOES("callback.record", HUB, REACHED, &play_visitor, REQUEST_REPORTED),
        DOES("request.close", HUB, CLOSE, NULL, REQUEST_CLOSED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.state, REQUEST_CLOSED);
    assert_false(request_is_open(&r));
    assert_true(slice_is_text(r.number, "01A-0001"));
    assert_true(slice_is_text(r.official_number, "2025-0001"));
    assert_string_equal(r.village, "431322111201");
    assert_true(slice_is_text(r.category, "0103") && slice_is_text(r.channel, "visit"));
    assert_true(slice_is_text(r.holder, "水利站"));
    assert_int_equal(r.due_ms, 1764500000000);
    assert_int_equal(r.rating, 5);
    assert_int_equal(r.solved, SOLVED_YES);
    assert_true(r.township && r.callback_reached && !r.both_changed);
    assert_true(slice_is_text(r.result, "solved"));
    assert_int_equal(r.events, 7);
    assert_int_equal(r.effective, 7);
}

static void a_village_handles_its_own_request_alone(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.accept", VILLAGE, ACCEPT, NULL, REQUEST_ACCEPTED),
        DOES("order.issue", VILLAGE, ISSUE_OWN, NULL, REQUEST_ASSIGNED),
        DOES("order.sign", VILLAGE, NULL, NULL, REQUEST_IN_PROGRESS),
        DOES("order.report", VILLAGE, REPORT, &play_clerk, REQUEST_REPORTED),
        DOES("callback.record", VILLAGE, REACHED, &play_visitor, REQUEST_REPORTED),
        DOES("request.close", VILLAGE, CLOSE, &play_clerk, REQUEST_CLOSED),
    };
    PLAY(acts);
    assert_false(play_row().township);
}

static void marks_foreign_acts_bad_fields_and_unknown_kinds(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        MARKED("request.fly", VILLAGE, NULL, EFFECT_UNKNOWN_KIND, REQUEST_REGISTERED),
        MARKED("device.revoked", VILLAGE, "{\"reason\":\"x\"}", EFFECT_IMPOSSIBLE,
               REQUEST_REGISTERED),
        MARKED("request.accept", NEIGHBOUR, ACCEPT, EFFECT_FORBIDDEN, REQUEST_REGISTERED),
        MARKED("request.accept", HUB, "{}", EFFECT_BAD_FIELD, REQUEST_REGISTERED),
        DOES("request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.events, 6);
    assert_int_equal(r.effective, 2);
}

/* Of kinds that have no such field, so they may be of any type. */
static void ignores_unknown_fields_whatever_is_in_them(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.accept", HUB, ACCEPT, NULL, REQUEST_ACCEPTED),
        DOES("progress.note", VILLAGE, "{\"due\":\"tomorrow\",\"rules\":[1],\"next_due\":{}}", NULL,
             REQUEST_ACCEPTED),
        DOES("request.withdraw", HUB, "{\"method\":\"phone\",\"next_due\":5,\"rules\":9}", NULL,
             REQUEST_WITHDRAWN),
    };
    PLAY(acts);
    struct request r = play_row();
    assert_int_equal(r.next_due_ms, 0);
    assert_int_equal(r.rules, 0);
}

/* --- both changed ------------------------------------------------------------------------- */

static void record(enum play_actor who, const char *kind, const char *body, uint32_t depth,
                   uint32_t seen)
{
    play_record(&(struct play_act){.kind = kind, .who = who, .body = body}, depth, seen);
}

static void shows_that_both_changed_it_until_the_township_has_seen_it(void **state)
{
    (void)state;
    record(VILLAGE, "request.accept", ACCEPT, 1, 1);
    record(HUB, "request.accept", ACCEPT_OFFICIAL, 1, 1);
    struct request r = play_row();
    assert_true(r.both_changed);
    assert_true(r.township); /* its act stands first at one depth, whenever it was done */
    assert_int_equal(r.effective, 2);

    record(HUB, "order.issue", ISSUE, 2, 2);   /* takes effect, but did not know both */
    record(VILLAGE, "order.sign", NULL, 3, 4); /* knew, but is no act of the township */
    r = play_row();
    assert_int_equal(r.state, REQUEST_IN_PROGRESS);
    assert_true(r.both_changed);

    record(HUB, "order.issue", ISSUE, 4, 5); /* knew, but has no effect */
    assert_true(play_row().both_changed);
    record(HUB, "order.report", REPORT, 5, 6);
    r = play_row();
    assert_int_equal(r.state, REQUEST_REPORTED);
    assert_false(r.both_changed);
}

#define NUMBER "{\"official_no\":\"2025-0007\"}"

static void an_official_number_is_nobodys_change(void **state)
{
    (void)state;
    play_join_desk();
    record(DESK, "request.accept", ACCEPT, 1, 1);
    assert_true(play_row().number_due);
    record(HUB, "request.number", NUMBER, 2, 2);
    record(VILLAGE, "progress.note", NULL, 2, 2); /* cannot have known the number */
    struct request r = play_row();
    assert_false(r.both_changed);
    assert_false(r.number_due);
    assert_true(slice_is_text(r.official_number, "2025-0007"));
    record(UNIT, "progress.note", NULL, 3, 3); /* knew one of the two: which, nobody can say */
    assert_true(play_row().both_changed);
    static const struct play_act again[] = {
        FAILS("request.number", HUB, NUMBER, NULL, REQUEST_ACCEPTED, "no official number is due"),
    };
    PLAY(again);
}

static void an_official_number_settles_nothing(void **state)
{
    (void)state;
    play_join_desk();
    record(VILLAGE, "progress.note", NULL, 1, 1);
    record(UNIT, "progress.note", NULL, 1, 1);
    record(DESK, "request.accept", ACCEPT, 2, 2);
    assert_true(play_row().both_changed);
    record(HUB, "request.number", NUMBER, 3, 4); /* knew all */
    struct request r = play_row();
    assert_true(r.both_changed);
    assert_int_equal(r.official_number.size, 9);
}

static void a_number_is_given_by_the_hub_to_what_the_township_accepted(void **state)
{
    (void)state;
    play_join_desk();
    static const struct play_act acts[] = {
        FAILS("request.number", HUB, NUMBER, NULL, REQUEST_REGISTERED, "no official number"),
        DOES("request.accept", VILLAGE, ACCEPT, NULL, REQUEST_ACCEPTED),
        FAILS("request.number", HUB, NUMBER, NULL, REQUEST_ACCEPTED, "no official number"),
        DOES("request.escalate", VILLAGE, "{\"reason\":\"across\"}", NULL, REQUEST_REGISTERED),
        DOES("request.accept", DESK, ACCEPT, NULL, REQUEST_ACCEPTED),
        MARKED("request.number", UNIT, NUMBER, EFFECT_FORBIDDEN, REQUEST_ACCEPTED),
        MARKED("request.number", VILLAGE, NUMBER, EFFECT_FORBIDDEN, REQUEST_ACCEPTED),
        DOES("request.withdraw", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_WITHDRAWN),
        DOES("request.number", HUB, NUMBER, NULL, REQUEST_WITHDRAWN),
    };
    PLAY(acts);
}

static void a_township_that_has_seen_all_settles_what_both_changed(void **state)
{
    (void)state;
    record(VILLAGE, "request.accept", ACCEPT, 1, 1);
    record(HUB, "request.accept", ACCEPT_OFFICIAL, 1, 1);
    record(HUB, "conflict.resolve", NULL, 2, 2); /* not all */
    assert_true(play_row().both_changed);
    record(HUB, "conflict.resolve", NULL, 3, 4);
    struct request r = play_row();
    assert_false(r.both_changed);
    assert_int_equal(r.state, REQUEST_ACCEPTED);
    record(VILLAGE, "progress.note", NULL, 4, 4); /* a village that did not know */
    assert_true(play_row().both_changed);
}

/* --- corrections -------------------------------------------------------------------------- */

static struct play_act correction(enum play_actor who, const struct event_id *target,
                                  const char *field, const char *value)
{
    static char bodies[8][256];
    static unsigned next;
    char hex[2 * sizeof target->bytes + 1];
    char *body = bodies[next++ % 8];
    hex_encode(hex, target->bytes, sizeof target->bytes);
    snprintf(body, sizeof bodies[0], "{\"target\":\"%s\",\"field\":\"%s\"%s%s%s}", hex, field,
             value ? ",\"value\":\"" : "", value ? value : "", value ? "\"" : "");
    return (struct play_act)DOES("correct.entry", who, body, NULL, REQUEST_REGISTERED);
}

static void a_device_corrects_what_it_registered(void **state)
{
    (void)state;
    struct event_id registered = play.newest;
    const struct play_act acts[] = {
        correction(VILLAGE, &registered, "category", "0104"),
        correction(VILLAGE, &registered, "urgency", "3"),
        correction(VILLAGE, &registered, "channel", "phone"),
        correction(VILLAGE, &registered, "channel_ref", "A-7"),
        correction(VILLAGE, &registered, "nature", "consult"),
        correction(VILLAGE, &registered, "phone", NULL), /* the new one stands in the box */
    };
    PLAY(acts);
    struct request r = play_row();
    assert_true(slice_is_text(r.category, "0104") && slice_is_text(r.channel, "phone"));
    assert_true(slice_is_text(r.channel_ref, "A-7") && slice_is_text(r.nature, "consult"));
    assert_int_equal(r.urgency, 3);
}

static void what_is_not_its_own_or_not_possible_is_not_corrected(void **state)
{
    (void)state;
    struct event_id registered = play.newest, other = {{7}};
    struct play_act acts[] = {
        correction(HUB, &registered, "category", "0104"),
        correction(VILLAGE, &other, "category", "0104"),
        correction(VILLAGE, &registered, "category", "01"),
        correction(VILLAGE, &registered, "category", NULL),
        correction(VILLAGE, &registered, "urgency", "4"),
        correction(VILLAGE, &registered, "nature", "accusation"),
        correction(VILLAGE, &registered, "received", "5"),
        correction(VILLAGE, &registered, "number", "01A-0002"),
    };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) acts[i].effect = EFFECT_IMPOSSIBLE;
    PLAY(acts);
    struct request r = play_row();
    assert_true(slice_is_text(r.category, "0103") && slice_is_text(r.nature, "help"));
    assert_true(slice_is_text(r.number, "01A-0001"));
    assert_int_equal(r.urgency, 2);
}

/* The clerk's mistake in the registration is no longer what the row says. */
static void the_category_of_an_acceptance_outlives_a_correction_of_the_registration(void **state)
{
    (void)state;
    struct event_id registered = play.newest;
    static const struct play_act accept =
        DOES("request.accept", HUB, "{\"class\":\"simple\",\"category\":\"0201\"}", NULL,
             REQUEST_ACCEPTED);
    play_acts(&accept, 1);
    struct event_id accepted = play.newest;
    struct play_act late = correction(VILLAGE, &registered, "category", "0104");
    late.after = REQUEST_ACCEPTED;
    play_acts(&late, 1);
    assert_true(slice_is_text(play_row().category, "0201"));
    struct play_act own = correction(HUB, &accepted, "category", "0202");
    own.after = REQUEST_ACCEPTED;
    play_acts(&own, 1);
    assert_true(slice_is_text(play_row().category, "0202"));
}

/* --- asking before acting ------------------------------------------------------------------ */

static void says_beforehand_what_would_have_no_effect(void **state)
{
    (void)state;
    struct request r = play_row();
    const char *why = "";
    enum request_state next = REQUEST_HELD;
    struct request_act act = {.kind = slice_of_text("request.accept"), .roles = ROLE_DISPATCH};
    assert_int_equal(request_may(&r, &act, &next, &why), OK);
    assert_int_equal(next, REQUEST_ACCEPTED);
    act.kind = slice_of_text("progress.note");
    assert_int_equal(request_may(&r, &act, &next, &why), OK);
    assert_int_equal(next, REQUEST_REGISTERED);
    act.kind = slice_of_text("request.accept");
    act.roles = ROLE_UNIT;
    assert_int_equal(request_may(&r, &act, &next, &why), ERR_FORBIDDEN);
    act = (struct request_act){.kind = slice_of_text("order.sign"), .roles = ROLE_UNIT};
    assert_int_equal(request_may(&r, &act, &next, &why), ERR_STATE);
    assert_true(why[0] != 0);
    r.state = REQUEST_ACCEPTED;
    r.township = true;
    act = (struct request_act){.kind = slice_of_text("order.issue"), .roles = ROLE_VILLAGE};
    assert_int_equal(request_may(&r, &act, &next, &why), ERR_FORBIDDEN);
    act.kind = slice_of_text("village.put");
    assert_int_equal(request_may(&r, &act, &next, &why), ERR_FORBIDDEN);
    act.kind = slice_of_text("no.such");
    assert_int_equal(request_may(&r, &act, &next, &why), ERR_FORBIDDEN);
}

/* --- states, moments, lights --------------------------------------------------------------- */

static void names_its_states_in_both_languages(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REQUEST_STATE_COUNT; i++) {
        enum request_state s, expected = (enum request_state)i;
        assert_int_equal(request_state_parse(&s, slice_of_text(request_state_name(expected))), OK);
        assert_int_equal(s, expected);
        assert_int_equal(request_state_parse(&s, slice_of_text(request_state_zh(expected))), OK);
        assert_int_equal(s, expected);
    }
    enum request_state s;
    assert_int_equal(request_state_parse(&s, slice_of_text("flying")), ERR_NOT_FOUND);
    assert_int_equal(request_state_parse(&s, SLICE_EMPTY), ERR_NOT_FOUND);
}

static void what_is_due_next_gives_the_light(void **state)
{
    (void)state;
    static const struct {
        enum request_state state;
        uint64_t due, next_due, review, moment;
        enum request_light light; /* at 1000, soon until 2000 */
    } cases[] = {
        {REQUEST_REGISTERED, 0, 0, 0, UINT64_MAX, LIGHT_NORMAL},
        {REQUEST_ACCEPTED, 999, 0, 0, 999, LIGHT_OVERDUE},
        {REQUEST_ACCEPTED, 1000, 0, 0, 1000, LIGHT_SOON},
        {REQUEST_ACCEPTED, 2000, 0, 0, 2000, LIGHT_SOON},
        {REQUEST_ACCEPTED, 2001, 0, 0, 2001, LIGHT_NORMAL},
        {REQUEST_ASSIGNED, 5000, 999, 0, 999, LIGHT_OVERDUE},
        {REQUEST_ASSIGNED, 999, 5000, 0, 999, LIGHT_OVERDUE},
        {REQUEST_IN_PROGRESS, 0, 1500, 0, 1500, LIGHT_SOON},
        {REQUEST_OBJECTED, 5000, 6000, 0, 5000, LIGHT_NORMAL},
        {REQUEST_SUSPENDED, 5, 5, 1500, 1500, LIGHT_SUSPENDED},
        {REQUEST_SUSPENDED, 5, 5, 9000, 9000, LIGHT_SUSPENDED},
        {REQUEST_SUSPENDED, 5000, 0, 999, 999, LIGHT_OVERDUE},
        {REQUEST_REPORTED, 5000, 999, 0, 999, LIGHT_OVERDUE},
        {REQUEST_CLOSED, 5, 0, 0, UINT64_MAX, LIGHT_NORMAL},
        {REQUEST_ARCHIVED, 5, 5, 0, UINT64_MAX, LIGHT_NORMAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request r = {.state = cases[i].state,
                            .due_ms = cases[i].due,
                            .next_due_ms = cases[i].next_due,
                            .review_ms = cases[i].review};
        if (request_next_moment(&r) != cases[i].moment) fail_msg("case %zu: moment", i);
        if (request_light(&r, 1000, 2000) != cases[i].light) fail_msg("case %zu: light", i);
    }
}

static void only_what_is_not_ended_is_open(void **state)
{
    (void)state;
    for (unsigned s = 0; s < REQUEST_STATE_COUNT; s++) {
        struct request r = {.state = (enum request_state)s};
        bool ended = s == REQUEST_HELD || s == REQUEST_CLOSED || s == REQUEST_DECLINED ||
                     s == REQUEST_MERGED || s == REQUEST_WITHDRAWN || s == REQUEST_ARCHIVED;
        assert_true(request_is_open(&r) != ended);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_goes_its_whole_way_through_the_township),
        TEST(a_village_handles_its_own_request_alone),
        TEST(marks_foreign_acts_bad_fields_and_unknown_kinds),
        TEST(ignores_unknown_fields_whatever_is_in_them),
        TEST(shows_that_both_changed_it_until_the_township_has_seen_it),
        TEST(an_official_number_is_nobodys_change),
        TEST(an_official_number_settles_nothing),
        TEST(a_number_is_given_by_the_hub_to_what_the_township_accepted),
        TEST(a_township_that_has_seen_all_settles_what_both_changed),
        TEST(a_device_corrects_what_it_registered),
        TEST(what_is_not_its_own_or_not_possible_is_not_corrected),
        TEST(the_category_of_an_acceptance_outlives_a_correction_of_the_registration),
        TEST(says_beforehand_what_would_have_no_effect),
        cmocka_unit_test(names_its_states_in_both_languages),
        cmocka_unit_test(what_is_due_next_gives_the_light),
        cmocka_unit_test(only_what_is_not_ended_is_open),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
