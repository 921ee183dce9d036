#pragma once
/* What a link of the lab is like, as words `key=value`; the list is in link.c. */
#include "tests/support/link_model.h"

enum way { UP, DOWN, WAYS }; /* client to target, and back */

enum cut_how {
    CUT_RESET,  /* connections are reset, new ones are refused */
    CUT_HOLE,   /* half open: nobody is told; what was connected stays dead, new ones wait */
    CUT_FREEZE, /* nothing passes, and then goes on */
};

struct lab_options {
    struct link_options way[WAYS];
    struct link_times times;
    enum cut_how how;
    uint64_t cut_for_us; /* how long a cut by bytes lasts */
    uint64_t cuts_max;
    uint64_t seed;
    uint64_t run_s; /* the program ends after that */
};

void lab_options_init(struct lab_options *o);
/* False when the word is none of the list. Files that a word names are read here and kept. */
bool lab_options_set(struct lab_options *o, const char *word);
