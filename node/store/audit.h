#pragma once
/*
 * Checks of the raw store: every hash, link and the newest signature of each branch; indexes
 * against the log. And its printer (`sidan log --raw`).
 */
#include "node/store/rows.h"

struct audit_options {
    bool all_signatures;
    uint64_t first_arrival, last_arrival; /* 0,0: all (a scrub's slice otherwise) */
    void (*progress)(void *state, uint64_t done, uint64_t total);
    void (*problem)(void *state, uint64_t arrival, enum err err, const char *what);
    void *state;
};
struct audit_result {
    uint64_t events, signatures, problems;
};
/* Reads in slices, so no reader is held for long. */
MUST_CHECK enum err audit_run(struct store *s, const struct audit_options *options,
                              struct audit_result *out);

/* BLAKE2b-256 "sidan/events" over the sorted ids of the events held in a scope. */
MUST_CHECK enum err audit_events_digest(struct store *s, uint32_t scope_number, struct hash *out,
                                        uint64_t *events);

/* Prints every table, key and value of the store, one line each, in hex and words. */
MUST_CHECK enum err audit_print_raw(struct store *s, void (*line)(void *state, const char *text),
                                    void *state);
