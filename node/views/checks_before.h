#pragma once
/*
 * The checks across things, asked before something is recorded here: what the flags of checks.h
 * would say of it is refused with the field, the reason and what to do; what is probably a mistake
 * is a reminder, and recorded all the same.
 */
#include "node/views/checks.h"
#include "proto/kinds.h"

struct checks_draft { /* body and box are encoded, and checked against the kind */
    const struct kind *kind;
    const struct scope *scope;
    bool founding;
    struct thing_id subject; /* unless it founds */
    struct sign_key author;
    struct slice body, box;
    uint64_t now_ms;
    bool reminders; /* a person reads them */
};
struct checks_finding {
    char field[32];   /* "": about none */
    const char *what; /* msgid; NULL: nothing found */
    const char *todo; /* msgid */
    char said[64];    /* what the other one is called: a number, a day; "" */
    bool has_other;   /* the thing that it collides with: */
    struct check_thing other;
};
/* OK with out->what NULL: nothing; OK with it set: a reminder; ERR_EXISTS (a number, phone,
 * reference, team or time that another has), ERR_STATE (somebody or something that may not): not to
 * be recorded. Other errors: ERR_NOMEM, the transaction's. Within a write transaction a part of
 * what look-ups lag behind is indexed first. */
MUST_CHECK enum err checks_before(struct views *v, struct txn *t, bool writable,
                                  const struct checks_draft *draft, struct checks_finding *out);

/* May this person have signed a 交办函 as the order's body says (secretary or mayor, in office on
 * the day of signing, else on the day of `ms`)? Who is not held here is not doubted. */
bool checks_may_sign(struct txn *t, const struct thing_id *person, struct slice order, uint64_t ms);
