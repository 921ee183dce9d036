/* FEED:SEQ:ID8, one record as the head of what counts of a feed. */
#include "tools/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits off the part behind the last colon; NULL: there is none. */
static char *split_last(char *text)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return NULL;
    }
    *colon = '\0';
    return colon + 1;
}

static bool read_seq(const char *text, uint64_t *seq)
{
    char *end;
    *seq = strtoull(text, &end, 10);
    return text[0] >= '1' && text[0] <= '9' && *end == '\0';
}

int lookup_head(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text,
                struct feed_row *feed, struct head_named *out)
{
    char copy[256];
    uint8_t id8[8];
    struct event e;
    snprintf(copy, sizeof copy, "%s", text);
    char *id = split_last(copy);
    char *seq = id != NULL ? split_last(copy) : NULL;
    if (seq == NULL || !read_seq(seq, &out->seq) ||
        hex_decode(id8, sizeof id8, id, strlen(id)) != OK) {
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" does not name a record"), text),
                         NULL, _("FEED:SEQ:ID8, as sidan log shows them, ID8 of 16 hex digits"));
    }
    int code = lookup_feed(cli, txn, roster, copy, feed);
    if (code != EXIT_OK) {
        return code;
    }
    uint64_t arrival = log_find(txn, feed->number, out->seq, id8);
    if (arrival == 0 || log_read_header(txn, arrival, &e) != OK) {
        return cli_error(cli, EXIT_NOT_FOUND,
                         cli_format(cli, _("the record \"%s\" is not held here"), text), NULL,
                         _("sidan log --feed FEED lists those that are"));
    }
    memcpy(out->feed8, feed->id.bytes, sizeof out->feed8);
    memcpy(out->id16, e.id.bytes, sizeof out->id16);
    return EXIT_OK;
}
