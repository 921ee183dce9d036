#pragma once
/* The names of the categories of requests, for lists: read once, looked up by code. */
#include "node/views/rules.h"
#include "tools/act.h"
#include "tools/cli.h"

#define CATEGORY_NAMES_MAX 200

struct category_names {
    struct category items[CATEGORY_NAMES_MAX]; /* borrowed from the rules as they were read */
    size_t count;
};
/* Of the list in force now; none where there is no list or it cannot be read. */
void category_names_read(struct cli *cli, struct txn *t, struct category_names *out);
/* In the language shown; empty for a code that is not in the list. */
struct slice category_name(const struct category_names *names, struct slice code);
/* "0102 排水排污" into `out`; the code alone where it has no name. */
void category_print(struct buf *out, const struct category_names *names, struct slice code);

/* What a person types for a category: its code, or its name in the list in force, for which the
 * code then stands in `*text`. Without a list every code is taken. Errors: ERR_RANGE with *problem,
 * the transaction's. */
MUST_CHECK enum err category_typed(struct cli *cli, const char **text, struct act_problem *problem);
