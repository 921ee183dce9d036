#pragma once
/*
 * Redemption runs (积分兑换) as their rows have them: what was decided, granted and paid. Stage 2
 * over the rows of type redeem; only township devices hold any. Money is fen, points are tenths.
 */
#include "node/views/thing.h"

#define REDEMPTION_VOUCHER_SIZE_MAX 64

struct redemption_grant {
    struct thing_id person;
    char village[13];
    int32_t points;
    int64_t fen;
    bool paid;
    uint32_t paid_day;
    char voucher[REDEMPTION_VOUCHER_SIZE_MAX + 1]; /* "" until it is paid */
};

struct redemption {
    struct thing_key key;
    uint32_t year;
    uint32_t rules; /* version of the rule in force when it was opened */
    uint64_t opened_ms;
    bool completed;
    int64_t pool, granted, paid;
    int64_t total;                   /* points of the list, as stated when it was opened */
    struct hash list;                /* digest of that list (SPEC 20.6) */
    struct redemption_grant *grants; /* by person */
    size_t grant_count;
};

struct redemptions {
    struct redemption *runs; /* by the time they were opened, then id */
    size_t count;
};
/* The runs of a year's account; 0: of all years. Owned by the caller: redemptions_clear.
 * Errors: ERR_NOMEM, ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err redemptions_load(struct redemptions *out, struct txn *t, uint32_t year);
void redemptions_clear(struct redemptions *r);

/* NULL: nothing was granted to that person. */
const struct redemption_grant *redemption_grant_of(const struct redemption *run,
                                                   const struct thing_id *person);
/* The first run that is not completed; NULL: none. */
const struct redemption *redemptions_open(const struct redemptions *r);
