#include "tools/commands.h"
#include "tools/output.h"
#include "tools/status.h"
#include "tools/worklist.h"

enum { TODAY_ROWS = 20 };

int today_village(struct cli *cli, struct txn *txn, const struct standing *s)
{
    int code = worklist_print(cli, txn, TODAY_ROWS);
    if (code) return code;
    output_line(cli, "%s", "");
    return status_village(cli, txn, s);
}

static int show(struct cli *cli, struct txn *txn)
{
    struct standing s;
    if (cli->json || cli->csv) return worklist_print(cli, txn, TODAY_ROWS);
    int code = standing_read(cli, txn, &s);
    if (code) return code;
    code = s.hub ? worklist_print(cli, txn, TODAY_ROWS) : today_village(cli, txn, &s);
    standing_clear(&s);
    return code;
}

int cmd_today(struct cli *cli)
{
    struct txn *txn;
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = show(cli, txn);
    txn_abort(txn);
    return code;
}
