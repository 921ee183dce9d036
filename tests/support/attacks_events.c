/* Well formed and well signed, and without a right or a sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <stdio.h>
#include <string.h>

#define GOOD_REQUEST                                                                               \
    "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"                   \
    "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}"

static const struct event *says(const struct township_act *act)
{
    const struct event *e = enemy_says(act);
    turns(2);
    return e;
}

static const struct event *registers(void)
{
    enemy_says_hello();
    return says(&(struct township_act){.kind = "request.register", .body = GOOD_REQUEST});
}

static void acts_on(const struct thing_id *subject, const struct attack *a, uint32_t depth)
{
    enemy_says_hello();
    says(&(struct township_act){.kind = a->kind,
                                .scope = a->scope,
                                .subject = subject,
                                .depth = depth,
                                .seen = depth,
                                .body = a->body});
}

void event_alone(const struct attack *a)
{
    enemy_says_hello();
    says(&(struct township_act){.kind = a->kind, .scope = a->scope, .body = a->body});
}

void event_on_its_own_request(const struct attack *a)
{
    const struct event *request = registers();
    says(&(struct township_act){
        .kind = a->kind, .subject = &request->subject, .depth = 1, .seen = 1, .body = a->body});
}

/* Which the township registered in the enemy's village. */
void event_on_the_hubs_request(const struct attack *a)
{
    const struct event *request =
        hub_learns(&scene.township.hub, &(struct township_act){.kind = "request.register",
                                                               .scope = ENEMY_SCOPE,
                                                               .body = GOOD_REQUEST});
    acts_on(&request->subject, a, 1);
}

/* The thing of the other village, named in a scope of its own: there it is nothing. */
void event_on_a_foreign_request(const struct attack *a)
{
    acts_on(&scene.township.events[scene.township.event_count - 1]->subject, a, 1);
}

void event_on_the_hub(const struct attack *a)
{
    acts_on(&scene.township.hub.thing, a, 1);
}

void event_on_itself(const struct attack *a)
{
    acts_on(&scene.enemy->thing, a, 2);
}

void event_on_the_township(const struct attack *a)
{
    acts_on(&scene.township.events[0]->subject, a, 1);
}

void event_on_nothing(const struct attack *a)
{
    static const struct thing_id nothing = {{1}};
    acts_on(&nothing, a, 1);
}

void event_at(const struct attack *a)
{
    enemy_says_hello();
    says(&(struct township_act){
        .kind = "request.register", .body = GOOD_REQUEST, .time_ms = a->number});
}

void event_of_depth(const struct attack *a)
{
    const struct event *request = registers();
    says(&(struct township_act){.kind = "request.supplement",
                                .subject = &request->subject,
                                .depth = (uint32_t)a->number,
                                .seen = (uint32_t)a->number,
                                .body = "{\"what\":\"answer\"}"});
}

/* An extension that a later version says must be understood. */
void event_with_extension(const struct attack *a)
{
    static const uint8_t ext[] = {0x81, 0xcc, 0x80, 0xc4, 0x01, 0x00};
    (void)a;
    enemy_says_hello();
    says(&(struct township_act){
        .kind = "request.register", .body = GOOD_REQUEST, .ext = slice_of(ext, sizeof ext)});
}

/* Deep, then shallow in the same feed: as if the earlier one had not been known. */
void event_that_sinks(const struct attack *a)
{
    const struct event *request = registers();
    (void)a;
    for (uint32_t depth = 3; depth >= 1; depth -= 2) {
        says(&(struct township_act){.kind = "contact.log",
                                    .subject = &request->subject,
                                    .depth = depth,
                                    .seen = 3,
                                    .body = "{\"method\":\"phone\",\"reached\":true}"});
        if (depth == 1) break;
    }
}

void events_beyond_limit(const struct attack *a)
{
    const struct event *request = registers();
    for (uint32_t i = 1; i <= a->number; i++) {
        enemy_says(&(struct township_act){.kind = "contact.log",
                                          .subject = &request->subject,
                                          .depth = i,
                                          .seen = i,
                                          .body = "{\"method\":\"phone\",\"reached\":false}"});
        if (i % 64 == 0) turns(1);
    }
    turns(4);
}

void body_too_large_for_town(const struct attack *a)
{
    char body[EVENT_TOWN_BODY_SIZE_MAX + 32];
    size_t used = (size_t)snprintf(body, sizeof body, "{\"x\":\"");
    (void)a;
    memset(body + used, 'a', EVENT_TOWN_BODY_SIZE_MAX);
    memcpy(body + used + EVENT_TOWN_BODY_SIZE_MAX, "\"}", 3);
    enemy_says_hello();
    says(&(struct township_act){.kind = "activity.record", .scope = "town", .body = body});
}
