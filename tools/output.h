#pragma once
/*
 * What verbs print: lines, tables, JSON, CSV, progress. Everything that can come from another
 * person or node goes through here, so no text can steer the terminal (common/text.h).
 *
 * A read verb prints one JSON object, or with --csv its table, or for people:
 *
 *     if (cli->json) {
 *         json_t *o = output_json("sidan.status/1");
 *         json_object_set_new(o, "state", json_string("synced"));
 *         return output_json_end(o);
 *     }
 */
#include "node/home_key.h"
#include "tools/cli.h"

#include <jansson.h>

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_DIM, COLOUR_BOLD };
/* Escape sequence where stdout shows colours, "" otherwise; COLOUR_NONE ends one. */
const char *output_colour(const struct cli *cli, enum colour colour);
bool output_is_terminal(void);

/* A line for people on stdout; nothing with -q. Control characters become `?`. */
__attribute__((format(printf, 2, 3))) void output_line(const struct cli *cli, const char *format,
                                                       ...);
/* A remark on stderr (a step, a warning); nothing with -q or --json. */
__attribute__((format(printf, 2, 3))) void output_note(const struct cli *cli, const char *format,
                                                       ...);
/* A slice as text that lives as long as cli, control characters replaced. */
const char *output_text(struct cli *cli, struct slice s);

/* --- JSON --- */
/* {"schema":…,"at":…}: the caller adds the rest. Exits on memory shortage. */
json_t *output_json(const char *schema);
json_t *output_json_text(struct slice s); /* bad UTF-8 becomes `?` */
json_t *output_json_hex(const void *data, size_t size);
json_t *output_json_time(uint64_t ms); /* ISO text; null for 0 */
/* Prints it on one line and frees it. Returns an exit code (a full disk is noticed). */
int output_json_end(json_t *object);
/* A long list inside the object without holding it: begin prints the object up to `name`:[. */
struct output_list {
    bool any;
};
void output_list_begin(struct output_list *list, json_t *object, const char *name);
void output_list_item(struct output_list *list, json_t *item); /* frees it */
int output_list_end(struct output_list *list);

/* --- tables: for people, or CSV with --csv ---
 * The first TABLE_SAMPLE_ROWS rows decide the columns' widths; later rows stream. */
#define TABLE_COLUMNS_MAX 48
#define TABLE_SAMPLE_ROWS 500
struct table_column {
    const char *title; /* English msgid */
    bool right;        /* numbers */
    size_t width_min;
};
/* Where a table on the screen is wider than TABLE_WIDTH columns, those without any text are left
 * out; where it is still wider, the village too that every row names; then the widest texts go on
 * in lines below. */
#define TABLE_WIDTH 80
struct table {
    const struct cli *cli;
    const struct table_column *columns;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX], word_widths[TABLE_COLUMNS_MAX]; /* of a column's texts */
    bool hidden[TABLE_COLUMNS_MAX], wrapped[TABLE_COLUMNS_MAX];
    struct buf cells;   /* of the sample, then of the row being written */
    struct buf colours; /* of the sample, a byte a row */
    size_t cell_count;
    bool streaming;
    enum colour colour; /* of the row being written */
};
void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t count);
/* Cells in column order; a row ends with its last column. */
void table_cell(struct table *t, struct slice text);
__attribute__((format(printf, 2, 3))) void table_cellf(struct table *t, const char *format, ...);
/* Colour of the row that begins now. */
void table_colour(struct table *t, enum colour colour);
int table_end(struct table *t); /* prints the rest; exit code */

/* --- progress: one line that is redrawn, only where stderr is a terminal --- */
struct progress {
    const struct cli *cli;
    const char *label; /* translated */
    uint64_t started_ms, drawn_ms;
    bool drawn;
};
void progress_begin(struct progress *p, const struct cli *cli, const char *label);
/* `total` 0: unknown, then there is no estimate. The shape of the callbacks of views and audit. */
void progress_show(void *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *p);

/* --- questions: on the terminal; with --no-input, or without a terminal, exit 2 naming `flag` ---
 */
/* One line; an empty answer takes `otherwise` (NULL: asked again, until the input ends). */
int prompt_line(struct cli *cli, const char *question, const char *otherwise, const char *flag,
                const char **answer);
/* The passphrase: from $SIDAN_PASSPHRASE_FILE (first line), else asked without echo, twice when
 * `confirm`. At most PASSPHRASE_SIZE_MAX bytes; the caller wipes it. */
int prompt_passphrase(struct cli *cli, const char *question, bool confirm,
                      char out[PASSPHRASE_SIZE_MAX + 1]);
/* The same where a second one is asked for: the file is named by another variable. */
int prompt_passphrase_named(struct cli *cli, const char *variable, const char *question,
                            bool confirm, char out[PASSPHRASE_SIZE_MAX + 1]);
