#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/requests.h"

#include <stdio.h>
#include <string.h>

struct play play;
const struct thing_id play_clerk = {"clerk"}, play_visitor = {"visitor"};

static struct township_device *device_of(enum play_actor who)
{
    return who == HUB ? &play.town.hub : &play.town.devices[who - VILLAGE];
}

int play_set_up(void **state)
{
    (void)state;
    play.taken = 0;
    township_begin(&play.town, 2);
    (void)township_join(&play.town, "", ROLE_UNIT, 'B');
    township_node_open(&play.node, &play.town, &play.town.hub);
    play_register("help", NULL, 0);
    return 0;
}

void play_join_desk(void)
{
    (void)township_join(&play.town, "", ROLE_DISPATCH, 'C');
}

int play_tear_down(void **state)
{
    (void)state;
    township_node_close(&play.node);
    township_end(&play.town);
    return 0;
}

void play_register(const char *nature, const char *more, uint64_t time_ms)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"
             "\"nature\":\"%s\",\"category\":\"0103\",\"urgency\":2%s%s}",
             nature, more ? "," : "", more ? more : "");
    const struct event *e = township_record(
        &play.town, device_of(VILLAGE),
        &(struct township_act){.kind = "request.register", .body = body, .time_ms = time_ms});
    play.subject = e->subject;
    play.newest = e->id;
    play.events = 1;
}

void play_record(const struct play_act *act, uint32_t depth, uint32_t seen)
{
    play.newest = township_record(&play.town, device_of(act->who),
                                  &(struct township_act){.kind = act->kind,
                                                         .scope = PLAY_SCOPE,
                                                         .subject = &play.subject,
                                                         .depth = depth,
                                                         .seen = seen,
                                                         .by = act->by,
                                                         .body = act->body,
                                                         .time_ms = act->time_ms,
                                                         .untrusted = act->untrusted})
                      ->id;
    play.events++;
}

static void compare(const struct play_act *act, size_t i, const struct history_item *item)
{
    if (item->effect != act->effect)
        fail_msg("act %zu (%s): %s, %s", i, act->kind, effect_name(item->effect), item->reason);
    if (strcmp(item->state_after, request_state_name(act->after)) != 0)
        fail_msg("act %zu (%s): then %s", i, act->kind, item->state_after);
    assert_true((item->effect == EFFECT_COUNTS) == (item->reason[0] == 0));
    if (act->reason && !strstr(item->reason, act->reason))
        fail_msg("act %zu (%s): because %s", i, act->kind, item->reason);
}

static void take_new(void)
{
    struct township *t = &play.town;
    township_node_take(&play.node, t->events + play.taken, t->event_count - play.taken);
    play.taken = t->event_count;
}

void play_acts(const struct play_act *acts, size_t count)
{
    uint32_t before = play.events;
    for (size_t i = 0; i < count; i++) play_record(&acts[i], play.events, play.events);
    take_new();

    struct txn *t;
    struct history h;
    uint32_t scope = township_node_scope(&play.node, PLAY_SCOPE);
    assert_int_equal(txn_begin(play.node.store, false, &t), OK);
    assert_int_equal(views_history(play.node.views, t, scope, &play.subject, &h), OK);
    txn_abort(t);
    assert_int_equal(h.type, THING_REQUEST);
    assert_int_equal(h.count, before + count);
    for (size_t i = 0; i < count; i++) compare(&acts[i], i, &h.items[before + i]);
    history_clear(&h);
}

struct request play_row(void)
{
    static uint8_t bytes[4096];
    struct txn *t;
    struct request r;
    uint8_t name[ROW_THING_KEY_SIZE];
    take_new();
    const struct thing_key thing = {township_node_scope(&play.node, PLAY_SCOPE), play.subject};
    const struct row_key key = row_thing_key(name, THING_REQUEST, &thing);
    struct slice row;
    assert_int_equal(txn_begin(play.node.store, false, &t), OK);
    assert_true(row_get(t, &key, &row));
    assert_true(row.size <= sizeof bytes);
    memcpy(bytes, row.data, row.size);
    assert_int_equal(request_row_read(&r, slice_of(bytes, row.size)), OK);
    txn_abort(t);
    return r;
}
