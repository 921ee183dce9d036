#include "node/side_file.h"

#include "common/file.h"
#include "common/limits.h"
#include "proto/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIDE_MAGIC "sidan-s1"
#define DIGEST_SIZE 16u
#define HEAD_SIZE (8 + 4 + DIGEST_SIZE)
#define FIXED_SIZE (8 + 8 + 8 + MACHINE_SIZE + 4)
#define ROW_SIZE 24u
enum { LOCK_TRIES = 500, LOCK_WAIT_NS = 2 * 1000 * 1000 };

_Static_assert(HEAD_SIZE + FIXED_SIZE + SIDE_ROWS_MAX * ROW_SIZE <= SIDE_SLOT_SIZE,
               "all rows fit into a slot");

void side_file_clear(struct side_file *s)
{
    free(s->rows);
    *s = (struct side_file){0};
}

enum err side_file_put(struct side_file *s, const struct side_row *row)
{
    size_t at = 0;
    while (at < s->row_count && memcmp(s->rows[at].feed8, row->feed8, 8) != 0) at++;
    if (at == SIDE_ROWS_MAX) return OK;
    if (at == s->row_capacity) {
        size_t capacity = s->row_capacity ? 2 * s->row_capacity : 16;
        struct side_row *rows = realloc(s->rows, capacity * sizeof *rows);
        if (!rows) return ERR_NOMEM;
        s->rows = rows;
        s->row_capacity = capacity;
    }
    if (at == s->row_count) s->rows[s->row_count++] = (struct side_row){.seq = 0};
    if (row->seq > s->rows[at].seq) s->rows[at] = *row;
    return OK;
}

/* --- one slot --- */

static void digest_of(uint8_t out[DIGEST_SIZE], struct slice content)
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_SIDE, content);
    memcpy(out, h.bytes, DIGEST_SIZE);
}

static void encode(struct buf *out, const struct side_file *s)
{
    uint8_t number[8], machine[MACHINE_SIZE];
    be64_put(number, s->counter);
    buf_append(out, number, 8);
    be64_put(number, s->life);
    buf_append(out, number, 8);
    buf_append(out, s->generation, 8);
    machine_write(machine, &s->machine);
    buf_append(out, machine, sizeof machine);
    be32_put(number, (uint32_t)s->row_count);
    buf_append(out, number, 4);
    for (size_t i = 0; i < s->row_count; i++) {
        buf_append(out, s->rows[i].feed8, 8);
        be64_put(number, s->rows[i].seq);
        buf_append(out, number, 8);
        buf_append(out, s->rows[i].id8, 8);
    }
}

static enum err decode(struct side_file *out, struct slice content)
{
    const uint8_t *at = content.data;
    if (content.size < FIXED_SIZE) return ERR_CORRUPT;
    struct side_file s = {.counter = be64_get(at), .life = be64_get(at + 8)};
    memcpy(s.generation, at + 16, 8);
    machine_parse(&s.machine, at + 24);
    at += FIXED_SIZE;
    size_t count = be32_get(at - 4);
    if (count > SIDE_ROWS_MAX || content.size != FIXED_SIZE + count * ROW_SIZE) return ERR_CORRUPT;
    s.rows = calloc(count + 1, sizeof *s.rows);
    if (!s.rows) return ERR_NOMEM;
    s.row_count = count;
    s.row_capacity = count + 1;
    for (size_t i = 0; i < count; i++, at += ROW_SIZE) {
        memcpy(s.rows[i].feed8, at, 8);
        s.rows[i].seq = be64_get(at + 8);
        memcpy(s.rows[i].id8, at + 16, 8);
    }
    *out = s;
    return OK;
}

static bool read_fully(int fd, void *out, size_t size, off_t at)
{
    uint8_t *to = out;
    while (size > 0) {
        ssize_t got = pread(fd, to, size, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static enum err slot_read(struct side_file *out, int fd, unsigned slot)
{
    uint8_t head[HEAD_SIZE], digest[DIGEST_SIZE];
    const off_t at = (off_t)slot * SIDE_SLOT_SIZE;
    struct buf content = {0};
    if (!read_fully(fd, head, sizeof head, at) || memcmp(head, SIDE_MAGIC, 8) != 0)
        return ERR_CORRUPT;
    size_t size = be32_get(head + 8);
    if (size > SIDE_SLOT_SIZE - HEAD_SIZE) return ERR_CORRUPT;
    uint8_t *room = buf_reserve(&content, size);
    enum err err = room ? OK : ERR_NOMEM;
    if (!err && !read_fully(fd, room, size, at + HEAD_SIZE)) err = ERR_CORRUPT;
    if (!err) {
        buf_advance(&content, size);
        digest_of(digest, buf_slice(&content));
        err = memcmp(digest, head + 12, DIGEST_SIZE) == 0 ? decode(out, buf_slice(&content))
                                                          : ERR_CORRUPT;
    }
    buf_clear(&content);
    return err;
}

static enum err slot_write(int fd, const struct side_file *s)
{
    struct buf frame = {0}, content = {0};
    uint8_t head[HEAD_SIZE];
    encode(&content, s);
    memcpy(head, SIDE_MAGIC, 8);
    be32_put(head + 8, (uint32_t)content.size);
    digest_of(head + 12, buf_slice(&content));
    buf_append(&frame, head, sizeof head);
    buf_append_slice(&frame, buf_slice(&content));
    enum err err = content.err ? content.err : frame.err;
    const uint8_t *from = frame.data;
    size_t left = frame.size;
    off_t at = (off_t)(s->counter % 2) * SIDE_SLOT_SIZE;
    while (!err && left > 0) {
        ssize_t put = pwrite(fd, from, left, at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) err = put < 0 ? err_from_errno(errno) : ERR_IO;
        from += put > 0 ? put : 0;
        at += put > 0 ? put : 0;
        left -= put > 0 ? (size_t)put : 0;
    }
    buf_clear(&frame);
    buf_clear(&content);
    return err;
}

/* The newer of the two that are whole. */
static enum err newest(struct side_file *out, int fd)
{
    struct side_file slots[2] = {{0}, {0}};
    enum err first = slot_read(&slots[0], fd, 0), second = slot_read(&slots[1], fd, 1);
    if (first == ERR_NOMEM || second == ERR_NOMEM || (first && second)) {
        side_file_clear(&slots[0]);
        side_file_clear(&slots[1]);
        return first == ERR_NOMEM || second == ERR_NOMEM ? ERR_NOMEM : ERR_CORRUPT;
    }
    unsigned at = first || (!second && slots[1].counter > slots[0].counter);
    *out = slots[at];
    side_file_clear(&slots[1 - at]);
    return OK;
}

/* --- the file --- */

/* Whoever holds it is done in a moment, or was stopped in the midst of it: nobody waits for that.
 */
static enum err lock_soon(int fd, int operation)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, operation | LOCK_NB) == 0) return OK;
        if (errno != EWOULDBLOCK && errno != EINTR) return err_from_errno(errno);
        nanosleep(&(struct timespec){0, LOCK_WAIT_NS}, NULL);
    }
    return ERR_BUSY;
}

static enum err open_file(int *out, const char *home, int flags)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/side", home);
    if (size < 0 || (size_t)size >= sizeof path) return ERR_LIMIT;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_from_errno(errno);
    enum err err = lock_soon(fd, (flags & O_ACCMODE) == O_RDONLY ? LOCK_SH : LOCK_EX);
    if (err)
        close(fd);
    else
        *out = fd;
    return err;
}

enum err side_file_read(struct side_file *out, struct machine *now, const char *home)
{
    int fd;
    enum err err = open_file(&fd, home, O_RDONLY);
    if (err) return err;
    err = newest(out, fd);
    if (!err && now) machine_read(now, fd, home);
    close(fd);
    return err;
}

enum err side_file_start(const char *home, uint64_t life, const uint8_t generation[8])
{
    int fd;
    struct side_file before = {0}, s = {.life = life};
    enum err err = open_file(&fd, home, O_RDWR | O_CREAT);
    if (err) return err;
    if (newest(&before, fd) == OK) s.counter = before.counter + 1;
    side_file_clear(&before);
    memcpy(s.generation, generation, sizeof s.generation);
    machine_read(&s.machine, fd, home);
    /* Both, so that neither needs room on the disk later. */
    err = slot_write(fd, &s);
    s.counter++;
    if (!err) err = slot_write(fd, &s);
    if (!err && fsync(fd)) err = err_from_errno(errno);
    close(fd);
    return err ? err : file_sync_folder(home);
}

void side_file_note(const char *home, uint64_t life, const struct side_row *rows, size_t count)
{
    int fd;
    struct side_file s = {0};
    if (open_file(&fd, home, O_RDWR)) return;
    enum err err = newest(&s, fd);
    if (!err && s.life < life) { /* one that began without a start of its own */
        s.life = life;
        s.row_count = 0;
    }
    if (!err && s.life == life) {
        for (size_t i = 0; i < count && !err; i++) err = side_file_put(&s, &rows[i]);
        s.counter++;
        if (!err) err = slot_write(fd, &s);
    }
    side_file_clear(&s);
    close(fd);
}
