#include "node/store/locking.h"
#include "tools/commands.h"
#include "tools/output.h"

/* All of them: one that is half done is told as one that is not. */
static enum err boxes_locked(struct cli *cli, bool *locked)
{
    struct txn *t;
    struct locking now;
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    e = locking_get(t, &now);
    *locked = now.state == LOCKING_DONE;
    txn_abort(t);
    return e;
}

int cmd_backup(struct cli *cli)
{
    const char *path = cli_flag(cli, "-o");
    if (path == NULL) {
        return cli_error(cli, EXIT_USAGE, _("no file was named for the copy"), NULL,
                         _("sidan backup -o FILE"));
    }
    int code = cli_open_store(cli);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = store_copy(cli->store, path, false);
    if (e == ERR_EXISTS) {
        return cli_error(cli, EXIT_REFUSED, cli_format(cli, _("\"%s\" was not written"), path),
                         _("there is a file of this name already"), _("name another file"));
    }
    if (e != OK) {
        return cli_fail(cli, e, cli_format(cli, _("\"%s\" was not written"), path));
    }
    bool locked = false;
    e = boxes_locked(cli, &locked);
    if (e != OK) {
        return cli_fail(cli, e, _("the copy cannot be described"));
    }
    if (cli->json) {
        json_t *o = output_json("sidan.backup/1");
        json_object_set_new(o, "file", json_string(path));
        json_object_set_new(o, "encrypted", json_boolean(locked));
        return output_json_end(o);
    }
    if (locked) {
        output_line(cli,
                    _("copied to %s and synced; residents' data in it are under this laptop's "
                      "passphrase of today: keep both"),
                    path);
    } else {
        output_line(cli, _("copied to %s and synced; it holds residents' data: keep it locked"),
                    path);
    }
    output_line(cli, _("the keys of this device are not in it"));
    output_line(cli, _("what is erased later stays in it: then make a new one and destroy this"));
    return EXIT_OK;
}
