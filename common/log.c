#include "common/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/time.h"

#define LINE_MAX_SIZE 1024

static enum log_level level_max = LOG_INFO;

static const struct {
    const char *name;
    int journal; /* sd-daemon(3) */
} levels[] = {
    [LOG_ERROR] = {"error", 3},
    [LOG_WARN] = {"warn", 4},
    [LOG_INFO] = {"info", 6},
    [LOG_DEBUG] = {"debug", 7},
};

enum err log_level_parse(enum log_level *out, const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(name, levels[i].name) == 0) {
            *out = (enum log_level)i;
            return OK;
        }
    return ERR_RANGE;
}

void log_start(enum log_level level)
{
    level_max = level;
}

/* A peer's words may be in a message: one line stays one line. */
static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > level_max) return;
    char text[LINE_MAX_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flatten(text);
    if (getenv("JOURNAL_STREAM")) {
        fprintf(stderr, "<%d>%s\n", levels[level].journal, text);
        return;
    }
    char now[TIME_TEXT_SIZE];
    time_t seconds = time(NULL);
    time_format(now, (uint64_t)seconds * 1000);
    fprintf(stderr, "%s:%02d %s %s\n", now, (int)(seconds % 60), levels[level].name, text);
}
