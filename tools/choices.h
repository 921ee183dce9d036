#pragma once
/*
 * The words people use for the codes that choice fields hold: "phone" is 电话. Codes are what is
 * stored and what JSON shows; either is taken where a person types.
 */
#include "common/bytes.h"

/* The word shown for `code` of a field, in the language shown; the code itself where there is no
 * other word. */
const char *choice_shown(const char *field, const char *code);
/* The code among `choices` ("phone|visit|...") that `text` names, as code or as word, into `code`.
 * False when it names none. */
#define CHOICE_CODE_SIZE 33
bool choice_code(char code[CHOICE_CODE_SIZE], const char *field, const char *choices,
                 struct slice text);
/* Walks "a|b|c": the next code into `code`; false at the end. Start with *at = choices. */
bool choice_next(char code[CHOICE_CODE_SIZE], const char **at);
