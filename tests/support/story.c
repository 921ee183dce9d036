#include "tests/support/story.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/subject.h"
#include "proto/json.h"

const struct thing_id story_clerk = {"clerk"}, story_visitor = {"visitor"};

enum { STEPS_MAX = 64, TEXTS_MAX = 64 };
static struct township town;
static struct township_node node;
static const char *scope_text;
static struct thing_key key;
static const struct event *events[STEPS_MAX];
static uint32_t count;
static char *texts[TEXTS_MAX];
static size_t text_count;

int story_begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    (void)township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    township_node_open(&node, &town, &town.hub);
    count = 0;
    return 0;
}

int story_end(void **state)
{
    (void)state;
    while (text_count) free(texts[--text_count]);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

struct township *story_town(void)
{
    return &town;
}

struct township_node *story_node(void)
{
    return &node;
}

const struct thing_key *story_key(void)
{
    return &key;
}

static const char *keep(char *text)
{
    assert_non_null(text);
    assert_true(text_count < TEXTS_MAX);
    texts[text_count++] = text;
    return text;
}

static struct township_device *device_of(enum story_who who)
{
    return who == HUB         ? &town.hub
           : who == AUTHORITY ? &town.authority
           : who == VILLAGE   ? &town.devices[0]
           : who == SECOND    ? &town.devices[2]
                              : &town.devices[1];
}

static void record(const struct story_step *step)
{
    assert_true(count < STEPS_MAX);
    events[count] = township_record(&town, device_of(step->who),
                                    &(struct township_act){
                                        .kind = step->kind,
                                        .scope = scope_text,
                                        .subject = count ? &events[0]->subject : NULL,
                                        .depth = count,
                                        .seen = count,
                                        .by = step->by,
                                        .body = step->body,
                                    });
    count++;
}

/* What the fold says of the step just recorded. */
static void check(const struct story_step *step, size_t at)
{
    struct txn *t;
    struct history h;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, key.scope_number, &key.thing, &h), OK);
    txn_abort(t);
    assert_int_equal(h.count, count);
    const struct history_item *item = &h.items[count - 1];
    const char *before = count > 1 ? h.items[count - 2].state_after : "";
    if (strcmp(item->reason, step->why) != 0)
        fail_msg("step %zu (%s): \"%s\", not \"%s\"", at, step->kind, item->reason, step->why);
    if (strcmp(item->state_after, step->state ? step->state : before) != 0)
        fail_msg("step %zu (%s): state %s", at, step->kind, item->state_after);
    assert_true((item->effect == EFFECT_COUNTS) == !step->why[0]);
    history_clear(&h);
}

void story_found(const char *scope, const struct story_step *step)
{
    struct kind_problem problem = {.what = ""};
    scope_text = scope;
    count = 0;
    record(step);
    township_node_take_all(&node, &town);
    key = (struct thing_key){township_node_scope(&node, scope), events[0]->subject};
    check(step, 0);
    const struct kind *kind = kind_find(slice_of_text(step->kind));
    enum err err = thing_may_found(kind, step->who == AUTHORITY, events[0]->body, &problem);
    assert_int_equal(err, step->why[0] ? ERR_RANGE : OK);
    char why[96];
    snprintf(why, sizeof why, "%s%s%s", problem.field, problem.field[0] ? " " : "", problem.what);
    assert_string_equal(why, step->why);
}

/* The recorder's question: asked of the rows as they are before the event arrives. */
static void ask(const struct story_step *step, size_t at)
{
    struct txn *t;
    struct thing_outlook outlook;
    struct kind_problem problem = {.what = ""};
    const struct event *e = events[count - 1];
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    const struct request_act act = {
        .roster = roster,
        .kind = e->kind,
        .roles = device_of(step->who)->roles,
        .author = e->feed.author,
        .has_by = e->has_by,
        .by = e->by,
        .time_ms = HLC_MS(e->time),
        .body = e->body,
    };
    assert_int_equal(
        views_outlook(&(struct outlook_memo){0}, t, key.scope_number, &key.thing, &outlook), OK);
    enum err err = subject_may(t, &key, outlook.type, kind_find(e->kind), &act, &problem);
    txn_abort(t);
    if (strcmp(problem.what, step->why) != 0 || (err == OK) != !step->why[0])
        fail_msg("step %zu (%s), asked before: \"%s\", not \"%s\"", at, step->kind, problem.what,
                 step->why);
}

void story_play(const struct story_step *steps, size_t step_count)
{
    for (size_t i = 0; i < step_count; i++) {
        record(&steps[i]);
        ask(&steps[i], i);
        township_node_take_all(&node, &town);
        check(&steps[i], i);
    }
}

const char *story_row(void)
{
    struct txn *t;
    struct thing_outlook outlook;
    struct slice row;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(
        views_outlook(&(struct outlook_memo){0}, t, key.scope_number, &key.thing, &outlook), OK);
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, outlook.type, &key);
    assert_true(row_get(t, &row_key, &row));
    json_t *value = json_of_value(row);
    txn_abort(t);
    char *text = json_dumps(value, JSON_SORT_KEYS);
    json_decref(value);
    return keep(text);
}

const char *story_event(size_t step)
{
    char *text = malloc(2 * sizeof events[step]->id.bytes + 1);
    if (text) hex_encode(text, events[step]->id.bytes, sizeof events[step]->id.bytes);
    return keep(text);
}

void story_row_has(const char *part)
{
    const char *row = story_row();
    if (!strstr(row, part)) fail_msg("%s is not in %s", part, row);
}

void story_row_lacks(const char *part)
{
    const char *row = story_row();
    if (strstr(row, part)) fail_msg("%s is in %s", part, row);
}
