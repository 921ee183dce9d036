#pragma once
/* Reading fields of an event's body, which was checked against its kind: what is not there reads as
 * empty, 0 or false. Maps are canonical. */
#include "proto/kinds.h"
#include "proto/event.h"

bool body_has(struct slice body, const char *key);
struct slice body_text(struct slice body, const char *key);
struct slice body_bin(struct slice body, const char *key);
/* Copies a bin of exactly `size` bytes; false, with `out` as it was: there is none such. */
bool body_bytes(struct slice body, const char *key, void *out, size_t size);
bool body_thing(struct slice body, const char *key, struct thing_id *out);
uint64_t body_uint(struct slice body, const char *key);
bool body_bool(struct slice body, const char *key);
/* A reader of the rows (or list) in `key` that stands at its first element; *count of them. */
struct mp_reader body_rows(struct slice body, const char *key, size_t *count);
/* Appends the map of those of its entries that are fields of the kind. */
void body_known(struct buf *out, const struct kind *kind, struct slice body);
/* Appends the map of all entries of both; where a key is in both, `over`'s. */
void body_join(struct buf *out, struct slice base, struct slice over);
/* Does an `ext` (empty: none) have a key that must be understood (SPEC 6.7)? */
bool body_ext_unknown(struct slice ext);
