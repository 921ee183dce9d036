#include "tools/catching_up.h"

#include "node/lives.h"
#include "node/store/local.h"
#include "tools/contact.h"
#include "tools/output.h"

#include <time.h>

enum { CATCH_UP_MS = 10000, LOOK_MS = 100 };

static bool is_behind(struct cli *cli)
{
    enum life_cause found;
    return lives_look(cli->store, &found) == OK && found == LIFE_ROLLED_BACK;
}

/* A running node is told to, and what it commits is seen here. */
static void by_node(struct cli *cli)
{
    struct txn *t;
    uint8_t token[8];
    struct slice value;
    bool asked = true;
    crypto_random(token, sizeof token);
    if (txn_begin(cli->store, true, &t)) return;
    ask_put(t, "sync", slice_of(token, sizeof token));
    if (txn_commit(t)) return;
    for (int waited = 0; asked && waited < CATCH_UP_MS && is_behind(cli); waited += LOOK_MS) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        if (txn_begin(cli->store, false, &t)) return;
        asked = ask_get(t, "sync", &value);
        txn_abort(t);
    }
}

static void say_nothing(struct contact *c, const char *address)
{
    (void)c;
    (void)address;
}

static void say_no_more(struct contact *c)
{
    (void)c;
}

static void from_here(struct cli *cli)
{
    struct contact contact;
    struct contact_target target;
    struct contact_done done;
    const struct contact_words words = {.calling = say_nothing, .live = say_no_more};
    if (contact_target(cli, &target) || contact_begin(&contact, cli, CATCH_UP_MS)) return;
    enum err e = contact_sync(&contact, &target, &words, &done);
    contact_end(&contact);
    (void)e; /* whoever cannot be reached is not waited for */
}

void catching_up(struct cli *cli)
{
    if (cli_open_settings(cli) || !cli->settings.hub[0][0]) return;
    output_note(cli, "%s",
                _("the records here are older than they were; asking the hub for the rest ..."));
    if (home_node_running(cli->home))
        by_node(cli);
    else
        from_here(cli);
    output_note(cli, "%s",
                is_behind(cli) ? _("they did not come back: recording goes on in a new feed")
                               : _("all is back"));
}
