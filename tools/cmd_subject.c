/* sidan subject erase: what is personal of a thing is destroyed on every node. */
#include "tools/commands.h"
#include "tools/erasures.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/subject_others.h"

#include <string.h>
#include <unistd.h>

static void say_others(struct cli *cli, struct txn *txn, const struct subject_others *others)
{
    if (!others->count) return;
    output_note(cli, _("also held of this person, each to be erased by itself where it is meant:"));
    for (size_t i = 0; i < others->count; i++)
        output_note(cli, "  %s", subject_other_words(cli, txn, &others->items[i]));
    if (others->more) output_note(cli, _("  and more: sidan find"));
    output_note(cli, _("  for each: sidan subject erase NUMBER --second PERSON --basis CODE"));
}

static void say_limits(struct cli *cli)
{
    output_note(cli, _("names, phones, addresses and texts of it go on every computer of the"
                       " township, for good; steps, dates and figures stay."));
    output_note(cli, _("not reached: backups and USB sticks made before, prints, computers that"
                       " never come back. Destroy old backups: sidan backup makes a new one."));
}

/* Nobody can take it back, so a person at a terminal says yes first. */
static int confirm(struct cli *cli)
{
    const char *answer;
    if (cli->no_input || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) return EXIT_OK;
    int code = prompt_line(cli, _("erase it? yes/no"), "no", NULL, &answer);
    if (code) return code;
    if (strcmp(answer, "yes") == 0 || strcmp(answer, "y") == 0 || strcmp(answer, "是") == 0)
        return EXIT_OK;
    return cli_error(cli, EXIT_REFUSED, _("nothing was erased"), _("the answer was not yes"), NULL);
}

int cmd_subject_erase(struct cli *cli)
{
    struct txn *txn;
    struct thing_key key;
    static struct subject_others others; /* large */
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = lookup_shown(cli, txn, cli_argument(cli, 0), &key);
    if (!code) code = subject_others_find(cli, txn, &key, &others);
    if (!code && !cli->json) {
        say_others(cli, txn, &others);
        say_limits(cli);
    }
    txn_abort(txn);
    if (!code) code = confirm(cli);
    if (!code) code = cmd_act(cli);
    return code;
}
