/* Flags of the verbs about what sticks carry. */
#include "tools/commands_carry.h"

#include <stddef.h>

const struct flag commands_carry_export[] = {
    VALUE("-o", "FILE", N_("a file or a folder; - writes to standard output")),
    VALUE("--to", "NODE", N_("a village or a device; of a village: the township, unless named")),
    VALUE("--split", "MIB", N_("in files of at most this many MiB, each good alone")),
    END,
};
const struct flag commands_carry_import[] = {
    SWITCH("--reply", N_("write what the sender lacks, with receipts, beside the file")),
    END,
};
