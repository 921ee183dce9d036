#pragma once
/*
 * Languages: Chinese and English, by gettext. Messages in the source are English and are the keys
 * of the one catalogue (common/po/zh_CN.po, domain "sidan").
 *
 *     printf(_("%s has not joined yet\n"), name);
 *     static const char *const titles[] = {N_("village"), ...};   later: _(titles[i])
 */
#include <stdbool.h>

/* Sets the locale (UTF-8 always) and the language: `lang` ("zh" or "en"), else $SIDAN_LANG, else
 * `configured` ("" or NULL: none), else the locale's, else Chinese. Anything unknown counts as not
 * given. The catalogue is looked for beside the running program (locale/), then in
 * /usr/local/share/locale. May be called again. */
void i18n_start(const char *lang, const char *configured);
bool i18n_is_chinese(void);

/* The message in the language; `msgid` itself where there is no catalogue. "" stays "". */
__attribute__((format_arg(1))) const char *i18n_text(const char *msgid);

#define _(msgid) i18n_text(msgid)
#define N_(msgid) msgid
