#pragma once
/*
 * `sidan report PERIOD`: the figures of a period, read once and then printed for people, as JSON or
 * as a table in CSV; and what the township published of it.
 */
#include "node/views/report.h"
#include "node/views/report_help.h"
#include "tools/output.h"
#include "tools/standing.h"

/* A village whose data may not be whole: nothing came from it since the period's end, or, while the
 * period lasts, for a day. */
struct reporting_old {
    const struct village *village;
    uint64_t last_ok_ms; /* 0: never */
    uint32_t days;       /* from then to the period's end, or to now */
};

struct reporting {
    struct cli *cli;
    struct txn *txn;  /* NULL while figures are being published */
    const char *text; /* the period as it was typed */
    struct figure_period period;
    bool over; /* it has ended */
    enum report_by by;
    bool ranked, volunteers;
    const struct village *village; /* the only one that is asked for, or held here; NULL: all */
    struct standing standing;
    struct report report;
    struct report accusations; /* of the township, by nothing */
    struct report_helps helps;
    struct report_weights weights;
    uint32_t weights_version; /* 0: none are set */
    struct reporting_old *old;
    size_t old_count;
};

/* Everything but the period and the choices, which stand in `r` already. Reports failures itself;
 * reporting_end either way. */
int reporting_read(struct reporting *r);
void reporting_end(struct reporting *r);
bool reporting_is_township(const struct reporting *r);
/* The hub hears of every village; a village's own data is never old. */
bool reporting_knows_old(const struct reporting *r);

/* One line of the table by village or unit; what a village has none of is a line too. */
struct reporting_line {
    struct slice key; /* village code or unit, "" where no unit has it yet */
    const char *name; /* as it is shown */
    const struct figures *figures;
    const struct report_counts *counts;
    uint32_t rank; /* from 1; 0: none */
    int64_t score; /* meaningful with a rank */
};
/* In the order in which they are shown; owned by the caller (free). NULL: no memory. */
struct reporting_line *reporting_lines(struct reporting *r, size_t *count);

const char *reporting_figure(enum figure f); /* its name in the language */
const char *reporting_words(enum figure f);  /* what is divided by what */
const char *reporting_rate(struct cli *cli, const struct figure_rate *rate); /* "72/81 88.9%" */
const char *reporting_ranked_by(struct reporting *r);
const char *reporting_outcome(struct cli *cli, struct slice key); /* of an activity */

/* figures from elsewhere (stat.note) of the period, one callback each */
void reporting_notes(struct reporting *r,
                     void (*each)(void *state, struct slice name, struct slice value,
                                  struct slice source),
                     void *state);

int reporting_print(struct reporting *r);
int reporting_json(struct reporting *r);
/* The same of the volunteers' side. */
int reporting_print_helps(struct reporting *r);
json_t *reporting_helps_json(struct reporting *r); /* an array: the whole, then villages */
/* What both begin and end with. */
void reporting_title(struct reporting *r);
void reporting_end_lines(struct reporting *r);
void reporting_json_head(struct reporting *r, json_t *o);

/* --- published figures --- */
int reporting_freeze(struct reporting *r);
int reporting_frozen(struct reporting *r);
