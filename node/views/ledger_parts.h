#pragma once
/* What the files of the ledger share: gathering its parts, before they are put in order. */
#include "node/views/ledger.h"

#define LEDGER_RUNS_MAX 64 /* of a year that are looked at: later ones redeem nothing */

struct ledger_loading {
    struct ledger *ledger;
    struct txn *txn;
    uint32_t scope_number; /* the last one asked for, and its village */
    char village[13];
    size_t person_capacity, entry_capacity, service_capacity, publicity_capacity;
    struct ledger_outcome {
        struct thing_id activity;
        uint32_t outcomes;
    } * outcomes; /* by activity */
    size_t outcome_count, outcome_capacity;
    enum err err;
};

/* Room for one more of `count` items; NULL and l->err when there is no memory, the items stay. */
void *ledger_grow(struct ledger_loading *l, void *items, size_t count, size_t *capacity,
                  size_t size);
/* The village of a scope, "" of others. */
const char *ledger_village(struct ledger_loading *l, uint32_t scope_number);

/* Publicities and runs are there already; entries get states, in no order. */
void ledger_load_publicities(struct ledger_loading *l);
void ledger_load_entries(struct ledger_loading *l);
void ledger_load_services(struct ledger_loading *l);
/* Adds the verified services of a person, which stand together, to their sums. */
void ledger_count_services(const struct ledger *l, struct ledger_person *person);
