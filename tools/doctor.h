#pragma once
/* What the files of `sidan doctor` share. */
#include "tools/standing.h"

#define DOCTOR_CLOCK_OFF_MS (2 * 60 * 1000)
#define DOCTOR_DISK_LOW (4 * STORE_DISK_FREE_MIN)

struct doctor {
    struct cli *cli;
    json_t *problems; /* NULL: they are printed */
    size_t count;
};
/* Prints one problem, or keeps it for the JSON object. */
void doctor_found(struct doctor *d, const char *code, const char *what, const char *todo);

/* The folder, its settings, keys and store. False: there is no store to look into. */
bool doctor_home(struct doctor *d);

/* Whether the node runs, and whom it can reach or be reached by. */
void doctor_node(struct doctor *d, const struct standing *s);

/* Each peer, or those of --village. Reports errors itself. */
int doctor_peers(struct doctor *d, const struct standing *s);

/* Forks, copies and roll-backs, revoked devices, the authority, erasures. Reports errors itself. */
int doctor_trust(struct doctor *d, struct txn *txn, const struct standing *s);

/* What is carried for others, here, or at the hub by anybody. Reports errors itself. */
int doctor_courier(struct doctor *d, struct txn *txn, const struct standing *s);
