#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <string.h>

static struct odd own(void)
{
    return (struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)};
}

/* --- links ---------------------------------------------------------------------------------- */

void middle_of_a_chain(const struct attack *a)
{
    (void)a;
    struct odd o = own();
    struct event first = odd_event(&o);
    enemy_says_hello();
    o.seq = 2;
    o.prev = first.id;
    enemy_sends_event(&o);
}

/* The third says that it follows the first; a run cannot say so, and its id is another one. */
void broken_link(const struct attack *a)
{
    (void)a;
    struct event events[3];
    struct odd o = own();
    events[0] = odd_event(&o);
    for (size_t i = 1; i < 3; i++) {
        o.seq = i + 1;
        o.prev = events[0].id;
        events[i] = odd_event(&o);
    }
    enemy_says_hello();
    enemy_sends_events(events, 3);
}

void base_not_held(const struct attack *a)
{
    (void)a;
    struct odd o = own();
    struct event first = odd_event(&o);
    struct bad_run r;
    o.seq = 2;
    o.prev = first.id;
    struct event second = odd_event(&o);
    enemy_says_hello();
    run_after(&r, &first, &second, 1);
    run_sent(&r);
}

void base_of_another_feed(const struct attack *a)
{
    (void)a;
    struct bad_run r;
    const struct event *roster = scene.township.events[0];
    struct odd o = own();
    o.seq = roster->seq + 1;
    o.prev = roster->id;
    struct event next = odd_event(&o);
    enemy_says_hello();
    run_after(&r, roster, &next, 1);
    run_sent(&r);
}

static struct event first_arrives(struct odd *o)
{
    struct event first = odd_event(o);
    enemy_says_hello();
    enemy_sends_events(&first, 1);
    turns(2);
    o->seq = 2;
    o->prev = first.id;
    return first;
}

void base_with_another_id(const struct attack *a)
{
    (void)a;
    struct bad_run r;
    struct odd o = own();
    struct event first = first_arrives(&o), second = odd_event(&o);
    run_after(&r, &first, &second, 1);
    r.frame.run.base_id8[7] ^= 1;
    run_sent(&r);
}

void dictionary_not_held(const struct attack *a)
{
    (void)a;
    struct bad_run r;
    struct odd o = own();
    struct event e = odd_event(&o);
    enemy_says_hello();
    run_begin(&r, &e, 1);
    r.frame.run.has_dictionary = true;
    r.frame.run.base_seq = 1;
    run_sent(&r);
}

void dictionary_of_other_bytes(const struct attack *a)
{
    (void)a;
    struct bad_run r;
    struct odd o = own();
    struct event first = first_arrives(&o), second = odd_event(&o);
    run_after(&r, &first, &second, 1);
    r.frame.run.has_dictionary = true;
    r.frame.run.check4[0] ^= 1;
    run_sent(&r);
}

/* --- played again --------------------------------------------------------------------------- */

void run_played_again(const struct attack *a)
{
    struct odd o = own();
    struct event e = odd_event(&o);
    enemy_says_hello();
    for (uint64_t i = 0; i < a->number; i++) {
        enemy_sends_events(&e, 1);
        if (i % 64 == 63) turns(1);
    }
}

/* Who forwards may; the roster of yesterday brings nothing. */
void roster_played_back(const struct attack *a)
{
    (void)a;
    struct bad_run r;
    enemy_says_hello();
    for (size_t i = 0; i < scene.township.roster_count; i++) {
        const struct event *e = scene.township.events[i];
        if (e->seq != 1) continue;
        run_begin(&r, e, 1);
        run_sent(&r);
    }
}

/* --- two with one number -------------------------------------------------------------------- */

void equivocation(const struct attack *a)
{
    struct odd o = own();
    enemy_says_hello();
    for (uint64_t i = 0; i < a->number && !scene.refused; i++) {
        enemy_sends_event(&o);
        turns(2);
    }
}

void fork_in_town(const struct attack *a)
{
    (void)a;
    struct odd o = {.feed = feed_in(scene.enemy, "town")};
    enemy_says_hello();
    for (unsigned i = 0; i < 2; i++) enemy_sends_event(&o);
}

void epochs(const struct attack *a)
{
    struct odd o = {.feed = feed_in(scene.enemy, a->scope)};
    o.feed.has_epoch = true;
    enemy_says_hello();
    for (uint64_t i = 1; i <= a->number && !scene.refused; i++) {
        be64_put(o.feed.epoch, i);
        enemy_sends_event(&o);
        turns(1);
    }
}

/* --- feeds that are not its own ------------------------------------------------------------- */

static void first_of(struct feed feed)
{
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed});
}

void feed_of_its_own(const struct attack *a)
{
    first_of(feed_in(scene.enemy, a->scope));
}

void feed_of_a_village(const struct attack *a)
{
    first_of(feed_in(&scene.township.devices[1], a->scope));
}

void feed_of_the_hub(const struct attack *a)
{
    first_of(feed_in(&scene.township.hub, a->scope));
}

void feed_of_the_authority(const struct attack *a)
{
    first_of(feed_in(&scene.township.authority, a->scope));
}

void feed_of_the_recovery_key(const struct attack *a)
{
    first_of(feed_in(&scene.township.recovery, a->scope));
}

static struct township_device stranger(void)
{
    struct township_device d = *scene.enemy;
    township_signer(&d.signer, 900);
    d.feed_count = 0;
    return d;
}

void feed_of_a_stranger(const struct attack *a)
{
    struct township_device d = stranger();
    first_of(feed_in(&d, a->scope));
}

static void by_short_id(const struct event *e)
{
    struct bad_run r;
    struct feed_id id;
    run_begin(&r, e, 1);
    feed_id_of(&id, &e->feed);
    r.frame.feed.whole = false;
    memcpy(r.frame.feed.id8, id.bytes, sizeof r.frame.feed.id8);
    run_sent(&r);
}

void feed_by_short_id(const struct attack *a)
{
    (void)a;
    struct odd o = own();
    struct event e = odd_event(&o);
    enemy_says_hello();
    by_short_id(&e);
}

/* The hub holds a record whose author its roster does not name any more. */
void feed_of_one_forgotten(const struct attack *a)
{
    struct township_device d = stranger();
    struct event secret = odd_event(&(struct odd){.feed = feed_in(&d, a->scope)});
    event_sign(&secret, &d.signer);
    township_node_take(&scene.hub.store, &(struct event *){&secret}, 1);
    enemy_says_hello();
    by_short_id(&secret);
}
