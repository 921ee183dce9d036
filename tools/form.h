#pragma once
/*
 * A form at a terminal: a verb that was given nothing asks for each field. Enter takes what stands
 * in [ ], a field that is not needed may stay empty, `?` lists the choices (each may be named by
 * its number there), a wrong answer is asked again. Nothing is recorded before the last answer, so
 * Ctrl-C records nothing.
 */
#include "tools/cli.h"

/* Is a person there to be asked, who gave no field of the verb's kind? */
bool form_is_wanted(const struct cli *cli);
/* How a form works, once, before its first question. */
void form_begin(const struct cli *cli);
/* Asks for one field. `otherwise`: taken by Enter; "": it may stay empty; NULL: it must be said.
 * `*answer` lives as long as cli. Exit 2 when the input ends. */
int form_ask(struct cli *cli, const struct field *field, const char *otherwise,
             const char **answer);
