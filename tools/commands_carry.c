/* Flags of the verbs about what sticks carry. */
#include "tools/commands_carry.h"

#include <stddef.h>

const struct flag commands_carry_export[] = {
    VALUE("-o", "FILE", N_("a file or a folder; - writes to standard output")),
    VALUE("--to", "NODE", N_("a village or a device; of a village: the township, unless named")),
    VALUE("--split", "MIB", N_("in files of at most this many MiB, each good alone")),
    END,
};
const struct flag commands_carry_take[] = {
    VALUE("--from", "VILLAGE", N_("the village that it is from")),
    VALUE("--to", "VILLAGE", N_("the village that it is for; else the township")),
    BY,
    END,
};
const struct flag commands_carry_give[] = {
    VALUE("--to", "VILLAGE", N_("only what is for it; hub: for the township")),
    SWITCH("--copy", N_("it stays here too")),
    BY,
    END,
};
const struct flag commands_carry_import[] = {
    SWITCH("--reply", N_("write what the sender lacks, with receipts, beside the file")),
    END,
};
