#pragma once
/* What a verb takes for a field when nothing is said, and offers in [ ] where it asks. */
#include "proto/kinds.h"

enum act_default {
    ACT_DEFAULT_NONE,
    ACT_DEFAULT_TEXT,     /* the text that act_default_of returns */
    ACT_DEFAULT_NOW,      /* "2026-11-23 15:20" */
    ACT_DEFAULT_TODAY,    /* "2026-11-23" */
    ACT_DEFAULT_YEAR,     /* this one */
    ACT_DEFAULT_ATTEMPT,  /* one more than the callbacks of this round */
    ACT_DEFAULT_VERSION,  /* one more than the unit's published duties have */
    ACT_DEFAULT_DUE,      /* as the request was accepted, else by the limits in force */
    ACT_DEFAULT_ACTIVITY, /* as the activity says it */
    ACT_DEFAULT_RULES,    /* the recorder fills it in, by the time limits in force */
    ACT_DEFAULT_LEDGER,   /* as the account of points has it */
    ACT_DEFAULT_CHANNEL,  /* village in a village, phone in the township */
};
/* `*text` only with ACT_DEFAULT_TEXT. */
enum act_default act_default_of(const struct kind *k, const struct field *f, const char **text);

/* Fields that a form does not ask for, only flags fill: seldom needed. */
bool act_field_is_seldom(const struct kind *k, const struct field *f);
/* The answer that makes the question needless ("reached=false"); NULL. */
const char *act_field_skipped_when(const struct kind *k, const struct field *f);
