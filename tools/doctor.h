#pragma once
/* What the files of `sidan doctor` share. */
#include "tools/standing.h"

struct doctor {
    struct cli *cli;
    json_t *problems; /* NULL: they are printed */
    size_t count;
};
/* Prints one problem, or keeps it for the JSON object. */
void doctor_found(struct doctor *d, const char *code, const char *what, const char *todo);

/* Forks, copies and roll-backs, revoked devices, the authority, erasures. Reports errors itself. */
int doctor_trust(struct doctor *d, struct txn *txn, const struct standing *s);
