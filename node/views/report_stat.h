#pragma once
/*
 * Figures as they are published (`stat.freeze`): rows of [id, village, unit, num, den], which every
 * node can compute anew from what it holds, and lay beside what was published.
 *
 * An id is a figure's (figures.h), or a count's: then den is 1. Rows whose denominator, or whose
 * count, would be 0 are left out.
 */
#include "node/views/report.h"
#include "node/views/report_help.h"

struct report_stat {
    char id[25];
    char village[13]; /* "" of the whole and of units */
    char unit[65];    /* "" of the whole and of villages */
    uint32_t num, den;
};
/* Zero-initialise. */
struct report_stats {
    struct report_stat *rows;
    size_t count, room;
};

/* The whole, then by village, then by unit; where `only` is given, this village's alone. Errors:
 * ERR_NOMEM, ERR_CORRUPT, the transaction's. report_stats_clear either way. */
MUST_CHECK enum err report_stats_count(struct report_stats *out, struct txn *t,
                                       const struct roster *roster, const struct village *only,
                                       const struct figure_period *period);
/* NULL: it is not there, so it is 0. */
const struct report_stat *report_stats_find(const struct report_stats *s,
                                            const struct report_stat *like);
void report_stats_clear(struct report_stats *s);

/* Writes rows from `*at` on as the value of `figures`, as many as one event takes; moves `*at`. */
void report_stats_write(struct mp_writer *w, const struct report_stats *s, size_t *at);
/* Appends what stands in `figures` of a published sheet. Errors: ERR_NOMEM. */
MUST_CHECK enum err report_stats_read(struct report_stats *out, struct slice fields);

/* What a count's id is called; NULL: it is no count's. */
const char *report_stat_zh(const char *id);
