#pragma once
/*
 * What a device shows of what it holds (SPEC 19.5): a village device holds its own sealed records
 * for the office and shows nobody that they exist. Whatever lists, counts, numbers or names records
 * for people asks here. A township device shows all.
 */
#include "node/views/roster.h"

struct visible {
    bool all;
    uint64_t events;  /* how many are shown */
    uint64_t *hidden; /* arrivals of those that are not, ascending */
    size_t hidden_count;
};
/* For this store's own device. Errors: ERR_NOMEM, the transaction's. visible_end frees. */
MUST_CHECK enum err visible_begin(struct visible *out, struct txn *t, const struct roster *roster);
void visible_end(struct visible *s);

/* The rule: is this scope shown by `self` (NULL: not in the roster yet)? */
bool visible_by(const struct device *self, const struct scope *scope);

bool visible_scope(const struct visible *s, const struct scope *scope);
bool visible_arrival(const struct visible *s, uint64_t arrival);
/* The number that stands for an arrival where records are numbered: how many are shown up to it. */
uint64_t visible_number(const struct visible *s, uint64_t arrival);
/* Progress over all events, as progress over those that are shown. */
void visible_progress(const struct visible *s, uint64_t *done, uint64_t *total);
/* As thing_find_prefix. */
size_t visible_find_prefix(const struct visible *s, struct txn *t, const uint8_t *prefix,
                           size_t nibbles, struct thing_key *out, size_t max);
