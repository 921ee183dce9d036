#pragma once
/*
 * Rows as people write them, for a FIELD_ROWS:
 *
 *   张三,08:00,11:30;李四,08:00,10:00   cells by commas, rows by semicolons (Chinese ones too)
 *   [["张三",480,690],["李四",480,600]]  JSON
 *   @签到.csv                           a table whose first row names the columns, in any order
 *
 * A cell of an hour ("08:30") becomes minutes of the day; where a row has start and end and says no
 * minutes, they are the difference.
 */
#include "tools/act.h"
#include "tools/cli.h"

struct act_rows {
    struct cli *cli;
    const struct field *field;
    /* A cell that names a thing, as its id. Reports by itself. */
    int (*cell)(void *state, const struct field *column, const char *text, const char **out);
    void *state;
    size_t count;
    struct buf encoded; /* rows, one after the other */
};

/* Reads one text of the forms above. Reports which row and cell is wrong. */
int act_rows_take(struct act_rows *r, const char *text);
/* Appends the array of all rows. */
void act_rows_write(struct act_rows *r, struct buf *out);
void act_rows_clear(struct act_rows *r);
/* The names of the columns: "person 志愿者, start 开始, ...". */
void act_rows_columns(struct buf *out, const struct field *field);
