#pragma once
/*
 * The figures of a period over the rows of requests (stage 2): the whole, by village, by unit. Read
 * from rows only, as they stand in this transaction; accusations (scope `office`) are counted apart
 * and never mixed in.
 *
 * SPEC 21 says what each of these numbers is.
 */
#include "node/office/figures.h"
#include "node/views/request.h"

struct report_counts {
    uint32_t registered; /* in the period; so are the next five, of these as they stand now */
    uint32_t answered;   /* at once, without an order */
    uint32_t declined, merged, withdrawn;
    uint32_t supervised;
    uint32_t closed; /* in the period, whenever it was registered */
    /* Registered before the period's end and neither ended nor closed by then, by the state in
     * which they stand now: under REQUEST_CLOSED those that were closed after the period. */
    uint32_t open[REQUEST_STATE_COUNT];
};
uint32_t report_open(const struct report_counts *c); /* the sum of `open` */

struct report_group {
    struct slice name; /* village code or unit ("": no unit has it yet); "" of the whole */
    struct figures figures;
    struct report_counts counts;
};
enum report_by { REPORT_WHOLE, REPORT_BY_VILLAGE, REPORT_BY_UNIT };

struct report_options {
    struct figure_period period;
    enum report_by by;
    uint32_t scope_number; /* only this scope; 0: all that are held but `office` */
    bool accusations;      /* with 0: `office` alone */
};
/* Zero-initialise. */
struct report {
    struct report_group whole;
    struct report_group **groups; /* by name as bytes; only those that have a request */
    size_t group_count, group_room;
};
/* Errors: ERR_NOMEM, ERR_CORRUPT, the transaction's. report_clear either way. */
MUST_CHECK enum err report_requests(struct report *out, struct txn *t,
                                    const struct report_options *options);
/* The group of a name, NULL when there is none. */
const struct report_group *report_find(const struct report *r, struct slice name);
void report_clear(struct report *r);

/* --- ranking --- */

/* What the township gives each figure to count (`rule.put` of type kpi); all 0: none is set, and
 * the close rate decides, then N. */
struct report_weights {
    uint32_t of[FIGURE_COUNT];
    bool any;
};
/* From the fields of the rule; a figure that is not known here is passed over, `*unknown` of them.
 */
struct report_weights report_weights_read(struct slice fields, size_t *unknown);

/* What a group is ranked by, the greater the better; false: nothing can be said of it.
 * With weights: the mean of the rates whose denominator is not 0, by their weights, in millionths;
 * of object_rate and reopen_rate what is left of 1. */
bool report_score(int64_t *out, const struct figures *f, const struct report_weights *weights);
