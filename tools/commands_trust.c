/* Flags of the verbs about keys and trust. */
#include "tools/commands_trust.h"

#include <stddef.h>

const struct flag commands_trust_replace[] = {
    EACH("--keep", "FEED:SEQ:ID8",
         N_("of this feed of the authority only what leads to this record counts")),
    END,
};
