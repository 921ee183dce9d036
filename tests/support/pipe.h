#pragma once
/*
 * Two links joined in memory, for tests: what one sends the other takes, in order, until it is cut.
 * Each end proves a transport key as a real link would, and counts the bytes of its frames.
 */
#include "node/link/link.h"

struct pipe;
/* `dialled` is the connecting end, `listening` the other; each shows the other's key. */
void pipe_open(struct pipe **out, struct link **dialled, const struct box_key *dialled_key,
               struct link **listening, const struct box_key *listening_key);
/* The dialled end's key is an open invite's. */
void pipe_set_invite(struct pipe *p, bool invite);
/* What is on its way is lost; both ends get LINK_DOWN. */
void pipe_cut(struct pipe *p);
/* The dialled end makes a new connection in place of the old; of the end of that one, and of what
 * was on its way in it, nobody is told. */
void pipe_redial(struct pipe *p);
/* The next `count` sends get ERR_AGAIN. */
void pipe_fill(struct pipe *p, unsigned count);
/* Each end sends so many bytes from now on; the frame that goes beyond and all after are lost. */
void pipe_budget(struct pipe *p, uint64_t bytes);
/* The same for frames, both ends together. */
void pipe_frames(struct pipe *p, uint64_t frames);
uint64_t pipe_frames_passed(const struct pipe *p);
/* While it is held, the dialled end is given nothing: what comes waits. */
void pipe_hold(struct pipe *p, bool held);
/* Puts a frame in as if the dialled end had sent it. */
void pipe_inject(struct pipe *p, struct slice frame);
/* How often an end was told to drop the other; nothing more comes of it. */
unsigned pipe_dropped(const struct pipe *p);
/* Frees both ends. */
void pipe_close(struct pipe *p);
uint64_t pipe_bytes(const struct pipe *p);
