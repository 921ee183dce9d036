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
        if (slice_is_text(text, next) || (w != NULL && slice_is_text(text, w->zh))) {
            memcpy(code, next, CHOICE_CODE_SIZE);
            return true;
        }
    }
    return false;
}
