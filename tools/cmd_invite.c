#include "tools/authority.h"
#include "tools/commands.h"
#include "tools/invite_addresses.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/qr.h"
#include "tools/words.h"

#include "common/time.h"
#include "node/key_change.h"
#include "node/township.h"

#include <stdio.h>
#include <string.h>

#define EXPIRES_DEFAULT_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define EXPIRES_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000)

struct inviting {
    struct cli *cli;
    const char *place; /* VILLAGE or "town", as typed */
    struct invite invite;
    char letter;
    const char *file; /* NULL: only shown as a code */
};

/* --- who is invited --- */

static int choose_roles(struct inviting *i)
{
    struct cli *cli = i->cli;
    const char *list = cli_flag(cli, "--role");
    bool town = i->invite.village[0] == '\0';
    if (list == NULL && town) {
        return cli_error(cli, EXIT_USAGE, _("a township device needs at least one role"), NULL,
                         _("add --role, such as --role dispatch,callback (also office, finance, "
                           "unit, mirror)"));
    }
    uint32_t roles = ROLE_VILLAGE;
    uint32_t allowed = town ? (uint32_t)ROLES_TOWNSHIP : (uint32_t)ROLE_VILLAGE;
    if (list != NULL && (roles_parse(&roles, slice_of_text(list)) != OK || (roles & ~allowed))) {
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" cannot be given here"), list),
                         town ? _("a township device's roles: dispatch, callback, office, finance, "
                                  "unit, mirror, hub")
                              : _("a village's device has the role village"),
                         NULL);
    }
    i->invite.roles = roles;
    return EXIT_OK;
}

static int choose_name(struct inviting *i, const char *short_name)
{
    char *name = i->invite.device_name;
    const char *given = cli_flag(i->cli, "--name");
    int size = given != NULL
                   ? snprintf(name, sizeof i->invite.device_name, "%s", given)
                   : snprintf(name, sizeof i->invite.device_name, "%s-%c", short_name, i->letter);
    if (size <= 0 || (size_t)size >= sizeof i->invite.device_name) {
        return cli_error(i->cli, EXIT_USAGE,
                         cli_format(i->cli, _("\"%s\" cannot be a device's name"), given),
                         cli_format(i->cli, _("allowed: text of 1 to %zu bytes"),
                                    sizeof i->invite.device_name - 1),
                         NULL);
    }
    return EXIT_OK;
}

static int choose_place(struct inviting *i, const struct roster *roster)
{
    const struct village *village = NULL;
    const char *short_name = _("township");
    if (strcmp(i->place, "town") != 0) {
        int code = lookup_village(i->cli, roster, i->place, &village);
        if (code != EXIT_OK) {
            return code;
        }
        if (village->closed) {
            return cli_error(i->cli, EXIT_REFUSED,
                             cli_format(i->cli, _("%s takes no new device"), village->short_name),
                             _("this village was closed"),
                             _("invite the device into the village that it now belongs to"));
        }
        memcpy(i->invite.village, village->code, sizeof village->code);
        memcpy(i->invite.village_name, village->name, sizeof village->name);
        short_name = village->short_name;
    }
    enum err e = township_next_letter(roster, i->invite.village, &i->letter);
    if (e != OK) {
        return cli_fail(i->cli, e, _("this village has had 26 devices already"));
    }
    int code = choose_roles(i);
    return code == EXIT_OK ? choose_name(i, short_name) : code;
}

static int prepare(struct inviting *i)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *hub;
    struct clock_reading clock;
    uint64_t expires_ms = EXPIRES_DEFAULT_MS;
    int code = cli_begin(i->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = authority_ready(i->cli, t, _("no invite was made"));
    if (code == EXIT_OK) {
        code = cli_roster(i->cli, t, &roster);
    }
    if (code == EXIT_OK) {
        code = cli_self(i->cli, roster, &hub);
    }
    if (code == EXIT_OK) {
        code = cli_flag_duration(i->cli, "--expires", &expires_ms);
    }
    if (code == EXIT_OK && (expires_ms == 0 || expires_ms > EXPIRES_MAX_MS)) {
        code = cli_error(i->cli, EXIT_USAGE, _("an invite cannot be valid for so long"),
                         _("allowed: up to 366d"), NULL);
    }
    if (code == EXIT_OK) {
        clock_read(t, &clock);
        i->invite.authority = roster->township;
        i->invite.acceptor = hub->first;
        key_change_served(t, roster, hub, clock.wall_ms, &i->invite.acceptor_transport);
        i->invite.expires_ms = clock.wall_ms + expires_ms;
        memcpy(i->invite.township_name, roster->township_name, sizeof roster->township_name);
        code = choose_place(i, roster);
    }
    bool note = code == EXIT_OK && key_change_to_note(t, roster, hub, clock.wall_ms);
    txn_abort(t);
    enum err e = note ? key_change_note_due(i->cli->store, i->cli->views, clock.wall_ms) : OK;
    return e == OK ? code : cli_fail(i->cli, e, _("no invite was made"));
}

static int sign_by_authority(struct inviting *i)
{
    struct buf body = {0};
    const char *what = _("no invite was made");
    enum err e = township_invited_write(&body, &i->invite, i->letter);
    struct draft draft = {.kind = "device.invited", .founding = true, .body = buf_slice(&body)};
    int code = e == OK ? authority_record(i->cli, what, &draft, 1) : cli_fail(i->cli, e, what);
    buf_clear(&body);
    return code;
}

/* --- the file --- */

static int write_file(struct inviting *i, struct slice text)
{
    enum err e = file_create(i->file, text, 0600);
    if (e == ERR_EXISTS) {
        return cli_error(i->cli, EXIT_REFUSED,
                         cli_format(i->cli, _("\"%s\" was not written"), i->file),
                         _("there is a file of this name already"), _("name another with -o"));
    }
    return e == OK ? EXIT_OK
                   : cli_fail(i->cli, e, cli_format(i->cli, _("\"%s\" was not written"), i->file));
}

static int print_code(struct inviting *i)
{
    struct buf line = {0}, picture = {0};
    invite_write(&line, &i->invite, NULL);
    while (line.size > 0 && line.data[line.size - 1] == '\n') {
        line.size--;
    }
    bool coloured = output_colour(i->cli, COLOUR_BOLD)[0] != '\0';
    enum err e = qr_print(&picture, buf_slice(&line), coloured);
    if (e == OK) {
        fwrite(picture.data, 1, picture.size, stdout);
    }
    crypto_wipe(line.data, line.size);
    buf_clear(&line);
    buf_clear(&picture);
    return e == OK ? EXIT_OK : cli_fail(i->cli, e, _("the code cannot be shown"));
}

static int report(struct inviting *i)
{
    char expires[TIME_TEXT_SIZE];
    struct buf roles = {0};
    int code = EXIT_OK;
    time_format(expires, i->invite.expires_ms);
    roles_print(&roles, i->invite.roles);
    if (i->cli->json) {
        struct signer once;
        signer_from_seed(&once, &i->invite.seed);
        json_t *o = output_json("sidan.invite/1");
        json_object_set_new(o, "invite", output_json_hex(once.key.bytes, sizeof once.key.bytes));
        json_object_set_new(o, "village", json_string(i->invite.village));
        json_object_set_new(o, "name", json_string(i->invite.device_name));
        json_object_set_new(o, "roles", json_string(buf_text(&roles)));
        json_object_set_new(o, "expires", output_json_time(i->invite.expires_ms));
        json_object_set_new(o, "file", i->file != NULL ? json_string(i->file) : json_null());
        signer_clear(&once);
        code = output_json_end(o);
    } else {
        output_line(i->cli, _("invite for %s (%s), valid until %s, for one device"),
                    i->invite.device_name, words_roles(i->cli, i->invite.roles), expires);
        if (i->file != NULL) {
            output_line(i->cli,
                        _("written to %s; it holds secrets: carry it there, do not publish it"),
                        i->file);
            output_line(i->cli, _("next, there: sidan join %s"), i->file);
        }
    }
    buf_clear(&roles);
    return code;
}

/* The file is written first: one that no roster knows is harmless, and an invite that only the
 * roster knows would waste a letter. */
static int issue(struct inviting *i)
{
    struct buf text = {0};
    int code = EXIT_OK;
    sign_seed_make(&i->invite.seed);
    struct box_key transport;
    box_pair_make(&transport, &i->invite.transport);
    const char *comment = cli_format(i->cli, _("invite to %s for %s; secret, for one device"),
                                     i->invite.township_name, i->invite.device_name);
    invite_write(&text, &i->invite, comment);
    if (text.err != OK) {
        code = cli_fail(i->cli, text.err, _("no invite was made"));
    } else if (i->file != NULL) {
        code = write_file(i, buf_slice(&text));
    }
    crypto_wipe(text.data, text.size);
    buf_clear(&text);
    if (code != EXIT_OK) {
        return code;
    }
    code = sign_by_authority(i);
    if (code != EXIT_OK && i->file != NULL) {
        if (file_remove(i->file) != OK) {
            output_note(i->cli, _("%s is left: delete it, it is worth nothing"), i->file);
        }
    }
    if (code == EXIT_OK && cli_has(i->cli, "--qr")) {
        code = print_code(i);
    }
    return code == EXIT_OK ? report(i) : code;
}

int cmd_invite(struct cli *cli)
{
    struct inviting i = {.cli = cli, .place = cli_argument(cli, 0), .file = cli_flag(cli, "-o")};
    int code = cli_open_store_writable(cli);
    if (code == EXIT_OK) {
        code = cli_open_keys(cli);
    }
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = prepare(&i);
    }
    if (code == EXIT_OK) {
        code = invite_addresses(cli, &i.invite);
    }
    if (code == EXIT_OK && i.file == NULL && !cli_has(cli, "--qr")) {
        i.file = cli_format(cli, "%s.invite", i.invite.device_name);
        if (strchr(i.file, '/') != NULL) {
            code = cli_error(cli, EXIT_USAGE, _("no file was named for the invite"), NULL,
                             _("add -o FILE"));
        }
    }
    if (code == EXIT_OK) {
        code = issue(&i);
    }
    invite_wipe(&i.invite);
    return code;
}
