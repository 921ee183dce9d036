#pragma once
/*
 * The side file, <home>/side: where this device's own feeds stand and what a copy of the home
 * cannot keep, beside the store and not inside it. A store that lacks what the side file names was
 * put back from an older copy; a side file that is not where it was made was copied with the rest.
 *
 * It is made and synced when this device first signs, and rewritten in place after each commit
 * without a sync: behind the store it is harmless. In place, because its own inode is among what it
 * tells. Two slots are written in turn, each with its digest, so a power cut leaves the one before;
 * processes take turns by flock.
 *
 *   slot  magic 8 ‖ size be32 ‖ digest 16 ‖ content
 *   content  counter be64 ‖ life be64 ‖ generation 8 ‖ machine (machine.h) ‖ rows be32 ‖
 *            (feed id8 ‖ seq be64 ‖ id8) for each row
 */
#include "node/machine.h"

#define SIDE_SLOT_SIZE (256u * 1024)
#define SIDE_ROWS_MAX 10000u /* of more feeds the first ones are kept */

struct side_row { /* an own feed of the present life, and its newest event recorded here */
    uint8_t feed8[8];
    uint64_t seq;
    uint8_t id8[8];
};
struct side_file {
    uint64_t counter; /* of the slot; one more with each writing */
    uint64_t life;    /* node/lives.h */
    uint8_t generation[8];
    struct machine machine;
    struct side_row *rows; /* owned */
    size_t row_count, row_capacity;
};
void side_file_clear(struct side_file *s);
/* Puts or moves a row. Errors: ERR_NOMEM. */
MUST_CHECK enum err side_file_put(struct side_file *s, const struct side_row *row);

/* `now`: the machine as it is, beside what the file says. Errors: ERR_NOT_FOUND, ERR_CORRUPT (no
 * slot is whole), the system's. */
MUST_CHECK enum err side_file_read(struct side_file *out, struct machine *now, const char *home);
/* Makes the file or begins it anew, synced: life and generation are the caller's, machine is read,
 * and there are no rows. Errors: the system's. */
MUST_CHECK enum err side_file_start(const char *home, uint64_t life, const uint8_t generation[8]);
/* After a commit: these rows are added to those of `life`, or begin it where the file tells of an
 * earlier one. A file of a later life is left alone; so is one that cannot be written, for then it
 * is behind. */
void side_file_note(const char *home, uint64_t life, const struct side_row *rows, size_t count);
