/* Flags of the verbs about keys and trust. */
#include "tools/commands_trust.h"

#include <stddef.h>

const struct flag commands_trust_replace[] = {
    EACH("--keep", "FEED:SEQ:ID8",
         N_("of this feed of the authority only what leads to this record counts")),
    END,
};
const struct flag commands_trust_hub_address[] = {
    SWITCH("--none", N_("nowhere any more")),
    END,
};
const struct flag commands_trust_revoke[] = {
    VALUE("--reason", "TEXT", N_("why: lost, stolen, replaced, ...")),
    EACH("--keep", "FEED:SEQ:ID8",
         N_("of this feed only what leads to this record counts (else all that is held)")),
    END,
};
const struct flag commands_trust_receipts[] = {
    VALUE("--of", "NUMBER", N_("which receipt proves that each record of this one arrived")),
    VALUE("-n", "N", N_("the newest N (else 20)")),
    VALUE("-o", "FILE", N_("as a proof that others can check")),
    END,
};
const struct flag commands_trust_rotate[] = {
    SWITCH("--now", N_("at the hub: serve the new transport key, whoever was not told of it")),
    END,
};
const struct flag commands_trust_numbers[] = {
    VALUE("--last", "NUMBER", N_("the last official number of its year that stands on paper")),
    END,
};
const struct flag commands_trust_restore[] = {
    SWITCH("--replace", N_("although the records here are newer than the backup")),
    END,
};
