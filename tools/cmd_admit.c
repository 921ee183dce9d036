/* `sidan admit`: the hub's answer to a join request that was carried here. */
#include "tools/commands.h"

#include "common/time.h"
#include "node/admission.h"
#include "node/carried.h"
#include "tools/carried_text.h"
#include "tools/lookup.h"

#include <inttypes.h>
#include <string.h>

#define ANSWER_RUNS_MAX KIB(512)
#define ANSWER_RUNS_MAX_QR KIB(8)

struct admitting {
    struct cli *cli;
    const char *file, *what;
    struct buf content; /* the JOIN frame */
    struct frame_join frame;
    struct clock_reading clock;
    struct admission admission;
    uint8_t words[JOIN_WORDS];
    struct buf answer;
    uint64_t left; /* events that the answer leaves to the first sync */
};

static struct admission_options options_of(const struct admitting *a)
{
    return (struct admission_options){.store = a->cli->store,
                                      .views = a->cli->views,
                                      .recorder = a->cli->recorder,
                                      .keys = &a->cli->keys,
                                      .clock = &a->clock};
}

static int read_request(struct admitting *a)
{
    struct buf text = {0};
    int code = carried_text_read(a->cli, a->file, &text);
    if (!code)
        code = carried_text_open(a->cli, &armour_request, a->what, buf_slice(&text), &a->content);
    buf_clear(&text);
    if (code) return code;
    if (frame_join_read(&a->frame, buf_slice(&a->content)) != OK)
        return cli_error(a->cli, EXIT_REFUSED, a->what,
                         _("it is damaged, or a part of it is lacking"),
                         _("copy the whole file again"));
    return carried_text_words(a->cli, a->frame.request, a->words);
}

/* --- the words --- */

static bool is_yes(const char *answer)
{
    static const char *const yes[] = {"y", "Y", "yes", "是", "一样", "对"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcmp(answer, yes[i]) == 0) return true;
    return false;
}

static int words_differ(struct admitting *a)
{
    return cli_error(
        a->cli, EXIT_REFUSED, a->what, _("the six words are not those that the laptop shows"),
        _("somebody may have changed it on the way: ask for a new request, by a way that"
          " you trust; if it happens again, revoke the invite"));
}

static int compare_words(struct admitting *a)
{
    struct cli *cli = a->cli;
    const char *typed = cli_flag(cli, "--words"), *answer = NULL;
    if (typed) return carried_text_same_words(a->words, typed) ? EXIT_OK : words_differ(a);
    output_note(cli, _("%s asks to join. Call there; the laptop shows six words. Here they are:"),
                a->admission.device.name);
    output_note(cli, "    %s", carried_text_words_zh(cli, a->words));
    output_note(cli, "    (%s)", carried_text_words_en(cli, a->words));
    int code = prompt_line(cli, _("are all six the same there, in this order? (yes/no)"), NULL,
                           "--words", &answer);
    if (code) return code;
    return is_yes(answer) ? EXIT_OK : words_differ(a);
}

/* --- refusals --- */

static const char *todo_of(const struct admitting *a)
{
    const char *why = a->admission.text;
    if (strcmp(why, "invite expired") == 0 || strcmp(why, "unknown invite") == 0)
        return _("make a new invite: sidan invite VILLAGE");
    if (strcmp(why, "not this hub's invite") == 0)
        return _("take it to the hub that made the invite");
    if (strcmp(why, "device already enrolled") == 0)
        return _("join with a new folder: sidan --home DIR join INVITE --offline");
    return _("ask for a new request: sidan join INVITE --offline");
}

/* Who is the thief only the village can tell: by which six words the clerk's own laptop shows. */
static int used_before(struct admitting *a)
{
    struct cli *cli = a->cli;
    struct txn *t;
    struct slice request;
    uint8_t words[JOIN_WORDS];
    const char *first = _("not known any more");
    int code = cli_begin(cli, &t);
    if (code) return code;
    if (admission_request(t, &a->admission.device, &request) && join_words(words, request) == OK)
        first = carried_text_words_zh(cli, words);
    txn_abort(t);
    return cli_error(
        cli, EXIT_REFUSED, a->what,
        cli_format(cli,
                   _("the invite of %s was used before by another machine, whose six words are:"
                     " %s; this request's are: %s. It is recorded, and every node shows it"),
                   a->admission.device.name, first, carried_text_words_zh(cli, a->words)),
        cli_format(
            cli,
            _("call the village: which six words does the clerk's laptop show? If they are"
              " this request's, a stranger has joined: sidan revoke %s, then a new invite. If"
              " they are the other's, somebody copied the invite: find out who had it"),
            a->admission.device.name));
}

static int refused(struct admitting *a)
{
    if (a->admission.answer == ADMISSION_USED) return used_before(a);
    if (a->admission.answer == ADMISSION_BUSY) return cli_fail(a->cli, a->admission.err, a->what);
    return cli_error(a->cli, EXIT_REFUSED, a->what, _(a->admission.text), todo_of(a));
}

/* --- the answer --- */

static int make_answer(struct admitting *a)
{
    struct cli *cli = a->cli;
    const struct carried carried = {.store = cli->store, .views = cli->views, .keys = &cli->keys};
    size_t size_max = cli_has(cli, "--qr") ? ANSWER_RUNS_MAX_QR : ANSWER_RUNS_MAX;
    const struct signer *acceptor =
        device_keys_signer(&cli->keys, &store_identity(cli->store)->device);
    struct buf runs = {0};
    struct join_answer answer = {.township = store_identity(cli->store)->township,
                                 .acceptor = store_identity(cli->store)->device,
                                 .device = a->admission.request.device,
                                 .time_ms = a->clock.wall_ms};
    enum err err = carried_write(&runs, &carried, size_max, &a->left);
    if (err == ERR_LIMIT && cli_has(cli, "--qr"))
        return cli_error(cli, EXIT_REFUSED, _("the answer is too long for codes"),
                         _("the township's roster alone is longer"),
                         _("carry it as a file: -o FILE"));
    if (!err && !acceptor) err = ERR_NOT_FOUND;
    join_request_hash(&answer.request, a->frame.request);
    answer.runs = buf_slice(&runs);
    if (!err)
        err = join_answer_write(&a->answer, &answer, &a->admission.request.transport, acceptor);
    buf_clear(&runs);
    return err ? cli_fail(cli, err, _("the answer cannot be made")) : EXIT_OK;
}

static int report(struct admitting *a, const char *file)
{
    struct cli *cli = a->cli;
    const struct device *d = &a->admission.device;
    const struct sign_key *key = &a->admission.request.device;
    if (cli->json) {
        json_t *o = output_json("sidan.admit/1");
        json_object_set_new(o, "device", output_json_hex(key->bytes, sizeof key->bytes));
        json_object_set_new(o, "name", json_string(d->name));
        json_object_set_new(o, "village", json_string(d->village));
        json_object_set_new(o, "already", json_boolean(a->admission.already));
        json_object_set_new(o, "words", carried_text_words_json(a->words));
        json_object_set_new(o, "file", file ? json_string(file) : json_null());
        json_object_set_new(o, "bytes", json_integer((json_int_t)a->answer.size));
        if (cli_has(cli, "--qr"))
            json_object_set_new(o, "codes",
                                carried_text_codes_json(&armour_answer, buf_slice(&a->answer)));
        json_object_set_new(o, "left", json_integer((json_int_t)a->left));
        return output_json_end(o);
    }
    output_line(cli,
                a->admission.already ? _("%s had joined already; here is its answer again")
                                     : _("%s is admitted"),
                d->name);
    if (file) output_line(cli, _("answer written to %s: take it back to the laptop"), file);
    if (a->left)
        output_line(cli,
                    _("%" PRIu64 " records of the township do not fit: they come with the first"
                      " contact"),
                    a->left);
    output_line(cli, _("next, there: sidan join %s"), file ? file : "-");
    return EXIT_OK;
}

static int answer(struct admitting *a)
{
    const char *file = NULL;
    int code = make_answer(a);
    if (code) return code;
    const char *comment = cli_format(a->cli, _("answer for %s; on that laptop: sidan join FILE"),
                                     a->admission.device.name);
    code = carried_text_write(a->cli, &armour_answer, buf_slice(&a->answer), comment,
                              a->admission.device.name, &file);
    return code ? code : report(a, file);
}

static int decide(struct admitting *a)
{
    const struct admission_options options = options_of(a);
    admission_look(&a->admission, &options, &a->frame);
    if (a->admission.answer == ADMISSION_YES && !a->admission.already) {
        int code = compare_words(a);
        if (code) return code;
    }
    admission_take(&a->admission, &options, &a->frame);
    return a->admission.answer == ADMISSION_YES ? EXIT_OK : refused(a);
}

static int open_node(struct admitting *a)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_recorder(a->cli);
    if (!code) code = cli_begin(a->cli, &t);
    if (code) return code;
    code = cli_roster(a->cli, t, &roster);
    if (!code) code = cli_self(a->cli, roster, &self);
    if (!code && !(self->roles & ROLE_HUB))
        code = cli_error(a->cli, EXIT_REFUSED, a->what, _("this device is not the hub"),
                         _("take it to the hub that made the invite"));
    clock_read(t, &a->clock);
    txn_abort(t);
    return code;
}

int cmd_admit(struct cli *cli)
{
    struct admitting a = {.cli = cli, .file = cli_argument(cli, 0)};
    a.what = cli_format(cli, _("the request \"%s\" was not admitted"), a.file);
    int code = read_request(&a);
    if (!code) code = open_node(&a);
    if (!code) code = decide(&a);
    if (!code) code = answer(&a);
    buf_clear(&a.content);
    buf_clear(&a.answer);
    return code;
}
