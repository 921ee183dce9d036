#include "tools/categories.h"

#include "common/time.h"

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
    }
}
