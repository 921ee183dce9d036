#include "tools/commands.h"
#include "tools/command_flags.h"

#include "common/i18n.h"

#include <stddef.h>

/* Headings of `sidan help`, in the order they are shown. */
#define SEE N_("See")
#define REQUESTS N_("Requests")
#define SERVICE N_("Volunteers and services")
#define POINTS N_("Points, honours, figures")
#define TOWN N_("What the township publishes")
#define RECORD N_("Records")
#define SYNC N_("Sync")
#define SET_UP N_("Set up")
#define CARE N_("Care and check")

static const struct flag status_flags[] = {
    SWITCH("--all", N_("every village on its own line")),
    SWITCH("--check", N_("exit 3 when something needs attention")),
    SWITCH("--watch", N_("show again whenever something changes")),
    END,
};
static const struct flag requests_flags[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    VALUE("--state", "STATE", N_("only those in this state")),
    SWITCH("--all", N_("all of them")),
    SWITCH("--open", N_("only open ones")),
    SWITCH("--overdue", N_("only open ones past their date")),
    SWITCH("--accusations", N_("at the township: accusations alone, which no other list has")),
    VALUE("--since", "TIME", N_("only those registered since")),
    VALUE("-n", "N", N_("the newest N, newest first")),
    END,
};
static const struct flag list_flags[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    VALUE("--state", "STATE", N_("only those in this state")),
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

static const struct flag by_flags[] = {
    BY,
    END,
};
static const struct flag village_flags[] = {
    VALUE("--village", "VILLAGE", N_("at the hub: the village it is about")),
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
static const struct flag transfer_flags[] = {
    FILLS("--to", "NAME", N_("responsible unit"), "unit"),
    BY,
    END,
};
static const struct flag correct_flags[] = {
    FILLS("--entry", "N", N_("which record: its number in sidan show"), "target"),
    FILLS("--field", "WORD", N_("which field of it, by name"), "field"),
    BY,
    END,
};
static const struct flag resolve_flags[] = {
    FILLS("--winner", "N", N_("the record that stands: its number in sidan show"), "winner"),
    BY,
    END,
};
#define ROW(value_, help_) FILLS("--row", value_, help_, "rows")
#define ROWS_FILE VALUE("--file", "FILE.csv", N_("the rows as a table; its first row names them"))
static const struct flag attendance_flags[] = {
    ROW("PERSON,HH:MM,HH:MM", N_("who was there, from when to when; once for each")),
    ROWS_FILE,
    BY,
    END,
};
static const struct flag verify_service_flags[] = {
    ROW("PERSON,N", N_("minutes that count, where they differ; once for each")),
    ROWS_FILE,
    BY,
    END,
};
static const struct flag deduct_flags[] = {
    ROW("PERSON,POINTS", N_("whom, and how many points; once for each")),
    ROWS_FILE,
    VALUE("--village", "VILLAGE", N_("at the hub: the village it is about")),
    BY,
    END,
};
static const struct flag pay_flags[] = {
    ROW("PERSON,FEN,TEXT", N_("whom, how much in fen, number of the voucher; once for each")),
    ROWS_FILE,
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
    VALUE("--from", "DATE", N_("first day")),
    VALUE("--to", "DATE", N_("last day")),
    BY,
    END,
};
static const struct flag rule_show_flags[] = {
    VALUE("--ver", "N", N_("this version (else the one in force)")),
    END,
};
static const struct flag calendar_put_flags[] = {
    VALUE("--source", "TEXT", N_("who announced it (else the State Council's notice)")),
    BY,
    END,
};
static const struct flag category_put_flags[] = {
    VALUE("--effective", "DATE", N_("from when it holds (else today)")),
    VALUE("--approved-by", "TEXT", N_("who decided it")),
    VALUE("--doc-ref", "TEXT", N_("number of the decision")),
    BY,
    END,
};
static const struct flag village_add_flags[] = {
    VALUE("--short-name", "TEXT", N_("what people call it")),
    VALUE("--pinyin", "TEXT", N_("how that is written in Latin letters")),
    VALUE("--type", "village|community", N_("which of the two (else village)")),
    VALUE("--villages", "FILE", N_("several, as CSV: code,name,short_name,pinyin,kind")),
    END,
};
static const struct flag village_rename_flags[] = {
    VALUE("--name", "TEXT", N_("its new name")),
    VALUE("--short-name", "TEXT", N_("what people call it")),
    VALUE("--pinyin", "TEXT", N_("how that is written in Latin letters")),
    END,
};
static const struct flag village_close_flags[] = {
    VALUE("--reason", "TEXT", N_("why, such as what it was merged into")),
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
#define ACT(name_, zh_, arguments_, min_, max_, help_, group_, flags_, kind_, fills_)              \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = (arguments_), .arguments_min = (min_),          \
        .arguments_max = (max_), .help = (help_), .group = (group_), .flags = (flags_),            \
        .kind = (kind_), .fills = (fills_), .run = cmd_act                                         \
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
    VERB("today", "今日", NULL, 0, 0, N_("what is to be done: open requests by light"), SEE, NULL,
         cmd_today),
    VERB("requests", "诉求", NULL, 0, 0,
         N_("list requests: the open ones by light, or those asked for"), SEE, requests_flags,
         cmd_requests),
    VERB("show", "查看", "ID|NUMBER", 1, 1, N_("one thing with its whole history"), SEE, NULL,
         cmd_show),
    VERB("list", "列表", "TYPE", 1, 1, N_("teams, calls, activities, assets: all of one type"), SEE,
         list_flags, cmd_list),
    VERB("find", "查找", "TEXT", 1, 1, N_("people by name, phone, its last 4 digits or a number"),
         SEE, find_flags, cmd_find),
    VERB("checks", "核对", NULL, 0, 0, N_("what contradicts: numbers, phones, times, signatures"),
         SEE, NULL, cmd_checks),
    VERB("sealed", "密封", NULL, 0, 0,
         N_("at the township: what villages sealed for the office, opened or not"), SEE, NULL,
         cmd_sealed),
    VERB("sealed open", "启封", "[ID]", 0, 1,
         N_("at the hub: open it and register what is inside (else all that wait)"), REQUESTS,
         by_flags, cmd_sealed),
    VERB("export", "导出", "WHAT [PERIOD]", 1, 2,
         N_("a sheet for the spreadsheet: requests, volunteers, services, activities, points"), SEE,
         export_flags, cmd_export),
    VERB("devices", "终端", NULL, 0, 0, N_("list the devices of the township"), SEE, NULL,
         cmd_devices),
    VERB("log", "日志", NULL, 0, 0, N_("the events as they stand"), SEE, log_flags, cmd_log),
    VERB("kinds", "种类", "[KIND]", 0, 1, N_("what can be recorded, and its fields"), SEE, NULL,
         cmd_kinds),
    {.name = "register",
     .zh = "登记",
     .help = N_("register a request"),
     .group = REQUESTS,
     .flags = village_flags,
     .run = cmd_register,
     .kind = "request.register"},
    ACT("supplement", "补充", "ID|NUMBER", 1, 1,
        N_("ask the person for more, or note what was answered"), REQUESTS, by_flags,
        "request.supplement", NULL),
    ACT("answer", "答复", "ID|NUMBER", 1, 1, N_("answer it at once, without an order"), REQUESTS,
        by_flags, "request.answer", NULL),
    ACT("accept", "受理", "ID|NUMBER", 1, 1, N_("accept a request"), REQUESTS, accept_flags,
        "request.accept", NULL),
    ACT("decline", "不受理", "ID|NUMBER", 1, 1, N_("decline a request, and say whom to ask"),
        REQUESTS, by_flags, "request.decline", NULL),
    ACT("merge", "并案", "ID|NUMBER [ID|NUMBER]", 1, 2,
        N_("merge it into another request about the same"), REQUESTS, by_flags, "request.merge",
        "main"),
    ACT("escalate", "上报", "ID|NUMBER", 1, 1, N_("hand it up from the village to the township"),
        REQUESTS, by_flags, "request.escalate", NULL),
    ACT("assign", "交办", "ID|NUMBER", 1, 1, N_("assign it to a unit"), REQUESTS, assign_flags,
        "order.issue", NULL),
    ACT("sign", "签收", "ID|NUMBER", 1, 1, N_("sign for an order"), REQUESTS, by_flags,
        "order.sign", NULL),
    ACT("return", "退单", "ID|NUMBER", 1, 1, N_("object to an order: it is not for this unit"),
        REQUESTS, by_flags, "order.object", NULL),
    ACT("decide", "裁定", "ID|NUMBER", 1, 1, N_("decide on an objection"), REQUESTS, by_flags,
        "order.object_decide", NULL),
    ACT("transfer", "转派", "ID|NUMBER", 1, 1, N_("give it to another unit"), REQUESTS,
        transfer_flags, "order.transfer", NULL),
    ACT("contact", "联系", "ID|NUMBER", 1, 1, N_("note that the person was contacted"), REQUESTS,
        by_flags, "contact.log", NULL),
    ACT("note", "进展", "ID|NUMBER [TEXT]", 1, 2, N_("note how it goes"), REQUESTS, by_flags,
        "progress.note", "note"),
    ACT("extend", "延期", "ID|NUMBER", 1, 1, N_("ask for more time"), REQUESTS, by_flags,
        "order.extend_ask", NULL),
    ACT("extend-decide", "批复延期", "ID|NUMBER", 1, 1, N_("decide on more time"), REQUESTS,
        by_flags, "order.extend_decide", NULL),
    ACT("suspend", "挂起", "ID|NUMBER", 1, 1,
        N_("stop the clock until something else has happened"), REQUESTS, by_flags, "order.suspend",
        NULL),
    ACT("resume", "恢复", "ID|NUMBER", 1, 1, N_("let the clock run again"), REQUESTS, by_flags,
        "order.resume", NULL),
    {.name = "report",
     .zh = "办理结果",
     .arguments = "ID|NUMBER|PERIOD",
     .arguments_min = 1,
     .arguments_max = 1,
     .help = N_("report what was done; or the figures of a period (2022-07)"),
     .group = REQUESTS,
     .flags = report_flags,
     .run = cmd_report,
     .kind = "order.report"},
    ACT("review", "审核", "ID|NUMBER", 1, 1, N_("pass a result, or send it back"), REQUESTS,
        by_flags, "order.review", NULL),
    ACT("visit", "回访", "ID|NUMBER", 1, 1, N_("record a callback"), REQUESTS, visit_flags,
        "callback.record", NULL),
    ACT("close", "办结", "ID|NUMBER", 1, 1, N_("close a request"), REQUESTS, by_flags,
        "request.close", NULL),
    ACT("reopen", "重办", "ID|NUMBER", 1, 1, N_("have it done again"), REQUESTS, by_flags,
        "request.reopen", NULL),
    ACT("withdraw", "撤回", "ID|NUMBER", 1, 1, N_("the person takes the request back"), REQUESTS,
        by_flags, "request.withdraw", NULL),
    ACT("archive", "归档", "ID|NUMBER", 1, 1, N_("put a closed request into the archive"), REQUESTS,
        by_flags, "request.archive", NULL),
    ACT("supervise", "督办", "ID|NUMBER", 1, 1, N_("urge it: yellow or red card"), REQUESTS,
        by_flags, "supervise.issue", NULL),
    ACT("thanks", "感谢信", "[ID|NUMBER]", 0, 1, N_("record a letter of thanks"), REQUESTS,
        village_flags, "thanks.record", "request"),
    ACT("team form", "服务队 组建", "[NAME]", 0, 1, N_("form the team of this village"), SERVICE,
        by_flags, "team.form", "name"),
    VERB("team list", "服务队 列表", NULL, 0, 0, N_("the teams"), SERVICE, list_flags, cmd_list),
    VERB("volunteer list", "志愿者 列表", NULL, 0, 0, N_("the volunteers"), SERVICE,
         volunteer_flags, cmd_volunteers),
    VERB("hours", "时长", "[PERSON] [YEAR]", 0, 2,
         N_("hours of service in a year, verified or not"), SERVICE, hours_flags, cmd_hours),
    ACT("volunteer add", "志愿者 登记", "[NAME]", 0, 1, N_("register a volunteer"), SERVICE,
        village_flags, "volunteer.register", "name"),
    ACT("volunteer update", "志愿者 变更", "PERSON", 1, 1, N_("change a volunteer"), SERVICE,
        by_flags, "volunteer.update", NULL),
    ACT("volunteer leave", "志愿者 退出", "PERSON", 1, 1, N_("a volunteer leaves"), SERVICE,
        by_flags, "volunteer.leave", NULL),
    ACT("consent give", "同意 登记", "PERSON [WORD]", 1, 2,
        N_("a volunteer agrees to a card, a ranking, a picture"), SERVICE, by_flags, "consent.give",
        "purpose"),
    ACT("consent withdraw", "同意 撤回", "PERSON [WORD]", 1, 2, N_("a volunteer agrees no longer"),
        SERVICE, by_flags, "consent.withdraw", "purpose"),
    ACT("card issue", "名片 发放", "PERSON [NUMBER]", 1, 2, N_("hand out a service card"), SERVICE,
        by_flags, "card.issue", "card_no"),
    VERB("card show", "名片 查看", "PERSON", 1, 1, N_("what stands on both sides of a card"),
         SERVICE, NULL, cmd_card),
    ACT("card withdraw", "名片 收回", "PERSON [NUMBER]", 1, 2, N_("take a service card back"),
        SERVICE, by_flags, "card.withdraw", "card_no"),
    ACT("call publish", "号召 发布", "[TITLE]", 0, 1, N_("call for helpers"), SERVICE,
        village_flags, "call.publish", "title"),
    ACT("call update", "号召 变更", "CALL", 1, 1, N_("change a call"), SERVICE, by_flags,
        "call.update", NULL),
    ACT("call close", "号召 截止", "CALL [WORD]", 1, 2, N_("close a call"), SERVICE, by_flags,
        "call.close", "reason"),
    VERB("call list", "号召 列表", NULL, 0, 0,
         N_("the calls for helpers: who signed up, how many are needed, who waits"), SERVICE,
         list_flags, cmd_calls),
    ACT("signup", "报名", "CALL [PERSON]", 1, 2, N_("a volunteer signs up to a call"), SERVICE,
        by_flags, "call.signup", "person"),
    ACT("cancel-signup", "取消报名", "CALL [PERSON]", 1, 2, N_("a volunteer takes it back"),
        SERVICE, by_flags, "call.cancel", "person"),
    ACT("activity record", "活动 登记", "[TITLE]", 0, 1, N_("record an activity that was held"),
        SERVICE, by_flags, "activity.record", "title"),
    VERB("activity list", "活动 列表", NULL, 0, 0, N_("the activities that were held"), SERVICE,
         list_flags, cmd_list),
    ACT("attendance", "签到", "[ACTIVITY]", 0, 1, N_("record who was there"), SERVICE,
        attendance_flags, "attendance.record", "activity"),
    ACT("service log", "服务 登记", "[PERSON]", 0, 1, N_("record a single service"), SERVICE,
        by_flags, "service.log", "person"),
    ACT("service verify", "服务 核定", "ID", 1, 1,
        N_("verify a service or an attendance of others"), SERVICE, verify_service_flags,
        "service.verify", NULL),
    ACT("asset record", "设施 登记", "[NAME]", 0, 1, N_("record a well, a pump, a lamp"), SERVICE,
        by_flags, "asset.record", "name"),
    ACT("asset change", "设施 变更", "ASSET [WORD]", 1, 2, N_("change how it is with one"), SERVICE,
        by_flags, "asset.change", "condition"),
    VERB("asset list", "设施 列表", NULL, 0, 0, N_("wells, pumps, lamps and how they are"), SERVICE,
         list_flags, cmd_list),
    ACT("points deduct", "积分 扣分", NULL, 0, 0, N_("take points away"), POINTS, deduct_flags,
        "points.deduct", NULL),
    ACT("points reverse", "积分 冲正", "ID [N]", 1, 2, N_("reverse an entry of a sheet"), POINTS,
        by_flags, "points.reverse", "entry"),
    ACT("points object", "积分 异议", "ID [N]", 1, 2, N_("somebody objects to an entry"), POINTS,
        by_flags, "points.object", "entry"),
    ACT("points decide", "积分 裁定", "ID [N]", 1, 2, N_("decide on an objection to an entry"),
        POINTS, by_flags, "points.decide", "entry"),
    ACT("publicity close", "公示 结束", "ID", 1, 1, N_("a list has been shown long enough"), POINTS,
        by_flags, "publicity.close", NULL),
    ACT("redeem pay", "兑换 发放", "ID", 1, 1, N_("record what was paid out"), POINTS, pay_flags,
        "redeem.pay", NULL),
    ACT("redeem close", "兑换 完成", "ID", 1, 1, N_("close a redemption run"), POINTS, by_flags,
        "redeem.close", NULL),
    ACT("honour award", "表彰 授予", "[PERSON]", 0, 1, N_("give a volunteer a title"), POINTS,
        by_flags, "honour.award", "person"),
    ACT("recommend", "推荐", "[PERSON]", 0, 1, N_("recommend a volunteer for a benefit"), POINTS,
        by_flags, "benefit.recommend", "person"),
    VERB("figures", "通报", "PERIOD", 1, 1,
         N_("the figures of a year, a quarter or a month: 2022, 2022-Q3, 2022-07"), POINTS,
         report_flags, cmd_figures),
    ACT("stat note", "统计 登记", NULL, 0, 0, N_("note a figure from elsewhere"), POINTS, by_flags,
        "stat.note", NULL),
    ACT("duty publish", "晒单 发布", "[UNIT]", 0, 1, N_("publish what a unit is there for"), TOWN,
        by_flags, "duty.publish", "unit"),
    VERB("duty list", "晒单 列表", NULL, 0, 0, N_("what the units are there for"), TOWN, list_flags,
         cmd_list),
    ACT("publish", "公开", "[ID|NUMBER]", 0, 1, N_("publish the result of a request"), TOWN,
        by_flags, "notice.publish", "request"),
    ACT("correct", "更正", "ID|NUMBER", 1, 1,
        N_("correct a field of a record; the old one stays in the history"), RECORD, correct_flags,
        "correct.entry", NULL),
    ACT("resolve", "确认", "ID|NUMBER", 1, 1, N_("settle what both sides have changed"), RECORD,
        resolve_flags, "conflict.resolve", NULL),
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
    VERB("actor add", "人员 登记", "NAME", 1, 1, N_("add a person who acts"), SET_UP,
         actor_add_flags, cmd_actor),
    VERB("actor list", "人员 列表", NULL, 0, 0, N_("list the persons who act"), SET_UP, NULL,
         cmd_actor),
    ACT("actor revoke", "人员 撤销", "PERSON [REASON]", 1, 2, N_("a person acts here no longer"),
        SET_UP, by_flags, "actor.revoke", "reason"),
    VERB("rule put", "规则 发布", "FILE", 1, 1,
         N_("publish a rule: limits, points, categories, ..."), SET_UP, by_flags, cmd_rule),
    VERB("rule list", "规则 列表", NULL, 0, 0, N_("the rules in all their versions"), SET_UP, NULL,
         cmd_rule),
    VERB("rule show", "规则 查看", "TYPE", 1, 1, N_("one rule as it stands"), SET_UP,
         rule_show_flags, cmd_rule),
    VERB("calendar put", "日历 发布", "FILE", 1, 1,
         N_("publish a year's holidays and the days made up for"), SET_UP, calendar_put_flags,
         cmd_calendar),
    VERB("calendar show", "日历 查看", "[YEAR]", 0, 1, N_("the working days of a year"), SET_UP,
         NULL, cmd_calendar),
    VERB("category list", "类别 列表", NULL, 0, 0, N_("the categories of requests"), SET_UP, NULL,
         cmd_category),
    VERB("category put", "类别 发布", "FILE", 1, 1,
         N_("publish the categories anew: names may change, codes stay"), SET_UP,
         category_put_flags, cmd_category),
    VERB("unit list", "单位 列表", NULL, 0, 0, N_("the units that orders go to"), SET_UP, NULL,
         cmd_unit),
    ACT("unit add", "单位 设立", "[NAME]", 0, 1, N_("add a unit that orders go to"), SET_UP,
        by_flags, "unit.put", "name"),
    ACT("unit close", "单位 撤销", "UNIT", 1, 1, N_("close a unit"), SET_UP, by_flags, "unit.close",
        NULL),
    VERB("village add", "村庄 设立", "[CODE NAME]", 0, 2, N_("add villages to the township"),
         SET_UP, village_add_flags, cmd_village),
    VERB("village rename", "村庄 更名", "VILLAGE", 1, 1, N_("give a village another name"), SET_UP,
         village_rename_flags, cmd_village),
    VERB("village close", "村庄 撤并", "VILLAGE", 1, 1, N_("close a village that is no more"),
         SET_UP, village_close_flags, cmd_village),
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
