#pragma once
/*
 * What no two rows may have in common: the phone of a volunteer, the reference of a message. Values
 * of the records that are held and of the rows taken so far, by a hash of their own. Phones are
 * compared by their digits alone.
 */
#include "tools/cli.h"

struct import_known_entry {
    uint64_t line;   /* of the row that has it; 0: a record */
    char number[24]; /* of the record */
    uint32_t text_at, text_size;
};
struct import_known {
    bool loaded, phones;
    struct buf texts;   /* the values, one after the other */
    struct buf entries; /* struct import_known_entry */
    uint32_t *slots;    /* open addressing: entry + 1; 0: free */
    size_t slot_count;  /* a power of 2 */
};

/* Once, from the records: volunteers in service by their phones, requests by their references. In
 * the recorder's transaction where one is `open`. Errors: ERR_NOMEM, the store's. */
MUST_CHECK enum err import_known_load(struct import_known *k, struct cli *cli,
                                      const struct kind *kind, bool open);
/* Borrowed until the next add. */
bool import_known_find(const struct import_known *k, struct slice value,
                       const struct import_known_entry **out);
/* Nothing is added for an empty value. Errors latch in k->entries. */
void import_known_add(struct import_known *k, struct slice value, uint64_t line);
void import_known_clear(struct import_known *k);
