/* Streams that somebody changed. The first byte chooses: bytes behind a header as they came, which
 * this key never sealed; or a content that goes in and comes out in pieces, and is refused once a
 * byte of its file is another.
 */
#define _GNU_SOURCE /* memfd_create */
#include "common/limits.h"
#include "proto/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct secret_key key = {{7}};
static int file = -1;

static void must(bool holds)
{
    if (!holds) abort();
}

static void begin_at(off_t size)
{
    must(ftruncate(file, size) == 0 && lseek(file, 0, SEEK_SET) == 0);
}

/* To the end or to the first fault, in pieces of this size. */
static enum err read_all(struct slice content, size_t piece)
{
    static uint8_t bytes[MIB(1)];
    struct stream *s = NULL;
    must(lseek(file, 0, SEEK_SET) == 0);
    enum err err = stream_open_key(&s, file, &key);
    for (size_t at = 0; !err && at < content.size; at += piece) {
        if (piece > content.size - at) piece = content.size - at;
        err = stream_get(s, bytes, piece);
        if (!err) must(memcmp(bytes, content.data + at, piece) == 0);
    }
    if (!err) err = stream_end(s);
    stream_close(s);
    must(err == OK || err == ERR_CORRUPT);
    return err;
}

static void try_content(struct slice content, size_t piece)
{
    struct stream *s;
    uint8_t byte;
    begin_at(0);
    must(stream_begin_key(&s, file, &key) == OK);
    for (size_t at = 0; at < content.size; at += piece) {
        size_t part = piece < content.size - at ? piece : content.size - at;
        must(stream_put(s, slice_of(content.data + at, part)) == OK);
    }
    must(stream_finish(s) == OK);
    stream_close(s);
    const off_t end = lseek(file, 0, SEEK_CUR);
    must((uint64_t)end == stream_size(content.size));
    must(read_all(content, piece) == OK);
    must(read_all(content, content.size + 1) == OK);
    const off_t at = (off_t)(content.size * 31 + piece) % end;
    must(pread(file, &byte, 1, at) == 1);
    byte ^= 1;
    must(pwrite(file, &byte, 1, at) == 1 && read_all(content, piece) == ERR_CORRUPT);
    must(ftruncate(file, at) == 0 && read_all(content, piece) == ERR_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (file < 0) must(crypto_init() == OK && (file = memfd_create("fuzz", MFD_CLOEXEC)) >= 0);
    if (size < 2) return 0;
    const struct slice in = slice_of(data + 2, size - 2);
    const uint8_t choice = data[0] % 16; /* files are dear: seldom */
    if (choice == 1) {
        begin_at(0);
        must(stream_write_all(file, in.data, in.size) == OK);
        (void)read_all(slice_of(data, 1), 1); /* a content that it cannot have */
    } else if (choice == 0) {
        try_content(in, 1 + (size_t)data[1] * 257);
    }
    return 0;
}
