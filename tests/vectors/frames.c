#include "tests/vectors/vectors.h"

#include "node/store/rows.h"
#include "node/store/txn.h"
#include "proto/frame_courier.h"

#include <stdlib.h>
#include <string.h>

/* --- frames --- */

static json_t *frame_json(const char *what, const struct buf *frame)
{
    must(!frame->err, what);
    json_t *out = named(what);
    put(out, "frame", hex(buf_slice(frame)));
    put(out, "value", value_of(buf_slice(frame)));
    return out;
}

enum towns { TOWNS_NOT_SAID, TOWNS_SAID };

static void write_hello(struct buf *out, struct have_entry *have, size_t count, uint64_t version,
                        enum towns towns)
{
    struct frame_hello h = {.protocol_min = version,
                            .protocol_max = version,
                            .time_ms = TIME_MS,
                            .time_trusted = true,
                            .generation = {1, 2, 3, 4, 5, 6, 7, 8},
                            .disk_free_mib = 4096,
                            .software = slice_of_text("sidan 1.0"),
                            .credit = 262144,
                            .has_views = true,
                            .views8 = {8, 7, 6, 5, 4, 3, 2, 1},
                            .complete = true,
                            .have_count = count,
                            .says_towns = towns == TOWNS_SAID,
                            .has_towns = towns == TOWNS_SAID,
                            .towns8 = {1, 1, 2, 3, 5, 8, 13, 21}};
    memcpy(h.township8, signer_of(SEED_AUTHORITY).key.bytes, 8);
    have_digest(h.have8, have, count);
    frame_hello_write(out, &h, have);
}

static json_t *make_receipt(const struct chain *c, struct buf *frame, bool brief)
{
    struct signer hub = signer_of(SEED_HUB);
    struct receipt_parties parties = {.township = signer_of(SEED_AUTHORITY).key,
                                      .receiver = hub.key,
                                      .addressee = c->signer.key,
                                      .generation = {9, 9, 9, 9, 9, 9, 9, 9}};
    struct frame_receipt f = {
        .counter = 77, .time_ms = TIME_MS, .credit = 524288, .entry_count = 2};
    struct receipt_entry entries[2] = {{.seq = 7, .id = c->events[6].id},
                                       {.seq = 3, .id = c->events[2].id}};
    struct feed_id id;
    feed_id_of(&id, &c->events[0].feed);
    for (size_t i = 0; i < 2; i++) memcpy(entries[i].feed8, id.bytes, 8);
    entries[1].brief = brief;
    frame_receipt_write(frame, &f, entries, &parties, &hub);
    if (brief) return frame_json("RECEIPT that names one of two branches in short", frame);
    struct buf body = {0};
    receipt_body_write(&body, &parties, &f);
    json_t *out = frame_json("RECEIPT of two branches", frame);
    put(out, "seed", seed_of(SEED_HUB));
    put(out, "body", hex(buf_slice(&body)));
    put(out, "body_value", value_of(buf_slice(&body)));
    buf_clear(&body);
    return out;
}

/* Signed by the hub of two heads, one of them the chain's. */
static json_t *make_town(const struct chain *c, struct buf *frame, bool with_heads)
{
    struct signer hub = signer_of(SEED_HUB), authority = signer_of(SEED_AUTHORITY);
    struct town_state s = {.hub = hub.key,
                           .generation = {9, 9, 9, 9, 9, 9, 9, 9},
                           .number = TIME_MS,
                           .ended = {{7, 7, 7, 7, 7, 7, 7, 7}},
                           .ended_count = 1};
    struct town_head heads[2] = {{.seq = 7}, {.feed8 = {1}, .seq = 3, .id16 = {2}}};
    struct feed_id id;
    feed_id_of(&id, &c->events[0].feed);
    memcpy(heads[0].feed8, id.bytes, sizeof heads[0].feed8);
    memcpy(heads[0].id16, c->events[6].id.bytes, sizeof heads[0].id16);
    town_digest(&s.digest, heads, 2);
    must(!town_sign(&s, &authority.key, &hub), "TOWN");
    frame_town_write(frame, &s, with_heads ? heads : NULL, 2);
    json_t *out = frame_json(with_heads ? "TOWN with its heads" : "TOWN without heads", frame);
    put(out, "seed", seed_of(SEED_HUB));
    put(out, "township", hex(slice_of(authority.key.bytes, sizeof authority.key.bytes)));
    return out;
}

static const struct bytes frames_refused[] = {
    BYTES("no array", "\x06"),
    BYTES("empty array", "\x90"),
    BYTES("type is text", "\x91\xa1x"),
    BYTES("HELLO that ends early", "\x93\x01\x01\x01"),
    BYTES("HELLO with min above max", "\x93\x01\x02\x01"),
    BYTES("RUN that ends early", "\x92\x02\xc4\x08xxxxxxxx"),
    BYTES("WANT with a point of number 0", "\x95\x03\xc0\x91\x92\x00\xc4\x08xxxxxxxx\x00\x00"),
    BYTES("WANT with a feed of 7 bytes", "\x95\x03\xc4\x07xxxxxxx\x90\x00\x00"),
    BYTES("WANT to 2^48", "\x95\x03\xc0\x90\xcf\x00\x01\x00\x00\x00\x00\x00\x00\x00"),
    BYTES("RECEIPT without signature", "\x96\x04\x01\x01\x01\xc0\x90"),
    BYTES("REFUSE without text", "\x92\x05\x01"),
    BYTES("PING without seconds", "\x91\x08"),
    BYTES("JOIN that ends early", "\x92\x10\xc4\x01x"),
    BYTES("ADMIT with a short hash", "\x92\x11\xc4\x01x"),
    BYTES("PIECE past the end of its run", "\x95\x07\xc4\x08xxxxxxxx\x02\x01\xc4\x02xx"),
    BYTES("PIECE of nothing", "\x95\x07\xc4\x08xxxxxxxx\x02\x01\xc4\x00"),
    BYTES("TOWN that ends early", "\x92\x0a\xc4\x01x"),
    BYTES("OFFER of a bundle with a short outside", "\x92\x13\x91\x92\xc4\x02xx\x05"),
    BYTES("OFFER of an entry of one element", "\x92\x13\x91\x91\x05"),
    BYTES("ASK for nothing", "\x95\x14\xc4\x10xxxxxxxxxxxxxxxx\x00\x00\x00"),
    BYTES("ASK without a state", "\x94\x14\xc4\x10xxxxxxxxxxxxxxxx\x00\x01"),
    BYTES("ASK with a short id", "\x95\x14\xc4\x0fxxxxxxxxxxxxxxx\x00\x01\x00"),
    BYTES("PART of nothing", "\x94\x15\xc4\x10xxxxxxxxxxxxxxxx\x00\xc4\x00"),
    BYTES("PART past all that a bundle can be",
          "\x94\x15\xc4\x10xxxxxxxxxxxxxxxx\xce\xc0\x00\x00\x01\xc4\x01x"),
    BYTES("BYE in a long form", "\xdc\x00\x01\x06"),
};

static void add_hellos(json_t *good, struct have_entry *have, size_t count)
{
    struct buf frame = {0}, longer = {0};
    write_hello(&frame, have, count, 1, TOWNS_NOT_SAID);
    add(good, frame_json("HELLO with three heads of two feeds", &frame));
    buf_reset(&frame);
    write_hello(&frame, have, count, 1, TOWNS_SAID);
    add(good, frame_json("HELLO that says what it has of signed states", &frame));
    rewrite(&longer, buf_slice(&frame), 16, 99, SLICE_EMPTY, slice_of("\xa1x", 2));
    add(good, frame_json("HELLO with an element of a later version", &longer));
    buf_reset(&frame);
    write_hello(&frame, NULL, 0, 1, TOWNS_NOT_SAID);
    add(good, frame_json("HELLO that has nothing", &frame));
    buf_reset(&frame);
    write_hello(&frame, NULL, 0, 2, TOWNS_NOT_SAID);
    rewrite(&longer, buf_slice(&frame), 3, 99, SLICE_EMPTY, slice_of("\xa1x", 2));
    add(good, frame_json("HELLO of version 2, of which only the range is read", &longer));
    buf_clear(&frame);
    buf_clear(&longer);
}

/* The bundle is none of ours: its outside is bytes that a reader of frames does not look into. */
static void add_courier_frames(json_t *good)
{
    struct buf frame = {0};
    struct offer_entry entries[2] = {{.size = 1159}, {.size = BUNDLE_SIZE_MAX}};
    struct frame_ask ask = {.offset = 4096, .count = 32768};
    struct frame_part part = {.offset = 4096, .bytes = slice_of("\x01\x02\x03", 3)};
    for (size_t i = 0; i < BUNDLE_OUTSIDE_SIZE; i++) {
        entries[0].outside[i] = (uint8_t)i;
        entries[1].outside[i] = (uint8_t)(255 - i);
    }
    bundle_id_of(&ask.id, entries[0].outside);
    part.id = ask.id;
    frame_offer_write(&frame, entries, 2);
    json_t *offer = frame_json("OFFER of two bundles", &frame);
    put(offer, "first", HEX(ask.id.bytes));
    add(good, offer);
    buf_reset(&frame);
    frame_offer_write(&frame, NULL, 0);
    add(good, frame_json("OFFER of nothing", &frame));
    buf_reset(&frame);
    frame_ask_write(&frame, &ask);
    add(good, frame_json("ASK for a part", &frame));
    buf_reset(&frame);
    ask.offset = ask.count = 0;
    ask.state = ASK_HELD;
    frame_ask_write(&frame, &ask);
    add(good, frame_json("ASK that says it is held", &frame));
    buf_reset(&frame);
    frame_part_write(&frame, &part);
    add(good, frame_json("PART", &frame));
    buf_clear(&frame);
}

json_t *make_frames(const struct chain *c)
{
    json_t *root = not_null(json_object()), *good = json_array();
    struct buf frame = {0};
    struct have_entry have[3] = {{.seq = 7}, {.seq = 3}, {.seq = 1}};
    struct feed_id id;
    feed_id_of(&id, &c->events[0].feed);
    memcpy(have[0].feed.id8, id.bytes, 8);
    memcpy(have[0].id8, c->events[6].id.bytes, 8);
    memcpy(have[1].feed.id8, id.bytes, 8);
    memcpy(have[1].id8, c->events[2].id.bytes, 8);
    have[2].feed = (struct feed_ref){.whole = true, .feed = feed_of("town", LANE_URGENT, true)};
    feed_id_of(&id, &have[2].feed.feed);
    memcpy(have[2].feed.id8, id.bytes, 8);
    add_hellos(good, have, 3);
    struct frame_want want = {.has_feed = true,
                              .feed = have[0].feed,
                              .point_count = 2,
                              .points = {{.seq = 7}, {.seq = 3}},
                              .to = 9,
                              .flags = WANT_NO_DICTIONARY | WANT_BOXES};
    memcpy(want.points[0].id8, have[0].id8, 8);
    memcpy(want.points[1].id8, have[1].id8, 8);
    frame_want_write(&frame, &want);
    add(good, frame_json("WANT from two points", &frame));
    buf_reset(&frame);
    frame_want_write(&frame, &(struct frame_want){.flags = WANT_ROSTER});
    add(good, frame_json("WANT roster", &frame));
    buf_reset(&frame);
    add(good, make_receipt(c, &frame, false));
    buf_reset(&frame);
    add(good, make_receipt(c, &frame, true));
    buf_reset(&frame);
    add(good, make_town(c, &frame, true));
    buf_reset(&frame);
    add(good, make_town(c, &frame, false));
    buf_reset(&frame);
    struct frame_piece piece = {.run8 = {1, 2, 3, 4, 5, 6, 7, 8},
                                .run_size = 4000,
                                .offset = 3998,
                                .bytes = slice_of("\x01\x02", 2)};
    frame_piece_write(&frame, &piece);
    add(good, frame_json("PIECE, the last of its run", &frame));
    buf_reset(&frame);
    frame_refuse_write(&frame, REFUSE_SIGNATURE, "signature does not verify");
    add(good, frame_json("REFUSE", &frame));
    buf_reset(&frame);
    frame_bye_write(&frame);
    add(good, frame_json("BYE", &frame));
    buf_reset(&frame);
    frame_ping_write(&frame, 180);
    add(good, frame_json("PING", &frame));
    buf_reset(&frame);
    frame_ping_write(&frame, 0);
    add(good, frame_json("PING that asks", &frame));
    buf_reset(&frame);
    frame_hold_write(&frame, true);
    add(good, frame_json("HOLD", &frame));
    add_courier_frames(good);
    put(root, "accept", good);
    put(root, "refuse",
        bytes_list(frames_refused, sizeof frames_refused / sizeof frames_refused[0]));
    buf_clear(&frame);
    return root;
}

/* --- joining --- */

static json_t *make_request(void)
{
    struct signer invite = signer_of(SEED_INVITE), device = signer_of(SEED_JOINER);
    struct join_request q = {.township = signer_of(SEED_AUTHORITY).key,
                             .invite = invite.key,
                             .device = device.key,
                             .name = "龙凤村一号机",
                             .time_ms = TIME_MS};
    memset(q.transport.bytes, 0x77, sizeof q.transport.bytes);
    struct buf request = {0}, join = {0}, admit = {0};
    struct frame_join f;
    struct hash hash;
    join_request_write(&request, &q);
    join_sign(&f, buf_slice(&request), &invite, &device);
    frame_join_write(&join, &f);
    join_request_hash(&hash, buf_slice(&request));
    frame_admit_write(&admit, &hash);
    json_t *out = not_null(json_object());
    put(out, "invite_seed", seed_of(SEED_INVITE));
    put(out, "device_seed", seed_of(SEED_JOINER));
    put(out, "request", hex(buf_slice(&request)));
    put(out, "value", value_of(buf_slice(&request)));
    put(out, "join", hex(buf_slice(&join)));
    put(out, "admit", hex(buf_slice(&admit)));
    buf_clear(&request);
    buf_clear(&join);
    buf_clear(&admit);
    return out;
}

static json_t *make_invite(void)
{
    struct invite i = {.township_name = "琅塘镇",
                       .authority = signer_of(SEED_AUTHORITY).key,
                       .acceptor = signer_of(SEED_HUB).key,
                       .addresses = {"tcp://10.8.0.1:7300", "tcp://192.168.1.2:7300"},
                       .address_count = 2,
                       .village = "431322111203",
                       .village_name = "龙凤村",
                       .roles = 2,
                       .device_name = "龙凤村一号机",
                       .expires_ms = TIME_MS + 604800000};
    memset(i.acceptor_transport.bytes, 0x55, sizeof i.acceptor_transport.bytes);
    memset(i.seed.bytes, SEED_INVITE, sizeof i.seed.bytes);
    memset(i.transport.bytes, 0x66, sizeof i.transport.bytes);
    struct buf text = {0}, bytes = {0};
    invite_write(&text, &i, "琅塘镇 龙凤村");
    const char *line = strstr(buf_text(&text), "sidan-invite-1:");
    must(line && base64url_decode(&bytes, slice_of_text(line + strlen("sidan-invite-1:"))) == OK,
         "invite");
    json_t *out = not_null(json_object());
    put(out, "text", json_string(buf_text(&text)));
    put(out, "value", value_of(slice_of(bytes.data, bytes.size - 4)));
    buf_clear(&text);
    buf_clear(&bytes);
    return out;
}

json_t *make_joining(void)
{
    json_t *root = not_null(json_object());
    put(root, "exchange", make_request());
    put(root, "invite", make_invite());
    return root;
}

/* --- digests --- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct event_id));
}

static void put_events_digest(json_t *root, const struct chain *c)
{
    json_t *list = not_null(json_array());
    struct event_id ids[EVENTS];
    for (size_t i = 0; i < EVENTS; i++) {
        ids[i] = c->events[i].id;
        add(list, HEX(ids[i].bytes));
    }
    qsort(ids, EVENTS, sizeof ids[0], compare_ids);
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_EVENTS_DIGEST, slice_of(ids, sizeof ids));
    put(root, "ids", list);
    put(root, "events_digest", HEX(hash.bytes));
}

/* Rows of persons and the sum of their hashes: enough of them that the sum passes 2^256. */
static void put_row_sum(json_t *root, uint8_t sum[32])
{
    json_t *list = not_null(json_array());
    memset(sum, 0, 32);
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t key[17] = {THING_ACTOR, i};
        struct buf value = {0};
        struct mp_writer w = {&value};
        mp_write_array(&w, 2);
        mp_write_text(&w, "信访办");
        mp_write_text(&w, i % 2 ? "dispatcher" : "callback");
        row_sum_add(sum, ROW_THING, slice_of(key, sizeof key), buf_slice(&value));
        json_t *row = not_null(json_object());
        put(row, "key", HEX(key));
        put(row, "value", hex(buf_slice(&value)));
        add(list, row);
        buf_clear(&value);
    }
    put(root, "rows", list);
    put(root, "row_sum", hex(slice_of(sum, 32)));
}

/* Two feeds of the roster, the first with two heads. */
static struct hash put_roster_heads(json_t *root)
{
    static const uint8_t heads[2][2] = {{0x31, 0x32}, {0x41, 0}};
    struct buf roster = {0};
    struct mp_writer w = {&roster};
    uint8_t id[32];
    mp_write_array(&w, 2);
    for (size_t i = 0; i < 2; i++) {
        memset(id, (int)(0x21 + i), sizeof id);
        mp_write_array(&w, 2);
        mp_write_bin(&w, id, sizeof id);
        mp_write_array(&w, heads[i][1] ? 2 : 1);
        for (size_t j = 0; j < 2 && heads[i][j]; j++) {
            memset(id, heads[i][j], sizeof id);
            mp_write_bin(&w, id, sizeof id);
        }
    }
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_VIEWS_DIGEST, buf_slice(&roster));
    put(root, "roster", hex(buf_slice(&roster)));
    put(root, "roster_heads", HEX(hash.bytes));
    buf_clear(&roster);
    return hash;
}

static struct hash views_digest_of(const struct hash *roster_heads, const uint8_t sum[32])
{
    struct buf views = {0};
    struct mp_writer w = {&views};
    struct hash hash;
    mp_write_array(&w, 3);
    mp_write_uint(&w, 7); /* the fold version of SPEC 15.3 */
    mp_write_bin(&w, roster_heads->bytes, sizeof roster_heads->bytes);
    mp_write_bin(&w, sum, 32);
    crypto_hash_one(&hash, CONTEXT_VIEWS_DIGEST, buf_slice(&views));
    buf_clear(&views);
    return hash;
}

/* Two scopes: one with the rows, one without any. */
static void put_views(json_t *root, const uint8_t sum[32])
{
    static const uint8_t none[32];
    struct hash heads = put_roster_heads(root), all;
    struct hash scopes[2] = {views_digest_of(&heads, sum), views_digest_of(&heads, none)};
    put(root, "views_digest", HEX(scopes[0].bytes));
    put(root, "views_digest_empty", HEX(scopes[1].bytes));
    crypto_hash_one(&all, CONTEXT_VIEWS_DIGEST, slice_of(&scopes[0], sizeof scopes[0]));
    put(root, "views8_town", hex(slice_of(all.bytes, 8)));
    crypto_hash_one(&all, CONTEXT_VIEWS_DIGEST, slice_of(scopes, sizeof scopes));
    put(root, "views8", hex(slice_of(all.bytes, 8)));
}

json_t *make_digests(const struct chain *c)
{
    json_t *root = not_null(json_object());
    put_events_digest(root, c);
    uint8_t sum[32];
    put_row_sum(root, sum);
    put_views(root, sum);
    return root;
}
