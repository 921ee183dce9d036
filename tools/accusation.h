#pragma once
/*
 * Accusations (举报): what is registered with a nature that is for the office alone. A village
 * seals it, and cannot show, count or number it again; the township registers it in its own scope,
 * under a number of its own series. register, import and record all ask here.
 */
#include "tools/recording.h"

/* Does this text (a code or its Chinese word) name such a nature? */
bool accusation_named(struct slice nature);
/* They stand in no village, and a village's device has none to list: refuses there, and --village.
 */
int accusation_may_list(struct cli *cli, const struct device *self);
/* Scope of the draft, and whether it is sealed. */
void accusation_place(const struct recording *r, struct draft *draft);
/* Between recorder_begin and recorder_commit: the next number of the device's series; in a
 * village one that says nothing, which the seal leaves out. Errors: of request_next_accusation. */
MUST_CHECK enum err accusation_number(struct cli *cli, const struct recording *r, char number[16]);
/* Of the same form, for a check before one is given. */
#define ACCUSATION_NO_NUMBER "JB-0000"
