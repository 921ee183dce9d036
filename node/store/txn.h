#pragma once
/*
 * LMDB wrapped once: what the other files of node/store use. Every call takes slices, latches its
 * first error in the transaction and does nothing after it. One cursor a database (three for rows)
 * serves all reads and writes, so neighbouring keys cost no walk from the root; nobody may rely on
 * where it stood.
 *
 * A write transaction keeps the rows of the feeds and scopes it works on in memory, and the counter
 * of meta that it moved last, and writes each once at its commit.
 */
#include "node/store/layout.h"

#include <lmdb.h>

#define HOT_FEEDS 64u /* by feed number modulo this; an evicted row is written */
#define HOT_SCOPES 64u
#define TXN_CURSORS (DB_COUNT + 3)

struct hot {
    struct hot_feed {
        bool dirty;
        struct feed_row row; /* number 0: empty */
    } feeds[HOT_FEEDS];
    struct hot_scope {
        bool dirty;
        struct scope_row row;
    } scopes[HOT_SCOPES];
    uint32_t last_feed;  /* the feed appended to last; 0 none */
    uint32_t last_scope; /* the scope found last; 0 none */
    struct hot_counter {
        char name[32]; /* "": none */
        uint64_t value;
        bool dirty;
    } counter;
};

struct store {
    char *home, *path; /* <home>/store */
    struct store_options options;
    struct store_identity identity;
    MDB_env *env; /* NULL after a failed reopening */
    MDB_dbi dbi[DB_COUNT];
    int lock_fd; /* kept after a compaction, see create.c; else -1 */
    unsigned open_txns;
    uint64_t txns_begun;
    bool reserve;      /* the reserve file is there, as far as we know */
    bool broken;       /* a commit was ambiguous: reopen when no transaction is left */
    uint64_t dev, ino; /* of the directory: one environment a process and path (L8) */
    struct store *next_open;
    struct hot *hot; /* of the one write transaction */
    bool has_key;    /* that boxes are locked with (locking.h) */
    struct secret_key key;
    struct buf opened; /* the box that was verified last; wiped at the end */
};

struct txn {
    uint64_t serial;
    struct store *store;
    MDB_txn *mdb;
    MDB_cursor *cursors[TXN_CURSORS];
    struct hot *hot; /* NULL in a read transaction */
    enum err err;
    bool locks;            /* what is written is locked */
    bool keyless;          /* and there is no key for it: no box is written */
    struct buf unfinished; /* of peer_unfinished, opened */
    bool renewed;          /* a new generation counts from the commit on */
    uint8_t generation[8];
    bool cuts_known, any_cuts; /* is any author cut off? */
    uint64_t log_count;        /* of a write transaction, once asked for */
    bool log_count_known;
};

/* --- the environment, for txn.c and create.c --- */
enum err env_err(int rc); /* of an LMDB result; a programmer's error is ERR_STATE */
/* map_size 0: STORE_MAP_SIZE. */
MUST_CHECK enum err env_make(MDB_env **out, const char *path, size_t map_size, unsigned flags);
MUST_CHECK enum err env_open(struct store *s);
void env_shut(struct store *s);
MUST_CHECK enum err env_reopen(struct store *s);
/* After a commit: makes the data file as long as it says it is. */
void env_cover_file(const struct store *s);
void env_make_reserve(const char *dir);

/* --- locked boxes, for txn.c and log.c --- */
/* What a transaction that writes has to do with boxes. Errors: ERR_LOCKED. */
MUST_CHECK enum err locking_of_writer(struct txn *t);
/* Writes a record, its box locked where boxes are. */
bool log_put_record(struct txn *t, uint64_t arrival, const struct event *e, bool aside,
                    bool append);

/* --- databases --- */
bool db_get(struct txn *t, enum db db, struct slice key, struct slice *value);
/* First entry at or after `key`; last entry before it; the one before the last result of a db_find,
 * db_find_before or put in this database. false at the end. */
bool db_find(struct txn *t, enum db db, struct slice key, struct slice *found, struct slice *value);
bool db_find_before(struct txn *t, enum db db, struct slice key, struct slice *found,
                    struct slice *value);
bool db_previous(struct txn *t, enum db db, struct slice *found, struct slice *value);
void db_put(struct txn *t, enum db db, struct slice key, struct slice value);
/* false when the key is there already: *old is its value then. Also false after an error. */
bool db_put_new(struct txn *t, enum db db, struct slice key, struct slice value, struct slice *old);
/* Room for a value to be written at once, NULL on error. `append`: the key is greater than all. */
uint8_t *db_put_room(struct txn *t, enum db db, struct slice key, size_t size, bool append);
void db_delete(struct txn *t, enum db db, struct slice key); /* absent is fine */
void db_clear(struct txn *t, enum db db);
uint64_t db_entries(struct txn *t, enum db db);

/* --- what stands aside (aside.c) --- */
enum aside_verdict { ASIDE_COUNTS, ASIDE_ASIDE, ASIDE_NAMED };
/* Of an event that is about to be appended; NAMED: it counts, and the feed is to be judged anew. */
enum aside_verdict aside_judge(struct txn *t, const struct feed_row *feed, const struct event *e);
void aside_judge_feed(struct txn *t, uint32_t number, const struct log_cutting *cutting);
/* Do the marks of the feed's events say what its author's cuts do? */
bool aside_is_right(struct txn *t, const struct feed_row *feed);
bool aside_has(struct txn *t, uint32_t scope_number, const struct thing_id *thing,
               uint64_t arrival);                    /* by its index, whatever its mark says */
void log_box_added(struct txn *t, uint64_t arrival); /* META_BOX_ADDED */
/* The order of heads in a feed's row. */
bool head_before(const struct head *a, const struct head *b);

/* --- hot rows: pointers hold until the next call for another number --- */
struct feed_row *feed_hot(struct txn *t, uint32_t number); /* NULL: absent or error */
struct feed_row *feed_hot_of(struct txn *t, const struct feed *feed);
struct feed_row *feed_hot_make(struct txn *t, const struct feed *feed);
void feed_hot_changed(struct txn *t, const struct feed_row *row);
void feeds_flush(struct txn *t);
struct scope_row *scope_hot(struct txn *t, uint32_t number);
struct scope_row *scope_hot_make(struct txn *t, const struct scope *scope); /* finds or makes */
void scope_hot_changed(struct txn *t, const struct scope_row *row);
void scopes_flush(struct txn *t);
void meta_flush(struct txn *t); /* of a write transaction */
