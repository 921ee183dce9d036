#include "proto/kinds_form.h"

/* What the township sets and publishes: rules, calendar, units, duties, results. */

static const struct field limit_columns[] = {
    {"step", "环节", "step",
     CHOICE("accept|issue|sign|contact|simple|general|complex|petition|extension|callback|decide"),
     REQUIRED},
    {"amount", "数量", "amount", UINT(0, 365), REQUIRED},
    {"unit", "单位", "working days, days or hours", CHOICE("wd|d|h"), REQUIRED},
};

static const struct field points_columns[] = {
    {"id", "规则编号", "id of the rule", TEXT(1, 16), REQUIRED},
    {"basis", "计分依据", "basis", CHOICE("activity|hour|outcome|referral"), REQUIRED},
    {"rate", "分值(十分之一分)", "tenths of a point each", UINT(0, 100000), REQUIRED},
    {"block_min", "计时单位(分钟)", "block of minutes", UINT(1, 480), REQUIRED},
    {"factor_pct", "系数(%)", "factor in percent", UINT(1, 1000), REQUIRED},
    {"category", "服务类别", "kind of service, none for all", CHOICE(SERVICES), OPTIONAL},
    {"cap_activity", "单次上限", "most for one activity", UINT(0, 1000000), REQUIRED},
    {"cap_day", "每日上限", "most a day", UINT(0, 1000000), REQUIRED},
    {"cap_month", "每月上限", "most a month", UINT(0, 1000000), REQUIRED},
    {"cap_year", "每年上限", "most a year", UINT(0, 1000000), REQUIRED},
    {"need_verify", "须核定", "only verified services", FIELD_BOOL, REQUIRED},
};

static const struct field bonus_columns[] = {
    {"rank", "名次", "rank", UINT(1, 1000), REQUIRED},
    {"fen", "金额(分)", "fen", UINT(0, 100000000), REQUIRED},
};

static const struct field weight_columns[] = {
    {"id", "指标", "figure", TEXT(1, 24), REQUIRED},
    {"weight", "权重", "weight", UINT(0, 1000), REQUIRED},
};

static const struct field category_columns[] = {
    {"code", "类别代码", "code", CODE(4), REQUIRED},
    {"zh", "名称", "name in Chinese", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"en", "英文名称", "name in English", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"ext_code", "对应代码", "code in another list", TEXT(1, 16), OPTIONAL},
};

static const struct field rule_put[] = {
    {"type", "规则类型", "type of rule", CHOICE("sla|points|redeem|kpi|category"), REQUIRED},
    {"ver", "版本", "version", UINT(1, 9999), REQUIRED},
    {"effective", "生效日期", "effective from", FIELD_DATE, REQUIRED},
    {"approved_by", "通过会议", "decided by", TEXT(1, REF_MAX), OPTIONAL},
    {"doc_ref", "文件", "decision", TEXT(1, REF_MAX), OPTIONAL},
    {"limits", "时限", "limits", ROWS(1, 16, limit_columns), OPTIONAL},
    {"points", "积分规则", "rules for points", ROWS(1, POINTS_RULES_MAX, points_columns), OPTIONAL},
    {"public_days", "公示天数", "days made public", UINT(1, 60), OPTIONAL},
    {"scheme", "兑换办法", "scheme", CHOICE("share|rate|bonus|threshold"), OPTIONAL},
    {"rate_fen", "每分金额(分)", "fen a point", UINT(0, 100000000), OPTIONAL},
    {"base_pt", "起算分(十分之一分)", "points not counted, in tenths", UINT(0, 100000000),
     OPTIONAL},
    {"bonus", "名次奖", "bonus by rank", ROWS(0, REDEEM_BONUSES_MAX, bonus_columns), OPTIONAL},
    {"min_points", "最低分(十分之一分)", "least points, in tenths", UINT(0, 100000000), OPTIONAL},
    {"top_n", "前几名", "only the first", UINT(1, 100000), OPTIONAL},
    {"cap_person_fen", "每人上限(分)", "most for one, in fen", UINT(1, 1000000000), OPTIONAL},
    {"round", "取整单位", "rounded to", CHOICE("fen|yuan|ten"), OPTIONAL},
    {"rounding", "取整方法", "rounding", CHOICE("floor|nearest"), OPTIONAL},
    {"weights", "权重", "weights of figures", ROWS(0, 32, weight_columns), OPTIONAL},
    {"categories", "类别", "categories", ROWS(1, 200, category_columns), OPTIONAL},
};

static const struct field day_columns[] = {
    {"date", "日期", "date", FIELD_DATE, REQUIRED},
    {"off", "放假", "no work", FIELD_BOOL, REQUIRED},
    {"name", "名称", "name", TEXT(1, 32), REQUIRED},
};

static const struct field calendar_put[] = {
    {YEAR},
    {"days", "放假和调休", "holidays and make-up days", ROWS(0, 120, day_columns), REQUIRED},
    {"source", "依据", "source", TEXT(1, REF_MAX), REQUIRED},
};

static const struct field unit_put[] = {
    {"name", "名称", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"type", "类型", "type", CHOICE("office|station|school|clinic|village|other"), REQUIRED},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL},
};

static const struct field unit_close[] = {
    {"reason", "撤销原因", "reason", TEXT(1, REF_MAX), REQUIRED},
};

static const struct field duty_publish[] = {
    {"unit", "单位", "unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"duties", "职责", "duties", LIST(16), REQUIRED},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL},
    {"hours", "办公时间", "hours", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"ver", "版本", "version", UINT(1, 9999), REQUIRED},
};

static const struct field notice_publish[] = {
    {"request", "诉求", "request", FIELD_THING, REQUIRED},
    {"number", "编号", "number", TEXT(1, 32), REQUIRED},
    {"public_reply", "公开答复", "reply for the public", TEXT(1, 3000), REQUIRED},
};

#define SETS ROLE_AUTHORITY | ROLE_OFFICE

static const struct kind table[] = {
    {"rule.put", "规则发布", "rule published", THING_RULE, FOUNDS, SETS, IN_TOWN, FIELDS(rule_put)},
    {"calendar.put", "工作日历", "working calendar", THING_CALENDAR, FOUNDS, SETS, IN_TOWN,
     FIELDS(calendar_put)},
    {"unit.put", "设立单位", "unit added", THING_UNIT, FOUNDS, SETS, IN_TOWN, FIELDS(unit_put)},
    {"unit.close", "撤销单位", "unit closed", THING_UNIT, ACTS, SETS, IN_TOWN, FIELDS(unit_close)},
    {"duty.publish", "晒单", "duties published", THING_DUTY, FOUNDS, ROLE_UNIT | ROLE_DISPATCH,
     IN_TOWN, FIELDS(duty_publish)},
    {"notice.publish", "结果公开", "result published", THING_NOTICE, FOUNDS, ROLE_DISPATCH, IN_TOWN,
     FIELDS(notice_publish)},
};

const struct kind_group kinds_town = GROUP(table);
