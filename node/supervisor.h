#pragma once
/*
 * The service manager's side (systemd): readiness, one line of status, the watchdog. Does nothing
 * where there is none. Only supervisor.c sees libsystemd.
 */
#include <stdint.h>

void supervisor_ready(void);
void supervisor_stopping(void);
void supervisor_status(const char *text);
void supervisor_alive(void);
/* How often supervisor_alive is wanted; 0: never. */
uint64_t supervisor_interval_ms(void);
