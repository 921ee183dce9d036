#include "tools/output.h"

#include "common/text.h"
#include "common/time.h"
#include "tools/flags.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOME "/.local/share/sidan"
#define SHORT_FLAG_SIZE 7 /* of "--name": one letter may be wrong, in longer ones two */

const struct flag cli_global_flags[] = {
    {.name = "--home",
     .value = "DIR",
     .help = N_("the folder of this node (else $SIDAN_HOME, ~/.local/share/sidan)")},
    {.name = "--json", .help = N_("print JSON")},
    {.name = "--csv", .help = N_("print tables as CSV")},
    {.name = "-q", .help = N_("print only what was asked for")},
    {.name = "-v", .help = N_("print more"), .repeatable = true},
    {.name = "--lang", .value = "zh|en", .help = N_("language")},
    {.name = "--color", .value = "auto|always|never", .help = N_("colours")},
    {.name = "--no-input", .help = N_("never ask")},
    {.name = "--timeout", .value = "S", .help = N_("wait at most this long")},
    {.name = "-h", .help = N_("explain")},
    {.name = "--help", .help = N_("explain")},
    {.name = NULL},
};

/* A line taken apart, before anything is judged: errors need the language and --json first. */
struct line {
    const char *words[CLI_ARGUMENTS_MAX + 2];
    size_t word_count;
    struct line_flag {
        const char *text;        /* as typed */
        const struct flag *flag; /* NULL: in no table */
        const char *value;       /* NULL: none given */
    } flags[CLI_FLAGS_MAX];
    size_t flag_count;
    bool too_long;
};

static size_t name_size(const char *text)
{
    return strcspn(text, "=");
}

static const struct flag *find_global(const char *text)
{
    size_t size = name_size(text);
    for (const struct flag *f = cli_global_flags; f->name; f++)
        if (strlen(f->name) == size && memcmp(f->name, text, size) == 0) return f;
    return NULL;
}

static bool names(const struct command *c, const char *first, const char *second)
{
    const char *const forms[] = {c->name, c->zh};
    for (size_t i = 0; i < 2; i++) {
        if (!forms[i]) continue;
        size_t size = strlen(first);
        if (!second && strcmp(forms[i], first) == 0) return true;
        if (second && strncmp(forms[i], first, size) == 0 && forms[i][size] == ' ' &&
            strcmp(forms[i] + size + 1, second) == 0)
            return true;
    }
    return false;
}

static const struct command *find_command(const char *first, const char *second)
{
    for (const struct command *c = commands; c->name; c++)
        if (names(c, first, second)) return c;
    return NULL;
}

/* Before its verb a flag means what it means in the first verb that has it; as to whether a value
 * follows, that is the same in every verb but for a few (a test names them). */
static const struct flag *find_anywhere(const char *text)
{
    const struct flag *found = find_global(text);
    for (const struct command *c = commands; !found && c->name; c++)
        found = flags_find(c, slice_of(text, name_size(text)));
    return found;
}

static void add_word(struct line *line, const char *word)
{
    if (line->word_count == sizeof line->words / sizeof line->words[0])
        line->too_long = true;
    else
        line->words[line->word_count++] = word;
}

/* Behind its verb it is the verb's. */
static const struct flag *find_flag(const struct line *line, const char *text)
{
    const struct command *c = NULL;
    if (line->word_count > 1) c = find_command(line->words[0], line->words[1]);
    if (!c && line->word_count > 0) c = find_command(line->words[0], NULL);
    const struct flag *own = c ? flags_find(c, slice_of(text, name_size(text))) : NULL;
    return own ? own : find_anywhere(text);
}

static void split(struct line *line, int argc, char **argv)
{
    bool flags_over = false;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (flags_over || text[0] != '-' || !text[1]) {
            add_word(line, text);
            continue;
        }
        if (strcmp(text, "--") == 0) {
            flags_over = true;
            continue;
        }
        if (line->flag_count == CLI_FLAGS_MAX) {
            line->too_long = true;
            return;
        }
        struct line_flag *f = &line->flags[line->flag_count++];
        *f = (struct line_flag){text, find_flag(line, text), NULL};
        if (text[name_size(text)])
            f->value = text + name_size(text) + 1;
        else if (f->flag && f->flag->value && i + 1 < argc)
            f->value = argv[++i];
    }
}

static bool is_global(const struct flag *flag)
{
    return find_global(flag->name) == flag;
}

static void apply_switch(struct cli *cli, const char *name)
{
    if (strcmp(name, "--json") == 0) cli->json = true;
    if (strcmp(name, "--csv") == 0) cli->csv = true;
    if (strcmp(name, "-q") == 0) cli->quiet = true;
    if (strcmp(name, "-v") == 0) cli->verbose++;
    if (strcmp(name, "--no-input") == 0) cli->no_input = true;
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) cli->help = true;
}

static void apply_globals(struct cli *cli, const struct line *line)
{
    for (size_t i = 0; i < line->flag_count; i++) {
        const struct line_flag *f = &line->flags[i];
        if (!f->flag || !is_global(f->flag)) continue;
        if (!f->flag->value) apply_switch(cli, f->flag->name);
        if (f->value && strcmp(f->flag->name, "--home") == 0) {
            cli->home = f->value;
            cli->home_given = true;
        }
        if (f->value && strcmp(f->flag->name, "--lang") == 0) cli->lang = f->value;
    }
}

/* The settings read here are not kept: a verb may write them before it opens them. */
static void start_language(const struct cli *cli)
{
    struct settings settings = {0};
    struct settings_problem problem;
    bool asked = cli->lang || getenv("SIDAN_LANG");
    bool configured = !asked && settings_load(&settings, cli->home, &problem) == OK;
    i18n_start(cli->lang, configured ? settings.lang : NULL);
}

static const char *default_home(struct cli *cli)
{
    const char *home = getenv("SIDAN_HOME");
    if (home && *home) return home;
    const char *user = getenv("HOME");
    return cli_format(cli, "%s" DEFAULT_HOME, user && *user ? user : "/root");
}

/* --- the verb --- */

/* The objects of a verb that stands only with one: "get, set". */
static const char *objects_of(struct cli *cli, const char *verb)
{
    const char *list = NULL;
    size_t size = strlen(verb);
    for (const struct command *c = commands; c->name; c++)
        if (strncmp(c->name, verb, size) == 0 && c->name[size] == ' ')
            list = list ? cli_format(cli, "%s, %s", list, c->name + size + 1) : c->name + size + 1;
    return list;
}

static const char *nearest(const char *text, const char *best, const char *candidate,
                           size_t *distance)
{
    size_t d = text_distance(text, candidate);
    if (d >= *distance) return best;
    *distance = d;
    return candidate;
}

/* Chinese words are short: several can be as near. */
#define MEANT_MAX 3
struct meant {
    const char *words[MEANT_MAX];
    size_t count, distance;
};

static void consider(struct meant *m, const char *text, const char *candidate)
{
    size_t d = text_distance(text, candidate);
    if (d > m->distance) return;
    if (d < m->distance) m->count = 0;
    m->distance = d;
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->words[i], candidate) == 0) return;
    if (m->count < MEANT_MAX) m->words[m->count++] = candidate;
}

/* Of a Chinese verb one character may be wrong, of others two letters; of a verb with an object
 * its first word may stand alone. */
static int unknown_verb(struct cli *cli, const char *verb)
{
    bool chinese = (verb[0] & 0x80) != 0;
    struct meant m = {.distance = chinese ? 1 : 2};
    for (const struct command *c = commands; c->name; c++) {
        const char *form = chinese ? c->zh : c->name;
        size_t size = form ? strcspn(form, " ") : 0;
        if (form) consider(&m, verb, form);
        if (form && form[size]) consider(&m, verb, cli_format(cli, "%.*s", (int)size, form));
    }
    const char *list = m.count ? m.words[0] : NULL;
    for (size_t i = 1; i < m.count; i++) list = cli_format(cli, "%s / %s", list, m.words[i]);
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("there is no command \"%s\""), verb), NULL,
                     list ? cli_format(cli, _("did you mean sidan %s ?"), list)
                          : _("sidan help lists the commands"));
}

static int choose_command(struct cli *cli, const struct line *line)
{
    if (line->word_count == 0) {
        cli->bare = true;
        cli->command = find_command(cli->help ? "help" : "status", NULL);
        cli->help = false;
        return EXIT_OK;
    }
    const char *first = line->words[0];
    const char *second = line->word_count > 1 ? line->words[1] : NULL;
    cli->command = second ? find_command(first, second) : NULL;
    size_t used = cli->command ? 2 : 1;
    if (!cli->command) cli->command = find_command(first, NULL);
    for (size_t i = used; cli->command && i < line->word_count; i++)
        if (cli->argument_count < CLI_ARGUMENTS_MAX)
            cli->arguments[cli->argument_count++] = line->words[i];
    if (cli->command) return EXIT_OK;
    const char *objects = objects_of(cli, first);
    if (!objects) return unknown_verb(cli, first);
    if (cli->help) { /* `sidan config -h`: the help of all of them */
        cli->command = find_command("help", NULL);
        cli->help = false;
        cli->arguments[cli->argument_count++] = first;
        return EXIT_OK;
    }
    return cli_error(cli, EXIT_USAGE,
                     second ? cli_format(cli, _("there is no command \"%s %s\""), first, second)
                            : cli_format(cli, _("\"%s\" needs to know what to do"), first),
                     NULL, cli_format(cli, _("sidan %s followed by one of: %s"), first, objects));
}

/* --- judging --- */

static int unknown_flag(struct cli *cli, const char *text)
{
    const char *best = NULL;
    char name[TEXT_DISTANCE_SIZE_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)name_size(text), text);
    const struct flag *const tables[] = {flags_of(cli->command), cli_global_flags};
    size_t size = strlen(name), distance = size < SHORT_FLAG_SIZE ? 2 : 3;
    for (size_t i = 0; i < 2; i++)
        for (const struct flag *f = tables[i]; f->name; f++)
            best = nearest(name, best, f->name, &distance);
    for (const struct flag *f = tables[0]; !best && f->name; f++)
        if (size > 2 && strncmp(f->name, name, size) == 0) best = f->name;
    return cli_error(
        cli, EXIT_USAGE,
        cli_format(cli, _("sidan %s does not know \"%s\""), cli->command->name, text), NULL,
        best ? cli_format(cli, _("did you mean %s ?"), best)
             : cli_format(cli, _("sidan help %s lists its flags"), cli->command->name));
}

static int judge_flag(struct cli *cli, const struct line_flag *f)
{
    const struct flag *flag = flags_find(cli->command, slice_of(f->text, name_size(f->text)));
    bool global = !flag && f->flag && is_global(f->flag);
    if (global) flag = f->flag;
    if (!flag) return unknown_flag(cli, f->text);
    if (flag->value && !f->value)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s needs a value"), flag->name), NULL,
                         cli_format(cli, "%s %s", flag->name, flag->value));
    if (!flag->value && f->value)
        return cli_error(
            cli, EXIT_USAGE,
            cli_format(cli, _("%s takes no value, but \"%s\" was given"), flag->name, f->value),
            NULL, NULL);
    if (!global) cli->flags[cli->flag_count++] = (struct cli_flag){flag, f->value ? f->value : ""};
    return EXIT_OK;
}

static int judge_arguments(struct cli *cli)
{
    const struct command *c = cli->command;
    int count = (int)cli->argument_count;
    if (cli->help || (count >= c->arguments_min && count <= c->arguments_max)) return EXIT_OK;
    const char *what = count < c->arguments_min
                           ? cli_format(cli, _("sidan %s lacks something"), c->name)
                           : cli_format(cli, _("sidan %s does not know what \"%s\" is for"),
                                        c->name, cli->arguments[c->arguments_max]);
    return cli_error(cli, EXIT_USAGE, what, NULL,
                     cli_format(cli, "sidan %s %s", c->name, c->arguments ? _(c->arguments) : ""));
}

static int apply_timeout(struct cli *cli, const char *value)
{
    if (time_parse_duration(&cli->timeout_ms, value))
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("--timeout cannot be \"%s\""), value),
                         NULL, _("seconds, or 30s, 5m, 2h"));
    cli->has_timeout = true;
    return EXIT_OK;
}

static int apply_colour(struct cli *cli, const char *value)
{
    static const char *const modes[] = {"auto", "always", "never"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(value, modes[i]) == 0) {
            cli->colour = (enum cli_colour_mode)i;
            return EXIT_OK;
        }
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("--color cannot be \"%s\""), value), NULL,
                     "auto, always, never");
}

static int judge_global_values(struct cli *cli, const struct line *line)
{
    int code = EXIT_OK;
    for (size_t i = 0; i < line->flag_count && !code; i++) {
        const struct line_flag *f = &line->flags[i];
        if (!f->flag || !is_global(f->flag) || !f->value) continue;
        if (strcmp(f->flag->name, "--timeout") == 0) code = apply_timeout(cli, f->value);
        if (strcmp(f->flag->name, "--color") == 0) code = apply_colour(cli, f->value);
        if (strcmp(f->flag->name, "--lang") == 0 && strcmp(f->value, "zh") != 0 &&
            strcmp(f->value, "en") != 0)
            code =
                cli_error(cli, EXIT_USAGE, cli_format(cli, _("--lang cannot be \"%s\""), f->value),
                          NULL, "zh, en");
    }
    return code;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
    struct line line = {0};
    split(&line, argc, argv);
    cli->home = default_home(cli);
    apply_globals(cli, &line);
    start_language(cli);
    if (line.too_long)
        return cli_error(cli, EXIT_USAGE, _("the line has too many words"), NULL,
                         _("sidan help lists the commands"));
    int code = judge_global_values(cli, &line);
    if (!code) code = choose_command(cli, &line);
    for (size_t i = 0; i < line.flag_count && !code; i++) code = judge_flag(cli, &line.flags[i]);
    if (!code) code = judge_arguments(cli);
    return code;
}

/* --- what the verb asks --- */

const char *cli_flag(const struct cli *cli, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < cli->flag_count; i++)
        if (strcmp(cli->flags[i].flag->name, name) == 0) value = cli->flags[i].value;
    return value;
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_flag(cli, name) != NULL;
}

const char *cli_flag_each(const struct cli *cli, const char *name, size_t *at)
{
    while (*at < cli->flag_count) {
        const struct cli_flag *f = &cli->flags[(*at)++];
        if (strcmp(f->flag->name, name) == 0) return f->value;
    }
    return NULL;
}

const char *cli_field(const struct cli *cli, const char *field)
{
    const char *value = NULL;
    for (size_t i = 0; i < cli->flag_count; i++) {
        const struct flag *f = cli->flags[i].flag;
        if (f->field && strcmp(f->field, field) == 0) value = cli->flags[i].value;
    }
    return value;
}

const char *cli_field_each(const struct cli *cli, const char *field, size_t *at)
{
    while (*at < cli->flag_count) {
        const struct cli_flag *f = &cli->flags[(*at)++];
        if (f->flag->field && strcmp(f->flag->field, field) == 0) return f->value;
    }
    return NULL;
}

static int bad_value(struct cli *cli, const char *name, const char *value, const char *allowed)
{
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s cannot be \"%s\""), name, value), NULL,
                     allowed);
}

int cli_flag_uint(struct cli *cli, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *text = cli_flag(cli, name);
    if (!text) return EXIT_OK;
    uint64_t value = 0;
    bool good = *text != 0;
    for (const char *at = text; *at && good; at++) {
        good = *at >= '0' && *at <= '9' && value <= (UINT64_MAX - 9) / 10;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (!good || value < min || value > max)
        return bad_value(cli, name, text,
                         cli_format(cli, _("a number from %" PRIu64 " to %" PRIu64), min, max));
    *out = value;
    return EXIT_OK;
}

int cli_flag_duration(struct cli *cli, const char *name, uint64_t *out_ms)
{
    const char *text = cli_flag(cli, name);
    if (!text) return EXIT_OK;
    return time_parse_duration(out_ms, text) ? bad_value(cli, name, text, _("like 30s, 5m, 2h, 7d"))
                                             : EXIT_OK;
}

int cli_flag_time(struct cli *cli, const char *name, uint64_t *out_ms)
{
    const char *text = cli_flag(cli, name);
    if (!text) return EXIT_OK;
    return time_parse(out_ms, text)
               ? bad_value(cli, name, text, _("like 2026-11-23 or \"2026-11-23 15:20\""))
               : EXIT_OK;
}

const char *cli_argument(const struct cli *cli, size_t i)
{
    return i < cli->argument_count ? cli->arguments[i] : NULL;
}

uint64_t cli_timeout_ms(const struct cli *cli, uint64_t otherwise_ms)
{
    return cli->has_timeout ? cli->timeout_ms : otherwise_ms;
}
