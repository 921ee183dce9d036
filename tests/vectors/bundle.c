/* What a stick carries, SPEC 24. */
#define _GNU_SOURCE /* memfd_create */
#include "tests/vectors/vectors.h"

#include "proto/bundle.h"
#include "proto/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUNDLE_OUTSIDE = 103 };
enum { TRANSPORT_SECRET = 0x52, OFFICE_SECRET = 0x4f, STRANGER_SECRET = 0x53, FIRST_RANDOM = 0x31 };

/* In the order of their use: the key of the file, the one-time key of its seal, the header. */
static void next_bytes(void *state, void *out, size_t size)
{
    uint8_t *next = state;
    memset(out, (*next)++, size);
}

static struct box_key key_of(uint8_t number)
{
    struct box_secret secret;
    struct box_key key;
    memset(secret.bytes, number, sizeof secret.bytes);
    box_key_of_secret(&key, &secret);
    return key;
}

static json_t *secret_of(uint8_t number)
{
    uint8_t bytes[32];
    memset(bytes, number, sizeof bytes);
    return HEX(bytes);
}

static struct buf file_read(int fd)
{
    struct buf out = {0};
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *room = size < 0 ? NULL : buf_reserve(&out, (size_t)size);
    must(room && pread(fd, room, (size_t)size, 0) == size, "reading back");
    buf_advance(&out, (size_t)size);
    return out;
}

static int file_new(void)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    must(fd >= 0, "memfd");
    return fd;
}

static void write_hello(struct buf *out)
{
    struct have_entry have = {.seq = 7, .id8 = {1, 2, 3, 4, 5, 6, 7, 8}};
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .time_ms = TIME_MS,
                            .time_trusted = true,
                            .generation = {9, 9, 9, 9, 9, 9, 9, 9},
                            .complete = true,
                            .have_count = 1};
    struct feed_id id;
    const struct feed feed = feed_of("village:431322111203", 1, false);
    feed_id_of(&id, &feed);
    memcpy(have.feed.id8, id.bytes, sizeof have.feed.id8);
    memcpy(h.township8, signer_of(SEED_AUTHORITY).key.bytes, sizeof h.township8);
    have_digest(h.have8, &have, 1);
    frame_hello_write(out, &h, &have);
    must(!out->err, "HELLO");
}

static void write_receipt(struct buf *out)
{
    struct signer hub = signer_of(SEED_HUB);
    struct receipt_parties parties = {.township = signer_of(SEED_AUTHORITY).key,
                                      .receiver = hub.key,
                                      .addressee = signer_of(SEED_VILLAGE).key,
                                      .generation = {9, 9, 9, 9, 9, 9, 9, 9}};
    struct frame_receipt f = {.counter = 77, .time_ms = TIME_MS, .entry_count = 1};
    struct receipt_entry entry = {.feed8 = {1, 2, 3}, .seq = 3, .id.bytes = {4, 5, 6}};
    frame_receipt_write(out, &f, &entry, &parties, &hub);
    must(!out->err, "RECEIPT");
}

/* The frames of runs.json that have no dictionary. */
static struct buf run_at(const json_t *runs, size_t at)
{
    const json_t *item;
    size_t i;
    struct buf out = {0};
    json_array_foreach(json_object_get(runs, "accept"), i, item)
    {
        if (json_integer_value(json_object_get(item, "dictionary_events")) || at--) continue;
        const char *text = json_string_value(json_object_get(item, "frame"));
        size_t size = strlen(text) / 2;
        uint8_t *room = not_null(buf_reserve(&out, size));
        must(hex_decode(room, size, text, 2 * size) == OK, "a frame of runs.json");
        buf_advance(&out, size);
        return out;
    }
    must(false, "runs.json has too few runs without a dictionary");
    return out;
}

struct bundle_case {
    const char *what;
    uint8_t from, secret;
    bool to_township, receipt;
    size_t runs;
};

static struct buf bundle_of(const struct bundle_case *b, const json_t *runs, json_t *frames,
                            struct bundle_head *head)
{
    struct signer signer = signer_of(b->from);
    struct box_key key = key_of(b->secret);
    struct buf hello = {0}, frame = {0};
    struct bundle_writer *w;
    uint64_t size;
    uint8_t random = FIRST_RANDOM;
    int fd = file_new();
    *head = (struct bundle_head){.township = signer_of(SEED_AUTHORITY).key,
                                 .from = signer.key,
                                 .to_township = b->to_township,
                                 .to = signer_of(SEED_VILLAGE).key,
                                 .number = TIME_MS};
    write_hello(&hello);
    crypto_random_source(next_bytes, &random);
    must(bundle_begin(&w, fd, &key, head, buf_slice(&hello), &signer) == OK, "begin");
    crypto_random_source(NULL, NULL);
    add(frames, hex(buf_slice(&hello)));
    if (b->receipt) {
        write_receipt(&frame);
        must(bundle_put(w, buf_slice(&frame)) == OK, "RECEIPT");
        add(frames, hex(buf_slice(&frame)));
    }
    for (size_t i = 0; i < b->runs; i++) {
        struct buf run = run_at(runs, i);
        must(bundle_put(w, buf_slice(&run)) == OK, "RUN");
        add(frames, hex(buf_slice(&run)));
        buf_clear(&run);
    }
    must(bundle_finish(w, &size) == OK, "finish");
    bundle_writer_close(w);
    struct buf file = file_read(fd);
    must(file.size == size, "size");
    close(fd);
    buf_clear(&hello);
    buf_clear(&frame);
    return file;
}

/* --- that are refused --- */

static json_t *refused(const char *what, const char *error, uint8_t secret, struct slice file)
{
    json_t *out = named(what);
    put(out, "error", json_string(error));
    put(out, "secret", secret_of(secret));
    put(out, "file", hex(file));
    return out;
}

/* Behind the outside of a good one, whose key is known, other content. */
static json_t *other_content(const char *what, struct slice good, struct slice content)
{
    struct secret_key key;
    struct stream *s;
    uint8_t random = FIRST_RANDOM + 2;
    int fd = file_new();
    memset(key.bytes, FIRST_RANDOM, sizeof key.bytes);
    must(stream_write_all(fd, good.data, BUNDLE_OUTSIDE) == OK, what);
    crypto_random_source(next_bytes, &random);
    must(stream_begin_key(&s, fd, &key) == OK, what);
    crypto_random_source(NULL, NULL);
    must(stream_put(s, content) == OK && stream_finish(s) == OK, what);
    stream_close(s);
    struct buf file = file_read(fd);
    json_t *out = refused(what, "corrupt", TRANSPORT_SECRET, buf_slice(&file));
    buf_clear(&file);
    close(fd);
    return out;
}

static struct buf content_of(struct slice good)
{
    struct secret_key key;
    struct stream *s;
    struct buf out = {0};
    const size_t size = good.size - BUNDLE_OUTSIDE - (size_t)stream_size(0);
    int fd = file_new();
    memset(key.bytes, FIRST_RANDOM, sizeof key.bytes);
    must(stream_write_all(fd, good.data + BUNDLE_OUTSIDE, good.size - BUNDLE_OUTSIDE) == OK,
         "copy");
    must(lseek(fd, 0, SEEK_SET) == 0 && stream_open_key(&s, fd, &key) == OK, "open");
    uint8_t *room = not_null(buf_reserve(&out, size));
    must(stream_get(s, room, size) == OK && stream_end(s) == OK, "content");
    buf_advance(&out, size);
    stream_close(s);
    close(fd);
    return out;
}

static void put_other_contents(json_t *out, struct slice good)
{
    struct buf content = content_of(good);
    const uint32_t first = 4 + be32_get(content.data), second = be32_get(content.data + first);
    const struct slice whole = buf_slice(&content);
    content.data[content.size - 1] = 1;
    add(out, other_content("padding that is not zero", good, whole));
    content.data[content.size - 1] = 0;
    add(out, other_content("padding to another size", good, slice_of(whole.data, whole.size - 1)));
    add(out, other_content("no end", good, slice_of(whole.data, first + 4 + second)));
    add(out, other_content("BUNDLE is not the first", good,
                           slice_of(whole.data + first, whole.size - first)));
    be32_put(content.data, FRAME_SIZE_MAX + 1);
    add(out, other_content("a frame that is too long", good, whole));
    buf_clear(&content);
}

static json_t *make_refused(struct slice good)
{
    json_t *out = not_null(json_array());
    struct buf file = {0};
    buf_append_slice(&file, good);
    buf_append_byte(&file, 0);
    must(!file.err, "out of memory");
    add(out, refused("for another", "foreign", STRANGER_SECRET, good));
    add(out, refused("a byte behind it", "corrupt", TRANSPORT_SECRET, buf_slice(&file)));
    add(out, refused("cut", "corrupt", TRANSPORT_SECRET, slice_of(good.data, good.size - 1)));
    add(out, refused("cut in its outside", "malformed", TRANSPORT_SECRET,
                     slice_of(good.data, BUNDLE_OUTSIDE - 1)));
    file.data[BUNDLE_OUTSIDE - 1] ^= 1;
    add(out, refused("a bit of its check", "malformed", TRANSPORT_SECRET,
                     slice_of(file.data, good.size)));
    file.data[BUNDLE_OUTSIDE - 1] ^= 1;
    file.data[13] = '2';
    add(out,
        refused("of a later version", "version", TRANSPORT_SECRET, slice_of(file.data, good.size)));
    put_other_contents(out, good);
    buf_clear(&file);
    return out;
}

static json_t *make_sizes(void)
{
    static const int sizes[] = {1, 255, 256, 257, 32767, 32768, 32769, 65536, 1000000, 500000000};
    json_t *out = not_null(json_array());
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        json_t *row = not_null(json_array());
        add(row, json_integer(sizes[i]));
        add(row, json_integer((json_int_t)bundle_padded((uint64_t)sizes[i])));
        add(out, row);
    }
    return out;
}

json_t *make_bundle(const json_t *runs)
{
    static const struct bundle_case cases[] = {
        {"of the hub for a village's device, with a receipt", SEED_HUB, TRANSPORT_SECRET, false,
         true, 1},
        {"of a village's device for the township", SEED_VILLAGE, OFFICE_SECRET, true, false, 2},
        {"that has nothing", SEED_VILLAGE, OFFICE_SECRET, true, false, 0},
    };
    json_t *root = not_null(json_object()), *good = not_null(json_array());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *item = named(cases[i].what), *frames = not_null(json_array());
        struct bundle_head head;
        struct buf file = bundle_of(&cases[i], runs, frames, &head);
        put(item, "from_seed", seed_of(cases[i].from));
        put(item, "secret", secret_of(cases[i].secret));
        put(item, "to", cases[i].to_township ? json_null() : HEX(head.to.bytes));
        put(item, "number", json_integer((json_int_t)head.number));
        put(item, "outside", hex(slice_of(file.data, BUNDLE_OUTSIDE)));
        put(item, "statement", HEX(head.statement.bytes));
        put(item, "signature", HEX(head.signature.bytes));
        put(item, "frames", frames);
        put(item, "file", hex(buf_slice(&file)));
        if (!i) put(root, "refuse", make_refused(buf_slice(&file)));
        add(good, item);
        buf_clear(&file);
    }
    put(root, "township", HEX(signer_of(SEED_AUTHORITY).key.bytes));
    put(root, "accept", good);
    put(root, "padded", make_sizes());
    return root;
}
