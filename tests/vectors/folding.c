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

json_t *make_histories(unsigned count, uint64_t seed)
{
    static struct township town;
    struct rng rng = {seed};
    json_t *events = json_array(), *root = json_object();
    township_begin(&town, 3);
    histories_begin(&town);
    for (unsigned i = 0; i < count; i++) histories_add(&town, &rng);
    for (size_t i = 0; i < town.event_count; i++)
        json_array_append_new(events, hex(town.events[i]->header));
    json_object_set_new(root, "authority", hex(slice_of(town.authority.signer.key.bytes, 32)));
    json_object_set_new(root, "events", events);
    json_object_set_new(root, "rows", rows_of(&town));
    township_end(&town);
    return root;
}
