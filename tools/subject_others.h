#pragma once
/* What else is held of the person whom a thing is about: things with the same phone, or the same
 * name. For who erases or hands out, so that nothing is overlooked. */
#include "node/views/search.h"
#include "tools/cli.h"

#define OTHERS_MAX 200u

struct subject_other {
    struct search_hit hit;
    bool same_phone; /* else only the name is the same: it may be somebody else */
};
struct subject_others {
    struct subject_other items[OTHERS_MAX];
    size_t count;
    bool more;
};
/* Reports errors itself. */
int subject_others_find(struct cli *cli, struct txn *txn, const struct thing_key *key,
                        struct subject_others *out);
/* "03A-0127 诉求 (same phone)", as a list names it. */
const char *subject_other_words(struct cli *cli, struct txn *txn, const struct subject_other *o);
