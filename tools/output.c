#include "tools/output.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_EVERY_MS 100
#define PROGRESS_ESTIMATE_AFTER_MS 2000

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

static bool colours_shown(const struct cli *cli)
{
    if (cli->colour != CLI_COLOUR_AUTO) return cli->colour == CLI_COLOUR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"); /* no-color.org */
    const char *terminal = getenv("TERM");
    return output_is_terminal() && !(no_color && *no_color) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

const char *output_colour(const struct cli *cli, enum colour colour)
{
    static const char *const codes[] = {
        [COLOUR_NONE] = "\033[0m",    [COLOUR_RED] = "\033[31m", [COLOUR_GREEN] = "\033[32m",
        [COLOUR_YELLOW] = "\033[33m", [COLOUR_DIM] = "\033[2m",  [COLOUR_BOLD] = "\033[1m",
    };
    return colours_shown(cli) ? codes[colour] : "";
}

/* One line with what cannot be shown replaced, except the colours that `format` itself brings:
 * they reach here as "%s" of output_colour, so escape sequences of that very form are kept. */
static void print_line(FILE *to, const char *text)
{
    struct buf shown = {0};
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "\033");
        text_append_shown(&shown, slice_of(at, plain));
        at += plain;
        size_t sequence = *at ? strspn(at + 1, "[0123456789") + 2 : 0;
        if (*at && at[1] == '[' && at[sequence - 1] == 'm' && sequence <= 5) {
            buf_append(&shown, at, sequence);
            at += sequence;
        } else if (*at) {
            buf_append_byte(&shown, '?');
            at++;
        }
    }
    fprintf(to, "%s\n", buf_text(&shown));
    buf_clear(&shown);
}

static void print_formatted(FILE *to, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, again);
        print_line(to, text);
    }
    va_end(again);
    free(text);
}

void output_line(const struct cli *cli, const char *format, ...)
{
    if (cli->quiet) return;
    va_list args;
    va_start(args, format);
    print_formatted(stdout, format, args);
    va_end(args);
}

void output_note(const struct cli *cli, const char *format, ...)
{
    if (cli->quiet || cli->json) return;
    fflush(stdout);
    va_list args;
    va_start(args, format);
    print_formatted(stderr, format, args);
    va_end(args);
}

const char *output_text(struct cli *cli, struct slice s)
{
    struct buf shown = {0};
    text_append_shown(&shown, s);
    const char *text = cli_format(cli, "%s", buf_text(&shown));
    buf_clear(&shown);
    return text;
}

/* --- progress --- */

void progress_begin(struct progress *p, const struct cli *cli, const char *label)
{
    *p = (struct progress){.cli = cli, .label = label, .started_ms = clock_monotonic_ms()};
}

void progress_show(void *progress, uint64_t done, uint64_t total)
{
    struct progress *p = progress;
    if (p->cli->quiet || p->cli->json || !isatty(STDERR_FILENO)) return;
    uint64_t now_ms = clock_monotonic_ms();
    if (p->drawn && now_ms - p->drawn_ms < PROGRESS_EVERY_MS) return;
    uint64_t spent_ms = now_ms - p->started_ms;
    fprintf(stderr, "\r\033[K%s %" PRIu64, p->label, done);
    if (total > 0) fprintf(stderr, "/%" PRIu64 " %u%%", total, (unsigned)(done * 100 / total));
    if (total > done && done > 0 && spent_ms >= PROGRESS_ESTIMATE_AFTER_MS)
        fprintf(stderr, _(" about %.0f s left"),
                (double)spent_ms / (double)done * (double)(total - done) / 1000);
    fflush(stderr);
    p->drawn = true;
    p->drawn_ms = now_ms;
}

void progress_end(struct progress *p)
{
    if (p->drawn) fputs("\r\033[K", stderr);
    p->drawn = false;
}
