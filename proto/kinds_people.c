#include "proto/kinds_form.h"

/* Teams, volunteers, calls, activities, services, assets and letters of thanks. */

static const struct field team_form[] = {
    {"name", "队名", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"branch", "党支部", "party branch", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"leader", "队长", "leader", FIELD_THING, OPTIONAL},
};

static const struct field volunteer_register[] = {
    {"number", "志愿者编号", "number", TEXT(4, 16), OPTIONAL},
    {"team", "服务队", "team", FIELD_THING, OPTIONAL},
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED, PERSONAL},
    {"phone", "电话", "phone", TEXT(1, 32), REQUIRED, PERSONAL},
    {"skills", "特长", "skills", TEXT(1, 512), OPTIONAL, PERSONAL},
    {"categories", "服务类别", "kinds of service", LIST(12), OPTIONAL},
    {"joined", "加入日期", "joined on", FIELD_DATE, REQUIRED},
    {"minor", "未满18周岁", "under 18", FIELD_BOOL, OPTIONAL},
    {"guardian_ref", "监护人同意书", "guardian's consent", TEXT(1, REF_MAX), OPTIONAL},
    {"consent_ref", "本人同意书", "own consent", TEXT(1, REF_MAX), OPTIONAL},
};

static const struct field volunteer_update[] = {
    {"team", "服务队", "team", FIELD_THING, OPTIONAL},
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL, PERSONAL},
    {"skills", "特长", "skills", TEXT(1, 512), OPTIONAL, PERSONAL},
    {"categories", "服务类别", "kinds of service", LIST(12), OPTIONAL},
};

static const struct field volunteer_leave[] = {
    {"reason", "退出原因", "reason", CHOICE("own_wish|moved|died|misconduct|other"), REQUIRED},
    {"on", "退出日期", "on", FIELD_DATE, REQUIRED},
};

#define PURPOSE "purpose", "用途", "purpose", CHOICE("card|rank|letter|photo"), REQUIRED

static const struct field consent_give[] = {
    {PURPOSE},
    {"method", "同意方式", "how it was given", CHOICE("paper|spoken|phone"), REQUIRED},
    {PAPER_REF},
};

static const struct field consent_withdraw[] = {
    {PURPOSE},
    {"method", "撤回方式", "how it was withdrawn", CHOICE("paper|spoken|phone"), REQUIRED},
    {PAPER_REF},
};

static const struct field card_issue[] = {
    {"card_no", "名片编号", "number of the card", TEXT(1, 32), REQUIRED},
    {"services", "服务范围", "services offered", LIST(8), REQUIRED},
    {"area", "服务区域", "area", TEXT(1, REF_MAX), OPTIONAL},
    {"hotline", "监督电话", "phone for complaints", TEXT(1, 32), OPTIONAL},
};

static const struct field card_withdraw[] = {
    {"card_no", "名片编号", "number of the card", TEXT(1, 32), REQUIRED},
    {"reason", "收回原因", "reason", CHOICE("left|lost|changed|misuse|other"), REQUIRED},
};

#define SERVICE_CATEGORY "category", "服务类别", "kind of service", CHOICE(SERVICES), REQUIRED

static const struct field call_publish[] = {
    {"title", "标题", "title", TEXT(1, 90), REQUIRED},
    {SERVICE_CATEGORY},
    {"place", "地点", "place", TEXT(1, 90), REQUIRED},
    {"start", "开始时间", "begins", FIELD_TIME, REQUIRED},
    {"minutes", "预计时长(分钟)", "minutes it may take", UINT(1, 960), OPTIONAL},
    {"need", "需要人数", "people needed", UINT(1, 999), REQUIRED},
    {"skills", "所需特长", "skills needed", LIST(6), OPTIONAL},
    {"risk", "风险告知", "risks", TEXT(1, 300), REQUIRED},
    {"hazard", "是否危险作业", "dangerous work", FIELD_BOOL, REQUIRED},
    {"insurance_ref", "保险单号", "insurance", TEXT(1, 64), OPTIONAL},
    {"request", "所属诉求", "request it is for", FIELD_THING, OPTIONAL},
};

static const struct field call_update[] = {
    {"place", "地点", "place", TEXT(1, 90), OPTIONAL},
    {"start", "开始时间", "begins", FIELD_TIME, OPTIONAL},
    {"need", "需要人数", "people needed", UINT(1, 999), OPTIONAL},
    {"risk", "风险告知", "risks", TEXT(1, 300), OPTIONAL},
    {"insurance_ref", "保险单号", "insurance", TEXT(1, 64), OPTIONAL},
};

static const struct field call_close[] = {
    {"reason", "截止原因", "reason", CHOICE("filled|held|cancelled|other"), REQUIRED},
};

#define OWN_WORD "by_proxy", "本人怎么说的", "how the volunteer said so"
static const struct field call_signup[] = {
    {PERSON},
    {OWN_WORD, CHOICE("in_person|phone|wechat|paper"), REQUIRED},
};

static const struct field call_cancel[] = {
    {PERSON},
    {OWN_WORD, CHOICE("in_person|phone|wechat|paper"), REQUIRED},
};

static const struct field outcome_columns[] = {
    {"key", "成果", "outcome",
     CHOICE("wells_restored|drains_cleared|rubbish_removed|trees_planted|roads_mended|"
            "visits_made|disputes_settled|hazards_removed|talks_held|other"),
     REQUIRED},
    {"n", "数量", "number", UINT(0, 1000000), REQUIRED},
};

static const struct field activity_record[] = {
    {"title", "名称", "title", TEXT(1, 90), REQUIRED},
    {SERVICE_CATEGORY},
    {"date", "日期", "date", FIELD_DATE, REQUIRED},
    {"place", "地点", "place", TEXT(1, 90), REQUIRED},
    {"host", "受益村代码", "village that was helped", CODE(12), OPTIONAL},
    {"outcome", "成果", "outcomes", ROWS(0, 8, outcome_columns), OPTIONAL},
    {"people_helped", "受益人数", "people helped", UINT(0, 1000000), OPTIONAL},
    {"call", "所属号召", "call it answers", FIELD_THING, OPTIONAL},
};

/* Minutes of the day; a night's work ends after 1440. */
static const struct field attendance_columns[] = {
    {PERSON},
    {"start", "开始", "from", UINT(0, 1439), REQUIRED},
    {"end", "结束", "to", UINT(0, 2879), REQUIRED},
    {"minutes", "分钟", "minutes", UINT(1, 960), REQUIRED},
};

static const struct field attendance_record[] = {
    {"activity", "活动", "activity", FIELD_THING, REQUIRED},
    {SERVICE_CATEGORY},
    {"date", "日期", "date", FIELD_DATE, REQUIRED},
    {"method", "签到方式", "how it was taken", CHOICE("paper|code|leader"), REQUIRED},
    {"rows", "签到名单", "who was there", ROWS(1, SHEET_ROWS_MAX, attendance_columns), REQUIRED},
};

static const struct field service_log[] = {
    {PERSON},
    {SERVICE_CATEGORY},
    {"date", "日期", "date", FIELD_DATE, REQUIRED},
    {"minutes", "分钟", "minutes", UINT(1, 480), REQUIRED},
    {"confirm", "确认方式", "how it was confirmed", CHOICE("sign|phone|none"), REQUIRED},
    {"beneficiary", "服务对象", "who was served", TEXT(1, 128), OPTIONAL, PERSONAL},
    {"note", "服务内容", "what was done", TEXT(1, 600), OPTIONAL, PERSONAL},
};

static const struct field verified_columns[] = {
    {PERSON},
    {"minutes", "核定分钟", "minutes verified", UINT(0, 960), REQUIRED},
};

static const struct field service_verify[] = {
    {"decision", "核定", "decision", CHOICE("ok|part|no"), REQUIRED},
    {"rows", "核定时长", "minutes verified, where they differ",
     ROWS(0, SHEET_ROWS_MAX, verified_columns), OPTIONAL},
    {WHY},
};

static const struct field asset_record[] = {
    {"name", "名称", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"type", "类型", "type", CHOICE("well|pump|road|bridge|lamp|drain|other"), REQUIRED},
    {"place", "位置", "place", TEXT(1, REF_MAX), REQUIRED},
    {"quality", "质量", "quality", CHOICE("good|fair|bad|unknown"), REQUIRED},
    {"worth", "有重启价值", "worth restoring", FIELD_BOOL, REQUIRED},
    {"condition", "现状", "condition", CHOICE("in_use|disused|broken"), REQUIRED},
};

static const struct field asset_change[] = {
    {"condition", "现状", "condition", CHOICE("in_use|disused|broken"), REQUIRED},
    {"activity", "由哪次活动", "by which activity", FIELD_THING, OPTIONAL},
    {"quality", "质量", "quality", CHOICE("good|fair|bad|unknown"), OPTIONAL},
};

static const struct field thanks_record[] = {
    {"request", "所属诉求", "request it is about", FIELD_THING, OPTIONAL},
    {"from", "来信人", "from", TEXT(1, NAME_SIZE_MAX), REQUIRED, PERSONAL},
    {"text", "内容", "text", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {"received", "收到日期", "received on", FIELD_DATE, OPTIONAL},
    {"consent_ref", "同意公开凭据", "consent to publish", TEXT(1, REF_MAX), OPTIONAL},
};

#define VILLAGES ROLE_VILLAGE
#define VILLAGES_AND_DISPATCH ROLE_VILLAGE | ROLE_DISPATCH

static const struct kind table[] = {
    {"team.form", "组建服务队", "team formed", THING_TEAM, FOUNDS, VILLAGES, IN_VILLAGE,
     FIELDS(team_form)},
    {"volunteer.register", "志愿者登记", "volunteer registered", THING_VOLUNTEER, FOUNDS,
     VILLAGES_AND_DISPATCH, IN_VILLAGE, FIELDS(volunteer_register)},
    {"volunteer.update", "志愿者变更", "volunteer changed", THING_VOLUNTEER, ACTS,
     VILLAGES_AND_DISPATCH, IN_VILLAGE, FIELDS(volunteer_update)},
    {"volunteer.leave", "志愿者退出", "volunteer left", THING_VOLUNTEER, ACTS, VILLAGES, IN_VILLAGE,
     FIELDS(volunteer_leave)},
    {"consent.give", "同意", "consent given", THING_VOLUNTEER, ACTS, VILLAGES_AND_DISPATCH,
     IN_VILLAGE, FIELDS(consent_give)},
    {"consent.withdraw", "撤回同意", "consent withdrawn", THING_VOLUNTEER, ACTS,
     VILLAGES_AND_DISPATCH, IN_VILLAGE, FIELDS(consent_withdraw)},
    {"card.issue", "发放名片", "card issued", THING_VOLUNTEER, ACTS, VILLAGES, IN_VILLAGE,
     FIELDS(card_issue)},
    {"card.withdraw", "收回名片", "card withdrawn", THING_VOLUNTEER, ACTS, VILLAGES, IN_VILLAGE,
     FIELDS(card_withdraw)},
    {"call.publish", "号召", "call for helpers", THING_CALL, FOUNDS, VILLAGES_AND_DISPATCH,
     IN_TOWN | IN_VILLAGE, FIELDS(call_publish)},
    {"call.update", "号召变更", "call changed", THING_CALL, ACTS, VILLAGES_AND_DISPATCH,
     IN_TOWN | IN_VILLAGE, FIELDS(call_update)},
    {"call.close", "号召截止", "call closed", THING_CALL, ACTS, VILLAGES_AND_DISPATCH,
     IN_TOWN | IN_VILLAGE, FIELDS(call_close)},
    {"call.signup", "报名", "signed up", THING_CALL, ACTS, VILLAGES, IN_TOWN | IN_VILLAGE,
     FIELDS(call_signup)},
    {"call.cancel", "取消报名", "sign-up cancelled", THING_CALL, ACTS, VILLAGES,
     IN_TOWN | IN_VILLAGE, FIELDS(call_cancel)},
    {"activity.record", "活动记录", "activity held", THING_ACTIVITY, FOUNDS, VILLAGES, IN_TOWN,
     FIELDS(activity_record)},
    {"attendance.record", "签到", "attendance", THING_SERVICE, FOUNDS, VILLAGES, IN_VILLAGE,
     FIELDS(attendance_record)},
    {"service.log", "零星服务", "single service", THING_SERVICE, FOUNDS, VILLAGES, IN_VILLAGE,
     FIELDS(service_log)},
    {"service.verify", "核定", "service verified", THING_SERVICE, ACTS, VILLAGES_AND_DISPATCH,
     IN_VILLAGE, FIELDS(service_verify)},
    {"asset.record", "设施登记", "asset recorded", THING_ASSET, FOUNDS, VILLAGES, IN_TOWN,
     FIELDS(asset_record)},
    {"asset.change", "设施变更", "asset changed", THING_ASSET, ACTS, VILLAGES, IN_TOWN,
     FIELDS(asset_change)},
    {"thanks.record", "感谢信", "letter of thanks", THING_THANKS, FOUNDS, VILLAGES_AND_DISPATCH,
     IN_REQUEST, FIELDS(thanks_record)},
};

const struct kind_group kinds_people = GROUP(table);
