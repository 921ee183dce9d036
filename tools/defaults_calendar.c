#include "tools/defaults.h"

#include <string.h>

#include "common/time.h"

enum { WORK, OFF };

/* Holidays and make-up days of the years that were announced, from github NateScarlet/holiday-cn;
 * a notice may begin in the December before its year. */
static const struct run {
    uint32_t year; /* of the notice */
    const char *first;
    uint32_t days;
    int off;
    const char *name;
} runs[] = {
    {2022, "2022-01-01", 3, OFF, "元旦"},
    {2022, "2022-01-29", 2, WORK, "春节"},
    {2022, "2022-01-31", 7, OFF, "春节"},
    {2022, "2022-04-02", 1, WORK, "清明节"},
    {2022, "2022-04-03", 3, OFF, "清明节"},
    {2022, "2022-04-24", 1, WORK, "劳动节"},
    {2022, "2022-04-30", 5, OFF, "劳动节"},
    {2022, "2022-05-07", 1, WORK, "劳动节"},
    {2022, "2022-06-03", 3, OFF, "端午节"},
    {2022, "2022-09-10", 3, OFF, "中秋节"},
    {2022, "2022-10-01", 7, OFF, "国庆节"},
    {2022, "2022-10-08", 2, WORK, "国庆节"},
    {2023, "2022-12-31", 3, OFF, "元旦"},
    {2023, "2023-01-21", 7, OFF, "春节"},
    {2023, "2023-01-28", 2, WORK, "春节"},
    {2023, "2023-04-05", 1, OFF, "清明节"},
    {2023, "2023-04-23", 1, WORK, "劳动节"},
    {2023, "2023-04-29", 5, OFF, "劳动节"},
    {2023, "2023-05-06", 1, WORK, "劳动节"},
    {2023, "2023-06-22", 3, OFF, "端午节"},
    {2023, "2023-06-25", 1, WORK, "端午节"},
    {2023, "2023-09-29", 8, OFF, "中秋节、国庆节"},
    {2023, "2023-10-07", 2, WORK, "中秋节、国庆节"},
    {2024, "2024-01-01", 1, OFF, "元旦"},
    {2024, "2024-02-04", 1, WORK, "春节"},
    {2024, "2024-02-10", 8, OFF, "春节"},
    {2024, "2024-02-18", 1, WORK, "春节"},
    {2024, "2024-04-04", 3, OFF, "清明节"},
    {2024, "2024-04-07", 1, WORK, "清明节"},
    {2024, "2024-04-28", 1, WORK, "劳动节"},
    {2024, "2024-05-01", 5, OFF, "劳动节"},
    {2024, "2024-05-11", 1, WORK, "劳动节"},
    {2024, "2024-06-10", 1, OFF, "端午节"},
    {2024, "2024-09-14", 1, WORK, "中秋节"},
    {2024, "2024-09-15", 3, OFF, "中秋节"},
    {2024, "2024-09-29", 1, WORK, "国庆节"},
    {2024, "2024-10-01", 7, OFF, "国庆节"},
    {2024, "2024-10-12", 1, WORK, "国庆节"},
    {2025, "2025-01-01", 1, OFF, "元旦"},
    {2025, "2025-01-26", 1, WORK, "春节"},
    {2025, "2025-01-28", 8, OFF, "春节"},
    {2025, "2025-02-08", 1, WORK, "春节"},
    {2025, "2025-04-04", 3, OFF, "清明节"},
    {2025, "2025-04-27", 1, WORK, "劳动节"},
    {2025, "2025-05-01", 5, OFF, "劳动节"},
    {2025, "2025-05-31", 3, OFF, "端午节"},
    {2025, "2025-09-28", 1, WORK, "国庆节、中秋节"},
    {2025, "2025-10-01", 8, OFF, "国庆节、中秋节"},
    {2025, "2025-10-11", 1, WORK, "国庆节、中秋节"},
    {2026, "2026-01-01", 3, OFF, "元旦"},
    {2026, "2026-01-04", 1, WORK, "元旦"},
    {2026, "2026-02-14", 1, WORK, "春节"},
    {2026, "2026-02-15", 9, OFF, "春节"},
    {2026, "2026-02-28", 1, WORK, "春节"},
    {2026, "2026-04-04", 3, OFF, "清明节"},
    {2026, "2026-05-01", 5, OFF, "劳动节"},
    {2026, "2026-05-09", 1, WORK, "劳动节"},
    {2026, "2026-06-19", 3, OFF, "端午节"},
    {2026, "2026-09-20", 1, WORK, "国庆节"},
    {2026, "2026-09-25", 3, OFF, "中秋节"},
    {2026, "2026-10-01", 7, OFF, "国庆节"},
    {2026, "2026-10-10", 1, WORK, "国庆节"},
};
enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

void defaults_calendar_source(struct buf *out, uint32_t year)
{
    buf_printf(out, "国务院办公厅关于%u年部分节假日安排的通知", (unsigned)year);
}

static void write_run(struct mp_writer *w, const struct run *run)
{
    char date[TIME_TEXT_SIZE];
    uint64_t ms;
    uint32_t first = time_parse(&ms, run->first) == OK ? time_day(ms) : 0;
    for (uint32_t i = 0; i < run->days; i++) {
        time_format_date(date, time_day_ms(first + i, 0));
        mp_write_array(w, 3);
        mp_write_text(w, date);
        mp_write_bool(w, run->off == OFF);
        mp_write_text(w, run->name);
    }
}

bool defaults_calendar(struct buf *body, uint32_t year)
{
    struct mp_map m = {0};
    struct buf source = {0};
    size_t days = 0;
    for (size_t i = 0; i < RUN_COUNT; i++) {
        days += runs[i].year == year ? runs[i].days : 0;
    }
    if (days == 0) {
        return false;
    }
    struct mp_writer w = mp_map_put(&m, "year");
    mp_write_uint(&w, year);
    w = mp_map_put(&m, "days");
    mp_write_array(&w, days);
    for (size_t i = 0; i < RUN_COUNT; i++) {
        if (runs[i].year == year) {
            write_run(&w, &runs[i]);
        }
    }
    defaults_calendar_source(&source, year);
    w = mp_map_put(&m, "source");
    mp_write_text(&w, buf_text(&source));
    enum err e = mp_map_end(&m, body);
    if (e != OK && body->err == OK) {
        body->err = e;
    }
    mp_map_clear(&m);
    buf_clear(&source);
    return true;
}
