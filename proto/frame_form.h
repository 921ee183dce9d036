#pragma once
/* What the readers and writers of frames share; used by proto/frame*.c alone. Readers latch their
 * error in the reader, writers in the buffer. */
#include "proto/frame.h"

/* Opens a frame of which `count` elements are known, the type among them; what follows belongs to
 * later versions. */
struct mp_reader frame_open(struct slice frame, enum frame_type type, size_t count);
void frame_require(struct mp_reader *r, bool holds);
enum err frame_error(const struct mp_reader *r);
struct mp_writer frame_start(struct buf *out, enum frame_type type, size_t count);
/* `start`: size of the buffer before the frame. */
void frame_finish(struct buf *out, size_t start);
bool frame_read_optional8(struct mp_reader *r, uint8_t out8[8]);
void frame_write_optional8(struct mp_writer *w, bool has, const uint8_t bytes8[8]);
void frame_read_feed(struct mp_reader *r, struct feed_ref *out);
void frame_write_feed(struct mp_writer *w, const struct feed_ref *f);
void frame_read_tuple(struct mp_reader *r, size_t count);
uint64_t frame_read_seq(struct mp_reader *r); /* numbers of events start at 1 */
