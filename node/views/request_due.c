#include "node/views/request_due.h"

#include <stdlib.h>
#include <string.h>

/* The next row of one scope's index. */
struct due_front {
    struct row_cursor cursor;
    uint8_t key[8 + sizeof(struct thing_id)]; /* due be64 ‖ thing id; the order of all fronts */
    bool left;
};

struct due_merge {
    struct due_front *fronts;
    size_t count;
};

static MUST_CHECK enum err front_step(struct txn *t, struct due_front *front)
{
    struct slice key, value;
    front->left = row_next(t, &front->cursor, &key, &value);
    if (!front->left) return txn_error(t);
    if (key.size != sizeof front->key) return ERR_CORRUPT;
    memcpy(front->key, key.data, sizeof front->key);
    return OK;
}

static MUST_CHECK enum err front_add(struct txn *t, struct due_merge *m, uint32_t scope_number)
{
    struct due_front *front = &m->fronts[m->count++];
    *front = (struct due_front){.cursor = {.scope_number = scope_number, .table = ROW_OPEN}};
    return front_step(t, front);
}

static bool is_counted(struct txn *t, uint32_t scope_number, uint32_t wanted)
{
    struct scope_row scope;
    if (wanted) return scope_number == wanted;
    return scope_get(t, scope_number, &scope) && scope_class(&scope.scope) != SCOPE_OFFICE;
}

static MUST_CHECK enum err merge_begin(struct txn *t, uint32_t wanted, struct due_merge *m)
{
    uint32_t scopes = scope_count(t);
    m->fronts = calloc((size_t)scopes + 1, sizeof *m->fronts);
    if (!m->fronts) return ERR_NOMEM;
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        if (!is_counted(t, scope, wanted)) continue;
        enum err err = front_add(t, m, scope);
        if (err) return err;
    }
    return txn_error(t);
}

static struct due_front *merge_least(const struct due_merge *m)
{
    struct due_front *least = NULL;
    for (size_t i = 0; i < m->count; i++) {
        struct due_front *front = &m->fronts[i];
        if (front->left && (!least || memcmp(front->key, least->key, sizeof front->key) < 0))
            least = front;
    }
    return least;
}

enum err requests_by_due(struct txn *t, uint32_t scope_number,
                         bool (*each)(void *state, const struct thing_key *key,
                                      const struct request *r, uint64_t due_ms),
                         void *state)
{
    struct due_merge m = {0};
    struct due_front *front;
    enum err err = merge_begin(t, scope_number, &m);
    while (!err && (front = merge_least(&m)) != NULL) {
        struct thing_key key = {.scope_number = front->cursor.scope_number};
        uint64_t due_ms = be64_get(front->key);
        struct request r;
        memcpy(key.thing.bytes, front->key + 8, sizeof key.thing.bytes);
        err = request_get(t, &key, &r);
        if (err == ERR_NOT_FOUND) err = ERR_CORRUPT;
        if (err || !each(state, &key, &r, due_ms == UINT64_MAX ? 0 : due_ms)) break;
        err = front_step(t, front);
    }
    free(m.fronts);
    return err;
}

enum err requests_due_count(struct txn *t, uint32_t scope_number, uint64_t now_ms,
                            uint64_t soon_until_ms, struct due_counts *out)
{
    struct due_counts counts = {0};
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        struct row_cursor cursor = {.scope_number = scope, .table = ROW_OPEN};
        struct scope_row row;
        struct slice key, value;
        if (!is_counted(t, scope, scope_number) || !scope_get(t, scope, &row)) continue;
        counts.open += row.open_rows;
        while (row_next(t, &cursor, &key, &value) && key.size > 8) {
            uint64_t due_ms = be64_get(key.data);
            if (due_ms >= soon_until_ms) break;
            if (due_ms < now_ms)
                counts.overdue++;
            else
                counts.soon++;
        }
    }
    enum err err = txn_error(t);
    if (!err) *out = counts;
    return err;
}
