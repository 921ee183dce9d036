#pragma once
/*
 * correct.entry (SPEC 14.13): a field of one record of a thing was entered wrongly. It takes effect
 * when the target is a record about the same thing by the same device and its kind has the field.
 * Of a field of the body `value` is there and fits it (text, uint, date, choice, code); of a
 * personal one `value` is not, for the new one stands in the box. What the correction does is its
 * type's to say.
 */
#include "node/views/fold.h"

struct correction {
    const struct kind *kind;   /* of the target */
    const struct field *field; /* of its kind */
    bool founding;             /* the target founds the thing */
    bool personal;
    struct slice map; /* {field: value}; empty where personal. Borrows `bytes` */
};
bool correction_is(const struct kind *kind);
/* `item` of the fold, which is of kind correct.entry. `bytes` keeps the map. NULL, or why it has no
 * effect. Latches errors in bytes. */
const char *correction_of(struct correction *out, const struct fold *f,
                          const struct fold_item *item, struct buf *bytes);
/* The same for what `author` is about to record of the thing. Errors: ERR_STATE with `*why`, the
 * transaction's. */
MUST_CHECK enum err correction_may(struct correction *out, struct txn *t,
                                   const struct roster *roster, const struct thing_key *key,
                                   const struct sign_key *author, struct slice body,
                                   struct buf *bytes, const char **why);
/* `fields` (of the founding event, as corrected so far) with this correction, borrowed from `kept`,
 * which may be what `fields` borrows. Latches errors there. */
struct slice correction_join(const struct correction *c, struct slice fields, struct buf *kept,
                             struct buf *spare);
