#include "proto/kinds_form.h"

#define HANDOVER_COUNT_MAX 10000000
#define HANDOVER_POINTS_MAX 1000000000

#define HEAD_SEQ_MAX ((INT64_C(1) << 48) - 1)
#define LETTERS "A|B|C|D|E|F|G|H|I|J|K|L|M|N|O|P|Q|R|S|T|U|V|W|X|Y|Z"

static const struct field township_founded[] = {
    {"name", "乡镇名称", "name of the township", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"recovery", "恢复公钥", "recovery key", BYTES(32, 32), REQUIRED},
    {"office", "办公室公钥", "office key", BYTES(32, 32), REQUIRED},
};

/* Heads that count, of feeds whose later events do not. */
static const struct field head_columns[] = {
    {"feed", "分支", "first bytes of the feed's id", BYTES(8, 8), REQUIRED},
    {"seq", "序号", "number", UINT(1, HEAD_SEQ_MAX), REQUIRED},
    {"id", "记录", "first bytes of the event's id", BYTES(16, 16), REQUIRED},
};

static const struct field authority_replaced[] = {
    {"key", "新管理公钥", "new authority key", BYTES(32, 32), REQUIRED},
    {"recovery", "新恢复公钥", "new recovery key", BYTES(32, 32), REQUIRED},
    {"heads", "仍有效的末条", "heads of the authority's feeds that count",
     ROWS(0, CUT_HEADS_MAX, head_columns), REQUIRED},
};

static const struct field office_rotated[] = {
    {"office", "办公室公钥", "new office key", BYTES(32, 32), REQUIRED},
};

static const struct field series_moved[] = {
    {"device", "编号终端", "signing key of the hub that gives official numbers", BYTES(32, 32),
     REQUIRED},
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
    {"office_secret", "办公室私钥(加封)", "office key's secret half, sealed to transport",
     BYTES(80, 80), OPTIONAL},
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
    {"heads", "仍有效的末条", "heads of its feeds that count; none: nothing of it counts",
     ROWS(0, CUT_HEADS_MAX, head_columns), OPTIONAL},
};

static const struct field device_listens[] = {
    {"addresses", "监听地址", "where it can be dialled; none: nowhere any more",
     LIST(DEVICE_ADDRESSES_MAX), REQUIRED},
};

static const struct field device_rotated[] = {
    {"key", "新签名公钥", "new signing key", BYTES(32, 32), OPTIONAL},
    {"transport", "新传输公钥", "new transport key", BYTES(32, 32), OPTIONAL},
    {"proof", "持有证明", "signature by the new signing key, or the author's", BYTES(64, 64),
     REQUIRED},
};

/* In the office's own scope, so no village holds it, sealed though it is. */
static const struct field office_key[] = {
    {"device", "交付终端", "signing key of the device it is for", BYTES(32, 32), REQUIRED},
    {"office", "办公室公钥", "office key", BYTES(32, 32), REQUIRED},
    {"secret", "办公室私钥(加封)", "its secret half, sealed to the device's transport key",
     BYTES(80, 80), REQUIRED},
};

static const struct field village_renamed[] = {
    {"name", "名称", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"short_name", "简称", "short name", TEXT(1, 32), REQUIRED},
    {"pinyin", "拼音", "pinyin", TEXT(1, 32), REQUIRED},
};

static const struct field village_closed[] = {
    {"reason", "撤并原因", "reason", TEXT(1, 256), REQUIRED},
};

static const struct field actor_enrol[] = {
    {"name", "姓名", "name", TEXT(1, NAME_SIZE_MAX), REQUIRED, PERSONAL},
    {"unit", "单位", "unit", TEXT(1, NAME_SIZE_MAX), REQUIRED},
    {"role", "职务", "role",
     CHOICE("clerk|leader|dispatcher|secretary|mayor|callback|finance|office|unit|admin"),
     REQUIRED},
    {"from", "起始日期", "valid from", FIELD_DATE, OPTIONAL},
    {"to", "截止日期", "valid to", FIELD_DATE, OPTIONAL},
};

static const struct field actor_revoke[] = {
    {"reason", "原因", "reason", CHOICE("left|moved|mistake|misuse|other"), REQUIRED},
    {"on", "日期", "last day", FIELD_DATE, OPTIONAL},
};

static const struct field feed_continued[] = {
    {"cause", "原因", "why another feed is opened", CHOICE("restored|rolled_back|copied|forked"),
     REQUIRED},
    {"heads", "接续的末条", "heads of the feeds that it continues",
     ROWS(0, CUT_HEADS_MAX, head_columns), REQUIRED},
    {"machine", "机器", "machine", TEXT(1, NAME_SIZE_MAX), OPTIONAL},
};

/* What the one who leaves says that he leaves: counts as this device holds them at that moment. */
static const struct field actor_handover[] = {
    {"to", "接手人", "who takes over", FIELD_THING, REQUIRED},
    {"on", "交接日期", "last day", FIELD_DATE, REQUIRED},
    {"open", "在办诉求(件)", "open requests", UINT(0, HANDOVER_COUNT_MAX), REQUIRED},
    {"overdue", "其中超期(件)", "overdue requests", UINT(0, HANDOVER_COUNT_MAX), REQUIRED},
    {"unsent", "待上报记录(条)", "records not sent yet", UINT(0, HANDOVER_COUNT_MAX), REQUIRED},
    {"unverified", "待核定服务(条)", "services to be verified", UINT(0, HANDOVER_COUNT_MAX),
     REQUIRED},
    {"points", "积分余额(十分之一分)", "points on hand, in tenths", UINT(0, HANDOVER_POINTS_MAX),
     REQUIRED},
    {"present", "监交人", "who was present", TEXT(1, NAME_SIZE_MAX), OPTIONAL, PERSONAL},
    {"note", "交接说明", "what to look after", TEXT(1, 2000), OPTIONAL, PERSONAL},
};

static const struct kind table[] = {
    {"township.founded", "建立乡镇", "township founded", THING_TOWNSHIP, FOUNDS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(township_founded)},
    {"authority.replaced", "更换管理密钥", "authority replaced", THING_TOWNSHIP, ACTS,
     ROLE_RECOVERY, IN_TOWN, FIELDS(authority_replaced)},
    {"office.rotated", "更换办公室密钥", "office key changed", THING_TOWNSHIP, ACTS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(office_rotated)},
    {"series.moved", "移交编号", "official numbers given by another hub", THING_TOWNSHIP, ACTS,
     ROLE_AUTHORITY, IN_TOWN, FIELDS(series_moved)},
    {"village.put", "设立村(社区)", "village added", THING_VILLAGE, FOUNDS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(village_put)},
    {"village.renamed", "村(社区)更名", "village renamed", THING_VILLAGE, ACTS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(village_renamed)},
    {"village.closed", "撤并村(社区)", "village closed", THING_VILLAGE, ACTS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(village_closed)},
    {"device.enrol", "终端登记", "hub device enrolled", THING_DEVICE, FOUNDS, ROLE_AUTHORITY,
     IN_TOWN, FIELDS(device_enrol)},
    {"device.invited", "终端邀请", "device invited", THING_DEVICE, FOUNDS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(device_invited)},
    {"device.joined", "终端加入", "device joined", THING_DEVICE, ACTS, ROLE_HUB, IN_TOWN,
     FIELDS(device_joined)},
    {"device.revoked", "终端停用", "device revoked", THING_DEVICE, ACTS, ROLE_AUTHORITY, IN_TOWN,
     FIELDS(device_revoked)},
    {"device.listens", "终端监听", "where a device can be dialled", THING_DEVICE, ACTS,
     ROLE_AUTHORITY, IN_TOWN, FIELDS(device_listens)},
    {"device.rotated", "终端更换密钥", "device's keys changed", THING_DEVICE, ACTS,
     ROLE_VILLAGE | (ROLES_TOWNSHIP & ~(uint32_t)ROLE_MIRROR), IN_TOWN, FIELDS(device_rotated)},
    {KIND_CONTINUED, "另起分支接续", "feed continued", THING_CONTINUATION, FOUNDS,
     ROLE_VILLAGE | (ROLES_TOWNSHIP & ~(uint32_t)ROLE_MIRROR), IN_TOWN | IN_VILLAGE | IN_OFFICE,
     FIELDS(feed_continued)},
    {"office.key", "交付办公室密钥", "office key handed to a device", THING_OFFICE_KEY, FOUNDS,
     ROLE_HUB, IN_OFFICE, FIELDS(office_key)},
    {"actor.enrol", "人员登记", "person enrolled", THING_ACTOR, FOUNDS,
     ROLE_VILLAGE | ROLE_DISPATCH | ROLE_OFFICE, IN_TOWN | IN_VILLAGE, FIELDS(actor_enrol)},
    {"actor.revoke", "人员撤销", "person revoked", THING_ACTOR, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH | ROLE_OFFICE, IN_TOWN | IN_VILLAGE, FIELDS(actor_revoke)},
    {"actor.handover", "工作交接", "work handed over", THING_ACTOR, ACTS,
     ROLE_VILLAGE | ROLE_DISPATCH | ROLE_OFFICE, IN_TOWN | IN_VILLAGE, FIELDS(actor_handover)},
};

const struct kind_group kinds_roster = GROUP(table);
