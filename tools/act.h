#pragma once
/*
 * An act in the making: the values that a person typed, by field name, turned into the body and box
 * of one kind. The kind's table decides type, range and place of each; what does not fit is refused
 * here, before anything is signed, in the person's language. Used by every verb that takes values
 * as text: register and the steps of a request, actor, import.
 *
 * One act may be used again and again (act_begin forgets, and keeps the memory).
 */
#include "node/recorder.h"
#include "tools/act_value.h"

struct act {
    const struct kind *kind;
    struct mp_map body, box;
    struct buf body_bytes, box_bytes;
    struct buf value; /* the one being put */
};

/* What was refused, in words; `what` names the field, `allowed` its range. */
struct act_problem {
    char what[160];
    char allowed[240];
    const struct field *missing; /* what has to be said and was not; act_end alone sets it */
};

void act_begin(struct act *a, const struct kind *kind);
/* Adds one field from text (act_value_write). Blanks around it are dropped; empty text adds
 * nothing. Errors: ERR_RANGE with *problem; ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err act_put(struct act *a, const char *field, struct slice text,
                            struct act_problem *problem);
/* The same from a value that is encoded already. Errors: ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err act_put_encoded(struct act *a, const struct field *field, struct slice value);
/* What was put into the body so far: does it say "reached=false"? The text or bytes of a field,
 * empty where there are none, borrowed until the next act_put. */
bool act_says(const struct act *a, const char *condition);
struct slice act_text(const struct act *a, const char *field);
struct slice act_bytes(const struct act *a, const char *field);
/* A number, 0 where there is none. */
uint64_t act_uint(const struct act *a, const char *field);
/* Checks the whole against the table and points the draft's kind, founding, body and box at it.
 * Errors: ERR_RANGE with *problem. The draft borrows from the act until the next act_begin. */
MUST_CHECK enum err act_end(struct act *a, struct draft *draft, struct act_problem *problem);
void act_clear(struct act *a);

/* Puts the recorder's or the table's refusal into words. */
void act_explain(const struct kind *kind, const struct kind_problem *from,
                 struct act_problem *problem);
/* Says that a text cannot stand in a field, and what can. Returns ERR_RANGE. */
MUST_CHECK enum err act_refuse(const struct field *field, struct slice text,
                               struct act_problem *problem);
