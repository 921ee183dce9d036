/* The join exchange, both ends (proto/join.h). */
#include "node/admission.h"
#include "node/exchange_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the hub's end --- */

static void answer_join(struct exchange *x, const struct frame_join *f, struct buf *out)
{
    const struct admission_options options = {.store = x->store,
                                              .views = x->views,
                                              .recorder = x->recorder,
                                              .keys = x->options.keys,
                                              .clock = &x->time.clock};
    struct admission admission;
    struct hash hash;
    admission_take(&admission, &options, f);
    if (admission.answer != ADMISSION_YES) {
        bool busy = admission.answer == ADMISSION_BUSY;
        frame_refuse_write(out, busy ? REFUSE_BUSY : REFUSE_INVITE, admission.text);
        exchange_log(x, LOG_WARN, "join refused: %s", admission.text);
        return;
    }
    join_request_hash(&hash, f->request);
    frame_admit_write(out, &hash);
    const uint8_t *id = admission.request.device.bytes;
    exchange_log(x, LOG_INFO, "device %02x%02x%02x joined", id[0], id[1], id[2]);
}

static void take_join(struct exchange *x, struct link *link, const struct link_event *event)
{
    struct frame_join f;
    struct buf out = {0};
    uint64_t type;
    if (frame_type_of(event->frame, &type) == OK && type == FRAME_BYE) return;
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

/* Made with the first that is heard of it. NULL: there is no memory to watch it. */
static struct joiner *joiner_of(struct exchange *x, struct link *link, uint64_t handle)
{
    struct joiner *j = x->joiners;
    while (j && (j->link != link || j->handle != handle)) j = j->next;
    if (j) return j;
    j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct joiner){.next = x->joiners, .link = link, .handle = handle};
    x->joiners = j;
    return j;
}

/* Those of a link; with a handle only that one. */
static void forget(struct exchange *x, const struct link *link, const uint64_t *handle)
{
    for (struct joiner **at = &x->joiners; *at;) {
        struct joiner *j = *at;
        if (j->link != link || (handle && j->handle != *handle)) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        free(j);
    }
}

void exchange_take_joiner(struct exchange *x, struct link *link, const struct link_event *event)
{
    if (event->type == LINK_DOWN) {
        forget(x, link, &event->peer);
        return;
    }
    struct joiner *j = joiner_of(x, link, event->peer);
    if (!j) {
        link->ops->drop(link, event->peer);
        return;
    }
    j->heard_ms = x->time.now_ms;
    if (event->type == LINK_FRAME) take_join(x, link, event);
}

void exchange_forget_joiners(struct exchange *x, const struct link *link)
{
    forget(x, link, NULL);
}

void exchange_sweep_joiners(struct exchange *x)
{
    for (struct joiner *j = x->joiners, *next; j; j = next) {
        next = j->next;
        if (x->time.now_ms - j->heard_ms < JOINER_MS) continue;
        j->link->ops->drop(j->link, j->handle);
        forget(x, j->link, &j->handle);
    }
}

uint64_t exchange_joiners_due_ms(const struct exchange *x)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct joiner *j = x->joiners; j; j = j->next)
        if (j->heard_ms + JOINER_MS < due_ms) due_ms = j->heard_ms + JOINER_MS;
    return due_ms;
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
