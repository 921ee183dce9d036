#pragma once
/* Short forms in which the tables of flags are written, each ending with END. */
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
