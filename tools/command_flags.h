#pragma once
/* Short forms in which the tables of flags are written, each ending with END. */
#include "common/i18n.h"
#include "tools/command.h"

#define SWITCH(name_, help_)                                                                       \
    {                                                                                              \
        .name = (name_), .help = (help_)                                                           \
    }
#define VALUE(name_, value_, help_)                                                                \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_)                                        \
    }
#define EACH(name_, value_, help_)                                                                 \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_), .repeatable = true                    \
    }
/* A shorter word for the flag of a field. */
#define FILLS(name_, value_, help_, field_)                                                        \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_), .field = (field_)                     \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define BY VALUE("--by", "PERSON", N_("who acts: id or name"))
/* Rows of a table, one flag each or from a file. */
#define ROW(value_, help_) FILLS("--row", value_, help_, "rows")
#define ROWS_FILE VALUE("--file", "FILE.csv", N_("the rows as a table; its first row names them"))
