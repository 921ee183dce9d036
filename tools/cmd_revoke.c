/* `sidan revoke`: a device is let in no more, and only what leads to the named heads counts. */
#include "tools/commands.h"

#include "node/store/local.h"
#include "node/township.h"
#include "tools/aside.h"
#include "tools/authority.h"
#include "tools/hint.h"
#include "tools/kept_heads.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>

#define WHAT _("the device was not revoked")

struct revoking {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct device device;
    const char *reason;
    uint64_t last_ok_ms;
    struct kept_heads kept;
    uint64_t aside; /* stand aside afterwards */
};

static bool is_its(void *state, const struct sign_key *author)
{
    const struct revoking *r = state;
    return roster_has_key(r->roster, &r->device, author);
}

static int check_device(struct revoking *r)
{
    const struct device *self;
    int code = cli_self(r->cli, r->roster, &self);
    if (code) return code;
    if (thing_id_equal(&self->thing, &r->device.thing))
        return cli_error(r->cli, EXIT_REFUSED, WHAT, _("it is the device that you are working at"),
                         _("run it on another hub of the township"));
    if (r->device.state == DEVICE_REVOKED && !cli_has(r->cli, "--keep"))
        return cli_error(r->cli, EXIT_REFUSED, WHAT, _("it is revoked already"),
                         _("to let more of its records count: sidan revoke DEVICE --keep"
                           " FEED:SEQ:ID8"));
    return EXIT_OK;
}

static int choose(struct revoking *r)
{
    const struct device *device;
    struct peer_row row;
    int code = authority_ready(r->cli, r->txn, WHAT);
    if (!code) code = cli_roster(r->cli, r->txn, &r->roster);
    if (!code) code = lookup_device(r->cli, r->roster, cli_argument(r->cli, 0), &device);
    if (code) return code;
    r->device = *device;
    code = check_device(r);
    if (!code) code = kept_heads_read(&r->kept, r->cli, r->txn, r->roster, WHAT, is_its, r);
    if (!code && peer_get(r->txn, &device->first, &row)) {
        r->last_ok_ms = row.last_ok_ms;
        peer_row_clear(&row);
    }
    return code;
}

static void tell_before(const struct revoking *r)
{
    output_line(r->cli, _("%s is let in no more; last success %s"), r->device.name,
                words_ago(r->cli, r->last_ok_ms, cli_now_ms(r->txn)));
    for (size_t i = 0; i < r->kept.count; i++) {
        struct feed_row feed;
        struct buf name = {0};
        char id[17];
        const struct head_named *head = &r->kept.heads[i];
        if (feed_find_id8(r->txn, head->feed8, &feed)) continue;
        lookup_feed_print(&name, r->roster, &feed.feed);
        hex_encode(id, head->id16, 8);
        output_line(r->cli, _("  counts up to %s:%" PRIu64 ":%s"), buf_text(&name), head->seq, id);
        buf_clear(&name);
    }
    if (!r->kept.count) output_line(r->cli, _("  nothing of it counts"));
}

static int record(struct revoking *r)
{
    struct buf body = {0};
    enum err err = township_revoked_write(&body, r->reason, r->kept.heads, r->kept.count);
    struct draft draft = {
        .kind = "device.revoked", .subject = r->device.thing, .body = buf_slice(&body)};
    int code = err ? cli_fail(r->cli, err, WHAT) : authority_record(r->cli, WHAT, &draft, 1);
    buf_clear(&body);
    return code;
}

static json_t *heads_json(const struct revoking *r)
{
    json_t *heads = json_array();
    for (size_t i = 0; i < r->kept.count; i++) {
        const struct head_named *head = &r->kept.heads[i];
        json_t *o = json_object();
        json_object_set_new(o, "feed", output_json_hex(head->feed8, sizeof head->feed8));
        json_object_set_new(o, "seq", json_integer((json_int_t)head->seq));
        json_object_set_new(o, "id", output_json_hex(head->id16, sizeof head->id16));
        json_array_append_new(heads, o);
    }
    return heads;
}

static int tell_after(struct revoking *r)
{
    int code = cli_begin(r->cli, &r->txn);
    if (!code) code = cli_roster(r->cli, r->txn, &r->roster);
    if (!code) r->aside = aside_of(r->txn, r->roster, &r->device);
    txn_abort(r->txn);
    if (code) return code;
    if (r->cli->json) {
        json_t *o = output_json("sidan.revoke/1");
        json_object_set_new(o, "device",
                            output_json_hex(r->device.first.bytes, sizeof r->device.first.bytes));
        json_object_set_new(o, "name", json_string(r->device.name));
        json_object_set_new(o, "heads", heads_json(r));
        json_object_set_new(o, "aside", json_integer((json_int_t)r->aside));
        return output_json_end(o);
    }
    output_line(r->cli, _("revoked; the other devices learn of it at their next contact"));
    if (r->aside) {
        output_line(r->cli, _("%" PRIu64 " records of it stand aside and count for nothing"),
                    r->aside);
        hint_line(r->cli, _("look at them: sidan log --aside"));
    }
    aside_say_left_out(r->cli);
    if (r->device.village[0])
        hint_line(r->cli, cli_format(r->cli, _("a new one for the village: sidan invite %s"),
                                     r->device.village));
    return EXIT_OK;
}

static int run(struct revoking *r)
{
    int code = EXIT_OK;
    r->reason = cli_flag(r->cli, "--reason");
    if (!r->reason)
        code = prompt_line(r->cli, _("reason (lost, stolen, replaced, ...)"), NULL, "--reason",
                           &r->reason);
    if (!code) code = cli_begin(r->cli, &r->txn);
    if (code) return code;
    code = choose(r);
    if (!code && !r->cli->json) tell_before(r);
    txn_abort(r->txn);
    if (!code) code = record(r);
    return code ? code : tell_after(r);
}

int cmd_revoke(struct cli *cli)
{
    struct revoking *r = calloc(1, sizeof *r);
    if (!r) return cli_fail(cli, ERR_NOMEM, WHAT);
    r->cli = cli;
    int code = cli_open_store_writable(cli);
    if (!code) code = cli_open_keys(cli);
    if (!code) code = cli_open_views(cli);
    if (!code) code = run(r);
    free(r);
    return code;
}
