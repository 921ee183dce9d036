#include "tools/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"

enum { BLOCK_SIZE = 1 << 18 };
_Static_assert(BLOCK_SIZE >= LINE_SIZE_MAX, "a line fits two blocks");

struct lines lines_of(int fd)
{
    return (struct lines){.fd = fd, .block = {.size_max = 2 * BLOCK_SIZE}};
}

void lines_clear(struct lines *l)
{
    buf_clear(&l->block);
}

static const uint8_t *line_end(const struct lines *l)
{
    size_t left = l->block.size - l->start;
    return left > 0 ? memchr(l->block.data + l->start, '\n', left) : NULL;
}

/* Moves what is left to the front and reads another block behind it. */
static bool fill(struct lines *l)
{
    size_t left = l->block.size - l->start;
    if (left > 0 && l->start > 0) {
        memmove(l->block.data, l->block.data + l->start, left);
    }
    l->block.size = left;
    l->start = 0;
    uint8_t *room = buf_reserve(&l->block, BLOCK_SIZE);
    if (room == NULL) {
        errno = ENOMEM;
        return false;
    }
    ssize_t got;
    do {
        got = read(l->fd, room, BLOCK_SIZE);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return false;
    }
    l->ended = got == 0;
    buf_advance(&l->block, (size_t)got);
    return true;
}

enum lines_result lines_next(struct lines *l, struct slice *line)
{
    bool too_long = false;
    const uint8_t *end;
    while ((end = line_end(l)) == NULL && !l->ended) {
        if (l->block.size - l->start > LINE_SIZE_MAX) {
            too_long = true;
            l->start = l->block.size;
        }
        if (!fill(l)) {
            return LINES_FAILED;
        }
    }
    size_t size = end != NULL ? (size_t)(end - l->block.data) - l->start : l->block.size - l->start;
    if (end == NULL && size == 0 && !too_long) {
        return LINES_END;
    }
    l->number++;
    *line = (struct slice){l->block.data + l->start, size};
    l->start += size + (end != NULL);
    if (line->size > 0 && line->data[line->size - 1] == '\r') {
        line->size--;
    }
    return too_long || size > LINE_SIZE_MAX ? LINES_TOO_LONG : LINES_NEXT;
}

bool lines_would_wait(const struct lines *l, int longer_than_ms)
{
    if (l->ended || line_end(l) != NULL) {
        return false;
    }
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    return poll(&p, 1, longer_than_ms) == 0;
}
