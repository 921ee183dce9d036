#pragma once
/*
 * A request (诉求): its state machine as a table, its folded row, and lists over the rows.
 */
#include "node/views/views.h"

#define REQUEST_STATES(X)                                                                          \
    X(REQUEST_HELD, "held", "未见登记")                                                            \
    X(REQUEST_REGISTERED, "registered", "待受理")                                                  \
    X(REQUEST_ACCEPTED, "accepted", "待交办")                                                      \
    X(REQUEST_ASSIGNED, "assigned", "待签收")                                                      \
    X(REQUEST_IN_PROGRESS, "in_progress", "办理中")                                                \
    X(REQUEST_REPORTED, "reported", "待回访")                                                      \
    X(REQUEST_CLOSED, "closed", "已办结")

enum request_state {
#define REQUEST_STATE_ENUM(code, name, zh) code,
    REQUEST_STATES(REQUEST_STATE_ENUM)
#undef REQUEST_STATE_ENUM
        REQUEST_STATE_COUNT
};
const char *request_state_name(enum request_state s);
const char *request_state_zh(enum request_state s);
MUST_CHECK enum err request_state_parse(enum request_state *out, struct slice name);

/* The row of stage 1, decoded; slices borrowed from the row. */
struct request {
    enum request_state state;
    struct slice number;          /* 03A-0127, as registered */
    struct slice official_number; /* the hub's, empty before acceptance */
    char village[13];
    struct slice channel, nature, category;
    uint32_t urgency;             /* 1..3 */
    uint64_t received_ms, registered_ms;
    uint64_t due_ms;              /* 0: none */
    struct slice holder;          /* responsible unit or person, as the order names it */
    struct thing_id signer_by;    /* who signed for it; zero before */
    bool callback_reached;        /* a visit reached the person in this round */
    uint32_t rating;              /* 0: none */
    bool solved;
    struct slice result;          /* of the close */
    bool both_changed;            /* 两边都改过: no township act has seen it yet */
    uint32_t events, effective;
};
MUST_CHECK enum err request_row_read(struct request *out, struct slice row);
bool request_is_open(const struct request *r);

/* May an event of this kind by an author with these roles act in this state? For the recorder to
 * refuse before signing. Errors: ERR_FORBIDDEN, ERR_STATE; *next the state after it. */
MUST_CHECK enum err request_may(enum request_state state, const char *kind, uint32_t roles,
                                bool callback_reached, enum request_state *next);

/* Lists: calls back for each request of a scope (or of all scopes when scope_number is 0). */
struct request_filter {
    uint32_t scope_number;
    bool any_state;
    enum request_state state;
    bool open_only;
    uint64_t overdue_at_ms;  /* 0: do not ask; else open and due before */
    uint64_t since_ms;       /* registered at or after */
};
MUST_CHECK enum err requests_each(struct txn *t, const struct request_filter *filter,
                                  bool (*each)(void *state, const struct thing_key *key,
                                               const struct request *r),
                                  void *state);
/* By 03A-0127 or the official number, in any scope. Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err request_find_number(struct txn *t, struct slice number, struct thing_key *out);
/* Open and overdue of a scope at a time, from the ROW_OPEN index. */
MUST_CHECK enum err requests_count_open(struct txn *t, uint32_t scope_number, uint64_t now_ms,
                                        uint64_t *open, uint64_t *overdue);
/* The next village number (03A-0127) for this device, from what it recorded so far. */
MUST_CHECK enum err request_next_number(struct txn *t, const struct roster *roster,
                                        const struct device *device, char out[16]);
/* The next official number of the hub (2026-0001). */
MUST_CHECK enum err request_next_official(struct txn *t, uint32_t year, char out[16]);
