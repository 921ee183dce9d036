#pragma once
/*
 * The flags of a verb: those of its row in the table of commands, then one for each field of the
 * kind that it records, "--" and the field's name with dashes. Parsing, help, completion and the
 * manual read them from here, so a field that is added to the table of kinds is a flag at once.
 *
 * A flag that fills a field also answers to that field's name and to its Chinese name:
 * --to, --unit, --主办单位.
 */
#include "tools/cli.h"

/* All of them; ends with a NULL name. Made at the first call, kept till the process ends. */
const struct flag *flags_of(const struct command *c);
/* The one that `text` names ("--to"); NULL. */
const struct flag *flags_find(const struct command *c, struct slice text);
/* What it fills; NULL where it fills nothing. */
const struct field *flags_field(const struct command *c, const struct flag *f);
/* What it is for, translated: its own help, or the field's name and what the field may hold. */
const char *flags_help(struct cli *cli, const struct command *c, const struct flag *f);

/* A field that people are not asked for, because recording fills it: a request's number, the next
 * time limit and by which rules. */
bool flags_field_is_filled_in(const struct kind *k, const struct field *f);
