#pragma once
/* What the fold of a plain thing works in; made once a process, its memory is used again. */
#include "node/views/thing_past.h"

struct thing_work {
    struct thing_past past;
    struct buf base;   /* the founding body as corrected, once it was */
    struct buf over;   /* what the acts have set */
    struct buf known;  /* what one act sets */
    struct buf fields; /* both, once an act set or corrected one */
    struct buf acts;
    struct buf spare;
};
void thing_work_clear(struct thing_work *w);
