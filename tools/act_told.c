#include "tools/act_told.h"

#include <string.h>

#include "tools/words.h"

static const struct {
    const char *kind, *done, *next; /* "%s": what people call the thing; NULL: as for all */
} told[] = {
    {"request.accept", N_("%s is accepted"), NULL},
    {"order.issue", N_("%s is assigned"), NULL},
    {"order.sign", N_("%s is signed for"), NULL},
    {"order.report", N_("the result of %s is reported"), NULL},
    {"callback.record", N_("the callback of %s is recorded"), NULL},
    {"request.close", N_("%s is closed"), NULL},
    {"subject.erase", N_("%s: what is personal is erased here; every other computer follows"),
     N_("where it is not done yet: sidan status; sidan show %s")},
    {"team.form", NULL, N_("volunteers join it: sidan volunteer add")},
    {"volunteer.register", NULL,
     N_("for a card the volunteer has to agree: sidan consent give %s card")},
    {"consent.give", NULL, N_("where it was for a card: sidan card issue %s")},
    {"call.publish", NULL, N_("who comes: sidan signup %s")},
    {"call.close", NULL, N_("once it was held: sidan activity record --call %s")},
    {"activity.record", NULL, N_("who was there: sidan attendance %s")},
    {"attendance.record", NULL,
     N_("another person verifies it: sidan service verify %s --decision ok --by PERSON")},
    {"service.log", NULL,
     N_("another person verifies it: sidan service verify %s --decision ok --by PERSON")},
    {"asset.record", NULL, N_("once it is restored: sidan asset change %s --condition in_use")},
};

const char *act_done(struct cli *cli, const struct kind *k, const char *label)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (told[i].done && strcmp(told[i].kind, k->name) == 0)
            return cli_format(cli, _(told[i].done), label);
    return cli_format(cli, _("%s: recorded: %s"), label, words_kind(cli, slice_of_text(k->name)));
}

const char *act_next(struct cli *cli, const struct kind *k, const char *label)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (told[i].next && strcmp(told[i].kind, k->name) == 0)
            return cli_format(cli, _(told[i].next), label);
    return NULL;
}

const char *act_request_next(struct cli *cli, const struct request *r, bool township,
                             const char *label)
{
    static const struct {
        enum request_state state;
        enum { HERE, BOTH, TOWNSHIP } who; /* who handles it; the village too; the township alone */
        const char *next;
    } steps[] = {
        {REQUEST_REGISTERED, HERE, N_("sidan accept %s")},
        {REQUEST_AWAITING_INFO, BOTH, N_("when the person has answered: sidan supplement %s")},
        {REQUEST_ACCEPTED, HERE, N_("sidan assign %s")},
        {REQUEST_ASSIGNED, BOTH, N_("the unit signs for it: sidan sign %s")},
        {REQUEST_OBJECTED, TOWNSHIP, N_("sidan decide %s")},
        {REQUEST_IN_PROGRESS, BOTH, N_("sidan report %s")},
        {REQUEST_SUSPENDED, TOWNSHIP, N_("when it can go on: sidan resume %s")},
        {REQUEST_REPORTED, HERE,
         N_("another person asks whether it is solved: sidan visit %s --by PERSON")},
    };
    bool ours = township || !r->township;
    const bool may[] = {[HERE] = ours, [BOTH] = true, [TOWNSHIP] = township};
    if (township && r->extend_to_ms && r->state != REQUEST_OBJECTED)
        return cli_format(cli, _("sidan extend-decide %s"), label);
    if (ours && r->callback_reached && r->state == REQUEST_REPORTED)
        return cli_format(cli, _("sidan close %s --result solved"), label);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].state == r->state && may[steps[i].who])
            return cli_format(cli, _(steps[i].next), label);
    return NULL;
}
