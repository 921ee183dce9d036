#pragma once
/*
 * The log of a running program, to stderr, one line a message: "2026-11-23 15:20:11 warn text", or
 * with the journal's level mark instead of the time where systemd reads it. Never personal data:
 * ids, counts and words only. One thread writes.
 */
#include "common/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* "error", "warn", "info", "debug". Errors: ERR_RANGE. */
MUST_CHECK enum err log_level_parse(enum log_level *out, const char *name);
/* Messages above this level are dropped; LOG_INFO until it is called. */
void log_start(enum log_level level);
__attribute__((format(printf, 2, 3))) void log_write(enum log_level level, const char *format, ...);
