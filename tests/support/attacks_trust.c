/* Keys that count no more, invites that are not its own, and words in the name of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include "proto/join.h"
#include "proto/rotation.h"

#include <stdio.h>
#include <string.h>

/* --- joining -------------------------------------------------------------------------------- */

struct forged_join {
    struct signer invite, device, signs; /* `signs`: in the device's place */
    struct sign_key township;
};

static struct forged_join good_join(void)
{
    struct forged_join j = {.township = scene.township.authority.signer.key};
    township_signer(&j.invite, 1300);
    township_signer(&j.device, 501);
    j.signs = j.device;
    return j;
}

static void invite_is_open(const struct sign_key *acceptor)
{
    struct signer invite;
    struct exchange_time time = {.now_ms = ++scene.now_ms};
    township_signer(&invite, 1300);
    township_invite(&scene.township, &invite, acceptor, scene.enemy->village, ROLE_VILLAGE, 'B');
    township_node_take(&scene.hub.store, &scene.township.events[scene.township.event_count - 1], 1);
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
}

static void comes_with_an_invite(void)
{
    enemy_leaves();
    enemy_connects();
    pipe_set_invite(scene.enemy_pipe, true);
}

static void asks_to_join(const struct forged_join *j)
{
    struct join_request request = {.township = j->township,
                                   .invite = j->invite.key,
                                   .device = j->device.key,
                                   .transport = {{77, 1}},
                                   .name = "laptop",
                                   .time_ms = scene.township.time_ms};
    struct buf bytes = {0}, frame = {0};
    struct frame_join f;
    join_request_write(&bytes, &request);
    join_sign(&f, buf_slice(&bytes), &j->invite, &j->signs);
    frame_join_write(&frame, &f);
    comes_with_an_invite();
    enemy_sends(&frame);
    turns(2);
    buf_clear(&bytes);
}

void invite_used_again(const struct attack *a)
{
    struct forged_join j = good_join();
    (void)a;
    township_signer(&j.invite, 1000); /* of the enemy's own laptop */
    asks_to_join(&j);
}

void invite_used_over_and_over(const struct attack *a)
{
    for (int i = 0; i < 8; i++) {
        invite_used_again(a);
        scene.refused = 0;
        scene.hub.log[0] = '\0';
    }
    invite_used_again(a);
}

void invite_expired(const struct attack *a)
{
    const struct forged_join j = good_join();
    (void)a;
    invite_is_open(&scene.township.hub.signer.key);
    scene.township.time_ms += UINT64_C(400) * 24 * 3600 * 1000;
    asks_to_join(&j);
}

void invite_of_another_hub(const struct attack *a)
{
    const struct forged_join j = good_join();
    (void)a;
    invite_is_open(&scene.township.devices[1].signer.key);
    asks_to_join(&j);
}

void invite_nobody_gave(const struct attack *a)
{
    const struct forged_join j = good_join();
    (void)a;
    asks_to_join(&j);
}

void invite_of_another_township(const struct attack *a)
{
    struct forged_join j = good_join();
    (void)a;
    invite_is_open(&scene.township.hub.signer.key);
    j.township = scene.enemy->signer.key;
    asks_to_join(&j);
}

void invite_for_an_enrolled_key(const struct attack *a)
{
    struct forged_join j = good_join();
    (void)a;
    invite_is_open(&scene.township.hub.signer.key);
    j.device = j.signs = scene.enemy->signer;
    asks_to_join(&j);
}

void join_signed_by_another(const struct attack *a)
{
    struct forged_join j = good_join();
    (void)a;
    invite_is_open(&scene.township.hub.signer.key);
    j.device.key = scene.township.devices[1].signer.key;
    j.signs = scene.enemy->signer;
    asks_to_join(&j);
}

void join_garbled(const struct attack *a)
{
    static const uint8_t frame[] = {0x92, FRAME_JOIN, 0xc0};
    (void)a;
    comes_with_an_invite();
    pipe_inject(scene.enemy_pipe, slice_of(frame, sizeof frame));
}

void session_on_an_invite(const struct attack *a)
{
    (void)a;
    comes_with_an_invite();
    enemy_says_hello();
}

/* --- revoked -------------------------------------------------------------------------------- */

/* `head` counts and what leads to it; NULL: nothing does. */
static struct township_act revocation(char body[512], const struct township_device *of,
                                      const struct event *head)
{
    char row[256] = "";
    if (head) township_name_head(row, sizeof row, head);
    snprintf(body, 512, "{\"reason\":\"stolen\",\"heads\":[%s]}", row);
    return (struct township_act){.kind = "device.revoked",
                                 .scope = "town",
                                 .subject = &of->thing,
                                 .depth = 2,
                                 .seen = 2,
                                 .body = body};
}

void attack_revoke(const struct township_device *d, const struct event *head)
{
    char body[512];
    const struct township_act act = revocation(body, d, head);
    hub_learns(&scene.township.authority, &act);
}

static struct township_act note(void)
{
    return (struct township_act){.kind = "request.register",
                                 .body = "{\"number\":\"01A-0001\",\"channel\":\"visit\","
                                         "\"received\":1763859600000,\"nature\":\"help\","
                                         "\"category\":\"0103\",\"urgency\":2}"};
}

static const struct event *enemy_notes(void)
{
    const struct township_act act = note();
    const struct event *e = enemy_says(&act);
    turns(2);
    return e;
}

void revoked_in_its_session(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    attack_revoke(scene.enemy, enemy_notes());
    enemy_notes();
}

void revoked_and_back(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    attack_revoke(scene.enemy, enemy_notes());
    turns(2);
    enemy_leaves();
    enemy_connects();
    enemy_says_hello();
    enemy_notes();
    assert_int_equal(exchange_admit(scene.hub.exchange, &scene.enemy->transport,
                                    scene.township.time_ms + scene.now_ms),
                     LINK_DENY);
}

/* A second laptop of the enemy's village, which the hub knows. */
static struct township_device *second_laptop(void)
{
    const size_t before = scene.township.event_count;
    struct township_device *d =
        township_join(&scene.township, scene.enemy->village, ROLE_VILLAGE, 'B');
    struct exchange_time time = {.now_ms = ++scene.now_ms};
    township_node_take(&scene.hub.store, scene.township.events + before,
                       scene.township.event_count - before);
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
    return d;
}

static const struct event *passes_on_note(struct township_device *d)
{
    const struct township_act act = note();
    const struct event *e = enemy_passes_on(d, &act);
    turns(2);
    return e;
}

/* The stolen laptop is out, its accomplice in the same village is not. */
void revoked_events_by_another(const struct attack *a)
{
    struct township_device *stolen = second_laptop();
    (void)a;
    enemy_says_hello();
    attack_revoke(stolen, passes_on_note(stolen));
    passes_on_note(stolen);
    passes_on_note(stolen);
}

void revoked_with_nothing_that_counts(const struct attack *a)
{
    struct township_device *stolen = second_laptop();
    (void)a;
    attack_revoke(stolen, NULL);
    enemy_says_hello();
    for (unsigned i = 0; i < 3; i++) passes_on_note(stolen);
}

/* Beside the branch that counts, from its beginning. */
void revoked_on_another_branch(const struct attack *a)
{
    struct township_device *stolen = second_laptop();
    (void)a;
    enemy_says_hello();
    attack_revoke(stolen, passes_on_note(stolen));
    stolen->feed_count = 0;
    passes_on_note(stolen);
    passes_on_note(stolen);
}

/* --- forged changes of keys ----------------------------------------------------------------- */

static void rotates(const struct thing_id *device, const struct signer *proves)
{
    struct signer fresh;
    struct signature proof;
    char body[512], key[65], hex[129];
    township_signer(&fresh, 700);
    const struct rotation r = {.township = scene.township.authority.signer.key,
                               .device = *device,
                               .has_key = true,
                               .key = fresh.key};
    rotation_sign(&proof, &r, proves ? proves : &fresh);
    hex_encode(key, fresh.key.bytes, 32);
    hex_encode(hex, proof.bytes, sizeof proof.bytes);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"proof\":\"%s\"}", key, hex);
    enemy_says_hello();
    enemy_says(&(struct township_act){.kind = "device.rotated",
                                      .scope = "town",
                                      .subject = device,
                                      .depth = 2,
                                      .seen = 2,
                                      .body = body});
    turns(2);
}

void rotation_with_a_wrong_proof(const struct attack *a)
{
    (void)a;
    rotates(&scene.enemy->thing, &scene.enemy->signer);
}

void rotation_of_another(const struct attack *a)
{
    (void)a;
    rotates(&scene.township.devices[1].thing, NULL);
}

/* The thief of the old authority key, behind what the replacement left of it. */
void replaced_authority_goes_on(const struct attack *a)
{
    const struct event *head = NULL;
    char row[256] = "", body[1024], key[65], recovery[65], revoked[512];
    struct signer next, drawer;
    (void)a;
    for (size_t i = 0; i < scene.township.roster_count; i++)
        if (sign_key_equal(&scene.township.events[i]->feed.author,
                           &scene.township.authority.signer.key))
            head = scene.township.events[i];
    township_signer(&next, 701);
    township_signer(&drawer, 702);
    township_name_head(row, sizeof row, head);
    hex_encode(key, next.key.bytes, 32);
    hex_encode(recovery, drawer.key.bytes, 32);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"recovery\":\"%s\",\"heads\":[%s]}", key,
             recovery, row);
    hub_learns(&scene.township.recovery,
               &(struct township_act){.kind = "authority.replaced",
                                      .subject = &scene.township.events[0]->subject,
                                      .depth = 1,
                                      .seen = 1,
                                      .body = body});
    enemy_says_hello();
    const struct township_act act = revocation(revoked, &scene.township.hub, NULL);
    enemy_passes_on(&scene.township.authority, &act);
    turns(2);
    assert_int_equal(exchange_admit(scene.hub.exchange, &scene.hub.keys.transport, 0), LINK_DEVICE);
}
