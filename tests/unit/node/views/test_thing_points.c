/* Rules, points, what is made public and redemption: what counts, and what has no effect and why.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/story.h"

#define LI "11000000000000000000000000000000"
#define WANG "22000000000000000000000000000000"
#define ZHAO "33000000000000000000000000000000"
#define BIN(hex) "{\"$bin\":\"" hex "\"}"
#define STATE "not possible in this state"

static void found(const char *kind, const char *scope, enum story_who who, const char *body,
                  const char *state)
{
    story_found(scope, &(struct story_step){kind, who, &story_clerk, body, "", state});
}

static void try(const char *kind, const char *scope, enum story_who who, const char *body,
                const char *why, const char *state)
{
    story_found(scope, &(struct story_step){kind, who, NULL, body, why, why[0] ? "" : state});
}

/* --- rules ----------------------------------------------------------------------------------- */

#define RULE(type, rest) "{\"type\":\"" type "\",\"ver\":1,\"effective\":\"2025-01-01\"" rest "}"
#define PAPER ",\"approved_by\":\"党政联席会\",\"doc_ref\":\"琅政发1号\""
#define LIMITS ",\"limits\":[[\"accept\",1,\"wd\"]]"
#define POINTS ",\"points\":[[\"A1\",\"activity\",10,30,100,null,0,0,0,0,true]]"

static void a_rule_says_what_its_type_needs_and_who_decided_it(void **state)
{
    (void)state;
    static const struct {
        enum story_who who;
        const char *body, *why;
    } cases[] = {
        {AUTHORITY, RULE("sla", LIMITS), ""},
        {HUB, RULE("sla", LIMITS PAPER), ""},
        {HUB, RULE("sla", LIMITS), "approved_by is missing"},
        {HUB, RULE("sla", LIMITS ",\"approved_by\":\"会\""), "doc_ref is missing"},
        {AUTHORITY, RULE("sla", ""), "limits is missing"},
        {AUTHORITY, RULE("sla", POINTS), "limits is missing"},
        {AUTHORITY, RULE("points", POINTS), ""},
        {AUTHORITY, RULE("points", LIMITS), "points is missing"},
        {AUTHORITY, RULE("redeem", ""), "scheme is missing"},
        {AUTHORITY, RULE("redeem", ",\"scheme\":\"share\""), "round is missing"},
        {AUTHORITY, RULE("redeem", ",\"scheme\":\"share\",\"round\":\"yuan\""),
         "rounding is missing"},
        {AUTHORITY,
         RULE("redeem", ",\"scheme\":\"share\",\"round\":\"yuan\",\"rounding\":\"floor\""), ""},
        {AUTHORITY, RULE("kpi", ""), "weights is missing"},
        {AUTHORITY, RULE("kpi", ",\"weights\":[]"), ""},
        {AUTHORITY, RULE("category", ""), "categories is missing"},
        {AUTHORITY, RULE("category", ",\"categories\":[[\"0103\",\"水利\",null,null]]"), ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        try("rule.put", "town", cases[i].who, cases[i].body, cases[i].why, "recorded");
}

/* --- points ---------------------------------------------------------------------------------- */

#define AWARD                                                                                      \
    "{\"year\":2025,\"rows\":[[" BIN(LI) ",\"A1\",null,20],[" BIN(WANG) ",\"A1\",null,-5]]}"
#define ENTRY(n) "{\"entry\":" #n "}"
#define DECIDE(n, upheld) "{\"entry\":" #n ",\"upheld\":" #upheld "}"

static const char no_entry[] = "the sheet has no such entry";
static const char out[] = "the entry does not count any more";
static const char open[] = "an objection to this entry is open already";
static const char none_open[] = "no objection to this entry is open";

static void an_entry_is_reversed_once(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"points.reverse", HUB, NULL, ENTRY(3), no_entry, NULL},
        {"points.reverse", HUB, NULL, ENTRY(300), no_entry, NULL},
        {"points.reverse", HUB, NULL, ENTRY(2), "", NULL},
        {"points.reverse", HUB, NULL, ENTRY(2), out, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(2), out, NULL},
        {"points.reverse", HUB, NULL, ENTRY(1), "", NULL},
    };
    found("points.award", STORY_SCOPE, HUB, AWARD, "recorded");
    PLAY(steps);
}

static void an_objection_holds_one_entry_until_it_is_decided(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"points.decide", HUB, NULL, DECIDE(1, true), none_open, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(9), no_entry, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(1), "", NULL},
        {"points.object", VILLAGE, NULL, ENTRY(1), open, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(2), "", NULL},
        {"points.decide", HUB, NULL, DECIDE(1, false), "", NULL},
        {"points.decide", HUB, NULL, DECIDE(1, false), none_open, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(1), "", NULL}, /* it counts still */
        {"points.decide", HUB, NULL, DECIDE(2, true), "", NULL},
        {"points.object", VILLAGE, NULL, ENTRY(2), out, NULL},
        {"points.reverse", HUB, NULL, ENTRY(2), out, NULL},
        {"points.reverse", HUB, NULL, ENTRY(1), "", NULL}, /* while an objection is open */
        {"points.decide", HUB, NULL, DECIDE(1, true), "", NULL},
    };
    found("points.award", STORY_SCOPE, HUB, AWARD, "recorded");
    PLAY(steps);
}

static void a_deduction_is_a_sheet_of_points_too(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"points.object", VILLAGE, NULL, ENTRY(2), no_entry, NULL},
        {"points.object", VILLAGE, NULL, ENTRY(1), "", NULL},
        {"points.decide", HUB, NULL, DECIDE(1, true), "", NULL},
        {"points.reverse", HUB, NULL, ENTRY(1), out, NULL},
    };
    found("points.deduct", STORY_SCOPE, HUB,
          "{\"year\":2025,\"reason\":\"no_show\",\"rows\":[[" BIN(LI) ",10]]}", "recorded");
    PLAY(steps);
}

/* --- publicity ------------------------------------------------------------------------------- */

#define PUBLIC(from, to)                                                                           \
    "{\"type\":\"points\",\"year\":2025,\"list\":"                                                 \
    "\"0000000000000000000000000000000000000000000000000000000000000001\","                        \
    "\"from\":\"" from "\",\"to\":\"" to "\",\"place\":\"公开栏\"}"

static void a_list_is_shown_for_a_day_at_least_and_then_ends(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"publicity.close", VILLAGE, NULL, "{\"objections\":2}", "", "ended"},
        {"publicity.close", VILLAGE, NULL, "{\"objections\":0}", STATE, NULL},
    };
    try("publicity.open", "town", VILLAGE, PUBLIC("2025-11-02", "2025-11-01"),
        "to is before its first day", NULL);
    try("publicity.open", "town", VILLAGE, PUBLIC("2025-11-02", "2025-11-02"), "", "shown");
    found("publicity.open", "town", VILLAGE, PUBLIC("2025-11-02", "2025-12-01"), "shown");
    PLAY(steps);
    assert_non_null(strstr(story_row(), "\"objections\": 2"));
}

/* --- redemption ------------------------------------------------------------------------------ */

#define POOL                                                                                       \
    "{\"year\":2025,\"pool\":1000,\"total\":300,\"list\":"                                         \
    "\"0000000000000000000000000000000000000000000000000000000000000001\","                        \
    "\"signed_by\":\"" ZHAO "\"}"
#define GRANT(person, fen) "[" BIN(person) ",\"431322111201\",100," #fen "]"
#define GRANTS(rows) "{\"rows\":[" rows "]}"
#define PAY(person, fen) "[" BIN(person) "," #fen ",\"凭证1\"]"
#define PAYS(rows) "{\"paid\":\"2025-12-01\",\"signed\":true,\"rows\":[" rows "]}"
#define CLOSE(paid, rest) "{\"paid\":" #paid ",\"remainder\":" #rest "}"

static void grants_stay_within_the_pool_and_name_nobody_twice(void **state)
{
    (void)state;
    static const char twice[] = "grants to a volunteer twice";
    static const char more[] = "is more than the pool holds";
    static const struct story_step steps[] = {
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 600) "," GRANT(WANG, 401)), more, NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 1) "," GRANT(LI, 1)), twice, NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(WANG, 600)), "", NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 1) "," GRANT(WANG, 0)), twice, NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 401)), more, NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 399) "," GRANT(ZHAO, 1)), "", NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT("44000000000000000000000000000000", 1)), more,
         NULL},
    };
    found("redeem.open", "office", HUB, POOL, "running");
    PLAY(steps);
}

static void each_is_paid_once_what_was_granted_when_all_have_signed(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"redeem.pay", HUB, NULL, PAYS(PAY(LI, 600)), "pays a volunteer who was granted nothing",
         NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 600) "," GRANT(WANG, 300)), "", NULL},
        {"redeem.pay", HUB, NULL,
         "{\"paid\":\"2025-12-01\",\"signed\":false,\"rows\":[" PAY(LI, 600) "]}",
         "is not paid before all have signed", NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(LI, 599)), "pays another amount than was granted", NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(WANG, 300) "," PAY(WANG, 300)), "pays a volunteer twice",
         NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(WANG, 300) "," PAY(ZHAO, 1)),
         "pays a volunteer who was granted nothing", NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(WANG, 300)), "", NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(LI, 600) "," PAY(WANG, 300)), "pays a volunteer twice",
         NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(ZHAO, 100)), "", NULL}, /* a late one */
        {"redeem.pay", HUB, NULL, PAYS(PAY(ZHAO, 100) "," PAY(LI, 600)), "", NULL},
    };
    found("redeem.open", "office", HUB, POOL, "running");
    PLAY(steps);
}

static void a_redemption_ends_when_the_sums_are_right(void **state)
{
    (void)state;
    static const char other[] = "says another sum than was paid";
    static const struct story_step steps[] = {
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(LI, 600) "," GRANT(WANG, 300)), "", NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(LI, 600)), "", NULL},
        {"redeem.close", HUB, NULL, CLOSE(900, 100), other, NULL},
        {"redeem.close", HUB, NULL, CLOSE(600, 399),
         "what was paid and what is left are not the pool", NULL},
        {"redeem.close", HUB, NULL, CLOSE(600, 400), "", "completed"},
        {"redeem.close", HUB, NULL, CLOSE(600, 400), STATE, NULL},
        {"redeem.pay", HUB, NULL, PAYS(PAY(WANG, 300)), STATE, NULL},
        {"redeem.grant", HUB, NULL, GRANTS(GRANT(ZHAO, 1)), STATE, NULL},
    };
    found("redeem.open", "office", HUB, POOL, "running");
    PLAY(steps);
    assert_non_null(strstr(story_row(), "\"remainder\": 400"));
}

/* --- much of it ------------------------------------------------------------------------------ */

enum { PERSONS = 6900, SHEET = 150 };

static void sheet(char *out_text, size_t size, size_t first, bool pay)
{
    size_t at = (size_t)snprintf(out_text, size, "{%s\"rows\":[",
                                 pay ? "\"paid\":\"2025-12-01\",\"signed\":true," : "");
    for (size_t i = first; i < first + SHEET; i++)
        at += (size_t)snprintf(out_text + at, size - at,
                               pay ? "%s[{\"$bin\":\"%08zx%024d\"},10,\"v%05zu\"]"
                                   : "%s[{\"$bin\":\"%08zx%024d\"},\"431322111201\",100,10]",
                               i == first ? "" : ",", (i * 2654435761u) & 0xffffffffu, 0, i);
    snprintf(out_text + at, size - at, "]}");
}

/* Every volunteer of the township is granted and paid: 92 sheets, in seconds at the worst. */
static void the_whole_township_is_granted_and_paid(void **state)
{
    (void)state;
    struct township *town = story_town();
    static char text[65536];
    struct txn *t;
    struct thing thing;
    found("redeem.open", "office", HUB,
          "{\"year\":2025,\"pool\":69000,\"total\":1,\"list\":"
          "\"0000000000000000000000000000000000000000000000000000000000000001\","
          "\"signed_by\":\"" ZHAO "\"}",
          "running");
    const struct thing_id subject = story_key()->thing;
    struct township_act act = {.scope = "office", .subject = &subject, .body = text};
    for (size_t i = 0; i < 2 * PERSONS; i += SHEET) {
        bool pay = i >= PERSONS;
        act.kind = pay ? "redeem.pay" : "redeem.grant";
        act.depth = ++act.seen;
        sheet(text, sizeof text, i % PERSONS, pay);
        township_record(town, &town->hub, &act);
    }
    act.kind = "redeem.close";
    act.depth = ++act.seen;
    act.body = CLOSE(69000, 0);
    township_record(town, &town->hub, &act);
    township_node_take_all(story_node(), town);
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(thing_get(t, THING_REDEEM, story_key(), &thing), OK);
    assert_string_equal(thing_state_name(THING_REDEEM, thing.state), "completed");
    txn_abort(t);
}

/* Nobody fills a store with one thing: what would be too much has no effect. */
static void too_much_of_one_thing_has_no_effect(void **state)
{
    (void)state;
    enum { BODY = 15000 };
    struct township *town = story_town();
    static char text[BODY + 64];
    struct txn *t;
    struct history h;
    struct thing thing;
    found("volunteer.register", STORY_SCOPE, VILLAGE, "{\"joined\":\"2025-01-01\"}", "active");
    const struct thing_id subject = story_key()->thing;
    struct township_act act = {.scope = STORY_SCOPE, .subject = &subject, .body = text};
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < 170; i++) {
        static const char head[] = "{\"purpose\":\"rank\",\"method\":\"paper\",\"more\":\"";
        memcpy(text, head, strlen(head));
        strcpy(text + BODY, "\"}");
        act.kind = "consent.give";
        act.depth = ++act.seen;
        township_record(town, &town->hub, &act);
        memset(text, 'x', sizeof text - 1);
    }
    township_node_take_all(story_node(), town);
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(thing_get(t, THING_VOLUNTEER, story_key(), &thing), OK);
    assert_true(thing.acts.size > THING_ACTS_SIZE_MAX - 2 * BODY);
    assert_true(thing.acts.size <= THING_ACTS_SIZE_MAX);
    assert_int_equal(views_history(story_node()->views, t, story_key()->scope_number, &subject, &h),
                     OK);
    txn_abort(t);
    assert_int_equal(h.items[9].effect, EFFECT_COUNTS);
    assert_int_equal(h.items[h.count - 1].effect, EFFECT_LIMIT);
    assert_string_equal(h.items[h.count - 1].reason, "too much is listed of it already");
    history_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)
        TEST(a_rule_says_what_its_type_needs_and_who_decided_it),
        TEST(an_entry_is_reversed_once),
        TEST(an_objection_holds_one_entry_until_it_is_decided),
        TEST(a_deduction_is_a_sheet_of_points_too),
        TEST(a_list_is_shown_for_a_day_at_least_and_then_ends),
        TEST(grants_stay_within_the_pool_and_name_nobody_twice),
        TEST(each_is_paid_once_what_was_granted_when_all_have_signed),
        TEST(a_redemption_ends_when_the_sums_are_right),
        TEST(the_whole_township_is_granted_and_paid),
        TEST(too_much_of_one_thing_has_no_effect),
#undef TEST
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
