#include "tools/kept_heads.h"

#include "tools/lookup.h"

#include <string.h>

struct keeping {
    struct kept_heads *out;
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    const char *what;
    bool (*is_author)(void *state, const struct sign_key *author);
    void *state;
};

static bool names_feed(const struct kept_heads *kept, const struct feed_row *feed, size_t named)
{
    for (size_t i = 0; i < named; i++)
        if (memcmp(kept->heads[i].feed8, feed->id.bytes, sizeof kept->heads[i].feed8) == 0)
            return true;
    return false;
}

/* What ends a feed must carry a signature: nothing after it is sent to prove it. */
static bool is_signed(struct keeping *k, const struct feed_row *feed, const struct head_named *head)
{
    struct event e;
    uint64_t arrival = log_find(k->txn, feed->number, head->seq, head->id16);
    return arrival && log_read_header(k->txn, arrival, &e) == OK && e.has_signature;
}

static int add_named(struct keeping *k, const char *text)
{
    struct feed_row feed;
    struct head_named *head = &k->out->heads[k->out->count];
    if (k->out->count == CUT_HEADS_MAX)
        return cli_error(k->cli, EXIT_USAGE, k->what, _("too many records are named"), NULL);
    int code = lookup_head(k->cli, k->txn, k->roster, text, &feed, head);
    if (code) return code;
    if (!k->is_author(k->state, &feed.feed.author))
        return cli_error(k->cli, EXIT_USAGE, k->what,
                         cli_format(k->cli, _("\"%s\" is of another author"), text),
                         _("sidan log -v lists feeds and records"));
    if (!is_signed(k, &feed, head))
        return cli_error(k->cli, EXIT_USAGE, k->what,
                         cli_format(k->cli, _("\"%s\" carries no signature here"), text),
                         _("name the next record that does: sidan log --feed FEED --json"));
    k->out->count++;
    return EXIT_OK;
}

static void add_held(struct keeping *k)
{
    const size_t named = k->out->count;
    uint32_t feeds = feed_count(k->txn);
    struct feed_row feed;
    for (uint32_t n = 1; n <= feeds && feed_get(k->txn, n, &feed); n++) {
        if (!k->is_author(k->state, &feed.feed.author) || names_feed(k->out, &feed, named))
            continue;
        for (size_t h = 0; h < feed.head_count && k->out->count < CUT_HEADS_MAX; h++) {
            struct head_named *head = &k->out->heads[k->out->count++];
            head->seq = feed.heads[h].seq;
            memcpy(head->feed8, feed.id.bytes, sizeof head->feed8);
            memcpy(head->id16, feed.heads[h].id.bytes, sizeof head->id16);
        }
    }
}

int kept_heads_read(struct kept_heads *out, struct cli *cli, struct txn *txn,
                    const struct roster *roster, const char *what,
                    bool (*is_author)(void *state, const struct sign_key *author), void *state)
{
    struct keeping k = {.out = out,
                        .cli = cli,
                        .txn = txn,
                        .roster = roster,
                        .what = what,
                        .is_author = is_author,
                        .state = state};
    const char *text;
    size_t at = 0;
    int code = EXIT_OK;
    out->count = 0;
    while (!code && (text = cli_flag_each(cli, "--keep", &at)) != NULL) code = add_named(&k, text);
    if (!code) add_held(&k);
    return code;
}
