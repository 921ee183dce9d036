#pragma once
/*
 * Founding a township: keys, store, founding events and configuration of its hub in a new folder.
 * Everything or nothing is the caller's: it passes a temporary folder and renames it.
 */
#include "node/home.h"
#include "node/township.h"
#include "tools/cli.h"

struct founding_plan {
    const char *township; /* name */
    const char *hub_name;
    const char *listen;
    const char *passphrase;
    const struct township_village *villages;
    size_t village_count;
};
struct founding {
    struct sign_key authority;
    struct sign_key hub;
    struct sign_seed recovery; /* to print; the caller wipes it */
};

/* Reads the list of villages: code,name,short_name,pinyin,kind, numbered as they stand. Reports
 * what is wrong with its line. *out is owned (free). */
int founding_read_villages(struct cli *cli, const char *path, struct township_village **out,
                           size_t *count);
/* Fills `folder`, which exists and is empty, and syncs it. Reports failures. */
int founding_build(struct cli *cli, const char *folder, const struct founding_plan *plan,
                   struct founding *out);
