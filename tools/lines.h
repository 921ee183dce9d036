#pragma once
/*
 * Lines of a file or pipe, read in large blocks with bounded memory. Lines are numbered from 1; the
 * last one may lack its line end.
 */
#include "common/bytes.h"

struct lines {
    int fd;
    uint64_t number; /* of the line last given */
    struct buf block;
    size_t start; /* of the next line in the block */
    bool ended;
};
enum lines_result {
    LINES_NEXT,     /* a line, without its end; borrowed until the next call */
    LINES_TOO_LONG, /* a line over LINE_SIZE_MAX was skipped */
    LINES_END,
    LINES_FAILED, /* errno says why */
};

struct lines lines_of(int fd);
void lines_clear(struct lines *l);
enum lines_result lines_next(struct lines *l, struct slice *line);
/* Would lines_next have to wait longer than this for a whole line? */
bool lines_would_wait(const struct lines *l, int longer_than_ms);
