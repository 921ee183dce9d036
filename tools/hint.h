#pragma once
/*
 * What to type next. Where --home was given, the commands that a hint names carry it too: typed as
 * they stand they meet the same folder.
 */
#include "tools/cli.h"

/* Appends `text` with "sidan VERB" as "sidan --home DIR VERB". */
void hint_append(struct buf *out, const struct cli *cli, const char *text);
/* A line for people, like output_line. */
__attribute__((format(printf, 2, 3))) void hint_line(struct cli *cli, const char *format, ...);
