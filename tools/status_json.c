#include "tools/status.h"

#include "common/version.h"
#include "tools/lookup.h"
#include "tools/output.h"

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static json_t *count_of(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *digest_of(enum standing_digest d)
{
    return d == DIGEST_UNKNOWN ? json_null() : json_boolean(d == DIGEST_EQUAL);
}

static json_t *device_of(const struct standing_peer *p)
{
    json_t *o = json_object();
    set(o, "id", output_json_hex(p->device->first.bytes, sizeof p->device->first.bytes));
    set(o, "name", json_string(p->device->name));
    set(o, "state", json_string(standing_name(p->state)));
    set(o, "last_ok", output_json_time(p->last_ok_ms));
    set(o, "last_attempt", output_json_time(p->last_attempt_ms));
    set(o, "next_attempt", output_json_time(p->next_attempt_ms));
    set(o, "failures", count_of(p->failures));
    set(o, "error", p->last_error ? json_string(err_text(p->last_error)) : json_null());
    set(o, "to_send", count_of(p->theirs_missing));
    set(o, "to_receive", count_of(p->ours_missing));
    set(o, "rate_bps", p->rate_bps ? count_of(p->rate_bps) : json_null());
    set(o, "rtt_ms", p->rtt_ms ? count_of(p->rtt_ms) : json_null());
    set(o, "today", month_bytes_json(&p->traffic.today));
    set(o, "month", month_bytes_json(&p->traffic.month));
    set(o, "neighbour", json_boolean(p->neighbour));
    set(o, "through", p->through ? json_string(p->through->name) : json_null());
    set(o, "through_at", output_json_time(p->through_ms));
    return o;
}

static json_t *neighbour_of(const struct standing_neighbour *n)
{
    json_t *o = json_object();
    set(o, "address", json_string(n->given->address));
    set(o, "name", n->given->name[0] ? json_string(n->given->name) : json_null());
    set(o, "device",
        n->device ? output_json_hex(n->device->first.bytes, sizeof n->device->first.bytes)
                  : json_null());
    set(o, "last_ok", output_json_time(n->row.last_ok_ms));
    set(o, "last_attempt", output_json_time(n->row.last_attempt_ms));
    set(o, "next_attempt", output_json_time(n->row.next_attempt_ms));
    set(o, "failures", count_of(n->row.failures));
    set(o, "error",
        n->row.last_error ? json_string(err_text((enum err)n->row.last_error)) : json_null());
    return o;
}

static json_t *village_of(const struct standing *s, const struct standing_village *v)
{
    json_t *o = json_object(), *devices = json_array();
    set(o, "code", json_string(v->village->code));
    set(o, "name", json_string(v->village->name));
    set(o, "state", json_string(standing_name(v->state)));
    set(o, "got", count_of(v->got));
    set(o, "known", v->known_sure ? count_of(v->known) : json_null());
    set(o, "last_ok", output_json_time(v->last_ok_ms));
    set(o, "last_attempt", output_json_time(v->last_attempt_ms));
    set(o, "open", count_of(v->open));
    set(o, "overdue", count_of(v->overdue));
    set(o, "digest_ok", digest_of(v->digest));
    for (size_t i = 0; i < v->peer_count; i++)
        json_array_append_new(devices, device_of(&s->peers[v->peer_at + i]));
    set(o, "devices", devices);
    return o;
}

static json_t *heads_of(const struct feed_row *f)
{
    json_t *heads = json_array();
    for (size_t h = 0; h < f->head_count; h++) {
        json_t *head = json_object();
        set(head, "seq", count_of(f->heads[h].seq));
        set(head, "id", output_json_hex(f->heads[h].id.bytes, sizeof f->heads[h].id.bytes));
        json_array_append_new(heads, head);
    }
    return heads;
}

/* `forked`: those with two versions; else those that were left for another feed without a fork. */
static json_t *forks_of(const struct standing *s, bool forked)
{
    json_t *forks = json_array();
    struct buf name = {0};
    for (size_t i = 0; i < s->forks.count; i++) {
        const struct fork *f = &s->forks.all[i];
        if ((f->at != 0) != forked) continue;
        json_t *o = json_object();
        buf_reset(&name);
        lookup_feed_print(&name, s->roster, &f->feed->feed);
        set(o, "feed", json_string(buf_text(&name)));
        set(o, "device", json_string(f->device ? f->device->name : s->roster->township_name));
        set(o, "at", f->at ? count_of(f->at) : json_null());
        set(o, "settled", json_boolean(f->settled));
        set(o, "cause", f->cause[0] ? json_string(f->cause) : json_null());
        set(o, "machine", f->machine[0] ? json_string(f->machine) : json_null());
        set(o, "continued", output_json_time(f->continued_ms));
        set(o, "heads", heads_of(f->feed));
        json_array_append_new(forks, o);
    }
    buf_clear(&name);
    return forks;
}

static void set_common(json_t *o, const struct standing *s)
{
    set(o, "version", json_string(SIDAN_VERSION));
    set(o, "role", json_string(s->hub ? "hub" : "node"));
    set(o, "township", json_string(s->roster->township_name));
    set(o, "device", json_string(s->self->name));
    set(o, "state", json_string(standing_name(s->state)));
    set(o, "node_running", json_boolean(s->node_running));
    set(o, "events", count_of(s->events));
    set(o, "last_ok", output_json_time(s->last_ok_ms));
    set(o, "last_attempt", output_json_time(s->last_attempt_ms));
    set(o, "clock_offset_ms", json_integer(s->clock.offset_ms));
    set(o, "clock_trusted", json_boolean(s->clock.trusted));
    set(o, "free_disk", count_of(s->disk_free));
    set(o, "locked", json_boolean(s->locked));
    set(o, "damaged", count_of(s->damage.count));
    set(o, "traffic", month_json(&s->month));
}

int status_json(const struct standing *s, const struct village *only,
                const struct trust_alarm *alarms, size_t alarm_count, json_t *erasures,
                json_t *couriers)
{
    json_t *o = output_json("sidan.status/1");
    set_common(o, s);
    set(o, "forks", forks_of(s, true));
    set(o, "continued", forks_of(s, false));
    json_t *codes = json_array();
    for (size_t i = 0; i < alarm_count; i++)
        json_array_append_new(codes, json_string(alarms[i].code));
    set(o, "alarms", codes);
    set(o, "erasures", erasures);
    set(o, "couriers", couriers);
    if (!s->hub) {
        json_t *peers = json_array();
        set(o, "village", json_string(s->self->village));
        set(o, "unsent", count_of(s->unsent));
        set(o, "behind", count_of(s->behind));
        for (size_t i = 0; i < s->peer_count; i++)
            json_array_append_new(peers, device_of(&s->peers[i]));
        set(o, "peers", peers);
        json_t *neighbours = json_array();
        for (size_t i = 0; i < s->neighbour_count; i++)
            json_array_append_new(neighbours, neighbour_of(&s->neighbours[i]));
        set(o, "neighbours", neighbours);
        return output_json_end(o);
    }
    json_t *villages = json_array();
    for (size_t i = 0; i < s->village_count; i++)
        if (!only || only == s->villages[i].village)
            json_array_append_new(villages, village_of(s, &s->villages[i]));
    set(o, "villages", villages);
    set(o, "numbers_wait", json_boolean(s->numbers_wait || s->numbers_after));
    set(o, "numbers_wait_for",
        s->numbers_after ? json_string(s->numbers_after->name) : json_null());
    return output_json_end(o);
}
