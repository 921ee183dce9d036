#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <stdlib.h>
#include <string.h>

/* What is NULL is as it should be. */
struct receipt {
    uint64_t counter, seq;
    const struct event *event;
    const struct signer *signer;
    const struct sign_key *addressee, *township, *receiver;
    uint8_t generation; /* 0: as in its HELLO */
    size_t entries;     /* 0: one */
    bool brief;
};

static const struct sign_key *key_or(const struct sign_key *key, const struct sign_key *other)
{
    return key ? key : other;
}

static void enemy_receipts(const struct receipt *r)
{
    static struct receipt_entry entries[RECEIPT_ENTRIES_MAX + 1];
    struct buf frame = {0};
    struct feed_id id;
    struct frame_receipt f = {
        .counter = r->counter, .credit = MIB(1), .entry_count = r->entries ? r->entries : 1};
    struct receipt_parties parties = {
        .township = *key_or(r->township, &scene.township.authority.signer.key),
        .receiver = *key_or(r->receiver, &scene.enemy->signer.key),
        .addressee = *key_or(r->addressee, &scene.hub.keys.signer.key),
        .generation = {r->generation ? r->generation : 7}};
    feed_id_of(&id, &r->event->feed);
    for (size_t i = 0; i < f.entry_count; i++) {
        entries[i] = (struct receipt_entry){.seq = r->seq, .id = r->event->id, .brief = r->brief};
        memcpy(entries[i].feed8, id.bytes, sizeof entries[i].feed8);
    }
    frame_receipt_write(&frame, &f, entries, &parties,
                        r->signer ? r->signer : &scene.enemy->signer);
    enemy_sends(&frame);
}

static const struct event *roster_event(void)
{
    return scene.township.events[0];
}

static const struct event *last_of_the_authority(void)
{
    const struct event *last = roster_event();
    for (size_t i = 0; i < scene.township.roster_count; i++)
        if (feed_equal(&scene.township.events[i]->feed, &last->feed))
            last = scene.township.events[i];
    return last;
}

static void one_receipt(struct receipt r)
{
    r.counter = 5;
    r.event = r.event ? r.event : roster_event();
    r.seq = r.seq ? r.seq : r.event->seq;
    enemy_says_hello();
    enemy_receipts(&r);
}

void receipt_by_another_key(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.signer = &scene.township.devices[1].signer});
}

void receipt_for_another(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.addressee = &scene.township.devices[1].signer.key});
}

void receipt_of_another_township(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.township = &scene.enemy->signer.key});
}

void receipt_of_another_generation(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.generation = 8});
}

/* As the hub got it from the other village: good, and not the enemy's. */
void receipt_of_another_device(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.signer = &scene.township.devices[1].signer,
                                 .receiver = &scene.township.devices[1].signer.key,
                                 .generation = 1});
}

void receipt_played_again(const struct attack *a)
{
    (void)a;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(scene.refused, 0);
        one_receipt((struct receipt){0});
        turns(2);
    }
}

/* What it says of itself is believed, but no row and no commit suffers from it. */
void receipt_of_foreign_feeds(const struct attack *a)
{
    (void)a;
    const struct event *foreign = scene.township.events[scene.township.event_count - 1];
    one_receipt((struct receipt){.event = foreign});
}

void receipt_of_what_never_was(const struct attack *a)
{
    (void)a;
    struct event invented = *roster_event();
    memset(invented.id.bytes, 0xee, sizeof invented.id.bytes);
    one_receipt((struct receipt){.event = &invented, .seq = EVENT_SEQ_MAX});
}

void receipt_of_the_short_unknown(const struct attack *a)
{
    (void)a;
    struct event invented = *roster_event();
    memset(invented.id.bytes, 0xee, sizeof invented.id.bytes);
    one_receipt((struct receipt){.event = &invented, .seq = 77, .brief = true});
}

/* Now the last, now the first, again and again. */
void receipt_that_shrinks(const struct attack *a)
{
    const struct event *last = last_of_the_authority(), *first = roster_event();
    enemy_says_hello();
    turns(3);
    const unsigned sent = scene.got[FRAME_RUN];
    for (unsigned i = 0; i < a->number; i++) {
        const struct event *e = i % 2 ? first : last;
        enemy_receipts(&(struct receipt){.counter = i + 1, .seq = e->seq, .event = e});
    }
    turns(3);
    if (a->number == 2) assert_int_equal(scene.got[FRAME_RUN], sent + 1);
}

void receipt_flood(const struct attack *a)
{
    (void)a;
    const struct event *e = roster_event();
    enemy_says_hello();
    for (unsigned i = 0; i < 1200 && !scene.refused; i++) {
        enemy_receipts(&(struct receipt){.counter = i + 1, .seq = e->seq, .event = e});
        if (i % 50 == 49) turns(1);
    }
}

void receipt_of_too_many_entries(const struct attack *a)
{
    (void)a;
    one_receipt((struct receipt){.entries = RECEIPT_ENTRIES_MAX + 1, .brief = true});
}
