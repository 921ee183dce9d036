#include "tools/form.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "node/views/body.h"
#include "node/views/thing.h"
#include "tools/act_rows.h"
#include "tools/act_value.h"
#include "tools/categories.h"
#include "tools/choices.h"
#include "tools/flags.h"
#include "tools/output.h"
#include "tools/words.h"

enum { CHOICES_SHOWN = 7, COLUMN_WIDTH = 34, ITEMS_MAX = CATEGORY_NAMES_MAX };

bool form_is_wanted(const struct cli *cli)
{
    for (size_t i = 0; i < cli->flag_count; i++)
        if (cli->flags[i].flag->field) return false;
    return !cli->no_input && !cli->json && isatty(STDIN_FILENO);
}

void form_begin(const struct cli *cli)
{
    output_note(cli, "%s",
                _("Enter alone takes what stands in [ ]; ? lists the choices; Ctrl-C records "
                  "nothing"));
}

/* One question, and what can be chosen: "a|b|c", NULL where nothing is. */
struct question {
    struct cli *cli;
    const struct field *field;
    const char *choices;
    size_t count;
};

static void question_of(struct question *q, struct cli *cli, const struct field *field)
{
    char code[CHOICE_CODE_SIZE];
    *q = (struct question){.cli = cli, .field = field};
    if (field->type == FIELD_BOOL) q->choices = "yes|no";
    if (field->type == FIELD_CHOICE)
        q->choices = field->sealed ? cli_format(cli, "%s|%s", field->choices, field->sealed)
                                   : field->choices;
    for (const char *at = q->choices; at && choice_next(code, &at);) q->count++;
}

static const char *shown(const struct question *q, const char *code)
{
    if (q->field->type == FIELD_BOOL) return strcmp(code, "yes") == 0 ? _("yes") : _("no");
    return choice_shown(q->field->name, code);
}

/* The code of a number in the list, counted from 1; NULL for what is no such number. */
static const char *choice_of_number(const struct question *q, const char *text)
{
    char code[CHOICE_CODE_SIZE];
    size_t size = strlen(text);
    if (size == 0 || size > 2 || strspn(text, "0123456789") != size) return NULL;
    unsigned long number = strtoul(text, NULL, 10);
    if (number == 0 || number > q->count) return NULL;
    for (const char *at = q->choices; number > 0; number--) choice_next(code, &at);
    return cli_format(q->cli, "%s", code);
}

/* In two columns, down the first and then the second. */
static void print_columns(const struct cli *cli, const char *const *items, size_t count)
{
    size_t rows = (count + 1) / 2;
    for (size_t row = 0; row < rows; row++) {
        struct buf line = {0};
        bool two = row + rows < count;
        text_append_padded(&line, slice_of_text(items[row]), two ? COLUMN_WIDTH : 0, false);
        if (two) buf_append_text(&line, items[row + rows]);
        output_note(cli, "  %s", buf_text(&line));
        buf_clear(&line);
    }
}

static void list_choices(const struct question *q)
{
    const char *items[ITEMS_MAX];
    char code[CHOICE_CODE_SIZE];
    size_t count = 0;
    for (const char *at = q->choices; count < ITEMS_MAX && choice_next(code, &at); count++) {
        const char *word = shown(q, code);
        items[count] = strcmp(word, code) == 0
                           ? cli_format(q->cli, "%2zu %s", count + 1, word)
                           : cli_format(q->cli, "%2zu %s (%s)", count + 1, word, code);
    }
    print_columns(q->cli, items, count);
}

static bool is_category(const struct field *f)
{
    return f->type == FIELD_CODE && strcmp(f->name, "category") == 0;
}

static bool is_unit(const struct field *f)
{
    return f->type == FIELD_TEXT && strcmp(f->name, "unit") == 0;
}

struct items {
    struct cli *cli;
    const char *texts[ITEMS_MAX];
    size_t count;
};

static bool add_unit(void *state, const struct thing *unit)
{
    struct items *l = state;
    if (strcmp(thing_state_name(THING_UNIT, unit->state), "in_use") == 0)
        l->texts[l->count++] = output_text(l->cli, body_text(unit->fields, "name"));
    return l->count < ITEMS_MAX;
}

static void add_categories(struct items *l, struct txn *t)
{
    struct category_names names;
    category_names_read(l->cli, t, &names);
    for (size_t i = 0; i < names.count && l->count < ITEMS_MAX; i++) {
        struct buf text = {0};
        category_print(&text, &names, names.items[i].code);
        l->texts[l->count++] = output_text(l->cli, buf_slice(&text));
        buf_clear(&text);
    }
}

/* What the township has set for a field: its categories, its units. False where it sets nothing. */
static bool list_set(const struct question *q)
{
    bool category = is_category(q->field), unit = is_unit(q->field);
    struct items l = {.cli = q->cli};
    struct txn *t;
    if ((!category && !unit) || cli_begin(q->cli, &t) != EXIT_OK) return false;
    if (category) add_categories(&l, t);
    bool read = !unit || things_each(t, THING_UNIT, 0, add_unit, &l) == OK;
    txn_abort(t);
    print_columns(q->cli, l.texts, l.count);
    return read && l.count > 0;
}

/* What `?` answers. */
static void explain(const struct question *q)
{
    struct buf text = {0};
    if (q->count) {
        list_choices(q);
        return;
    }
    if (list_set(q)) return;
    act_allowed(&text, q->field);
    output_note(q->cli, "  %s", buf_text(&text));
    if (q->field->type == FIELD_ROWS) {
        buf_reset(&text);
        act_rows_columns(&text, q->field);
        output_note(q->cli, "  %s", buf_text(&text));
    }
    buf_clear(&text);
}

/* What may be answered, as short as a line of a form. */
static void append_hint(struct buf *line, const struct question *q, bool optional)
{
    char code[CHOICE_CODE_SIZE];
    const char *separator = "";
    const struct field *field = q->field;
    if (q->count && q->count <= CHOICES_SHOWN) {
        for (const char *at = q->choices; choice_next(code, &at); separator = " ")
            buf_printf(line, "%s%s", separator, shown(q, code));
    } else if (q->count) {
        buf_append_text(line, _("? lists them"));
    } else if (strcmp(field->name, "urgency") == 0) {
        buf_append_text(line, _("1-3, 3 is the most urgent"));
    } else if (is_category(field)) {
        buf_append_text(line, _("code or name"));
    } else if (field->type == FIELD_BYTES) {
        buf_append_text(line, _("the number in front of it in sidan show"));
    } else if (field->type == FIELD_THING) {
        buf_append_text(line, _("number, name or id"));
    } else if (field->type != FIELD_TEXT) {
        act_allowed(line, field);
    } else {
        buf_append_text(line, optional ? _("may stay empty") : _("has to be filled in"));
    }
    if (is_category(field) || is_unit(field)) buf_printf(line, "; %s", _("? lists them"));
    if (optional && field->type != FIELD_TEXT) buf_printf(line, "; %s", _("may stay empty"));
}

/* What gives it without a question. */
static const char *flag_name(const struct cli *cli, const struct field *field)
{
    for (const struct flag *f = flags_of(cli->command); f->name; f++)
        if (f->field && strcmp(f->field, field->name) == 0) return f->name;
    return NULL;
}

int form_ask(struct cli *cli, const struct field *field, const char *otherwise, const char **answer)
{
    struct question q;
    struct buf line = {0};
    question_of(&q, cli, field);
    buf_printf(&line, "%s (", words_field(field));
    append_hint(&line, &q, otherwise && !*otherwise);
    buf_append_byte(&line, ')');
    if (otherwise && *otherwise && field->type == FIELD_CHOICE)
        otherwise = choice_shown(field->name, otherwise);
    int code;
    while ((code = prompt_line(cli, buf_text(&line), otherwise, flag_name(cli, field), answer)) ==
               EXIT_OK &&
           (strcmp(*answer, "?") == 0 || strcmp(*answer, "？") == 0))
        explain(&q);
    buf_clear(&line);
    const char *numbered = code ? NULL : choice_of_number(&q, *answer);
    if (numbered) *answer = numbered;
    return code;
}
