#include "tests/vectors/vectors.h"

#include <string.h>

/* --- events --- */

static struct slice map_of(struct buf *out, const char *const *pairs)
{
    struct mp_map map = {0};
    for (; *pairs; pairs += 2) {
        struct mp_writer w = mp_map_put(&map, pairs[0]);
        mp_write_text(&w, pairs[1]);
    }
    must(mp_map_end(&map, out) == OK, "map");
    mp_map_clear(&map);
    return buf_slice(out);
}

/* A chain of every shape: with box, without, with a box that is gone, by, ext, times that stand
 * still, jump and go back, an untrusted clock, a thing met before and one not met. */
static const struct shape {
    const char *what, *kind;
    int subject; /* -1 founding, else the event that founded it; 100: of another feed */
    uint32_t depth, seen;
    uint64_t time;
    bool by;
    const char *body[7], *box[5];
    const char *ext;
    size_t ext_size;
    enum box_state box_state;
} shapes[EVENTS] = {
    {"founding, with box",
     "request.register",
     -1,
     0,
     0,
     HLC_MAKE(TIME_MS, 0, 0),
     false,
     {"number", "03A-0127", "nature", "help"},
     {"name", "刘平", "content", "污水管网堵塞"},
     NULL,
     0,
     BOX_HERE},
    {"act with person, same millisecond",
     "request.accept",
     0,
     1,
     1,
     HLC_MAKE(TIME_MS, 1, 0),
     true,
     {"class", "general"},
     {0},
     NULL,
     0,
     BOX_NONE},
    {"ext, counter not as expected",
     "order.issue",
     0,
     2,
     2,
     HLC_MAKE(TIME_MS + 5000, 7, 0),
     true,
     {"unit", "水利站"},
     {0},
     "\x81\x01\xc4\x02hi",
     6,
     BOX_NONE},
    {"clock set back and untrusted",
     "order.sign",
     0,
     3,
     3,
     HLC_MAKE(TIME_MS - 60000, 0, 1),
     false,
     {0},
     {0},
     NULL,
     0,
     BOX_NONE},
    {"thing of another feed",
     "callback.record",
     100,
     5,
     6,
     HLC_MAKE(TIME_MS, 0, 1),
     false,
     {"method", "phone"},
     {"comment", "满意"},
     NULL,
     0,
     BOX_HERE},
    {"founding, box gone",
     "request.register",
     -1,
     0,
     0,
     HLC_MAKE(TIME_MS + 1, 0, 1),
     false,
     {"number", "03A-0128"},
     {"content", "路灯不亮"},
     NULL,
     0,
     BOX_GONE},
    {"thing met long ago",
     "order.report",
     0,
     4,
     4,
     HLC_MAKE(TIME_MS + 90000, 0, 0),
     true,
     {"solved", "yes"},
     {"measure", "已疏通"},
     NULL,
     0,
     BOX_HERE},
};

void chain_make(struct chain *c)
{
    struct thing_id person, elsewhere;
    memset(person.bytes, 0xaa, sizeof person.bytes);
    memset(elsewhere.bytes, 0xbb, sizeof elsewhere.bytes);
    c->signer = signer_of(SEED_VILLAGE);
    for (size_t i = 0; i < EVENTS; i++) {
        const struct shape *s = &shapes[i];
        struct event *e = &c->events[i];
        *e = (struct event){.feed = feed_of("village:431322111203", LANE_NORMAL, false),
                            .seq = i + 1,
                            .time = s->time,
                            .kind = slice_of_text(s->kind),
                            .founding = s->subject < 0,
                            .depth = s->depth,
                            .seen = s->seen,
                            .has_by = s->by,
                            .box_state = s->box_state,
                            .ext = slice_of(s->ext, s->ext_size)};
        if (i) e->prev = c->events[i - 1].id;
        if (s->by) e->by = person;
        if (s->subject >= 0)
            e->subject = s->subject == 100 ? elsewhere : c->events[s->subject].subject;
        e->body = map_of(&c->bodies[i], s->body);
        if (s->box[0]) {
            e->box = map_of(&c->boxes[i], s->box);
            memset(e->salt, (int)(0x10 + i), sizeof e->salt);
            event_box_digest(&e->box_digest, e->salt, e->box);
        }
        must(event_encode(e, &c->headers[i]) == OK, s->what);
        event_sign(e, &c->signer);
    }
}

void chain_clear(struct chain *c)
{
    for (size_t i = 0; i < EVENTS; i++) {
        buf_clear(&c->headers[i]);
        buf_clear(&c->bodies[i]);
        buf_clear(&c->boxes[i]);
    }
}

static json_t *event_json(const struct event *e, const char *what)
{
    json_t *out = named(what);
    put(out, "header", hex(e->header));
    put(out, "value", value_of(e->header));
    put(out, "id", HEX(e->id.bytes));
    put(out, "thing", HEX(e->subject.bytes));
    put(out, "signature", HEX(e->signature.bytes));
    put(out, "salt", e->box_state == BOX_HERE ? HEX(e->salt) : json_null());
    put(out, "box", e->box_state == BOX_HERE ? hex(e->box) : json_null());
    return out;
}

/* A header with one element replaced. */
static const struct {
    const char *what;
    size_t at;
    const char *value;
    size_t size;
} header_faults[] = {
#define FAULT(what, at, text)                                                                      \
    {                                                                                              \
        (what), (at), (text), sizeof(text) - 1                                                     \
    }
    FAULT("suite 2", 0, "\x02"),
    FAULT("author of 31 bytes", 1, "\xc4\x1fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    FAULT("unknown scope", 2,
          "\xa4"
          "city"),
    FAULT("village code of 11 digits", 2, "\xb3village:43132211120"),
    FAULT("lane 3", 3, "\x03"),
    FAULT("epoch of 7 bytes", 4, "\xc4\x07xxxxxxx"),
    FAULT("number 0", 5, "\x00"),
    FAULT("number 2 without prev", 5, "\x02"),
    FAULT("number 2^48", 5, "\xcf\x00\x01\x00\x00\x00\x00\x00\x00"),
    FAULT("number 1 with prev", 6, "\xc4\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    FAULT("negative time", 7, "\xff"),
    FAULT("empty kind", 8, "\xa0"),
    FAULT("kind begins with a digit", 8,
          "\xa2"
          "1a"),
    FAULT("kind in upper case", 8,
          "\xa2"
          "aB"),
    FAULT("kind of 49 bytes", 8,
          "\xd9\x31"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    FAULT("subject of 15 bytes", 9, "\xc4\x0fxxxxxxxxxxxxxxx"),
    FAULT("depth above seen", 10, "\x01"),
    FAULT("founding with seen", 11, "\x01"),
    FAULT("by is text", 12, "\xa1x"),
    FAULT("body is nil", 13, "\xc0"),
    FAULT("body with a key that is no text", 13, "\x81\x01\xc0"),
    FAULT("box digest of 31 bytes", 14, "\xc4\x1fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    FAULT("empty ext", 15, "\x80"),
    FAULT("ext with a text key", 15, "\x81\xa1x\xc4\x00"),
    FAULT("ext with a number as value", 15, "\x81\x01\x01"),
};

json_t *make_events(const struct chain *c)
{
    json_t *root = not_null(json_object()), *good = json_array(), *bad = json_array();
    struct buf header = {0};
    for (size_t i = 0; i < EVENTS; i++) add(good, event_json(&c->events[i], shapes[i].what));
    for (size_t i = 0; i < sizeof header_faults / sizeof header_faults[0]; i++) {
        struct slice value = slice_of(header_faults[i].value, header_faults[i].size);
        rewrite(&header, c->events[0].header, 16, header_faults[i].at, value, SLICE_EMPTY);
        json_t *item = named(header_faults[i].what);
        put(item, "header", hex(buf_slice(&header)));
        add(bad, item);
    }
    rewrite(&header, c->events[0].header, 16, 99, SLICE_EMPTY, slice_of("\xc0", 1));
    json_t *item = named("17 elements");
    put(item, "header", hex(buf_slice(&header)));
    add(bad, item);
    buf_clear(&header);
    put(root, "seed", seed_of(SEED_VILLAGE));
    put(root, "accept", good);
    put(root, "refuse", bad);
    return root;
}

/* --- runs --- */

struct run_case {
    const char *what;
    size_t first, count, dictionary; /* events, from 0; how many before are the dictionary */
};

static json_t *run_json(const struct chain *c, const struct run_case *k, struct zstd *z,
                        struct buf *frame)
{
    struct buf raw = {0}, dictionary = {0}, payload = {0};
    struct run_context context = {0};
    struct frame_run f = {.feed = {.whole = k->first == 0, .feed = c->events[0].feed}};
    struct feed_id id;
    feed_id_of(&id, &f.feed.feed);
    memcpy(f.feed.id8, id.bytes, sizeof f.feed.id8);
    run_context_reset(&context, k->first ? c->events[k->first - 1].time : 0);
    must(run_dictionary_write(&context, &dictionary, &c->events[k->first - k->dictionary],
                              k->dictionary) == OK,
         k->what);
    for (size_t i = 0; i < k->count; i++)
        must(run_record_write(&context, &raw, &c->events[k->first + i]) == OK, k->what);
    must(run_build(&f.run, z, buf_slice(&raw), (uint32_t)k->count, buf_slice(&dictionary), 19,
                   &payload) == OK,
         k->what);
    f.run.base_seq = k->first;
    if (k->first) memcpy(f.run.base_id8, c->events[k->first - 1].id.bytes, 8);
    f.run.signature = c->events[k->first + k->count - 1].signature;
    f.has_views = k->first + k->count == EVENTS;
    memset(f.views8, 0x33, sizeof f.views8);
    frame_run_write(frame, &f);
    must(!frame->err, k->what);
    json_t *out = named(k->what);
    put(out, "first", json_integer((json_int_t)k->first + 1));
    put(out, "count", json_integer((json_int_t)k->count));
    put(out, "dictionary_events", json_integer((json_int_t)k->dictionary));
    put(out, "dictionary", hex(buf_slice(&dictionary)));
    put(out, "raw", hex(buf_slice(&raw)));
    put(out, "payload", hex(f.run.payload));
    put(out, "frame", hex(buf_slice(frame)));
    run_context_clear(&context);
    buf_clear(&raw);
    buf_clear(&dictionary);
    buf_clear(&payload);
    return out;
}

json_t *make_runs(const struct chain *c)
{
    static const struct run_case cases[] = {
        {"a feed's beginning", 0, 3, 0},
        {"one event, without dictionary", 3, 1, 0},
        {"with dictionary", 3, 4, 3},
        {"one event, with dictionary", 6, 1, 6},
    };
    static const struct {
        const char *what, *error;
        size_t at;
        const char *value;
        size_t size;
    } faults[] = {
        {"a dictionary that is not said", "malformed", 4, "\xc2", 1},
        {"one event more than there is", "malformed", 5, "\x05", 1},
        {"one event less", "malformed", 5, "\x03", 1},
        {"raw size too small", "dictionary", 6, "\x64", 1},
        {"check differs", "dictionary", 7, "\xc4\x04xxxx", 6},
        {"payload is no zstd frame", "dictionary", 8, "\xc4\x04xxxx", 6},
    };
    struct zstd *z;
    must(zstd_open(&z) == OK, "zstd");
    struct buf frame = {0}, bad = {0};
    json_t *root = not_null(json_object()), *good = json_array(), *refuse = json_array();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&frame);
        add(good, run_json(c, &cases[i], z, &frame));
        if (i != 2) continue;
        for (size_t n = 0; n < sizeof faults / sizeof faults[0]; n++) {
            struct slice value = slice_of(faults[n].value, faults[n].size);
            rewrite(&bad, buf_slice(&frame), 12, faults[n].at, value, SLICE_EMPTY);
            json_t *item = named(faults[n].what);
            put(item, "error", json_string(faults[n].error));
            put(item, "frame", hex(buf_slice(&bad)));
            add(refuse, item);
        }
        struct buf other = {0};
        struct mp_writer w = {&other};
        mp_write_bin(&w, c->events[0].signature.bytes, sizeof c->events[0].signature.bytes);
        rewrite(&bad, buf_slice(&frame), 12, 9, buf_slice(&other), SLICE_EMPTY);
        json_t *item = named("signature of another event");
        put(item, "error", json_string("signature"));
        put(item, "frame", hex(buf_slice(&bad)));
        add(refuse, item);
        buf_clear(&other);
    }
    put(root, "accept", good);
    put(root, "refuse", refuse);
    buf_clear(&frame);
    buf_clear(&bad);
    zstd_close(z);
    return root;
}
