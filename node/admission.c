#include "node/admission.h"

#include "common/i18n.h"
#include "node/views/body.h"
#include "node/views/roster.h"

#include <string.h>

static void body_write(struct buf *body, const struct frame_join *f)
{
    struct mp_map map = {0};
    struct mp_writer w = mp_map_put(&map, "request");
    mp_write_bin(&w, f->request.data, f->request.size);
    w = mp_map_put(&map, "invite_signature");
    mp_write_bin(&w, f->invite_signature.bytes, sizeof f->invite_signature.bytes);
    w = mp_map_put(&map, "device_signature");
    mp_write_bin(&w, f->device_signature.bytes, sizeof f->device_signature.bytes);
    enum err err = mp_map_end(&map, body);
    if (err && !body->err) body->err = err;
    mp_map_clear(&map);
}

/* By the key that the invite names: this device's first, which it may not sign with any more. */
static enum err record_as_acceptor(const struct admission_options *o, const struct draft *draft)
{
    const struct signer *signer = device_keys_signer(o->keys, &store_identity(o->store)->device);
    const struct recorder_options options = {
        .store = o->store, .views = o->views, .signer = signer};
    struct recorder *recorder = o->recorder;
    struct recorded recorded;
    struct kind_problem problem;
    bool former = signer && signer != &o->keys->signer;
    if (!signer) return ERR_NOT_FOUND;
    enum err err = former ? recorder_open(&recorder, &options) : OK;
    if (!err) err = recorder_record(recorder, o->clock, draft, &recorded, &problem);
    if (former) recorder_close(recorder);
    return err;
}

static enum err record_joined(const struct admission_options *o, const struct thing_id *thing,
                              const struct frame_join *f)
{
    struct buf body = {0};
    body_write(&body, f);
    const struct draft draft = {.kind = "device.joined",
                                .scope = scope_town(),
                                .lane = LANE_NORMAL,
                                .subject = *thing,
                                .body = buf_slice(&body)};
    enum err err = body.err;
    if (!err) err = record_as_acceptor(o, &draft);
    buf_clear(&body);
    return err;
}

static void refuse(struct admission *out, enum admission_answer answer, const char *text)
{
    out->answer = answer;
    out->text = text;
}

static void judge(struct admission *out, const struct admission_options *o,
                  const struct roster *roster)
{
    static const struct sign_key none;
    const struct store_identity *self = store_identity(o->store);
    const struct device *d = roster_invite(roster, &out->request.invite);
    if (d) out->device = *d;
    if (!sign_key_equal(&out->request.township, &self->township))
        refuse(out, ADMISSION_NO, N_("another township"));
    else if (!d)
        refuse(out, ADMISSION_NO, N_("unknown invite"));
    else if (!sign_key_equal(&d->acceptor, &self->device))
        refuse(out, ADMISSION_NO, N_("not this hub's invite"));
    else if (d->state == DEVICE_JOINED && roster_has_key(roster, d, &out->request.device))
        out->already = true;
    else if (d->state == DEVICE_REVOKED)
        refuse(out, ADMISSION_NO, N_("the device of this invite was revoked"));
    else if (!sign_key_equal(&d->key, &none))
        refuse(out, ADMISSION_USED, N_("invite already used"));
    else if (o->clock->wall_ms >= d->expires_ms)
        refuse(out, ADMISSION_NO, N_("invite expired"));
    else if (roster_device(roster, &out->request.device))
        refuse(out, ADMISSION_NO, N_("device already enrolled"));
}

void admission_look(struct admission *out, const struct admission_options *o,
                    const struct frame_join *f)
{
    struct txn *t = NULL;
    const struct roster *roster;
    *out = (struct admission){0};
    if (join_verify(&out->request, f) != OK) {
        refuse(out, ADMISSION_NO, N_("malformed or wrongly signed join request"));
        return;
    }
    out->err = txn_begin(o->store, false, &t);
    if (!out->err) out->err = views_roster(o->views, t, &roster);
    if (!out->err) judge(out, o, roster);
    txn_abort(t);
    if (out->err) refuse(out, ADMISSION_BUSY, N_("busy"));
}

void admission_take(struct admission *out, const struct admission_options *o,
                    const struct frame_join *f)
{
    admission_look(out, o, f);
    bool record = (out->answer == ADMISSION_YES && !out->already) ||
                  (out->answer == ADMISSION_USED && !out->device.stolen);
    if (!out->err && record) out->err = record_joined(o, &out->device.thing, f);
    if (out->err) refuse(out, ADMISSION_BUSY, N_("busy"));
}

static bool is_request(const struct event *e, const struct device *d, struct slice *request)
{
    struct mp_reader value;
    struct join_request q;
    if (!slice_is_text(e->kind, "device.joined") || !mp_map_get(e->body, "request", &value))
        return false;
    *request = mp_read_bin(&value, JOIN_REQUEST_SIZE_MAX);
    return join_request_read(&q, *request) == OK && sign_key_equal(&q.device, &d->first);
}

bool admission_request(struct txn *t, const struct device *device, struct slice *request)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    if (!scope_find(t, &town, &scope)) return false;
    struct thing_cursor cursor = {.txn = t, .scope_number = scope.number, .thing = device->thing};
    uint64_t arrival;
    while ((arrival = thing_next(&cursor)) != 0) {
        struct event e;
        if (log_read(t, arrival, &e) == OK && is_request(&e, device, request)) return true;
    }
    return false;
}
