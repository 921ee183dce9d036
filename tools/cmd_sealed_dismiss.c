#include "tools/commands.h"
#include "tools/lookup_typed.h"
#include "tools/sealed_open.h"

/* What can be opened is opened and declined like any other: nobody lays an accusation aside
 * unread. */
static int refuse_readable(struct sealed_opening *o)
{
    const char *text = cli_argument(o->cli, 0), *why;
    struct thing_key key;
    struct txn *t;
    int code = cli_begin(o->cli, &t);
    if (code) return code;
    code = lookup_typed(o->cli, t, THING_SEALED, text, &key);
    enum err e = code ? OK : sealed_open_try(o, t, &key, &why);
    txn_abort(t);
    if (code || (e && e != ERR_VERSION && e != ERR_STATE && why)) return code;
    if (!e)
        return cli_error(o->cli, EXIT_REFUSED, _("it can be opened, so it is not dismissed"), NULL,
                         cli_format(o->cli, "sidan sealed open %s", text));
    return why ? cli_error(o->cli, EXIT_REFUSED, _("it is not dismissed"), _(why), NULL)
               : cli_fail(o->cli, e, _("nothing was recorded"));
}

int cmd_sealed_dismiss(struct cli *cli)
{
    struct sealed_opening opening;
    int code = sealed_open_begin(&opening, cli);
    if (!code) code = refuse_readable(&opening);
    sealed_open_end(&opening);
    return code ? code : cmd_act(cli);
}
