#pragma once
/*
 * A bundle is written for a person: to a stick, in as many files as it takes, each of them whole
 * before the next begins; or to a pipe.
 */
#include "node/bundle_making.h"
#include "tools/cli.h"

#include <jansson.h>

struct packing {
    struct cli *cli;
    const char *what; /* was not done, if it fails */
    struct bundle_making making;
    const char *to; /* for people */
    /* filled by writing: */
    struct bundle_plan plan;
    struct bundle_made made; /* of all files; the number of the first */
    json_t *files;           /* the names of those that are whole */
};
struct packing packing_of(struct cli *cli);
void packing_end(struct packing *e);
/* The clock, and who this device is. The caller ends the transaction, where this succeeds. */
int packing_begin(struct packing *e, struct txn **t, const struct roster **roster,
                  const struct device **self);
/* Whom it is for. */
int packing_to(struct packing *e, const struct device *d);
/* To this file, or into this folder. */
int packing_write(struct packing *e, const char *path);
int packing_write_stdout(struct packing *e);
/* The i-th file; NULL when there are fewer. */
const char *packing_file(const struct packing *e, size_t i);
void packing_say(const struct packing *e);
