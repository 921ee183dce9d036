#pragma once
/*
 * The figures that the township publishes (指标), always numerator and denominator. They
 * are counted over requests one at a time, so any grouping (village, unit, the whole) is a sum.
 *
 * Cohort: the requests accepted in the period, less those declined, withdrawn and merged (N), as
 * they stood at the period's end; `ontime` alone goes by the requests whose due falls in it. Nobody
 * who was not reached counts as satisfied.
 */
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/* id, Chinese, English, what is divided by what (Chinese), in the order of the report. */
#define FIGURES(X)                                                                                 \
    X(FIGURE_CLOSE, "close_rate", "办结率", "closed", "办结/受理")                                 \
    X(FIGURE_ONTIME, "ontime_rate", "按时办结率", "closed on time", "按时办结/到期")               \
    X(FIGURE_SIGN, "sign_ontime", "签收及时率", "signed on time", "及时签收/交办")                 \
    X(FIGURE_CONTACT, "contact_ontime", "首次联系及时率", "contacted on time", "及时联系/交办")    \
    X(FIGURE_RESPONSE, "response_rate", "响应率", "says contacted in time", "说及时/回访答复")     \
    X(FIGURE_SOLVE, "solve_rate", "解决率", "says solved", "说已解决/回访答复")                    \
    X(FIGURE_SATISFIED, "satisfied_rate", "满意率", "rated 3 to 5", "基本满意以上/回访答复")       \
    X(FIGURE_VERY, "very_satisfied_rate", "满意以上", "rated 4 to 5", "满意以上/回访答复")         \
    X(FIGURE_CALLBACK, "callback_rate", "回访率", "called back", "已回访/已报结果")                \
    X(FIGURE_REACH, "reach_rate", "回访成功率", "reached", "联系上/已回访")                        \
    X(FIGURE_OBJECT, "object_rate", "退单率", "objected to", "退单/交办")                          \
    X(FIGURE_REOPEN, "reopen_rate", "重办率", "reopened", "重办/已报结果")

enum figure {
#define FIGURE_ENUM(code, id, zh, en, words) code,
    FIGURES(FIGURE_ENUM)
#undef FIGURE_ENUM
        FIGURE_COUNT
};
const char *figure_id(enum figure f);
const char *figure_zh(enum figure f);
const char *figure_en(enum figure f);
const char *figure_words(enum figure f); /* "办结/受理": printed under the table */

/* From the first moment to before the last one: a year, a quarter, a month of the office. */
struct figure_period {
    uint64_t from_ms, to_ms;
};
/* "2022", "2022-Q3", "2022-07". Errors: ERR_MALFORMED. */
MUST_CHECK enum err figure_period_parse(struct figure_period *out, const char *text);

enum figure_clock { CLOCK_OPEN, CLOCK_IN_TIME, CLOCK_LATE }; /* open: not stopped, or no limit */

/* One request, as its row has it; 0 where something did not happen. */
struct figure_facts {
    uint64_t accepted_ms; /* or answered at once */
    uint64_t closed_ms;   /* 0 unless it stands closed */
    uint64_t issued_ms, reported_ms;
    uint64_t due_ms; /* extensions and suspensions are in it */
    bool dropped;    /* declined, withdrawn or merged */
    enum figure_clock sign, contact;
    bool called_back, reached;
    bool answered;         /* who was reached answered at least one of the questions (E) */
    bool answer_in_time;   /* the person said: contacted in time */
    bool answer_solved;    /* the person said: solved */
    bool nothing_to_solve; /* a question, a suggestion or praise */
    uint32_t rating;       /* 1 to 5; 0: none given */
    bool objected, reopened;
};

struct figures {
    struct figure_rate {
        uint32_t num, den;
    } of[FIGURE_COUNT];
};
void figures_add(struct figures *f, const struct figure_facts *facts,
                 const struct figure_period *period);
