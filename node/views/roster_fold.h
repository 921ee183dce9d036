#pragma once
/*
 * The folds of the things that the roster is made of, and their rows (for SPEC, "Rows"): scope
 * `town`, table 't', key = type (1 byte) ‖ thing id, value = canonical msgpack array.
 *
 *   township (1): [name str, recovery bin 32 (of the authority in force), office bin 32,
 *                  authorities: array of [key bin 32, recovery bin 32, heads: array of
 *                  [feed bin 8, seq uint, id bin 16]], office keys of before: array of bin 32,
 *                  devices that official numbers were moved to: array of bin 32]
 *   village (2):  [code str, name str, short name str, pinyin str, number uint, closed bool]
 *   device (3):   [state uint (0 invited, 1 joined, 2 revoked), key, transport, invite,
 *                  invite transport, acceptor: nil | bin 32 each, village str ("": the township),
 *                  roles uint, letter str, name str, expires uint (ms), stolen bool,
 *                  keys of before: array of [key bin 32, transport bin 32],
 *                  heads that count, once it is revoked: as above,
 *                  where it listens: array of str]
 *
 * Only an authority founds them; the township the first. What `township` folds to says who the
 * authorities are, by which the others are folded: node/views/township_fold.c. A device begins as
 * enrolled (the first hub: joined at once) or as invited; the first device.joined in fold order by
 * the acceptor that the invite names, whose request both keys signed, completes it. A further one
 * with another device key marks the invite as stolen. Nothing here asks a clock: the acceptor looks
 * at the invite's expiry when it accepts.
 */
#include "node/views/roster.h"

/* Of arrays in `out` what was there is replaced. */
MUST_CHECK enum err roster_fold_read_township(struct roster *out, struct slice row);
MUST_CHECK enum err roster_fold_read_village(struct village *out, struct slice row);
/* Its earlier keys are appended to the roster's. */
/* Array of heads that count; appended to the roster's. */
MUST_CHECK enum err roster_fold_read_cuts(struct mp_reader *r, struct roster *out, uint32_t *at,
                                          uint32_t *count);
MUST_CHECK enum err roster_fold_read_device(struct device *out, struct roster *r, struct slice row);
