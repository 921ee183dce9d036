#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/line.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool line_admit(void *state, const struct box_key *key)
{
    struct line *l = state;
    return !l->stranger && box_key_equal(key, &l->ends[CALLER].key);
}

void line_prepare(struct line *l)
{
    *l = (struct line){.now_ms = 1000, .cut_at = {UINT64_MAX, UINT64_MAX}};
    for (int i = 0; i < ENDS; i++) {
        box_pair_make(&l->ends[i].key, &l->ends[i].secret);
        l->township[i] = (struct sign_key){{3}};
    }
}

void line_open(struct line *l)
{
    for (int i = 0; i < ENDS; i++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        l->ends[i].fd = fds[0];
        l->far[i] = fds[1];
        struct pipe_keys keys[2] = {l->more};
        size_t count = i == CALLER && l->has_more;
        keys[count++] = (struct pipe_keys){
            .peer = l->ends[CALLED].key, .own = l->ends[i].key, .secret = l->ends[i].secret};
        const struct pipe_link_options options = {.in = fds[0],
                                                  .out = fds[0],
                                                  .township = l->township[i],
                                                  .calling = i == CALLER,
                                                  .keys = keys,
                                                  .key_count = count,
                                                  .admit = line_admit,
                                                  .state = l};
        assert_int_equal(pipe_link_open(&l->ends[i].link, &options), OK);
    }
}

void line_close(struct line *l)
{
    for (int i = 0; i < ENDS; i++) {
        l->ends[i].link->ops->close(l->ends[i].link);
        buf_clear(&l->ends[i].last);
        close(l->ends[i].fd);
        if (l->far[i] >= 0) close(l->far[i]);
    }
}

void line_put(int fd, const void *bytes, size_t size)
{
    if (size) assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

static void noisy_put(struct line *l, int fd, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];
        uint64_t what = rng_below(l->noise, 3 * (uint64_t)l->noise_each);
        if (what == 0) continue;
        if (what == 1) byte ^= (uint8_t)(1 + rng_below(l->noise, 255));
        line_put(fd, &byte, 1);
        byte = (uint8_t)rng_next(l->noise);
        if (what == 2) line_put(fd, &byte, 1);
    }
}

bool line_pass(struct line *l, int from)
{
    uint8_t bytes[1000];
    ssize_t got = read(l->far[from], bytes, sizeof bytes);
    if (got <= 0) return false;
    size_t size = (size_t)got;
    int to = l->far[ENDS - 1 - from];
    uint64_t cut = l->cut_at[from] - l->passed[from]; /* wraps where it is behind */
    l->passed[from] += size;
    if (l->noise) {
        noisy_put(l, to, bytes, size);
    } else if (cut < size) {
        line_put(to, bytes, cut);
        line_put(to, bytes + cut + 1, size - cut - 1);
    } else {
        line_put(to, bytes, size);
    }
    return true;
}

void line_take(struct line *l, struct end *e)
{
    struct link_event event;
    pipe_link_tick(e->link, l->now_ms);
    while (e->link->ops->next(e->link, &event)) {
        if (event.type == LINK_UP) {
            e->ups++;
            e->peer = event.peer;
            assert_true(
                box_key_equal(&event.key, &l->ends[e == &l->ends[CALLER] ? CALLED : CALLER].key));
        } else if (event.type == LINK_DOWN) {
            assert_int_equal(event.peer, e->peer);
            assert_non_null(event.text);
            e->downs++;
            e->why = event.err;
        } else {
            assert_int_equal(event.peer, e->peer);
            assert_int_equal(e->ups, e->downs + 1);
            e->frames++;
            buf_reset(&e->last);
            buf_append_slice(&e->last, event.frame);
        }
    }
}

void line_settle(struct line *l)
{
    for (int still = 0; still < 2; still++) { /* what came may make an end say something */
        for (int i = 0; i < ENDS; i++) line_take(l, &l->ends[i]);
        bool moved = line_pass(l, CALLER);
        moved |= line_pass(l, CALLED);
        if (moved) still = -1;
    }
}

enum err line_say(struct line *l, int from, const void *bytes, size_t size)
{
    struct end *e = &l->ends[from];
    return e->link->ops->send(e->link, e->peer, slice_of(bytes, size));
}

void line_meet(struct line *l)
{
    line_settle(l);
    assert_int_equal(line_say(l, CALLER, "hello", 5), OK);
    line_settle(l);
    assert_int_equal(l->ends[CALLED].frames, 1);
}

unsigned line_talk(struct line *l, unsigned rounds)
{
    unsigned heard = 0;
    for (unsigned round = 0; round < rounds && heard < 2; round++) {
        unsigned before[ENDS] = {l->ends[CALLER].frames, l->ends[CALLED].frames};
        line_settle(l);
        (void)line_say(l, CALLER, "to the one that was called", 26);
        line_settle(l);
        (void)line_say(l, CALLED, "to the one that calls", 21);
        line_settle(l);
        heard = 0;
        for (int i = 0; i < ENDS; i++) heard += l->ends[i].frames > before[i];
        l->now_ms += 1000;
    }
    return heard;
}
