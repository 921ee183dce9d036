#pragma once
/* What the guards have to know of the effective acts before the one they judge: kept while acts are
 * folded, and made again from a row's listed acts. */
#include "node/views/thing.h"

/* A volunteer, or the number of a card: text ends with zeros. */
struct past_key {
    uint8_t bytes[32];
};
struct past_entry {
    struct past_key key;
    uint64_t granted; /* fen */
    bool paid;
};
enum { ENTRY_OUT = 1, ENTRY_OBJECTED = 2 }; /* of an entry in a sheet of points */

struct thing_past {
    struct buf entries;     /* struct past_entry by key: signed up, cards out, grants */
    uint64_t granted, paid; /* fen, together */
    bool card_consent;
    uint8_t points[SHEET_ROWS_MAX + 1]; /* ENTRY_* by number from 1 */
};
void past_reset(struct thing_past *p);
void past_clear(struct thing_past *p);

struct past_key past_key_of(struct slice bytes);
/* Borrowed until the next change; NULL: not there. */
struct past_entry *past_find(const struct thing_past *p, const struct past_key *key);
/* Entries in order of their keys, none of them there yet. Errors latch in p->entries. */
void past_add(struct thing_past *p, const struct past_entry *entries, size_t count);
void past_remove(struct thing_past *p, const struct past_key *key);

/* A sheet's rows of [person, ...], sorted by person. */
struct sheet_row {
    struct past_key person;
    uint64_t number[3]; /* what the columns behind the person that are numbers say, in order */
};
/* Reads `body`'s rows; at most SHEET_ROWS_MAX. */
size_t sheet_read(struct slice body, struct sheet_row out[SHEET_ROWS_MAX]);
