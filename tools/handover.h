#pragma once
/*
 * What a clerk hands over: open requests, records that have not arrived, services to be verified,
 * points on hand; as this device holds them now. On the sheet stand numbers and dates, no
 * resident's name: it lies on a desk.
 */
#include "common/time.h"
#include "node/views/actor.h"
#include "tools/output.h"

struct handover {
    struct cli *cli;
    struct thing_key from;
    struct thing_id to; /* with `to_name` */
    char from_name[ACTOR_TEXT_MAX + 1], from_unit[ACTOR_TEXT_MAX + 1];
    char to_name[ACTOR_TEXT_MAX + 1]; /* "": nobody was named yet */
    char device[DEVICE_NAME_SIZE_MAX + 1];
    char day[TIME_TEXT_SIZE];    /* the last one */
    const char *present, *note;  /* NULL: none */
    uint64_t open, overdue;      /* requests */
    uint64_t unsent;             /* records that no township device has shown to hold */
    uint64_t unverified, points; /* services; tenths of points of this year's account */
    struct buf lines;            /* of the sheet, one for each open request */
    json_t *requests;            /* the same */
};
/* Counts, as of the transaction; `from` and the texts are the caller's. Reports errors itself. */
int handover_read(struct handover *h, struct txn *txn);
/* The sheet to be signed by both, 78 columns. */
void handover_sheet(struct handover *h, struct buf *out);
json_t *handover_json(struct handover *h);
void handover_clear(struct handover *h);
