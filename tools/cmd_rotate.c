/* sidan rotate: this device's keys, or the office's, are changed for new ones, with overlap. In
 * this order, so that whatever is cut short leaves keys that work: the file, the event, the use. */
#include "tools/authority.h"
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"

#include "node/key_change.h"
#include "node/office_key.h"
#include "node/township.h"
#include "proto/rotation.h"

#include <stdlib.h>
#include <string.h>

#define WHAT _("no key was changed")
#define NAMED_MAX 8

struct rotating {
    struct cli *cli;
    struct device self;
    struct sign_key township;
    bool signing; /* else the transport key */
    bool pending; /* the pair is in the file: an earlier try was cut short */
    struct device_pair pair;
    struct buf untold; /* names of who was not told of the last transport key */
    size_t untold_count;
};

/* --- this device's -------------------------------------------------------------------------- */

/* Who was not told of the newest transport key yet, for people. */
static void name_untold(struct rotating *r, struct txn *t, const struct roster *roster)
{
    const struct device *d;
    size_t at = 0;
    buf_reset(&r->untold);
    r->untold_count = 0;
    while ((d = key_change_untold(t, roster, &r->self, cli_now_ms(t), &at)) != NULL) {
        if (r->untold_count++ < NAMED_MAX) {
            buf_printf(&r->untold, "%s%s", r->untold_count > 1 ? ", " : "", d->name);
        }
    }
    if (r->untold_count > NAMED_MAX) {
        buf_printf(&r->untold, " +%zu", r->untold_count - NAMED_MAX);
    }
}

/* One that an earlier try put into the file and no event told of. */
static bool is_pending(const struct rotating *r, const struct roster *roster)
{
    const struct device_keys *keys = &r->cli->keys;
    const struct device_pair *first = &keys->held[0];
    struct box_key transport;
    if (keys->held_count == 0) {
        return false;
    }
    bool new_signer = !roster_has_key(roster, &r->self, &first->signer.key);
    bool new_transport = true;
    for (size_t i = 0; roster_transport_at(roster, &r->self, i, &transport); i++) {
        new_transport = new_transport && !box_key_equal(&transport, &first->transport);
    }
    return r->signing ? new_signer && !new_transport : new_transport && !new_signer;
}

static void make_pair(struct rotating *r, const struct roster *roster)
{
    const struct device_keys *keys = &r->cli->keys;
    struct sign_seed seed;
    r->pending = is_pending(r, roster);
    if (r->pending) {
        r->pair = keys->held[0];
        return;
    }
    r->pair = (struct device_pair){keys->signer, keys->transport, keys->transport_secret};
    if (r->signing) {
        sign_seed_make(&seed);
        signer_from_seed(&r->pair.signer, &seed);
        crypto_wipe(&seed, sizeof seed);
    } else {
        box_pair_make(&r->pair.transport, &r->pair.transport_secret);
    }
}

static int prepare(struct rotating *r)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_begin(r->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(r->cli, t, &roster);
    if (code == EXIT_OK) {
        code = cli_self(r->cli, roster, &self);
    }
    if (code == EXIT_OK) {
        r->self = *self;
        r->township = roster->township;
        name_untold(r, t, roster);
        make_pair(r, roster);
    }
    /* Of transport keys two are good at a time: a third would lock out who knows the first alone.
     */
    if (code == EXIT_OK && !r->signing && r->untold_count != 0) {
        code = cli_error(
            r->cli, EXIT_REFUSED, WHAT,
            cli_format(r->cli, _("not all know of the last change yet: %s"), buf_text(&r->untold)),
            r->self.roles & ROLE_HUB
                ? _("wait until they have synced, or: sidan rotate transport --now")
                : _("sync first: sidan sync"));
    }
    txn_abort(t);
    return code;
}

static enum err rotated_write(struct buf *body, const struct rotating *r)
{
    struct rotation rotation = {.township = r->township,
                                .device = r->self.thing,
                                .has_key = r->signing,
                                .has_transport = !r->signing,
                                .key = r->pair.signer.key,
                                .transport = r->pair.transport};
    struct signature proof;
    struct mp_map map = {0};
    struct mp_writer w;
    rotation_sign(&proof, &rotation, &r->pair.signer);
    if (r->signing) {
        w = mp_map_put(&map, "key");
        mp_write_bin(&w, rotation.key.bytes, sizeof rotation.key.bytes);
    } else {
        w = mp_map_put(&map, "transport");
        mp_write_bin(&w, rotation.transport.bytes, sizeof rotation.transport.bytes);
    }
    w = mp_map_put(&map, "proof");
    mp_write_bin(&w, proof.bytes, sizeof proof.bytes);
    enum err e = mp_map_end(&map, body);
    mp_map_clear(&map);
    return e;
}

static enum err record(struct rotating *r, struct kind_problem *problem)
{
    struct clock_reading clock;
    struct recorded recorded;
    struct buf body = {0};
    struct txn *t;
    enum err e = rotated_write(&body, r);
    const struct draft draft = {.kind = "device.rotated",
                                .scope = scope_town(),
                                .lane = LANE_NORMAL,
                                .subject = r->self.thing,
                                .body = buf_slice(&body)};
    if (e == OK) {
        e = txn_begin(r->cli->store, false, &t);
    }
    if (e == OK) {
        clock_read(t, &clock);
        txn_abort(t);
        e = recorder_record(r->cli->recorder, &clock, &draft, &recorded, problem);
    }
    buf_clear(&body);
    return e;
}

static int tell(struct rotating *r)
{
    if (r->cli->json) {
        json_t *o = output_json("sidan.rotate/1");
        const uint8_t *key =
            r->signing ? r->pair.signer.key.bytes : (const uint8_t *)r->pair.transport.bytes;
        json_object_set_new(o, "kind", json_string(r->signing ? "device" : "transport"));
        json_object_set_new(o, "key", output_json_hex(key, sizeof r->pair.transport.bytes));
        return output_json_end(o);
    }
    output_line(r->cli, r->signing ? _("this device signs with a new key from now on")
                                   : _("this device has a new transport key"));
    if (!r->signing && r->self.roles & ROLE_HUB) {
        output_line(r->cli, _("it is served once every device was told; until then the old one"));
    }
    hint_line(r->cli, _("next: sidan sync; keep device.key in the backup"));
    return EXIT_OK;
}

static int rotate_own(struct rotating *r)
{
    struct kind_problem problem = {0};
    int code = cli_open_recorder(r->cli);
    if (code == EXIT_OK) {
        code = prepare(r);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = r->pending ? OK : home_add_keys(r->cli->home, &r->cli->keys, &r->pair);
    if (e == OK) {
        e = record(r, &problem);
    }
    return e == OK ? tell(r) : cli_fail_kind(r->cli, e, WHAT, &problem);
}

/* --- a hub that waits no longer --------------------------------------------------------------- */

/* The new transport key is served whoever knows it. */
static int serve_now(struct rotating *r)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_store_writable(r->cli);
    if (code == EXIT_OK) {
        code = cli_open_views(r->cli);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = txn_begin(r->cli->store, true, &t);
    if (e != OK) {
        return cli_fail(r->cli, e, WHAT);
    }
    code = cli_roster(r->cli, t, &roster);
    if (code == EXIT_OK) {
        code = cli_self(r->cli, roster, &self);
    }
    if (code == EXIT_OK && !(self->roles & ROLE_HUB)) {
        code = cli_error(r->cli, EXIT_REFUSED, WHAT, _("this device is not the hub"),
                         _("run it on the hub"));
    }
    if (code != EXIT_OK) {
        txn_abort(t);
        return code;
    }
    r->self = *self;
    name_untold(r, t, roster);
    key_change_note(t, &r->self.transport);
    e = txn_commit(t);
    if (e != OK) {
        return cli_fail(r->cli, e, WHAT);
    }
    if (r->untold_count != 0) {
        output_line(r->cli, _("locked out, for they were not told: %s"), buf_text(&r->untold));
        output_line(r->cli, _("each comes back by a new invite for its village"));
    }
    output_line(r->cli, _("the new transport key is served from now on"));
    return EXIT_OK;
}

/* --- the office's ----------------------------------------------------------------------------- */

/* Each device that opens sealed records has the new secret before anything is sealed to it. */
static enum err hand_over(struct cli *cli, const struct box_key *office,
                          const struct box_secret *secret)
{
    struct clock_reading clock;
    struct txn *t;
    const struct roster *roster;
    unsigned given = 0;
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    clock_read(t, &clock);
    txn_abort(t);
    e = recorder_begin(cli->recorder, &clock);
    if (e != OK) {
        return e;
    }
    e = views_roster(cli->views, recorder_txn(cli->recorder), &roster);
    if (e == OK) {
        e = office_key_give_of(cli->recorder, roster, office, secret, &given);
    }
    if (e == OK) {
        return recorder_commit(cli->recorder);
    }
    recorder_abort(cli->recorder);
    return e;
}

static int sign_office(struct cli *cli, const struct authority_keys *keys,
                       const struct box_key *office)
{
    struct kind_problem problem = {0};
    struct txn *t;
    const struct roster *roster;
    struct buf body = {0};
    enum err e = township_office_write(&body, office);
    struct draft draft = {.kind = "office.rotated", .body = buf_slice(&body)};
    int code = cli_begin(cli, &t);
    if (code == EXIT_OK) {
        code = cli_roster(cli, t, &roster);
        draft.subject = code == EXIT_OK ? roster->thing : draft.subject;
        txn_abort(t);
    }
    if (code == EXIT_OK && e == OK) {
        e = authority_sign(cli, &keys->signer, false, &draft, 1, &problem);
    }
    buf_clear(&body);
    return code != EXIT_OK || e == OK ? code : cli_fail_kind(cli, e, WHAT, &problem);
}

static int rotate_office(struct cli *cli)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1] = "";
    struct authority_keys *keys = calloc(1, sizeof *keys);
    struct box_key office;
    struct box_secret secret;
    struct txn *t;
    if (keys == NULL) {
        return cli_fail(cli, ERR_NOMEM, WHAT);
    }
    int code = cli_open_recorder(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code == EXIT_OK) {
        code = authority_ready(cli, t, WHAT);
        txn_abort(t);
    }
    if (code == EXIT_OK) {
        code = authority_open(cli, WHAT, keys, passphrase);
    }
    if (code == EXIT_OK) {
        box_pair_make(&office, &secret);
        authority_keys_add_office(keys, &secret);
        enum err e = home_save_authority(cli->home, AUTHORITY_IN_FORCE, keys, passphrase);
        if (e == OK) {
            e = hand_over(cli, &office, &secret);
        }
        code = e == OK ? sign_office(cli, keys, &office) : cli_fail(cli, e, WHAT);
    }
    crypto_wipe(passphrase, sizeof passphrase);
    crypto_wipe(&secret, sizeof secret);
    authority_keys_wipe(keys);
    free(keys);
    if (code == EXIT_OK) {
        output_line(cli, _("the office has a new key; what was sealed before is still opened"));
        hint_line(cli, _("copy authority.key to a stick again and lock it away"));
    }
    return code;
}

/* --- the verb --------------------------------------------------------------------------------- */

static int refuse_other(struct cli *cli)
{
    return cli_error(cli, EXIT_REFUSED, WHAT, _("a device changes its own keys alone"),
                     _("run it there"));
}

/* DEVICE may be named; it is this one. */
static int check_device(struct cli *cli)
{
    const char *text = cli_argument(cli, 1);
    struct txn *t;
    const struct roster *roster;
    const struct device *named, *self;
    if (text == NULL) {
        return EXIT_OK;
    }
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(cli, t, &roster);
    if (code == EXIT_OK) {
        code = cli_self(cli, roster, &self);
    }
    if (code == EXIT_OK) {
        code = lookup_device(cli, roster, text, &named);
    }
    if (code == EXIT_OK && named != self) {
        code = refuse_other(cli);
    }
    txn_abort(t);
    return code;
}

static int rotate(struct rotating *r, const char *kind)
{
    if (strcmp(kind, "office") == 0) {
        return rotate_office(r->cli);
    }
    if (!r->signing && strcmp(kind, "transport") != 0) {
        return cli_error(
            r->cli, EXIT_USAGE, cli_format(r->cli, _("there is no key \"%s\""), kind), NULL,
            _("device (signs), transport (opens links) or office (opens what is sealed)"));
    }
    return !r->signing && cli_has(r->cli, "--now") ? serve_now(r) : rotate_own(r);
}

int cmd_rotate(struct cli *cli)
{
    const char *kind = cli_argument(cli, 0);
    struct rotating *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return cli_fail(cli, ERR_NOMEM, WHAT);
    }
    r->cli = cli;
    r->signing = strcmp(kind, "device") == 0;
    int code = check_device(cli);
    if (code == EXIT_OK) {
        code = rotate(r, kind);
    }
    buf_clear(&r->untold);
    crypto_wipe(&r->pair, sizeof r->pair);
    free(r);
    return code;
}
