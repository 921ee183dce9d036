/* sidan hub faces: what hubs signed of the records of the whole town, and two states of one hub
 * that cannot both be true. */
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/words.h"

#include "node/towns.h"

#include <inttypes.h>
#include <string.h>

#define DIFFERENCES_SHOWN 8u

struct faces {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    uint64_t now_ms;
};

/* --- JSON: all that a third needs to check it --------------------------------------------------
 */

static json_t *heads_json(const struct town_kept *k)
{
    json_t *heads = json_array();
    for (size_t i = 0; i < k->count; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "feed", output_json_hex(k->heads[i].feed8, 8));
        json_object_set_new(o, "seq", json_integer((json_int_t)k->heads[i].seq));
        json_object_set_new(o, "id", output_json_hex(k->heads[i].id16, 16));
        json_array_append_new(heads, o);
    }
    return heads;
}

static json_t *state_json(const struct faces *f, const struct town_kept *k)
{
    const struct town_state *s = &k->state;
    json_t *o = json_object(), *ended = json_array();
    struct sign_key key;
    bool good = towns_signed_by(f->roster, s, &key);
    for (size_t i = 0; i < s->ended_count; i++)
        json_array_append_new(ended, output_json_hex(s->ended[i], sizeof s->ended[i]));
    json_object_set_new(o, "key", good ? output_json_hex(key.bytes, 32) : json_null());
    json_object_set_new(o, "generation", output_json_hex(s->generation, sizeof s->generation));
    json_object_set_new(o, "number", json_integer((json_int_t)s->number));
    json_object_set_new(o, "time", output_json_time(s->number));
    json_object_set_new(o, "ended", ended);
    json_object_set_new(o, "digest", output_json_hex(s->digest.bytes, sizeof s->digest.bytes));
    json_object_set_new(o, "signature", output_json_hex(s->signature.bytes, 64));
    json_object_set_new(o, "heads", heads_json(k));
    return o;
}

static json_t *proof_json(const struct faces *f, const struct sign_key *hub)
{
    struct town_kept a, b;
    if (!towns_split_get(f->txn, hub, &a, &b)) return json_null();
    json_t *proof = json_array();
    json_array_append_new(proof, state_json(f, &a));
    json_array_append_new(proof, state_json(f, &b));
    town_kept_clear(&a);
    town_kept_clear(&b);
    return proof;
}

static json_t *hub_json(const struct faces *f, const struct device *d)
{
    json_t *o = json_object(), *states = json_array();
    struct town_kept k;
    for (uint8_t at[8] = {0}; towns_next_of(f->txn, &d->first, at, &k); town_kept_clear(&k))
        json_array_append_new(states, state_json(f, &k));
    json_object_set_new(o, "device", output_json_hex(d->first.bytes, sizeof d->first.bytes));
    json_object_set_new(o, "name", json_string(d->name));
    json_object_set_new(o, "states", states);
    json_object_set_new(o, "proof", proof_json(f, &d->first));
    return o;
}

static int show_json(const struct faces *f)
{
    json_t *o = output_json("sidan.faces/1"), *hubs = json_array();
    for (size_t i = 0; i < f->roster->device_count; i++)
        if (f->roster->devices[i].roles & ROLE_HUB)
            json_array_append_new(hubs, hub_json(f, &f->roster->devices[i]));
    json_object_set_new(o, "township", output_json_hex(f->roster->township.bytes, 32));
    json_object_set_new(o, "hubs", hubs);
    return output_json_end(o);
}

/* --- for people ----------------------------------------------------------------------------------
 */

static bool has_head(const struct town_kept *k, const struct town_head *h)
{
    for (size_t i = 0; i < k->count; i++)
        if (memcmp(k->heads[i].feed8, h->feed8, 8) == 0 && k->heads[i].seq == h->seq &&
            memcmp(k->heads[i].id16, h->id16, 16) == 0)
            return true;
    return false;
}

static const char *feed_words(const struct faces *f, const uint8_t feed8[8])
{
    struct feed_row feed;
    struct buf text = {0};
    if (feed_find_id8(f->txn, feed8, &feed) != OK) return _("a feed that is not here");
    lookup_feed_print_short(&text, f->roster, &feed.feed);
    const char *words = cli_format(f->cli, "%s", buf_text(&text));
    buf_clear(&text);
    return words;
}

static void show_state(const struct faces *f, const char *letter, const struct town_kept *k,
                       const struct town_kept *other)
{
    char store[17];
    size_t shown = 0;
    hex_encode(store, k->state.generation, 8);
    output_line(f->cli, _("   %s: signed %s, store %s"), letter,
                words_moment(f->cli, k->state.number, f->now_ms), store);
    for (size_t i = 0; i < k->count; i++) {
        if (has_head(other, &k->heads[i]) || shown++ >= DIFFERENCES_SHOWN) continue;
        output_line(f->cli, _("      only there: %s up to record %" PRIu64),
                    feed_words(f, k->heads[i].feed8), k->heads[i].seq);
    }
    if (shown > DIFFERENCES_SHOWN)
        output_line(f->cli, _("      and %zu more"), shown - DIFFERENCES_SHOWN);
}

static bool show_proof(const struct faces *f, const struct device *d)
{
    struct town_kept a, b;
    if (!towns_split_get(f->txn, &d->first, &a, &b)) return false;
    output_line(f->cli, _("! %s signed two states that cannot both be true:"), d->name);
    show_state(f, "A", &a, &b);
    show_state(f, "B", &b, &a);
    town_kept_clear(&a);
    town_kept_clear(&b);
    return true;
}

static const char *state_words(const struct faces *f, const struct device *d, size_t stores,
                               size_t ended)
{
    struct town_kept a, b;
    if (towns_split_get(f->txn, &d->first, &a, &b)) {
        town_kept_clear(&a);
        town_kept_clear(&b);
        return _("two faces");
    }
    if (stores > 1) return _("two stores, neither given up yet");
    if (!stores) return _("nothing signed has come yet");
    if (!ended) return _("nothing contradicts it");
    return cli_format(f->cli, _("nothing contradicts it; stores given up before: %zu"), ended);
}

static void to_row(const struct faces *f, struct table *t, const struct device *d)
{
    struct town_kept k;
    uint64_t newest = 0;
    size_t stores = 0, feeds = 0, ended = 0;
    for (uint8_t at[8] = {0}; towns_next_of(f->txn, &d->first, at, &k); town_kept_clear(&k)) {
        stores++;
        if (k.state.number < newest) continue;
        newest = k.state.number;
        feeds = k.count;
        ended = k.state.ended_count;
    }
    table_cell(t, slice_of_text(d->name));
    table_cell(t, slice_of_text(words_moment(f->cli, newest, f->now_ms)));
    table_cellf(t, "%zu", feeds);
    table_cell(t, slice_of_text(state_words(f, d, stores, ended)));
}

static int show_table(const struct faces *f)
{
    static const struct table_column columns[] = {{N_("hub"), false, 8},
                                                  {N_("signed last"), false, 0},
                                                  {N_("heads"), true, 0},
                                                  {N_("state"), false, 0}};
    struct table table;
    bool any = false;
    table_begin(&table, f->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < f->roster->device_count; i++)
        if (f->roster->devices[i].roles & ROLE_HUB) to_row(f, &table, &f->roster->devices[i]);
    int code = table_end(&table);
    if (code || f->cli->csv) return code;
    for (size_t i = 0; i < f->roster->device_count; i++)
        any |= show_proof(f, &f->roster->devices[i]);
    if (!any) return code;
    output_line(f->cli, _("Both are kept, with the hub's signatures; anybody can check them."));
    hint_line(f->cli, _("as a file for others: sidan hub faces --json"));
    return code;
}

int cmd_hub_faces(struct cli *cli)
{
    struct faces f = {.cli = cli};
    int code = cli_open_views(cli);
    if (!code) code = cli_begin(cli, &f.txn);
    if (code) return code;
    f.now_ms = cli_now_ms(f.txn);
    code = cli_roster(cli, f.txn, &f.roster);
    if (!code) code = cli->json ? show_json(&f) : show_table(&f);
    txn_abort(f.txn);
    return code;
}
