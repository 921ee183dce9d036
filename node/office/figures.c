#include "node/office/figures.h"

#include "common/time.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *id, *zh, *en, *words;
} names[] = {
#define FIGURE_ROW(code, id_, zh_, en_, words_) [code] = {id_, zh_, en_, words_},
    FIGURES(FIGURE_ROW)
#undef FIGURE_ROW
};

const char *figure_id(enum figure f)
{
    return names[f].id;
}

const char *figure_zh(enum figure f)
{
    return names[f].zh;
}

const char *figure_en(enum figure f)
{
    return names[f].en;
}

const char *figure_words(enum figure f)
{
    return names[f].words;
}

/* --- periods ------------------------------------------------------------------------------- */

static bool digits(const char *text, size_t from, size_t count, unsigned *out)
{
    unsigned value = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return true;
}

static MUST_CHECK enum err month_begins(uint64_t *ms, unsigned year, unsigned month)
{
    char text[TIME_TEXT_SIZE];
    snprintf(text, sizeof text, "%04u-%02u-01", month > 12 ? year + 1 : year,
             month > 12 ? month - 12 : month);
    return time_parse(ms, text);
}

enum err figure_period_parse(struct figure_period *out, const char *text)
{
    unsigned year, first = 1, months = 12;
    size_t size = strlen(text);
    if (size < 4 || !digits(text, 0, 4, &year)) return ERR_MALFORMED;
    if (size == 7 && text[4] == '-' && (text[5] == 'Q' || text[5] == 'q')) {
        if (text[6] < '1' || text[6] > '4') return ERR_MALFORMED;
        first = (unsigned)(text[6] - '1') * 3 + 1;
        months = 3;
    } else if (size == 7 && text[4] == '-') {
        if (!digits(text, 5, 2, &first) || first < 1 || first > 12) return ERR_MALFORMED;
        months = 1;
    } else if (size != 4) {
        return ERR_MALFORMED;
    }
    struct figure_period period;
    if (month_begins(&period.from_ms, year, first) ||
        month_begins(&period.to_ms, year, first + months))
        return ERR_MALFORMED;
    *out = period;
    return OK;
}

/* --- counting ------------------------------------------------------------------------------ */

static void count(struct figures *f, enum figure figure, bool hit)
{
    f->of[figure].den++;
    f->of[figure].num += hit;
}

static bool within(const struct figure_period *p, uint64_t ms)
{
    return ms >= p->from_ms && ms < p->to_ms;
}

/* Did it happen by the period's end? */
static bool by_end(const struct figure_period *p, uint64_t ms)
{
    return ms && ms < p->to_ms;
}

/* What the person said who was called back. */
static void count_answers(struct figures *f, const struct figure_facts *facts)
{
    count(f, FIGURE_RESPONSE, facts->answer_in_time);
    if (!facts->nothing_to_solve) count(f, FIGURE_SOLVE, facts->answer_solved);
    count(f, FIGURE_SATISFIED, facts->rating >= 3);
    count(f, FIGURE_VERY, facts->rating >= 4);
}

void figures_add(struct figures *f, const struct figure_facts *facts,
                 const struct figure_period *period)
{
    if (facts->dropped) return;
    bool closed = by_end(period, facts->closed_ms);
    if (facts->accepted_ms && within(period, facts->due_ms))
        count(f, FIGURE_ONTIME, closed && facts->closed_ms <= facts->due_ms);
    if (!within(period, facts->accepted_ms)) return;
    count(f, FIGURE_CLOSE, closed);
    if (by_end(period, facts->issued_ms)) {
        count(f, FIGURE_SIGN, facts->sign == CLOCK_IN_TIME);
        count(f, FIGURE_CONTACT, facts->contact == CLOCK_IN_TIME);
        count(f, FIGURE_OBJECT, facts->objected);
    }
    if (!by_end(period, facts->reported_ms)) return;
    count(f, FIGURE_CALLBACK, facts->called_back);
    count(f, FIGURE_REOPEN, facts->reopened);
    if (!facts->called_back) return;
    count(f, FIGURE_REACH, facts->reached);
    if (facts->reached && facts->answered) count_answers(f, facts);
}
