#include "tools/trust_alarm.h"

#include "tools/output.h"

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
    return EXIT_OK;
}
