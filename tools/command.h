#pragma once
/*
 * The command line: one table of verbs feeds parsing, help, completion and the manual; one file
 * each.
 */
#include "common/bytes.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_ATTENTION = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_NODE_NOT_RUNNING = 5,
    EXIT_UNREACHABLE = 6,
    EXIT_VERIFY_FAILED = 7,
    EXIT_REFUSED = 8,
    EXIT_TIMED_OUT = 9,
    EXIT_NOT_JOINED = 10,
};

struct cli; /* tools/cli.h: globals, output, errors, the opened node */

struct flag {
    const char *name;  /* "--expires" */
    const char *value; /* name of its value for help ("7d"), NULL for a switch */
    const char *help;  /* English msgid; NULL: what the table of kinds says of its field */
    bool repeatable;
    const char *field; /* the field of the verb's kind that it fills; NULL: none */
};
/* A verb, or a verb with its object as one row ("config get", "actor add"); the longest match of
 * the words on the line wins, and the arguments are counted after it. */
struct command {
    const char *name;      /* "invite" */
    const char *zh;        /* Chinese alias, "邀请" */
    const char *arguments; /* "VILLAGE|town"; NULL: none */
    int arguments_min, arguments_max;
    const char *help;         /* English msgid, one line */
    const char *group;        /* English msgid: heading in `sidan help` */
    const struct flag *flags; /* ends with a NULL name; NULL: none; tools/flags.h has all of them */
    int (*run)(struct cli *cli);
    const char *kind;  /* of what it records: every field of it is a flag; NULL: nothing */
    const char *fills; /* "request person": fields that its arguments fill, one each, behind the
                          thing that it acts on; NULL: none */
};
extern const struct command commands[]; /* tools/commands.c; ends with a NULL name */
