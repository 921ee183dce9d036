#include "common/i18n.h"

#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "sidan"
#define INSTALLED "/usr/local/share/locale"

static bool chinese = true;

/* 'z', 'e', or 0 where the text names neither language. */
static char language_of(const char *text)
{
    if (!text) return 0;
    if (strncmp(text, "zh", 2) == 0) return 'z';
    return strncmp(text, "en", 2) == 0 ? 'e' : 0;
}

/* As setlocale would choose it: a fresh system has no zh_CN.UTF-8 installed, but its wish counts.
 */
static const char *locale_wish(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return value;
    }
    return NULL;
}

static char language_choose(const char *lang, const char *configured)
{
    const char *const wishes[] = {lang, getenv("SIDAN_LANG"), configured, locale_wish()};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        if (language_of(wishes[i])) return language_of(wishes[i]);
    return 'z';
}

/* Beside the program as it was built, or where it was installed with it. */
static void bind_catalogue(void)
{
    static const char *const places[] = {"/locale", "/../share/locale"};
    char path[4096], folder[sizeof path + 32], mo[sizeof folder + 64];
    const char *found = INSTALLED;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    char *slash = strrchr(path, '/');
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        *slash = 0;
        snprintf(folder, sizeof folder, "%s%s", path, places[i]);
        snprintf(mo, sizeof mo, "%s/zh_CN/LC_MESSAGES/" DOMAIN ".mo", folder);
        if (access(mo, R_OK) == 0) {
            found = folder;
            break;
        }
    }
    bindtextdomain(DOMAIN, found);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}

void i18n_start(const char *lang, const char *configured)
{
    chinese = language_choose(lang, configured) == 'z';
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    /* gettext translates nothing in the locale "C"; in C.UTF-8 it follows $LANGUAGE. */
    setlocale(LC_MESSAGES, "C.UTF-8");
    setenv("LANGUAGE", chinese ? "zh_CN" : "en", 1);
    bind_catalogue();
}

bool i18n_is_chinese(void)
{
    return chinese;
}

const char *i18n_text(const char *msgid)
{
    return *msgid ? gettext(msgid) : msgid;
}
