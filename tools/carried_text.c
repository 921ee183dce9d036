#include "tools/carried_text.h"

#include "common/file.h"
#include "tools/qr.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE_MAX MIB(3) /* an answer with its white space and comments */
/* A code of 81 by 81 modules: 43 lines of a terminal, and a phone reads it from there. */
#define CODE_SIZE_MAX 580
#define CODES_MAX 24

/* --- reading --- */

static int read_input(struct cli *cli, struct buf *out)
{
    char block[4096];
    ssize_t got;
    if (isatty(STDIN_FILENO))
        output_note(cli, _("scan or paste it here, then press Ctrl-D on an empty line"));
    while ((got = read(STDIN_FILENO, block, sizeof block)) > 0 && out->size < TEXT_SIZE_MAX)
        buf_append(out, block, (size_t)got);
    crypto_wipe(block, sizeof block);
    if (got < 0 && !out->err) out->err = ERR_IO;
    return out->err ? cli_fail(cli, out->err, _("the input cannot be read")) : EXIT_OK;
}

int carried_text_read(struct cli *cli, const char *file, struct buf *out)
{
    if (strcmp(file, "-") == 0) return read_input(cli, out);
    enum err err = file_read(out, file, TEXT_SIZE_MAX);
    return err ? cli_fail(cli, err, cli_format(cli, _("%s cannot be read"), file)) : EXIT_OK;
}

static const char *lacking(struct cli *cli, const struct armour_pieces *pieces)
{
    struct buf list = {0};
    for (size_t i = 0; i < pieces->count; i++)
        if (!pieces->here[i]) buf_printf(&list, "%s%zu", list.size ? ", " : "", i + 1);
    const char *text =
        cli_format(cli, _("of %zu codes these are lacking: %s"), pieces->count, buf_text(&list));
    buf_clear(&list);
    return text;
}

int carried_text_open(struct cli *cli, const struct armour *armour, const char *what,
                      struct slice text, struct buf *content)
{
    struct armour_pieces pieces;
    enum err err = armour_read(content, armour, text, &pieces);
    if (!err) return EXIT_OK;
    if (err == ERR_VERSION)
        return cli_error(cli, EXIT_REFUSED, what, cli_err_text(err), _("install a newer sidan"));
    if (err == ERR_NOT_FOUND)
        return cli_error(cli, EXIT_REFUSED, what, lacking(cli, &pieces),
                         _("scan them into the same file, in any order"));
    if (err == ERR_AMBIGUOUS)
        return cli_error(cli, EXIT_REFUSED, what, _("there are codes of two different ones"),
                         _("keep those of one alone"));
    if (err != ERR_MALFORMED && err != ERR_LIMIT) return cli_fail(cli, err, what);
    return cli_error(cli, EXIT_REFUSED, what,
                     armour_is(armour, text) ? _("it is damaged, or a part of it is lacking")
                                             : _("it is not such a file"),
                     _("copy the whole file again"));
}

/* --- writing --- */

static int show_codes(struct cli *cli, const struct armour *armour, struct slice content)
{
    size_t count = armour_piece_count(armour, content, CODE_SIZE_MAX);
    bool coloured = output_colour(cli, COLOUR_BOLD)[0] != '\0';
    bool ask = count > 1 && !cli->no_input && output_is_terminal() && isatty(STDIN_FILENO);
    if (count > CODES_MAX)
        return cli_error(cli, EXIT_REFUSED, _("the codes cannot be shown"),
                         cli_format(cli, _("it would take %zu codes"), count),
                         _("carry it as a file: -o FILE"));
    for (size_t i = 0; i < count; i++) {
        struct buf line = {0}, picture = {0};
        const char *ignored = NULL;
        enum err err = armour_piece(&line, armour, content, i, count) ? line.err : ERR_LIMIT;
        if (!err) err = qr_print(&picture, buf_slice(&line), coloured);
        if (!err) fwrite(picture.data, 1, picture.size, stdout);
        buf_clear(&line);
        buf_clear(&picture);
        if (err) return cli_fail(cli, err, _("the codes cannot be shown"));
        if (count > 1) output_line(cli, _("code %zu of %zu"), i + 1, count);
        if (ask && i + 1 < count &&
            prompt_line(cli, _("Enter shows the next one"), "", "--no-input", &ignored))
            break;
    }
    return EXIT_OK;
}

static int write_file(struct cli *cli, const struct armour *armour, struct slice content,
                      const char *comment, const char *file)
{
    struct buf text = {0};
    armour_write(&text, armour, content, comment);
    enum err err = text.err ? text.err : file_create(file, buf_slice(&text), 0600);
    buf_clear(&text);
    const char *what = cli_format(cli, _("\"%s\" was not written"), file);
    if (err == ERR_EXISTS)
        return cli_error(cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                         _("name another with -o"));
    return err ? cli_fail(cli, err, what) : EXIT_OK;
}

int carried_text_write(struct cli *cli, const struct armour *armour, struct slice content,
                       const char *comment, const char *name, const char **file)
{
    bool codes = cli_has(cli, "--qr");
    int code = EXIT_OK;
    *file = cli_flag(cli, "-o");
    if (!*file && !codes) {
        *file = cli_format(cli, "%s.%s", name, armour->name);
        if (strchr(*file, '/'))
            return cli_error(cli, EXIT_USAGE, _("no file was named for it"), NULL,
                             _("add -o FILE"));
    }
    if (*file) code = write_file(cli, armour, content, comment, *file);
    return !code && codes && !cli->json ? show_codes(cli, armour, content) : code;
}

/* --- words --- */

int carried_text_words(struct cli *cli, struct slice request, uint8_t words[JOIN_WORDS])
{
    enum err err = join_words(words, request);
    return err ? cli_fail(cli, err, _("the six words cannot be computed")) : EXIT_OK;
}

static const char *words_in(struct cli *cli, const uint8_t words[JOIN_WORDS], bool zh)
{
    const char *text = "";
    for (size_t i = 0; i < JOIN_WORDS; i++) {
        const struct join_word *word = &join_word_list[words[i]];
        text = cli_format(cli, "%s%s%s", text, i ? " " : "", zh ? word->zh : word->en);
    }
    return text;
}

const char *carried_text_words_zh(struct cli *cli, const uint8_t words[JOIN_WORDS])
{
    return words_in(cli, words, true);
}

const char *carried_text_words_en(struct cli *cli, const uint8_t words[JOIN_WORDS])
{
    return words_in(cli, words, false);
}

/* Letters and characters, without spaces and commas, small. */
static void squeeze(char *out, size_t size, const char *text)
{
    size_t at = 0;
    for (; *text && at + 1 < size; text++) {
        if (strncmp(text, "，", 3) == 0 || strncmp(text, "、", 3) == 0) {
            text += 2;
            continue;
        }
        if (strchr(" ,.;\t-", *text)) continue;
        out[at++] = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    }
    out[at] = 0;
}

bool carried_text_same_words(const uint8_t words[JOIN_WORDS], const char *typed)
{
    char forms[3][256] = {"", "", ""}, said[256];
    squeeze(said, sizeof said, typed);
    for (size_t i = 0; i < JOIN_WORDS; i++) {
        const struct join_word *w = &join_word_list[words[i]];
        const char *const each[3] = {w->zh, w->en, w->pinyin};
        for (size_t k = 0; k < 3; k++) {
            size_t at = strlen(forms[k]);
            squeeze(forms[k] + at, sizeof forms[k] - at, each[k]);
        }
    }
    return strcmp(said, forms[0]) == 0 || strcmp(said, forms[1]) == 0 ||
           strcmp(said, forms[2]) == 0;
}

json_t *carried_text_codes_json(const struct armour *armour, struct slice content)
{
    size_t count = armour_piece_count(armour, content, CODE_SIZE_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct buf line = {0};
        if (armour_piece(&line, armour, content, i, count))
            json_array_append_new(list, json_string(buf_text(&line)));
        buf_clear(&line);
    }
    return list;
}

json_t *carried_text_words_json(const uint8_t words[JOIN_WORDS])
{
    json_t *list = json_array();
    for (size_t i = 0; i < JOIN_WORDS; i++)
        json_array_append_new(list, json_string(join_word_list[words[i]].zh));
    return list;
}
