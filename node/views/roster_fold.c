#include "node/views/roster_fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "node/views/body.h"
#include "node/views/fold_types.h"
#include "proto/join.h"
#include "proto/rotation.h"

static bool key_is_zero(const uint8_t key[32])
{
    static const uint8_t zero[32];
    return memcmp(key, zero, sizeof zero) == 0;
}

/* --- bodies, checked against the kind's table before they come here ------------------------ */

static void put_text(struct slice body, const char *key, char *out, size_t capacity)
{
    text_copy(out, capacity, body_text(body, key));
}

/* --- rows ---------------------------------------------------------------------------------- */

static void read_text(struct mp_reader *r, char *out, size_t capacity)
{
    text_copy(out, capacity, mp_read_str(r, capacity - 1));
}

static void read_key(struct mp_reader *r, uint8_t out[32])
{
    if (mp_read_nil(r))
        memset(out, 0, 32);
    else
        mp_read_bin_exact(r, out, 32);
}

static void write_key(struct mp_writer *w, const uint8_t key[32])
{
    if (key_is_zero(key))
        mp_write_nil(w);
    else
        mp_write_bin(w, key, 32);
}

static enum err row_end(struct mp_reader *r)
{
    return mp_read_end(r) == OK ? OK : ERR_CORRUPT;
}

enum err roster_fold_read_village(struct village *out, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    if (mp_read_array(&r, 6) != 6) return ERR_CORRUPT;
    read_text(&r, out->code, sizeof out->code);
    read_text(&r, out->name, sizeof out->name);
    read_text(&r, out->short_name, sizeof out->short_name);
    read_text(&r, out->pinyin, sizeof out->pinyin);
    out->number = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    out->closed = mp_read_bool(&r);
    return row_end(&r);
}

static enum err read_earlier(struct mp_reader *r, struct device *out, struct roster *into)
{
    size_t count = mp_read_array(r, DEVICE_KEYS_MAX);
    out->first = out->key;
    out->earlier_at = (uint32_t)into->earlier_count;
    if (r->err || !count) return OK;
    struct device_keys_earlier *grown =
        realloc(into->earlier, (into->earlier_count + count) * sizeof *grown);
    if (!grown) return ERR_NOMEM;
    into->earlier = grown;
    for (size_t i = 0; i < count; i++) {
        struct device_keys_earlier *e = &grown[into->earlier_count + i];
        *e = (struct device_keys_earlier){.device = (uint32_t)into->device_count};
        mp_read_array(r, 2);
        mp_read_bin_exact(r, e->key.bytes, sizeof e->key.bytes);
        mp_read_bin_exact(r, e->transport.bytes, sizeof e->transport.bytes);
    }
    if (r->err) return OK;
    out->first = grown[into->earlier_count].key;
    out->earlier_count = (uint32_t)count;
    into->earlier_count += count;
    return OK;
}

static enum err read_addresses(struct mp_reader *r, struct device *out, struct roster *into)
{
    size_t count = mp_read_array(r, DEVICE_ADDRESSES_MAX);
    out->addresses_at = (uint32_t)into->address_count;
    if (r->err || !count) return OK;
    struct device_address *grown =
        realloc(into->addresses, (into->address_count + count) * sizeof *grown);
    if (!grown) return ERR_NOMEM;
    into->addresses = grown;
    for (size_t i = 0; i < count; i++)
        read_text(r, grown[into->address_count + i].text, sizeof grown->text);
    if (r->err) return OK;
    out->address_count = (uint32_t)count;
    into->address_count += count;
    return OK;
}

enum err roster_fold_read_device(struct device *out, struct roster *into, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    char letter[2];
    *out = (struct device){0};
    if (mp_read_array(&r, 15) != 15) return ERR_CORRUPT;
    out->state = (enum device_state)mp_read_uint(&r, DEVICE_REVOKED);
    read_key(&r, out->key.bytes);
    read_key(&r, out->transport.bytes);
    read_key(&r, out->invite.bytes);
    read_key(&r, out->invite_transport.bytes);
    read_key(&r, out->acceptor.bytes);
    read_text(&r, out->village, sizeof out->village);
    out->roles = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    read_text(&r, letter, sizeof letter);
    out->letter = letter[0];
    read_text(&r, out->name, sizeof out->name);
    out->expires_ms = mp_read_uint(&r, UINT64_MAX);
    out->stolen = mp_read_bool(&r);
    enum err err = read_earlier(&r, out, into);
    if (!err) err = roster_fold_read_cuts(&r, into, &out->cuts_at, &out->cut_count);
    if (!err) err = read_addresses(&r, out, into);
    return err ? err : row_end(&r);
}

/* What of a device are lists in bodies, as they are encoded there; empty: none. */
struct device_lists {
    struct slice heads, addresses;
};

static void device_write(struct buf *out, const struct device *d,
                         const struct device_keys_earlier *earlier,
                         const struct device_lists *lists)
{
    static const uint8_t none[] = {0x90};
    struct mp_writer w = {out};
    const char letter[2] = {d->letter, 0};
    mp_write_array(&w, 15);
    mp_write_uint(&w, d->state);
    write_key(&w, d->key.bytes);
    write_key(&w, d->transport.bytes);
    write_key(&w, d->invite.bytes);
    write_key(&w, d->invite_transport.bytes);
    write_key(&w, d->acceptor.bytes);
    mp_write_text(&w, d->village);
    mp_write_uint(&w, d->roles);
    mp_write_text(&w, letter);
    mp_write_text(&w, d->name);
    mp_write_uint(&w, d->expires_ms);
    mp_write_bool(&w, d->stolen);
    mp_write_array(&w, d->earlier_count);
    for (uint32_t i = 0; i < d->earlier_count; i++) {
        mp_write_array(&w, 2);
        mp_write_bin(&w, earlier[i].key.bytes, sizeof earlier[i].key.bytes);
        mp_write_bin(&w, earlier[i].transport.bytes, sizeof earlier[i].transport.bytes);
    }
    const struct slice nothing = slice_of(none, sizeof none);
    mp_write_raw(&w, lists->heads.size ? lists->heads : nothing);
    mp_write_raw(&w, lists->addresses.size ? lists->addresses : nothing);
}

/* --- villages ------------------------------------------------------------------------------ */

/* The founding event where it takes effect, else NULL. */
static const struct event *founder_of(const struct fold *f)
{
    return f->founder->effect == EFFECT_COUNTS ? &f->founder->event : NULL;
}

static void village_name(struct village *v, const struct event *e)
{
    put_text(e->body, "name", v->name, sizeof v->name);
    put_text(e->body, "short_name", v->short_name, sizeof v->short_name);
    put_text(e->body, "pinyin", v->pinyin, sizeof v->pinyin);
}

void roster_fold_village(struct fold *f)
{
    const struct event *e = founder_of(f);
    if (!e) return;
    struct village v = {.number = (uint32_t)body_uint(e->body, "number")};
    put_text(e->body, "code", v.code, sizeof v.code);
    size_t at = 0;
    for (struct fold_item *item; (item = fold_next(f, &at)) != NULL;) {
        if (slice_is_text(item->event.kind, "village.closed"))
            v.closed = true;
        else
            village_name(&v, &item->event);
        item->state_after = thing_state_name(THING_VILLAGE, v.closed);
    }
    struct mp_writer w = {&f->row};
    mp_write_array(&w, 6);
    mp_write_text(&w, v.code);
    mp_write_text(&w, v.name);
    mp_write_text(&w, v.short_name);
    mp_write_text(&w, v.pinyin);
    mp_write_uint(&w, v.number);
    mp_write_bool(&w, v.closed);
}

/* --- devices ------------------------------------------------------------------------------- */

static void device_found(struct device *d, const struct event *e)
{
    char letter[2] = {0};
    put_text(e->body, "letter", letter, sizeof letter);
    d->letter = letter[0];
    put_text(e->body, "name", d->name, sizeof d->name);
    put_text(e->body, "village", d->village, sizeof d->village);
    uint32_t never = ROLES_OF_KEYS | (uint32_t)(d->village[0] ? ROLES_TOWNSHIP : ROLE_VILLAGE);
    d->roles = (uint32_t)body_uint(e->body, "roles") & ~never;
    if (slice_is_text(e->kind, "device.enrol")) {
        d->state = DEVICE_JOINED;
        body_bytes(e->body, "key", d->key.bytes, sizeof d->key.bytes);
        body_bytes(e->body, "transport", d->transport.bytes, sizeof d->transport.bytes);
        return;
    }
    d->state = DEVICE_INVITED;
    body_bytes(e->body, "invite", d->invite.bytes, sizeof d->invite.bytes);
    body_bytes(e->body, "transport", d->invite_transport.bytes, sizeof d->invite_transport.bytes);
    body_bytes(e->body, "acceptor", d->acceptor.bytes, sizeof d->acceptor.bytes);
    d->expires_ms = body_uint(e->body, "expires");
}

static bool join_valid(const struct fold *f, const struct device *d, const struct event *e,
                       struct join_request *request)
{
    struct frame_join join = {0};
    struct mp_reader value;
    if (!mp_map_get(e->body, "request", &value)) return false;
    join.request = mp_read_bin(&value, EVENT_HEADER_SIZE_MAX);
    body_bytes(e->body, "invite_signature", join.invite_signature.bytes,
               sizeof join.invite_signature.bytes);
    body_bytes(e->body, "device_signature", join.device_signature.bytes,
               sizeof join.device_signature.bytes);
    return join_verify(request, &join) == OK && sign_key_equal(&request->township, &f->authority) &&
           sign_key_equal(&request->invite, &d->invite);
}

static bool had_key(const struct device *d, const struct device_keys_earlier *earlier,
                    const struct sign_key *key)
{
    for (uint32_t i = 0; i < d->earlier_count; i++)
        if (sign_key_equal(&earlier[i].key, key)) return true;
    return sign_key_equal(&d->key, key);
}

static void device_join(const struct fold *f, struct device *d,
                        const struct device_keys_earlier *earlier, struct fold_item *item)
{
    struct join_request request;
    if (key_is_zero(d->acceptor.bytes)) {
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("this device was not invited"));
    } else if (!sign_key_equal(&item->event.feed.author, &d->acceptor)) {
        fold_mark(item, EFFECT_FORBIDDEN, N_("the invite names another hub to accept it"));
    } else if (!join_valid(f, d, &item->event, &request)) {
        fold_mark(item, EFFECT_BAD_FIELD, N_("the join request does not verify"));
    } else if (!key_is_zero(d->key.bytes)) {
        bool same = had_key(d, earlier, &request.device);
        if (!same) d->stolen = true;
        fold_mark(item, EFFECT_IMPOSSIBLE,
                  same ? N_("this device has joined already") : N_("the invite was used twice"));
    } else {
        /* Revoked before the hub knew: it stays out, but what it did until then keeps its author.
         */
        if (d->state == DEVICE_INVITED) d->state = DEVICE_JOINED;
        d->key = request.device;
        d->transport = request.transport;
        memcpy(d->name, request.name, sizeof d->name);
    }
}

/* What is new in it, and what it proves. */
static bool rotation_valid(const struct fold *f, const struct device *d, const struct event *e,
                           struct rotation *out)
{
    struct signature proof;
    *out = (struct rotation){.township = f->authority, .device = f->key.thing};
    out->has_key = body_bytes(e->body, "key", out->key.bytes, sizeof out->key.bytes);
    out->has_transport =
        body_bytes(e->body, "transport", out->transport.bytes, sizeof out->transport.bytes);
    if (!out->has_key && !out->has_transport) return false;
    if (out->has_transport && box_key_equal(&out->transport, &d->transport)) return false;
    return body_bytes(e->body, "proof", proof.bytes, sizeof proof.bytes) &&
           rotation_verify(out, &e->feed.author, &proof) == OK;
}

/* By any of its keys, for two copies of one disk may both have changed theirs: both go on. */
static void device_rotate(const struct fold *f, struct device *d,
                          struct device_keys_earlier *earlier, struct fold_item *item)
{
    struct rotation rotation;
    if (key_is_zero(d->key.bytes) || !had_key(d, earlier, &item->event.feed.author)) {
        fold_mark(item, EFFECT_FORBIDDEN, N_("a device changes its own keys alone"));
    } else if (d->earlier_count >= DEVICE_KEYS_MAX) {
        fold_mark(item, EFFECT_LIMIT, N_("its keys were changed too often: join it anew"));
    } else if (!rotation_valid(f, d, &item->event, &rotation)) {
        fold_mark(item, EFFECT_BAD_FIELD, N_("the new key is not proven"));
    } else if (rotation.has_key && had_key(d, earlier, &rotation.key)) {
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("the device had this key already"));
    } else {
        earlier[d->earlier_count++] =
            (struct device_keys_earlier){.key = d->key, .transport = d->transport};
        if (rotation.has_key) d->key = rotation.key;
        if (rotation.has_transport) d->transport = rotation.transport;
    }
}

static struct slice list_of(const struct fold_item *item, const char *field)
{
    struct mp_reader list;
    return mp_map_get(item->event.body, field, &list) ? mp_skip(&list) : SLICE_EMPTY;
}

void roster_fold_device(struct fold *f)
{
    struct device_lists lists = {.heads = SLICE_EMPTY};
    const struct event *founder = founder_of(f);
    if (!founder) return;
    struct device d = {0};
    struct device_keys_earlier earlier[DEVICE_KEYS_MAX];
    device_found(&d, founder);
    size_t at = 0;
    for (struct fold_item *item; (item = fold_next(f, &at)) != NULL;) {
        if (slice_is_text(item->event.kind, "device.joined"))
            device_join(f, &d, earlier, item);
        else if (slice_is_text(item->event.kind, "device.rotated"))
            device_rotate(f, &d, earlier, item);
        else if (slice_is_text(item->event.kind, "device.listens"))
            lists.addresses = list_of(item, "addresses");
        else if (slice_is_text(item->event.kind, "device.revoked")) {
            /* The last one says which of its events count; one that names none leaves none. */
            lists.heads = list_of(item, "heads");
            d.state = DEVICE_REVOKED;
        }
        item->state_after = thing_state_name(THING_DEVICE, d.state);
    }
    device_write(&f->row, &d, earlier, &lists);
}
