/* What is done once more is refused where it is recorded, and flagged where it arrives. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/time.h"
#include "node/views/checks_before.h"
#include "proto/json.h"
#include "tests/support/service_year.h"

#include <stdio.h>
#include <string.h>

#define VILLAGE "village:431322111201"

static struct township town;
static struct township_device *village;
static struct township_node node;
static struct txn *txn;
static struct thing_id service;

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 1);
    village = &town.devices[0];
    year_go_to(&town, "2022-01-03");
    struct thing_id person = year_volunteer(&town, village, "01AV-0001", "甲某一");
    service = year_service(&town, village, &person, "2022-02-01", 60);
    year_go_to(&town, "2022-12-01");
    return 0;
}

static int end(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

static void look(void)
{
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
}

static void leave(void)
{
    txn_abort(txn);
    township_node_close(&node);
}

/* "" for nothing found, else the reason. */
static void before_recording(const char *kind, const char *scope_text,
                             const struct thing_id *subject, const char *json, const char *reason)
{
    struct buf body = {0};
    struct scope scope;
    struct checks_finding finding;
    look();
    assert_int_equal(scope_parse(&scope, slice_of_text(scope_text)), OK);
    struct checks_draft draft = {
        .kind = kind_find(slice_of_text(kind)),
        .scope = &scope,
        .founding = !subject,
        .author = strcmp(scope_text, "town") == 0 || strcmp(kind, "conflict.resolve") == 0
                      ? town.hub.signer.key
                      : village->signer.key,
        .now_ms = town.time_ms,
    };
    if (subject) draft.subject = *subject;
    draft.body = township_pack(&body, json, draft.kind);
    enum err err = checks_before(node.views, txn, false, &draft, &finding);
    assert_string_equal(finding.what ? finding.what : "", reason);
    assert_int_equal(err != OK, reason[0] != 0);
    buf_clear(&body);
    leave();
}

static bool note(void *state, const struct check_flag *flag)
{
    buf_printf(state, "%s/%zu ", check_name(flag->code), flag->thing_count);
    return true;
}

static void flags_are(const char *wanted)
{
    struct buf out = {0};
    look();
    assert_int_equal(checks_each(node.views, txn, note, &out), OK);
    assert_string_equal(buf_text(&out), wanted);
    buf_clear(&out);
    leave();
}

#define TWICE "this was decided already, in the same way"

static void a_verdict_is_not_given_twice(void **state)
{
    (void)state;
    before_recording("service.verify", VILLAGE, &service, "{\"decision\":\"ok\"}", "");
    year_verify(&town, village, &service, "ok", NULL);
    before_recording("service.verify", VILLAGE, &service, "{\"decision\":\"ok\"}", TWICE);
    before_recording("service.verify", VILLAGE, &service, "{\"decision\":\"no\"}", "");
    flags_are("");
    year_verify(&town, village, &service, "no", NULL);
    year_verify(&town, village, &service, "ok", NULL); /* taken back, and given again */
    flags_are("");
    year_verify(&town, village, &service, "ok", NULL);
    flags_are("verified-twice/1 ");
}

#define SHOWN "this list is shown on those days already"

static void shows(const char *list, const char *from, const char *to, const char *reason)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"type\":\"points\",\"year\":2022,\"list\":\"%064d\",\"from\":\"%s\","
             "\"to\":\"%s\",\"place\":\"公开栏\"}",
             list[0] - '0', from, to);
    before_recording("publicity.open", "town", NULL, body, reason);
}

static void a_list_is_not_shown_twice_at_once(void **state)
{
    (void)state;
    shows("0", "2022-12-01", "2022-12-07", "");
    struct thing_id first =
        year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    shows("0", "2022-12-01", "2022-12-07", SHOWN);
    shows("0", "2022-12-07", "2022-12-14", SHOWN);
    shows("0", "2022-12-08", "2022-12-14", "");
    shows("1", "2022-12-01", "2022-12-07", "");
    flags_are("");
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    flags_are("list-shown-twice/2 ");
    year_record(&town, &town.hub, "publicity.close", "town", &first, "{\"objections\":0}", NULL);
    flags_are("");
}

static void a_list_that_was_shown_too_short_is_shown_again(void **state)
{
    (void)state;
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-03");
    shows("0", "2022-12-01", "2022-12-07", "");
    year_publicity(&town, &town.hub, 2022, NULL, "2022-12-01", "2022-12-07");
    flags_are("publicity-too-short/1 ");
}

static void what_nobody_else_changed_is_not_settled(void **state)
{
    (void)state;
    const struct event *e = township_register(&town, village, "01A-0001");
    struct township_act accept = {.kind = "request.accept",
                                  .scope = VILLAGE,
                                  .subject = &e->subject,
                                  .depth = 1,
                                  .seen = 1,
                                  .body = "{\"class\":\"general\"}"};
    township_record(&town, village, &accept);
    before_recording("conflict.resolve", VILLAGE, &e->subject, "{}",
                     "nothing was changed on both sides");
    township_record(&town, &town.hub, &accept);
    before_recording("conflict.resolve", VILLAGE, &e->subject, "{}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_verdict_is_not_given_twice),
        TEST(a_list_is_not_shown_twice_at_once),
        TEST(a_list_that_was_shown_too_short_is_shown_again),
        TEST(what_nobody_else_changed_is_not_settled),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
