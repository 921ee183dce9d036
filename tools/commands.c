#include "tools/commands.h"

#include "common/i18n.h"

#include <stddef.h>

/* Headings of `sidan help`, in the order they are shown. */
#define SEE N_("See")
#define RECORD N_("Record")
#define SYNC N_("Sync")
#define SET_UP N_("Set up")
#define CARE N_("Care and check")

#define END {NULL, NULL, NULL, false}

static const struct flag status_flags[] = {
    {"--all", NULL, N_("every village on its own line"), false},
    {"--check", NULL, N_("exit 3 when something needs attention"), false},
    {"--watch", NULL, N_("show again whenever something changes"), false},
    END,
};
static const struct flag requests_flags[] = {
    {"--village", "VILLAGE", N_("only this village's"), false},
    {"--state", "STATE", N_("only those in this state"), false},
    {"--overdue", NULL, N_("only open ones past their date"), false},
    {"--since", "TIME", N_("only those registered since"), false},
    {"-n", "N", N_("at most this many"), false},
    END,
};
static const struct flag log_flags[] = {
    {"-f", NULL, N_("go on with what arrives"), false},
    {"-n", "N", N_("only the last N"), false},
    {"--feed", "FEED", N_("only this feed: DEVICE/scope/lane[/epoch]"), false},
    {"--kind", "KIND", N_("only this kind (a name, or its beginning with *)"), false},
    {"--village", "VILLAGE", N_("only this village's scope"), false},
    {"--raw", NULL, N_("every table and key of the store as it is"), false},
    END,
};
static const struct flag doctor_flags[] = {
    {"--village", "VILLAGE", N_("at the hub: look at this village"), false},
    END,
};
static const struct flag clock_flags[] = {
    {"--set", NULL, N_("this machine's clock is right: trust it until the next start"), false},
    END,
};

const struct command commands[] = {
    {"status", "状态", "[VILLAGE]", 0, 1, N_("what stands where: this laptop, or all villages"), SEE,
     status_flags, cmd_status},
    {"requests", "诉求", NULL, 0, 0, N_("list requests"), SEE, requests_flags, cmd_requests},
    {"show", "查看", "ID|NUMBER", 1, 1, N_("one thing with its whole history"), SEE, NULL, cmd_show},
    {"devices", "终端", NULL, 0, 0, N_("list the devices of the township"), SEE, NULL, cmd_devices},
    {"log", "日志", NULL, 0, 0, N_("the events as they stand"), SEE, log_flags, cmd_log},
    {"kinds", "种类", "[KIND]", 0, 1, N_("what can be recorded, and its fields"), SEE, NULL, cmd_kinds},
    {"config get", NULL, "[KEY]", 0, 1, N_("show the configuration"), SET_UP, NULL, cmd_config},
    {"config set", NULL, "KEY VALUE", 2, 2, N_("change the configuration"), SET_UP, NULL, cmd_config},
    {"clock", "时钟", NULL, 0, 0, N_("show and set trust in this machine's time"), CARE, clock_flags,
     cmd_clock},
    {"doctor", "体检", NULL, 0, 0, N_("find what is wrong and say what to do"), CARE, doctor_flags,
     cmd_doctor},
    {"help", "帮助", "[VERB]", 0, 2, N_("explain a verb"), CARE, NULL, cmd_help},
    {"completion", NULL, "bash", 0, 1, N_("completion for the shell"), CARE, NULL, cmd_completion},
    {"manual", NULL, NULL, 0, 0, N_("the manual page, in roff"), CARE, NULL, cmd_manual},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
