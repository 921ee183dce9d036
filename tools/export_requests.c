#include "tools/exporting.h"

#include <stdio.h>
#include <string.h>

#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/person.h"
#include "node/views/request.h"
#include "node/views/rules.h"
#include "tools/lookup.h"
#include "tools/words.h"

/* The register (台账) of requests, and what import wants to have again. */
static const struct export_column columns[] = {
    {"no.", "序号", false},
    {"village", "村", false},
    {"number", "编号", false},
    {"official no.", "受理编号", false},
    {"channel", "来源", false},
    {"received", "接件时间", false},
    {"name", "姓名", true},
    {"phone", "电话", true},
    {"place", "地址", true},
    {"content", "诉求", true},
    {"nature", "性质", false},
    {"category", "类别", false},
    {"name of the category", "类别名称", false},
    {"urgency", "紧急程度", false},
    {"state", "状态", false},
    {"holder", "承办单位", false},
    {"responsible person", "责任人", true},
    {"number of the order", "交办文号", false},
    {"due", "期限", false},
    {"closed on", "办结时间", false},
    {"result", "结果", false},
    {"solved", "是否解决", false},
    {"rating", "满意度", false},
    {"called back by", "回访人", true},
    {"remarks", "备注", false},
};

/* What only the history says, the newest that took effect. Borrowed from it. */
struct joined {
    struct slice content, responsible, doc_no;
    bool has_caller;
    struct thing_id caller;
};

static void take(struct slice *out, struct slice map, const char *key)
{
    struct slice text = map.size ? body_text(map, key) : SLICE_EMPTY;
    if (text.size) *out = text;
}

static struct joined join(const struct history *h)
{
    struct joined j = {0};
    for (size_t i = 0; i < h->count; i++) {
        const struct event *e = &h->items[i].event;
        struct slice box = e->box_state == BOX_HERE ? e->box : SLICE_EMPTY;
        if (h->items[i].effect != EFFECT_COUNTS) continue;
        take(&j.content, box, "content");
        take(&j.responsible, box, "responsible");
        if (slice_is_text(e->kind, "order.issue")) take(&j.doc_no, e->body, "doc_no");
        if (slice_is_text(e->kind, "correct.entry")) {
            struct slice field = body_text(e->body, "field");
            if (slice_is_text(field, "content")) take(&j.content, box, "personal_value");
            if (slice_is_text(field, "responsible")) take(&j.responsible, box, "personal_value");
            if (slice_is_text(field, "doc_no")) take(&j.doc_no, e->body, "value");
        }
        if (!slice_is_text(e->kind, "callback.record") || !body_bool(e->body, "reached")) continue;
        j.has_caller = e->has_by;
        j.caller = e->by;
    }
    return j;
}

/* Who rated what is not for those who handled it: a village sees it of what it handles itself. */
static bool may_see_rating(const struct exporting *x, const struct request *r)
{
    return device_is_township(x->self) || !r->township;
}

static const char *remarks(struct exporting *x, const struct request *r)
{
    const char *all = "";
    const char *const parts[] = {
        r->supervised == 2   ? _("supervised, red")
        : r->supervised == 1 ? _("supervised, yellow")
                             : NULL,
        r->rounds ? cli_format(x->cli, _("reopened %u times"), (unsigned)r->rounds) : NULL,
        r->objections ? _("sent back") : NULL,
        r->extended ? _("extended") : NULL,
        r->both_changed ? _("changed on both sides") : NULL,
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i]) all = cli_format(x->cli, "%s%s%s", all, *all ? "; " : "", parts[i]);
    return all;
}

static const char *category_name(struct exporting *x, struct slice code)
{
    const struct rules *rules;
    struct category category;
    if (views_rules(x->cli->views, x->txn, &rules)) return "";
    const struct rule *rule = rules_newest(rules, RULE_CATEGORY);
    if (!rule || !rule_category_find(rule, code, &category)) return "";
    return output_text(x->cli, i18n_is_chinese() || !category.en.size ? category.zh : category.en);
}

static const char *caller_name(struct exporting *x, const struct joined *j)
{
    char name[256] = "";
    if (!j->has_caller || !actor_name(x->txn, &j->caller, name, sizeof name)) return "";
    return output_text(x->cli, slice_of_text(name));
}

static const char *solved_words(struct exporting *x, enum request_solved solved)
{
    static const char *const codes[] = {
        [SOLVED_YES] = "yes", [SOLVED_PART] = "part", [SOLVED_NO] = "no"};
    return codes[solved] ? words_choice(x->cli, "solved", slice_of_text(codes[solved])) : "";
}

static void write_row(struct exporting *x, const struct request *r, const struct person *person,
                      const struct joined *j)
{
    bool rated = may_see_rating(x, r);
    export_number(x, x->rows + 1);
    export_cell(x, slice_of_text(lookup_village_name(x->roster, r->village)));
    export_cell(x, r->number);
    export_cell(x, r->official_number);
    export_choice(x, "channel", r->channel);
    export_time(x, r->received_ms);
    export_cell(x, slice_of_text(person->name));
    export_cell(x, slice_of_text(person->phone));
    export_cell(x, slice_of_text(person->place));
    export_cell(x, j->content);
    export_choice(x, "nature", r->nature);
    export_cell(x, r->category);
    export_cell(x, slice_of_text(category_name(x, r->category)));
    export_number(x, r->urgency);
    export_cell(x, slice_of_text(i18n_is_chinese() ? request_state_zh(r->state)
                                                   : request_state_name(r->state)));
    export_cell(x, r->holder);
    export_cell(x, j->responsible);
    export_cell(x, j->doc_no);
    export_time(x, r->due_ms);
    export_time(x, r->closed_ms);
    export_choice(x, "result", r->result);
    export_cell(x, slice_of_text(rated ? solved_words(x, r->solved) : ""));
    if (rated && r->rating)
        export_number(x, r->rating);
    else
        export_cell(x, SLICE_EMPTY);
    export_cell(x, slice_of_text(rated ? caller_name(x, j) : ""));
    export_cell(x, slice_of_text(remarks(x, r)));
}

static bool each(void *state, const struct thing_key *key, const struct request *r)
{
    struct exporting *x = state;
    struct person person = {0};
    struct history history;
    if (!export_wants_ms(x, r->registered_ms) || !export_wants_village(x, r->village)) return true;
    if (x->personal) x->err = person_read(x->cli->views, x->txn, key, &person);
    if (!x->err)
        x->err = views_history(x->cli->views, x->txn, key->scope_number, &key->thing, &history);
    if (x->err) return false;
    struct joined joined = join(&history);
    write_row(x, r, &person, &joined);
    history_clear(&history);
    return true;
}

static enum err add(struct exporting *x)
{
    const struct request_filter all = {.any_state = true};
    return requests_each(x->txn, &all, each, x);
}

static enum err add_accusations(struct exporting *x)
{
    const struct request_filter all = {.any_state = true, .accusations = true};
    return requests_each(x->txn, &all, each, x);
}

const struct export_sheet export_requests = {
    .name = "requests",
    .zh = "诉求",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .add = add,
};

const struct export_sheet export_accusations = {
    .name = "accusations",
    .zh = "举报",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .accusations = true,
    .add = add_accusations,
};
