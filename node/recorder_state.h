#pragma once
/* What the recorder's files share. */
#include "node/deadlines.h"
#include "node/lives.h"
#include "node/recorder.h"

#define SALTS_AT_ONCE 64u

/* One of this device's feeds, as far as this commit has come. */
struct own_feed {
    struct feed feed;
    struct head head;   /* seq 0: none yet */
    bool unsigned_head; /* the head was recorded in this commit without a signature */
    struct event last;  /* the head then, what log_append needs of it; borrows `header` */
    struct buf header;
    unsigned unsigned_events;
    size_t unsigned_bytes;
    bool continues; /* it is of a later life and has no event yet: feed.continued comes first */
};

struct recorder {
    struct recorder_options options;
    struct arrival *arrival; /* within begin..commit */
    struct clock_reading clock;
    bool low_space;
    bool sign_each;
    uint64_t hlc;      /* of the last event */
    uint64_t seen_txn; /* the transaction whose heads `hlc` has seen */
    unsigned added;
    struct thing_id person;                        /* of this commit; acts on any day */
    uint8_t salts[SALTS_AT_ONCE][EVENT_SALT_SIZE]; /* one system call for many */
    size_t salts_left;
    struct own_feed *feeds; /* used in this commit */
    size_t feed_count, feed_capacity;
    struct buf header; /* of the event being made */
    struct deadlines deadlines;
    struct outlook_memo outlook;
    bool next;        /* the event being made is `next` of struct touched */
    bool lives;       /* the signer is this device's, so its lives count */
    bool behind;      /* node/lives.h; until this process signs */
    struct life life; /* of this commit */
};

/* Is the signer who the options say, as the roster stands? */
bool recorder_signer_fits(const struct recorder_options *options, const struct roster *roster);

/* The hybrid time of the event that is made next. */
uint64_t recorder_next_time(const struct recorder *r);

/* --- recorder_feeds.c: where the signer goes on --- */
/* The feed of the scope and lane, with its head as the store has it. Errors: the transaction's,
 * ERR_LIMIT (this device has used up its lives). */
MUST_CHECK enum err own_feed(struct recorder *r, const struct scope *scope, uint8_t lane,
                             struct own_feed **out);
void own_feeds_reset(struct recorder *r);
/* Own feeds of earlier lives that forked and are not said to be continued, one after the other by
 * number; false at the end. */
bool own_feed_forked(struct recorder *r, uint32_t *number, struct feed_row *out);
/* The body of feed.continued. */
MUST_CHECK enum err continued_body(struct recorder *r, const struct own_feed *own, struct buf *out);
/* May this device say feed.continued in the scope? A village seals all that it says in `office`. */
bool may_continue(struct recorder *r, const struct scope *scope);

/* Fills in what the draft states, and depth, seen and subject. Errors: as recorder_add. */
MUST_CHECK enum err recorder_check(struct recorder *r, const struct draft *draft, struct event *e,
                                   struct kind_problem *problem);
enum err recorder_refuse(struct kind_problem *problem, enum err err, const char *what);
bool recorder_is_sealed(struct slice kind);
