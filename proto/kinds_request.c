#include "proto/kinds_form.h"
#include "proto/seal.h"

#define CONTENT_MAX 24000
#define METHODS "phone|visit|wechat|letter|other"

static const struct field request_register[] = {
    {"number", "登记编号", "number", TEXT(4, 16), REQUIRED},
    {"channel", "来源", "channel",
     CHOICE("wechat_comment|wechat_msg|phone|visit|village|online|other"), REQUIRED},
    {"channel_ref", "来源编号", "reference in the channel", TEXT(1, REF_MAX), OPTIONAL},
    {"received", "接件时间", "when it was received", FIELD_TIME, REQUIRED},
    {"nature", "诉求性质", "nature", CHOICE("consult|help|complaint|suggestion|praise"), REQUIRED,
     .sealed = "accusation"},
    {"category", "类别", "category", CODE(4), REQUIRED},
    {"urgency", "紧急程度", "urgency, 3 is the most urgent", UINT(1, 3), REQUIRED},
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL, PERSONAL},
    {"place", "地址", "place", TEXT(1, 256), OPTIONAL, PERSONAL},
    {"relation", "与当事人关系", "relation to whom it is about", TEXT(1, 64), OPTIONAL, PERSONAL},
    {"affected", "当事人", "whom it is about", TEXT(1, 128), OPTIONAL, PERSONAL},
    {"openid", "微信标识", "WeChat id", TEXT(1, 64), OPTIONAL, PERSONAL},
    {"content", "诉求内容", "content", TEXT(1, CONTENT_MAX), REQUIRED, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field request_supplement[] = {
    {"what", "补充方式", "asked or answered", CHOICE("ask|answer"), REQUIRED},
    {"text", "补充内容", "what is asked or answered", TEXT(1, CONTENT_MAX), REQUIRED, PERSONAL},
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL, PERSONAL},
    {"place", "地址", "place", TEXT(1, 256), OPTIONAL, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field request_answer[] = {
    {"method", "答复方式", "how it was answered", CHOICE(METHODS), REQUIRED},
    {"reply", "答复内容", "reply", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field request_accept[] = {
    {"official_no", "受理编号", "official number", TEXT(1, 32), OPTIONAL},
    {"category", "类别", "category", CODE(4), OPTIONAL},
    {"class", "办理类型", "class of handling", CHOICE("simple|general|complex|petition"), REQUIRED},
    {"due", "办结期限", "due", FIELD_TIME, OPTIONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

/* Of an acceptance by another township device than the hub: the hub records it by itself. */
static const struct field request_number[] = {
    {"official_no", "受理编号", "official number", TEXT(1, 32), REQUIRED},
};

static const struct field request_decline[] = {
    {"reason", "不予受理原因", "reason", CHOICE("not_ours|court|repeated|no_facts|no_answer|other"),
     REQUIRED},
    {"why", "说明", "reason in words", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {"redirect_to", "建议找谁", "whom to ask instead", TEXT(1, REF_MAX), OPTIONAL},
    {"told", "告知时间", "when the person was told", FIELD_TIME, OPTIONAL},
    {AT},
};

static const struct field request_merge[] = {
    {"main", "并入诉求", "the request that stays", FIELD_THING, REQUIRED},
    {WHY},
    {AT},
};

static const struct field request_escalate[] = {
    {"reason", "上报原因", "reason", CHOICE("beyond_means|not_ours|unsolved|across|other"),
     REQUIRED},
    {"tried", "已做工作", "what was tried", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_issue[] = {
    {"doc_no", "交办文号", "number of the paper", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"unit", "主办单位", "responsible unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"support", "协办单位", "supporting units", LIST(8), OPTIONAL},
    {"responsible", "办理责任人", "responsible person", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"task", "办理要求", "task", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {"due", "办结期限", "due", FIELD_TIME, REQUIRED},
    {SIGNED_BY},
    {"signed_on", "签发日期", "date on the paper", FIELD_DATE, OPTIONAL},
    {PAPER_REF},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_sign[] = {
    {"receiver", "签收人", "who took it", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_object[] = {
    {"reason", "退单原因", "reason", CHOICE("not_duty|not_place|no_power|repeated|no_facts|other"),
     REQUIRED},
    {"why", "退单说明", "reason in words, ten characters at least", TEXT(10, PARAGRAPH_MAX),
     REQUIRED, PERSONAL},
    {"suggest_unit", "建议单位", "unit that should have it", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_object_decide[] = {
    {"agree", "是否同意退单", "the objection is right", FIELD_BOOL, REQUIRED},
    {"why", "裁定理由", "reason in words", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {SIGNED_BY},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_transfer[] = {
    {"unit", "转派单位", "responsible unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"due", "办结期限", "due", FIELD_TIME, OPTIONAL},
    {"why", "转派理由", "reason in words", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {SIGNED_BY},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field contact_log[] = {
    {"method", "联系方式", "method", CHOICE(METHODS), REQUIRED},
    {"reached", "是否联系上", "the person was reached", FIELD_BOOL, REQUIRED},
    {"note", "联系情况", "what was said", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {AT},
};

static const struct field progress_note[] = {
    {"note", "办理进展", "progress", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {AT},
};

static const struct field order_extend_ask[] = {
    {"to", "申请延至", "asked until", FIELD_TIME, REQUIRED},
    {"reason", "延期原因", "reason", CHOICE("weather|funds|upper_unit|dispute|season|other"),
     REQUIRED},
    {WHY},
    {AT},
};

static const struct field order_extend_decide[] = {
    {"ok", "是否同意", "agreed", FIELD_BOOL, REQUIRED},
    {"due", "新的期限", "new due", FIELD_TIME, UNLESS("ok=false")},
    {"told_requester", "已告知群众", "the person was told", FIELD_BOOL, OPTIONAL},
    {WHY},
    {SIGNED_BY},
    {AT},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_suspend[] = {
    {"reason", "挂起原因", "reason", CHOICE("weather|upper_unit|funds|dispute|requester|other"),
     REQUIRED},
    {"review", "复核日期", "to be looked at again on", FIELD_DATE, REQUIRED},
    {WHY},
    {AT},
};

static const struct field order_resume[] = {
    {"due", "办结期限", "due", FIELD_TIME, OPTIONAL}, {WHY}, {AT}, {RULES}, {PROVISIONAL},
};

static const struct field order_report[] = {
    {"solved", "是否解决", "solved", CHOICE(SOLVED), REQUIRED},
    {"factual", "是否属实", "true as told", FIELD_BOOL, OPTIONAL},
    {"in_duty", "是否职责内", "within the unit's duty", FIELD_BOOL, OPTIONAL},
    {"contacted", "是否联系群众", "the person was contacted", FIELD_BOOL, OPTIONAL},
    {"volunteers", "参与志愿者人数", "volunteers who helped", UINT(0, 65535), OPTIONAL},
    {"unit", "填报单位", "supporting unit that reports", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"measure", "办理情况", "what was done", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {"why_not", "未解决原因", "why it is not solved", TEXT(1, PARAGRAPH_MAX), UNLESS("solved=yes"),
     PERSONAL},
    {"public_reply", "公开答复", "reply for the public", TEXT(1, 3000), OPTIONAL, PERSONAL},
    {AT},
    {NEXT_DUE},
    {RULES},
    {PROVISIONAL},
};

static const struct field order_review[] = {
    {"ok", "审核通过", "passed", FIELD_BOOL, REQUIRED},
    {"why", "审核意见", "reason in words", TEXT(1, PARAGRAPH_MAX), UNLESS("ok=true"), PERSONAL},
    {AT},
};

static const struct field callback_record[] = {
    {"attempt", "回访次数", "which attempt", UINT(1, 99), REQUIRED},
    {"method", "回访方式", "method", CHOICE("phone|visit|wechat|other"), REQUIRED},
    {"reached", "是否联系上", "the person was reached", FIELD_BOOL, REQUIRED},
    {"contacted_in_time", "是否及时联系", "was contacted in time", FIELD_BOOL, OPTIONAL},
    {"solved", "是否解决", "solved, as the person says", CHOICE(SOLVED), OPTIONAL},
    {"rating", "满意度", "rating, 5 is the best", UINT(1, 5), OPTIONAL},
    {"comment", "回访意见", "comment", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {AT},
};

static const struct field request_close[] = {
    {"result", "办结结果", "result", CHOICE("solved|explained|unsolved|unreached"), REQUIRED},
    {"public", "是否公开", "may be published", FIELD_BOOL, OPTIONAL},
    {AT},
};

static const struct field request_reopen[] = {
    {"reason", "重办原因", "reason", CHOICE("unsolved|bad_rating|new_facts|mistake|other"),
     REQUIRED},
    {"due", "办结期限", "due", FIELD_TIME, REQUIRED},
    {"unit", "主办单位", "responsible unit", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {WHY},
    {SIGNED_BY},
    {AT},
    {RULES},
    {PROVISIONAL},
};

static const struct field request_withdraw[] = {
    {"method", "撤回方式", "how the person said so", CHOICE(METHODS), REQUIRED},
    {WHY},
    {AT},
};

static const struct field request_archive[] = {
    {"archive_no", "档号", "number in the archive", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"term", "保管期限", "kept for", CHOICE("10y|30y|permanent"), REQUIRED},
    {AT},
};

static const struct field supervise_issue[] = {
    {"level", "督办级别", "level: 1 yellow, 2 red", UINT(1, 2), REQUIRED},
    {"reason", "督办原因", "reason", CHOICE("overdue|bad_callback|repeated|leader|other"),
     REQUIRED},
    {"unit", "督办单位", "unit that is urged", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"due", "督办期限", "due", FIELD_TIME, OPTIONAL},
    {"doc_no", "督办文号", "number of the paper", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {WHY},
    {SIGNED_BY},
    {AT},
};

static const struct field conflict_resolve[] = {
    {"winner", "以哪条为准", "the record that stands", BYTES(32, 32), OPTIONAL},
    {WHY},
};

static const struct field correct_entry[] = {
    {"target", "更正哪条", "the record that is corrected", BYTES(32, 32), REQUIRED},
    {"field", "更正项", "field", TEXT(1, 31), REQUIRED},
    {"value", "更正为", "new value", TEXT(1, REF_MAX), OPTIONAL},
    {"personal_value", "更正为(个人信息)", "new value of a personal field", TEXT(1, CONTENT_MAX),
     OPTIONAL, PERSONAL},
    {"why", "更正原因", "reason in words", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
};

static const struct field erased_records[] = {
    {"id", "记录", "record", BYTES(32, 32), REQUIRED},
};

/* `erases` names records of the thing whose boxes are destroyed, once the new values stand here. */
static const struct field subject_correct[] = {
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"phone", "电话", "phone", TEXT(1, 32), OPTIONAL, PERSONAL},
    {"place", "地址", "place", TEXT(1, 256), OPTIONAL, PERSONAL},
    {"content", "内容", "content", TEXT(1, CONTENT_MAX), OPTIONAL, PERSONAL},
    {"asked_by", "申请人", "who asked", CHOICE("self|relative|guardian|office"), REQUIRED},
    {"erases", "删除原记录", "records whose old text is erased", ROWS(1, 64, erased_records),
     OPTIONAL},
    {"second", "复核人", "second person", FIELD_THING, OPTIONAL},
};

static const struct field subject_export[] = {
    {"asked_by", "申请人", "who asked", CHOICE("self|relative|guardian|office"), REQUIRED},
    {AT},
};

static const struct field subject_erase[] = {
    {"basis", "删除依据", "basis", CHOICE("withdrawn|purpose_met|term_over|unlawful|order"),
     REQUIRED},
    {"second", "复核人", "second person", FIELD_THING, REQUIRED},
    {"until", "完成期限", "to be done by", FIELD_DATE, OPTIONAL},
};

/* In it are kind, time, person, body and box of what was recorded: proto/seal.h. */
static const struct field sealed[] = {
    {"sealed", "密封内容", "sealed bytes", BYTES(SEAL_SIZE_MIN, SEAL_SIZE_MAX), REQUIRED, PERSONAL},
};

static const struct field sealed_opened[] = {
    {"request", "诉求", "request registered from it", FIELD_THING, REQUIRED},
    {"recorded", "登记时间", "when it was recorded", FIELD_TIME, REQUIRED},
    {"taken_by", "登记人", "who took it", FIELD_THING, OPTIONAL},
};

static const struct field sealed_dismissed[] = {
    {"reason", "作废原因", "reason", CHOICE("unreadable|other_key|no_content|other"), REQUIRED},
    {WHY},
};

static const struct field subject_erase_ack[] = {
    {"order", "删除记录", "the order that was carried out", BYTES(32, 32), REQUIRED},
};

#define HANDLES ROLE_VILLAGE | ROLE_UNIT
#define DISPATCHES ROLE_VILLAGE | ROLE_DISPATCH
#define ANY_OFFICE                                                                                 \
    ROLE_VILLAGE | ROLE_DISPATCH | ROLE_CALLBACK | ROLE_OFFICE | ROLE_FINANCE | ROLE_UNIT
#define EVERYWHERE IN_TOWN | IN_VILLAGE | IN_OFFICE
#define ACT(name, zh, en, roles, fields)                                                           \
    {                                                                                              \
        (name), (zh), (en), THING_REQUEST, ACTS, (roles), IN_REQUEST, FIELDS(fields)               \
    }

static const struct kind table[] = {
    {"request.register", "诉求登记", "request registered", THING_REQUEST, FOUNDS, DISPATCHES,
     IN_REQUEST, FIELDS(request_register)},
    ACT("request.supplement", "补充材料", "asked for more, or more told", DISPATCHES,
        request_supplement),
    ACT("request.answer", "直接答复", "answered at once", DISPATCHES, request_answer),
    ACT("request.accept", "受理", "request accepted", DISPATCHES, request_accept),
    {"request.number", "编受理号", "official number given", THING_REQUEST, ACTS, ROLE_HUB,
     IN_VILLAGE, FIELDS(request_number)},
    ACT("request.decline", "不予受理", "request declined", ROLE_DISPATCH, request_decline),
    ACT("request.merge", "并案", "merged into another request", ROLE_DISPATCH, request_merge),
    ACT("request.escalate", "上报镇级", "escalated to the township", ROLE_VILLAGE,
        request_escalate),
    ACT("order.issue", "交办", "order issued", DISPATCHES | ROLE_OFFICE, order_issue),
    ACT("order.sign", "签收", "order signed for", HANDLES, order_sign),
    ACT("order.object", "退单申请", "objection to the order", HANDLES, order_object),
    ACT("order.object_decide", "退单裁定", "objection decided", ROLE_DISPATCH | ROLE_OFFICE,
        order_object_decide),
    ACT("order.transfer", "转派", "order transferred", ROLE_DISPATCH, order_transfer),
    ACT("contact.log", "联系群众", "person contacted", HANDLES | ROLE_DISPATCH, contact_log),
    ACT("progress.note", "办理进展", "progress", HANDLES | ROLE_DISPATCH, progress_note),
    ACT("order.extend_ask", "延期申请", "extension asked for", HANDLES, order_extend_ask),
    ACT("order.extend_decide", "延期批复", "extension decided", ROLE_DISPATCH | ROLE_OFFICE,
        order_extend_decide),
    ACT("order.suspend", "挂起", "suspended", ROLE_DISPATCH, order_suspend),
    ACT("order.resume", "恢复办理", "resumed", ROLE_DISPATCH, order_resume),
    ACT("order.report", "办理结果", "result reported", HANDLES, order_report),
    ACT("order.review", "审核", "result reviewed", ROLE_DISPATCH, order_review),
    ACT("callback.record", "回访", "callback", ROLE_VILLAGE | ROLE_CALLBACK, callback_record),
    ACT("request.close", "办结", "request closed", DISPATCHES, request_close),
    ACT("request.reopen", "重办", "request reopened", ROLE_DISPATCH, request_reopen),
    ACT("request.withdraw", "诉求人撤回", "withdrawn by the person", DISPATCHES, request_withdraw),
    ACT("request.archive", "归档", "archived", ROLE_DISPATCH, request_archive),
    ACT("supervise.issue", "督办", "supervised", ROLE_DISPATCH | ROLE_OFFICE, supervise_issue),
    {KIND_SEALED, "密封登记", "sealed for the office", THING_SEALED, FOUNDS, ROLE_VILLAGE,
     IN_OFFICE, FIELDS(sealed)},
    {"sealed.opened", "启封", "sealed record opened", THING_SEALED, ACTS,
     ROLE_DISPATCH | ROLE_OFFICE, IN_OFFICE, FIELDS(sealed_opened)},
    {"sealed.dismissed", "密封件作废", "sealed record dismissed", THING_SEALED, ACTS,
     ROLE_DISPATCH | ROLE_OFFICE, IN_OFFICE, FIELDS(sealed_dismissed)},
    {"conflict.resolve", "两边都改过的确认", "both sides' changes settled", THING_ANY, ACTS,
     ROLE_DISPATCH, EVERYWHERE, FIELDS(conflict_resolve)},
    {"correct.entry", "更正录入", "entry corrected", THING_ANY, ACTS, ANY_OFFICE, EVERYWHERE,
     FIELDS(correct_entry)},
    {"subject.correct", "更正个人信息", "personal data corrected", THING_ANY, ACTS, DISPATCHES,
     EVERYWHERE, FIELDS(subject_correct)},
    {"subject.export", "查阅个人信息", "personal data handed out", THING_ANY, ACTS, DISPATCHES,
     EVERYWHERE, FIELDS(subject_export)},
    {"subject.erase", "删除个人信息", "personal data erased", THING_ANY, ACTS,
     ROLE_DISPATCH | ROLE_OFFICE, EVERYWHERE, FIELDS(subject_erase)},
    {"subject.erase_ack", "已删除个人信息", "erasure carried out", THING_ANY, ACTS, ANY_OFFICE,
     EVERYWHERE, FIELDS(subject_erase_ack)},
};

const struct kind_group kinds_request = GROUP(table);
