/*
 * A line of a hostile writer. The first byte chooses: bytes as they came, to an end that answers or
 * one that calls; or the words of a peer that is proven, in parts as he likes. Whatever it is, what
 * comes of it is a frame of at most FRAME_SIZE_MAX, of a peer that was told up.
 */
#include "common/limits.h"
#include "node/link/packet.h"
#include "node/link/pipe_link.h"
#include "proto/noise.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWERS, CALLS, PROVEN, MODES };

static struct box_key keys[2];
static struct box_secret secrets[2];
static const struct sign_key township = {{5}};
static int near = -1, far = -1;

static void must(bool holds)
{
    if (!holds) abort();
}

static void prepare(void)
{
    int fds[2];
    must(crypto_init() == OK);
    for (int i = 0; i < 2; i++) box_pair_make(&keys[i], &secrets[i]);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    near = fds[0];
    far = fds[1];
}

static bool admit(void *state, const struct box_key *key)
{
    (void)state;
    return box_key_equal(key, &keys[1]);
}

static struct link *open_end(bool calling)
{
    struct link *l;
    const struct pipe_keys pair = {.peer = keys[1], .own = keys[0], .secret = secrets[0]};
    const struct pipe_link_options options = {.in = near,
                                              .out = near,
                                              .township = township,
                                              .calling = calling,
                                              .keys = &pair,
                                              .key_count = 1,
                                              .admit = admit};
    must(pipe_link_open(&l, &options) == OK);
    return l;
}

/* Takes what the end is told, and what it says from the line. */
static void turn(struct link *l, uint64_t now_ms, bool *up)
{
    static uint8_t said[4096];
    struct link_event event;
    pipe_link_tick(l, now_ms);
    while (l->ops->next(l, &event)) {
        must(event.type == LINK_UP ? !*up : *up);
        if (event.type == LINK_FRAME) must(event.frame.size && event.frame.size <= FRAME_SIZE_MAX);
        *up = event.type != LINK_DOWN;
    }
    must(*up == pipe_link_up(l));
    while (read(far, said, sizeof said) > 0) continue;
}

static void hear(struct link *l, struct slice bytes, uint64_t *now_ms, bool *up)
{
    while (bytes.size) {
        ssize_t put = write(far, bytes.data, bytes.size < 8192 ? bytes.size : 8192);
        must(put > 0);
        bytes = slice_of(bytes.data + put, bytes.size - (size_t)put);
        turn(l, *now_ms += 700, up);
    }
}

/* The call of who is let in; gives what he sends by. */
static void prove(struct link *l, uint64_t *now_ms, struct noise_cipher *sending)
{
    static const char name[] = "sidan/pipe/1";
    uint8_t line[512];
    struct buf prologue = {0}, message = {0}, packet = {0}, says = {0};
    struct noise_cipher receiving;
    struct packet_reader reader = {0};
    enum packet_found found;
    struct packet answer;
    struct link_event event;
    struct noise n;
    buf_append(&prologue, name, sizeof name - 1);
    buf_append(&prologue, township.bytes, sizeof township.bytes);
    noise_begin(&n, buf_slice(&prologue), &keys[1], &secrets[1], &keys[0]);
    must(noise_call_write(&n, &message, SLICE_EMPTY) == OK);
    packet_write(&packet, PACKET_CALL, buf_slice(&message));
    must(write(far, packet.data, packet.size) == (ssize_t)packet.size);
    pipe_link_tick(l, *now_ms += 10);
    must(!l->ops->next(l, &event));
    ssize_t size = read(far, line, sizeof line);
    must(size > 0);
    (void)packet_read(&reader, slice_of(line, (size_t)size), &found, &answer);
    must(found == PACKET_WHOLE && answer.type == PACKET_ANSWER);
    must(noise_answer_read(&n, &says, answer.body) == OK);
    noise_split(&n, sending, &receiving);
    buf_clear(&prologue);
    buf_clear(&message);
    buf_clear(&packet);
    buf_clear(&says);
}

/* Each part: its size in two bytes, then its content, which a well-meaning peer would begin with 0
 * or 1. */
static void speak(struct link *l, struct slice in, uint64_t *now_ms, bool *up)
{
    struct noise_cipher sending;
    prove(l, now_ms, &sending);
    while (in.size >= 2) {
        size_t size =
            (size_t)(in.data[0] << 8 | in.data[1]) % (PACKET_BODY_MAX - NOISE_TAG_SIZE + 1);
        struct buf sealed = {0}, packet = {0};
        if (size > in.size - 2) size = in.size - 2;
        must(noise_seal(&sending, &sealed, slice_of(in.data + 2, size)) == OK);
        packet_write(&packet, PACKET_DATA, buf_slice(&sealed));
        hear(l, buf_slice(&packet), now_ms, up);
        in = slice_of(in.data + 2 + size, in.size - 2 - size);
        buf_clear(&sealed);
        buf_clear(&packet);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now_ms = 1000;
    bool up = false;
    if (near < 0) prepare();
    if (!size) return 0;
    int mode = data[0] < MODES ? data[0] : data[0] % PROVEN; /* a handshake costs a while */
    struct link *l = open_end(mode == CALLS);
    turn(l, now_ms, &up);
    if (mode == PROVEN)
        speak(l, slice_of(data + 1, size - 1), &now_ms, &up);
    else
        hear(l, slice_of(data + 1, size - 1), &now_ms, &up);
    l->ops->close(l);
    return 0;
}
