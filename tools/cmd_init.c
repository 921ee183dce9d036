#include "tools/commands.h"
#include "tools/drawer_sheet.h"
#include "common/folder.h"
#include "tools/founding.h"
#include "tools/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTEN_DEFAULT "tcp://0.0.0.0:7300"

static int check_home(struct cli *cli)
{
    if (!folder_taken(cli->home)) {
        return EXIT_OK;
    }
    return cli_error(cli, EXIT_REFUSED, cli_format(cli, _("nothing was made in %s"), cli->home),
                     home_state(cli->home) == HOME_EMPTY ? _("the folder is not empty")
                                                         : _("it already holds a node"),
                     _("name a new folder with --home"));
}

static int need(struct cli *cli, const char *flag, const char *question, const char **out)
{
    *out = cli_flag(cli, flag);
    return *out != NULL ? EXIT_OK : prompt_line(cli, question, NULL, flag, out);
}

static void print_people(struct cli *cli, const struct founding_plan *plan,
                         const struct founding *made)
{
    printf(_("%s is founded: %zu villages, its hub in %s, listening on %s\n"), plan->township,
           plan->village_count, cli->home, plan->listen);
    putchar('\n');
    drawer_sheet_print(cli, stdout, plan, made);
    putchar('\n');
    printf(_("next: sidan-node --home %s\n      sidan --home %s invite %s\n"), cli->home, cli->home,
           plan->villages[0].village.short_name);
}

/* No secret stands in what programs keep: the sheet is for eyes. */
static int print_json(struct cli *cli, const struct founding_plan *plan,
                      const struct founding *made)
{
    json_t *o = output_json("sidan.init/1");
    json_object_set_new(o, "home", json_string(cli->home));
    json_object_set_new(o, "township",
                        output_json_hex(made->authority.bytes, sizeof made->authority.bytes));
    json_object_set_new(o, "device", output_json_hex(made->hub.bytes, sizeof made->hub.bytes));
    json_object_set_new(o, "villages", json_integer((json_int_t)plan->village_count));
    json_object_set_new(o, "listen", json_string(plan->listen));
    drawer_sheet_print(cli, stderr, plan, made);
    return output_json_end(o);
}

static int found(struct cli *cli, const struct founding_plan *plan)
{
    struct folder folder;
    struct founding made = {0};
    enum err e = folder_begin(&folder, cli->home);
    if (e != OK) {
        return cli_fail(cli, e, cli_format(cli, _("nothing was made in %s"), cli->home));
    }
    int code = founding_build(cli, folder.path, plan, &made);
    if (code == EXIT_OK) {
        e = folder_finish(&folder, cli->home);
        if (e != OK) {
            code = cli_fail(cli, e, cli_format(cli, _("nothing was made in %s"), cli->home));
        }
    }
    folder_abandon(&folder);
    if (code == EXIT_OK && cli->json) {
        code = print_json(cli, plan, &made);
    } else if (code == EXIT_OK) {
        print_people(cli, plan, &made);
    }
    crypto_wipe(&made.recovery, sizeof made.recovery);
    return code;
}

int cmd_init(struct cli *cli)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    struct township_village *villages = NULL;
    const char *list;
    struct founding_plan plan = {.passphrase = passphrase};
    int code = check_home(cli);
    if (code == EXIT_OK) {
        code = need(cli, "--township", _("name of the township"), &plan.township);
    }
    if (code == EXIT_OK) {
        code = need(cli, "--villages", _("file with the list of villages"), &list);
    }
    if (code == EXIT_OK) {
        code = founding_read_villages(cli, list, &villages, &plan.village_count);
    }
    if (code == EXIT_OK) {
        const char *listen = cli_flag(cli, "--listen");
        plan.listen = listen != NULL ? listen : LISTEN_DEFAULT;
        plan.villages = villages;
        plan.hub_name = cli_format(cli, _("%s hub"), plan.township);
        code = prompt_passphrase(cli, _("passphrase for the authority key"), true, passphrase);
    }
    if (code == EXIT_OK) {
        code = found(cli, &plan);
    }
    crypto_wipe(passphrase, sizeof passphrase);
    free(villages);
    return code;
}
