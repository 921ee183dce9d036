#include "tools/join_carried.h"

#include "node/joining.h"
#include "tools/carried_text.h"
#include "tools/hint.h"
#include "tools/lookup.h"

#include <string.h>

/* --- the request --- */

static void request_write(struct buf *request, struct buf *frame, const struct invite *invite,
                          const struct device_keys *keys)
{
    struct signer once;
    struct frame_join f;
    struct join_request q = {.township = invite->authority,
                             .device = keys->signer.key,
                             .transport = keys->transport,
                             .time_ms = clock_machine_ms()};
    signer_from_seed(&once, &invite->seed);
    q.invite = once.key;
    memcpy(q.name, invite->device_name, sizeof q.name);
    join_request_write(request, &q);
    join_sign(&f, buf_slice(request), &once, &keys->signer);
    frame_join_write(frame, &f);
    signer_clear(&once);
}

static int report_request(struct cli *cli, const struct invite *invite, struct slice frame,
                          const uint8_t words[JOIN_WORDS], const char *file)
{
    if (cli->json) {
        const struct sign_key *key = &cli->keys.signer.key;
        json_t *o = output_json("sidan.join/1");
        json_object_set_new(o, "device", output_json_hex(key->bytes, sizeof key->bytes));
        json_object_set_new(o, "state", json_string("requested"));
        json_object_set_new(o, "name", json_string(invite->device_name));
        json_object_set_new(o, "village", json_string(invite->village));
        json_object_set_new(o, "words", carried_text_words_json(words));
        json_object_set_new(o, "file", file ? json_string(file) : json_null());
        if (cli_has(cli, "--qr"))
            json_object_set_new(o, "codes", carried_text_codes_json(&armour_request, frame));
        return output_json_end(o);
    }
    if (file) output_line(cli, _("request to join written to %s: take it to the hub"), file);
    output_line(cli, _("six words of this request, to compare by telephone:"));
    output_line(cli, "    %s", carried_text_words_zh(cli, words));
    output_line(cli, "    (%s)", carried_text_words_en(cli, words));
    output_line(cli, _("the hub must show the same words; if not, somebody changed it on the way"));
    output_line(cli, _("next, at the hub: sidan admit %s; then here: sidan join ANSWER"),
                file ? file : "-");
    return EXIT_OK;
}

int join_carried_request(struct cli *cli, const struct invite *invite)
{
    struct buf request = {0}, frame = {0};
    uint8_t words[JOIN_WORDS];
    const char *file = NULL;
    const char *what = _("the request was not made");
    request_write(&request, &frame, invite, &cli->keys);
    enum err err = request.err ? request.err : frame.err;
    int code = err ? cli_fail(cli, err, what) : EXIT_OK;
    if (!code) code = carried_text_words(cli, buf_slice(&request), words);
    if (!code) {
        const char *comment = cli_format(
            cli, _("request of %s to join %s; for the hub: sidan admit FILE\nsix words: %s"),
            invite->device_name, invite->township_name, carried_text_words_zh(cli, words));
        code = carried_text_write(cli, &armour_request, buf_slice(&frame), comment,
                                  invite->device_name, &file);
    }
    if (!code) code = report_request(cli, invite, buf_slice(&frame), words, file);
    buf_clear(&request);
    buf_clear(&frame);
    return code;
}

/* --- the answer --- */

struct answering {
    struct cli *cli;
    const char *what; /* what is not done, translated */
    struct invite invite;
    struct join_answer_outside outside;
    struct buf content, opened;
    struct join_answer answer;
};

static int refuse(struct answering *a, const char *why, const char *todo)
{
    return cli_error(a->cli, EXIT_REFUSED, a->what, why, todo);
}

static int check_addressee(struct answering *a)
{
    const struct sign_key *own = &a->cli->keys.signer.key;
    if (!sign_key_equal(&a->outside.device, own)) {
        char theirs[9], ours[9];
        hex_encode(theirs, a->outside.device.bytes, 4);
        hex_encode(ours, own->bytes, 4);
        return refuse(
            a, cli_format(a->cli, _("it is for another laptop (%s); this one is %s"), theirs, ours),
            _("take it to the laptop that made the request"));
    }
    if (!sign_key_equal(&a->outside.township, &a->invite.authority))
        return refuse(a, _("it is of another township"), _("ask the hub for the right answer"));
    return EXIT_OK;
}

static int open_answer(struct answering *a)
{
    const struct device_keys *keys = &a->cli->keys;
    enum err err = join_answer_open(&a->opened, &a->answer, &a->outside, &a->invite.acceptor,
                                    &keys->transport, &keys->transport_secret);
    if (err == ERR_FOREIGN)
        return refuse(a, _("it cannot be opened with this laptop's key"),
                      _("copy it again; else make a new request: sidan join INVITE --offline"));
    if (err == ERR_SIGNATURE)
        return refuse(a, _("it is not signed by the hub that the invite names"),
                      _("do not use it; tell the township, and ask for a new invite"));
    return err ? cli_fail(a->cli, err, a->what) : EXIT_OK;
}

static int take_answer(struct answering *a)
{
    enum err err = joining_by_answer(a->cli->home, &a->invite, &a->cli->keys, &a->answer);
    switch (err) {
    case OK:
        return EXIT_OK;
    case ERR_FOREIGN:
        return refuse(a, _("by the roster in it this laptop has not joined"),
                      _("do not use it; tell the township"));
    case ERR_MALFORMED:
    case ERR_SIGNATURE:
    case ERR_CHAIN:
    case ERR_LIMIT:
    case ERR_FORBIDDEN:
    case ERR_BASE:
    case ERR_DICTIONARY:
    case ERR_UNKNOWN_AUTHOR:
        return refuse(
            a, cli_format(a->cli, _("what it brings does not verify: %s"), cli_err_text(err)),
            _("nothing was stored; ask the hub for a new answer: sidan admit"));
    default:
        return cli_fail(a->cli, err, a->what);
    }
}

static int report_answer(struct cli *cli, const char *state)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_views(cli);
    if (!code) code = cli_begin(cli, &t);
    if (code) return code;
    code = cli_roster(cli, t, &roster);
    if (!code) code = cli_self(cli, roster, &self);
    if (!code && cli->json) {
        json_t *o = output_json("sidan.join/1");
        json_object_set_new(o, "device", output_json_hex(self->key.bytes, sizeof self->key.bytes));
        json_object_set_new(o, "state", json_string(state));
        json_object_set_new(o, "name", json_string(self->name));
        json_object_set_new(o, "village", json_string(self->village));
        json_object_set_new(o, "events", json_integer((json_int_t)log_count(t)));
        code = output_json_end(o);
    } else if (!code) {
        output_line(cli, _("joined %s as %s"), roster->township_name, self->name);
        output_line(cli, _("this laptop can record at once; what it records goes up with the first"
                           " contact"));
        hint_line(cli, _("next: sidan-node --home %s"), cli->home);
    }
    txn_abort(t);
    return code;
}

static int complete(struct answering *a)
{
    struct cli *cli = a->cli;
    enum err err = home_load_invite(cli->home, &a->invite);
    if (err)
        return refuse(a, _("this folder waits for no answer"),
                      _("first here: sidan join INVITE --offline"));
    int code = check_addressee(a);
    if (!code) code = open_answer(a);
    if (!code) code = take_answer(a);
    if (code) return code;
    code = cli_open_store_writable(cli);
    return code ? code : report_answer(cli, "joined");
}

/* Once more on a laptop that joined by it: nothing to do. */
static int joined_already(struct answering *a)
{
    if (sign_key_equal(&a->outside.device, &a->cli->keys.signer.key))
        return report_answer(a->cli, "joined");
    return refuse(
        a, cli_format(a->cli, _("the folder %s already belongs to a township"), a->cli->home),
        _("name a new folder with --home"));
}

bool join_carried_is_answer(struct slice text)
{
    return armour_is(&armour_answer, text);
}

int join_carried_answer(struct cli *cli, const char *file, struct slice text)
{
    struct answering a = {.cli = cli,
                          .what = cli_format(cli, _("the answer \"%s\" was not taken"), file)};
    int code = carried_text_open(cli, &armour_answer, a.what, text, &a.content);
    enum err err = OK;
    if (!code) err = join_answer_outside(&a.outside, buf_slice(&a.content));
    if (err)
        code = refuse(&a, _("it is damaged, or a part of it is lacking"),
                      _("copy the whole file again"));
    if (!code) {
        err = home_load_keys(cli->home, &cli->keys);
        cli->has_keys = !err;
        if (err == ERR_NOT_JOINED)
            code = refuse(&a, _("this folder waits for no answer"),
                          _("first here: sidan join INVITE --offline"));
        else if (err)
            code = cli_fail(cli, err, a.what);
    }
    if (!code) code = home_state(cli->home) == HOME_JOINED ? joined_already(&a) : complete(&a);
    invite_wipe(&a.invite);
    buf_clear(&a.content);
    if (a.opened.data) crypto_wipe(a.opened.data, a.opened.size);
    buf_clear(&a.opened);
    return code;
}
