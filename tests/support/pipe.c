#include "tests/support/pipe.h"

#include <stdlib.h>

struct frame {
    struct frame *next;
    struct buf bytes;
};

struct end {
    struct link link; /* first: a link is its end */
    struct pipe *pipe;
    struct end *other;
    struct box_key key; /* of the peer at the other end */
    bool shows_up, up, told_down;
    uint64_t budget; /* bytes it may still send */
    struct frame *inbox, **tail;
    struct frame *taken;
    struct link_traffic carried; /* not told yet */
};

struct pipe {
    struct end ends[2]; /* dialled, listening */
    uint64_t handle;    /* of either peer in this connection */
    bool cut, invite, held;
    unsigned full, dropped;
    uint64_t bytes, frames;
    uint64_t frames_left; /* that may still pass */
};

static bool next(struct link *l, struct link_event *out)
{
    struct end *e = (struct end *)l;
    *out = (struct link_event){
        .peer = e->pipe->handle, .key = e->key, .invite = e->pipe->invite && !e->shows_up};
    if (e->taken) {
        buf_clear(&e->taken->bytes);
        free(e->taken);
        e->taken = NULL;
    }
    if (e->pipe->cut) {
        if (e->told_down) return false;
        e->told_down = true;
        out->type = LINK_DOWN;
        out->err = ERR_UNREACHABLE;
        out->text = "cut";
        return true;
    }
    if (e->shows_up && !e->up) {
        e->up = true;
        out->type = LINK_UP;
        return true;
    }
    if (!e->inbox || (e->shows_up && e->pipe->held)) return false;
    e->taken = e->inbox;
    e->inbox = e->taken->next;
    if (!e->inbox) e->tail = &e->inbox;
    out->type = LINK_FRAME;
    out->frame = buf_slice(&e->taken->bytes);
    e->carried.received += e->taken->bytes.size;
    return true;
}

static void put(struct end *to, struct slice frame)
{
    struct frame *f = calloc(1, sizeof *f);
    if (!f) abort();
    buf_append_slice(&f->bytes, frame);
    if (f->bytes.err) abort();
    *to->tail = f;
    to->tail = &f->next;
    to->pipe->bytes += frame.size;
    to->pipe->frames++;
    to->pipe->frames_left--;
}

static enum err send(struct link *l, uint64_t peer, struct slice frame)
{
    struct end *e = (struct end *)l;
    if (peer != e->pipe->handle || e->pipe->cut) return ERR_NOT_FOUND;
    if (e->pipe->full) {
        e->pipe->full--;
        return ERR_AGAIN;
    }
    if (frame.size > e->budget) e->budget = 0;
    if (!e->budget || !e->pipe->frames_left) return OK;
    e->budget -= frame.size;
    put(e->other, frame);
    e->carried.sent += frame.size;
    return OK;
}

static void drop(struct link *l, uint64_t peer)
{
    (void)peer;
    ((struct end *)l)->pipe->dropped++;
}

static void close_end(struct link *l)
{
    (void)l;
}

static bool traffic(struct link *l, bool last, struct link_traffic *out)
{
    struct end *e = (struct end *)l;
    (void)last;
    *out = (struct link_traffic){
        .known = true, .key = e->key, .sent = e->carried.sent, .received = e->carried.received};
    e->carried = (struct link_traffic){0};
    return out->sent || out->received;
}

static const struct link_ops ops = {
    .next = next, .send = send, .drop = drop, .close = close_end, .traffic = traffic};

void pipe_open(struct pipe **out, struct link **dialled, const struct box_key *dialled_key,
               struct link **listening, const struct box_key *listening_key)
{
    struct pipe *p = calloc(1, sizeof *p);
    if (!p) abort();
    p->frames_left = UINT64_MAX;
    p->handle = 1;
    for (size_t i = 0; i < 2; i++) {
        struct end *e = &p->ends[i];
        *e = (struct end){
            .link = {.ops = &ops}, .pipe = p, .other = &p->ends[1 - i], .budget = UINT64_MAX};
        e->tail = &e->inbox;
    }
    p->ends[0].shows_up = true;
    p->ends[0].key = *listening_key;
    p->ends[1].key = *dialled_key;
    *dialled = &p->ends[0].link;
    *listening = &p->ends[1].link;
    *out = p;
}

void pipe_set_invite(struct pipe *p, bool invite)
{
    p->invite = invite;
}

void pipe_cut(struct pipe *p)
{
    p->cut = true;
}

static void lose_frames(struct end *e)
{
    while (e->inbox) {
        struct frame *f = e->inbox;
        e->inbox = f->next;
        buf_clear(&f->bytes);
        free(f);
    }
    e->tail = &e->inbox;
}

void pipe_redial(struct pipe *p)
{
    p->handle++;
    p->ends[0].up = false;
    for (size_t i = 0; i < 2; i++) {
        lose_frames(&p->ends[i]);
        p->ends[i].budget = UINT64_MAX;
    }
}

void pipe_fill(struct pipe *p, unsigned count)
{
    p->full = count;
}

void pipe_frames(struct pipe *p, uint64_t frames)
{
    p->frames_left = frames;
}

uint64_t pipe_frames_passed(const struct pipe *p)
{
    return p->frames;
}

void pipe_budget(struct pipe *p, uint64_t bytes)
{
    for (size_t i = 0; i < 2; i++) p->ends[i].budget = bytes;
}

void pipe_hold(struct pipe *p, bool held)
{
    p->held = held;
}

void pipe_inject(struct pipe *p, struct slice frame)
{
    put(&p->ends[1], frame);
}

void pipe_close(struct pipe *p)
{
    for (size_t i = 0; i < 2; i++) {
        struct end *e = &p->ends[i];
        lose_frames(e);
        if (e->taken) buf_clear(&e->taken->bytes);
        free(e->taken);
    }
    free(p);
}

uint64_t pipe_bytes(const struct pipe *p)
{
    return p->bytes;
}

unsigned pipe_dropped(const struct pipe *p)
{
    return p->dropped;
}
