#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/office/redeem.h"
#include "proto/msgpack.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define YUAN INT64_C(100)
#define POOL (200000 * YUAN)

static struct redeem_options options(enum redeem_scheme scheme, int64_t rate_fen, int64_t unit_fen,
                                     bool nearest)
{
    return (struct redeem_options){
        .scheme = scheme, .rate_fen = rate_fen, .unit_fen = unit_fen, .nearest = nearest};
}

static struct redeem_person person(const char *id, int32_t points)
{
    return (struct redeem_person){.id = slice_of_text(id), .points = points};
}

/* The grant of one with 93 points, third of all who have `sum` tenths together. */
static int64_t grant_of_93(const struct redeem_options *o, int32_t sum)
{
    static struct redeem_person people[64];
    static char ids[COUNT(people)][2];
    struct redeem_result result;
    size_t count = 3;
    people[0] = person("third", 930);
    people[1] = person("first", 1200);
    people[2] = person("second", 1000);
    for (int32_t left = sum - 930 - 1200 - 1000; left > 0; left -= 929, count++) {
        ids[count][0] = (char)('0' + count);
        people[count] = person(ids[count], left > 929 ? 929 : left);
    }
    assert_int_equal(redeem_grant(&result, people, count, o, POOL), OK);
    assert_int_equal(result.points, sum);
    assert_true(slice_is_text(people[2].id, "third"));
    assert_int_equal(people[2].rank, 3);
    return people[2].fen;
}

static void ninety_three_points_of_a_pool_are_3190_yuan(void **state)
{
    (void)state;
    struct redeem_options down = options(REDEEM_SHARE, 0, YUAN, false);
    struct redeem_options nearest = options(REDEEM_SHARE, 0, YUAN, true);
    struct redeem_options ten = options(REDEEM_SHARE, 0, 10 * YUAN, true);
    struct redeem_options fen = options(REDEEM_SHARE, 0, 1, false);
    assert_int_equal(grant_of_93(&down, 58300), 319000);
    assert_int_equal(grant_of_93(&down, 58310), 318900);
    assert_int_equal(grant_of_93(&nearest, 58310), 319000);
    assert_int_equal(grant_of_93(&fen, 58300), 319039);
    assert_int_equal(grant_of_93(&ten, 58220), 319000);
    assert_int_equal(grant_of_93(&ten, 58390), 319000);
    assert_int_equal(grant_of_93(&ten, 58200), 320000);
    assert_int_equal(grant_of_93(&ten, 58410), 318000);
}

static void ninety_three_points_at_a_rate_are_3190_yuan(void **state)
{
    (void)state;
    struct redeem_options fen = options(REDEEM_RATE, 3430, 1, false);
    struct redeem_options down = options(REDEEM_RATE, 3430, YUAN, false);
    struct redeem_options nearest = options(REDEEM_RATE, 3430, YUAN, true);
    assert_int_equal(grant_of_93(&fen, 40000), 318990);
    assert_int_equal(grant_of_93(&down, 40000), 318900);
    assert_int_equal(grant_of_93(&nearest, 40000), 319000);
}

static void ninety_three_points_and_the_third_rank_are_3190_yuan(void **state)
{
    (void)state;
    struct redeem_options o = options(REDEEM_BONUS, 30 * YUAN, 1, false);
    o.bonuses[0] = (struct redeem_bonus){1, 1000 * YUAN};
    o.bonuses[1] = (struct redeem_bonus){3, 400 * YUAN};
    o.bonus_count = 2;
    assert_int_equal(grant_of_93(&o, 40000), 319000);
}

static void ninety_three_points_above_a_base_are_3190_yuan(void **state)
{
    (void)state;
    struct redeem_options o = options(REDEEM_THRESHOLD, 55 * YUAN, 1, false);
    o.base_points = 350;
    assert_int_equal(grant_of_93(&o, 30000), 319000);
}

/* "id:rank=fen" of each, in the order of the result, then "+remainder". */
static void grants(struct redeem_person *people, size_t count, const struct redeem_options *o,
                   int64_t pool_fen, const char *expected)
{
    struct buf out = {0};
    struct redeem_result result;
    assert_int_equal(redeem_grant(&result, people, count, o, pool_fen), OK);
    for (size_t i = 0; i < count; i++) {
        buf_append_slice(&out, people[i].id);
        buf_printf(&out, ":%u=%lld ", people[i].rank, (long long)people[i].fen);
    }
    buf_printf(&out, "+%lld", (long long)result.remainder_fen);
    assert_string_equal(buf_text(&out), expected);
    assert_int_equal(result.granted_fen, pool_fen - result.remainder_fen);
    assert_int_equal(result.missing_fen, 0);
    buf_clear(&out);
}

static void those_with_too_few_points_take_no_part(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("a", 60), person("b", 40), person("c", 20),
                                     person("d", 0), person("e", -5)};
    struct redeem_options o = options(REDEEM_SHARE, 0, 1, false);
    grants(people, 5, &o, 1200, "a:1=600 b:2=400 c:3=200 d:0=0 e:0=0 +0");
    o.min_points = 40;
    grants(people, 5, &o, 1200, "a:1=720 b:2=480 c:0=0 d:0=0 e:0=0 +0");
}

static void the_first_n_take_part_with_all_who_share_the_last_rank(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("d", 30), person("c", 50), person("b", 50),
                                     person("a", 60)};
    struct redeem_options o = options(REDEEM_SHARE, 0, 1, false);
    o.top_n = 2;
    grants(people, 4, &o, 1600, "a:1=600 b:2=500 c:2=500 d:0=0 +0");
    o.top_n = 1;
    grants(people, 4, &o, 1600, "a:1=1600 b:0=0 c:0=0 d:0=0 +0");
}

static void a_cap_holds_after_rounding_and_goes_to_nobody(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("a", 900), person("b", 100)};
    struct redeem_options o = options(REDEEM_SHARE, 0, YUAN, true);
    o.cap_person_fen = 450 * YUAN + 60;
    grants(people, 2, &o, 1000 * YUAN, "a:1=45000 b:2=10000 +45000");
}

static void rounding_up_never_passes_the_pool(void **state)
{
    (void)state;
    /* 333.33…, 333.33…, 333.33… of 1000: nothing goes up; 166.67 each of six: all would */
    struct redeem_person six[] = {person("a", 10), person("b", 10), person("c", 10),
                                  person("d", 10), person("e", 10), person("f", 10)};
    struct redeem_options o = options(REDEEM_SHARE, 0, 1, true);
    grants(six, 3, &o, 1000, "a:1=333 b:1=333 c:1=333 +1");
    grants(six, 6, &o, 1000, "a:1=166 b:1=166 c:1=166 d:1=166 e:1=166 f:1=166 +4");
    /* 10 of 5.5 + 2.5 + 2.0: the smallest fraction goes down, of one the fewest points */
    struct redeem_person three[] = {person("a", 55), person("b", 25), person("c", 20)};
    grants(three, 3, &o, 10, "a:1=6 b:2=2 c:3=2 +0");
    /* 10 of 3.6 + 3.6 + 2.8: both of 3.6 cannot go up, and neither does alone */
    struct redeem_person equal[] = {person("a", 36), person("b", 36), person("c", 28)};
    grants(equal, 3, &o, 10, "a:1=3 b:1=3 c:3=3 +1");
    struct redeem_options rate = options(REDEEM_RATE, 5, 1, true);
    struct redeem_person two[] = {person("a", 15), person("b", 11)};
    grants(two, 2, &rate, 14, "a:1=8 b:2=6 +0");
    grants(two, 2, &rate, 13, "a:1=8 b:2=5 +0");
    grants(two, 2, &rate, 12, "a:1=7 b:2=5 +0");
}

static void grants_nothing_when_the_rate_asks_for_more_than_the_pool(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("a", 100), person("b", 50)};
    struct redeem_options o = options(REDEEM_RATE, 1000, 1, false);
    struct redeem_result result;
    assert_int_equal(redeem_grant(&result, people, 2, &o, 14999), ERR_LIMIT);
    assert_int_equal(result.missing_fen, 1);
    assert_int_equal(result.granted_fen, 0);
    assert_int_equal(result.remainder_fen, 14999);
    assert_int_equal(people[0].fen + people[1].fen, 0);
    grants(people, 2, &o, 15000, "a:1=10000 b:2=5000 +0");
}

static void a_bonus_is_for_each_of_a_shared_rank(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("c", 10), person("b", 20), person("a", 20)};
    struct redeem_options o = options(REDEEM_BONUS, 100, 1, false);
    o.bonuses[0] = (struct redeem_bonus){1, 50};
    o.bonuses[1] = (struct redeem_bonus){2, 30};
    o.bonuses[2] = (struct redeem_bonus){3, 10};
    o.bonus_count = 3;
    grants(people, 3, &o, 1000, "a:1=250 b:1=250 c:3=110 +390");
}

static void nobody_and_nothing_are_fine(void **state)
{
    (void)state;
    struct redeem_options o = options(REDEEM_SHARE, 0, 1, true);
    struct redeem_person zero[] = {person("a", 0)};
    grants(NULL, 0, &o, 1000, "+1000");
    grants(zero, 1, &o, 1000, "a:0=0 +1000");
    zero[0].points = 1;
    grants(zero, 1, &o, 0, "a:1=0 +0");
}

static void the_greatest_numbers_do_not_overflow(void **state)
{
    (void)state;
    struct redeem_person people[] = {person("a", INT32_MAX), person("b", INT32_MAX)};
    struct redeem_options o = options(REDEEM_SHARE, 0, 1000, true);
    grants(people, 2, &o, REDEEM_POOL_FEN_MAX, "a:1=500000000000 b:1=500000000000 +0");
    struct redeem_result result;
    o = options(REDEEM_RATE, REDEEM_RATE_FEN_MAX, 1, true);
    assert_int_equal(redeem_grant(&result, people, 2, &o, REDEEM_POOL_FEN_MAX), ERR_LIMIT);
    assert_int_equal(result.missing_fen,
                     2 * (INT64_C(100000000) * INT32_MAX) - REDEEM_POOL_FEN_MAX);
    assert_int_equal(redeem_grant(&result, people, 2, &o, -1), ERR_RANGE);
    assert_int_equal(redeem_grant(&result, people, 2, &o, REDEEM_POOL_FEN_MAX + 1), ERR_RANGE);
    static struct redeem_person many[600];
    for (size_t i = 0; i < COUNT(many); i++) many[i] = person("x", INT32_MAX);
    assert_int_equal(redeem_grant(&result, many, COUNT(many), &o, 1), ERR_RANGE);
}

/* --- a random population, by every scheme and option --- */

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((random_state >> 33) % bound);
}

enum { POPULATION = 40 };

static struct redeem_options random_options(void)
{
    static const int64_t units[] = {1, 100, 1000};
    struct redeem_options o = options((enum redeem_scheme)random_below(4), 1 + random_below(9000),
                                      units[random_below(3)], random_below(2));
    o.base_points = (int32_t)random_below(600);
    o.min_points = random_below(2) ? (int32_t)random_below(300) : 0;
    o.top_n = random_below(2) ? random_below(POPULATION) : 0;
    o.cap_person_fen = random_below(2) ? 1 + random_below(500000) : 0;
    o.bonus_count = random_below(6);
    for (size_t i = 0; i < o.bonus_count; i++)
        o.bonuses[i] = (struct redeem_bonus){(uint32_t)i + 1, random_below(50000)};
    return o;
}

static void assert_holds(const struct redeem_person *people, size_t count,
                         const struct redeem_options *o, int64_t pool,
                         const struct redeem_result *result)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct redeem_person *p = &people[i];
        assert_true(p->fen >= 0 && p->fen % o->unit_fen == 0);
        assert_true(!o->cap_person_fen || p->fen <= o->cap_person_fen);
        assert_true(p->rank || p->fen == 0);
        assert_true(p->rank || p->points < 1 || p->points < o->min_points || o->top_n);
        if (i > 0 && p->points == people[i - 1].points) assert_int_equal(p->fen, people[i - 1].fen);
        if (i > 0 && o->scheme != REDEEM_BONUS) assert_true(p->fen <= people[i - 1].fen);
        sum += p->fen;
    }
    assert_true(sum <= pool);
    assert_int_equal(result->granted_fen, sum);
    assert_int_equal(result->remainder_fen, pool - sum);
}

static void whoever_comes_the_sum_stays_within_the_pool(void **state)
{
    (void)state;
    const uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 20221108;
    unsigned granted = 0, refused = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_state = seed;
    for (int round = 0; round < 20000; round++) {
        static struct redeem_person people[POPULATION], other[POPULATION];
        static char ids[POPULATION][2];
        struct redeem_result result, again;
        size_t count = random_below(POPULATION + 1);
        int32_t spread = (int32_t)(1u << random_below(12));
        struct redeem_options o = random_options();
        int64_t pool = random_below(1u << random_below(30));
        for (size_t i = 0; i < count; i++) {
            ids[i][0] = (char)('0' + i);
            people[i] = person(ids[i], (int32_t)random_below((uint32_t)spread * 2) - spread / 8);
            size_t at = random_below((uint32_t)i + 1);
            other[i] = other[at];
            other[at] = people[i];
        }
        enum err e = redeem_grant(&result, people, count, &o, pool);
        assert_int_equal(redeem_grant(&again, other, count, &o, pool), e);
        assert_memory_equal(&result, &again, sizeof result);
        for (size_t i = 0; i < count; i++) {
            assert_true(slice_equal(people[i].id, other[i].id));
            assert_int_equal(people[i].fen, other[i].fen);
            assert_int_equal(people[i].rank, other[i].rank);
        }
        assert_true(e == OK || (e == ERR_LIMIT && o.scheme != REDEEM_SHARE));
        assert_true((e == ERR_LIMIT) == (result.missing_fen > 0));
        assert_holds(people, count, &o, pool, &result);
        granted += e == OK && result.granted_fen > 0;
        refused += e == ERR_LIMIT;
    }
    assert_true(granted > 1000 && refused > 1000);
}

/* --- options from a body --- */

/* Fields as "key=word" or "key=number", in order of the keys' encoding. */
static enum err read_fields(struct redeem_options *out, const char *const *fields)
{
    struct buf body = {0};
    struct mp_map map = {0};
    for (size_t i = 0; fields[i]; i++) {
        char key[24] = "";
        const char *value = strchr(fields[i], '=') + 1;
        memcpy(key, fields[i], (size_t)(value - 1 - fields[i]));
        struct mp_writer w = mp_map_put(&map, key);
        if (*value >= '0' && *value <= '9')
            mp_write_uint(&w, strtoull(value, NULL, 10));
        else
            mp_write_text(&w, value);
    }
    assert_int_equal(mp_map_end(&map, &body), OK);
    enum err e = redeem_read(out, buf_slice(&body));
    buf_clear(&body);
    mp_map_clear(&map);
    return e;
}

static void reads_the_options_of_a_rule(void **state)
{
    (void)state;
    struct redeem_options o;
    static const char *const all[] = {"scheme=threshold",    "rate_fen=5500",    "base_pt=350",
                                      "min_points=50",       "top_n=100",        "round=ten",
                                      "cap_person_fen=5000", "rounding=nearest", NULL};
    static const char *const least[] = {"scheme=share", NULL};
    assert_int_equal(read_fields(&o, all), OK);
    assert_int_equal(o.scheme, REDEEM_THRESHOLD);
    assert_int_equal(o.rate_fen, 5500);
    assert_int_equal(o.base_points, 350);
    assert_int_equal(o.min_points, 50);
    assert_int_equal(o.top_n, 100);
    assert_int_equal(o.cap_person_fen, 5000);
    assert_int_equal(o.unit_fen, 1000);
    assert_true(o.nearest);
    assert_int_equal(read_fields(&o, least), OK);
    assert_int_equal(o.scheme, REDEEM_SHARE);
    assert_int_equal(o.unit_fen, 1);
    assert_int_equal(o.bonus_count + o.top_n, 0);
    assert_false(o.nearest);
}

static enum err read_bonuses(struct redeem_options *out, const uint32_t rows[][2], size_t count)
{
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_map(&w, 3);
    mp_write_text(&w, "bonus");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, 2);
        mp_write_uint(&w, rows[i][0]);
        mp_write_uint(&w, rows[i][1]);
    }
    mp_write_text(&w, "scheme");
    mp_write_text(&w, "bonus");
    mp_write_text(&w, "rate_fen");
    mp_write_uint(&w, 3000);
    enum err e = redeem_read(out, buf_slice(&body));
    buf_clear(&body);
    return e;
}

static void reads_bonuses_by_rank(void **state)
{
    (void)state;
    struct redeem_options o;
    static const uint32_t good[][2] = {{1, 100000}, {3, 40000}};
    static const uint32_t twice[][2] = {{1, 100000}, {1, 40000}}, zero[][2] = {{0, 5}};
    assert_int_equal(read_bonuses(&o, good, 2), OK);
    assert_int_equal(o.bonus_count, 2);
    assert_int_equal(o.bonuses[1].rank, 3);
    assert_int_equal(o.bonuses[1].fen, 40000);
    assert_int_equal(read_bonuses(&o, twice, 2), ERR_EXISTS);
    assert_int_equal(read_bonuses(&o, zero, 1), ERR_RANGE);
}

static void reads_as_many_bonuses_as_the_kind_allows(void **state)
{
    (void)state;
    struct redeem_options o = {.scheme = REDEEM_SHARE};
    static uint32_t rows[REDEEM_BONUSES_MAX + 1][2];
    const uint32_t(*const all)[2] = (const uint32_t(*)[2])rows;
    for (uint32_t i = 0; i <= REDEEM_BONUSES_MAX; i++) {
        rows[i][0] = i + 1;
        rows[i][1] = 100;
    }
    assert_int_equal(read_bonuses(&o, all, REDEEM_BONUSES_MAX), OK);
    assert_int_equal(o.bonus_count, REDEEM_BONUSES_MAX);
    assert_int_equal(read_bonuses(&o, all, REDEEM_BONUSES_MAX + 1), ERR_RANGE);
}

static void refuses_options_that_it_does_not_understand(void **state)
{
    (void)state;
    struct redeem_options o = {.scheme = REDEEM_BONUS};
    static const struct {
        const char *fields[3];
        enum err err;
    } bad[] = {
        {{"rate_fen=1"}, ERR_MALFORMED},
        {{"scheme=lottery"}, ERR_RANGE},
        {{"scheme=1"}, ERR_MALFORMED},
        {{"scheme=rate"}, ERR_RANGE},
        {{"scheme=rate", "rate_fen=0"}, ERR_RANGE},
        {{"scheme=rate", "rate_fen=1000000001"}, ERR_RANGE},
        {{"scheme=rate", "rate_fen=much"}, ERR_MALFORMED},
        {{"scheme=share", "round=jiao"}, ERR_RANGE},
        {{"scheme=share", "rounding=up"}, ERR_RANGE},
        {{"scheme=share", "min_points=2147483648"}, ERR_RANGE},
        {{"scheme=share", "bonus=1"}, ERR_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_fields(&o, bad[i].fields), bad[i].err);
    assert_int_equal(redeem_read(&o, SLICE_EMPTY), ERR_MALFORMED);
    assert_int_equal(o.scheme, REDEEM_BONUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ninety_three_points_of_a_pool_are_3190_yuan),
        cmocka_unit_test(ninety_three_points_at_a_rate_are_3190_yuan),
        cmocka_unit_test(ninety_three_points_and_the_third_rank_are_3190_yuan),
        cmocka_unit_test(ninety_three_points_above_a_base_are_3190_yuan),
        cmocka_unit_test(those_with_too_few_points_take_no_part),
        cmocka_unit_test(the_first_n_take_part_with_all_who_share_the_last_rank),
        cmocka_unit_test(a_cap_holds_after_rounding_and_goes_to_nobody),
        cmocka_unit_test(rounding_up_never_passes_the_pool),
        cmocka_unit_test(grants_nothing_when_the_rate_asks_for_more_than_the_pool),
        cmocka_unit_test(a_bonus_is_for_each_of_a_shared_rank),
        cmocka_unit_test(nobody_and_nothing_are_fine),
        cmocka_unit_test(the_greatest_numbers_do_not_overflow),
        cmocka_unit_test(whoever_comes_the_sum_stays_within_the_pool),
        cmocka_unit_test(reads_the_options_of_a_rule),
        cmocka_unit_test(reads_bonuses_by_rank),
        cmocka_unit_test(reads_as_many_bonuses_as_the_kind_allows),
        cmocka_unit_test(refuses_options_that_it_does_not_understand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
