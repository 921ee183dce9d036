#include "tests/sim/wire.h"

#include <stdlib.h>

struct wire_frame {
    struct wire_frame *next;
    size_t size;
    struct buf bytes;
};

void wire_init(struct wire *w, const struct link_options *options, uint64_t seed)
{
    *w = (struct wire){0};
    link_model_init(&w->link, options, seed);
}

void wire_clear(struct wire *w)
{
    while (w->first != NULL) {
        struct wire_frame *f = w->first;
        w->first = f->next;
        buf_clear(&f->bytes);
        free(f);
    }
    link_model_clear(&w->link);
    *w = (struct wire){.link = w->link};
}

size_t wire_size(size_t frame_size)
{
    size_t sealed =
        frame_size + 33; /* nonce, flags and authenticator of CURVE, its command's name */
    return sealed + (sealed > 255 ? 9 : 2);
}

static void push(struct wire *w, uint64_t now_us)
{
    while (w->pushing != NULL) {
        struct wire_frame *f = w->pushing;
        w->pushed += link_model_push(&w->link, now_us, 0, f->size - w->pushed);
        if (w->pushed < f->size) return;
        w->pushing = f->next;
        w->pushed = 0;
        w->waiting--;
    }
}

void wire_send(struct wire *w, uint64_t now_us, size_t size, struct buf *bytes)
{
    struct wire_frame *f = calloc(1, sizeof *f);
    if (f == NULL) abort();
    *f = (struct wire_frame){.size = size, .bytes = *bytes};
    *bytes = (struct buf){0};
    if (w->first == NULL)
        w->first = f;
    else
        w->last->next = f;
    w->last = f;
    if (w->pushing == NULL) w->pushing = f;
    w->waiting++;
    push(w, now_us);
}

bool wire_next(struct wire *w, uint64_t now_us, struct buf *bytes)
{
    struct link_segment segment;
    while (link_model_pull(&w->link, now_us, &segment)) {
        struct wire_frame *f = w->first;
        w->arrived += segment.size;
        push(w, now_us);
        if (w->arrived < f->size) continue;
        w->first = f->next;
        w->arrived = 0;
        *bytes = f->bytes;
        free(f);
        return true;
    }
    return false;
}
