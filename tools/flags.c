#include "tools/flags.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tools/act.h"
#include "tools/act_defaults.h"
#include "tools/words.h"

enum { COMMANDS_MAX = 160, OWN_FLAGS_MAX = 16, FLAG_NAME_SIZE = 40 };

static const struct {
    const char *kind, *field; /* kind NULL: of every kind */
} filled_in[] = {
    {NULL, "next_due"},
    {NULL, "rules"},
    {NULL, "provisional"},
    {"request.register", "number"},
    {"volunteer.register", "number"},
    {"notice.publish", "number"},
    {"correct.entry", "personal_value"},
    {"benefit.recommend", "count"},
    {"subject.correct", "erases"},
};

bool flags_field_is_filled_in(const struct kind *k, const struct field *f)
{
    for (size_t i = 0; i < sizeof filled_in / sizeof filled_in[0]; i++) {
        bool kind = !filled_in[i].kind || strcmp(filled_in[i].kind, k->name) == 0;
        if (kind && strcmp(filled_in[i].field, f->name) == 0) return true;
    }
    return false;
}

static const char *value_name(const struct field *f)
{
    switch (f->type) {
    case FIELD_UINT:
    case FIELD_INT:
        return "N";
    case FIELD_BOOL:
        return "yes|no";
    case FIELD_DATE:
        return "DATE";
    case FIELD_TIME:
        return "TIME";
    case FIELD_CHOICE:
        return "WORD";
    case FIELD_CODE:
        return "CODE";
    case FIELD_THING:
        return "ID";
    case FIELD_BYTES:
        return "HEX";
    case FIELD_LIST:
        return "TEXT,...";
    case FIELD_ROWS:
        return "ROWS|@FILE";
    case FIELD_TEXT:
        break;
    }
    return "TEXT";
}

static void field_flag_name(char out[FLAG_NAME_SIZE], const struct field *f)
{
    snprintf(out, FLAG_NAME_SIZE, "--%s", f->name);
    for (char *at = out; *at; at++)
        if (*at == '_') *at = '-';
}

static bool has_own(const struct command *c, const struct field *field)
{
    for (const struct flag *f = c->flags; f && f->name; f++)
        if (f->field && strcmp(f->field, field->name) == 0) return true;
    return false;
}

static size_t own_count(const struct command *c)
{
    size_t count = 0;
    while (c->flags && c->flags[count].name) count++;
    return count;
}

const struct flag *flags_of(const struct command *c)
{
    static struct {
        struct flag flags[OWN_FLAGS_MAX + KIND_FIELDS_MAX + 1];
        char names[KIND_FIELDS_MAX][FLAG_NAME_SIZE];
        bool made;
    } all[COMMANDS_MAX], *m;
    size_t count = 0;
    assert(c - commands < COMMANDS_MAX);
    m = &all[c - commands];
    if (m->made) return m->flags;
    assert(own_count(c) <= OWN_FLAGS_MAX);
    for (const struct flag *f = c->flags; f && f->name; f++)
        if (f->field) m->flags[count++] = *f;
    const struct kind *k = c->kind ? kind_find(slice_of_text(c->kind)) : NULL;
    for (size_t i = 0; k && i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        if (has_own(c, f) || flags_field_is_filled_in(k, f)) continue;
        field_flag_name(m->names[i], f);
        m->flags[count++] = (struct flag){.name = m->names[i],
                                          .value = value_name(f),
                                          .repeatable = f->type == FIELD_ROWS,
                                          .field = f->name};
    }
    for (const struct flag *f = c->flags; f && f->name; f++)
        if (!f->field) m->flags[count++] = *f;
    m->made = true;
    return m->flags;
}

const struct field *flags_field(const struct command *c, const struct flag *f)
{
    return c->kind && f->field ? kind_field(kind_find(slice_of_text(c->kind)), f->field) : NULL;
}

/* "--预计时长" for 预计时长(分钟). */
static bool names_in_chinese(const struct field *f, struct slice text)
{
    size_t size = strcspn(f->zh, "(");
    return text.size == size + 2 && memcmp(text.data, "--", 2) == 0 &&
           memcmp(text.data + 2, f->zh, size) == 0;
}

const struct flag *flags_find(const struct command *c, struct slice text)
{
    const struct flag *flags = flags_of(c);
    for (const struct flag *f = flags; f->name; f++)
        if (slice_is_text(text, f->name)) return f;
    for (const struct flag *f = flags; f->name; f++) {
        char name[FLAG_NAME_SIZE];
        const struct field *field = flags_field(c, f);
        if (!field) continue;
        field_flag_name(name, field);
        if (slice_is_text(text, name) || names_in_chinese(field, text)) return f;
    }
    return NULL;
}

const char *flags_help(struct cli *cli, const struct command *c, const struct flag *f)
{
    const struct field *field = flags_field(c, f);
    if (f->help || !field) return f->help ? _(f->help) : "";
    const struct kind *k = kind_find(slice_of_text(c->kind));
    const char *text;
    bool must = field->required && act_default_of(k, field, &text) == ACT_DEFAULT_NONE;
    const char *needed = must ? _(" (needed)") : "";
    struct buf range = {0};
    if (field->type == FIELD_CHOICE || field->type == FIELD_UINT || field->type == FIELD_INT ||
        field->type == FIELD_CODE)
        act_allowed(&range, field);
    const char *help = cli_format(cli, "%s%s%s%s", words_field(field), needed,
                                  range.size ? ": " : "", buf_text(&range));
    buf_clear(&range);
    return help;
}
