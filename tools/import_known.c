#include "tools/import_known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/body.h"
#include "node/views/person.h"

enum { SLOTS_MIN = 1024 };

/* --- the set --- */

/* What is compared: of a phone its digits. */
static struct slice comparable(const struct import_known *k, struct slice value,
                               char digits[PERSON_PHONE_SIZE])
{
    char phone[PERSON_PHONE_SIZE];
    if (!k->phones) {
        return value;
    }
    snprintf(phone, sizeof phone, "%.*s", (int)value.size, (const char *)value.data);
    person_digits(phone, digits);
    return slice_of_text(digits);
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_of(struct slice value)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < value.size; i++) {
        h = (h ^ value.data[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static struct import_known_entry *entry_at(const struct import_known *k, uint32_t i)
{
    return (struct import_known_entry *)(void *)k->entries.data + i;
}

static struct slice text_of(const struct import_known *k, const struct import_known_entry *e)
{
    return slice_of(k->texts.data + e->text_at, e->text_size);
}

/* Its slot, or the free one where it would be. */
static size_t slot_of(const struct import_known *k, struct slice value)
{
    size_t at = hash_of(value) & (k->slot_count - 1);
    while (k->slots[at] != 0 && !slice_equal(text_of(k, entry_at(k, k->slots[at] - 1)), value)) {
        at = (at + 1) & (k->slot_count - 1);
    }
    return at;
}

/* Half of the slots stay free. */
static bool grow(struct import_known *k)
{
    size_t count = k->entries.size / sizeof(struct import_known_entry);
    if (2 * (count + 1) <= k->slot_count) {
        return true;
    }
    size_t slots = k->slot_count != 0 ? 2 * k->slot_count : SLOTS_MIN;
    uint32_t *more = calloc(slots, sizeof *more);
    if (more == NULL) {
        k->entries.err = ERR_NOMEM;
        return false;
    }
    free(k->slots);
    k->slots = more;
    k->slot_count = slots;
    for (size_t i = 0; i < count; i++) {
        k->slots[slot_of(k, text_of(k, entry_at(k, (uint32_t)i)))] = (uint32_t)i + 1;
    }
    return true;
}

static void add(struct import_known *k, struct slice value, uint64_t line, struct slice number)
{
    char digits[PERSON_PHONE_SIZE];
    value = comparable(k, value, digits);
    if (value.size == 0 || !grow(k)) {
        return;
    }
    size_t slot = slot_of(k, value);
    struct import_known_entry e = {
        .line = line, .text_at = (uint32_t)k->texts.size, .text_size = (uint32_t)value.size};
    if (k->slots[slot] != 0) {
        return;
    }
    snprintf(e.number, sizeof e.number, "%.*s", (int)number.size, (const char *)number.data);
    buf_append_slice(&k->texts, value);
    buf_append(&k->entries, &e, sizeof e);
    if (k->texts.err == OK && k->entries.err == OK) {
        k->slots[slot] = (uint32_t)(k->entries.size / sizeof e);
    }
}

bool import_known_find(const struct import_known *k, struct slice value,
                       const struct import_known_entry **out)
{
    char digits[PERSON_PHONE_SIZE];
    value = comparable(k, value, digits);
    uint32_t entry = k->slot_count != 0 && value.size > 0 ? k->slots[slot_of(k, value)] : 0;
    if (entry != 0) {
        *out = entry_at(k, entry - 1);
    }
    return entry != 0;
}

void import_known_add(struct import_known *k, struct slice value, uint64_t line)
{
    add(k, value, line, slice_of_text(""));
}

void import_known_clear(struct import_known *k)
{
    buf_clear(&k->texts);
    buf_clear(&k->entries);
    free(k->slots);
    *k = (struct import_known){0};
}

/* --- what is registered --- */

struct loading {
    struct import_known *known;
    struct views *views;
    struct txn *txn;
};

static bool load_volunteer(void *state, const struct thing *thing)
{
    struct loading *l = state;
    char phone[PERSON_PHONE_SIZE];
    if (strcmp(thing_state_name(THING_VOLUNTEER, thing->state), "left") != 0 &&
        person_phone(l->views, l->txn, &thing->key, phone)) {
        add(l->known, slice_of_text(phone), 0, body_text(thing->fields, "number"));
    }
    return true;
}

/* References stand in no row: they are read where the requests were registered. */
static void load_references(struct import_known *k, struct txn *t, const struct kind *kind)
{
    uint64_t last = log_count(t);
    for (uint64_t arrival = 1; arrival <= last; arrival++) {
        struct event e;
        if (log_read_unverified(t, arrival, &e) == OK && slice_is_text(e.kind, kind->name)) {
            add(k, body_text(e.body, "channel_ref"), 0, body_text(e.body, "number"));
        }
    }
}

enum err import_known_load(struct import_known *k, struct cli *cli, const struct kind *kind,
                           bool open)
{
    struct loading l = {.known = k, .views = cli->views};
    enum err e = OK;
    if (k->loaded) {
        return k->entries.err;
    }
    k->loaded = true;
    k->phones = kind->thing == THING_VOLUNTEER;
    if (open) {
        l.txn = recorder_txn(cli->recorder);
    } else {
        e = txn_begin(cli->store, false, &l.txn);
    }
    if (e != OK) {
        return e;
    }
    if (k->phones) {
        e = things_each(l.txn, THING_VOLUNTEER, 0, load_volunteer, &l);
    } else {
        load_references(k, l.txn, kind);
        e = txn_error(l.txn);
    }
    if (!open) {
        txn_abort(l.txn);
    }
    return e != OK ? e : k->entries.err;
}
