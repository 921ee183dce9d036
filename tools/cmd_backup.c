#include "tools/commands.h"
#include "tools/output.h"

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
    if (cli->json) {
        json_t *o = output_json("sidan.backup/1");
        json_object_set_new(o, "file", json_string(path));
        return output_json_end(o);
    }
    output_line(cli, _("copied to %s and synced; it holds residents' data: keep it locked"), path);
    output_line(cli, _("the keys of this device are not in it"));
    output_line(cli, _("what is erased later stays in it: then make a new one and destroy this"));
    return EXIT_OK;
}
