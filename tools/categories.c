#include "tools/categories.h"

#include "common/text.h"
#include "common/time.h"
#include "tools/output.h"
#include "tools/words.h"

#include <stdio.h>

void category_names_read(struct cli *cli, struct txn *t, struct category_names *out)
{
    const struct rules *rules;
    struct category_cursor at = {0};
    out->count = 0;
    if (views_rules(cli->views, t, &rules) != OK) {
        return;
    }
    const struct rule *list = rules_at(rules, RULE_CATEGORY, time_day(cli_now_ms(t)));
    while (list != NULL && out->count < CATEGORY_NAMES_MAX &&
           rule_category_next(list, &at, &out->items[out->count])) {
        out->count++;
    }
}

struct slice category_name(const struct category_names *names, struct slice code)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct category *c = &names->items[i];
        if (slice_equal(c->code, code)) {
            return i18n_is_chinese() || c->en.size == 0 ? c->zh : c->en;
        }
    }
    return SLICE_EMPTY;
}

void category_print(struct buf *out, const struct category_names *names, struct slice code)
{
    struct slice name = category_name(names, code);
    buf_append_slice(out, code);
    if (name.size > 0) {
        buf_append_byte(out, ' ');
        buf_append_slice(out, name);
    } else if (names->count > 0 && code.size > 0) {
        buf_printf(out, " %s", _("(unlisted)"));
    }
}

/* NULL: none; a name that two codes have is none either. */
static const struct category *find(const struct category_names *names, struct slice text)
{
    const struct category *found = NULL;
    for (size_t i = 0; i < names->count; i++) {
        const struct category *c = &names->items[i];
        if (slice_equal(c->code, text)) {
            return c;
        }
        if (slice_equal(c->zh, text) || slice_equal(c->en, text)) {
            if (found != NULL) {
                return NULL;
            }
            found = c;
        }
    }
    return found;
}

enum err category_typed(struct cli *cli, const char **text, struct act_problem *problem)
{
    struct category_names names;
    struct txn *t;
    struct slice typed = act_trimmed(slice_of_text(*text));
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    category_names_read(cli, t, &names);
    const struct category *c = find(&names, typed);
    if (c != NULL) {
        *text = output_text(cli, c->code);
    } else if (names.count > 0 && typed.size > 0) {
        const struct kind *kind = kind_find(slice_of_text("request.register"));
        snprintf(problem->what, sizeof problem->what, _("%s: \"%s\" is not in the list in force"),
                 words_field(kind_field(kind, "category")), output_text(cli, text_cut(typed, 40)));
        snprintf(problem->allowed, sizeof problem->allowed, "%s",
                 _("a code or a name of sidan category list"));
        e = ERR_RANGE;
    }
    txn_abort(t);
    return e;
}
