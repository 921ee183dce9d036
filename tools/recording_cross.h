#pragma once
/* The checks across things (node/views/checks_before.h), asked of a draft before it is signed. */
#include "node/views/checks_before.h"
#include "tools/recording.h"

/* `reminders`: a person reads them, as a finding without an error. Errors: ERR_EXISTS, ERR_STATE
 * with the finding; the store's. */
MUST_CHECK enum err recording_cross(struct cli *cli, const struct draft *draft, uint64_t now_ms,
                                    bool reminders, struct checks_finding *out);
/* "phone: a volunteer has this phone already (03AV-0012)"; lives as long as cli. */
const char *recording_cross_words(struct cli *cli, const struct draft *draft,
                                  const struct checks_finding *finding);
