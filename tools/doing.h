#pragma once
/*
 * One run of a verb that records (tools/cmd_act.c): what it acts on, what it has been told so far,
 * and what it works out by itself.
 */
#include "tools/fields.h"

struct doing {
    struct cli *cli;
    const struct kind *kind;
    struct recording recording;
    struct act act;
    struct fields fields;
    struct draft draft;
    enum thing_type type; /* of the thing that is acted on, or founded */
    bool asking;          /* a person at a terminal is asked for the fields */
    uint64_t due_ms;      /* of a request, before the act; 0: none */
    uint32_t attempt;     /* of a request: the next callback's number */
    enum request_state state_before;
    const char *label; /* what people call the thing: number, name, or the start of its id */
    const char *id;    /* what names it on the next line: number, or the start of its id */
};

/* The request that is acted on: its number, lane, next callback. Other things: nothing. */
int doing_read_request(struct doing *d, struct txn *t);
/* Before a form's first question: an act that the request's state forbids is refused now. */
int doing_may_begin(struct doing *d);
/* What is taken where nothing is said; *out stays NULL where nothing is. */
int doing_default(struct doing *d, const struct field *f, const char **out);
/* "auto" for the official number: what the hub does by itself. */
bool doing_is_automatic(const struct doing *d, const struct field *f, const char *text);
/* Where a new thing stands: --village; else this device's village; else where what it names stands;
 * else `town`, or `office` where the kind stands nowhere else. */
int doing_scope(struct doing *d);
/* Fields that are worked out when it is recorded, within the recorder's transaction. */
int doing_fill_in(struct doing *d);
/* Label and id of the thing once the act is recorded. */
int doing_name(struct doing *d, struct txn *t, const struct recorded *recorded);
