#include "tools/output.h"

#include "common/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define TRIES 3
#define ANSWER_SIZE_MAX 4096

static bool may_ask(const struct cli *cli)
{
    return !cli->no_input && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

static int cannot_ask(struct cli *cli, const char *question, const char *flag)
{
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" has to be answered"), question),
                     cli->no_input ? _("--no-input forbids to ask")
                                   : _("there is no terminal to ask at"),
                     flag ? cli_format(cli, _("give it with %s"), flag) : NULL);
}

/* A line without its end; false at the end of input. */
static bool read_answer(char *out, size_t size)
{
    if (!fgets(out, (int)size, stdin)) return false;
    out[strcspn(out, "\r\n")] = 0;
    return true;
}

int prompt_line(struct cli *cli, const char *question, const char *otherwise, const char *flag,
                const char **answer)
{
    if (!may_ask(cli)) return cannot_ask(cli, question, flag);
    char line[ANSWER_SIZE_MAX];
    for (;;) {
        if (otherwise && *otherwise)
            fprintf(stderr, "%s [%s]: ", question, otherwise);
        else
            fprintf(stderr, "%s: ", question);
        if (!read_answer(line, sizeof line)) break;
        if (!text_valid(slice_of_text(line))) {
            fprintf(stderr, "  %s\n", _("that is no UTF-8 text: set the terminal to UTF-8"));
        } else if (*line || otherwise) {
            *answer = *line ? cli_format(cli, "%s", line) : otherwise;
            return EXIT_OK;
        }
    }
    fputc('\n', stderr);
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" has to be answered"), question),
                     _("the input ended there"),
                     flag ? cli_format(cli, _("give it with %s"), flag) : NULL);
}

/* --- passphrases --- */

/* Ctrl-C while nothing is echoed: a shell would be left blind. */
static struct termios terminal_before;

static void give_terminal_back(int signal_number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
    raise(signal_number); /* SA_RESETHAND: ends the process now */
}

static bool ask_secret(const char *question, char out[PASSPHRASE_SIZE_MAX + 1])
{
    const struct sigaction catch = {.sa_handler = give_terminal_back,
                                    .sa_flags = (int)SA_RESETHAND};
    struct sigaction interrupt, terminate;
    if (tcgetattr(STDIN_FILENO, &terminal_before)) return false;
    struct termios silent = terminal_before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", question);
    sigaction(SIGINT, &catch, &interrupt);
    sigaction(SIGTERM, &catch, &terminate);
    bool hidden = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    bool read = hidden && read_answer(out, PASSPHRASE_SIZE_MAX + 1);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    fputc('\n', stderr);
    return read && *out;
}

static int from_file(struct cli *cli, const char *variable, const char *path,
                     char out[PASSPHRASE_SIZE_MAX + 1])
{
    enum err e = passphrase_read(path, out);
    if (!e) return EXIT_OK;
    return cli_error(cli, EXIT_FAILED, cli_format(cli, _("no passphrase in %s"), path),
                     e == ERR_LIMIT ? _("its first line is empty or too long") : cli_err_text(e),
                     cli_format(cli, _("one line of at most 256 bytes, named by %s"), variable));
}

int prompt_passphrase(struct cli *cli, const char *question, bool confirm,
                      char out[PASSPHRASE_SIZE_MAX + 1])
{
    return prompt_passphrase_named(cli, "SIDAN_PASSPHRASE_FILE", question, confirm, out);
}

int prompt_passphrase_named(struct cli *cli, const char *variable, const char *question,
                            bool confirm, char out[PASSPHRASE_SIZE_MAX + 1])
{
    const char *path = getenv(variable);
    if (path && *path) return from_file(cli, variable, path, out);
    if (!may_ask(cli)) return cannot_ask(cli, question, variable);
    char again[PASSPHRASE_SIZE_MAX + 1];
    for (int i = 0; i < TRIES; i++) {
        if (!ask_secret(question, out)) continue;
        if (!confirm) return EXIT_OK;
        bool same = ask_secret(_("once more"), again) && strcmp(out, again) == 0;
        crypto_wipe(again, sizeof again);
        if (same) return EXIT_OK;
        fprintf(stderr, "%s\n", _("the two differ"));
    }
    crypto_wipe(out, PASSPHRASE_SIZE_MAX + 1);
    return cli_error(cli, EXIT_USAGE, _("no passphrase was given"),
                     _("it was left empty, or typed differently, three times"),
                     _("think of a sentence, and run this again"));
}
