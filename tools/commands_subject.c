/* Flags of the verbs about a person's rights. */
#include "tools/commands_subject.h"

#include <stddef.h>

const struct flag commands_subject_erase[] = {
    FILLS("--second", "PERSON", N_("who checked it too: another person than the one who acts"),
          "second"),
    BY,
    END,
};
const struct flag commands_subject_export[] = {
    VALUE("-o", "FILE", N_("where the copy is written; as JSON beside it, FILE.json")),
    BY,
    END,
};
const struct flag commands_subject_correct[] = {
    SWITCH("--erase-old", N_("at the township: erase the records that say the old")),
    FILLS("--second", "PERSON", N_("with --erase-old: who checked it too, another person"),
          "second"),
    BY,
    END,
};
