/* States of `town` that no hub signed, or that say what cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <string.h>

static void sends(const struct sign_key *hub, uint64_t number, uint8_t feed, bool lie)
{
    struct town_state s = {.hub = *hub, .generation = {9}, .number = number};
    struct town_head heads[2] = {{.feed8 = {feed}, .seq = 1}, {.feed8 = {feed}, .seq = 2}};
    struct buf frame = {0};
    town_digest(&s.digest, heads, 2);
    assert_int_equal(town_sign(&s, &scene.township.authority.signer.key, &scene.enemy->signer), OK);
    if (lie) heads[1].seq = 3;
    frame_town_write(&frame, &s, heads, 2);
    enemy_sends(&frame);
}

/* It is kept by nobody, and passed on to nobody. */
static void assert_nothing_kept(struct node *n)
{
    struct txn *t = NULL;
    struct town_at at = {.hub = {{0}}};
    struct town_kept k, one, other;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    for (; towns_next(t, &at, &k); town_kept_clear(&k)) {
        assert_true(sign_key_equal(&k.state.hub, &scene.hub.keys.signer.key));
        assert_int_equal(
            town_verify(&k.state, &scene.township.authority.signer.key, &scene.hub.keys.signer.key),
            OK);
        assert_false(towns_split_get(t, &at.hub, &one, &other));
    }
    txn_abort(t);
}

static void nobody_keeps(const struct sign_key *hub)
{
    enemy_says_hello();
    for (uint8_t i = 1; i < 4; i++) sends(hub, i, i, false);
    turns(20);
    assert_nothing_kept(&scene.hub);
    assert_nothing_kept(&scene.honest);
}

void town_by_a_village(const struct attack *a)
{
    (void)a;
    nobody_keeps(&scene.enemy->signer.key);
}

void town_in_the_hubs_name(const struct attack *a)
{
    (void)a;
    nobody_keeps(&scene.hub.keys.signer.key);
}

void town_of_a_stranger(const struct attack *a)
{
    (void)a;
    nobody_keeps(&(struct sign_key){{1, 2, 3}});
}

void town_with_other_heads(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    sends(&scene.hub.keys.signer.key, 1, 1, true);
}

void town_flood(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (uint64_t i = 1; i < 20000 && !scene.refused; i++) {
        sends(&scene.hub.keys.signer.key, i, (uint8_t)(1 + i % 200), false);
        if (i % 100 == 99) turns(1);
    }
}
