/* sidan authority: whose key signs for the township, and its replacement by the recovery key. */
#include "tools/aside.h"
#include "tools/authority.h"
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/kept_heads.h"
#include "tools/lookup.h"

#include "node/office_key.h"
#include "node/township.h"

#include <stdlib.h>
#include <string.h>

#define WHAT _("the authority was not replaced")
#define SHEET_SIZE_MAX 4096

struct replacing {
    struct cli *cli;
    struct txn *txn;
    struct sign_key earlier, recovery; /* in force until now */
    struct thing_id township;
    char name[65];
    struct signer by;       /* the recovery key that was typed */
    struct sign_seed sheet; /* the new one */
    struct sign_key sheet_key;
    struct authority_keys next;
    struct kept_heads kept;
};

static bool is_earlier(void *state, const struct sign_key *author)
{
    const struct replacing *r = state;
    return sign_key_equal(author, &r->earlier);
}

/* --- the sheet from the drawer -------------------------------------------------------------- */

static int read_sheet(struct cli *cli, const char **text)
{
    const char *path = getenv("SIDAN_RECOVERY_FILE");
    struct buf content = {0};
    if (path == NULL || *path == '\0') {
        return prompt_line(cli, _("recovery key, as the sheet says it (17 groups of 4)"), NULL,
                           "SIDAN_RECOVERY_FILE", text);
    }
    enum err e = file_read(&content, path, SHEET_SIZE_MAX);
    if (e == OK) {
        *text = cli_format(cli, "%s", buf_text(&content));
        crypto_wipe(content.data, content.capacity);
    }
    buf_clear(&content);
    return e == OK ? EXIT_OK
                   : cli_error(cli, EXIT_NOT_FOUND,
                               cli_format(cli, _("no recovery key in %s"), path), cli_err_text(e),
                               _("a file with the 17 groups, named by SIDAN_RECOVERY_FILE"));
}

/* Which sheet is the right one, for who has another in his hand. */
static int refuse_sheet(struct replacing *r, const struct roster *roster)
{
    char mark[9];
    bool used = roster_is_recovery(roster, &r->by.key);
    township_recovery_mark(mark, &r->recovery);
    return cli_error(r->cli, EXIT_REFUSED, WHAT,
                     used ? _("this recovery key was used before: a newer sheet replaced it")
                          : _("this is the recovery key of another township"),
                     cli_format(r->cli, _("take the sheet that is marked %s"), mark));
}

static int refuse_typed(struct replacing *r, const struct sign_seed *typed, enum err e,
                        unsigned group, const char *why)
{
    if (e == ERR_SIGNATURE) {
        group = township_recovery_slip(typed, &r->recovery);
    }
    return cli_error(r->cli, EXIT_USAGE,
                     group != 0
                         ? cli_format(r->cli, _("group %u of the recovery key is wrong"), group)
                         : _("that is no recovery key"),
                     _(why), _("compare it with the sheet group by group, then type it once more"));
}

static int take_sheet(struct replacing *r, const struct roster *roster)
{
    const char *text, *why = "";
    struct sign_seed seed = {{0}};
    unsigned group = 0;
    int code = read_sheet(r->cli, &text);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = township_recovery_read(&seed, slice_of_text(text), &group, &why);
    if (e != OK) {
        code = refuse_typed(r, &seed, e, group, why);
    } else {
        signer_from_seed(&r->by, &seed);
        code = sign_key_equal(&r->by.key, &r->recovery) ? EXIT_OK : refuse_sheet(r, roster);
    }
    crypto_wipe(&seed, sizeof seed);
    return code;
}

/* --- what counts of the earlier one --------------------------------------------------------- */

/* --- the new keys --------------------------------------------------------------------------- */

static int check_place(struct replacing *r, const struct roster *roster)
{
    const struct device *self;
    int code = cli_self(r->cli, roster, &self);
    if (code == EXIT_OK && !device_is_township(self)) {
        code = cli_error(r->cli, EXIT_REFUSED, WHAT, _("this is a village's device"),
                         _("run it on a device of the township, best on the hub"));
    }
    if (code == EXIT_OK && !roster->founded) {
        code = cli_error(r->cli, EXIT_REFUSED, WHAT, _("the roster has not arrived here yet"),
                         _("sidan sync"));
    }
    return code;
}

static int prepare(struct replacing *r)
{
    const struct roster *roster;
    struct box_secret office;
    int code = cli_begin(r->cli, &r->txn);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(r->cli, r->txn, &roster);
    if (code == EXIT_OK) {
        code = check_place(r, roster);
    }
    if (code == EXIT_OK) {
        r->earlier = roster_authority(roster)->key;
        r->recovery = roster_authority(roster)->recovery;
        r->township = roster->thing;
        memcpy(r->name, roster->township_name, sizeof r->name);
        code = take_sheet(r, roster);
    }
    if (code == EXIT_OK) {
        code = kept_heads_read(&r->kept, r->cli, r->txn, roster, WHAT, is_earlier, r);
    }
    if (code == EXIT_OK) {
        /* The earlier file may be gone; a device that was given the office's secret has it too. */
        if (office_key_open(r->txn, roster, &r->cli->keys, &office) == OK) {
            authority_keys_add_office(&r->next, &office);
        }
        crypto_wipe(&office, sizeof office);
    }
    txn_abort(r->txn);
    return code;
}

static void make_keys(struct replacing *r)
{
    struct signer sheet;
    sign_seed_make(&r->next.seed);
    signer_from_seed(&r->next.signer, &r->next.seed);
    sign_seed_make(&r->sheet);
    signer_from_seed(&sheet, &r->sheet);
    r->sheet_key = sheet.key;
    signer_clear(&sheet);
}

/* --- telling -------------------------------------------------------------------------------- */

static void print_sheet(const struct replacing *r)
{
    char key[sizeof r->next.signer.key.bytes * 2 + 1], mark[9], before[9];
    struct buf text = {0};
    hex_encode(key, r->next.signer.key.bytes, sizeof r->next.signer.key.bytes);
    township_recovery_mark(mark, &r->sheet_key);
    township_recovery_mark(before, &r->recovery);
    township_recovery_print(&text, &r->sheet);
    printf("======== %s ========\n", _("print this sheet and lock it away"));
    printf(_("township        %s\n"), r->name);
    printf(_("new authority   %s\n"), key);
    printf(_("recovery key    (shown this once, stored nowhere; mark %s)\n\n%s\n\n"), mark,
           buf_text(&text));
    printf(_("It takes the place of the sheet marked %s, which is worth nothing from now on:\n"
             "burn that one when sidan authority show names the mark %s.\n"),
           before, mark);
    printf("==================================\n\n");
    fflush(stdout);
    crypto_wipe(text.data, text.size);
    buf_clear(&text);
}

static int print_json(const struct replacing *r)
{
    char mark[9];
    struct buf text = {0};
    json_t *o = output_json("sidan.authority/1");
    township_recovery_mark(mark, &r->sheet_key);
    township_recovery_print(&text, &r->sheet);
    json_object_set_new(o, "authority",
                        output_json_hex(r->next.signer.key.bytes, sizeof r->next.signer.key.bytes));
    json_object_set_new(o, "recovery", json_string(buf_text(&text)));
    json_object_set_new(o, "mark", json_string(mark));
    json_object_set_new(o, "heads", json_integer((json_int_t)r->kept.count));
    json_object_set_new(o, "office_secret", json_boolean(r->next.office_count != 0));
    crypto_wipe(text.data, text.size);
    buf_clear(&text);
    int code = output_json_end(o);
    fflush(stdout);
    return code;
}

/* --- in this order -------------------------------------------------------------------------- */

static enum err sign(struct replacing *r, struct kind_problem *problem)
{
    struct buf body = {0};
    const struct township_replacement replacement = {.key = r->next.signer.key,
                                                     .recovery = r->sheet_key,
                                                     .heads = r->kept.heads,
                                                     .head_count = r->kept.count};
    enum err e = township_replaced_write(&body, &replacement);
    struct draft draft = {
        .kind = "authority.replaced", .subject = r->township, .body = buf_slice(&body)};
    if (e == OK) {
        e = authority_sign(r->cli, &r->by, true, &draft, 1, problem);
    }
    buf_clear(&body);
    return e;
}

/* The sheet is shown and the key saved before anything is recorded: whatever is cut short, the
 * authority in force has a key and its recovery key a sheet. A sheet whose event never came is
 * worth nothing, which its mark shows. */
static int replace(struct replacing *r)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    struct kind_problem problem = {0};
    int code =
        prompt_passphrase(r->cli, _("passphrase for the new authority key"), true, passphrase);
    if (code != EXIT_OK) {
        return code;
    }
    make_keys(r);
    if (r->cli->json) {
        code = print_json(r);
    } else {
        print_sheet(r);
    }
    enum err e = code == EXIT_OK
                     ? home_save_authority(r->cli->home, AUTHORITY_NEXT, &r->next, passphrase)
                     : OK;
    crypto_wipe(passphrase, sizeof passphrase);
    if (code == EXIT_OK && e == OK) {
        e = sign(r, &problem);
        if (e == OK) {
            e = home_promote_authority(r->cli->home);
        }
    }
    return code != EXIT_OK || e == OK ? code : cli_fail_kind(r->cli, e, WHAT, &problem);
}

static void tell(struct replacing *r)
{
    output_line(r->cli, _("the authority is replaced; %zu heads of the earlier one count"),
                r->kept.count);
    aside_say_left_out(r->cli);
    output_line(r->cli, _("copy authority.key to a stick again and lock it away"));
    if (r->next.office_count == 0) {
        output_line(r->cli, _("the office's secret is not in it: this device was never given it"));
    }
    hint_line(r->cli, _("next, for the thief may have the office's key too: sidan rotate office"));
}

int cmd_authority_replace(struct cli *cli)
{
    struct replacing *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return cli_fail(cli, ERR_NOMEM, WHAT);
    }
    r->cli = cli;
    int code = cli_open_store_writable(cli);
    if (code == EXIT_OK) {
        code = cli_open_keys(cli);
    }
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = prepare(r);
    }
    if (code == EXIT_OK) {
        code = replace(r);
    }
    if (code == EXIT_OK && !cli->json) {
        tell(r);
    }
    signer_clear(&r->by);
    authority_keys_wipe(&r->next);
    crypto_wipe(&r->sheet, sizeof r->sheet);
    free(r);
    return code;
}
