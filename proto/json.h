#pragma once
/*
 * JSON (jansson) and canonical msgpack: how people and scripts write and read bodies and boxes.
 *
 *   JSON                     msgpack
 *   null, true, string       nil, bool, str
 *   integer                  the shortest int; a fraction or exponent is refused
 *   array, object            array, map with text keys
 *   {"$bin":"00ff"}          bin
 *   {"$uint":"1844…615"}     an integer over 2^63-1, which JSON libraries lose
 *
 * Fields that the kind's table knows read more easily: THING and BYTES are plain hex text, TIME is
 * text like "2026-11-23 15:20" or milliseconds. Other fields, and all nested values, take the form
 * above, so every msgpack value survives the way to JSON and back.
 */
#include "proto/kinds.h"

#include <jansson.h>

/* Memory that is kept from one object to the next. `{0}` is ready; clear at the end. */
struct json_packer {
    struct mp_map maps[MSGPACK_DEPTH_MAX];
};
void json_packer_clear(struct json_packer *p);

/* Appends `object` as an encoded map. `kind` may be NULL. Errors: ERR_MALFORMED with *problem
 * filled, ERR_LIMIT (depth), ERR_NOMEM. */
MUST_CHECK enum err json_pack_map(struct json_packer *p, struct buf *out, json_t *object,
                                  const struct kind *kind, struct kind_problem *problem);

/* An encoded, scanned value as JSON; NULL when memory is short. Owned by the caller. */
json_t *json_of_value(struct slice value);
/* An encoded map of a kind's fields: `kind` (may be NULL) tells which are shown as plain hex. Empty
 * bytes: an empty object. */
json_t *json_of_fields(struct slice map, const struct kind *kind);
