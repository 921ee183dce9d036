#include "tools/commands.h"

#include "common/text.h"
#include "common/time.h"
#include "node/store/audit.h"
#include "node/views/actor.h"
#include "node/views/request.h"
#include "node/views/thing.h"
#include "proto/json.h"
#include "tools/categories.h"
#include "tools/erasures.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_WIDTH 14

/* One thing, with everything that showing it needs. */
struct shown {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct thing_key key;
    struct scope_row scope;
    struct history history;
    bool is_request;
    struct request request;
    struct erased erased;
    const char *state; /* of another thing after its last record, "" where it has none */
};

/* LMDB has no checksums: what is shown is compared with its id first. */
static bool is_damaged(const struct shown *s, const struct history_item *item)
{
    const struct audit_options one = {.first_arrival = item->arrival,
                                      .last_arrival = item->arrival};
    struct audit_result result;
    return audit_run(s->cli->store, &one, &result) != OK || result.problems > 0;
}

static const char *type_words(enum thing_type type)
{
    if (type == THING_NONE) return _("thing");
    return i18n_is_chinese() ? thing_type_zh(type) : thing_type_en(type);
}

/* Who acted: the person where one is named, and the device in any case. */
static const char *actor_words(const struct shown *s, const struct event *e)
{
    char name[256] = "";
    const char *device = lookup_device_name(s->cli, s->roster, &e->feed.author);
    if (!e->has_by || !actor_name(s->txn, &e->by, name, sizeof name) || !name[0]) return device;
    return cli_format(s->cli, "%s (%s)", output_text(s->cli, slice_of_text(name)), device);
}

/* --- JSON --- */

static json_t *item_json(const struct shown *s, const struct history_item *item)
{
    const struct event *e = &item->event;
    const struct kind *k = kind_find(e->kind);
    struct buf feed = {0};
    json_t *o = json_object();
    lookup_feed_print(&feed, s->roster, &e->feed);
    json_object_set_new(o, "kind", output_json_text(e->kind));
    json_object_set_new(o, "by",
                        e->has_by ? output_json_hex(e->by.bytes, sizeof e->by.bytes) : json_null());
    json_object_set_new(o, "who", json_string(actor_words(s, e)));
    json_object_set_new(o, "time", output_json_time(HLC_MS(e->time)));
    json_object_set_new(o, "time_trusted", json_boolean(!HLC_UNTRUSTED(e->time)));
    json_object_set_new(o, "effect", json_string(effect_name(item->effect)));
    json_object_set_new(o, "reason", output_json_text(slice_of_text(item->reason)));
    json_object_set_new(o, "both_changed", json_boolean(item->both_changed));
    json_object_set_new(o, "state_after", json_string(item->state_after));
    json_object_set_new(o, "feed", json_string(buf_text(&feed)));
    json_object_set_new(o, "seq", json_integer((json_int_t)e->seq));
    json_object_set_new(o, "id", output_json_hex(e->id.bytes, sizeof e->id.bytes));
    json_object_set_new(o, "body", json_of_fields(e->body, k));
    json_object_set_new(o, "box",
                        e->box_state == BOX_HERE ? json_of_fields(e->box, k) : json_null());
    bool erased = e->box_state == BOX_GONE && erased_covers(&s->erased, &e->id);
    json_object_set_new(o, "box_missing", json_boolean(e->box_state == BOX_GONE && !erased));
    json_object_set_new(o, "box_erased", json_boolean(erased));
    json_object_set_new(o, "damaged", json_boolean(is_damaged(s, item)));
    buf_clear(&feed);
    return o;
}

static void set_request(const struct shown *s, json_t *o)
{
    const struct request *r = &s->request;
    struct category_names names;
    json_object_set_new(o, "no", output_json_text(r->number));
    json_object_set_new(o, "official_no", output_json_text(r->official_number));
    json_object_set_new(o, "village", json_string(r->village));
    json_object_set_new(o, "state", json_string(request_state_name(r->state)));
    json_object_set_new(o, "due", output_json_time(r->due_ms));
    json_object_set_new(o, "due_provisional", json_boolean(r->due_provisional));
    json_object_set_new(o, "next_due", output_json_time(r->next_due_ms));
    json_object_set_new(o, "next_due_provisional", json_boolean(r->next_due_provisional));
    json_object_set_new(o, "holder", output_json_text(r->holder));
    json_object_set_new(o, "channel", output_json_text(r->channel));
    json_object_set_new(o, "nature", output_json_text(r->nature));
    json_object_set_new(o, "category", output_json_text(r->category));
    category_names_read(s->cli, s->txn, &names);
    json_object_set_new(o, "category_name", output_json_text(category_name(&names, r->category)));
    json_object_set_new(o, "urgency", json_integer((json_int_t)r->urgency));
    json_object_set_new(o, "received", output_json_time(r->received_ms));
    json_object_set_new(o, "registered", output_json_time(r->registered_ms));
    json_object_set_new(o, "result", output_json_text(r->result));
    json_object_set_new(o, "both_changed", json_boolean(r->both_changed));
}

static int print_json(const struct shown *s)
{
    json_t *o = output_json("sidan.show/1"), *history = json_array();
    json_object_set_new(o, "subject",
                        output_json_hex(s->key.thing.bytes, sizeof s->key.thing.bytes));
    json_object_set_new(o, "type",
                        json_string(s->history.type ? thing_type_name(s->history.type) : "thing"));
    json_object_set_new(o, "scope", json_string(s->scope.scope.text));
    if (s->is_request)
        set_request(s, o);
    else
        json_object_set_new(o, "state", json_string(s->state));
    for (size_t i = 0; i < s->history.count; i++)
        json_array_append_new(history, item_json(s, &s->history.items[i]));
    json_object_set_new(o, "events", json_integer((json_int_t)s->history.total));
    json_object_set_new(o, "history", history);
    return output_json_end(o);
}

/* --- for people --- */

static void print_label(const struct shown *s, const char *label, const char *value)
{
    struct buf line = {0};
    text_append_padded(&line, slice_of_text(label), LABEL_WIDTH, false);
    output_line(s->cli, "    %s %s", buf_text(&line), value);
    buf_clear(&line);
}

/* Which record a correction corrects, the item in its history; NULL: it is not there. */
static const struct history_item *corrected(const struct shown *s, struct slice map, size_t *number)
{
    struct mp_reader value;
    struct slice id =
        mp_map_get(map, "target", &value) ? mp_read_bin(&value, SIZE_MAX) : SLICE_EMPTY;
    for (size_t i = 0; i < s->history.count; i++) {
        const struct event_id *at = &s->history.items[i].event.id;
        if (!slice_equal(id, slice_of(at->bytes, sizeof at->bytes))) continue;
        *number = i + 1;
        return &s->history.items[i];
    }
    return NULL;
}

/* A correction in the words of what it corrects: the number of the record, the name of the field,
 * the value as that field shows it. False where the record is not there. */
static bool print_correction(const struct shown *s, struct slice map)
{
    size_t number;
    struct mp_reader value;
    const struct history_item *of = corrected(s, map, &number);
    const struct kind *k = of ? kind_find(of->event.kind) : NULL;
    if (!k || !mp_map_get(map, "field", &value)) return false;
    char name[32];
    text_copy(name, sizeof name, mp_read_str(&value, SIZE_MAX));
    const struct field *f = kind_field(k, name);
    if (!f) return false;
    print_label(s, _("corrects"), cli_format(s->cli, _("record %zu, %s"), number, words_field(f)));
    if (mp_map_get(map, "value", &value))
        print_label(s, _("the value now"), words_value(s->cli, s->txn, f, &value));
    if (mp_map_get(map, "why", &value))
        print_label(s, _("why"), output_text(s->cli, mp_read_str(&value, SIZE_MAX)));
    return true;
}

/* The fields of a body or box: those that the kind knows in its order, then the others. */
static void print_fields(const struct shown *s, const struct kind *k, struct slice map)
{
    struct mp_reader r = mp_reader_of(map), value;
    if (map.size == 0) return;
    if (k && strcmp(k->name, "correct.entry") == 0 && print_correction(s, map)) return;
    for (size_t i = 0; k && i < k->field_count; i++)
        if (mp_map_get(map, k->fields[i].name, &value))
            print_label(s, words_field(&k->fields[i]),
                        words_value(s->cli, s->txn, &k->fields[i], &value));
    for (size_t count = mp_read_map(&r, SIZE_MAX); count > 0 && !r.err; count--) {
        const char *name = output_text(s->cli, mp_read_str(&r, SIZE_MAX));
        value = mp_reader_of(mp_skip(&r));
        if (!k || !kind_field(k, name))
            print_label(s, name, words_value(s->cli, s->txn, NULL, &value));
    }
}

/* "received is out of range": the field's name and the phrase each in the language. */
static const char *reason_words(const struct shown *s, const struct history_item *item)
{
    const struct kind *k = kind_find(item->event.kind);
    char first[32];
    size_t size = strcspn(item->reason, " ");
    if (item->reason[0] == 0) return "";
    if (k && size < sizeof first && item->reason[size]) {
        memcpy(first, item->reason, size);
        first[size] = 0;
        const struct field *f = kind_field(k, first);
        if (f) return cli_format(s->cli, "%s %s", words_field(f), _(item->reason + size + 1));
    }
    return _(item->reason);
}

static const char *state_words(enum thing_type type, const char *name)
{
    enum request_state state;
    if (!i18n_is_chinese()) return name;
    if (type == THING_REQUEST)
        return request_state_parse(&state, slice_of_text(name)) ? name : request_state_zh(state);
    const char *zh = thing_state_zh_of(type, name);
    return zh ? zh : name;
}

static void print_item(const struct shown *s, size_t index)
{
    const struct history_item *item = &s->history.items[index];
    const struct event *e = &item->event;
    const struct kind *k = kind_find(e->kind);
    char time[TIME_TEXT_SIZE];
    bool counts = item->effect == EFFECT_COUNTS;
    time_format(time, HLC_MS(e->time));
    output_line(s->cli, "%zu. %s%s  %s  %s%s%s", index + 1, time, HLC_UNTRUSTED(e->time) ? "?" : "",
                words_kind(s->cli, e->kind), actor_words(s, e), item->state_after[0] ? "  -> " : "",
                state_words(s->history.type, item->state_after));
    if (!counts)
        output_line(s->cli, "    %s! %s%s%s%s", output_colour(s->cli, COLOUR_YELLOW),
                    words_effect(item->effect), item->reason[0] ? ": " : "", reason_words(s, item),
                    output_colour(s->cli, COLOUR_NONE));
    if (item->both_changed)
        output_line(s->cli, "    ! %s",
                    _("changed on both sides: its author did not know all that stands above"));
    if (is_damaged(s, item))
        output_line(s->cli, "    %s! %s%s", output_colour(s->cli, COLOUR_RED),
                    _("damaged on this disk: do not rely on it; sidan doctor"),
                    output_colour(s->cli, COLOUR_NONE));
    print_fields(s, k, e->body);
    if (e->box_state == BOX_HERE) print_fields(s, k, e->box);
    if (e->box_state == BOX_GONE)
        output_line(s->cli, "    %s",
                    erased_covers(&s->erased, &e->id)
                        ? _("(erased)")
                        : _("(the personal part is missing here; it is asked for)"));
}

static void print_request_head(const struct shown *s)
{
    const struct request *r = &s->request;
    char due[TIME_TEXT_SIZE] = "-";
    if (r->due_ms) time_format_date(due, r->due_ms);
    const char *until =
        r->due_ms && r->due_provisional ? cli_format(s->cli, _("%s (provisional)"), due) : due;
    output_line(s->cli, "%s  %s  %s  %s", output_text(s->cli, r->number),
                lookup_village_name(s->roster, r->village),
                words_choice(s->cli, "nature", r->nature),
                i18n_is_chinese() ? request_state_zh(r->state) : request_state_name(r->state));
    output_line(s->cli, _("official no. %s  due %s  holder %s"),
                r->official_number.size ? output_text(s->cli, r->official_number) : "-", until,
                r->holder.size ? output_text(s->cli, r->holder) : "-");
    if (r->both_changed)
        output_line(s->cli, "! %s", _("changed on both sides; the township has to confirm"));
}

static const char *scope_words(const struct shown *s)
{
    const struct scope *scope = &s->scope.scope;
    switch (scope_class(scope)) {
    case SCOPE_VILLAGE:
        return lookup_village_name(s->roster, scope_village(scope));
    case SCOPE_OFFICE:
        return _("the office alone");
    case SCOPE_TOWN:
        break;
    }
    return _("the whole township");
}

/* Who erased what is personal, and where it is not gone yet. */
static void print_erasures(const struct shown *s)
{
    for (size_t i = 0; i < s->erased.order_count; i++) {
        struct erasure e;
        if (erasure_read(s->txn, s->roster, &s->key, &s->erased.orders[i], &e)) continue;
        output_line(s->cli, _("erased: %s"), erasure_words(s->cli, s->txn, s->roster, &e));
        const char *waits = erasure_waits_words(s->cli, &e);
        if (*waits) output_line(s->cli, "  %s", waits);
        erasure_clear(&e);
    }
}

static int print(const struct shown *s)
{
    char id[33];
    hex_encode(id, s->key.thing.bytes, sizeof s->key.thing.bytes);
    if (s->is_request)
        print_request_head(s);
    else
        output_line(s->cli, "%s  %s%s%s", type_words(s->history.type), scope_words(s),
                    s->state[0] ? "  " : "", state_words(s->history.type, s->state));
    output_line(s->cli, _("id %s"), id);
    print_erasures(s);
    output_line(s->cli, _("history: %" PRIu64 " records"), s->history.total);
    for (size_t i = 0; i < s->history.count; i++) print_item(s, i);
    return EXIT_OK;
}

static int show(struct shown *s)
{
    const char *text = cli_argument(s->cli, 0);
    int code = cli_roster(s->cli, s->txn, &s->roster);
    if (!code) code = lookup_shown(s->cli, s->txn, text, &s->key);
    if (code) return code;
    enum err e =
        views_history(s->cli->views, s->txn, s->key.scope_number, &s->key.thing, &s->history);
    if (!e && !scope_get(s->txn, s->key.scope_number, &s->scope)) e = ERR_CORRUPT;
    if (e) return cli_fail(s->cli, e, cli_format(s->cli, _("\"%s\" cannot be shown"), text));
    if (s->history.type == THING_REQUEST)
        s->is_request = request_get(s->txn, &s->key, &s->request) == OK;
    if (!erased_get(s->txn, &s->key, &s->erased)) s->erased = (struct erased){.whole = false};
    s->state = "";
    for (size_t i = s->history.count; i > 0 && !s->state[0]; i--)
        s->state = s->history.items[i - 1].state_after;
    code = s->cli->json ? print_json(s) : print(s);
    history_clear(&s->history);
    return code;
}

int cmd_show(struct cli *cli)
{
    struct shown s = {.cli = cli};
    int code = cli_begin(cli, &s.txn);
    if (code) return code;
    code = show(&s);
    txn_abort(s.txn);
    return code;
}
