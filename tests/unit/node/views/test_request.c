#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "node/views/request.h"
#include "tests/support/township.h"

#define OWN_SCOPE "village:431322111201"

static struct township town;
static struct township_node node;
static const struct thing_id clerk = {"clerk"}, visitor = {"visitor"};

/* A case is a list of acts, each one deeper than the last and knowing all before it. */
struct act {
    const char *kind;
    enum { HUB, VILLAGE, NEIGHBOUR } who;
    const char *body;
    const struct thing_id *by;
    enum effect effect;
    enum request_state after;
};

static struct thing_id subject;

static struct township_device *device_of(int who)
{
    return who == HUB ? &town.hub : &town.devices[who == VILLAGE ? 0 : 1];
}

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    subject = township_register(&town, &town.devices[0], "01A-0001")->subject;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void request_of(struct request *out, struct txn **t)
{
    struct thing_key key = {township_node_scope(&node, OWN_SCOPE), subject};
    assert_int_equal(txn_begin(node.store, false, t), OK);
    assert_int_equal(request_get(*t, &key, out), OK);
}

static void play(const struct act *acts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        township_record(&town, device_of(acts[i].who),
                        &(struct township_act){
                            .kind = acts[i].kind,
                            .scope = OWN_SCOPE,
                            .subject = &subject,
                            .depth = (uint32_t)i + 1,
                            .seen = (uint32_t)i + 1,
                            .by = acts[i].by,
                            .body = acts[i].body,
                        });
    township_node_take_all(&node, &town);

    struct txn *t;
    struct history h;
    uint32_t scope = township_node_scope(&node, OWN_SCOPE);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, scope, &subject, &h), OK);
    txn_abort(t);
    assert_int_equal(h.type, THING_REQUEST);
    assert_int_equal(h.count, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct history_item *item = &h.items[i + 1];
        if (item->effect != acts[i].effect)
            fail_msg("act %zu (%s): %s, %s", i, acts[i].kind, effect_name(item->effect),
                     item->reason);
        assert_string_equal(item->state_after, request_state_name(acts[i].after));
        assert_true((item->effect == EFFECT_COUNTS) == (item->reason[0] == 0));
    }
    history_clear(&h);
}
#define PLAY(acts) play((acts), sizeof(acts) / sizeof(acts)[0])

#define ACCEPT "{\"class\":\"general\",\"due\":1764000000000}"
#define ACCEPT_OFFICIAL                                                                            \
    "{\"class\":\"general\",\"due\":1764000000000,\"official_no\":\"2025-0001\"}"
#define ISSUE                                                                                      \
    "{\"unit\":\"水利站\",\"due\":1764500000000,\"signed_by\":"                                 \
    "\"00000000000000000000000000000001\"}"
#define ISSUE_OWN "{\"unit\":\"村委会\",\"due\":1764400000000}"
#define REPORT "{\"solved\":\"yes\"}"
#define REACHED                                                                                    \
    "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"yes\",\"rating\":5}"
#define UNSOLVED "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"no\"}"
#define CLOSE "{\"result\":\"solved\"}"

static void a_request_goes_its_whole_way_through_the_township(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", HUB, ACCEPT_OFFICIAL, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", HUB, ISSUE, NULL, EFFECT_COUNTS, REQUEST_ASSIGNED},
        {"order.sign", VILLAGE, NULL, &clerk, EFFECT_COUNTS, REQUEST_IN_PROGRESS},
        {"order.report", VILLAGE, REPORT, &clerk, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", HUB, REACHED, &visitor, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, CLOSE, NULL, EFFECT_COUNTS, REQUEST_CLOSED},
    };
    PLAY(acts);
    struct txn *t;
    struct request r;
    request_of(&r, &t);
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
    txn_abort(t);
}

static void a_village_handles_its_own_request_alone(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", VILLAGE, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", VILLAGE, ISSUE_OWN, NULL, EFFECT_COUNTS, REQUEST_ASSIGNED},
        {"order.sign", VILLAGE, NULL, NULL, EFFECT_COUNTS, REQUEST_IN_PROGRESS},
        {"order.report", VILLAGE, REPORT, &clerk, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", VILLAGE, REACHED, &visitor, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", VILLAGE, CLOSE, &clerk, EFFECT_COUNTS, REQUEST_CLOSED},
    };
    PLAY(acts);
}

static void a_village_does_not_order_visit_or_close_what_the_township_accepted(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", HUB, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", VILLAGE, ISSUE_OWN, NULL, EFFECT_IMPOSSIBLE, REQUEST_ACCEPTED},
        {"order.issue", HUB, ISSUE, NULL, EFFECT_COUNTS, REQUEST_ASSIGNED},
        {"order.sign", VILLAGE, NULL, NULL, EFFECT_COUNTS, REQUEST_IN_PROGRESS},
        {"order.report", VILLAGE, REPORT, &clerk, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", VILLAGE, REACHED, &visitor, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, REACHED, &visitor, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", VILLAGE, CLOSE, &clerk, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
    };
    PLAY(acts);
}

static void acts_out_of_turn_have_no_effect(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.close", HUB, CLOSE, NULL, EFFECT_IMPOSSIBLE, REQUEST_REGISTERED},
        {"order.sign", VILLAGE, NULL, NULL, EFFECT_IMPOSSIBLE, REQUEST_REGISTERED},
        {"request.accept", HUB, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"request.accept", HUB, ACCEPT, NULL, EFFECT_IMPOSSIBLE, REQUEST_ACCEPTED},
        {"order.report", VILLAGE, REPORT, NULL, EFFECT_IMPOSSIBLE, REQUEST_ACCEPTED},
    };
    PLAY(acts);
}

static void an_order_of_the_township_needs_who_signed_the_paper(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", HUB, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", HUB, ISSUE_OWN, NULL, EFFECT_IMPOSSIBLE, REQUEST_ACCEPTED},
    };
    PLAY(acts);
}

static void a_village_gives_no_official_numbers(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", VILLAGE, ACCEPT_OFFICIAL, NULL, EFFECT_IMPOSSIBLE, REQUEST_REGISTERED},
        {"request.accept", VILLAGE, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", VILLAGE,
         "{\"unit\":\"村委会\",\"due\":1764400000000,\"doc_no\":\"琅信交〔2025〕1号\"}", NULL,
         EFFECT_IMPOSSIBLE, REQUEST_ACCEPTED},
    };
    PLAY(acts);
}

static void the_person_who_reported_may_not_make_the_visit(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.accept", VILLAGE, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
        {"order.issue", VILLAGE, ISSUE_OWN, NULL, EFFECT_COUNTS, REQUEST_ASSIGNED},
        {"order.sign", VILLAGE, NULL, NULL, EFFECT_COUNTS, REQUEST_IN_PROGRESS},
        {"order.report", VILLAGE, REPORT, &clerk, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", VILLAGE, REACHED, &clerk, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", VILLAGE, REACHED, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, REACHED, &clerk, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, REACHED, NULL, EFFECT_COUNTS, REQUEST_REPORTED},
    };
    PLAY(acts);
}

#define HANDLED                                                                                    \
    {"request.accept", HUB, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},                        \
        {"order.issue", HUB, ISSUE, NULL, EFFECT_COUNTS, REQUEST_ASSIGNED},                        \
        {"order.sign", VILLAGE, NULL, NULL, EFFECT_COUNTS, REQUEST_IN_PROGRESS},                   \
    {                                                                                              \
        "order.report", VILLAGE, REPORT, &clerk, EFFECT_COUNTS, REQUEST_REPORTED                   \
    }

static void closes_only_after_a_visit_that_reached_the_person(void **state)
{
    (void)state;
    static const struct act acts[] = {
        HANDLED,
        {"request.close", HUB, CLOSE, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, UNSOLVED, NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, CLOSE, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"request.close", HUB, "{\"result\":\"explained\"}", NULL, EFFECT_COUNTS, REQUEST_CLOSED},
    };
    PLAY(acts);
}

#define FAILED(at) "{\"attempt\":1,\"method\":\"phone\",\"reached\":false,\"at\":" at "}"
#define UNREACHED "{\"result\":\"unreached\"}"

static void closes_as_unreached_after_three_attempts_on_two_days(void **state)
{
    (void)state;
    static const struct act acts[] = {
        HANDLED,
        /* 2025-12-08 15:59:59 UTC is 23:59:59 in Hunan, one second later is the next day */
        {"callback.record", HUB, FAILED("1765209597000"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", HUB, FAILED("1765209598000"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, UNREACHED, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, FAILED("1765209599000"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, UNREACHED, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"callback.record", HUB, FAILED("1765209600000"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, CLOSE, NULL, EFFECT_IMPOSSIBLE, REQUEST_REPORTED},
        {"request.close", HUB, UNREACHED, NULL, EFFECT_COUNTS, REQUEST_CLOSED},
    };
    PLAY(acts);
}

static void counts_the_days_to_the_last_moment(void **state)
{
    (void)state;
    static const struct act acts[] = {
        HANDLED,
        {"callback.record", HUB, FAILED("281474976710655"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", HUB, FAILED("1"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"callback.record", HUB, FAILED("1"), NULL, EFFECT_COUNTS, REQUEST_REPORTED},
        {"request.close", HUB, UNREACHED, NULL, EFFECT_COUNTS, REQUEST_CLOSED},
    };
    PLAY(acts);
}

static void marks_foreign_acts_bad_fields_and_unknown_kinds(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {"request.fly", VILLAGE, NULL, NULL, EFFECT_UNKNOWN_KIND, REQUEST_REGISTERED},
        {"device.revoked", VILLAGE, "{\"reason\":\"x\"}", NULL, EFFECT_IMPOSSIBLE,
         REQUEST_REGISTERED},
        {"request.accept", NEIGHBOUR, ACCEPT, NULL, EFFECT_FORBIDDEN, REQUEST_REGISTERED},
        {"request.accept", HUB, "{}", NULL, EFFECT_BAD_FIELD, REQUEST_REGISTERED},
        {"request.accept", HUB, ACCEPT, NULL, EFFECT_COUNTS, REQUEST_ACCEPTED},
    };
    PLAY(acts);
    struct txn *t;
    struct request r;
    request_of(&r, &t);
    assert_int_equal(r.events, 6);
    assert_int_equal(r.effective, 2);
    txn_abort(t);
}

/* --- both changed ------------------------------------------------------------------------- */

static void record(int who, const char *kind, const char *body, uint32_t depth, uint32_t seen)
{
    township_record(&town, device_of(who),
                    &(struct township_act){.kind = kind,
                                           .scope = OWN_SCOPE,
                                           .subject = &subject,
                                           .depth = depth,
                                           .seen = seen,
                                           .body = body});
}

static void shows_that_both_changed_it_until_the_township_has_seen_it(void **state)
{
    (void)state;
    struct txn *t;
    struct request r;
    record(VILLAGE, "request.accept", ACCEPT, 1, 1);
    record(HUB, "request.accept", ACCEPT_OFFICIAL, 1, 1);
    township_node_take_all(&node, &town);
    request_of(&r, &t);
    assert_true(r.both_changed);
    assert_true(r.township); /* its act stands first at one depth, whenever it was done */
    assert_int_equal(r.effective, 2);
    txn_abort(t);

    record(HUB, "order.issue", ISSUE, 2, 2);   /* takes effect, but did not know both */
    record(VILLAGE, "order.sign", NULL, 3, 4); /* knew, but is no act of the township */
    township_node_take_all(&node, &town);
    request_of(&r, &t);
    assert_int_equal(r.state, REQUEST_IN_PROGRESS);
    assert_true(r.both_changed);
    txn_abort(t);

    record(HUB, "order.issue", ISSUE, 4, 5); /* knew, but has no effect */
    township_node_take_all(&node, &town);
    request_of(&r, &t);
    assert_true(r.both_changed);
    txn_abort(t);

    record(HUB, "order.report", REPORT, 5, 6);
    township_node_take_all(&node, &town);
    request_of(&r, &t);
    assert_int_equal(r.state, REQUEST_REPORTED);
    assert_false(r.both_changed);
    txn_abort(t);
}

/* --- asking before acting ------------------------------------------------------------------ */

static void says_beforehand_what_would_have_no_effect(void **state)
{
    (void)state;
    struct txn *t;
    struct request r;
    const char *why = "";
    enum request_state next = REQUEST_HELD;
    township_node_take_all(&node, &town);
    request_of(&r, &t);
    struct request_act act = {.kind = slice_of_text("request.accept"), .roles = ROLE_DISPATCH};
    assert_int_equal(request_may(&r, &act, &next, &why), OK);
    assert_int_equal(next, REQUEST_ACCEPTED);
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
    txn_abort(t);
}

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_goes_its_whole_way_through_the_township),
        TEST(a_village_handles_its_own_request_alone),
        TEST(a_village_does_not_order_visit_or_close_what_the_township_accepted),
        TEST(acts_out_of_turn_have_no_effect),
        TEST(an_order_of_the_township_needs_who_signed_the_paper),
        TEST(a_village_gives_no_official_numbers),
        TEST(the_person_who_reported_may_not_make_the_visit),
        TEST(closes_only_after_a_visit_that_reached_the_person),
        TEST(closes_as_unreached_after_three_attempts_on_two_days),
        TEST(counts_the_days_to_the_last_moment),
        TEST(marks_foreign_acts_bad_fields_and_unknown_kinds),
        TEST(shows_that_both_changed_it_until_the_township_has_seen_it),
        TEST(says_beforehand_what_would_have_no_effect),
        cmocka_unit_test(names_its_states_in_both_languages),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
