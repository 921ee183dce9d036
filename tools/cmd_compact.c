#include "tools/commands.h"
#include "tools/output.h"

#include "node/erasing.h"
#include "node/store/erase.h"

/* Orders to erase are carried out once no old page holds what they are about. */
static int answer_orders(struct cli *cli, size_t *count)
{
    struct clock_reading clock;
    struct txn *t;
    *count = 0;
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return cli_fail(cli, e, _("the store was rewritten, and nothing else was done"));
    }
    bool owes = erased_unanswered(t) > 0;
    clock_read(t, &clock);
    txn_abort(t);
    int code = owes ? cli_open_recorder(cli) : EXIT_OK;
    if (code != EXIT_OK || !owes) {
        return code;
    }
    e = erasing_answer(cli->recorder, &clock, count);
    return e == OK ? EXIT_OK : cli_fail(cli, e, _("the orders to erase were not answered"));
}

int cmd_compact(struct cli *cli)
{
    struct store_space before, after;
    int code = cli_open_store_writable(cli);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = store_space(cli->store, &before);
    if (e == OK) {
        e = erase_rewrite(cli->store);
    }
    if (e == ERR_BUSY) {
        return cli_error(cli, EXIT_TIMED_OUT, _("the store was not rewritten"),
                         _("another process has it open"),
                         _("stop sidan-node and other commands of this folder, then try again"));
    }
    if (e == OK) {
        e = store_space(cli->store, &after);
    }
    if (e != OK) {
        return cli_fail(cli, e, _("the store was not rewritten"));
    }
    size_t answered;
    code = answer_orders(cli, &answered);
    if (code != EXIT_OK) {
        return code;
    }
    if (cli->json) {
        json_t *o = output_json("sidan.compact/1");
        json_object_set_new(o, "before", json_integer((json_int_t)before.used));
        json_object_set_new(o, "after", json_integer((json_int_t)after.used));
        json_object_set_new(o, "answered", json_integer((json_int_t)answered));
        return output_json_end(o);
    }
    output_line(cli, _("rewritten: %.1f MB before, %.1f MB now"), (double)before.used / 1e6,
                (double)after.used / 1e6);
    if (answered > 0) {
        output_line(cli, _("orders to erase carried out here and answered: %zu"), answered);
    }
    return EXIT_OK;
}
