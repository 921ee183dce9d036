#include "tools/choices.h"

#include <string.h>

#include "common/i18n.h"

/* `field` NULL: in every field that has the code. */
static const struct choice {
    const char *field, *code, *zh;
} named[] = {
    {NULL, "wechat_comment", "公众号留言"},
    {NULL, "wechat_msg", "公众号消息"},
    {NULL, "phone", "电话"},
    {"channel", "visit", "来访"},
    {"method", "visit", "上门"},
    {NULL, "wechat", "微信"},
    {"channel", "village", "村里"},
    {NULL, "online", "网上"},
    {NULL, "other", "其他"},
    {NULL, "consult", "咨询"},
    {NULL, "help", "求助"},
    {NULL, "complaint", "投诉"},
    {NULL, "accusation", "举报"},
    {NULL, "suggestion", "意见建议"},
    {NULL, "praise", "表扬感谢"},
    {"solved", "yes", "已解决"},
    {"solved", "part", "部分解决"},
    {"solved", "no", "未解决"},
    {"result", "solved", "已解决"},
    {"result", "explained", "已解释"},
    {"result", "unsolved", "未解决"},
    {"result", "unreached", "未联系上"},
    {"class", "simple", "简单"},
    {"class", "general", "一般"},
    {"class", "complex", "复杂"},
    {"class", "petition", "信访"},
    {"role", "clerk", "村文书"},
    {"role", "leader", "队长"},
    {"role", "dispatcher", "信访办"},
    {"role", "secretary", "书记"},
    {"role", "mayor", "镇长"},
    {"role", "callback", "回访员"},
    {"role", "finance", "财政所"},
    {"role", "office", "党政办"},
    {"role", "admin", "管理员"},
    {"asked_by", "guardian", "监护人"},
    {"asked_by", "office", "单位"},
    {"asked_by", "relative", "近亲属"},
    {"asked_by", "self", "本人"},
    {"basis", "activity", "按活动"},
    {"basis", "hour", "按小时"},
    {"basis", "outcome", "按成果"},
    {"basis", "referral", "按介绍"},
    {"basis", "order", "依法责令"},
    {"cause", "restored", "恢复了备份"},
    {"cause", "rolled_back", "数据被换成旧的"},
    {"cause", "copied", "被复制或移动"},
    {"cause", "forked", "两份都在用"},
    {"basis", "purpose_met", "目的已达到"},
    {"basis", "term_over", "期限已满"},
    {"basis", "unlawful", "违法处理"},
    {"basis", "withdrawn", "撤回同意"},
    {"by_proxy", "in_person", "当面说的"},
    {"by_proxy", "paper", "书面"},
    {"category", "children", "关爱儿童"},
    {"category", "convenience", "便民服务"},
    {"category", "education", "教育培训"},
    {"category", "elderly", "助老助残"},
    {"category", "environment", "环境保护"},
    {"category", "event", "大型活动"},
    {"category", "mediation", "矛盾调处"},
    {"category", "medical", "医疗健康"},
    {"category", "patrol", "安全巡查"},
    {"category", "policy", "政策宣讲"},
    {"category", "poverty", "扶贫济困"},
    {"category", "rescue", "应急救援"},
    {"category", "water", "饮水水利"},
    {"condition", "broken", "损坏"},
    {"condition", "disused", "废弃"},
    {"condition", "in_use", "在用"},
    {"confirm", "none", "未确认"},
    {"confirm", "sign", "签字"},
    {"decision", "no", "不予核定"},
    {"decision", "ok", "核定"},
    {"decision", "part", "部分核定"},
    {"key", "disputes_settled", "调处矛盾"},
    {"key", "drains_cleared", "疏通沟渠"},
    {"key", "hazards_removed", "排除隐患"},
    {"key", "roads_mended", "修补道路"},
    {"key", "rubbish_removed", "清运垃圾"},
    {"key", "talks_held", "宣讲场次"},
    {"key", "trees_planted", "植树"},
    {"key", "visits_made", "走访户数"},
    {"key", "wells_restored", "修复水井"},
    {"method", "code", "扫码"},
    {"method", "leader", "队长登记"},
    {"method", "letter", "信函"},
    {"method", "paper", "纸质"},
    {"method", "spoken", "口头"},
    {"purpose", "card", "服务名片"},
    {"purpose", "letter", "感谢信公开"},
    {"purpose", "photo", "使用照片"},
    {"purpose", "rank", "榜上公开姓名"},
    {"quality", "bad", "差"},
    {"quality", "fair", "一般"},
    {"quality", "good", "好"},
    {"quality", "unknown", "不清楚"},
    {"reason", "across", "涉及多村"},
    {"reason", "bad_callback", "回访不满意"},
    {"reason", "bad_rating", "评价低"},
    {"reason", "beyond_means", "村里办不了"},
    {"reason", "cancelled", "取消"},
    {"reason", "changed", "信息变更"},
    {"reason", "court", "应走诉讼或复议"},
    {"reason", "died", "去世"},
    {"reason", "dispute", "有争议"},
    {"reason", "false_record", "虚报"},
    {"reason", "filled", "已报满"},
    {"reason", "funds", "资金未到位"},
    {"reason", "harm", "造成损害"},
    {"reason", "held", "已开展"},
    {"reason", "leader", "领导批示"},
    {"reason", "left", "已离开"},
    {"reason", "lost", "遗失"},
    {"reason", "misconduct", "违规"},
    {"reason", "mistake", "录错"},
    {"reason", "misuse", "冒用滥用"},
    {"reason", "moved", "搬走调走"},
    {"reason", "new_facts", "有新情况"},
    {"reason", "no_answer", "逾期未补充"},
    {"reason", "no_facts", "情况不清"},
    {"reason", "no_power", "没有权限"},
    {"reason", "no_show", "报名不到"},
    {"how", "stick", "优盘"},
    {"how", "link", "网络"},
    {"reason", "not_duty", "不属职责"},
    {"reason", "not_ours", "不属受理范围"},
    {"reason", "not_place", "不属辖区"},
    {"reason", "overdue", "超期"},
    {"reason", "own_wish", "本人要求"},
    {"reason", "repeated", "重复反映"},
    {"reason", "requester", "群众原因"},
    {"reason", "season", "季节原因"},
    {"reason", "unreadable", "内容读不出"},
    {"reason", "other_key", "不是用本镇公钥密封的"},
    {"reason", "no_content", "内容不在了"},
    {"reason", "unsolved", "未解决"},
    {"reason", "upper_unit", "等上级单位"},
    {"reason", "weather", "天气原因"},
    {"result", "granted", "已享受"},
    {"result", "recommended", "已推荐"},
    {"result", "refused", "未通过"},
    {"role", "unit", "承办单位"},
    {"round", "fen", "分"},
    {"round", "ten", "十元"},
    {"round", "yuan", "元"},
    {"rounding", "floor", "舍去"},
    {"rounding", "nearest", "四舍五入"},
    {"scheme", "bonus", "名次奖"},
    {"scheme", "rate", "固定分值"},
    {"scheme", "share", "按占比"},
    {"scheme", "threshold", "超额分"},
    {"step", "accept", "受理"},
    {"step", "callback", "回访"},
    {"step", "complex", "复杂件"},
    {"step", "contact", "首次联系"},
    {"step", "decide", "裁定"},
    {"step", "extension", "延期"},
    {"step", "general", "一般件"},
    {"step", "issue", "交办"},
    {"step", "petition", "信访件"},
    {"step", "sign", "签收"},
    {"step", "simple", "简单件"},
    {"term", "10y", "10年"},
    {"term", "30y", "30年"},
    {"term", "permanent", "永久"},
    {"type", "bridge", "桥梁"},
    {"type", "cadre", "后备干部"},
    {"type", "category", "诉求类别"},
    {"type", "clinic", "卫生院"},
    {"type", "community", "社区"},
    {"type", "drain", "沟渠"},
    {"type", "honour", "表彰"},
    {"type", "job", "公益岗位"},
    {"type", "kpi", "考核权重"},
    {"type", "lamp", "路灯"},
    {"type", "medical", "就医"},
    {"type", "office", "镇办"},
    {"type", "party", "入党"},
    {"type", "points", "积分"},
    {"type", "pump", "水泵"},
    {"type", "redeem", "兑换"},
    {"type", "road", "道路"},
    {"type", "school", "学校"},
    {"type", "service", "办事"},
    {"type", "sla", "时限"},
    {"type", "stat", "统计"},
    {"type", "station", "站所"},
    {"type", "village", "村(社区)"},
    {"type", "well", "水井"},
    {"unit", "wd", "工作日"},
    {"unit", "d", "天"},
    {"unit", "h", "小时"},
    {"what", "answer", "群众已补充"},
    {"what", "ask", "请群众补充"},
};

static const struct choice *choice_find(const char *field, const char *code)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        const struct choice *w = &named[i];
        if (strcmp(w->code, code) == 0 && (w->field == NULL || strcmp(w->field, field) == 0)) {
            return w;
        }
    }
    return NULL;
}

const char *choice_shown(const char *field, const char *code)
{
    const struct choice *w = i18n_is_chinese() ? choice_find(field, code) : NULL;
    return w != NULL ? w->zh : code;
}

bool choice_next(char code[CHOICE_CODE_SIZE], const char **at)
{
    size_t size = strcspn(*at, "|");
    if (size == 0 || size >= CHOICE_CODE_SIZE) {
        return false;
    }
    memcpy(code, *at, size);
    code[size] = '\0';
    *at += size;
    *at += **at == '|';
    return true;
}

bool choice_code(char code[CHOICE_CODE_SIZE], const char *field, const char *choices,
                 struct slice text)
{
    char next[CHOICE_CODE_SIZE];
    for (const char *at = choices; choice_next(next, &at);) {
        const struct choice *w = choice_find(field, next);
        bool plain = (strcmp(next, "yes") == 0 && slice_is_text(text, "是")) ||
                     (strcmp(next, "no") == 0 && slice_is_text(text, "否"));
        if (plain || slice_is_text(text, next) || (w != NULL && slice_is_text(text, w->zh))) {
            memcpy(code, next, CHOICE_CODE_SIZE);
            return true;
        }
    }
    return false;
}
