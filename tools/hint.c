#include "tools/hint.h"

#include "common/text.h"
#include "tools/output.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char program[] = "sidan ";
#define PROGRAM_SIZE (sizeof program - 1)

/* A path or another word may end so: "build/sidan ". */
static bool begins_word(const char *text, const char *at)
{
    return at == text || (!strchr("/-_.", at[-1]) && !isalnum((unsigned char)at[-1]));
}

static bool is_first_word(const char *form, const char *text)
{
    size_t size = form ? strcspn(form, " ") : 0;
    return size && strncmp(form, text, size) == 0 && !isalnum((unsigned char)text[size]);
}

static bool is_verb(const char *text)
{
    for (const struct command *c = commands; c->name; c++)
        if (is_first_word(c->name, text) || is_first_word(c->zh, text)) return true;
    return false;
}

static void append_quoted(struct buf *out, const char *word)
{
    static const char meaning[] = " \t\n'\"\\$`&|;<>()*?[]#~!{}";
    if (*word && !strpbrk(word, meaning)) {
        buf_append_text(out, word);
        return;
    }
    buf_append_byte(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append_byte(out, (uint8_t)*word);
    }
    buf_append_byte(out, '\'');
}

void hint_append(struct buf *out, const struct cli *cli, const char *text)
{
    const char *rest = text;
    for (const char *at; cli->home_given && (at = strstr(rest, program));
         rest = at + PROGRAM_SIZE) {
        buf_append(out, rest, (size_t)(at - rest) + PROGRAM_SIZE);
        if (!begins_word(text, at) || !is_verb(at + PROGRAM_SIZE)) continue;
        buf_append_text(out, "--home ");
        append_quoted(out, cli->home);
        buf_append_byte(out, ' ');
    }
    buf_append_text(out, rest);
}

void hint_line(struct cli *cli, const char *format, ...)
{
    char text[1024];
    struct buf line = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hint_append(&line, cli, text);
    output_line(cli, "%s", buf_text(&line));
    buf_clear(&line);
}
