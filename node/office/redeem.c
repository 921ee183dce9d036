#include "node/office/redeem.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/msgpack.h"

/* pool × points passes 2^63 */
__extension__ typedef __int128 wide;

enum { WORD_SIZE_MAX = 16 };

static const char *const scheme_words[] = {"share", "rate", "bonus", "threshold", NULL};
static const char *const unit_words[] = {"fen", "yuan", "ten", NULL};
static const char *const rounding_words[] = {"floor", "nearest", NULL};
static const int64_t units_fen[] = {1, 100, 1000};

/* --- options ------------------------------------------------------------------------------ */

/* The place of a field's word in a list; 0 where the field is absent. Latches into *err. */
static size_t read_word(struct slice body, const char *key, const char *const *words, enum err *err)
{
    struct mp_reader r;
    if (*err || !mp_map_get(body, key, &r)) return 0;
    struct slice word = mp_read_str(&r, WORD_SIZE_MAX);
    for (size_t i = 0; words[i] && !r.err; i++)
        if (slice_is_text(word, words[i])) return i;
    *err = r.err ? r.err : ERR_RANGE;
    return 0;
}

static int64_t read_amount(struct slice body, const char *key, int64_t max, enum err *err)
{
    struct mp_reader r;
    if (*err || !mp_map_get(body, key, &r)) return 0;
    int64_t amount = (int64_t)mp_read_uint(&r, (uint64_t)max);
    *err = r.err;
    return amount;
}

static enum err read_bonuses(struct redeem_options *options, struct slice body)
{
    struct mp_reader r;
    if (!mp_map_get(body, "bonus", &r)) return OK;
    size_t count = mp_read_array(&r, REDEEM_BONUSES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t cells = mp_read_array(&r, 2);
        uint32_t rank = (uint32_t)mp_read_uint(&r, UINT32_MAX);
        int64_t fen = (int64_t)mp_read_uint(&r, (uint64_t)REDEEM_RATE_FEN_MAX);
        if (r.err || cells != 2) return r.err ? r.err : ERR_MALFORMED;
        if (rank == 0) return ERR_RANGE;
        for (size_t k = 0; k < i; k++)
            if (options->bonuses[k].rank == rank) return ERR_EXISTS;
        options->bonuses[i] = (struct redeem_bonus){rank, fen};
    }
    options->bonus_count = count;
    return r.err;
}

enum err redeem_read(struct redeem_options *out, struct slice body)
{
    struct mp_reader scheme;
    struct redeem_options o = {.scheme = REDEEM_SHARE};
    if (!mp_map_get(body, "scheme", &scheme)) return ERR_MALFORMED;
    enum err e = OK;
    o.scheme = (enum redeem_scheme)read_word(body, "scheme", scheme_words, &e);
    o.rate_fen = read_amount(body, "rate_fen", REDEEM_RATE_FEN_MAX, &e);
    o.base_points = (int32_t)read_amount(body, "base_pt", INT32_MAX, &e);
    o.min_points = (int32_t)read_amount(body, "min_points", INT32_MAX, &e);
    o.top_n = (uint32_t)read_amount(body, "top_n", UINT32_MAX, &e);
    o.cap_person_fen = read_amount(body, "cap_person_fen", REDEEM_POOL_FEN_MAX, &e);
    o.unit_fen = units_fen[read_word(body, "round", unit_words, &e)];
    o.nearest = read_word(body, "rounding", rounding_words, &e) == 1;
    if (!e) e = read_bonuses(&o, body);
    if (!e && o.scheme != REDEEM_SHARE && o.rate_fen == 0) e = ERR_RANGE;
    if (!e) *out = o;
    return e;
}

/* --- who takes part ------------------------------------------------------------------------ */

static int by_points(const void *a, const void *b)
{
    const struct redeem_person *x = a, *y = b;
    if (x->points != y->points) return x->points > y->points ? -1 : 1;
    return slice_compare(x->id, y->id);
}

static void sort(struct redeem_person *people, size_t count,
                 int (*compare)(const void *, const void *))
{
    if (count > 1) qsort(people, count, sizeof *people, compare);
}

/* They stand first; gives their number. */
static size_t rank_people(struct redeem_person *people, size_t count,
                          const struct redeem_options *options)
{
    size_t taking_part = 0;
    uint32_t rank = 0;
    sort(people, count, by_points);
    for (size_t i = 0; i < count; i++) {
        struct redeem_person *p = &people[i];
        if (i == 0 || p->points != people[i - 1].points) rank = (uint32_t)i + 1;
        bool takes_part = p->points > 0 && p->points >= options->min_points &&
                          (!options->top_n || rank <= options->top_n);
        p->rank = takes_part ? rank : 0;
        p->fen = 0;
        p->up = false;
        taking_part += takes_part;
    }
    return taking_part;
}

/* --- grants ------------------------------------------------------------------------------- */

static int64_t bonus_of(const struct redeem_options *options, uint32_t rank)
{
    for (size_t i = 0; i < options->bonus_count; i++)
        if (options->bonuses[i].rank == rank) return options->bonuses[i].fen;
    return 0;
}

/* What a person is owed, as a numerator over `den`: Σp for a share, else 10. */
static wide owed(const struct redeem_person *p, const struct redeem_options *options,
                 int64_t pool_fen)
{
    int64_t over = (int64_t)p->points - options->base_points;
    switch (options->scheme) {
    case REDEEM_SHARE:
        return (wide)pool_fen * p->points;
    case REDEEM_RATE:
        return (wide)p->points * options->rate_fen;
    case REDEEM_BONUS:
        return (wide)p->points * options->rate_fen + (wide)bonus_of(options, p->rank) * 10;
    case REDEEM_THRESHOLD:
        return over > 0 ? (wide)over * options->rate_fen : 0;
    }
    return 0;
}

/* The grant rounded down, and whether it is to go up by a unit. */
static void round_grant(struct redeem_person *p, wide num, int64_t den,
                        const struct redeem_options *options)
{
    int64_t cap = options->cap_person_fen, unit = options->unit_fen;
    if (cap && num > (wide)cap * den) num = (wide)cap * den;
    wide step = (wide)den * unit;
    p->fen = (int64_t)(num / step) * unit;
    p->rest = (int64_t)(num % step);
    p->up = options->nearest && (wide)p->rest * 2 >= step && (!cap || p->fen + unit <= cap);
}

/* Those rounded up first, and of them those who are the first to be rounded down. */
static int by_fraction(const void *a, const void *b)
{
    const struct redeem_person *x = a, *y = b;
    if (x->up != y->up) return x->up ? -1 : 1;
    if (x->rest != y->rest) return x->rest < y->rest ? -1 : 1;
    if (x->points != y->points) return x->points < y->points ? -1 : 1;
    return slice_compare(x->id, y->id);
}

/* Gives the sum of what was taken back, at least `excess`. */
static wide take_back(struct redeem_person *people, size_t count, wide excess, int64_t unit)
{
    wide taken = 0;
    sort(people, count, by_fraction);
    for (size_t i = 0; i < count && people[i].up; i++) {
        bool equal = i > 0 && people[i].points == people[i - 1].points;
        if (taken >= excess && !equal) break;
        people[i].up = false;
        taken += unit;
    }
    sort(people, count, by_points);
    return taken;
}

enum err redeem_grant(struct redeem_result *result, struct redeem_person *people, size_t count,
                      const struct redeem_options *options, int64_t pool_fen)
{
    int64_t points = 0, unit = options->unit_fen;
    wide down = 0, sum = 0;
    assert(unit > 0);
    if (pool_fen < 0 || pool_fen > REDEEM_POOL_FEN_MAX) return ERR_RANGE;
    size_t taking_part = rank_people(people, count, options);
    for (size_t i = 0; i < taking_part; i++) points += people[i].points;
    if (points > REDEEM_POINTS_SUM_MAX) return ERR_RANGE;
    for (size_t i = 0; i < taking_part; i++) {
        struct redeem_person *p = &people[i];
        round_grant(p, owed(p, options, pool_fen), options->scheme == REDEEM_SHARE ? points : 10,
                    options);
        down += p->fen;
        sum += p->fen + (p->up ? unit : 0);
    }
    *result = (struct redeem_result){.remainder_fen = pool_fen, .points = points};
    if (down > pool_fen) {
        wide missing = sum - pool_fen;
        result->missing_fen = missing > INT64_MAX ? INT64_MAX : (int64_t)missing;
        for (size_t i = 0; i < taking_part; i++) people[i].fen = 0;
        return ERR_LIMIT;
    }
    if (sum > pool_fen) sum -= take_back(people, taking_part, sum - pool_fen, unit);
    for (size_t i = 0; i < taking_part; i++) people[i].fen += people[i].up ? unit : 0;
    result->granted_fen = (int64_t)sum;
    result->remainder_fen = pool_fen - result->granted_fen;
    return OK;
}
