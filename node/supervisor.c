#include "node/supervisor.h"

#include <systemd/sd-daemon.h>

void supervisor_ready(void)
{
    sd_notify(0, "READY=1");
}

void supervisor_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void supervisor_status(const char *text)
{
    sd_notifyf(0, "STATUS=%s", text);
}

void supervisor_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

uint64_t supervisor_interval_ms(void)
{
    uint64_t timeout_us;
    return sd_watchdog_enabled(0, &timeout_us) > 0 ? timeout_us / 3000 : 0;
}
