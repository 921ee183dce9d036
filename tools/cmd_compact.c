#include "tools/commands.h"
#include "tools/output.h"

int cmd_compact(struct cli *cli)
{
    struct store_space before, after;
    int code = cli_open_store_writable(cli);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = store_space(cli->store, &before);
    if (e == OK) {
        e = store_compact(cli->store);
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
    if (cli->json) {
        json_t *o = output_json("sidan.compact/1");
        json_object_set_new(o, "before", json_integer((json_int_t)before.used));
        json_object_set_new(o, "after", json_integer((json_int_t)after.used));
        return output_json_end(o);
    }
    output_line(cli, _("rewritten: %.1f MB before, %.1f MB now"), (double)before.used / 1e6,
                (double)after.used / 1e6);
    return EXIT_OK;
}
