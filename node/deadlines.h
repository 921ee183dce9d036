#pragma once
/*
 * By when the next step of a request is due (SPEC 14.14): what the person who acts leaves unsaid is
 * filled in before it is signed, by the rules and the calendar in force on the day of recording. It
 * is stored with the act and never computed anew.
 */
#include "node/recorder.h"
#include "node/views/request.h"
#include "node/views/rules.h"

/* Zero-initialise; used again and again. */
struct deadlines {
    struct buf added, body;
};
void deadlines_clear(struct deadlines *d);

/* The same for a draft whose body was scanned, at the moment of recording. `*body`: the draft's,
 * then the completed one. Errors: ERR_AGAIN while the rules are being folded anew; those of
 * deadlines_fill and of the transaction. */
MUST_CHECK enum err deadlines_complete(struct deadlines *d, struct views *v, struct txn *t,
                                       const struct clock_reading *clock, const struct draft *draft,
                                       struct slice *body, struct kind_problem *problem);

/* --- the pure part --- */

struct deadlines_act {
    const struct kind *kind;
    struct slice body; /* scanned; its fields need not fit the kind yet */
    uint64_t now_ms;
    bool trusted;                  /* the clock */
    const struct request *request; /* as it stands; NULL where none is needed */
    bool any_category;             /* what was sealed elsewhere has to be opened whatever it says */
};
/* Is `due` of the request needed to fill the act? */
bool deadlines_need_request(const struct kind *kind);

/* What *problem says of a date that is past, and of a category that is not in the list in force. */
extern const char deadlines_is_past[], deadlines_not_listed[];

/* `*body` is act->body, completed where the act starts a clock: `next_due`, for an acceptance or an
 * order `due`, and with what was computed here `rules` (the version) and, where the day may still
 * move, `provisional`. What is stated stays. It is borrowed from the act or, until the next call,
 * from `d`.
 * Errors: ERR_RANGE with *problem: a date stated that is past, unless the act itself is said to
 * have been done before it; a category that is not in the list in force. ERR_NOMEM. */
MUST_CHECK enum err deadlines_fill(struct deadlines *d, const struct rules *rules,
                                   const struct deadlines_act *act, struct slice *body,
                                   struct kind_problem *problem);
