#include "tests/support/township.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/join.h"
#include "proto/json.h"

#define TOWNSHIP_EPOCH_MS UINT64_C(1763859600000) /* 2025-11-23 09:00 in Hunan */

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "township: %s\n", what);
    abort();
}

void township_signer(struct signer *out, unsigned number)
{
    struct sign_seed seed = {{'t', 'o', 'w', 'n', (uint8_t)(number >> 8), (uint8_t)number}};
    signer_from_seed(out, &seed);
}

/* --- recording ----------------------------------------------------------------------------- */

static struct township_feed *feed_of(struct township_device *d, const char *scope)
{
    for (size_t i = 0; i < d->feed_count; i++)
        if (strcmp(d->feeds[i].feed.scope.text, scope) == 0) return &d->feeds[i];
    must(d->feed_count < sizeof d->feeds / sizeof d->feeds[0], "too many feeds");
    struct township_feed *feed = &d->feeds[d->feed_count++];
    feed->feed.author = d->signer.key;
    feed->feed.lane = LANE_NORMAL;
    must(scope_parse(&feed->feed.scope, slice_of_text(scope)) == OK, "bad scope");
    return feed;
}

struct slice township_pack(struct buf *out, const char *json, const struct kind *kind)
{
    struct json_packer packer = {0};
    struct kind_problem problem = {.what = ""};
    json_t *object = json_loads(json ? json : "{}", 0, NULL);
    must(object != NULL, json);
    if (json_pack_map(&packer, out, object, kind, &problem) != OK) {
        fprintf(stderr, "township: %s: %s\n", problem.field, problem.what);
        must(false, json);
    }
    json_decref(object);
    json_packer_clear(&packer);
    return buf_slice(out);
}

/* The event and all that it borrows, in one piece that township_end frees. */
struct record {
    struct event event;
    struct buf header, body, box;
};

const struct event *township_record(struct township *t, struct township_device *d,
                                    const struct township_act *act)
{
    struct record *record = calloc(1, sizeof *record);
    must(record && t->event_count < TOWNSHIP_EVENTS_MAX, "no room");
    struct scope own = d->village[0] ? scope_of_village(d->village) : scope_town();
    struct township_feed *feed = feed_of(d, act->scope ? act->scope : own.text);
    const struct kind *kind = kind_find(slice_of_text(act->kind));
    struct event *e = &record->event;
    e->suite = SUITE_1;
    e->feed = feed->feed;
    e->seq = ++feed->seq;
    e->prev = feed->head;
    e->time = HLC_MAKE(act->time_ms ? act->time_ms : t->time_ms, 0, act->untrusted);
    e->kind = slice_of_text(act->kind);
    e->founding = !act->subject;
    if (act->subject) e->subject = *act->subject;
    e->depth = act->depth;
    e->seen = act->seen;
    e->has_by = act->by != NULL;
    if (act->by) e->by = *act->by;
    e->body = township_pack(&record->body, act->body, kind);
    e->ext = act->ext;
    if (act->box) {
        e->box_state = BOX_HERE;
        memset(e->salt, 7, sizeof e->salt);
        e->box = township_pack(&record->box, act->box, kind);
    }
    must(event_encode(e, &record->header) == OK, "event does not encode");
    event_sign(e, &d->signer);
    feed->head = e->id;
    t->time_ms += 1000;
    t->events[t->event_count++] = e;
    return e;
}

void township_name_head(char *heads, size_t size, const struct event *e)
{
    struct feed_id feed;
    char feed8[17], id16[33];
    size_t used = strlen(heads);
    feed_id_of(&feed, &e->feed);
    hex_encode(feed8, feed.bytes, 8);
    hex_encode(id16, e->id.bytes, 16);
    snprintf(heads + used, size - used, "%s[{\"$bin\":\"%s\"},%llu,{\"$bin\":\"%s\"}]",
             used ? "," : "", feed8, (unsigned long long)e->seq, id16);
}

const struct event *township_revoke(struct township *t, const struct thing_id *device,
                                    uint32_t depth, const char *heads)
{
    char body[1024];
    snprintf(body, sizeof body, "{\"reason\":\"stolen\",\"heads\":[%s]}", heads);
    return township_record(t, &t->authority,
                           &(struct township_act){.kind = "device.revoked",
                                                  .scope = "town",
                                                  .subject = device,
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body});
}

const struct event *township_register(struct township *t, struct township_device *d,
                                      const char *number)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"number\":\"%s\",\"channel\":\"visit\",\"received\":1763859600000,"
             "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}",
             number);
    return township_record(t, d,
                           &(struct township_act){
                               .kind = "request.register",
                               .body = body,
                               .box = "{\"name\":\"张三\",\"content\":\"污水管网堵塞\"}",
                           });
}

/* --- founding ------------------------------------------------------------------------------ */

static const char *hex(const void *bytes, size_t size)
{
    static char texts[8][2 * JOIN_REQUEST_SIZE_MAX + 1];
    static unsigned next;
    char *text = texts[next++ % 8];
    hex_encode(text, bytes, size);
    return text;
}

const struct event *township_invite(struct township *t, const struct signer *invite,
                                    const struct sign_key *acceptor, const char *village,
                                    uint32_t roles, char letter)
{
    char body[1024], place[40] = "";
    if (village[0]) snprintf(place, sizeof place, "\"village\":\"%s\",", village);
    snprintf(body, sizeof body,
             "{\"invite\":\"%s\",\"transport\":\"%s\",%s\"roles\":%u,\"letter\":\"%c\","
             "\"name\":\"laptop\",\"acceptor\":\"%s\",\"expires\":1795000000000}",
             hex(invite->key.bytes, 32), hex(invite->key.bytes, 32), place, roles, letter,
             hex(acceptor->bytes, 32));
    return township_record(t, &t->authority,
                           &(struct township_act){.kind = "device.invited", .body = body});
}

static struct box_key transport_of(const struct township *t, const struct signer *device)
{
    return t->transport ? *t->transport : (struct box_key){{device->key.bytes[0], 1}};
}

const struct event *township_accept(struct township *t, struct township_device *hub,
                                    const struct signer *invite, const struct signer *device,
                                    const struct thing_id *thing, uint32_t depth, uint32_t seen)
{
    struct join_request request = {
        .township = t->authority.signer.key,
        .invite = invite->key,
        .device = device->key,
        .transport = transport_of(t, device),
        .name = "laptop",
        .time_ms = t->time_ms,
    };
    struct buf bytes = {0};
    struct frame_join join;
    char body[2048];
    join_request_write(&bytes, &request);
    join_sign(&join, buf_slice(&bytes), invite, device);
    snprintf(body, sizeof body,
             "{\"request\":\"%s\",\"invite_signature\":\"%s\",\"device_signature\":\"%s\"}",
             hex(bytes.data, bytes.size), hex(join.invite_signature.bytes, 64),
             hex(join.device_signature.bytes, 64));
    buf_clear(&bytes);
    return township_record(t, hub,
                           &(struct township_act){.kind = "device.joined",
                                                  .scope = "town",
                                                  .subject = thing,
                                                  .depth = depth,
                                                  .seen = seen,
                                                  .body = body});
}

struct township_device *township_join(struct township *t, const char *village, uint32_t roles,
                                      char letter)
{
    must(t->device_count < TOWNSHIP_DEVICES_MAX, "too many devices");
    struct township_device *d = &t->devices[t->device_count];
    struct signer invite;
    township_signer(&invite, 1000 + (unsigned)t->device_count);
    township_signer(&d->signer, 100 + (unsigned)t->device_count++);
    snprintf(d->village, sizeof d->village, "%s", village);
    d->roles = roles;
    d->transport = transport_of(t, &d->signer);
    d->thing = township_invite(t, &invite, &t->hub.signer.key, village, roles, letter)->subject;
    township_accept(t, &t->hub, &invite, &d->signer, &d->thing, 1, 1);
    return d;
}

static void put_village(struct township *t, unsigned number, const char *code)
{
    char body[256];
    snprintf(
        body, sizeof body,
        "{\"code\":\"%s\",\"name\":\"%u号村委会\",\"short_name\":\"%u号\",\"pinyin\":\"Cun%u\","
        "\"type\":\"village\",\"number\":%u}",
        code, number, number, number, number);
    township_record(t, &t->authority, &(struct township_act){.kind = "village.put", .body = body});
}

void township_begin(struct township *t, size_t villages)
{
    memset(t, 0, sizeof *t);
    t->time_ms = TOWNSHIP_EPOCH_MS;
    township_signer(&t->authority.signer, 1);
    township_signer(&t->hub.signer, 2);
    township_signer(&t->recovery.signer, 3);
    t->hub.transport = (struct box_key){{t->hub.signer.key.bytes[0], 1}};
    t->hub.roles = ROLES_TOWNSHIP & ~(uint32_t)ROLE_MIRROR;
    char body[512];
    snprintf(body, sizeof body, "{\"name\":\"琅塘镇\",\"recovery\":\"%s\",\"office\":\"%s\"}",
             hex(t->recovery.signer.key.bytes, 32), hex(t->hub.signer.key.bytes, 32));
    township_record(t, &t->authority,
                    &(struct township_act){.kind = "township.founded", .body = body});
    snprintf(body, sizeof body,
             "{\"key\":\"%s\",\"transport\":\"%s\",\"name\":\"hub\",\"roles\":%u,\"letter\":\"A\"}",
             hex(t->hub.signer.key.bytes, 32), hex(t->hub.transport.bytes, 32),
             (unsigned)t->hub.roles);
    t->hub.thing = township_record(t, &t->authority,
                                   &(struct township_act){.kind = "device.enrol", .body = body})
                       ->subject;
    for (unsigned i = 0; i < villages; i++) {
        char code[13];
        snprintf(code, sizeof code, "431322111%03u", 201 + i % 700);
        put_village(t, i + 1, code);
        township_join(t, code, ROLE_VILLAGE, 'A');
    }
    t->roster_count = t->event_count;
}

void township_end(struct township *t)
{
    for (size_t i = 0; i < t->event_count; i++) {
        struct record *record = (struct record *)(void *)t->events[i];
        buf_clear(&record->header);
        buf_clear(&record->body);
        buf_clear(&record->box);
        free(record);
    }
    t->event_count = 0;
}

/* --- nodes --------------------------------------------------------------------------------- */

void township_node_open(struct township_node *n, const struct township *t,
                        const struct township_device *d)
{
    snprintf(n->home, sizeof n->home, "%s/sidan-township-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(n->home) != NULL, "no temporary folder");
    struct store_identity identity = {
        .township = t->authority.signer.key,
        .device = d->signer.key,
        .generation = {1},
    };
    must(store_create(n->home, &identity) == OK, "store is not created");
    must(store_open(&n->store, n->home, &(struct store_options){.disk_free_min = 1}) == OK,
         "store does not open");
    must(views_open(&n->views, n->store) == OK, "views do not open");
}

static void remove_folder(const char *path, unsigned depth)
{
    DIR *folder = depth ? opendir(path) : NULL;
    if (!folder) {
        unlink(path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char inner[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        remove_folder(inner, depth - 1);
    }
    closedir(folder);
    rmdir(path);
}

void township_node_close(struct township_node *n)
{
    views_close(n->views);
    store_close(n->store);
    remove_folder(n->home, 2);
}

void township_node_take(struct township_node *n, struct event *const *events, size_t count)
{
    struct arrival *arrival;
    size_t fresh;
    must(arrival_begin(&arrival, n->store, n->views) == OK, "no arrival");
    for (size_t i = 0; i < count; i++)
        must(arrival_add(arrival, events[i], 1, &fresh) == OK, "event does not arrive");
    must(arrival_commit(arrival) == OK, "arrival does not commit");
}

void township_node_take_all(struct township_node *n, const struct township *t)
{
    township_node_take(n, t->events, t->event_count);
}

void township_node_settle(struct township_node *n)
{
    uint64_t arrival, done, total;
    for (bool pending = true; pending;) {
        must(views_rebuild_slice(n->views, n->store, &arrival) == OK, "rebuild fails");
        struct txn *txn;
        must(txn_begin(n->store, false, &txn) == OK, "no transaction");
        pending = views_rebuild_pending(txn, &done, &total);
        txn_abort(txn);
    }
}

uint32_t township_node_scope(struct township_node *n, const char *scope)
{
    struct txn *txn;
    struct scope_row row = {0};
    struct scope parsed;
    must(scope_parse(&parsed, slice_of_text(scope)) == OK, "bad scope");
    must(txn_begin(n->store, false, &txn) == OK, "no transaction");
    if (!scope_find(txn, &parsed, &row)) row.number = 0;
    txn_abort(txn);
    return row.number;
}
