#pragma once
/*
 * What people type for the fields of an act, put into it: persons and things by their names, rows
 * as a table. Reports what is wrong itself; nothing is put then.
 */
#include "tools/recording.h"

struct fields {
    struct cli *cli;
    struct act *act;
    bool asking;              /* a wrong value is told in one line: it is asked for again */
    bool acts_on;             /* the act is about a thing that is held: */
    struct thing_key subject; /* lines of its history may be named by their numbers */
    uint32_t near; /* number of the scope of a named thing that is not in `town`; 0: none */
    bool has_request, has_activity; /* such a thing was named: */
    struct thing_key request, activity;
};

/* One value. A day alone means its end, 18:00, where the field is by when something is due. */
int fields_put(struct fields *f, const struct field *field, const char *text);
/* All that is given for a FIELD_ROWS, each as act_rows_take reads it; nothing where `count` is 0.
 */
int fields_put_rows(struct fields *f, const struct field *field, const char *const *texts,
                    size_t count);
