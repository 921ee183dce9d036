#include "tools/erasures.h"

#include "node/views/actor.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/words.h"

/* --- all of them ------------------------------------------------------------------------------ */

static int each_of(struct cli *cli, struct txn *txn, const struct roster *roster,
                   const struct thing_key *thing, const struct erased *row, bool *go_on,
                   bool (*each)(void *state, const struct erasure *e), void *state)
{
    uint64_t now_ms = cli_now_ms(txn);
    for (size_t i = 0; i < row->order_count && *go_on; i++) {
        struct erasure e;
        enum err err = erasure_read(txn, roster, thing, &row->orders[i], &e);
        if (err == ERR_NOT_FOUND) continue; /* damaged: verify names it */
        if (err) return cli_fail(cli, err, _("the erasures cannot be read"));
        if (!row->orders[i].settled || e.ordered_ms + ERASURES_SHOWN_MS > now_ms)
            *go_on = each(state, &e);
        erasure_clear(&e);
    }
    return EXIT_OK;
}

int erasures_each(struct cli *cli, struct txn *txn, const struct roster *roster,
                  bool (*each)(void *state, const struct erasure *e), void *state)
{
    struct thing_key thing = {.scope_number = 0};
    struct erased row;
    bool go_on = true;
    int code = EXIT_OK;
    while (!code && go_on && erased_next(txn, &thing, &row))
        code = each_of(cli, txn, roster, &thing, &row, &go_on, each, state);
    return code;
}

/* --- JSON ------------------------------------------------------------------------------------- */

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    json_t *array;
};

static json_t *names_json(const struct device *const *devices, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(array, json_string(devices[i]->name));
    return array;
}

static bool to_json(void *state, const struct erasure *e)
{
    struct listing *l = state;
    json_t *o = json_object();
    json_object_set_new(o, "subject", output_json_hex(e->thing.thing.bytes, 16));
    json_object_set_new(o, "pending", names_json(e->pending, e->pending_count));
    json_object_set_new(o, "unreachable", names_json(e->lost, e->lost_count));
    json_object_set_new(o, "answered", json_integer((json_int_t)e->answered));
    json_object_set_new(o, "order", output_json_hex(e->order.bytes, sizeof e->order.bytes));
    json_object_set_new(o, "ordered", output_json_time(e->ordered_ms));
    json_object_set_new(o, "basis", json_string(e->basis));
    json_object_set_new(o, "corrects", json_boolean(e->corrects));
    json_array_append_new(l->array, o);
    return true;
}

int erasures_json(struct cli *cli, struct txn *txn, const struct roster *roster, json_t **out)
{
    struct listing l = {.cli = cli, .txn = txn, .roster = roster, .array = json_array()};
    *out = l.array;
    return erasures_each(cli, txn, roster, to_json, &l);
}

/* --- for people ------------------------------------------------------------------------------- */

static const char *person_words(struct cli *cli, struct txn *txn, const struct thing_id *id)
{
    char name[256] = "";
    if (!actor_name(txn, id, name, sizeof name) || !name[0]) return "?";
    return output_text(cli, slice_of_text(name));
}

const char *erasure_words(struct cli *cli, struct txn *txn, const struct roster *roster,
                          const struct erasure *e)
{
    const char *by =
        e->has_by ? person_words(cli, txn, &e->by) : lookup_device_name(cli, roster, &e->author);
    const char *why =
        e->corrects ? _("corrected") : words_choice(cli, "basis", slice_of_text(e->basis));
    return cli_format(cli, _("%s, by %s with %s, because: %s"),
                      words_moment(cli, e->ordered_ms, cli_now_ms(txn)), by,
                      person_words(cli, txn, &e->second), why);
}

static const char *names(struct cli *cli, const struct device *const *devices, size_t count)
{
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = cli_format(cli, "%s%s%s", text, i ? ", " : "", devices[i]->name);
    return text;
}

const char *erasure_waits_words(struct cli *cli, const struct erasure *e)
{
    const char *pending = "", *lost = "";
    if (e->pending_count)
        pending = cli_format(cli, _("not yet carried out at: %s"),
                             names(cli, e->pending, e->pending_count));
    if (e->lost_count)
        lost = cli_format(cli, _("revoked and cannot be reached: %s"),
                          names(cli, e->lost, e->lost_count));
    return cli_format(cli, "%s%s%s", pending, *pending && *lost ? "; " : "", lost);
}

static bool to_line(void *state, const struct erasure *e)
{
    struct listing *l = state;
    const struct thing_key *key = &e->thing;
    if (!e->pending_count) return true;
    const char *name = lookup_typed_name(l->cli, l->txn, lookup_thing_type(l->txn, key), key);
    if (!*name) {
        char hex[13];
        hex_encode(hex, key->thing.bytes, 6);
        name = cli_format(l->cli, "%s", hex);
    }
    output_line(l->cli, _("erasure of %s (%s): %s"), name,
                words_ago(l->cli, e->ordered_ms, cli_now_ms(l->txn)),
                erasure_waits_words(l->cli, e));
    return true;
}

int erasures_lines(struct cli *cli, struct txn *txn, const struct roster *roster)
{
    struct listing l = {.cli = cli, .txn = txn, .roster = roster};
    return erasures_each(cli, txn, roster, to_line, &l);
}
