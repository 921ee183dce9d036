#include "tools/commands.h"
#include "tools/output.h"

struct rebuild {
    struct progress progress;
    struct visible visible;
};

static void show_progress(void *state, uint64_t done, uint64_t total)
{
    struct rebuild *r = state;
    visible_progress(&r->visible, &done, &total);
    progress_show(&r->progress, done, total);
}

static int look(struct cli *cli, struct visible *out)
{
    struct txn *t;
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_visible(cli, t, out);
    txn_abort(t);
    return code;
}

int cmd_rebuild(struct cli *cli)
{
    struct rebuild r = {.visible = {0}};
    int code = cli_open_store_writable(cli);
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = look(cli, &r.visible);
    }
    if (code != EXIT_OK) {
        return code;
    }
    progress_begin(&r.progress, cli, _("folding"));
    enum err e = views_rebuild(cli->views, cli->store, show_progress, &r);
    progress_end(&r.progress);
    visible_end(&r.visible);
    if (e != OK) {
        return cli_fail(cli, e, _("the views were not made anew; what was done is kept"));
    }
    code = look(cli, &r.visible);
    if (code != EXIT_OK) {
        return code;
    }
    uint64_t events = r.visible.events;
    visible_end(&r.visible);
    if (cli->json) {
        json_t *o = output_json("sidan.rebuild/1");
        json_object_set_new(o, "events", json_integer((json_int_t)events));
        return output_json_end(o);
    }
    output_line(cli, _("%llu records folded anew"), (unsigned long long)events);
    return EXIT_OK;
}
