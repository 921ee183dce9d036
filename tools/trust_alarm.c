#include "tools/trust_alarm.h"

#include "node/store/towns.h"
#include "tools/output.h"

/* The first hub of which two states are kept that cannot both be true; NULL: none. */
static const struct device *two_faced(struct txn *txn, const struct roster *roster)
{
    for (size_t i = 0; i < roster->device_count; i++) {
        struct town_kept a, b;
        bool there = towns_split_get(txn, &roster->devices[i].first, &a, &b);
        town_kept_clear(&a);
        town_kept_clear(&b);
        if (there) return &roster->devices[i];
    }
    return NULL;
}

static int look_at_faces(struct cli *cli, struct txn *txn, struct trust_alarm *out, size_t *count)
{
    const struct roster *roster;
    int code = cli_roster(cli, txn, &roster);
    const struct device *hub = code ? NULL : two_faced(txn, roster);
    if (hub)
        out[(*count)++] = (struct trust_alarm){
            "two-faces",
            cli_format(cli, _("%s signed two states of the town that cannot both be true"),
                       hub->name),
            _("was its disk put back or copied? if not, it shows villages different records: "
              "sidan hub faces")};
    return code;
}

int trust_alarms(struct cli *cli, struct txn *txn, struct trust_alarm out[TRUST_ALARMS_MAX],
                 size_t *count)
{
    struct roster_alarm alarm;
    enum err e = roster_alarm(cli->views, txn, &alarm);
    *count = 0;
    if (e != OK) {
        return cli_fail(cli, e, _("the roster cannot be read"));
    }
    if (alarm.forked != 0) {
        out[(*count)++] = (struct trust_alarm){
            "authority-fork",
            _("two copies of authority.key are in use: the roster has two versions"),
            _("find who has the other copy; if it was stolen: sidan authority replace")};
    }
    if (alarm.sheet_twice) {
        out[(*count)++] = (struct trust_alarm){
            "recovery-twice", _("the recovery key was used twice: somebody else has that sheet"),
            _("look with sidan authority show whose key stands; if it is not yours, found anew")};
    }
    return look_at_faces(cli, txn, out, count);
}
