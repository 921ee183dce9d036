#pragma once
/*
 * What points are worth in a redemption run (积分兑换): grants in fen from a pool, by one of four
 * schemes. Points are tenths of a point. Exact fractions until the one rounding at the end.
 *
 *   share      pool × p / Σp of those who take part
 *   rate       p × rate
 *   bonus      p × rate + the bonus of the person's rank
 *   threshold  (p − base) × rate, nothing below the base
 *
 * Invariants: the sum of the grants is never above the pool; remainder = pool − sum, shown and not
 * handed out; equal points are equal money; the order of the input does not matter.
 *
 * Rounding to the nearest can pass the pool. Then as many are rounded down instead as it takes, the
 * smallest fractions first (largest remainder); of one fraction, the fewest points first; people of
 * equal points together.
 */
#include "common/bytes.h"
#include "common/limits.h"

#define REDEEM_POOL_FEN_MAX INT64_C(1000000000000)
#define REDEEM_RATE_FEN_MAX INT64_C(1000000000)  /* of a point; of a bonus too */
#define REDEEM_POINTS_SUM_MAX (INT64_C(1) << 40) /* tenths, all together */

enum redeem_scheme { REDEEM_SHARE, REDEEM_RATE, REDEEM_BONUS, REDEEM_THRESHOLD };

struct redeem_options {
    enum redeem_scheme scheme;
    int64_t rate_fen;    /* a whole point; more than 0 but for share */
    int32_t base_points; /* threshold */
    struct redeem_bonus {
        uint32_t rank;
        int64_t fen;
    } bonuses[REDEEM_BONUSES_MAX]; /* bonus; people who share a rank have each its bonus */
    size_t bonus_count;
    int32_t min_points; /* who has less takes no part; nor does who has none */
    uint32_t top_n;     /* who ranks behind takes no part; 0: all do. Shared ranks count whole */
    int64_t cap_person_fen; /* 0: none. What it takes from one person goes to nobody */
    int64_t unit_fen;       /* 1, 100 (yuan), 1000 (ten yuan) */
    bool nearest;           /* half up; else down */
};

/* Reads the scanned body of a rule: scheme (share, rate, bonus, threshold), rate_fen, base_pt,
 * bonus (rows [rank, fen]), min_points, top_n, cap_person_fen, round (fen, yuan, ten), rounding
 * (floor, nearest). All but `scheme`, and `rate_fen` where the scheme needs it, may be absent: 0,
 * none, fen, floor.
 * Errors: ERR_MALFORMED, ERR_RANGE, ERR_EXISTS (a rank with two bonuses). */
MUST_CHECK enum err redeem_read(struct redeem_options *out, struct slice body);

struct redeem_person {
    struct slice id; /* borrowed */
    int32_t points;
    uint32_t rank; /* result: shared as in rank.h; 0: takes no part */
    int64_t fen;   /* result: the grant */
    bool up;       /* redeem.c's own, as the next: rounded up, */
    int64_t rest;  /* and the fraction that was rounded */
};

struct redeem_result {
    int64_t granted_fen;
    int64_t remainder_fen; /* of the pool */
    int64_t points;        /* Σp of those who take part */
    int64_t missing_fen;   /* what the pool lacks; not 0 with ERR_LIMIT only */
};

/* Grants by `options`; sorts the people by points, equal ones by id. ERR_LIMIT: by the scheme they
 * are owed more than the pool holds even when rounded down; nobody is granted anything, for a rate
 * that was made public is not the program's to lower, and the result, which is written in this case
 * too, says what is missing. Other errors: ERR_RANGE (a pool below 0 or above the maximum; points
 * above the maximum). */
MUST_CHECK enum err redeem_grant(struct redeem_result *result, struct redeem_person *people,
                                 size_t count, const struct redeem_options *options,
                                 int64_t pool_fen);
