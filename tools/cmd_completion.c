#include "tools/cli.h"
#include "tools/commands.h"
#include "tools/flags.h"

#include <stdio.h>
#include <string.h>

static void print_flag_names(const struct flag *flags)
{
    for (; flags->name; flags++) printf(" %s", flags->name);
}

/* A shell case label: the verb's words with the blank kept. */
static void print_case(const struct command *c)
{
    printf("        \"%s\") words=\"", c->name);
    print_flag_names(flags_of(c));
    puts("\" ;;");
}

static void print_first_words(void)
{
    for (const struct command *c = commands; c->name; c++)
        printf(" %.*s", (int)strcspn(c->name, " "), c->name);
}

static void print_objects(void)
{
    for (const struct command *c = commands; c->name; c++) {
        const char *object = strchr(c->name, ' ');
        if (object)
            printf("        \"%.*s\") words=\"$words%s\" ;;&\n", (int)(object - c->name), c->name,
                   object);
    }
}

int cmd_completion(struct cli *cli)
{
    const char *shell = cli_argument(cli, 0);
    if (shell && strcmp(shell, "bash") != 0)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("no completion for \"%s\""), shell),
                         NULL, "sidan completion bash");
    puts("# bash: source <(sidan completion)\n"
         "_sidan() {\n"
         "    local words= word verb= object= at=${COMP_WORDS[COMP_CWORD]}\n"
         "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "        case $word in -*) ;; *) [ -z \"$verb\" ] && verb=$word || object=$word ;; esac\n"
         "    done\n"
         "    case \"$verb\" in");
    fputs("        \"\") words=\"", stdout);
    print_first_words();
    puts("\" ;;");
    print_objects();
    puts("    esac\n"
         "    case $at in -*)\n"
         "        case \"$verb${object:+ $object}\" in");
    for (const struct command *c = commands; c->name; c++)
        if (strchr(c->name, ' ')) print_case(c);
    puts("        esac\n"
         "        case \"$verb\" in");
    for (const struct command *c = commands; c->name; c++)
        if (!strchr(c->name, ' ')) print_case(c);
    fputs("        esac\n        words=\"$words", stdout);
    print_flag_names(cli_global_flags);
    puts("\" ;;\n"
         "    esac\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$at\"))\n"
         "    [ -n \"$words\" ] || COMPREPLY=($(compgen -f -- \"$at\"))\n"
         "}\n"
         "complete -F _sidan sidan");
    return EXIT_OK;
}
