#pragma once
/*
 * The month's traffic against its limit: what `status` and `sync` tell of it.
 *
 * What a village seals for the office alone shows in nothing that this laptop tells (SPEC 19), so
 * there all figures are whole tenths of a megabyte; exact ones are the hub's.
 */
#include "node/store/traffic.h"
#include "tools/cli.h"

#include <jansson.h>

struct month {
    struct traffic today, all; /* of all peers; all: in the month so far */
    uint64_t limit;            /* bytes both ways; 0: none */
    bool holding;              /* only the roster and what is urgent goes */
    bool trusted;              /* the clock may begin the next month */
    bool coarse;               /* whole tenths of a megabyte */
    uint32_t day, resumes;     /* days since 1970; the next month's first */
};
/* Reports errors itself. */
int month_read(struct cli *cli, struct txn *txn, struct month *out);
/* One peer's, as exact as this node tells it. */
struct traffic_now month_peer(struct txn *txn, const struct month *m, const struct sign_key *peer);
/* "12.3 MB", both ways together */
const char *month_words(struct cli *cli, const struct month *m, const struct traffic *bytes);
/* "12-01" */
const char *month_resumes(struct cli *cli, const struct month *m);
/* {day, today, month, limit, holding, resumes} */
json_t *month_json(const struct month *m);
/* {sent, received} */
json_t *month_bytes_json(const struct traffic *bytes);
/* With a limit, or when `always`. */
void month_lines(struct cli *cli, const struct month *m, bool always);
