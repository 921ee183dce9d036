#pragma once
/* What a clerk is told when an act is recorded: that it is, how things stand, what comes next. */
#include "tools/recording.h"

/* "04A-0001 is accepted". `label`: what people call the thing. */
const char *act_done(struct cli *cli, const struct kind *k, const char *label);
/* The step that follows an act on something else than a request, or the founding of it; NULL. */
const char *act_next(struct cli *cli, const struct kind *k, const char *label);
/* The step that a request waits for; NULL: none, or it is not for a device of this side. */
const char *act_request_next(struct cli *cli, const struct request *r, bool township,
                             const char *label);
