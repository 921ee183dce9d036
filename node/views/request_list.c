#include "node/views/request.h"

#include <stdio.h>
#include <string.h>

#include "node/views/numbers.h"
#include "node/views/request_row.h"

/* --- lists --------------------------------------------------------------------------------- */

static bool filter_passes(const struct request_filter *filter, const struct request *r)
{
    if (!filter->any_state && !filter->open_only && r->state != filter->state) return false;
    if (filter->open_only && !request_is_open(r)) return false;
    if (r->registered_ms < filter->since_ms) return false;
    return !filter->overdue_at_ms || request_next_moment(r) < filter->overdue_at_ms;
}

static MUST_CHECK enum err
scope_each(struct txn *t, uint32_t scope_number, const struct request_filter *filter,
           bool (*each)(void *state, const struct thing_key *key, const struct request *r),
           void *state, bool *more)
{
    const uint8_t prefix = THING_REQUEST;
    struct row_cursor cursor = {
        .scope_number = scope_number, .table = ROW_THING, .prefix = slice_of(&prefix, 1)};
    struct slice key, row;
    struct request r = {0};
    while (*more && row_next(t, &cursor, &key, &row)) {
        struct thing_key thing = {.scope_number = scope_number};
        enum err err = row_thing_id(&thing.thing, key);
        if (!err) err = request_row_read_brief(&r, row);
        if (!err && !filter_passes(filter, &r)) continue;
        if (!err && !filter->brief) err = request_row_read(&r, row);
        if (err) return err;
        *more = each(state, &thing, &r);
    }
    return txn_error(t);
}

enum err requests_each(struct txn *t, const struct request_filter *filter,
                       bool (*each)(void *state, const struct thing_key *key,
                                    const struct request *r),
                       void *state)
{
    bool more = true;
    if (filter->scope_number)
        return scope_each(t, filter->scope_number, filter, each, state, &more);
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; more && scope <= scopes; scope++) {
        struct scope_row row;
        bool office = scope_get(t, scope, &row) && scope_class(&row.scope) == SCOPE_OFFICE;
        if (office != filter->accusations) continue;
        enum err err = scope_each(t, scope, filter, each, state, &more);
        if (err) return err;
    }
    return OK;
}

enum err request_find_number(struct txn *t, struct slice number, struct thing_key *out)
{
    size_t found = 0;
    struct thing_key thing = {0};
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; number.size && scope <= scopes; scope++) {
        struct row_cursor cursor = {.scope_number = scope, .table = ROW_NUMBER, .prefix = number};
        struct slice key, row;
        while (row_next(t, &cursor, &key, &row)) {
            if (key.size != number.size + sizeof thing.thing.bytes) continue;
            found++;
            thing.scope_number = scope;
            memcpy(thing.thing.bytes, key.data + number.size, sizeof thing.thing.bytes);
        }
    }
    enum err err = txn_error(t);
    if (err) return err;
    if (found != 1) return found ? ERR_AMBIGUOUS : ERR_NOT_FOUND;
    *out = thing;
    return OK;
}

enum err requests_count_open(struct txn *t, uint32_t scope_number, uint64_t now_ms, uint64_t *open,
                             uint64_t *overdue)
{
    struct scope_row scope;
    struct row_cursor cursor = {.scope_number = scope_number, .table = ROW_OPEN};
    struct slice key, row;
    uint64_t late = 0;
    bool held = scope_get(t, scope_number, &scope);
    while (row_next(t, &cursor, &key, &row) && key.size > 8 && be64_get(key.data) < now_ms) late++;
    enum err err = txn_error(t);
    if (err) return err;
    *open = held ? scope.open_rows : 0;
    *overdue = late;
    return OK;
}

enum err requests_each_unnumbered(struct txn *t,
                                  bool (*each)(void *state, const struct thing_key *key),
                                  void *state)
{
    uint32_t scopes = scope_count(t);
    for (uint32_t number = 1; number <= scopes; number++) {
        struct row_cursor cursor = {.scope_number = number, .table = ROW_UNNUMBERED};
        struct slice key, row;
        while (row_next(t, &cursor, &key, &row)) {
            struct thing_key thing = {.scope_number = number};
            if (key.size != sizeof thing.thing.bytes) return ERR_CORRUPT;
            memcpy(thing.thing.bytes, key.data, key.size);
            if (!each(state, &thing)) return txn_error(t);
        }
    }
    return txn_error(t);
}

/* --- numbers ------------------------------------------------------------------------------- */

static MUST_CHECK enum err number_take(struct txn *t, const char *series, char out[16])
{
    uint64_t number;
    enum err err = numbers_next(t, series, &number);
    if (!err) snprintf(out, 16, "%.7s-%04u", series, (unsigned)(number % 10000000));
    return err;
}

enum err request_next_number(struct txn *t, const struct roster *roster,
                             const struct device *device, char out[16])
{
    unsigned number = 0; /* of the township's own devices */
    if (!device_is_township(device)) {
        const struct village *village = roster_village(roster, device->village);
        if (!village) return ERR_NOT_FOUND;
        number = village->number;
    }
    char series[NUMBER_SERIES_SIZE_MAX + 1];
    snprintf(series, sizeof series, "%02u%c", number % 1000, device->letter);
    return number_take(t, series, out);
}

enum err request_next_accusation(struct txn *t, const struct device *device, char out[16])
{
    const char series[] = {'J', 'B', device->roles & ROLE_HUB ? '\0' : device->letter, '\0'};
    return number_take(t, series, out);
}

enum err request_next_official(struct txn *t, uint32_t year, char out[16])
{
    char series[NUMBER_SERIES_SIZE_MAX + 1];
    snprintf(series, sizeof series, "%04u", (unsigned)(year % 10000));
    return number_take(t, series, out);
}
