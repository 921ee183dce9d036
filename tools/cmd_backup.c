#include "common/limits.h"
#include "node/backup.h"
#include "tools/commands.h"
#include "tools/output.h"

int cmd_backup(struct cli *cli)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    const char *path = cli_flag(cli, "-o");
    if (path == NULL) {
        return cli_error(cli, EXIT_USAGE, _("no file was named for the copy"), NULL,
                         _("sidan backup -o FILE"));
    }
    int code = cli_open_store(cli);
    if (code == EXIT_OK) {
        code = prompt_passphrase(cli, _("a passphrase for the backup"), true, passphrase);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = backup_make(cli->store, path, passphrase, clock_machine_ms());
    crypto_wipe(passphrase, sizeof passphrase);
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
        json_object_set_new(o, "encrypted", json_true());
        return output_json_end(o);
    }
    output_line(cli, _("written to %s and synced: records, settings and this device's keys"), path);
    output_line(cli, _("who has the file and its passphrase can act as this device: keep them "
                       "apart, and under lock"));
    output_line(cli, _("without the passphrase nobody can put it back: sidan restore FILE"));
    output_line(cli, _("what is erased later stays in it: then make a new one and destroy this"));
    return EXIT_OK;
}
