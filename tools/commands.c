#include "tools/commands.h"

#include "common/i18n.h"

#include <stddef.h>

/* Headings of `sidan help`, in the order they are shown. */
#define SEE N_("See")
#define RECORD N_("Record")
#define SYNC N_("Sync")
#define SET_UP N_("Set up")
#define CARE N_("Care and check")

/* Rows of the tables of flags. */
#define SWITCH(name_, help_)                                                                       \
    {                                                                                              \
        .name = (name_), .help = (help_)                                                           \
    }
#define VALUE(name_, value_, help_)                                                                \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_)                                        \
    }
#define EACH(name_, value_, help_)                                                                 \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_), .repeatable = true                    \
    }
/* A shorter word for the flag of a field. */
#define FILLS(name_, value_, help_, field_)                                                        \
    {                                                                                              \
        .name = (name_), .value = (value_), .help = (help_), .field = (field_)                     \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct flag status_flags[] = {
    SWITCH("--all", N_("every village on its own line")),
    SWITCH("--check", N_("exit 3 when something needs attention")),
    SWITCH("--watch", N_("show again whenever something changes")),
    END,
};
static const struct flag requests_flags[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    VALUE("--state", "STATE", N_("only those in this state")),
    SWITCH("--overdue", N_("only open ones past their date")),
    SWITCH("--accusations", N_("at the township: accusations alone, which no other list has")),
    VALUE("--since", "TIME", N_("only those registered since")),
    VALUE("-n", "N", N_("the newest N, newest first")),
    END,
};
static const struct flag log_flags[] = {
    SWITCH("-f", N_("go on with what arrives")),
    VALUE("-n", "N", N_("only the last N")),
    VALUE("--feed", "FEED", N_("only this feed: DEVICE/scope/lane[/epoch]")),
    VALUE("--kind", "KIND", N_("only this kind (a name, or its beginning with *)")),
    VALUE("--village", "VILLAGE", N_("only this village's scope")),
    SWITCH("--raw", N_("every table and key of the store as it is")),
    END,
};
static const struct flag doctor_flags[] = {
    VALUE("--village", "VILLAGE", N_("at the hub: look at this village")),
    END,
};
static const struct flag clock_flags[] = {
    SWITCH("--set", N_("this machine's clock is right: trust it until the next start")),
    END,
};

/* --- verbs that write and set up --- */
#define BY VALUE("--by", "PERSON", N_("who acts: id or name"))

static const struct flag register_flags[] = {
    VALUE("--village", "VILLAGE", N_("at the hub: the village it is about")),
    BY,
    END,
};
static const struct flag by_flags[] = {
    BY,
    END,
};
static const struct flag accept_flags[] = {
    FILLS("--official", "NUMBER", N_("official number (the hub gives the next one by itself)"),
          "official_no"),
    BY,
    END,
};
static const struct flag assign_flags[] = {
    FILLS("--to", "NAME", N_("responsible unit"), "unit"),
    FILLS("--person", "NAME", N_("responsible person"), "responsible"),
    FILLS("--due", "DATE", N_("to be done by"), "due"),
    FILLS("--signed-by", "PERSON", N_("who signed the paper"), "signed_by"),
    BY,
    END,
};
static const struct flag visit_flags[] = {
    FILLS("--in-time", "yes|no", N_("was contacted in time, as the person says"),
          "contacted_in_time"),
    BY,
    END,
};
static const struct flag record_flags[] = {
    VALUE("--batch", "N", N_("lines in one commit (else 1)")),
    BY,
    END,
};
static const struct flag import_flags[] = {
    VALUE("--as", "requests|volunteers", N_("what the rows are")),
    VALUE("--errors", "FILE", N_("write the refused rows and why there")),
    SWITCH("--dry-run", N_("check every row, record nothing")),
    BY,
    END,
};
static const struct flag actor_add_flags[] = {
    VALUE("--unit", "TEXT", N_("their unit (else this device's name)")),
    VALUE("--role", "WORD", N_("clerk, leader, dispatcher, secretary, mayor, callback, ...")),
    BY,
    END,
};
static const struct flag init_flags[] = {
    VALUE("--township", "NAME", N_("name of the township")),
    VALUE("--villages", "FILE", N_("CSV: code,name,short_name,pinyin,kind")),
    VALUE("--listen", "ADDR", N_("where villages connect to (tcp://0.0.0.0:7300)")),
    END,
};
static const struct flag invite_flags[] = {
    VALUE("--role", "ROLE,...",
          N_("township roles: dispatch, callback, office, finance, unit, mirror")),
    VALUE("--name", "TEXT", N_("name of the device")),
    VALUE("-o", "FILE", N_("where the invite is written")),
    VALUE("--expires", "7d", N_("how long it can be used")),
    SWITCH("--qr", N_("show it as a QR code")),
    EACH("--hub", "ADDR", N_("address of this hub as the device will dial it")),
    END,
};
static const struct flag join_flags[] = {
    VALUE("--hub", "ADDR", N_("dial this address instead of the invite's")),
    END,
};
static const struct flag sync_flags[] = {
    VALUE("--hub", "ADDR", N_("dial this address instead of the configured one")),
    END,
};
static const struct flag verify_flags[] = {
    SWITCH("--signatures", N_("verify every signature, not the newest of each branch")),
    END,
};
static const struct flag backup_flags[] = {
    VALUE("-o", "FILE", N_("where the copy is written")),
    END,
};

/* Rows of the table of verbs: one that records something, and one that does not. */
#define ACTS(name_, zh_, arguments_, min_, max_, help_, group_, flags_, kind_)                     \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = (arguments_), .arguments_min = (min_),          \
        .arguments_max = (max_), .help = (help_), .group = (group_), .flags = (flags_),            \
        .kind = (kind_), .run = cmd_request_act                                                    \
    }
#define VERB(name_, zh_, arguments_, min_, max_, help_, group_, flags_, run_)                      \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = (arguments_), .arguments_min = (min_),          \
        .arguments_max = (max_), .help = (help_), .group = (group_), .flags = (flags_),            \
        .run = (run_)                                                                              \
    }

const struct command commands[] = {
    VERB("status", "状态", "[VILLAGE]", 0, 1, N_("what stands where: this laptop, or all villages"),
         SEE, status_flags, cmd_status),
    VERB("requests", "诉求", NULL, 0, 0, N_("list requests"), SEE, requests_flags, cmd_requests),
    VERB("show", "查看", "ID|NUMBER", 1, 1, N_("one thing with its whole history"), SEE, NULL,
         cmd_show),
    VERB("sealed", "密封", NULL, 0, 0,
         N_("at the township: what villages sealed for the office, opened or not"), SEE, NULL,
         cmd_sealed),
    VERB("sealed open", "启封", "[ID]", 0, 1,
         N_("at the hub: open it and register what is inside (else all that wait)"), RECORD,
         by_flags, cmd_sealed),
    VERB("devices", "终端", NULL, 0, 0, N_("list the devices of the township"), SEE, NULL,
         cmd_devices),
    VERB("log", "日志", NULL, 0, 0, N_("the events as they stand"), SEE, log_flags, cmd_log),
    VERB("kinds", "种类", "[KIND]", 0, 1, N_("what can be recorded, and its fields"), SEE, NULL,
         cmd_kinds),
    {.name = "register",
     .zh = "登记",
     .help = N_("register a request"),
     .group = RECORD,
     .flags = register_flags,
     .run = cmd_register,
     .kind = "request.register"},
    ACTS("accept", "受理", "ID|NUMBER", 1, 1, N_("accept a request"), RECORD, accept_flags,
         "request.accept"),
    ACTS("assign", "交办", "ID|NUMBER", 1, 1, N_("assign it to a unit"), RECORD, assign_flags,
         "order.issue"),
    ACTS("sign", "签收", "ID|NUMBER", 1, 1, N_("sign for an order"), RECORD, by_flags,
         "order.sign"),
    ACTS("report", "办理结果", "ID|NUMBER", 1, 1, N_("report what was done"), RECORD, by_flags,
         "order.report"),
    ACTS("visit", "回访", "ID|NUMBER", 1, 1, N_("record a callback"), RECORD, visit_flags,
         "callback.record"),
    ACTS("close", "办结", "ID|NUMBER", 1, 1, N_("close a request"), RECORD, by_flags,
         "request.close"),
    VERB("record", "记录", NULL, 0, 0, N_("record events from NDJSON on stdin"), RECORD,
         record_flags, cmd_record),
    VERB("import", "导入", "FILE", 1, 1, N_("record the rows of a CSV or NDJSON file"), RECORD,
         import_flags, cmd_import),
    VERB("sync", "同步", NULL, 0, 0, N_("exchange with the hub now"), SYNC, sync_flags, cmd_sync),
    VERB("init", "建镇", NULL, 0, 0, N_("found a township; this machine is its hub"), SET_UP,
         init_flags, cmd_init),
    VERB("invite", "邀请", "VILLAGE|town", 1, 1, N_("an invite for one device"), SET_UP,
         invite_flags, cmd_invite),
    VERB("join", "加入", "FILE", 1, 1, N_("join a township by an invite"), SET_UP, join_flags,
         cmd_join),
    VERB("actor add", NULL, "NAME", 1, 1, N_("add a person who acts"), SET_UP, actor_add_flags,
         cmd_actor),
    VERB("actor list", NULL, NULL, 0, 0, N_("list the persons who act"), SET_UP, NULL, cmd_actor),
    VERB("config get", NULL, "[KEY]", 0, 1, N_("show the configuration"), SET_UP, NULL, cmd_config),
    VERB("config set", NULL, "KEY VALUE", 2, 2, N_("change the configuration"), SET_UP, NULL,
         cmd_config),
    VERB("clock", "时钟", NULL, 0, 0, N_("show and set trust in this machine's time"), CARE,
         clock_flags, cmd_clock),
    VERB("doctor", "体检", NULL, 0, 0, N_("find what is wrong and say what to do"), CARE,
         doctor_flags, cmd_doctor),
    VERB("verify", "校验", NULL, 0, 0, N_("check every record, and the views against them"), CARE,
         verify_flags, cmd_verify),
    VERB("rebuild", "重建", NULL, 0, 0, N_("make the views anew from the records"), CARE, NULL,
         cmd_rebuild),
    VERB("compact", "压缩", NULL, 0, 0, N_("rewrite the store without its gaps"), CARE, NULL,
         cmd_compact),
    VERB("backup", "备份", NULL, 0, 0, N_("copy the store to a file"), CARE, backup_flags,
         cmd_backup),
    VERB("help", "帮助", "[VERB]", 0, 2, N_("explain a verb"), CARE, NULL, cmd_help),
    VERB("completion", NULL, "bash", 0, 1, N_("completion for the shell"), CARE, NULL,
         cmd_completion),
    VERB("manual", NULL, NULL, 0, 0, N_("the manual page, in roff"), CARE, NULL, cmd_manual),
    {.name = NULL},
};
