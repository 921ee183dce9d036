#include "tools/output.h"

#include "common/text.h"
#include "tools/hint.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_WIDTH 80

/* What a person needs to know of each error; where a verb knows better, it says so itself. */
static const struct {
    enum exit_code code;
    const char *why;
    const char *todo;
} rows[] = {
    [OK] = {EXIT_OK, "", NULL},
    [ERR_NOMEM] = {EXIT_FAILED, N_("the machine is out of memory"),
                   N_("close other programs and try again")},
    [ERR_IO] = {EXIT_FAILED, N_("the disk or the device reports an error"),
                N_("check the disk (dmesg); make a backup: sidan backup")},
    [ERR_NOSPACE] = {EXIT_FAILED, N_("the disk is full; nothing was lost"),
                     N_("free some space, then try again")},
    [ERR_MAP_FULL] = {EXIT_FAILED, N_("the store has reached its reserved size"),
                      N_("sidan compact, with the node stopped")},
    [ERR_MALFORMED] = {EXIT_FAILED, N_("it is not in the form that is expected here"), NULL},
    [ERR_LIMIT] = {EXIT_FAILED, N_("it is larger than allowed"), NULL},
    [ERR_SIGNATURE] = {EXIT_VERIFY_FAILED, N_("a signature does not verify"),
                       N_("do not use it; ask for a new copy from its author")},
    [ERR_CHAIN] = {EXIT_VERIFY_FAILED, N_("a check code does not match: it was changed or damaged"),
                   N_("sidan verify; ask for a new copy")},
    [ERR_BASE] = {EXIT_FAILED, N_("what it builds on has not arrived here"),
                  N_("sidan sync, then again")},
    [ERR_DICTIONARY] = {EXIT_FAILED, N_("it was packed against records that differ from ours"),
                        N_("sidan sync, then again")},
    [ERR_UNKNOWN_AUTHOR] = {EXIT_REFUSED, N_("its author is not in the roster held here"),
                            N_("sidan sync brings the newest roster")},
    [ERR_FORBIDDEN] = {EXIT_REFUSED, N_("this device's role does not allow it"),
                       N_("sidan kinds says who may")},
    [ERR_NOT_FOUND] = {EXIT_NOT_FOUND, N_("there is no such thing here"),
                       N_("look whether it is written right")},
    [ERR_AMBIGUOUS] = {EXIT_USAGE, N_("more than one matches"), N_("type more of it")},
    [ERR_EXISTS] = {EXIT_REFUSED, N_("it is there already; nothing was changed"), NULL},
    [ERR_STATE] = {EXIT_REFUSED, N_("it is not possible in the present state"),
                   N_("sidan show tells how it stands")},
    [ERR_RANGE] = {EXIT_USAGE, N_("a value is outside what is allowed"), NULL},
    [ERR_BUSY] = {EXIT_TIMED_OUT, N_("another program is using it"),
                  N_("wait for it, or stop it, then try again")},
    [ERR_AGAIN] = {EXIT_TIMED_OUT, N_("it is not ready yet"), N_("try again")},
    [ERR_TIMEOUT] = {EXIT_TIMED_OUT, N_("no answer within the time allowed"),
                     N_("try again, or give --timeout")},
    [ERR_UNREACHABLE] = {EXIT_UNREACHABLE, N_("the hub cannot be reached; everything is safe here"),
                         N_("sidan doctor finds out why")},
    [ERR_NOT_JOINED] = {EXIT_NOT_JOINED, N_("this device has not joined a township"),
                        N_("sidan join FILE, with the invite from the township")},
    [ERR_CORRUPT] = {EXIT_VERIFY_FAILED, N_("stored data is damaged"),
                     N_("sidan verify names the damage, sidan doctor what to do")},
    [ERR_VERSION] = {EXIT_REFUSED, N_("it was made by a newer version of sidan"),
                     N_("install the newer version")},
    [ERR_FOREIGN] = {EXIT_VERIFY_FAILED, N_("it belongs to another township, or is not sidan's"),
                     NULL},
    [ERR_PASSPHRASE] = {EXIT_REFUSED, N_("the passphrase is wrong"),
                        N_("try again; mind the keyboard layout")},
    [ERR_EXPIRED] = {EXIT_REFUSED, N_("it has expired"), N_("ask the township for a new one")},
    [ERR_USED] = {EXIT_REFUSED, N_("it was used already"), N_("ask the township for a new one")},
    [ERR_PERMISSION] = {EXIT_FAILED, N_("the system denies access"),
                        N_("run as the owner of the folder; keys must be mode 0600")},
    [ERR_AMBIGUOUS_COMMIT] = {EXIT_FAILED, N_("nobody knows whether the disk kept it"),
                              N_("look with sidan log -n 5 before doing it again")},
    [ERR_READ_ONLY] = {EXIT_FAILED, N_("the disk is read-only"),
                       N_("after an error of the disk the system locks it: have it looked at")},
    [ERR_LOCKED] = {EXIT_REFUSED,
                    N_("this laptop is locked: keys and data are under its passphrase"),
                    N_("sidan unlock, and type the passphrase")},
    [ERR_NO_KEYRING] =
        {EXIT_FAILED,
         N_("this system keeps no keys in the kernel (a container?), so nothing stays "
            "unlocked"),
         N_("put the passphrase into a file that this user alone reads, and name it "
            "by SIDAN_PASSPHRASE_FILE, for sidan-node too")},
};

enum exit_code cli_exit_code(enum err e)
{
    return (size_t)e < sizeof rows / sizeof rows[0] ? rows[e].code : EXIT_FAILED;
}

const char *cli_err_text(enum err e)
{
    return (size_t)e < sizeof rows / sizeof rows[0] && rows[e].why ? _(rows[e].why) : err_text(e);
}

const char *cli_err_todo(enum err e)
{
    return (size_t)e < sizeof rows / sizeof rows[0] && rows[e].todo ? _(rows[e].todo) : NULL;
}

static json_t *text_or_null(const char *text)
{
    return text ? output_json_text(slice_of_text(text)) : json_null();
}

static void error_json(enum exit_code code, const char *what, const char *why, const char *todo)
{
    json_t *o =
        json_pack("{s:s, s:i, s:o, s:o, s:o}", "schema", "sidan.error/1", "code", (int)code, "what",
                  text_or_null(what), "why", text_or_null(why), "do", text_or_null(todo));
    if (!o) return;
    json_dumpf(o, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(o);
}

/* A command to be copied stays in one line: only between clauses there is an end. */
static struct slice clauses(struct slice s, size_t width)
{
    struct slice line = text_cut(s, width);
    if (line.size == s.size) return s;
    for (size_t end = line.size; end > 0; end--)
        if (s.data[end] == ' ' && s.data[end - 1] == ';') return slice_of(s.data, end);
    return s;
}

static void error_part(const char *label, const char *text)
{
    if (!text || !*text) return;
    struct buf shown = {0};
    int indent = (int)text_width(slice_of_text(label)) + 2;
    size_t width = LINE_WIDTH - (size_t)indent;
    bool whole = isatty(STDERR_FILENO) != 1; /* scripts look for whole lines */
    bool copied = strstr(text, "sidan ") != NULL;
    text_append_shown(&shown, slice_of_text(text));
    for (struct slice rest = buf_slice(&shown); rest.size;) {
        bool first = rest.size == shown.size;
        struct slice now = whole ? rest : copied ? clauses(rest, width) : text_line(rest, width);
        bool blank = now.size < rest.size && rest.data[now.size] == ' ';
        fprintf(stderr, "%s%s%*s%.*s\n", first ? label : "", first ? ": " : "", first ? 0 : indent,
                "", (int)now.size, (const char *)now.data);
        rest = slice_of(rest.data + now.size + blank, rest.size - now.size - blank);
    }
    buf_clear(&shown);
}

int cli_error(struct cli *cli, enum exit_code code, const char *what, const char *why,
              const char *todo)
{
    struct buf hint = {0};
    fflush(stdout);
    if (todo) hint_append(&hint, cli, todo);
    if (hint.size) todo = buf_text(&hint);
    if (cli->json) {
        error_json(code, what, why, todo);
    } else {
        error_part(_("error"), what);
        error_part(_("why"), why);
        error_part(_("do"), todo);
    }
    buf_clear(&hint);
    return code;
}

int cli_fail(struct cli *cli, enum err e, const char *what)
{
    const char *todo = (size_t)e < sizeof rows / sizeof rows[0] ? rows[e].todo : NULL;
    return cli_error(cli, cli_exit_code(e), what, cli_err_text(e), todo ? _(todo) : NULL);
}

int cli_fail_kind(struct cli *cli, enum err e, const char *what, const struct kind_problem *problem)
{
    if (e != ERR_RANGE || !problem->what) return cli_fail(cli, e, what);
    const char *why = problem->field[0] ? cli_format(cli, _("the field \"%s\" %s"), problem->field,
                                                     _(problem->what))
                                        : _(problem->what);
    return cli_error(cli, EXIT_USAGE, what, why, _("sidan kinds KIND lists the fields"));
}
