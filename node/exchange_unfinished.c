/* Runs that were cut: what is kept of them between two sessions, as bytes of this node's own. */
#include "node/exchange_state.h"

#include <string.h>

/* [nil or [run8, run_size, bytes], [[feed8, base_seq, base8, last_seq, last8, count, frame]...]] */

static void write_incoming(struct mp_writer *w, const struct session *s)
{
    struct session_unfinished in;
    if (!session_unfinished(s, &in)) {
        mp_write_nil(w);
        return;
    }
    mp_write_array(w, 3);
    mp_write_bin(w, in.run8, sizeof in.run8);
    mp_write_uint(w, in.run_size);
    mp_write_bin(w, in.bytes.data, in.bytes.size);
}

static void write_point(struct mp_writer *w, const struct want_point *p)
{
    mp_write_uint(w, p->seq);
    mp_write_bin(w, p->id8, sizeof p->id8);
}

void unfinished_write(struct buf *out, const struct session *s)
{
    struct session_unfinished in;
    struct session_outgoing run;
    size_t count = 0;
    buf_reset(out);
    while (session_outgoing(s, count, &run)) count++;
    if (!count && !session_unfinished(s, &in)) return;
    struct mp_writer w = {out};
    mp_write_array(&w, 2);
    write_incoming(&w, s);
    mp_write_array(&w, count);
    for (size_t i = 0; session_outgoing(s, i, &run); i++) {
        mp_write_array(&w, 7);
        mp_write_bin(&w, run.id8, sizeof run.id8);
        write_point(&w, &run.base);
        write_point(&w, &run.last);
        mp_write_uint(&w, run.count);
        mp_write_bin(&w, run.frame.data, run.frame.size);
    }
}

static void read_point(struct mp_reader *r, struct want_point *p)
{
    p->seq = mp_read_uint(r, FRAME_UINT_MAX);
    mp_read_bin_exact(r, p->id8, sizeof p->id8);
}

static void read_outgoing(struct mp_reader *r, struct session_outgoing *run)
{
    if (mp_read_array(r, 7) != 7 && !r->err) r->err = ERR_MALFORMED;
    mp_read_bin_exact(r, run->id8, sizeof run->id8);
    read_point(r, &run->base);
    read_point(r, &run->last);
    run->count = (uint32_t)mp_read_uint(r, RUN_EVENTS_MAX);
    run->frame = mp_read_bin(r, FRAME_SIZE_MAX);
}

void unfinished_read(struct slice bytes, struct session_memory *memory,
                     struct session_outgoing outgoing[OUTGOING_MAX])
{
    struct session_unfinished in = {0};
    struct mp_reader r = mp_reader_of(bytes);
    size_t count = 0;
    if (!bytes.size || mp_scan_whole(bytes) || mp_read_array(&r, 2) != 2) return;
    if (!mp_read_nil(&r) && mp_read_array(&r, 3) == 3) {
        mp_read_bin_exact(&r, in.run8, sizeof in.run8);
        in.run_size = mp_read_uint(&r, FRAME_SIZE_MAX);
        in.bytes = mp_read_bin(&r, FRAME_SIZE_MAX);
    }
    count = mp_read_array(&r, OUTGOING_MAX);
    for (size_t i = 0; i < count && !r.err; i++) read_outgoing(&r, &outgoing[i]);
    if (r.err) return; /* begun anew: nothing is lost but bytes */
    memory->unfinished = in;
    memory->outgoing = outgoing;
    memory->outgoing_count = count;
}
