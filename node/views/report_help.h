#pragma once
/*
 * The volunteers' side of a period's figures (stage 2): activities and what came of them, services,
 * volunteers, calls. Read from rows only. SPEC 21 says what each number is.
 */
#include "node/office/figures.h"
#include "node/views/roster.h"

#define REPORT_OUTCOMES_MAX 16

struct report_outcome {
    struct slice key;    /* as the table of kinds has it; static */
    uint64_t own, other; /* for the village of who recorded it, for other villages */
};
struct report_help {
    const struct village *village; /* NULL: the whole */
    uint32_t activities;           /* held in the period */
    uint32_t activities_elsewhere; /* of these, for another village */
    uint64_t people_helped;
    uint64_t person_times;         /* people on sheets of attendance, and single services */
    uint64_t minutes_verified;     /* of what was verified */
    uint32_t joined, active, left; /* volunteers: in the period, at its end, in it */
    uint32_t calls, signups, cancels;
    struct report_outcome outcomes[REPORT_OUTCOMES_MAX]; /* all keys, in the table's order */
    size_t outcome_count;
};
/* Zero-initialise. */
struct report_helps {
    struct report_help whole;
    struct report_help *villages; /* the roster's, in its order; one where only it was asked for */
    size_t village_count;
};

/* `only`: NULL, or the one village that is counted. Errors: ERR_NOMEM, ERR_CORRUPT, the
 * transaction's. report_helps_clear either way. */
MUST_CHECK enum err report_helps_read(struct report_helps *out, struct txn *t,
                                      const struct roster *roster, const struct village *only,
                                      const struct figure_period *period);
void report_helps_clear(struct report_helps *r);
