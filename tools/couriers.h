#pragma once
/*
 * What couriers said that they took along and handed over (kinds courier.*), as `courier status`
 * and `status` tell it, with what came in here by then.
 */
#include "node/store/bundles.h"
#include "node/views/thing.h"
#include "tools/output.h"

/* An older one is told no more: what was in it came with another long ago. */
#define COURIERS_SHOWN_MS (UINT64_C(90) * 24 * 3600 * 1000)
#define COURIERS_MAX 4096u

struct courier_leg {
    struct thing_key key;
    struct bundle_id bundle;
    struct sign_key author; /* the carrying device */
    char from[13], to[13];  /* village codes, as was said; "" not said, to: the township */
    uint64_t size, taken_ms;
    uint64_t given_ms; /* the last time; 0: it is carried still */
    char how[8];       /* it was given: "stick", "link" */
    const char *with;  /* the person, or the device */
    bool refused;      /* carried here, and refused where it is for */
    bool came;         /* it was taken in here: */
    struct bundle_noted noted;
};
struct couriers {
    struct courier_leg *legs; /* owned; the newest first */
    size_t count;
};
/* Of the scopes that are held here. Reports errors itself. */
int couriers_read(struct cli *cli, struct txn *txn, const struct roster *roster,
                  struct couriers *out);
void couriers_clear(struct couriers *c);
/* Should it have come in here, and has not? The hub alone knows. */
bool courier_waits(const struct courier_leg *leg);

json_t *couriers_json(const struct couriers *c, bool hub);
/* "X's file for the township left on ... with ..., not yet in" of each that waits at the hub, of
 * all villages or of one. */
int couriers_lines(struct cli *cli, struct txn *txn, const struct roster *roster, const char *only);
/* How much is carried here for others; nothing where there is nothing. */
int couriers_carried_line(struct cli *cli);
/* From where, and for whom, for people. */
const char *courier_from_words(const struct roster *roster, const struct courier_leg *leg);
const char *courier_to_words(const struct roster *roster, const struct courier_leg *leg);
