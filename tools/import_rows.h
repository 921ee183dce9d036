#pragma once
/*
 * Rows of a table of requests or of volunteers as they become records: checked, numbered, signed in
 * batches. A row that cannot be used is refused with its line and why, and the others go on. The
 * files that rows come from are read in cmd_import.c.
 */
#include "node/township.h"
#include "tools/import_known.h"
#include "node/views/rules.h"
#include "tools/recording.h"

/* What rows can be: for each column the field of the kind that it fills (the village fills the
 * scope), the words that a header row may use for it, and what stands for an empty cell. The first
 * word is the one that sheets of refused rows are headed with. */
enum { IMPORT_WORDS_MAX = 4, IMPORT_COLUMNS_MAX = 12 };
struct import_column {
    const char *field;
    const char *words[IMPORT_WORDS_MAX];
    const char *otherwise; /* NULL: nothing */
};
struct import_table {
    const char *as, *as_zh; /* --as */
    const char *kind;
    const char *columns_said; /* for messages */
    const char *unique;       /* no two rows or records may have the same in this column */
    const char *number;       /* in the form of those that are given */
    enum err (*next_number)(struct txn *t, const struct roster *roster, const struct device *device,
                            char out[16]);
    const struct import_column *columns; /* the village first */
    size_t column_count;
};
/* NULL: there are no such rows. */
const struct import_table *import_table_find(const char *as);

struct import_row {
    uint64_t line;
    struct slice cells[IMPORT_COLUMNS_MAX]; /* empty: not given */
};

struct import {
    struct cli *cli;
    const struct import_table *table;
    struct recording recording;
    const struct roster *roster; /* as of the open batch */
    struct act act;
    bool dry_run, open;
    const struct rules *rules; /* of a dry run */
    uint64_t in_batch, accepted, refused;
    uint64_t sealed;           /* rows among the accepted that a village sealed for the office */
    struct import_known known; /* what stands in the column that is unique */
    json_t *refusals;          /* with --json: [{line, why}] */
    const char *errors;        /* file for refused rows, NULL: none */
    struct buf sheet;          /* what goes into it */
    int code;                  /* why everything stopped; EXIT_OK: it did not */
};

/* Opens keys, store and recorder. */
int import_begin(struct import *im);
/* Each returns false when nothing more can be done, with im->code set and told. */
bool import_take(struct import *im, const struct import_row *row);
bool import_commit(struct import *im);
bool import_stop(struct import *im, enum err e, const char *what);
void import_refuse(struct import *im, const struct import_row *row, const char *why);
void import_end(struct import *im);
