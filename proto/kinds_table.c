#include "proto/kinds.h"

/* The order of fields is the order in which a person is asked for them. SPEC, "Kinds", says the
 * same table; tests/unit/proto/test_kinds.c compares the two. */

#define TEXT(min_, max_) FIELD_TEXT, .min = (min_), .max = (max_)
#define UINT(min_, max_) FIELD_UINT, .min = (min_), .max = (max_)
#define CODE(digits) FIELD_CODE, .min = (digits), .max = (digits)
#define BYTES(min_, max_) FIELD_BYTES, .min = (min_), .max = (max_)
#define LIST(max_) FIELD_LIST, .min = 0, .max = (max_)
#define CHOICE(choices_) FIELD_CHOICE, .choices = (choices_)
#define REQUIRED .required = true
#define OPTIONAL .required = false
#define PERSONAL .personal = true

#define NAME_SIZE_MAX 64
#define REF_MAX 128
#define PARAGRAPH_MAX 6000 /* bytes: 2,000 Chinese characters */
#define CONTENT_MAX 24000
#define LETTERS "A|B|C|D|E|F|G|H|I|J|K|L|M|N|O|P|Q|R|S|T|U|V|W|X|Y|Z"
#define SOLVED "yes|part|no"

/* When it was done, as stated; an event's own time is the moment of recording. */
#define AT "at", "办理时间", "when it was done", FIELD_TIME, OPTIONAL

static const struct field township_founded[] = {
    {"name", "乡镇名称", "name of the township", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"recovery", "恢复公钥", "recovery key", BYTES(32, 32), REQUIRED},
    {"office", "办公室公钥", "office key", BYTES(32, 32), REQUIRED},
};

static const struct field village_put[] = {
    {"code", "区划代码", "division code", CODE(12), REQUIRED},
    {"name", "名称", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"short_name", "简称", "short name", TEXT(1, 32), REQUIRED},
    {"pinyin", "拼音", "pinyin", TEXT(1, 32), REQUIRED},
    {"type", "类别", "village or community", CHOICE("village|community"), REQUIRED},
    {"number", "村序号", "number in the township", UINT(1, 999), REQUIRED},
};

static const struct field device_enrol[] = {
    {"key", "签名公钥", "signing key", BYTES(32, 32), REQUIRED},
    {"transport", "传输公钥", "transport key", BYTES(32, 32), REQUIRED},
    {"name", "终端名称", "name of the device", TEXT(1, DEVICE_NAME_SIZE_MAX), REQUIRED},
    {"roles", "角色", "roles, as bits", UINT(1, UINT32_MAX), REQUIRED},
    {"letter", "终端字母", "letter of the device", CHOICE(LETTERS), REQUIRED},
};

static const struct field device_invited[] = {
    {"invite", "邀请签名公钥", "one-time signing key", BYTES(32, 32), REQUIRED},
    {"transport", "邀请传输公钥", "one-time transport key", BYTES(32, 32), REQUIRED},
    {"village", "区划代码", "village, none for the township", CODE(12), OPTIONAL},
    {"roles", "角色", "roles, as bits", UINT(1, UINT32_MAX), REQUIRED},
    {"letter", "终端字母", "letter of the device", CHOICE(LETTERS), REQUIRED},
    {"name", "终端名称", "name of the device", TEXT(1, DEVICE_NAME_SIZE_MAX), REQUIRED},
    {"acceptor", "受理终端", "key of the hub that may accept it", BYTES(32, 32), REQUIRED},
    {"expires", "有效期至", "valid until", FIELD_TIME, REQUIRED},
};

static const struct field device_joined[] = {
    {"request", "加入申请", "join request", BYTES(1, JOIN_REQUEST_SIZE_MAX), REQUIRED},
    {"invite_signature", "邀请签名", "signature by the invite", BYTES(64, 64), REQUIRED},
    {"device_signature", "终端签名", "signature by the device", BYTES(64, 64), REQUIRED},
};

static const struct field device_revoked[] = {
    {"reason", "停用原因", "reason", TEXT(1, 256), REQUIRED},
};

static const struct field actor_enrol[] = {
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED, PERSONAL},
    {"unit", "单位", "unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"role", "职务", "role",
     CHOICE("clerk|leader|dispatcher|secretary|mayor|callback|finance|office|admin"), REQUIRED},
};

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
    {"content", "诉求内容", "content", TEXT(1, CONTENT_MAX), REQUIRED, PERSONAL},
    {AT},
};

static const struct field request_accept[] = {
    {"official_no", "受理编号", "official number", TEXT(1, 32), OPTIONAL},
    {"category", "类别", "category", CODE(4), OPTIONAL},
    {"class", "办理类型", "class of handling", CHOICE("simple|general|complex|petition"), REQUIRED},
    {"due", "办结期限", "due", FIELD_TIME, OPTIONAL},
    {AT},
};

static const struct field order_issue[] = {
    {"doc_no", "交办文号", "number of the paper", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
    {"unit", "主办单位", "responsible unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"support", "协办单位", "supporting units", LIST(8), OPTIONAL},
    {"responsible", "办理责任人", "responsible person", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"task", "办理要求", "task", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {"due", "办结期限", "due", FIELD_TIME, REQUIRED},
    {"signed_by", "签发人", "person who signed the paper", FIELD_THING, OPTIONAL},
    {"signed_on", "签发日期", "date on the paper", FIELD_DATE, OPTIONAL},
    {"paper_ref", "纸质件存放", "where the paper is", TEXT(1, REF_MAX), OPTIONAL},
    {AT},
};

static const struct field order_sign[] = {
    {"receiver", "签收人", "who took it", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {AT},
};

static const struct field order_report[] = {
    {"solved", "是否解决", "solved", CHOICE(SOLVED), REQUIRED},
    {"factual", "是否属实", "true as told", FIELD_BOOL, OPTIONAL},
    {"in_duty", "是否职责内", "within the unit's duty", FIELD_BOOL, OPTIONAL},
    {"contacted", "是否联系群众", "the person was contacted", FIELD_BOOL, OPTIONAL},
    {"volunteers", "参与志愿者人数", "volunteers who helped", UINT(0, 65535), OPTIONAL},
    {"measure", "办理情况", "what was done", TEXT(1, PARAGRAPH_MAX), REQUIRED, PERSONAL},
    {"why_not", "未解决原因", "why it is not solved", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL},
    {"public_reply", "公开答复", "reply for the public", TEXT(1, 3000), OPTIONAL, PERSONAL},
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

enum {
    IN_TOWN = 1 << SCOPE_TOWN,
    IN_VILLAGE = 1 << SCOPE_VILLAGE,
    IN_REQUEST = 1 << SCOPE_VILLAGE | 1 << SCOPE_OFFICE,
};

#define FIELDS(table) (table), sizeof(table) / sizeof(table)[0]
#define FOUNDS true
#define ACTS false

const struct kind kinds[] = {
    {"township.founded", "建立乡镇", "township founded", THING_TOWNSHIP, FOUNDS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(township_founded)},
    {"village.put", "设立村(社区)", "village added", THING_VILLAGE, FOUNDS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(village_put)},
    {"device.enrol", "终端登记", "hub device enrolled", THING_DEVICE, FOUNDS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(device_enrol)},
    {"device.invited", "终端邀请", "device invited", THING_DEVICE, FOUNDS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(device_invited)},
    {"device.joined", "终端加入", "device joined", THING_DEVICE, ACTS, ROLE_HUB, IN_TOWN,
     FIELDS(device_joined)},
    {"device.revoked", "终端停用", "device revoked", THING_DEVICE, ACTS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(device_revoked)},
    {"actor.enrol", "人员登记", "person enrolled", THING_ACTOR, FOUNDS,
     ROLE_VILLAGE | ROLE_DISPATCH | ROLE_OFFICE, IN_TOWN | IN_VILLAGE, FIELDS(actor_enrol)},
    {"request.register", "诉求登记", "request registered", THING_REQUEST, FOUNDS,
     ROLE_VILLAGE | ROLE_DISPATCH, IN_REQUEST, FIELDS(request_register)},
    {"request.accept", "受理", "request accepted", THING_REQUEST, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH, IN_REQUEST, FIELDS(request_accept)},
    {"order.issue", "交办", "order issued", THING_REQUEST, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH | ROLE_OFFICE, IN_REQUEST, FIELDS(order_issue)},
    {"order.sign", "签收", "order signed for", THING_REQUEST, ACTS, ROLE_VILLAGE | ROLE_UNIT,
     IN_REQUEST, FIELDS(order_sign)},
    {"order.report", "办理结果", "result reported", THING_REQUEST, ACTS, ROLE_VILLAGE | ROLE_UNIT,
     IN_REQUEST, FIELDS(order_report)},
    {"callback.record", "回访", "callback", THING_REQUEST, ACTS, ROLE_VILLAGE | ROLE_CALLBACK,
     IN_REQUEST, FIELDS(callback_record)},
    {"request.close", "办结", "request closed", THING_REQUEST, ACTS, ROLE_VILLAGE | ROLE_DISPATCH,
     IN_REQUEST, FIELDS(request_close)},
};

const size_t kinds_count = sizeof kinds / sizeof kinds[0];
