#include "node/views/checks_state.h"

#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/body.h"

struct gathering {
    struct checking *c;
    struct buf parts; /* struct part */
};

enum { DAY_MINUTES = 1440, SHEET_CELLS = 4 };

void parts_day(char out[11], uint32_t day)
{
    char text[TIME_TEXT_SIZE];
    time_format_date(text, time_day_ms(day, 12 * 60));
    memcpy(out, text, 10);
    out[10] = 0;
}

static void say_day(struct check_flag *flag, uint32_t day)
{
    char text[11];
    parts_day(text, day);
    flag_say(flag, slice_of_text(text));
}

/* Times of the day become minutes since 1970, so a night goes on into the next day. */
static void sheet_parts(struct slice fields, struct part *part,
                        bool (*each)(void *state, const struct part *part), void *state)
{
    size_t count;
    struct mp_reader rows = body_rows(fields, "rows", &count);
    uint32_t day = part->day * DAY_MINUTES;
    bool more = true;
    for (; count > 0 && more; count--) {
        mp_read_array(&rows, SHEET_CELLS);
        mp_read_bin_exact(&rows, part->person.bytes, sizeof part->person.bytes);
        part->start = day + (uint32_t)mp_read_uint(&rows, 2 * DAY_MINUTES);
        part->end = day + (uint32_t)mp_read_uint(&rows, 2 * DAY_MINUTES);
        part->minutes = (uint32_t)mp_read_uint(&rows, DAY_MINUTES);
        more = !rows.err && each(state, part);
    }
}

void parts_each(struct slice fields, const struct thing_key *key,
                bool (*each)(void *state, const struct part *part), void *state)
{
    struct part part;
    memset(&part, 0, sizeof part);
    part.key = *key;
    if (time_parse_day(&part.day, body_text(fields, "date"))) return;
    if (body_has(fields, "rows")) {
        sheet_parts(fields, &part, each, state);
        return;
    }
    part.minutes = (uint32_t)body_uint(fields, "minutes");
    if (body_thing(fields, "person", &part.person)) each(state, &part);
}

bool served_after_leaving(const struct part *part, const char *last_day)
{
    char day[11];
    parts_day(day, part->day);
    return last_day[0] && strcmp(day, last_day) > 0;
}

static bool gather(void *state, const struct part *part)
{
    struct gathering *g = state;
    buf_append(&g->parts, part, sizeof *part);
    const struct left_person *left = left_find(g->c, &part->person);
    if (left && served_after_leaving(part, left->on)) {
        struct check_flag flag = flag_of(CHECK_LEFT, THING_SERVICE, &part->key);
        flag.has_person = true;
        flag.person = part->person;
        say_day(&flag, part->day);
        flag_give(g->c, &flag);
    }
    return true;
}

static bool gather_service(void *state, const struct thing *service)
{
    if (strcmp(thing_state_name(THING_SERVICE, service->state), "rejected") != 0)
        parts_each(service->fields, &service->key, gather, state);
    return true;
}

static int by_person_and_start(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int order = thing_id_compare(&x->person, &y->person);
    if (order) return order;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return thing_id_compare(&x->key.thing, &y->key.thing);
}

static int by_person_and_day(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int order = thing_id_compare(&x->person, &y->person);
    if (order) return order;
    return (x->day > y->day) - (x->day < y->day);
}

/* The one that lasts longest so far is what the next one is held against. */
static void compare_times(struct checking *c, struct part *parts, size_t count)
{
    size_t open = 0;
    qsort(parts, count, sizeof *parts, by_person_and_start);
    for (size_t i = 1; i < count; i++) {
        bool same = thing_id_equal(&parts[open].person, &parts[i].person);
        if (same && parts[i].end && parts[i].start < parts[open].end) {
            struct check_flag flag = flag_of(CHECK_OVERLAP, THING_SERVICE, &parts[i].key);
            flag.things[flag.thing_count++] = (struct check_thing){THING_SERVICE, parts[open].key};
            flag.has_person = true;
            flag.person = parts[i].person;
            say_day(&flag, parts[i].day);
            flag_give(c, &flag);
        }
        if (!same || parts[i].end >= parts[open].end) open = i;
    }
}

static void compare_days(struct checking *c, struct part *parts, size_t count)
{
    qsort(parts, count, sizeof *parts, by_person_and_day);
    for (size_t first = 0, end; first < count; first = end) {
        uint64_t minutes = 0;
        for (end = first; end < count && by_person_and_day(&parts[first], &parts[end]) == 0; end++)
            minutes += parts[end].minutes;
        if (minutes <= CHECK_DAY_MINUTES) continue;
        struct check_flag flag = flag_of(CHECK_DAY, THING_SERVICE, &parts[end - 1].key);
        flag.has_person = true;
        flag.person = parts[first].person;
        flag.number = minutes;
        say_day(&flag, parts[first].day);
        flag_give(c, &flag);
    }
}

void checks_services(struct checking *c)
{
    struct gathering g = {.c = c};
    if (!c->err) c->err = things_each(c->txn, THING_SERVICE, 0, gather_service, &g);
    if (!c->err) c->err = g.parts.err;
    size_t count = c->err ? 0 : g.parts.size / sizeof(struct part);
    struct part *parts = (struct part *)(void *)g.parts.data;
    if (count) {
        compare_times(c, parts, count);
        compare_days(c, parts, count);
    }
    buf_clear(&g.parts);
}
