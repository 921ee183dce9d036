/* What is said on a pipe: calls, answers, data (SPEC 25.3 to 25.6). */
#include "node/link/pipe_link_base.h"

#define PROLOGUE "sidan/pipe/1"
#define CALL_NAME_SIZE 8       /* the first bytes of a call, by which AGAIN names it */
#define WAIT_FIRST_MS 2000u    /* then the same call is sent once more, later and later */
#define WAIT_ANSWERED_MS 4000u /* for the first words of who called; then a call is asked for */
#define WAIT_MAX_MS 15000u
#define PAUSE_FIRST_MS 100u /* between two calls where the one before came to nothing */
#define PAUSE_MAX_MS 5000u
#define AGAIN_FIRST_MS 2000u /* between two AGAINs that nobody heard */

enum { ADMITTED, DENIED };             /* what an answer says */
enum { AGAIN_LOST, AGAIN_NOT_FOR_US }; /* why AGAIN */

/* --- going down ---------------------------------------------------------------------------- */

static void queue_packet(struct pipe_link *p, enum packet_type type, struct slice body)
{
    packet_write(&p->queue, type, body);
}

/* A packet that is half out stays half: the zero before the next one ends it. */
void pipe_queue_forget(struct pipe_link *p)
{
    buf_reset(&p->queue);
    p->queue_at = 0;
}

/* Asks for a new call, at once and then later and later until one comes: the question may be lost
 * as well. All that is still on its way comes to it and is not answered each time. */
void pipe_ask_again(struct pipe_link *p)
{
    const uint8_t reason = AGAIN_LOST;
    queue_packet(p, PACKET_AGAIN, slice_of(&reason, 1));
    p->again_wait_ms = p->again_wait_ms ? 2 * p->again_wait_ms : AGAIN_FIRST_MS;
    if (p->again_wait_ms > WAIT_MAX_MS) p->again_wait_ms = WAIT_MAX_MS;
    p->again_ms = p->now_ms + p->again_wait_ms;
}

static void call_later(struct pipe_link *p)
{
    p->state = PIPE_CALL_DUE;
    p->call_ms = p->now_ms + p->pause_ms;
    p->pause_ms = p->pause_ms ? 2 * p->pause_ms : PAUSE_FIRST_MS;
    if (p->pause_ms > PAUSE_MAX_MS) p->pause_ms = PAUSE_MAX_MS;
}

/* Nobody is there from now on; a peer that was is told down, if it was told up. */
void pipe_leave(struct pipe_link *p)
{
    buf_reset(&p->frame);
    p->frame_due = p->frame_given = false;
    crypto_wipe(&p->sending, sizeof p->sending);
    crypto_wipe(&p->receiving, sizeof p->receiving);
    if (p->options.calling)
        call_later(p);
    else
        p->state = PIPE_QUIET;
}

static void go_down(struct pipe_link *p, enum err why, const char *text)
{
    if (p->state == PIPE_UP && !p->up_due) {
        p->down_due = true;
        p->down_peer = p->peer;
        p->why = why;
        p->text = text;
    }
    p->up_due = false;
    pipe_queue_forget(p);
    pipe_leave(p);
}

void pipe_end(struct pipe_link *p, enum err why, const char *text)
{
    if (p->state == PIPE_OVER) return;
    go_down(p, why, text);
    p->state = PIPE_OVER;
    p->why = why;
    p->text = text;
}

void pipe_lost(struct pipe_link *p)
{
    p->counts.damaged++;
    go_down(p, ERR_UNREACHABLE, N_("something was lost on the line"));
    p->again_wait_ms = 0;
    if (!p->options.calling) pipe_ask_again(p);
}

/* --- the handshake ------------------------------------------------------------------------- */

static void begin_handshake(const struct pipe_link *p, struct noise *n,
                            const struct pipe_keys *keys)
{
    uint8_t prologue[sizeof PROLOGUE - 1 + sizeof p->options.township.bytes];
    memcpy(prologue, PROLOGUE, sizeof PROLOGUE - 1);
    memcpy(prologue + sizeof PROLOGUE - 1, p->options.township.bytes,
           sizeof p->options.township.bytes);
    noise_begin(n, slice_of(prologue, sizeof prologue), &keys->own, &keys->secret,
                p->options.calling ? &keys->peer : NULL);
}

static void go_up(struct pipe_link *p, const struct noise *n)
{
    noise_split(n, &p->sending, &p->receiving);
    p->key = n->peer;
}

/* The other end has no use for this pair of keys. */
static void next_keys(struct pipe_link *p, bool denied)
{
    p->counts.denied += denied;
    p->key_at = (p->key_at + 1) % p->options.key_count;
    if (++p->keys_refused < p->options.key_count) {
        p->state = PIPE_CALL_DUE;
        p->call_ms = p->now_ms;
        return;
    }
    pipe_end(p, ERR_FORBIDDEN,
             p->counts.denied ? N_("the other end does not let this device in")
                              : N_("another device is at the other end"));
}

void pipe_call(struct pipe_link *p)
{
    struct buf message = {0};
    begin_handshake(p, &p->handshake, &p->keys[p->key_at]);
    if (noise_call_write(&p->handshake, &message, SLICE_EMPTY) || message.size != PIPE_CALL_SIZE) {
        buf_clear(&message);
        next_keys(p, false); /* a key that is no point */
        return;
    }
    memcpy(p->call, message.data, PIPE_CALL_SIZE);
    buf_clear(&message);
    queue_packet(p, PACKET_CALL, slice_of(p->call, PIPE_CALL_SIZE));
    p->state = PIPE_CALLED;
    p->wait_ms = WAIT_FIRST_MS;
    p->call_ms = p->now_ms + p->wait_ms;
}

/* It may have been lost, and so may the answer; to the same call there is one answer. */
void pipe_call_once_more(struct pipe_link *p)
{
    queue_packet(p, PACKET_CALL, slice_of(p->call, PIPE_CALL_SIZE));
    p->wait_ms = 2 * p->wait_ms < WAIT_MAX_MS ? 2 * p->wait_ms : WAIT_MAX_MS;
    p->call_ms = p->now_ms + p->wait_ms;
}

static bool open_call(const struct pipe_link *p, struct noise *n, struct slice message)
{
    struct buf payload = {0};
    bool opened = false;
    for (size_t i = 0; !opened && i < p->options.key_count; i++) {
        begin_handshake(p, n, &p->keys[i]);
        opened = noise_call_read(n, &payload, message) == OK;
    }
    buf_clear(&payload);
    return opened;
}

static void refuse_call(struct pipe_link *p, struct slice message)
{
    uint8_t body[1 + CALL_NAME_SIZE] = {AGAIN_NOT_FOR_US};
    memcpy(body + 1, message.data, CALL_NAME_SIZE);
    p->counts.for_others++;
    queue_packet(p, PACKET_AGAIN, slice_of(body, sizeof body));
}

static void answer_call(struct pipe_link *p, struct noise *n, struct slice message)
{
    const uint8_t says = p->options.admit(p->options.state, &n->peer) ? ADMITTED : DENIED;
    struct buf answer = {0};
    if (noise_answer_write(n, &answer, slice_of(&says, 1))) {
        buf_clear(&answer);
        return;
    }
    if (says == DENIED) {
        p->counts.denied++;
        queue_packet(p, PACKET_ANSWER, buf_slice(&answer));
        buf_clear(&answer);
        return;
    }
    if (p->state == PIPE_UP) go_down(p, ERR_UNREACHABLE, N_("the peer calls anew"));
    go_up(p, n);
    p->state = PIPE_ANSWERED;
    p->again_wait_ms = 0;
    p->wait_ms = p->wait_ms ? 2 * p->wait_ms : WAIT_ANSWERED_MS;
    if (p->wait_ms > WAIT_MAX_MS) p->wait_ms = WAIT_MAX_MS;
    p->call_ms = p->now_ms + p->wait_ms;
    buf_clear(&p->answer);
    p->answer = answer;
    memcpy(p->call, message.data, PIPE_CALL_SIZE);
    p->call_used = false;
    queue_packet(p, PACKET_ANSWER, buf_slice(&p->answer));
}

static void take_call(struct pipe_link *p, struct slice message)
{
    struct noise n;
    if (message.size != PIPE_CALL_SIZE) return;
    bool same = memcmp(message.data, p->call, PIPE_CALL_SIZE) == 0;
    if (same && p->call_used) return; /* late, or played back */
    if (same && p->state == PIPE_ANSWERED)
        queue_packet(p, PACKET_ANSWER, buf_slice(&p->answer));
    else if (open_call(p, &n, message))
        answer_call(p, &n, message);
    else
        refuse_call(p, message);
    crypto_wipe(&n, sizeof n);
}

static void take_answer(struct pipe_link *p, struct slice message)
{
    struct noise n = p->handshake;
    struct buf says = {0};
    enum err err = noise_answer_read(&n, &says, message);
    if (!err && says.size == 1 && says.data[0] == ADMITTED) {
        go_up(p, &n);
        p->state = PIPE_UP;
        p->peer++;
        p->counts.met++;
        p->keys_refused = 0;
        p->up_due = true;
    } else if (!err) {
        next_keys(p, true);
    } else {
        p->counts.skipped++;
    }
    buf_clear(&says);
    crypto_wipe(&n, sizeof n);
}

static void take_again(struct pipe_link *p, struct slice body)
{
    if (p->state == PIPE_UP && body.size == 1) {
        p->counts.damaged++;
        go_down(p, ERR_UNREACHABLE, N_("something was lost on the line"));
    } else if (p->state == PIPE_CALLED && body.size == 1 + CALL_NAME_SIZE &&
               body.data[0] == AGAIN_NOT_FOR_US &&
               !memcmp(body.data + 1, p->call, CALL_NAME_SIZE)) {
        next_keys(p, false);
    }
}

/* --- data ---------------------------------------------------------------------------------- */

/* The first that opens shows that who called is there now. */
static void confirm(struct pipe_link *p)
{
    if (p->state == PIPE_UP) return;
    p->state = PIPE_UP;
    p->peer++;
    p->counts.met++;
    p->call_used = true;
    p->wait_ms = 0;
    p->up_due = true;
}

static void take_data(struct pipe_link *p, struct slice sealed)
{
    struct buf part = {0};
    if (p->state != PIPE_UP && p->state != PIPE_ANSWERED) {
        if (p->state == PIPE_QUIET && !p->again_wait_ms) pipe_ask_again(p);
        return;
    }
    enum err err = noise_open(&p->receiving, &part, sealed);
    bool formed = !err && part.size && part.data[0] <= PIPE_LAST_PART;
    bool fits = formed && p->frame.size + part.size - 1 <= FRAME_SIZE_MAX;
    bool last = formed && part.data[0] == PIPE_LAST_PART;
    if (!fits) {
        pipe_lost(p);
    } else {
        confirm(p);
        buf_append(&p->frame, part.data + 1, part.size - 1);
        p->pause_ms = 0;
        p->frame_due = last && p->frame.size;
        if (p->frame.err) pipe_end(p, ERR_NOMEM, "out of memory");
    }
    buf_clear(&part);
}

void pipe_take_packet(struct pipe_link *p, const struct packet *packet)
{
    bool calling = p->options.calling;
    if (packet->type == PACKET_DATA)
        take_data(p, packet->body);
    else if (packet->type == PACKET_CALL && !calling)
        take_call(p, packet->body);
    else if (packet->type == PACKET_ANSWER && calling && p->state == PIPE_CALLED)
        take_answer(p, packet->body);
    else if (packet->type == PACKET_AGAIN && calling)
        take_again(p, packet->body);
}
