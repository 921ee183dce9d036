#include "tools/aside.h"

#include "common/text.h"
#include "node/views/body.h"
#include "node/views/views.h"
#include "proto/join.h"
#include "tools/output.h"

uint64_t aside_of(struct txn *t, const struct roster *roster, const struct device *device)
{
    struct aside_cursor cursor = {.txn = t};
    uint64_t count = 0;
    for (uint64_t arrival; (arrival = aside_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_any(t, arrival, &e)) continue;
        count += roster_has_key(roster, device, &e.feed.author);
    }
    return count;
}

static uint64_t aside_by(struct txn *t, const struct sign_key *author)
{
    struct aside_cursor cursor = {.txn = t};
    uint64_t count = 0;
    for (uint64_t arrival; (arrival = aside_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_any(t, arrival, &e)) continue;
        count += sign_key_equal(&e.feed.author, author);
    }
    return count;
}

static bool read_request(const struct event *e, struct join_request *out)
{
    struct mp_reader value;
    return slice_is_text(e->kind, "device.joined") && mp_map_get(e->body, "request", &value) &&
           join_request_read(out, mp_read_bin(&value, JOIN_REQUEST_SIZE_MAX)) == OK;
}

/* Who asked to join by this invite; false: nobody. */
static bool joined_by(struct txn *t, uint32_t town, const struct thing_id *invite,
                      struct sign_key *key)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = town, .thing = *invite};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct join_request q;
        if (log_read(t, arrival, &e) || !read_request(&e, &q)) continue;
        *key = q.device;
        return true;
    }
    return false;
}

static const struct device *invited(const struct roster *roster, const struct thing_id *thing)
{
    for (size_t i = 0; i < roster->device_count; i++)
        if (thing_id_equal(&roster->devices[i].thing, thing)) return &roster->devices[i];
    return NULL;
}

/* `e` stands aside, in `town`. */
static bool is_left_out(struct txn *t, const struct roster *roster, uint32_t town,
                        const struct event *e, struct left_out *out)
{
    struct join_request q;
    *out = (struct left_out){.records = 0};
    if (read_request(e, &q)) {
        const struct device *d = invited(roster, &e->subject);
        out->key = q.device;
        text_copy(out->name, sizeof out->name, slice_of_text(q.name));
        if (d) text_copy(out->village, sizeof out->village, slice_of_text(d->village));
    } else if (slice_is_text(e->kind, "device.invited") &&
               joined_by(t, town, &e->subject, &out->key)) {
        text_copy(out->name, sizeof out->name, body_text(e->body, "name"));
        text_copy(out->village, sizeof out->village, body_text(e->body, "village"));
    } else {
        return false;
    }
    if (!views_is_nobody(roster, &out->key)) return false;
    out->records = aside_by(t, &out->key);
    return true;
}

size_t aside_left_out(struct txn *t, const struct roster *roster, struct left_out *out, size_t max)
{
    const struct scope town = scope_town();
    struct aside_cursor cursor = {.txn = t};
    struct scope_row scope;
    size_t count = 0;
    if (!scope_find(t, &town, &scope)) return 0;
    for (uint64_t arrival; count < max && (arrival = aside_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_any(t, arrival, &e) || scope_class(&e.feed.scope) != SCOPE_TOWN) continue;
        count += is_left_out(t, roster, scope.number, &e, &out[count]);
    }
    return count;
}

void aside_say_left_out(struct cli *cli)
{
    struct left_out all[LEFT_OUT_MAX];
    const struct roster *roster;
    struct txn *t;
    if (cli_begin(cli, &t)) return;
    size_t count = cli_roster(cli, t, &roster) ? 0 : aside_left_out(t, roster, all, LEFT_OUT_MAX);
    txn_abort(t);
    if (count)
        output_line(cli, _("! what let %zu devices in does not count any more: sidan doctor"),
                    count);
}
