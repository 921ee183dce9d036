#include "proto/kinds_form.h"

/* Points, redemption, honours and figures. Points are tenths, money is fen (1/100 yuan). */

#define POINTS_MAX 100000000
#define FEN_MAX INT64_C(1000000000000)

static const struct field award_columns[] = {
    {PERSON},
    {"rule", "规则", "rule", TEXT(1, 16), REQUIRED},
    {"basis", "依据", "record it is for", FIELD_THING, OPTIONAL},
    {"points", "积分(十分之一分)", "points, in tenths", INT(-POINTS_MAX, POINTS_MAX), REQUIRED},
};

static const struct field points_award[] = {
    {YEAR},
    {RULES},
    {"rows", "积分明细", "entries", ROWS(1, SHEET_ROWS_MAX, award_columns), REQUIRED},
};

static const struct field deduct_columns[] = {
    {PERSON},
    {"points", "扣分(十分之一分)", "points taken, in tenths", UINT(1, POINTS_MAX), REQUIRED},
};

static const struct field points_deduct[] = {
    {YEAR},
    {"reason", "扣分原因", "reason", CHOICE("false_record|misconduct|no_show|harm|other"),
     REQUIRED},
    {"rows", "扣分明细", "entries", ROWS(1, SHEET_ROWS_MAX, deduct_columns), REQUIRED},
    {WHY},
};

#define ENTRY "entry", "第几条", "which entry, from 1", UINT(1, SHEET_ROWS_MAX), REQUIRED

static const struct field points_reverse[] = {
    {ENTRY},
    {"why", "冲正理由", "reason in words", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {SIGNED_BY},
};

static const struct field points_object[] = {
    {ENTRY},
    {"text", "异议内容", "objection", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
};

static const struct field points_decide[] = {
    {ENTRY},
    {"upheld", "异议成立", "the objection is right", FIELD_BOOL, REQUIRED},
    {WHY},
};

static const struct field publicity_open[] = {
    {"type", "公示类型", "what is shown", CHOICE("points|redeem|honour|stat"), REQUIRED},
    {YEAR},
    {"village", "区划代码", "village, none for the township", CODE(12), OPTIONAL},
    {"list", "名单校验码", "digest of the list", BYTES(32, 32), REQUIRED},
    {"from", "开始日期", "from", FIELD_DATE, REQUIRED},
    {"to", "截止日期", "to", FIELD_DATE, REQUIRED},
    {"place", "公示地点", "place", TEXT(1, REF_MAX), REQUIRED},
};

static const struct field publicity_close[] = {
    {"objections", "异议件数", "objections", UINT(0, 10000), REQUIRED},
};

static const struct field redeem_open[] = {
    {YEAR},
    {RULES},
    {"pool", "资金总额(分)", "pool, in fen", UINT(1, FEN_MAX), REQUIRED},
    {"total", "积分合计(十分之一分)", "points together, in tenths", UINT(0, UINT32_MAX), REQUIRED},
    {"list", "名单校验码", "digest of the list", BYTES(32, 32), REQUIRED},
    {"doc_ref", "批准文件", "decision", TEXT(1, REF_MAX), OPTIONAL},
    {"signed_by", "批准人", "person who signed the paper", FIELD_THING, REQUIRED},
};

static const struct field grant_columns[] = {
    {PERSON},
    {"village", "区划代码", "village", CODE(12), REQUIRED},
    {"points", "积分(十分之一分)", "points, in tenths", UINT(0, POINTS_MAX), REQUIRED},
    {"fen", "金额(分)", "fen", UINT(0, FEN_MAX), REQUIRED},
};

static const struct field redeem_grant[] = {
    {"rows", "核发明细", "grants", ROWS(1, GRANT_ROWS_MAX, grant_columns), REQUIRED},
};

static const struct field pay_columns[] = {
    {PERSON},
    {"fen", "金额(分)", "fen", UINT(0, FEN_MAX), REQUIRED},
    {"voucher_no", "凭证号", "voucher", TEXT(1, NAME_SIZE_MAX), REQUIRED},
};

static const struct field redeem_pay[] = {
    {"paid", "发放日期", "paid on", FIELD_DATE, REQUIRED},
    {"signed", "本人已签字", "all have signed", FIELD_BOOL, REQUIRED},
    {"rows", "发放明细", "payments", ROWS(1, 150, pay_columns), REQUIRED},
};

static const struct field redeem_close[] = {
    {"paid", "实发合计(分)", "paid together, in fen", UINT(0, FEN_MAX), REQUIRED},
    {"remainder", "结余(分)", "left over, in fen", UINT(0, FEN_MAX), REQUIRED},
};

static const struct field honour_award[] = {
    {PERSON},
    {"title", "称号", "title", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {YEAR},
    {"rank", "名次", "rank", UINT(1, 100000), REQUIRED},
    {"points", "积分(十分之一分)", "points, in tenths", UINT(0, POINTS_MAX), REQUIRED},
    {"cert_no", "证书编号", "certificate", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"shown_name", "公开姓名", "name as published", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"signed_by", "批准人", "person who signed the paper", FIELD_THING, REQUIRED},
};

static const struct field benefit_recommend[] = {
    {PERSON},
    {"type", "优待类型", "type", CHOICE("party|medical|school|service|job|cadre"), REQUIRED},
    {"to", "推荐至", "to whom", TEXT(1, REF_MAX), REQUIRED},
    {"count", "核定活动次数", "verified activities", UINT(0, 10000), REQUIRED},
    {"decided_by", "决定人", "who decided", FIELD_THING, REQUIRED},
    {"result", "结果", "result", CHOICE("recommended|granted|refused"), OPTIONAL},
};

static const struct field figure_columns[] = {
    {"id", "指标", "figure", TEXT(1, 24), REQUIRED},
    {"village", "区划代码", "village, none for the whole", CODE(12), OPTIONAL},
    {"unit", "单位", "unit", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"num", "分子", "numerator", UINT(0, UINT32_MAX), REQUIRED},
    {"den", "分母", "denominator", UINT(0, UINT32_MAX), REQUIRED},
};

static const struct field stat_freeze[] = {
    {"period", "统计期", "period", TEXT(4, 10), REQUIRED},
    {"figures", "指标", "figures", ROWS(1, FIGURE_ROWS_MAX, figure_columns), REQUIRED},
    {RULES},
    {"events", "截至记录数", "records it was computed from", UINT(0, INT64_C(1) << 40), REQUIRED},
    {"digest", "记录校验码", "digest of those records", BYTES(32, 32), REQUIRED},
    {"old", "数据不新的村", "villages whose data is old", LIST(60), OPTIONAL},
};

static const struct field stat_note[] = {
    {"period", "统计期", "period", TEXT(4, 10), REQUIRED},
    {"name", "指标", "figure", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"value", "数值", "value", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"source", "来源", "source", TEXT(1, REF_MAX), REQUIRED},
};

#define COUNTS ROLE_HUB | ROLE_DISPATCH
#define FINANCE ROLE_FINANCE
#define LEADS ROLE_DISPATCH | ROLE_OFFICE

static const struct kind table[] = {
    {"points.award", "积分", "points awarded", THING_POINTS, FOUNDS, COUNTS, IN_REQUEST,
     FIELDS(points_award)},
    {"points.deduct", "扣分", "points taken", THING_POINTS, FOUNDS, ROLE_DISPATCH, IN_REQUEST,
     FIELDS(points_deduct)},
    {"points.reverse", "冲正", "entry reversed", THING_POINTS, ACTS, LEADS, IN_REQUEST,
     FIELDS(points_reverse)},
    {"points.object", "积分异议", "objection to an entry", THING_POINTS, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH, IN_REQUEST, FIELDS(points_object)},
    {"points.decide", "异议处理", "objection decided", THING_POINTS, ACTS, ROLE_DISPATCH,
     IN_REQUEST, FIELDS(points_decide)},
    {"publicity.open", "公示", "list made public", THING_PUBLICITY, FOUNDS,
     ROLE_VILLAGE | ROLE_DISPATCH, IN_TOWN, FIELDS(publicity_open)},
    {"publicity.close", "公示结束", "public showing ended", THING_PUBLICITY, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH, IN_TOWN, FIELDS(publicity_close)},
    {"redeem.open", "兑换启动", "redemption opened", THING_REDEEM, FOUNDS, FINANCE, IN_OFFICE,
     FIELDS(redeem_open)},
    {"redeem.grant", "核发", "granted", THING_REDEEM, ACTS, FINANCE, IN_OFFICE,
     FIELDS(redeem_grant)},
    {"redeem.pay", "发放", "paid", THING_REDEEM, ACTS, FINANCE, IN_OFFICE, FIELDS(redeem_pay)},
    {"redeem.close", "兑换完成", "redemption closed", THING_REDEEM, ACTS, FINANCE, IN_OFFICE,
     FIELDS(redeem_close)},
    {"honour.award", "志愿之星", "honour given", THING_HONOUR, FOUNDS, LEADS, IN_TOWN,
     FIELDS(honour_award)},
    {"benefit.recommend", "优待推荐", "recommended", THING_BENEFIT, FOUNDS, ROLE_OFFICE, IN_OFFICE,
     FIELDS(benefit_recommend)},
    {"stat.freeze", "统计定稿", "figures frozen", THING_STAT, FOUNDS, LEADS, IN_TOWN,
     FIELDS(stat_freeze)},
    {"stat.note", "外部指标", "figure from elsewhere", THING_STAT, FOUNDS, ROLE_OFFICE, IN_TOWN,
     FIELDS(stat_note)},
};

const struct kind_group kinds_points = GROUP(table);
