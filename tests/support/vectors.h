#pragma once
/* Reading the golden vectors of tests/vectors in a unit; a mistake fails the test. Run from the
 * root of the tree. */
#include "proto/crypto.h"
#include "proto/json.h"

json_t *vectors_load(const char *name); /* owned by the caller */
const char *vectors_text(const json_t *object, const char *key);
/* Bytes of a hex member, owned by the caller. */
struct buf vectors_bytes(const json_t *object, const char *key);
void vectors_fixed(const json_t *object, const char *key, void *out, size_t size);
struct signer vectors_signer(const json_t *object, const char *key); /* from a seed */
void vectors_assert_hex(struct slice bytes, const json_t *object, const char *key);
void vectors_assert_value(struct slice encoded, const json_t *object, const char *key);
