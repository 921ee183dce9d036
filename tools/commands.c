#include "tools/commands.h"

#include "common/i18n.h"

#include <stddef.h>

/* Headings of `sidan help`, in the order they are shown. */
#define SEE N_("See")
#define RECORD N_("Record")
#define SYNC N_("Sync")
#define SET_UP N_("Set up")
#define CARE N_("Care and check")

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, false                                                                    \
    }

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
    {"-n", "N", N_("the newest N, newest first"), false},
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

/* --- verbs that write and set up --- */
#define BY                                                                                         \
    {                                                                                              \
        "--by", "PERSON", N_("who acts: id or name"), false                                        \
    }

static const struct flag register_flags[] = {
    {"--village", "VILLAGE", N_("at the hub: the village it is about"), false},
    {"--channel", "WORD", N_("how it came: phone, visit, village, ..."), false},
    {"--channel-ref", "TEXT", N_("its reference there"), false},
    {"--received", "TIME", N_("when it was received (else now)"), false},
    {"--nature", "WORD", N_("consult, help, complaint, suggestion, praise"), false},
    {"--category", "CODE", N_("category, 4 digits"), false},
    {"--urgency", "1-3", N_("3 is the most urgent, sent before all else"), false},
    {"--name", "TEXT", N_("who asks"), false},
    {"--phone", "TEXT", N_("their phone"), false},
    {"--place", "TEXT", N_("where it is"), false},
    {"--content", "TEXT", N_("what it is"), false},
    BY,
    END,
};
static const struct flag accept_flags[] = {
    {"--official", "NUMBER", N_("official number (the hub gives the next one by itself)"), false},
    {"--class", "WORD", N_("simple, general, complex or petition"), false},
    {"--category", "CODE", N_("another category, 4 digits"), false},
    {"--due", "DATE", N_("to be done by"), false},
    BY,
    END,
};
static const struct flag assign_flags[] = {
    {"--to", "NAME", N_("responsible unit"), false},
    {"--person", "NAME", N_("responsible person"), false},
    {"--support", "NAME,...", N_("supporting units"), false},
    {"--due", "DATE", N_("to be done by"), false},
    {"--task", "TEXT", N_("what is to be done"), false},
    {"--doc-no", "TEXT", N_("number of the signed paper"), false},
    {"--signed-by", "PERSON", N_("who signed the paper"), false},
    {"--signed-on", "DATE", N_("date on the paper"), false},
    {"--paper-ref", "TEXT", N_("where the paper is kept"), false},
    BY,
    END,
};
static const struct flag sign_flags[] = {
    {"--receiver", "NAME", N_("who takes it on"), false},
    BY,
    END,
};
static const struct flag report_flags[] = {
    {"--solved", "yes|part|no", N_("is it solved"), false},
    {"--measure", "TEXT", N_("what was done"), false},
    {"--why-not", "TEXT", N_("why it is not solved"), false},
    {"--factual", "yes|no", N_("was it true as told"), false},
    {"--in-duty", "yes|no", N_("is it within the unit's duty"), false},
    {"--contacted", "yes|no", N_("was the person contacted"), false},
    {"--volunteers", "N", N_("volunteers who helped"), false},
    {"--public-reply", "TEXT", N_("reply for the public"), false},
    BY,
    END,
};
static const struct flag visit_flags[] = {
    {"--reached", "yes|no", N_("was the person reached"), false},
    {"--solved", "yes|part|no", N_("solved, as the person says"), false},
    {"--rating", "1-5", N_("5 is the best"), false},
    {"--method", "WORD", N_("phone, visit, wechat or other"), false},
    {"--attempt", "N", N_("which attempt (else counted)"), false},
    {"--in-time", "yes|no", N_("was contacted in time, as the person says"), false},
    {"--comment", "TEXT", N_("what the person said"), false},
    BY,
    END,
};
static const struct flag close_flags[] = {
    {"--result", "WORD", N_("solved, explained, unsolved or unreached"), false},
    {"--public", "yes|no", N_("may it be published"), false},
    BY,
    END,
};
static const struct flag record_flags[] = {
    {"--batch", "N", N_("lines in one commit (else 1)"), false},
    BY,
    END,
};
static const struct flag import_flags[] = {
    {"--as", "requests", N_("what the rows are"), false},
    {"--errors", "FILE", N_("write the refused rows and why there"), false},
    {"--dry-run", NULL, N_("check every row, record nothing"), false},
    BY,
    END,
};
static const struct flag actor_add_flags[] = {
    {"--unit", "TEXT", N_("their unit (else this device's name)"), false},
    {"--role", "WORD", N_("clerk, leader, dispatcher, secretary, mayor, callback, ..."), false},
    BY,
    END,
};
static const struct flag init_flags[] = {
    {"--township", "NAME", N_("name of the township"), false},
    {"--villages", "FILE", N_("CSV: code,name,short_name,pinyin,kind"), false},
    {"--listen", "ADDR", N_("where villages connect to (tcp://0.0.0.0:7300)"), false},
    END,
};
static const struct flag invite_flags[] = {
    {"--role", "ROLE,...", N_("township roles: dispatch, callback, office, finance, unit, mirror"),
     false},
    {"--name", "TEXT", N_("name of the device"), false},
    {"-o", "FILE", N_("where the invite is written"), false},
    {"--expires", "7d", N_("how long it can be used"), false},
    {"--qr", NULL, N_("show it as a QR code"), false},
    {"--hub", "ADDR", N_("address of this hub as the device will dial it"), true},
    END,
};
static const struct flag join_flags[] = {
    {"--hub", "ADDR", N_("dial this address instead of the invite's"), false},
    END,
};
static const struct flag sync_flags[] = {
    {"--hub", "ADDR", N_("dial this address instead of the configured one"), false},
    END,
};
static const struct flag verify_flags[] = {
    {"--signatures", NULL, N_("verify every signature, not the newest of each branch"), false},
    END,
};
static const struct flag backup_flags[] = {
    {"-o", "FILE", N_("where the copy is written"), false},
    END,
};

const struct command commands[] = {
    {"status", "状态", "[VILLAGE]", 0, 1, N_("what stands where: this laptop, or all villages"),
     SEE, status_flags, cmd_status},
    {"requests", "诉求", NULL, 0, 0, N_("list requests"), SEE, requests_flags, cmd_requests},
    {"show", "查看", "ID|NUMBER", 1, 1, N_("one thing with its whole history"), SEE, NULL,
     cmd_show},
    {"devices", "终端", NULL, 0, 0, N_("list the devices of the township"), SEE, NULL, cmd_devices},
    {"log", "日志", NULL, 0, 0, N_("the events as they stand"), SEE, log_flags, cmd_log},
    {"kinds", "种类", "[KIND]", 0, 1, N_("what can be recorded, and its fields"), SEE, NULL,
     cmd_kinds},
    {"register", "登记", NULL, 0, 0, N_("register a request"), RECORD, register_flags,
     cmd_register},
    {"accept", "受理", "ID|NUMBER", 1, 1, N_("accept a request"), RECORD, accept_flags,
     cmd_request_act},
    {"assign", "交办", "ID|NUMBER", 1, 1, N_("assign it to a unit"), RECORD, assign_flags,
     cmd_request_act},
    {"sign", "签收", "ID|NUMBER", 1, 1, N_("sign for an order"), RECORD, sign_flags,
     cmd_request_act},
    {"report", "办理结果", "ID|NUMBER", 1, 1, N_("report what was done"), RECORD, report_flags,
     cmd_request_act},
    {"visit", "回访", "ID|NUMBER", 1, 1, N_("record a callback"), RECORD, visit_flags,
     cmd_request_act},
    {"close", "办结", "ID|NUMBER", 1, 1, N_("close a request"), RECORD, close_flags,
     cmd_request_act},
    {"record", "记录", NULL, 0, 0, N_("record events from NDJSON on stdin"), RECORD, record_flags,
     cmd_record},
    {"import", "导入", "FILE", 1, 1, N_("record the rows of a CSV or NDJSON file"), RECORD,
     import_flags, cmd_import},
    {"sync", "同步", NULL, 0, 0, N_("exchange with the hub now"), SYNC, sync_flags, cmd_sync},
    {"init", "建镇", NULL, 0, 0, N_("found a township; this machine is its hub"), SET_UP,
     init_flags, cmd_init},
    {"invite", "邀请", "VILLAGE|town", 1, 1, N_("an invite for one device"), SET_UP, invite_flags,
     cmd_invite},
    {"join", "加入", "FILE", 1, 1, N_("join a township by an invite"), SET_UP, join_flags,
     cmd_join},
    {"actor add", NULL, "NAME", 1, 1, N_("add a person who acts"), SET_UP, actor_add_flags,
     cmd_actor},
    {"actor list", NULL, NULL, 0, 0, N_("list the persons who act"), SET_UP, NULL, cmd_actor},
    {"config get", NULL, "[KEY]", 0, 1, N_("show the configuration"), SET_UP, NULL, cmd_config},
    {"config set", NULL, "KEY VALUE", 2, 2, N_("change the configuration"), SET_UP, NULL,
     cmd_config},
    {"clock", "时钟", NULL, 0, 0, N_("show and set trust in this machine's time"), CARE,
     clock_flags, cmd_clock},
    {"doctor", "体检", NULL, 0, 0, N_("find what is wrong and say what to do"), CARE, doctor_flags,
     cmd_doctor},
    {"verify", "校验", NULL, 0, 0, N_("check every record, and the views against them"), CARE,
     verify_flags, cmd_verify},
    {"rebuild", "重建", NULL, 0, 0, N_("make the views anew from the records"), CARE, NULL,
     cmd_rebuild},
    {"compact", "压缩", NULL, 0, 0, N_("rewrite the store without its gaps"), CARE, NULL,
     cmd_compact},
    {"backup", "备份", NULL, 0, 0, N_("copy the store to a file"), CARE, backup_flags, cmd_backup},
    {"help", "帮助", "[VERB]", 0, 2, N_("explain a verb"), CARE, NULL, cmd_help},
    {"completion", NULL, "bash", 0, 1, N_("completion for the shell"), CARE, NULL, cmd_completion},
    {"manual", NULL, NULL, 0, 0, N_("the manual page, in roff"), CARE, NULL, cmd_manual},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
