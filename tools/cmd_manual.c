#include "common/version.h"
#include "tools/commands.h"
#include "tools/flags.h"
#include "tools/help.h"

#include <stdio.h>

/* roff: a leading dot or quote would be a request, a backslash an escape, a minus a hyphen. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            fputc(*text, stdout);
    }
}

static void print_tagged(const char *name, const char *value, const char *text)
{
    fputs(".TP\n.B ", stdout);
    print_roff(name);
    if (value) {
        fputs("\\fR ", stdout);
        print_roff(value);
    }
    fputc('\n', stdout);
    print_roff(text);
    fputc('\n', stdout);
}

static void print_flag(const struct flag *f, const char *help)
{
    print_tagged(f->name, f->value ? _(f->value) : NULL, help);
}

int cmd_manual(struct cli *cli)
{
    printf(".TH SIDAN 1 \"\" \"sidan %s\"\n.SH %s\nsidan \\- ", SIDAN_VERSION, _("NAME"));
    print_roff(_("an offline-first record of village services and requests"));
    printf("\n.SH %s\n.B sidan\n[VERB] [OBJECT] [flags]\n.SH %s\n", _("SYNOPSIS"), _("COMMANDS"));
    for (const struct command *c = commands; c->name; c++) {
        print_tagged(c->name, c->arguments ? _(c->arguments) : NULL, _(c->help));
        const struct flag *flags = flags_of(c);
        if (!flags->name) continue;
        puts(".RS");
        for (const struct flag *f = flags; f->name; f++) print_flag(f, flags_help(cli, c, f));
        puts(".RE");
    }
    printf(".SH %s\n", _("FLAGS OF EVERY COMMAND"));
    for (const struct flag *f = cli_global_flags; f->name; f++) print_flag(f, _(f->help));
    printf(".SH %s\n", _("EXIT STATUS"));
    print_roff(_("0 ok, 1 failure, 2 usage, 3 attention, 4 not found, 5 node not running, "
                 "6 hub unreachable (data safe), 7 verification failed, 8 refused or conflict, "
                 "9 timeout or busy, 10 not joined"));
    fputc('\n', stdout);
    return EXIT_OK;
}
