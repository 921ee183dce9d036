#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const happening_texts[] = {
#define SIM_HAPPENING_TEXT(code, text) text,
    SIM_HAPPENINGS(SIM_HAPPENING_TEXT)
#undef SIM_HAPPENING_TEXT
};

const char *happening_text(enum sim_happening f)
{
    return happening_texts[f];
}

void trace_line(struct sim *s, const struct sim_node *n, const char *format, ...)
{
    char line[512];
    uint64_t ms = s->now_ms;
    int size =
        snprintf(line, sizeof line, "%3u %02u:%02u:%02u.%03u %-10s ", (unsigned)(ms / DAYS(1)),
                 (unsigned)(ms / HOURS(1) % 24), (unsigned)(ms / MINUTES(1) % 60),
                 (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000), n != NULL ? n->name : "");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line + size, sizeof line - (size_t)size, format, args);
    va_end(args);
    crypto_hasher_add(&s->trace.hasher, slice_of_text(line));
    s->trace.lines++;
    if (s->trace.print) puts(line);
}

void trace_happened(struct sim *s, enum sim_happening f)
{
    s->trace.happened[f]++;
}

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;
    printf("seed %llu, day %u: ", (unsigned long long)s->seed, (unsigned)(s->now_ms / DAYS(1)));
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _Exit(1);
}
