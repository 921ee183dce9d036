#pragma once
/*
 * What a node does about orders to erase after the boxes are gone (SPEC 22): it goes on where there
 * were thousands, rewrites the store so that old pages are gone too, and answers each order. All by
 * itself, in quiet moments, bounded: at most one part of a hundred of the time goes into rewriting.
 */
#include "node/exchange.h"
#include "node/recorder.h"

struct erasing {
    struct store *store;
    struct recorder *recorder;
    bool parts;               /* boxes are left of a thing with thousands */
    bool pages;               /* the file is to be rewritten */
    bool answers;             /* an order may be answered */
    bool told;                /* that it has to wait */
    uint64_t quiet_from_ms;   /* nothing was committed for so long */
    uint64_t latest_ms;       /* though more keeps being committed */
    uint64_t rewrite_from_ms; /* not before */
    uint64_t not_before_ms;   /* after a failure */
};

MUST_CHECK enum err erasing_open(struct erasing *e, struct store *store, struct views *views,
                                 const struct device_keys *keys);
void erasing_close(struct erasing *e);
/* The store changed: is there something to do? */
void erasing_look(struct erasing *e, struct txn *t, uint64_t now_ms);
/* Does what is due and takes no long time. */
void erasing_turn(struct erasing *e, const struct exchange_time *time);
/* Is the file to be rewritten now? It takes some seconds for each million events, and nobody else
 * may have the store open. */
bool erasing_rewrites(const struct erasing *e, uint64_t now_ms);
/* Does it. The store's file is another one afterwards. */
void erasing_rewrite(struct erasing *e);
/* How long until something is due; UINT64_MAX: nothing is. */
uint64_t erasing_wait_ms(const struct erasing *e, uint64_t now_ms);

/* Records the acknowledgements that may be given now, in commits of their own; *count of them, and
 * ERR_AGAIN while views are being rebuilt. For the command line too. */
MUST_CHECK enum err erasing_answer(struct recorder *r, const struct clock_reading *clock,
                                   size_t *count);
