#include "tools/couriers.h"

#include "node/courier.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/words.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 5 /* in `status`; `courier status` has them all */

struct reading {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    uint64_t now_ms;
    struct couriers found;
};

static void copy_text(char *out, size_t size, struct slice text)
{
    size_t n = text.size < size ? text.size : size - 1;
    if (n) memcpy(out, text.data, n);
    out[n] = 0;
}

static void last_given(struct courier_leg *leg, const struct thing *thing)
{
    struct mp_reader acts = mp_reader_of(thing->acts);
    struct thing_act act;
    while (thing_act_next(&acts, &act)) {
        leg->given_ms = act.ms;
        copy_text(leg->how, sizeof leg->how, body_text(act.body, "how"));
    }
}

static const char *with_words(struct reading *r, const struct thing *thing)
{
    char name[256] = "";
    const char *device = lookup_device_name(r->cli, r->roster, &thing->author);
    if (!thing->has_by || !actor_name(r->txn, &thing->by, name, sizeof name) || !name[0])
        return device;
    return cli_format(r->cli, "%s (%s)", output_text(r->cli, slice_of_text(name)), device);
}

/* By one of those that it was offered to. */
static bool is_refused(const struct reading *r, const struct courier_leg *leg)
{
    if (!sign_key_equal(&leg->author, &store_identity(r->cli->store)->device)) return false;
    for (size_t i = 0; i < r->roster->device_count; i++) {
        const struct device *d = &r->roster->devices[i];
        bool is_for = leg->to[0] ? strcmp(leg->to, d->village) == 0 : device_is_township(d);
        if (is_for && bundle_refused_by(r->txn, &leg->bundle, &d->first)) return true;
    }
    return false;
}

static bool each(void *state, const struct thing *thing)
{
    struct reading *r = state;
    if (thing->founded_ms + COURIERS_SHOWN_MS < r->now_ms) return true;
    struct courier_leg *leg = &r->found.legs[r->found.count++];
    leg->key = thing->key;
    leg->author = thing->author;
    leg->size = body_uint(thing->fields, "size");
    leg->taken_ms = thing->founded_ms;
    if (!body_bytes(thing->fields, "bundle", leg->bundle.bytes, sizeof leg->bundle.bytes)) {
        r->found.count--;
        return true;
    }
    copy_text(leg->from, sizeof leg->from, body_text(thing->fields, "from"));
    copy_text(leg->to, sizeof leg->to, body_text(thing->fields, "to"));
    last_given(leg, thing);
    leg->with = with_words(r, thing);
    leg->came = bundle_noted(r->txn, &leg->bundle, &leg->noted);
    leg->refused = is_refused(r, leg);
    return r->found.count < COURIERS_MAX;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t one = ((const struct courier_leg *)a)->taken_ms;
    uint64_t other = ((const struct courier_leg *)b)->taken_ms;
    return one < other ? 1 : one > other ? -1 : 0;
}

int couriers_read(struct cli *cli, struct txn *txn, const struct roster *roster,
                  struct couriers *out)
{
    struct reading r = {.cli = cli, .txn = txn, .roster = roster, .now_ms = cli_now_ms(txn)};
    r.found.legs = calloc(COURIERS_MAX, sizeof *r.found.legs);
    enum err err = r.found.legs ? things_each(txn, THING_COURIER, 0, each, &r) : ERR_NOMEM;
    if (err) {
        couriers_clear(&r.found);
        return cli_fail(cli, err, _("what couriers carry cannot be read"));
    }
    qsort(r.found.legs, r.found.count, sizeof *r.found.legs, newest_first);
    *out = r.found;
    return EXIT_OK;
}

void couriers_clear(struct couriers *c)
{
    free(c->legs);
    *c = (struct couriers){0};
}

bool courier_waits(const struct courier_leg *leg)
{
    return !leg->to[0] && !leg->came;
}

/* --- JSON --- */

static json_t *code_json(const char *code)
{
    return code[0] ? json_string(code) : json_null();
}

static const char *way_name(enum bundle_way way)
{
    static const char *const names[] = {
        [BUNDLE_BY_STICK] = "stick", [BUNDLE_BY_COURIER] = "courier", [BUNDLE_BY_LINK] = "link"};
    return names[way];
}

static json_t *leg_json(const struct courier_leg *leg, bool hub)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", output_json_hex(leg->key.thing.bytes, 16));
    json_object_set_new(o, "bundle", output_json_hex(leg->bundle.bytes, 16));
    json_object_set_new(o, "from", code_json(leg->from));
    json_object_set_new(o, "to", code_json(leg->to));
    json_object_set_new(o, "bytes", json_integer((json_int_t)leg->size));
    json_object_set_new(o, "with", json_string(leg->with));
    json_object_set_new(o, "device", output_json_hex(leg->author.bytes, 32));
    json_object_set_new(o, "taken", output_json_time(leg->taken_ms));
    json_object_set_new(o, "given", output_json_time(leg->given_ms));
    json_object_set_new(o, "how", code_json(leg->how));
    json_object_set_new(o, "came", output_json_time(leg->came ? leg->noted.wall_ms : 0));
    json_object_set_new(o, "by", leg->came ? json_string(way_name(leg->noted.way)) : json_null());
    json_object_set_new(o, "refused", json_boolean(leg->refused));
    json_object_set_new(o, "waiting", json_boolean(hub && courier_waits(leg)));
    return o;
}

json_t *couriers_json(const struct couriers *c, bool hub)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->count; i++) json_array_append_new(array, leg_json(&c->legs[i], hub));
    return array;
}

/* --- for people --- */

const char *courier_from_words(const struct roster *roster, const struct courier_leg *leg)
{
    if (leg->from[0]) return lookup_village_name(roster, leg->from);
    return leg->to[0] ? _("the township") : _("not said");
}

const char *courier_to_words(const struct roster *roster, const struct courier_leg *leg)
{
    return leg->to[0] ? lookup_village_name(roster, leg->to) : _("the township");
}

static void waits_line(struct cli *cli, const struct roster *roster, const struct courier_leg *leg,
                       uint64_t now_ms)
{
    const char *when = words_moment(cli, leg->taken_ms, now_ms);
    if (leg->from[0])
        output_line(cli, _("> %s: its file left on %s with %s, not yet in"),
                    lookup_village_name(roster, leg->from), when, leg->with);
    else
        output_line(cli, _("> a file for the township left on %s with %s, not yet in"), when,
                    leg->with);
}

int couriers_lines(struct cli *cli, struct txn *txn, const struct roster *roster, const char *only)
{
    struct couriers c;
    size_t shown = 0;
    int code = couriers_read(cli, txn, roster, &c);
    if (code) return code;
    for (size_t i = 0; i < c.count; i++) {
        if (!courier_waits(&c.legs[i]) || (only && strcmp(only, c.legs[i].from) != 0)) continue;
        if (shown++ < LINES_MAX) waits_line(cli, roster, &c.legs[i], cli_now_ms(txn));
    }
    if (shown > LINES_MAX)
        hint_line(cli, _("  %zu more are not in: sidan courier status"), shown - LINES_MAX);
    couriers_clear(&c);
    return EXIT_OK;
}

int couriers_carried_line(struct cli *cli)
{
    struct courier_files f;
    enum err err = courier_list(&f, cli->home);
    if (err) return cli_fail(cli, err, _("what is carried here cannot be read"));
    if (f.count)
        hint_line(cli, _("  carried for others: %zu files, %s: sidan courier status"), f.count,
                  words_bytes(cli, f.bytes));
    courier_files_clear(&f);
    return EXIT_OK;
}
