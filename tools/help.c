#include "tools/help.h"

#include "common/text.h"
#include "tools/flags.h"
#include "tools/output.h"

#include <string.h>

#define USAGE_WIDTH 30
#define FLAG_WIDTH 28
#define LINE_WIDTH 80

static void print_pair(struct cli *cli, const char *left, size_t width, const char *right)
{
    struct buf line = {0};
    struct slice rest = slice_of_text(right);
    text_append_padded(&line, slice_of_text(left), width, false);
    if (text_width(buf_slice(&line)) > width) {
        output_line(cli, "  %s", buf_text(&line));
        buf_reset(&line);
        text_append_padded(&line, SLICE_EMPTY, width, false);
    }
    do {
        struct slice now = text_line(rest, LINE_WIDTH - width - 3);
        output_line(cli, "  %s %.*s", buf_text(&line), (int)now.size, (const char *)now.data);
        size_t used = now.size + (now.size < rest.size && rest.data[now.size] == ' ');
        rest = slice_of(rest.data + used, rest.size - used);
        buf_reset(&line);
        text_append_padded(&line, SLICE_EMPTY, width, false);
    } while (rest.size);
    buf_clear(&line);
}

static void print_heading(struct cli *cli, const char *text)
{
    output_line(cli, "%s", "");
    output_line(cli, "%s", text);
}

static const char *usage_of(struct cli *cli, const struct command *c)
{
    return c->arguments ? cli_format(cli, "%s %s", c->name, _(c->arguments)) : c->name;
}

static void print_flag(struct cli *cli, const struct flag *f, const char *help)
{
    print_pair(cli, f->value ? cli_format(cli, "%s %s", f->name, _(f->value)) : f->name, FLAG_WIDTH,
               help);
}

static bool group_shown_before(const struct command *c)
{
    for (const struct command *other = commands; other != c; other++)
        if (strcmp(other->group, c->group) == 0) return true;
    return false;
}

/* What it does, and in Chinese by which word it is called too. */
static const char *about(struct cli *cli, const struct command *c)
{
    return i18n_is_chinese() && c->zh ? cli_format(cli, "%s · %s", _(c->help), c->zh) : _(c->help);
}

int help_all(struct cli *cli)
{
    output_line(cli, "%s", _("sidan: an offline-first record of village services and requests"));
    output_line(cli, "%s", _("usage: sidan [VERB] [OBJECT] [flags]"));
    for (const struct command *group = commands; group->name; group++) {
        if (group_shown_before(group)) continue;
        print_heading(cli, _(group->group));
        for (const struct command *c = group; c->name; c++)
            if (strcmp(c->group, group->group) == 0)
                print_pair(cli, usage_of(cli, c), USAGE_WIDTH, about(cli, c));
    }
    print_heading(cli, _("Flags of every command"));
    for (const struct flag *f = cli_global_flags; f->name; f++) print_flag(cli, f, _(f->help));
    print_heading(cli, _("sidan VERB -h explains one; without a verb: sidan status"));
    return EXIT_OK;
}

int help_command(struct cli *cli, const struct command *c)
{
    output_line(cli, "sidan %s", usage_of(cli, c));
    output_line(cli, "  %s", _(c->help));
    if (c->zh) output_line(cli, "  %s: sidan %s", _("also"), c->zh);
    const struct flag *flags = flags_of(c);
    if (flags->name) print_heading(cli, _("Flags"));
    for (const struct flag *f = flags; f->name; f++) print_flag(cli, f, flags_help(cli, c, f));
    print_heading(cli, _("sidan help lists the flags of every command"));
    return EXIT_OK;
}
