/* The join exchange, both ends (proto/join.h). */
#include "node/exchange_state.h"

#include <stdio.h>
#include <string.h>

/* --- the hub's end --- */

/* By the key that the invite names: this device's first, which it may not sign with any more. */
static enum err record_as_acceptor(struct exchange *x, const struct draft *draft)
{
    const struct signer *signer = device_keys_signer(x->options.keys, &x->identity->device);
    struct recorder_options options = {.store = x->store, .views = x->views, .signer = signer};
    struct recorder *recorder = x->recorder;
    struct recorded recorded;
    struct kind_problem problem;
    bool former = signer && signer != &x->options.keys->signer;
    if (!signer) return ERR_NOT_FOUND;
    enum err err = former ? recorder_open(&recorder, &options) : OK;
    if (!err) err = recorder_record(recorder, &x->time.clock, draft, &recorded, &problem);
    if (former) recorder_close(recorder);
    return err;
}

static enum err record_joined(struct exchange *x, const struct device *invited,
                              const struct frame_join *f)
{
    struct buf body = {0};
    struct mp_map map = {0};
    struct mp_writer w = mp_map_put(&map, "request");
    mp_write_bin(&w, f->request.data, f->request.size);
    w = mp_map_put(&map, "invite_signature");
    mp_write_bin(&w, f->invite_signature.bytes, sizeof f->invite_signature.bytes);
    w = mp_map_put(&map, "device_signature");
    mp_write_bin(&w, f->device_signature.bytes, sizeof f->device_signature.bytes);
    enum err err = mp_map_end(&map, &body);
    const struct draft draft = {.kind = "device.joined",
                                .scope = scope_town(),
                                .lane = LANE_NORMAL,
                                .subject = invited->thing,
                                .body = buf_slice(&body)};
    if (!err) err = record_as_acceptor(x, &draft);
    mp_map_clear(&map);
    buf_clear(&body);
    return err;
}

/* What is wrong with a request, NULL when it may be accepted; *already: the same device came again.
 */
static const char *objection(struct exchange *x, const struct roster *roster,
                             const struct join_request *request, const struct device **invited,
                             bool *already)
{
    const struct device *d = roster_invite(roster, &request->invite);
    *invited = d;
    *already = false;
    if (!sign_key_equal(&request->township, &x->identity->township)) return "another township";
    if (!d) return "unknown invite";
    if (!sign_key_equal(&d->acceptor, &x->identity->device)) return "not this hub's invite";
    if (d->state == DEVICE_JOINED && sign_key_equal(&d->first, &request->device)) {
        *already = true;
        return NULL;
    }
    if (d->state != DEVICE_INVITED) return "invite already used";
    if (x->time.clock.wall_ms >= d->expires_ms) return "invite expired";
    if (roster_device(roster, &request->device)) return "device already enrolled";
    return NULL;
}

static void answer_join(struct exchange *x, const struct frame_join *f, struct buf *out)
{
    struct join_request request;
    struct txn *t = NULL;
    const struct roster *roster;
    const struct device *invited = NULL;
    struct device copy = {0};
    bool already = false;
    const char *no = "malformed or wrongly signed join request";
    if (join_verify(&request, f) == OK && txn_begin(x->store, false, &t) == OK) {
        no = "busy";
        if (views_roster(x->views, t, &roster) == OK)
            no = objection(x, roster, &request, &invited, &already);
        if (invited) copy = *invited;
        txn_abort(t);
    }
    if (!no && !already && record_joined(x, &copy, f) != OK) no = "busy";
    if (no) {
        bool busy = strcmp(no, "busy") == 0;
        frame_refuse_write(out, busy ? REFUSE_BUSY : REFUSE_INVITE, no);
        exchange_log(x, LOG_WARN, "join refused: %s", no);
        return;
    }
    struct hash hash;
    join_request_hash(&hash, f->request);
    frame_admit_write(out, &hash);
    exchange_log(x, LOG_INFO, "device %02x%02x%02x joined", request.device.bytes[0],
                 request.device.bytes[1], request.device.bytes[2]);
}

void exchange_take_join(struct exchange *x, struct link *link, const struct link_event *event)
{
    struct frame_join f;
    struct buf out = {0};
    if (frame_join_read(&f, event->frame) == OK) {
        answer_join(x, &f, &out);
    } else {
        frame_refuse_write(&out, REFUSE_MALFORMED, "malformed join request");
        exchange_log(x, LOG_WARN, "join refused: malformed");
    }
    /* One frame to a fresh connection; a joiner that does not get it asks again. */
    if (!out.err && link->ops->send(link, event->peer, buf_slice(&out)) != OK)
        exchange_log(x, LOG_WARN, "the answer to a join request could not be sent");
    buf_clear(&out);
    struct txn *t = NULL;
    if (txn_begin(x->store, false, &t) != OK) return;
    if (exchange_look_at_feeds(x, t) != OK)
        exchange_log(x, LOG_WARN, "the roster changed and could not be read");
    txn_abort(t);
}

/* --- the joiner's end --- */

static enum err send_join(struct link *link, uint64_t peer, const struct invite *invite,
                          const struct device_keys *keys, uint64_t wall_ms, struct hash *hash)
{
    struct signer one_time;
    struct join_request request = {.township = invite->authority,
                                   .device = keys->signer.key,
                                   .transport = keys->transport,
                                   .time_ms = wall_ms};
    struct buf bytes = {0}, frame = {0};
    signer_from_seed(&one_time, &invite->seed);
    request.invite = one_time.key;
    snprintf(request.name, sizeof request.name, "%s", invite->device_name);
    join_request_write(&bytes, &request);
    struct frame_join f;
    join_sign(&f, buf_slice(&bytes), &one_time, &keys->signer);
    frame_join_write(&frame, &f);
    enum err err = frame.err ? frame.err : bytes.err;
    if (!err) {
        join_request_hash(hash, f.request);
        err = link->ops->send(link, peer, buf_slice(&frame));
    }
    signer_clear(&one_time);
    buf_clear(&bytes);
    buf_clear(&frame);
    return err;
}

static void take_answer(struct slice frame, const struct hash *asked,
                        struct join_progress *progress)
{
    uint64_t type;
    struct hash hash;
    struct frame_refuse refuse;
    if (frame_type_of(frame, &type) != OK) return;
    if (type == FRAME_ADMIT && frame_admit_read(&hash, frame) == OK && hash_equal(&hash, asked))
        progress->state = JOIN_ADMITTED;
    if (type == FRAME_REFUSE && frame_refuse_read(&refuse, frame) == OK) {
        progress->state = refuse.code == REFUSE_BUSY ? JOIN_WAITING : JOIN_REFUSED;
        progress->refused = refuse.code;
        snprintf(progress->text, sizeof progress->text, "%.*s", (int)refuse.text.size,
                 (const char *)refuse.text.data);
    }
}

enum err join_turn(struct link *link, const struct invite *invite, const struct device_keys *keys,
                   uint64_t wall_ms, struct join_progress *progress)
{
    struct link_event event;
    while (progress->state == JOIN_WAITING && link->ops->next(link, &event)) {
        if (event.type == LINK_DOWN) {
            snprintf(progress->text, sizeof progress->text, "%s", event.text ? event.text : "");
            return event.err ? event.err : ERR_UNREACHABLE;
        }
        if (event.type == LINK_UP) {
            enum err err = send_join(link, event.peer, invite, keys, wall_ms, &progress->asked);
            if (err) return err;
        }
        if (event.type == LINK_FRAME) take_answer(event.frame, &progress->asked, progress);
    }
    return OK;
}
