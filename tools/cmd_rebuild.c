#include "tools/commands.h"
#include "tools/output.h"

int cmd_rebuild(struct cli *cli)
{
    int code = cli_open_store_writable(cli);
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code != EXIT_OK) {
        return code;
    }
    struct progress progress;
    progress_begin(&progress, cli, _("folding"));
    enum err e = views_rebuild(cli->views, cli->store, progress_show, &progress);
    progress_end(&progress);
    if (e != OK) {
        return cli_fail(cli, e, _("the views were not made anew; what was done is kept"));
    }
    struct txn *t;
    code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    uint64_t events = log_count(t);
    txn_abort(t);
    if (cli->json) {
        json_t *o = output_json("sidan.rebuild/1");
        json_object_set_new(o, "events", json_integer((json_int_t)events));
        return output_json_end(o);
    }
    output_line(cli, _("%llu records folded anew"), (unsigned long long)events);
    return EXIT_OK;
}
