/*
 * Runs in pieces. Where a RUN frame may not fit between two cuts of the link it goes as PIECE
 * frames, one after the other; the receiver keeps what came, tells in its next HELLO how much that
 * is, and the sender goes on from there. So a cut costs at most the piece that it cut.
 */
#include "node/sync/state.h"

#include <string.h>

#define PIECE_SIZE_MIN 512u
#define PIECE_SIZE_MAX KIB(4)
#define PIECE_SIZE_UNPROVEN KIB(2) /* at most, before an answer in this session */

/* --- sending --- */

/* About a second and a half of the link; less while no answer in this session says that the link is
 * what it was. After a cut an eighth of what passed before it, and more with what was sent since,
 * so that a link that is cut all the time still gets pieces across. */
static size_t piece_size(const struct session *s)
{
    const struct session_memory *memory = &s->options.memory;
    if (session_is_fast(s)) return FRAME_SIZE_MAX;
    uint64_t size = s->rate_bps ? s->rate_bps * 3 / 16 : PIECE_SIZE_UNPROVEN;
    if (!s->answered && size > PIECE_SIZE_UNPROVEN) size = PIECE_SIZE_UNPROVEN;
    if (memory->cut) {
        uint64_t passed = memory->cut_bytes / 8, sent = s->run_bytes_sent / 2;
        uint64_t most = passed > sent ? passed : sent;
        if (size > most) size = most;
    }
    if (size < PIECE_SIZE_MIN) return PIECE_SIZE_MIN;
    return size > PIECE_SIZE_MAX ? PIECE_SIZE_MAX : (size_t)size;
}

/* The next piece of what is left: the last one may be half as long again. */
static size_t next_piece(const struct session *s, size_t left)
{
    size_t size = piece_size(s);
    return left <= size + size / 2 ? left : size;
}

static void outgoing_drop(struct session *s, size_t i)
{
    buf_clear(&s->outgoing[i].frame);
    s->outgoing_count--;
    memmove(&s->outgoing[i], &s->outgoing[i + 1], (s->outgoing_count - i) * sizeof s->outgoing[0]);
}

/* Sends the frame from `offset` on; gives the bytes of its PIECE frames. */
static size_t send_pieces(struct session *s, struct slice frame, size_t offset)
{
    size_t sent = 0;
    struct frame_piece piece = {.run_size = frame.size};
    frame_piece_name(piece.run8, frame);
    while (offset < frame.size && !s->ended) {
        size_t size = next_piece(s, frame.size - offset);
        piece.offset = offset;
        piece.bytes = slice_of(frame.data + offset, size);
        struct buf out = {0};
        frame_piece_write(&out, &piece);
        sent += out.size;
        s->run_bytes_sent += out.size;
        session_send(s, &out);
        offset += size;
    }
    return sent;
}

size_t session_send_run(struct session *s, const struct session_outgoing *run, struct buf *frame)
{
    size_t size = frame->size;
    /* Pieces of one run end what the peer may hold of another, so they wait for its HELLO. */
    bool whole = !s->greeted && s->outgoing_count && s->outgoing[0].recalled;
    if (frame->err || whole || next_piece(s, size) == size) {
        s->run_bytes_sent += size;
        session_send(s, frame);
        return size;
    }
    if (s->outgoing_count == OUTGOING_MAX) outgoing_drop(s, 0);
    struct outgoing *o = &s->outgoing[s->outgoing_count++];
    *o = (struct outgoing){.run = *run, .frame = *frame};
    *frame = (struct buf){0};
    o->run.frame = buf_slice(&o->frame);
    return send_pieces(s, o->run.frame, 0);
}

void session_outgoing_answered(struct session *s, const uint8_t id8[8], uint64_t seq)
{
    for (size_t i = s->outgoing_count; i > 0; i--) {
        const struct session_outgoing *run = &s->outgoing[i - 1].run;
        if (memcmp(run->id8, id8, sizeof run->id8) == 0 && run->last.seq <= seq)
            outgoing_drop(s, i - 1);
    }
}

bool session_outgoing_load(struct session *s, const struct session_memory *memory)
{
    for (size_t i = 0; i < memory->outgoing_count && i < OUTGOING_MAX; i++) {
        const struct session_outgoing *from = &memory->outgoing[i];
        struct track *t = tracks_find(&s->tracks, from->id8);
        if (!t || !t->held) continue; /* it may not go to this peer any more */
        struct outgoing *o = &s->outgoing[s->outgoing_count++];
        *o = (struct outgoing){.run = *from, .recalled = true};
        buf_append_slice(&o->frame, from->frame);
        if (o->frame.err) return false;
        o->run.frame = buf_slice(&o->frame);
        t->resuming = true;
    }
    return true;
}

void session_resume(struct session *s, const struct frame_hello *hello)
{
    bool resumed = false; /* the peer holds the beginning of one: no second copy of it */
    for (size_t i = 0; i < s->tracks.count; i++) s->tracks.rows[i]->resuming = false;
    for (size_t i = s->outgoing_count; i > 0; i--) {
        if (!s->outgoing[i - 1].recalled) continue; /* sent in this session, before HELLO came */
        s->outgoing[i - 1].recalled = false;
        const struct session_outgoing *run = &s->outgoing[i - 1].run;
        struct track *t = tracks_find(&s->tracks, run->id8);
        uint8_t name8[8];
        frame_piece_name(name8, run->frame);
        bool goes_on = !resumed && hello->has_unfinished && !memcmp(name8, hello->unfinished8, 8) &&
                       hello->unfinished_size < run->frame.size &&
                       points_top(&t->confirmed) < run->last.seq && !session_waits(s, t);
        if (!goes_on) {
            outgoing_drop(s, i - 1);
            continue;
        }
        resumed = true;
        points_add(&t->sent, &run->last, &run->base);
        uint64_t frames = s->sent_frames;
        size_t size = send_pieces(s, run->frame, hello->unfinished_size);
        session_flight_begin(s, t, run, size, s->sent_frames - frames);
    }
}

bool session_outgoing(const struct session *s, size_t i, struct session_outgoing *out)
{
    if (i >= s->outgoing_count) return false;
    *out = s->outgoing[i].run;
    return true;
}

/* --- receiving --- */

/* What came of a run that will not be finished counts as answered: it must not eat the credit. */
static void incoming_begin(struct session *s, const struct frame_piece *piece)
{
    s->run_bytes_answered += s->incoming.wire_bytes;
    buf_reset(&s->incoming.bytes);
    memcpy(s->incoming.run8, piece->run8, sizeof s->incoming.run8);
    s->incoming.run_size = piece->run_size;
    s->incoming.wire_bytes = s->incoming.wire_frames = 0;
    s->incoming.done = false;
}

bool session_unfinished(const struct session *s, struct session_unfinished *out)
{
    const struct incoming *in = &s->incoming;
    if (in->done || !in->bytes.size) return false;
    *out = (struct session_unfinished){.run_size = in->run_size, .bytes = buf_slice(&in->bytes)};
    memcpy(out->run8, in->run8, sizeof out->run8);
    return true;
}

bool session_unfinished_load(struct session *s, const struct session_unfinished *from)
{
    if (!from->bytes.size || from->bytes.size >= from->run_size) return true;
    memcpy(s->incoming.run8, from->run8, sizeof s->incoming.run8);
    s->incoming.run_size = from->run_size;
    buf_append_slice(&s->incoming.bytes, from->bytes);
    return !s->incoming.bytes.err;
}

static void take_assembled(struct session *s)
{
    struct incoming *in = &s->incoming;
    uint8_t name8[8];
    uint64_t type;
    struct slice frame = buf_slice(&in->bytes);
    frame_piece_name(name8, frame);
    uint64_t wire_bytes = in->wire_bytes, wire_frames = in->wire_frames;
    in->wire_bytes = in->wire_frames = 0;
    in->done = true; /* its bytes stay until the next piece: STORE borrows from them */
    if (memcmp(name8, in->run8, sizeof name8) != 0) {
        /* What was kept of it was damaged: the next session begins it anew. */
        s->run_bytes_answered += wire_bytes;
        session_finish(s);
    } else if (frame_type_of(frame, &type) != OK || type != FRAME_RUN) {
        session_refuse(s, REFUSE_MALFORMED, "pieces that make no RUN");
    } else {
        session_take_run(s, frame, wire_bytes, wire_frames);
    }
}

void session_take_piece(struct session *s, struct slice frame)
{
    struct frame_piece piece;
    enum err err = frame_piece_read(&piece, frame);
    if (err) {
        session_refuse_frame(s, err, "PIECE malformed or over a limit");
        return;
    }
    struct incoming *in = &s->incoming;
    bool other = in->done || memcmp(in->run8, piece.run8, sizeof in->run8) != 0;
    if ((other || !piece.offset) && !session_may_take_run(s)) return;
    if (other) incoming_begin(s, &piece);
    s->run_bytes_received += frame.size;
    in->wire_bytes += frame.size;
    in->wire_frames++;
    if (piece.run_size != in->run_size || piece.offset > in->bytes.size) {
        session_refuse(s, REFUSE_MALFORMED, "a piece that does not continue what came before");
        return;
    }
    size_t known = in->bytes.size - piece.offset;
    if (known < piece.bytes.size)
        buf_append(&in->bytes, piece.bytes.data + known, piece.bytes.size - known);
    else if (++s->runs_wasted > RUNS_WASTED_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many pieces that bring nothing");
        return;
    }
    if (in->bytes.err) {
        session_end(s, 0, false, "out of memory");
        return;
    }
    if (in->bytes.size == in->run_size) take_assembled(s);
}
