/*
 * What a township's events fold to: every row of its hub. Of random histories, for a second
 * implementation to fold the same.
 */
#include "tests/vectors/vectors.h"

#include "node/views/views.h"
#include "tests/support/histories.h"

static void scope_rows(json_t *rows, struct txn *t, uint32_t number)
{
    struct scope_row scope;
    struct slice key, value;
    struct row_cursor cursor = {.scope_number = number, .table = ROW_THING};
    must(scope_get(t, number, &scope), "scope");
    while (row_next(t, &cursor, &key, &value))
        json_array_append_new(rows, json_pack("{s:s, s:o, s:o}", "scope", scope.scope.text, "key",
                                              hex(key), "value", hex(value)));
}

static json_t *rows_of(struct township *town)
{
    struct township_node node;
    struct txn *t;
    json_t *rows = json_array();
    township_node_open(&node, town, &town->hub);
    township_node_take_all(&node, town);
    township_node_settle(&node);
    must(txn_begin(node.store, false, &t) == OK, "transaction");
    for (uint32_t number = 1; number <= scope_count(t); number++) scope_rows(rows, t, number);
    txn_abort(t);
    township_node_close(&node);
    return rows;
}

/* --- what chance seldom brings about ---------------------------------------------------------- */

#define PERSON(n) "{\"$bin\":\"" #n "0000000000000000000000000000000\"}"
#define LIST "\"0000000000000000000000000000000000000000000000000000000000000001\""

#define SIGNUP "{\"person\":\"10000000000000000000000000000000\",\"by_proxy\":\"phone\"}"

struct line {
    const char *kind, *body;
};

static const struct line redemption[] = {
    {"redeem.open", "{\"year\":2025,\"pool\":1000,\"total\":300,\"list\":" LIST
                    ",\"signed_by\":\"10000000000000000000000000000000\"}"},
    {"redeem.grant", "{\"rows\":[[" PERSON(1) ",\"431322111201\",100,600],[" PERSON(
                         2) ",\"431322111201\",50,300]]}"},
    {"redeem.grant", "{\"rows\":[[" PERSON(3) ",\"431322111201\",50,101]]}"},
    {"redeem.pay",
     "{\"paid\":\"2025-12-01\",\"signed\":true,\"rows\":[[" PERSON(1) ",600,\"a\"]]}"},
    {"redeem.pay",
     "{\"paid\":\"2025-12-01\",\"signed\":true,\"rows\":[[" PERSON(1) ",600,\"b\"]]}"},
    {"redeem.pay",
     "{\"paid\":\"2025-12-01\",\"signed\":false,\"rows\":[[" PERSON(2) ",300,\"c\"]]}"},
    {"redeem.close", "{\"paid\":900,\"remainder\":100}"},
    {"redeem.close", "{\"paid\":600,\"remainder\":400}"},
    {NULL, NULL},
};

static const struct line volunteer[] = {
    {"volunteer.register", "{\"joined\":\"2025-01-01\"}"},
    {"card.issue", "{\"card_no\":\"1\",\"services\":[]}"},
    {"consent.give", "{\"purpose\":\"card\",\"method\":\"paper\"}"},
    {"card.issue", "{\"card_no\":\"1\",\"services\":[]}"},
    {"card.issue", "{\"card_no\":\"2\",\"services\":[]}"},
    {"card.withdraw", "{\"card_no\":\"1\",\"reason\":\"lost\"}"},
    {"card.withdraw", "{\"card_no\":\"1\",\"reason\":\"lost\"}"},
    {"volunteer.leave", "{\"reason\":\"moved\",\"on\":\"2025-11-01\"}"},
    {"card.withdraw", "{\"card_no\":\"2\",\"reason\":\"left\"}"},
    {NULL, NULL},
};

static const struct line call[] = {
    {"call.publish", "{\"title\":\"a\",\"category\":\"patrol\",\"place\":\"b\",\"start\":1,"
                     "\"need\":1,\"risk\":\"c\",\"hazard\":false}"},
    {"call.signup", SIGNUP},
    {"call.signup", SIGNUP},
    {"call.cancel", SIGNUP},
    {"call.cancel", SIGNUP},
    {"call.signup", SIGNUP},
    {NULL, NULL},
};

static void tell(struct township *town, struct township_device *d, const char *scope,
                 const struct line *lines)
{
    const struct event *first = NULL;
    struct township_act act = {.scope = scope};
    for (; lines->kind; lines++) {
        act.kind = lines->kind;
        act.body = lines->body;
        act.subject = first ? &first->subject : NULL;
        const struct event *e = township_record(town, d, &act);
        if (!first) first = e;
        act.depth = ++act.seen;
    }
}

json_t *make_histories(unsigned count, uint64_t seed)
{
    static struct township town;
    struct rng rng = {seed};
    json_t *events = json_array(), *root = json_object();
    township_begin(&town, 3);
    histories_begin(&town);
    for (unsigned i = 0; i < count; i++) histories_add(&town, &rng);
    tell(&town, &town.hub, "office", redemption);
    tell(&town, &town.devices[0], "village:431322111201", volunteer);
    tell(&town, &town.devices[0], "town", call);
    for (size_t i = 0; i < town.event_count; i++)
        json_array_append_new(events, hex(town.events[i]->header));
    json_object_set_new(root, "authority", hex(slice_of(town.authority.signer.key.bytes, 32)));
    json_object_set_new(root, "events", events);
    json_object_set_new(root, "rows", rows_of(&town));
    township_end(&town);
    return root;
}
