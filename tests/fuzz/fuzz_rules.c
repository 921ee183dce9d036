/* Rules and calendars of a township whose key is in hostile hands: any scanned map. What a reader
 * takes keeps its bounds and can be counted with; what it refuses changes nothing. */
#include "node/office/limits.h"
#include "node/office/points.h"
#include "node/office/redeem.h"
#include "proto/msgpack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void try_limits(struct slice body, const struct calendar *calendar)
{
    struct limits limits, before;
    memset(&limits, 1, sizeof limits);
    memcpy(&before, &limits, sizeof limits);
    if (limits_read(&limits, body) != OK) {
        must(memcmp(&before, &limits, sizeof limits) == 0);
        return;
    }
    const uint64_t starts[] = {0, UINT64_C(1763859600000), UINT64_C(4102444800000)};
    for (int step = 0; step < LIMIT_STEP_COUNT; step++)
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
            uint64_t due;
            bool provisional;
            must(limits.of[step].amount <= CALENDAR_AMOUNT_MAX);
            limits_due(&limits, calendar, (enum limit_step)step, starts[i], &due, &provisional);
            /* the end of a day's office may lie before the moment itself */
            must(due + UINT64_C(86400000) > starts[i]);
        }
}

static void try_calendar(struct slice body)
{
    static struct calendar calendar, before;
    calendar_begin(&calendar);
    before = calendar;
    if (calendar_put(&calendar, body) != OK) {
        must(memcmp(&before, &calendar, sizeof calendar) == 0);
    } else {
        before = calendar;
        must(calendar_put(&calendar, body) == OK);
        must(memcmp(&before, &calendar, sizeof calendar) == 0);
    }
    try_limits(body, &calendar);
}

static void try_points(struct slice body)
{
    static struct points_rules rules;
    struct points_entries entries = {0};
    struct points_service services[6];
    if (points_read(&rules, body) != OK) return;
    must(rules.count <= POINTS_RULES_MAX);
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        services[i] = (struct points_service){
            .day = 20000 + (uint32_t)i / 2 * 200,
            .kind = (enum points_service_kind)(i % 3),
            .verified = i % 2,
            .minutes = i == 5 ? UINT32_MAX : (uint32_t)i * 95,
            .outcomes = i == 4 ? UINT32_MAX : (uint32_t)i,
            .category = rules.count ? slice_of_text(rules.rules[0].category) : SLICE_EMPTY,
            .activity = {{(uint8_t)(i / 2)}},
            .basis = {{(uint8_t)i}}, /* by day and basis, as points_count wants them */
            .rules = &rules,
        };
    must(points_count(&entries, services, sizeof services / sizeof services[0]) == OK);
    for (size_t i = 0; i < entries.count; i++) {
        const struct points_entry *e = &entries.items[i];
        must(e->points > 0 && e->service < sizeof services / sizeof services[0]);
        if (e->rule->cap_activity) must((uint32_t)e->points <= e->rule->cap_activity);
        if (e->rule->cap_day) must((uint32_t)e->points <= e->rule->cap_day);
        if (e->rule->need_verify) must(services[e->service].verified);
    }
    points_entries_clear(&entries);
}

static void try_redeem(struct slice body)
{
    struct redeem_options options;
    struct redeem_result result;
    const int64_t pools[] = {0, 1, 20000000, REDEEM_POOL_FEN_MAX};
    if (redeem_read(&options, body) != OK) return;
    must(options.bonus_count <= REDEEM_BONUSES_MAX);
    for (size_t p = 0; p < sizeof pools / sizeof pools[0]; p++) {
        struct redeem_person people[] = {
            {.id = slice_of_text("a"), .points = 930},
            {.id = slice_of_text("b"), .points = 930},
            {.id = slice_of_text("c"), .points = 1},
            {.id = slice_of_text("d"), .points = 0},
            {.id = slice_of_text("e"), .points = -200},
            {.id = slice_of_text("f"), .points = INT32_MAX},
        };
        const size_t count = sizeof people / sizeof people[0];
        enum err err = redeem_grant(&result, people, count, &options, pools[p]);
        int64_t sum = 0;
        must(err == OK || (err == ERR_LIMIT && result.missing_fen > 0));
        for (size_t i = 0; i < count; i++) {
            must(people[i].fen >= 0 && (people[i].rank || people[i].fen == 0));
            sum += people[i].fen;
            if (i > 0 && people[i].points == people[i - 1].points)
                must(people[i].fen == people[i - 1].fen);
        }
        must(sum == result.granted_fen && sum <= pools[p]);
        must(err || result.remainder_fen == pools[p] - sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = slice_of(data, size);
    if (mp_scan_whole(body) != OK) return 0;
    try_calendar(body);
    try_points(body);
    try_redeem(body);
    return 0;
}
