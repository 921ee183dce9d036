#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/search.h"
#include "tests/support/rng.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"

static struct township town;
static struct township_node node;

/* What a look-up found, as text that two look-ups are compared by. */
struct found {
    size_t count;
    struct buf text;
};

static bool note(void *state, const struct search_hit *hit)
{
    struct found *f = state;
    char hex[33];
    hex_encode(hex, hit->key.thing.bytes, sizeof hit->key.thing.bytes);
    buf_printf(&f->text, "%s %u %s\n", thing_type_name(hit->type), hit->key.scope_number, hex);
    f->count++;
    return true;
}

static void look_up(struct txn *t, const char *text, struct found *out)
{
    bool digits = text[0] >= '0' && text[0] <= '9';
    buf_reset(&out->text);
    out->count = 0;
    assert_int_equal(digits ? search_phone(t, slice_of_text(text), note, out)
                            : search_name(t, slice_of_text(text), note, out),
                     OK);
}

static size_t hits(const char *text)
{
    struct txn *t;
    struct found found = {0};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    look_up(t, text, &found);
    txn_abort(t);
    buf_clear(&found.text);
    return found.count;
}

static const struct event *registered(struct township_device *d, const char *kind, const char *name,
                                      const char *phone)
{
    char box[160];
    bool request = strcmp(kind, "request.register") == 0;
    snprintf(box, sizeof box, "{\"name\":\"%s\",\"phone\":\"%s\"%s}", name, phone,
             request ? ",\"content\":\"水\"" : "");
    return township_record(
        &town, d,
        &(struct township_act){
            .kind = kind,
            .body =
                request
                    ? "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"
                      "\"nature\":\"help\",\"category\":\"0103\","
                      "\"urgency\":2}"
                    : "{\"joined\":\"2022-03-05\"}",
            .box = box});
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void forget_thing(void *state, uint32_t scope_number, const struct thing_id *thing)
{
    (void)state;
    (void)scope_number;
    (void)thing;
}

static void index_all(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    while (search_slice(t, SEARCH_SLICE_EVENTS)) {
    }
    assert_int_equal(search_behind(t), 0);
    assert_int_equal(txn_commit(t), OK);
}

static void cut(const struct sign_key *author, const struct head_named *heads, size_t count)
{
    struct txn *t;
    const struct log_cutting cutting = {.touched = forget_thing};
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(log_cut(t, author, heads, count, &cutting));
    assert_int_equal(txn_commit(t), OK);
}

static size_t index_rows(void)
{
    size_t rows = 0;
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++)
        for (uint8_t table = ROW_PHONE; table <= ROW_PLACE; table++) {
            struct row_cursor cursor = {.scope_number = scope, .table = table};
            struct slice key, value;
            while (row_next(t, &cursor, &key, &value)) rows++;
        }
    txn_abort(t);
    return rows;
}

static void whoever_stands_in_a_box_is_found_before_and_after_indexing(void **state)
{
    (void)state;
    registered(&town.devices[0], "volunteer.register", "邱 一", "138-1234-5678");
    registered(&town.devices[0], "request.register", "邱大山", "13900001111/0738-3221234");
    registered(&town.devices[1], "request.register", "O'Brien", "+86 13812345678");
    township_node_take_all(&node, &town);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(hits("5678"), 2);
        assert_int_equal(hits("13812345678"), 2);
        assert_int_equal(hits("3221234"), 1);
        assert_int_equal(hits("1111"), 1);
        assert_int_equal(hits("111"), 0);
        assert_int_equal(hits("00001111 0738"), 0);
        assert_int_equal(hits("邱"), 2);
        assert_int_equal(hits("邱一"), 1);
        assert_int_equal(hits("邱　大 山"), 1);
        assert_int_equal(hits("O'B"), 1);
        assert_int_equal(hits("山"), 0);
        assert_int_equal(hits(""), 0);
        index_all();
    }
}

static void whoever_is_no_request_and_no_volunteer_is_not_found(void **state)
{
    (void)state;
    township_record(&town, &town.hub,
                    &(struct township_act){.kind = "actor.enrol",
                                           .body = "{\"unit\":\"信访办\",\"role\":\"dispatcher\"}",
                                           .box = "{\"name\":\"邱经办\"}"});
    township_node_take_all(&node, &town);
    assert_int_equal(hits("邱"), 0);
    index_all();
    assert_int_equal(hits("邱"), 0);
    assert_int_equal(index_rows(), 0);
}

static size_t places(const char *text)
{
    struct txn *t;
    struct found found = {0};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(search_place(t, slice_of_text(text), note, &found), OK);
    txn_abort(t);
    buf_clear(&found.text);
    return found.count;
}

static void a_request_is_found_by_its_place(void **state)
{
    (void)state;
    char box[400], longest[201];
    memset(longest, 'p', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    for (int i = 0; i < 2; i++) {
        snprintf(box, sizeof box, "{\"content\":\"水\",\"place\":\"%s\"}",
                 i ? longest : "三组 5号");
        township_record(&town, &town.devices[0],
                        &(struct township_act){.kind = "request.register",
                                               .body =
                                                   "{\"number\":\"01A-0001\",\"channel\":\"visit\","
                                                   "\"received\":1763859600000,\"nature\":\"help\","
                                                   "\"category\":\"0103\",\"urgency\":2}",
                                               .box = box});
    }
    township_node_take_all(&node, &town);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(places("三组5号"), 1);
        assert_int_equal(places("三组"), 1);
        assert_int_equal(places("5号"), 0);
        assert_int_equal(places(longest), 1);
        index_all();
    }
    assert_int_equal(index_rows(), 2);
}

static size_t references(const char *text)
{
    struct txn *t;
    struct found found = {0};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(search_reference(t, slice_of_text(text), note, &found), OK);
    txn_abort(t);
    buf_clear(&found.text);
    return found.count;
}

static void a_request_is_found_by_its_exact_reference(void **state)
{
    (void)state;
    char body[320], longest[121];
    memset(longest, 'r', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    static const char *const given[] = {"wx-17", "wx-170", NULL};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        snprintf(body, sizeof body,
                 "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"
                 "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2,"
                 "\"channel_ref\":\"%s\"}",
                 given[i] ? given[i] : longest);
        township_record(&town, &town.devices[0],
                        &(struct township_act){.kind = "request.register",
                                               .body = body,
                                               .box = "{\"content\":\"水\"}"});
    }
    township_node_take_all(&node, &town);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(references("wx-17"), 1);
        assert_int_equal(references("wx-1"), 0);
        assert_int_equal(references(""), 0);
        assert_int_equal(references(longest), 1);
        longest[100]++;
        assert_int_equal(references(longest), 0);
        longest[100]--;
        index_all();
    }
    assert_int_equal(index_rows(), 3);
}

/* The event without its box, as after an erasure elsewhere. */
static struct event without_box(const struct event *e)
{
    struct event gone = *e;
    gone.box_state = BOX_GONE;
    gone.box = SLICE_EMPTY;
    return gone;
}

static void a_box_that_comes_later_is_indexed_then(void **state)
{
    (void)state;
    const struct event *e =
        registered(&town.devices[0], "volunteer.register", "邱一", "13812345678");
    struct event gone = without_box(e), *events[] = {&gone};
    township_node_take(&node, town.events, town.event_count - 1);
    township_node_take(&node, events, 1);
    index_all();
    assert_int_equal(hits("邱"), 0);
    township_node_take_all(&node, &town);
    assert_int_equal(hits("邱"), 1);
    index_all();
    assert_int_equal(hits("5678"), 1);
    assert_int_equal(index_rows(), 2);
}

static void what_is_erased_is_not_found_and_leaves_the_index(void **state)
{
    (void)state;
    static const struct thing_id clerk = {{1}};
    const struct event *e =
        registered(&town.devices[0], "volunteer.register", "邱一", "13812345678");
    township_node_take_all(&node, &town);
    index_all();
    assert_int_equal(index_rows(), 2);
    township_record(&town, &town.hub,
                    &(struct township_act){.kind = "subject.erase",
                                           .scope = SCOPE,
                                           .subject = &e->subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .by = &clerk,
                                           .body = "{\"basis\":\"withdrawn\",\"second\":"
                                                   "\"00112233445566778899aabbccddeeff\"}"});
    township_node_take_all(&node, &town);
    assert_int_equal(index_rows(), 0);
    assert_int_equal(hits("邱一"), 0);
    index_all();
    assert_int_equal(hits("5678"), 0);
}

static void a_rebuild_throws_the_index_away(void **state)
{
    (void)state;
    registered(&town.devices[0], "volunteer.register", "邱一", "13812345678");
    township_node_take_all(&node, &town);
    index_all();
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_int_equal(index_rows(), 0);
    assert_int_equal(hits("邱一"), 1);
    index_all();
    assert_int_equal(index_rows(), 2);
}

static void only_a_long_tail_is_caught_up_with(void **state)
{
    (void)state;
    registered(&town.devices[0], "volunteer.register", "邱一", "13812345678");
    township_node_take_all(&node, &town);
    assert_int_equal(search_catch_up(node.store), OK);
    assert_int_equal(index_rows(), 0);
    for (unsigned i = 0; i <= SEARCH_TAIL_MAX; i++)
        registered(&town.devices[0], "volunteer.register", "邱一", "13812345678");
    township_node_take_all(&node, &town);
    assert_int_equal(search_catch_up(node.store), OK);
    assert_int_equal(index_rows(), 2 * (SEARCH_TAIL_MAX + 2));
    assert_int_equal(hits("5678"), SEARCH_TAIL_MAX + 2);
}

/* --- whatever was indexed, look-ups find what a scan of all boxes finds ------------------------
 */

enum { ROUNDS = 40, RECORDS = 60, LOOK_UPS = 60 };
static const char *const names[] = {"邱一", "邱大山", "周 二", "𠮷田", "周二", "Ann"};

static void random_phone(struct rng *rng, char out[32])
{
    snprintf(out, 32, "%s13%u0000%04u", rng_chance(rng, 20) ? "0738-3221234/" : "",
             (unsigned)rng_below(rng, 3), (unsigned)rng_below(rng, 12));
}

static void random_record(struct rng *rng, const struct thing_id *known, size_t count,
                          struct thing_id *out)
{
    char phone[32], box[128];
    const char *name = names[rng_below(rng, sizeof names / sizeof names[0])];
    random_phone(rng, phone);
    if (count && rng_chance(rng, 30)) {
        *out = known[rng_below(rng, count)];
        snprintf(box, sizeof box, "{\"name\":\"%s\",\"phone\":\"%s\"}", name, phone);
        township_record(&town, &town.hub,
                        &(struct township_act){.kind = "subject.correct",
                                               .scope = SCOPE,
                                               .subject = out,
                                               .depth = (uint32_t)count,
                                               .seen = (uint32_t)count,
                                               .body = "{\"asked_by\":\"self\"}",
                                               .box = box});
        return;
    }
    *out = registered(&town.devices[0],
                      rng_chance(rng, 50) ? "request.register" : "volunteer.register", name, phone)
               ->subject;
}

static void same_as_scan(struct rng *rng, struct txn *t)
{
    struct found indexed = {0}, scanned = {0};
    for (int i = 0; i < LOOK_UPS; i++) {
        char text[32];
        const char *name = names[rng_below(rng, sizeof names / sizeof names[0])];
        random_phone(rng, text);
        size_t at = strlen(text) - 4 - rng_below(rng, 7);
        const char *wanted = rng_chance(rng, 50) ? name : text + at;
        look_up(t, wanted, &indexed);
        uint64_t behind = search_behind(t);
        search_reset(t);
        assert_int_equal(search_behind(t), log_count(t));
        look_up(t, wanted, &scanned);
        assert_string_equal(buf_text(&indexed.text), buf_text(&scanned.text));
        meta_put_uint(t, "search.indexed", log_count(t) - behind);
    }
    buf_clear(&indexed.text);
    buf_clear(&scanned.text);
}

static void finds_what_a_scan_finds_wherever_indexing_stopped(void **state)
{
    (void)state;
    struct rng rng = {20221108};
    struct thing_id known[ROUNDS * RECORDS];
    size_t count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct txn *t;
        size_t records = rng_below(&rng, RECORDS);
        size_t before = town.event_count;
        for (size_t i = 0; i < records; i++, count++)
            random_record(&rng, known, count, &known[count]);
        township_node_take(&node, town.events + (round ? before : 0),
                           town.event_count - (round ? before : 0));
        assert_int_equal(txn_begin(node.store, true, &t), OK);
        if (rng_chance(&rng, 60)) (void)search_slice(t, SEARCH_SLICE_EVENTS);
        same_as_scan(&rng, t);
        assert_int_equal(txn_commit(t), OK);
    }
}

/* Also where the index was made while it did not count. */
static void who_stands_aside_is_not_found_and_whoever_comes_back_is(void **state)
{
    (void)state;
    const struct head_named none = {.seq = 1};
    const struct sign_key *author = &town.devices[0].signer.key;
    registered(&town.devices[0], "request.register", "邱大山", "13900001111");
    township_node_take_all(&node, &town);
    cut(author, &none, 0);
    assert_int_equal(hits("邱"), 0);
    index_all();
    assert_int_equal(hits("邱"), 0);
    cut(author, NULL, 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(hits("邱"), 1);
        assert_int_equal(hits("1111"), 1);
        index_all();
    }
    cut(author, &none, 0);
    assert_int_equal(hits("邱"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_stands_aside_is_not_found_and_whoever_comes_back_is),
        TEST(whoever_stands_in_a_box_is_found_before_and_after_indexing),
        TEST(whoever_is_no_request_and_no_volunteer_is_not_found),
        TEST(a_request_is_found_by_its_place),
        TEST(a_request_is_found_by_its_exact_reference),
        TEST(a_box_that_comes_later_is_indexed_then),
        TEST(what_is_erased_is_not_found_and_leaves_the_index),
        TEST(a_rebuild_throws_the_index_away),
        TEST(only_a_long_tail_is_caught_up_with),
        TEST(finds_what_a_scan_finds_wherever_indexing_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
