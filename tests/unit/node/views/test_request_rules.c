/*
 * Every act in every state, at both levels: what the table of SPEC 14.8 says, written here once
 * more as lists of names.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/requests.h"

#define SIGNED "\"signed_by\":\"00000000000000000000000000000001\""
#define ISSUE "{\"unit\":\"水利站\",\"due\":1766000000000," SIGNED "}"
#define ISSUE_OWN "{\"unit\":\"村委会\",\"due\":1766000000000}"
#define REACHED "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"yes\"}"

/* --- ways into each state ----------------------------------------------------------------- */

/* One letter an act; the township's by the hub, and the village's own. */
static const struct step {
    char letter;
    const char *kind;
    enum play_actor township, village;
    const char *body, *body_village;
    const struct thing_id *by;
} steps[] = {
    {'q', "request.supplement", HUB, VILLAGE, "{\"what\":\"ask\"}", NULL, NULL},
    {'a', "request.accept", HUB, VILLAGE, "{\"class\":\"general\"}", NULL, NULL},
    {'i', "order.issue", HUB, VILLAGE, ISSUE, ISSUE_OWN, NULL},
    {'s', "order.sign", UNIT, VILLAGE, "{}", NULL, NULL},
    {'o', "order.object", UNIT, VILLAGE, "{\"reason\":\"not_duty\"}", NULL, NULL},
    {'u', "order.suspend", HUB, HUB, "{\"reason\":\"weather\",\"review\":\"2025-12-24\"}", NULL,
     NULL},
    {'r', "order.report", UNIT, VILLAGE, "{\"solved\":\"yes\"}", NULL, &play_clerk},
    {'c', "callback.record", HUB, VILLAGE, REACHED, NULL, &play_visitor},
    {'x', "request.close", HUB, VILLAGE, "{\"result\":\"solved\"}", NULL, NULL},
    {'d', "request.decline", HUB, HUB, "{\"reason\":\"court\"}", NULL, NULL},
    {'m', "request.merge", HUB, HUB, "{\"main\":\"00000000000000000000000000000009\"}", NULL, NULL},
    {'w', "request.withdraw", HUB, VILLAGE, "{\"method\":\"phone\"}", NULL, NULL},
    {'z', "request.archive", HUB, HUB, "{\"archive_no\":\"1\",\"term\":\"10y\"}", NULL, NULL},
};

static const struct {
    enum request_state state;
    const char *way;
} ways[] = {
    {REQUEST_REGISTERED, ""},      {REQUEST_AWAITING_INFO, "q"}, {REQUEST_ACCEPTED, "a"},
    {REQUEST_ASSIGNED, "ai"},      {REQUEST_IN_PROGRESS, "ais"}, {REQUEST_OBJECTED, "aio"},
    {REQUEST_SUSPENDED, "aisu"},   {REQUEST_REPORTED, "aisrc"},  {REQUEST_CLOSED, "aisrcx"},
    {REQUEST_DECLINED, "d"},       {REQUEST_MERGED, "m"},        {REQUEST_WITHDRAWN, "w"},
    {REQUEST_ARCHIVED, "aisrcxz"},
};

static void go(const char *way, bool village)
{
    for (; *way; way++)
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            const struct step *s = &steps[i];
            if (s->letter != *way) continue;
            const char *body = village && s->body_village ? s->body_village : s->body;
            struct play_act act = {.kind = s->kind,
                                   .who = village ? s->village : s->township,
                                   .body = body,
                                   .by = s->by};
            play_record(&act, play.events, play.events);
        }
}

/* --- every act ---------------------------------------------------------------------------- */

#define UNDONE "registered awaiting_info accepted assigned in_progress objected suspended "
#define OPEN UNDONE "reported "

static const struct trial {
    const char *kind;
    enum play_actor who;
    const char *body;
    const char *from; /* states in which it takes effect */
    const char *to;   /* NULL: the state stays */
    const char *own;  /* of these from where a village may do it to what it handles itself, */
    const char *any;  /* and to what the township handles */
} trials[] = {
    {"request.supplement", HUB, "{\"what\":\"ask\"}", "registered ", "awaiting_info", "registered ",
     ""},
    {"request.supplement", HUB, "{\"what\":\"answer\"}", "awaiting_info ", "registered",
     "awaiting_info ", "awaiting_info "},
    {"request.answer", HUB, "{\"method\":\"phone\"}", "registered ", "reported", "registered ", ""},
    {"request.accept", HUB, "{\"class\":\"simple\"}", "registered ", "accepted", "registered ", ""},
    {"request.decline", HUB, "{\"reason\":\"not_ours\"}", "registered awaiting_info ", "declined",
     NULL, NULL},
    {"request.merge", HUB, "{\"main\":\"00000000000000000000000000000009\"}",
     "registered awaiting_info accepted ", "merged", NULL, NULL},
    {"request.withdraw", HUB, "{\"method\":\"visit\"}", UNDONE, "withdrawn", UNDONE, ""},
    {"request.escalate", VILLAGE, "{\"reason\":\"beyond_means\"}", "", "registered",
     "accepted assigned in_progress ", ""},
    {"order.issue", HUB, ISSUE, "accepted ", "assigned", NULL, NULL},
    {"order.issue", VILLAGE, ISSUE_OWN, "", "assigned", "accepted ", ""},
    {"order.sign", UNIT, "{}", "assigned ", "in_progress", "assigned ", "assigned "},
    {"order.object", UNIT, "{\"reason\":\"not_place\"}", "assigned in_progress ", "objected",
     "assigned in_progress ", "assigned in_progress "},
    {"order.object_decide", HUB, "{\"agree\":true}", "objected ", "accepted", NULL, NULL},
    {"order.object_decide", HUB, "{\"agree\":false}", "objected ", "assigned", NULL, NULL},
    {"order.transfer", HUB, "{\"unit\":\"民政办\"}", "assigned in_progress ", "assigned", NULL,
     NULL},
    {"contact.log", UNIT, "{\"method\":\"phone\",\"reached\":true}", OPEN, NULL, OPEN, OPEN},
    {"progress.note", UNIT, "{}", OPEN, NULL, OPEN, OPEN},
    {"order.suspend", HUB, "{\"reason\":\"funds\",\"review\":\"2025-12-24\"}", "in_progress ",
     "suspended", NULL, NULL},
    {"order.resume", HUB, "{}", "suspended ", "in_progress", NULL, NULL},
    {"order.report", UNIT, "{\"solved\":\"no\"}", "in_progress ", "reported", "in_progress ",
     "in_progress "},
    {"order.review", HUB, "{\"ok\":true}", "reported ", NULL, NULL, NULL},
    {"order.review", HUB, "{\"ok\":false}", "reported ", "in_progress", NULL, NULL},
    {"callback.record", HUB, REACHED, "reported closed ", NULL, "reported ", ""},
    {"request.close", HUB, "{\"result\":\"explained\"}", "reported ", "closed", "reported ", ""},
    {"request.reopen", HUB, "{\"reason\":\"unsolved\",\"due\":1766000000000}", "reported closed ",
     "in_progress", NULL, NULL},
    {"request.archive", HUB, "{\"archive_no\":\"1\",\"term\":\"10y\"}", "closed ", "archived", NULL,
     NULL},
    {"supervise.issue", HUB, "{\"level\":2,\"reason\":\"overdue\"}", OPEN, NULL, NULL, NULL},
    {"conflict.resolve", HUB, "{}", OPEN "closed declined merged withdrawn archived ", NULL, NULL,
     NULL},
    {"subject.correct", HUB, "{\"asked_by\":\"self\"}",
     OPEN "closed declined merged withdrawn archived ", NULL,
     OPEN "closed declined merged withdrawn archived ",
     OPEN "closed declined merged withdrawn archived "},
};

static bool listed(const char *list, enum request_state state)
{
    char name[32];
    snprintf(name, sizeof name, "%s ", request_state_name(state));
    const char *at = list;
    while ((at = strstr(at, name)) && at != list && at[-1] != ' ') at++;
    return at != NULL;
}

/* Does what the trial says in the state that the way led to; `from`: where it takes effect. */
static void try_act(size_t way, const struct trial *trial, enum play_actor who, bool village,
                    const char *from)
{
    play_register("consult", NULL, 0);
    go(ways[way].way, village);
    bool counts = listed(from, ways[way].state);
    enum request_state to = ways[way].state;
    if (counts && trial->to)
        assert_int_equal(request_state_parse(&to, slice_of_text(trial->to)), OK);
    struct play_act act = {.kind = trial->kind,
                           .who = who,
                           .body = trial->body,
                           .by = &play_visitor,
                           .effect = counts ? EFFECT_COUNTS : EFFECT_IMPOSSIBLE,
                           .after = to};
    play_acts(&act, 1);
    assert_int_equal(play_row().state, to);
}

static void each_act_takes_effect_in_its_states_and_in_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++)
        for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++)
            if (trials[i].from[0]) try_act(way, &trials[i], trials[i].who, false, trials[i].from);
}

static void a_village_does_all_its_own_and_some_of_what_the_township_handles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        if (!trials[i].own) continue;
        for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
            bool suspended = ways[way].state == REQUEST_SUSPENDED; /* by the township, alone */
            try_act(way, &trials[i], VILLAGE, true, trials[i].own);
            if (ways[way].way[0] == 'a' && !suspended)
                try_act(way, &trials[i], VILLAGE, false, trials[i].any);
        }
    }
}

/* The township's own acts are refused to the village by its role, before the table is asked. */
static void what_is_the_townships_is_forbidden_to_a_village(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        const struct kind *kind = kind_find(slice_of_text(trials[i].kind));
        bool office = !(kind->roles & ROLE_VILLAGE);
        if (office) assert_null(trials[i].own);
        struct play_act act = {.kind = trials[i].kind,
                               .who = VILLAGE,
                               .body = trials[i].body,
                               .effect = EFFECT_FORBIDDEN,
                               .after = REQUEST_REGISTERED};
        if (office) play_acts(&act, 1);
    }
}

/* --- levels ------------------------------------------------------------------------------- */

static void from_an_escalation_on_only_the_township_accepts(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.accept", VILLAGE, "{\"class\":\"simple\"}", NULL, REQUEST_ACCEPTED),
        DOES("order.issue", VILLAGE, ISSUE_OWN, NULL, REQUEST_ASSIGNED),
        DOES("order.sign", VILLAGE, NULL, NULL, REQUEST_IN_PROGRESS),
        DOES("request.escalate", VILLAGE, "{\"reason\":\"beyond_means\"}", NULL,
             REQUEST_REGISTERED),
        FAILS("request.accept", VILLAGE, "{\"class\":\"simple\"}", NULL, REQUEST_REGISTERED,
              "the township handles it"),
        FAILS("request.answer", VILLAGE, "{\"method\":\"visit\"}", NULL, REQUEST_REGISTERED,
              "the township handles it"),
        DOES("request.accept", HUB, "{\"class\":\"complex\"}", NULL, REQUEST_ACCEPTED),
        FAILS("request.escalate", VILLAGE, "{\"reason\":\"other\"}", NULL, REQUEST_ACCEPTED,
              "the township handles it"),
    };
    PLAY(acts);
}

static void whom_the_township_orders_transfers_or_reopens_it_handles(void **state)
{
    (void)state;
    static const char *const ways_of_own[] = {"a", "ai", "aisrcx"};
    static const struct play_act acts[] = {
        DOES("order.issue", HUB, ISSUE, NULL, REQUEST_ASSIGNED),
        DOES("order.transfer", HUB, "{\"unit\":\"民政办\"}", NULL, REQUEST_ASSIGNED),
        DOES("request.reopen", HUB, "{\"reason\":\"unsolved\",\"due\":1766000000000}", NULL,
             REQUEST_IN_PROGRESS),
    };
    for (size_t i = 0; i < 3; i++) {
        play_register("help", NULL, 0);
        go(ways_of_own[i], true);
        assert_false(play_row().township);
        play_acts(&acts[i], 1);
        assert_true(play_row().township);
    }
}

static void an_answer_that_does_not_do_waits_for_acceptance_again(void **state)
{
    (void)state;
    static const struct play_act acts[] = {
        DOES("request.answer", HUB, "{\"method\":\"phone\"}", NULL, REQUEST_REPORTED),
        DOES("order.review", HUB, "{\"ok\":false}", NULL, REQUEST_REGISTERED),
        DOES("request.accept", HUB, "{\"class\":\"simple\"}", NULL, REQUEST_ACCEPTED),
    };
    play_register("consult", NULL, 0);
    PLAY(acts);
    struct request r = play_row();
    assert_false(r.answered || r.has_reporter);
    assert_int_equal(r.reported_ms, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_act_takes_effect_in_its_states_and_in_no_other),
        TEST(a_village_does_all_its_own_and_some_of_what_the_township_handles),
        TEST(what_is_the_townships_is_forbidden_to_a_village),
        TEST(from_an_escalation_on_only_the_township_accepts),
        TEST(whom_the_township_orders_transfers_or_reopens_it_handles),
        TEST(an_answer_that_does_not_do_waits_for_acceptance_again),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
