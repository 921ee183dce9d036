/* What may be done to units, teams, volunteers, calls, services and assets: what counts, what has
 * no effect and why, and what the row then says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/actor.h"
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

/* --- what is only founded -------------------------------------------------------------------- */

static void the_row_is_the_founding_event_until_something_is_done(void **state)
{
    (void)state;
    struct txn *t;
    struct thing thing;
    struct thing_act act;
    found("team.form", STORY_SCOPE, VILLAGE, "{\"name\":\"琅塘星\",\"branch\":\"一支部\"}",
          "recorded");
    const struct event *e = story_town()->events[story_town()->event_count - 1];
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(thing_get(t, THING_TEAM, story_key(), &thing), OK);
    assert_int_equal(thing.type, THING_TEAM);
    assert_int_equal(thing.state, 0);
    assert_int_equal(thing.founded_ms, HLC_MS(e->time));
    assert_true(sign_key_equal(&thing.author, &e->feed.author));
    assert_true(thing.has_by && thing_id_equal(&thing.by, &story_clerk));
    assert_true(slice_equal(thing.fields, e->body));
    struct mp_reader acts = mp_reader_of(thing.acts);
    assert_false(thing_act_next(&acts, &act));
    assert_int_equal(thing_get(t, THING_UNIT, story_key(), &thing), ERR_NOT_FOUND);
    txn_abort(t);
}

/* Whoever changes a volunteer or closes a call says nothing of what only the registration says. */
static void an_act_sets_the_fields_of_its_kind_and_no_others(void **state)
{
    (void)state;
    found("volunteer.register", STORY_SCOPE, VILLAGE,
          "{\"number\":\"01V-0001\",\"joined\":\"2025-01-01\",\"minor\":true}", "active");
    const struct story_step steps[] = {
        {"volunteer.update", SECOND, NULL,
         "{\"categories\":[\"a\"],\"number\":7,\"joined\":\"2020-01-01\",\"minor\":false,\"more\":"
         "1}",
         "", "active"},
    };
    PLAY(steps);
    story_row_has("\"categories\": [\"a\"]");
    story_row_has("\"number\": \"01V-0001\"");
    story_row_has("\"joined\": \"2025-01-01\"");
    story_row_has("\"minor\": true");
    story_row_lacks("more");
}

static bool count_one(void *state, const struct thing *thing)
{
    (void)thing;
    return ++*(unsigned *)state < 2;
}

static void things_of_a_type_are_walked_in_one_scope_and_in_all(void **state)
{
    (void)state;
    struct txn *t;
    unsigned own = 0, all = 0, other = 0;
    found("team.form", STORY_SCOPE, VILLAGE, "{\"name\":\"一队\"}", "recorded");
    uint32_t scope = story_key()->scope_number;
    found("team.form", "village:431322111202", NEIGHBOUR, "{\"name\":\"二队\"}", "recorded");
    found("team.form", "village:431322111202", NEIGHBOUR, "{\"name\":\"三队\"}", "recorded");
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(things_each(t, THING_TEAM, scope, count_one, &own), OK);
    assert_int_equal(own, 1);
    assert_int_equal(things_each(t, THING_TEAM, 0, count_one, &all), OK);
    assert_int_equal(all, 2); /* it said stop */
    assert_int_equal(things_each(t, THING_VOLUNTEER, 0, count_one, &other), OK);
    assert_int_equal(other, 0);
    txn_abort(t);
}

static void a_row_that_is_no_row_is_corrupt(void **state)
{
    (void)state;
    struct thing thing;
    struct thing_key key = {1, {{0}}};
    static const char *const rows[] = {"", "\x90", "\x96\x00\x00", "\x96\x00\x00\xc0\xc0\x80\x90"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice row = {(const uint8_t *)rows[i], i == 2 ? 3 : strlen(rows[i])};
        assert_int_equal(thing_row_read(&thing, THING_TEAM, &key, row), ERR_CORRUPT);
    }
}

static void states_have_a_name_in_both_languages(void **state)
{
    (void)state;
    unsigned plain = 0;
    for (enum thing_type type = THING_NONE; type < THING_TYPE_COUNT; type++) {
        if (!thing_is_plain(type)) continue;
        plain++;
        for (unsigned s = 0; s < 3; s++) {
            const char *name = thing_state_name(type, s);
            if (name[0] == '?') continue;
            assert_string_equal(thing_state_zh_of(type, name), thing_state_zh(type, s));
        }
        assert_string_not_equal(thing_state_name(type, 0), "?");
    }
    assert_int_equal(plain, 21);
    assert_string_equal(thing_state_name(THING_SERVICE, 1), "verified");
    assert_string_equal(thing_state_name(THING_SERVICE, 3), "?");
    assert_string_equal(thing_state_name(THING_REQUEST, 0), "?");
    assert_null(thing_state_zh_of(THING_TEAM, "verified"));
}

/* --- units ----------------------------------------------------------------------------------- */

static void a_unit_is_abolished_once(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"unit.close", HUB, NULL, "{\"reason\":\"机构改革\"}", "", "abolished"},
        {"unit.close", HUB, NULL, "{\"reason\":\"又一次\"}", STATE, NULL},
    };
    found("unit.put", "town", HUB, "{\"name\":\"水利站\",\"type\":\"station\"}", "in_use");
    PLAY(steps);
    story_row_has("\"reason\": \"机构改革\"");
    story_row_has("\"name\": \"水利站\"");
}

/* --- volunteers ------------------------------------------------------------------------------ */

#define REGISTER "{\"joined\":\"2025-01-01\",\"categories\":[\"elderly\"]}"
#define CONSENT(purpose) "{\"purpose\":\"" purpose "\",\"method\":\"paper\"}"
#define CARD(number) "{\"card_no\":\"" number "\",\"services\":[\"repair\"]}"
#define CARD_BACK(number) "{\"card_no\":\"" number "\",\"reason\":\"lost\"}"
#define LEAVE "{\"reason\":\"moved\",\"on\":\"2025-11-01\"}"

static void what_is_said_of_a_volunteer_is_the_newest_that_was_said(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"volunteer.update", VILLAGE, NULL, "{\"team\":\"" LI "\"}", "", NULL},
        {"volunteer.update", HUB, NULL, "{\"team\":\"" WANG "\",\"categories\":[]}", "", NULL},
        {"volunteer.leave", VILLAGE, NULL, LEAVE, "", "left"},
        {"volunteer.update", VILLAGE, NULL, "{\"team\":\"" ZHAO "\"}", STATE, NULL},
        {"volunteer.leave", VILLAGE, NULL, LEAVE, STATE, NULL},
    };
    found("volunteer.register", STORY_SCOPE, VILLAGE, REGISTER, "active");
    PLAY(steps);
    story_row_has("\"joined\": \"2025-01-01\"");
    story_row_has("\"on\": \"2025-11-01\"");
    story_row_has("\"categories\": []");
    story_row_has(WANG);
    story_row_lacks(LI);
    story_row_lacks(ZHAO);
    story_row_lacks("volunteer.update"); /* sets, is not listed */
}

static void a_card_needs_consent_to_a_card_that_still_stands(void **state)
{
    (void)state;
    static const char why[] = "needs the volunteer's consent to a card";
    static const struct story_step steps[] = {
        {"card.issue", VILLAGE, NULL, CARD("7"), why, NULL},
        {"consent.give", VILLAGE, NULL, CONSENT("rank"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("7"), why, NULL},
        {"consent.give", VILLAGE, NULL, CONSENT("card"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("7"), "", NULL},
        {"consent.withdraw", VILLAGE, NULL, CONSENT("rank"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("8"), "", NULL},
        {"consent.withdraw", HUB, NULL, CONSENT("card"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("9"), why, NULL},
        {"consent.give", VILLAGE, NULL, CONSENT("card"), "", NULL},
        {"volunteer.leave", VILLAGE, NULL, LEAVE, "", "left"},
        {"card.issue", VILLAGE, NULL, CARD("9"), STATE, NULL},
        {"consent.give", VILLAGE, NULL, CONSENT("letter"), STATE, NULL},
    };
    found("volunteer.register", STORY_SCOPE, VILLAGE, REGISTER, "active");
    PLAY(steps);
    story_row_has("\"card_no\": \"8\"");
    story_row_lacks("\"card_no\": \"9\"");
}

static void a_card_that_is_out_comes_back_once_also_of_who_left(void **state)
{
    (void)state;
    static const char why[] = "no card of this number is out";
    static const struct story_step steps[] = {
        {"consent.give", VILLAGE, NULL, CONSENT("card"), "", NULL},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("7"), why, NULL},
        {"card.issue", VILLAGE, NULL, CARD("7"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("70"), "", NULL},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("7"), "", NULL},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("7"), why, NULL},
        {"card.issue", VILLAGE, NULL, CARD("7"), "", NULL},
        {"card.issue", VILLAGE, NULL, CARD("7"), "", NULL}, /* printed again */
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("7"), "", NULL},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("7"), why, NULL},
        {"volunteer.leave", VILLAGE, NULL, LEAVE, "", "left"},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("70"), "", NULL},
        {"card.withdraw", VILLAGE, NULL, CARD_BACK("70"), why, NULL},
    };
    found("volunteer.register", STORY_SCOPE, VILLAGE, REGISTER, "active");
    PLAY(steps);
}

/* --- calls ----------------------------------------------------------------------------------- */

#define CALL                                                                                       \
    "{\"title\":\"清淤\",\"category\":\"environment\",\"place\":\"东渠\","                     \
    "\"start\":1764000000000,\"need\":2,\"risk\":\"水深\",\"hazard\":false}"
#define SIGNUP(person) "{\"person\":\"" person "\",\"by_proxy\":\"phone\"}"

static void a_volunteer_signs_up_for_a_call_once_until_he_cancels(void **state)
{
    (void)state;
    static const char twice[] = "this volunteer is signed up already";
    static const char never[] = "this volunteer is not signed up";
    static const struct story_step steps[] = {
        {"call.cancel", VILLAGE, NULL, SIGNUP(LI), never, NULL},
        {"call.signup", VILLAGE, NULL, SIGNUP(LI), "", NULL},
        {"call.signup", NEIGHBOUR, NULL, SIGNUP(LI), twice, NULL},
        {"call.signup", NEIGHBOUR, NULL, SIGNUP(WANG), "", NULL},
        {"call.signup", VILLAGE, NULL, SIGNUP(ZHAO), "", NULL}, /* beyond the need: in reserve */
        {"call.cancel", VILLAGE, NULL, SIGNUP(LI), "", NULL},
        {"call.cancel", VILLAGE, NULL, SIGNUP(LI), never, NULL},
        {"call.signup", VILLAGE, NULL, SIGNUP(LI), "", NULL},
        {"call.update", VILLAGE, NULL, "{\"need\":5}", "", NULL},
        {"call.close", VILLAGE, NULL, "{\"reason\":\"held\"}", "", "closed"},
        {"call.signup", VILLAGE, NULL, SIGNUP("44000000000000000000000000000000"), STATE, NULL},
        {"call.cancel", VILLAGE, NULL, SIGNUP(LI), STATE, NULL},
        {"call.update", VILLAGE, NULL, "{\"need\":6}", STATE, NULL},
        {"call.close", VILLAGE, NULL, "{\"reason\":\"held\"}", STATE, NULL},
    };
    found("call.publish", "town", VILLAGE, CALL, "open");
    PLAY(steps);
    story_row_has("\"need\": 5");
    story_row_has("\"reason\": \"held\"");
    story_row_has("[\"call.cancel\", ");
}

/* --- services -------------------------------------------------------------------------------- */

#define ROW(person, start, end, minutes) "[" BIN(person) "," #start "," #end "," #minutes "]"
#define ATTENDANCE(rows)                                                                           \
    "{\"activity\":\"" ZHAO "\",\"category\":\"patrol\",\"date\":\"2025-11-01\","                  \
    "\"method\":\"paper\",\"rows\":[" rows "]}"
#define SERVICE                                                                                    \
    "{\"person\":\"" LI "\",\"category\":\"elderly\",\"date\":\"2025-11-01\",\"minutes\":90,"      \
    "\"confirm\":\"sign\"}"
#define VERIFY(decision) "{\"decision\":\"" decision "\"}"
#define VERIFIED(rows) "{\"decision\":\"part\",\"rows\":[" rows "]}"
#define MINUTES(person, minutes) "[" BIN(person) "," #minutes "]"

static void attendance_is_possible_or_founds_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *why;
    } cases[] = {
        {ROW(LI, 480, 600, 120) "," ROW(WANG, 480, 600, 90), ""},
        {ROW(LI, 480, 600, 60) "," ROW(LI, 600, 700, 100), ""}, /* one after the other */
        {ROW(LI, 600, 700, 60) "," ROW(WANG, 500, 650, 1) "," ROW(LI, 400, 600, 1), ""},
        {ROW(LI, 1200, 2160, 960), ""},
        {ROW(LI, 600, 600, 1), "rows has an end that is not after its start"},
        {ROW(LI, 600, 500, 1), "rows has an end that is not after its start"},
        {ROW(LI, 480, 1441, 1), "rows has more than 16 hours"},
        {ROW(LI, 480, 500, 21), "rows has more minutes than from its start to its end"},
        {ROW(LI, 480, 600, 1) "," ROW(LI, 599, 700, 1),
         "rows has one volunteer twice at the same time"},
        {ROW(LI, 480, 600, 1) "," ROW(WANG, 480, 600, 1) "," ROW(LI, 480, 600, 1),
         "rows has one volunteer twice at the same time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[1024];
        snprintf(body, sizeof body, ATTENDANCE("%s"), cases[i].rows);
        story_found(STORY_SCOPE,
                    &(struct story_step){"attendance.record", VILLAGE, NULL, body, cases[i].why,
                                         cases[i].why[0] ? "" : "logged"});
    }
}

static void what_is_built_on_a_founding_without_effect_has_none(void **state)
{
    (void)state;
    static const struct story_step bad = {"attendance.record",
                                          VILLAGE,
                                          NULL,
                                          ATTENDANCE(ROW(LI, 600, 500, 1)),
                                          "rows has an end that is not after its start",
                                          ""};
    struct txn *t;
    struct history h;
    struct thing thing;
    story_found(STORY_SCOPE, &bad);
    const struct thing_id subject = story_key()->thing;
    township_record(story_town(), &story_town()->hub,
                    &(struct township_act){.kind = "service.verify",
                                           .scope = STORY_SCOPE,
                                           .subject = &subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = VERIFY("ok")});
    township_node_take_all(story_node(), story_town());
    assert_int_equal(txn_begin(story_node()->store, false, &t), OK);
    assert_int_equal(thing_get(t, THING_SERVICE, story_key(), &thing), ERR_NOT_FOUND);
    assert_int_equal(views_history(story_node()->views, t, story_key()->scope_number, &subject, &h),
                     OK);
    txn_abort(t);
    assert_int_equal(h.items[1].effect, EFFECT_IMPOSSIBLE);
    assert_string_equal(h.items[1].reason, "what founds it has no effect");
    history_clear(&h);
}

static void another_person_verifies_and_the_newest_word_stands(void **state)
{
    (void)state;
    static const char same[] = "must be done by another person than the record";
    static const struct story_step steps[] = {
        {"service.verify", VILLAGE, &story_clerk, VERIFY("ok"), same, NULL},
        {"service.verify", SECOND, &story_clerk, VERIFY("ok"), same, NULL},
        {"service.verify", VILLAGE, NULL, VERIFY("ok"), same, NULL}, /* the same device */
        {"service.verify", VILLAGE, &story_visitor, VERIFY("ok"), "", "verified"},
        {"service.verify", HUB, NULL, VERIFY("no"), "", "rejected"},
        {"service.verify", SECOND, &story_visitor, VERIFY("part"), "", "verified"},
        {"service.verify", SECOND, &story_visitor, VERIFIED(MINUTES(LI, 90)), "", "verified"},
        {"service.verify", SECOND, &story_visitor, VERIFIED(MINUTES(LI, 91)),
         "says more minutes than were logged", NULL},
        {"service.verify", SECOND, &story_visitor, VERIFIED(MINUTES(WANG, 1)),
         "names a volunteer who is not on the sheet", NULL},
    };
    found("service.log", STORY_SCOPE, VILLAGE, SERVICE, "logged");
    PLAY(steps);
}

static void a_sheet_is_verified_within_what_each_was_there_for(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"service.verify", HUB, NULL, VERIFIED(MINUTES(WANG, 90) "," MINUTES(LI, 220)), "",
         "verified"}, /* Li was there twice */
        {"service.verify", HUB, NULL, VERIFIED(MINUTES(LI, 221)),
         "says more minutes than were logged", NULL},
        {"service.verify", HUB, NULL, VERIFIED(MINUTES(LI, 0) "," MINUTES(LI, 0)),
         "names a volunteer twice", NULL},
        {"service.verify", HUB, NULL, VERIFIED(MINUTES(LI, 1) "," MINUTES(ZHAO, 1)),
         "names a volunteer who is not on the sheet", NULL},
        {"service.verify", HUB, NULL, VERIFIED(""), "", "verified"},
    };
    found("attendance.record", STORY_SCOPE, VILLAGE,
          ATTENDANCE(ROW(LI, 480, 600, 120) "," ROW(WANG, 480, 600, 90) "," ROW(LI, 700, 800, 100)),
          "logged");
    PLAY(steps);
}

/* --- assets ---------------------------------------------------------------------------------- */

#define ASSET                                                                                      \
    "{\"name\":\"三组水井\",\"type\":\"well\",\"place\":\"三组\",\"quality\":\"bad\","       \
    "\"worth\":true,\"condition\":\"disused\"}"

static void an_asset_is_restored_once(void **state)
{
    (void)state;
    static const struct story_step steps[] = {
        {"asset.change", VILLAGE, NULL, "{\"condition\":\"disused\"}",
         "is in this condition already", NULL},
        {"asset.change", VILLAGE, NULL, "{\"condition\":\"in_use\",\"quality\":\"good\"}", "",
         NULL},
        {"asset.change", NEIGHBOUR, NULL, "{\"condition\":\"in_use\"}",
         "is in this condition already", NULL},
        {"asset.change", VILLAGE, NULL, "{\"condition\":\"broken\"}", "", NULL},
    };
    found("asset.record", "town", VILLAGE, ASSET, "recorded");
    PLAY(steps);
    story_row_has("\"condition\": \"broken\"");
    story_row_has("\"quality\": \"good\"");
    story_row_has("\"in_use\""); /* listed too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, story_begin, story_end)
        TEST(the_row_is_the_founding_event_until_something_is_done),
        TEST(an_act_sets_the_fields_of_its_kind_and_no_others),
        TEST(things_of_a_type_are_walked_in_one_scope_and_in_all),
        TEST(a_row_that_is_no_row_is_corrupt),
        TEST(states_have_a_name_in_both_languages),
        TEST(a_unit_is_abolished_once),
        TEST(what_is_said_of_a_volunteer_is_the_newest_that_was_said),
        TEST(a_card_needs_consent_to_a_card_that_still_stands),
        TEST(a_card_that_is_out_comes_back_once_also_of_who_left),
        TEST(a_volunteer_signs_up_for_a_call_once_until_he_cancels),
        TEST(attendance_is_possible_or_founds_nothing),
        TEST(what_is_built_on_a_founding_without_effect_has_none),
        TEST(another_person_verifies_and_the_newest_word_stands),
        TEST(a_sheet_is_verified_within_what_each_was_there_for),
        TEST(an_asset_is_restored_once),
#undef TEST
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
