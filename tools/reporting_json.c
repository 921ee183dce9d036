#include "tools/reporting.h"

#include <stdlib.h>

#include "node/office/rate.h"

static json_t *count_of(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void old_json(struct reporting *r, json_t *o)
{
    json_t *old = json_array();
    for (size_t i = 0; i < r->old_count; i++) {
        json_t *one = json_object();
        bool never = !r->old[i].last_ok_ms;
        json_object_set_new(one, "village", json_string(r->old[i].village->code));
        json_object_set_new(one, "name", json_string(r->old[i].village->name));
        json_object_set_new(one, "last_ok", output_json_time(r->old[i].last_ok_ms));
        json_object_set_new(one, "days", never ? json_null() : count_of(r->old[i].days));
        json_array_append_new(old, one);
    }
    if (reporting_knows_old(r)) {
        json_object_set_new(o, "old", old);
        return;
    }
    json_decref(old);
    json_object_set_new(o, "old", json_null());
}

static void note_json(void *state, struct slice name, struct slice value, struct slice source)
{
    json_t *one = json_object();
    json_object_set_new(one, "name", output_json_text(name));
    json_object_set_new(one, "value", output_json_text(value));
    json_object_set_new(one, "source", output_json_text(source));
    json_array_append_new(state, one);
}

void reporting_json_head(struct reporting *r, json_t *o)
{
    json_t *notes = json_array();
    json_object_set_new(o, "period", json_string(r->text));
    json_object_set_new(o, "from", output_json_time(r->period.from_ms));
    json_object_set_new(o, "to", output_json_time(r->period.to_ms));
    json_object_set_new(o, "over", json_boolean(r->over));
    json_object_set_new(o, "village", r->village ? json_string(r->village->code) : json_null());
    old_json(r, o);
    reporting_notes(r, note_json, notes);
    json_object_set_new(o, "notes", notes);
}

static json_t *counts_json(const struct report_counts *c)
{
    json_t *o = json_object(), *open = json_object();
    json_object_set_new(o, "registered", count_of(c->registered));
    json_object_set_new(o, "answered", count_of(c->answered));
    json_object_set_new(o, "declined", count_of(c->declined));
    json_object_set_new(o, "merged", count_of(c->merged));
    json_object_set_new(o, "withdrawn", count_of(c->withdrawn));
    json_object_set_new(o, "supervised", count_of(c->supervised));
    json_object_set_new(o, "closed", count_of(c->closed));
    json_object_set_new(o, "open", count_of(report_open(c)));
    for (size_t i = 0; i < REQUEST_STATE_COUNT; i++)
        if (c->open[i])
            json_object_set_new(open, request_state_name((enum request_state)i),
                                count_of(c->open[i]));
    json_object_set_new(o, "open_by_state", open);
    return o;
}

static json_t *figures_json(const struct figures *f)
{
    json_t *all = json_array();
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        char text[RATE_TEXT_SIZE];
        json_t *o = json_object();
        rate_format(text, f->of[i].num, f->of[i].den);
        json_object_set_new(o, "id", json_string(figure_id((enum figure)i)));
        json_object_set_new(o, "name", json_string(reporting_figure((enum figure)i)));
        json_object_set_new(o, "num", count_of(f->of[i].num));
        json_object_set_new(o, "den", count_of(f->of[i].den));
        json_object_set_new(o, "rate", f->of[i].den ? json_string(text) : json_null());
        json_object_set_new(o, "formula", json_string(reporting_words((enum figure)i)));
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *line_json(struct reporting *r, const struct reporting_line *l)
{
    json_t *o = json_object();
    bool unit = r->by == REPORT_BY_UNIT;
    json_object_set_new(o, "village", unit ? json_null() : output_json_text(l->key));
    json_object_set_new(o, "unit", unit ? output_json_text(l->key) : json_null());
    json_object_set_new(o, "name", json_string(l->name));
    json_object_set_new(o, "rank", l->rank ? count_of(l->rank) : json_null());
    json_object_set_new(o, "score",
                        l->rank && r->weights.any ? json_integer(l->score) : json_null());
    json_object_set_new(o, "counts", counts_json(l->counts));
    json_object_set_new(o, "figures", figures_json(l->figures));
    return o;
}

static int set_lines(struct reporting *r, json_t *o)
{
    size_t count;
    json_t *groups = json_array();
    json_object_set_new(o, "groups", groups);
    struct reporting_line *lines = reporting_lines(r, &count);
    if (!lines) return cli_fail(r->cli, ERR_NOMEM, _("the figures cannot be counted"));
    for (size_t i = 0; i < count; i++) json_array_append_new(groups, line_json(r, &lines[i]));
    free(lines);
    return EXIT_OK;
}

int reporting_json(struct reporting *r)
{
    json_t *o = output_json("sidan.report/1");
    reporting_json_head(r, o);
    json_object_set_new(o, "counts", counts_json(&r->report.whole.counts));
    json_object_set_new(o, "figures", figures_json(&r->report.whole.figures));
    if (reporting_is_township(r) && !r->village) {
        json_t *apart = json_object();
        json_object_set_new(apart, "counts", counts_json(&r->accusations.whole.counts));
        json_object_set_new(apart, "figures", figures_json(&r->accusations.whole.figures));
        json_object_set_new(o, "accusations", apart);
    }
    if (r->ranked) json_object_set_new(o, "ranked_by", json_string(reporting_ranked_by(r)));
    int code = r->by == REPORT_WHOLE ? EXIT_OK : set_lines(r, o);
    if (!code) return output_json_end(o);
    json_decref(o);
    return code;
}
