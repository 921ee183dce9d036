#pragma once
/*
 * Rows of a table of requests as they become records: checked, numbered, signed in batches. A row
 * that cannot be used is refused with its line and why, and the others go on. The files that rows
 * come from are read in cmd_import.c.
 */
#include "node/township.h"
#include "tools/recording.h"

/* The columns: the field of request.register that each fills (the village fills the scope), and the
 * words that a header row may use for it. */
enum { IMPORT_WORDS_MAX = 4, IMPORT_COLUMN_COUNT = 11 };
struct import_column {
    const char *field;
    const char *words[IMPORT_WORDS_MAX];
};
extern const struct import_column import_columns[IMPORT_COLUMN_COUNT];

struct import_row {
    uint64_t line;
    struct slice cells[IMPORT_COLUMN_COUNT]; /* empty: not given */
};

struct import {
    struct cli *cli;
    struct recording recording;
    const struct roster *roster; /* as of the open batch */
    struct act act;
    bool dry_run, open;
    uint64_t in_batch, accepted, refused;
    uint64_t sealed;    /* rows among the accepted that a village sealed for the office */
    json_t *refusals;   /* with --json: [{line, why}] */
    const char *errors; /* file for refused rows, NULL: none */
    struct buf sheet;   /* what goes into it */
    int code;           /* why everything stopped; EXIT_OK: it did not */
};

/* Opens keys, store and recorder. */
int import_begin(struct import *im);
/* Each returns false when nothing more can be done, with im->code set and told. */
bool import_take(struct import *im, const struct import_row *row);
bool import_commit(struct import *im);
bool import_stop(struct import *im, enum err e, const char *what);
void import_refuse(struct import *im, const struct import_row *row, const char *why);
void import_end(struct import *im);
