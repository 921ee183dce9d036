#include "tools/commands.h"

#include "common/time.h"
#include "tools/hint.h"
#include "tools/output.h"

#include <string.h>

static const char *source_words(const char *source)
{
    if (strcmp(source, "time service") == 0) return _("a time service keeps it");
    if (strcmp(source, "person") == 0) return _("a person said that it is right");
    if (strcmp(source, "hub") == 0) return _("learned from the hub");
    return _("nobody has vouched for it since the start");
}

static int print(struct cli *cli, struct txn *txn)
{
    struct clock_reading now;
    clock_read(txn, &now);
    uint64_t machine_ms = clock_machine_ms();
    if (cli->json) {
        json_t *o = output_json("sidan.clock/1");
        json_object_set_new(o, "machine", output_json_time(machine_ms));
        json_object_set_new(o, "time", output_json_time(now.wall_ms));
        json_object_set_new(o, "clock_offset_ms", json_integer(now.offset_ms));
        json_object_set_new(o, "trusted", json_boolean(now.trusted));
        json_object_set_new(o, "source", json_string(now.source));
        return output_json_end(o);
    }
    char machine[TIME_TEXT_SIZE], corrected[TIME_TEXT_SIZE];
    time_format(machine, machine_ms);
    time_format(corrected, now.wall_ms);
    output_line(cli, _("this machine's clock: %s"), machine);
    output_line(cli, _("the time used here:   %s (%+.1f s)"), corrected,
                (double)now.offset_ms / 1000);
    output_line(cli, "%s: %s", now.trusted ? _("trusted") : _("not trusted"),
                source_words(now.source));
    if (!now.trusted)
        hint_line(cli, "%s: %s", _("next"),
                  _("compare with a watch; if it is right: sidan clock --set"));
    return EXIT_OK;
}

static int vouch(struct cli *cli)
{
    struct txn *txn;
    int code = cli_open_store_writable(cli);
    if (code) return code;
    enum err e = txn_begin(cli->store, true, &txn);
    if (!e) {
        clock_vouch(txn);
        e = txn_commit(txn);
    }
    return e ? cli_fail(cli, e, _("the clock's trust was not kept")) : EXIT_OK;
}

int cmd_clock(struct cli *cli)
{
    struct txn *txn;
    int code = cli_has(cli, "--set") ? vouch(cli) : EXIT_OK;
    if (!code) code = cli_begin(cli, &txn);
    if (code) return code;
    code = print(cli, txn);
    txn_abort(txn);
    return code;
}
