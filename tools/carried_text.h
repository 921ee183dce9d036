#pragma once
/* Texts that people carry: read from a file or typed in, written to a file or shown as QR codes,
 * and the six words to compare. All report what goes wrong and return an exit code. */
#include "proto/join_file.h"
#include "tools/output.h"

/* The text of `file`; of "-" what comes on standard input: scanned or pasted codes. */
int carried_text_read(struct cli *cli, const char *file, struct buf *out);
/* Its content. `what`: what is not done then, translated. */
int carried_text_open(struct cli *cli, const struct armour *armour, const char *what,
                      struct slice text, struct buf *content);
/* Into `file`, and where --qr was given as codes on the screen; `name`.`armour` where neither is.
 * On success *file is where it is, NULL: nowhere. */
int carried_text_write(struct cli *cli, const struct armour *armour, struct slice content,
                       const char *comment, const char *name, const char **file);
/* The words of a request. */
int carried_text_words(struct cli *cli, struct slice request, uint8_t words[JOIN_WORDS]);
/* On one line, with spaces. */
const char *carried_text_words_zh(struct cli *cli, const uint8_t words[JOIN_WORDS]);
const char *carried_text_words_en(struct cli *cli, const uint8_t words[JOIN_WORDS]);
/* Are these what somebody typed: Chinese, English or pinyin, with spaces or commas? */
bool carried_text_same_words(const uint8_t words[JOIN_WORDS], const char *typed);
json_t *carried_text_words_json(const uint8_t words[JOIN_WORDS]);
/* The texts of its codes. */
json_t *carried_text_codes_json(const struct armour *armour, struct slice content);
