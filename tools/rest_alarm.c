#include "tools/rest_alarm.h"

#include "node/at_rest.h"

bool rest_alarm(struct cli *cli, struct trust_alarm *out)
{
    struct at_rest at;
    if (!cli->has_settings || at_rest_look(cli->home, &cli->settings, cli->store, &at))
        return false;
    if (cli->locked && at.unlocked)
        *out = (struct trust_alarm){
            "other-passphrase",
            _("the store is under another passphrase than device.key: it is of an older backup"),
            _("ask the township for a new invite: the first sync brings the records back")};
    else if (!at.whole)
        *out = (struct trust_alarm){
            "at-rest",
            cli_format(cli, _("at_rest is %s, and keys and data do not all lie so on the disk yet"),
                       cli->settings.at_rest),
            cli_format(cli, _("stop sidan-node, then: sidan config set at_rest %s"),
                       cli->settings.at_rest)};
    else
        return false;
    return true;
}
