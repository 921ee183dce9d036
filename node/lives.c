#include "node/lives.h"

#include <string.h>

#define META_LIFE "life"            /* count be64 ‖ cause ‖ epoch 8 */
#define META_SIDE "life.side"       /* 1: the side file was made */
#define META_NUMBERS "numbers.wait" /* 1: until a person has confirmed the last one */
enum { LIFE_SIZE = 8 + 1 + 8 };

const char *life_cause_name(enum life_cause cause)
{
    static const char *const names[] = {"", "restored", "rolled_back", "copied", "forked"};
    return names[cause];
}

void life_get(struct txn *t, struct life *out)
{
    struct slice value;
    *out = (struct life){.count = 0};
    if (!meta_get(t, META_LIFE, &value)) return;
    if (value.size != LIFE_SIZE || value.data[8] > LIFE_FORKED) {
        txn_fail(t, ERR_CORRUPT);
        return;
    }
    out->count = be64_get(value.data);
    out->cause = (enum life_cause)value.data[8];
    out->has_epoch = true;
    memcpy(out->epoch, value.data + 9, sizeof out->epoch);
}

void life_next(struct txn *t, enum life_cause cause, uint64_t least)
{
    struct life life;
    uint8_t value[LIFE_SIZE];
    life_get(t, &life);
    be64_put(value, life.count + 1 > least ? life.count + 1 : least);
    value[8] = (uint8_t)cause;
    crypto_random(value + 9, 8);
    meta_put(t, META_LIFE, slice_of(value, sizeof value));
    meta_put_uint(t, META_NUMBERS, 1);
}

bool life_has(const struct life *life, const struct feed *feed)
{
    if (feed->has_epoch != life->has_epoch) return false;
    return !life->has_epoch || memcmp(feed->epoch, life->epoch, sizeof life->epoch) == 0;
}

/* --- what the side file tells --- */

struct finding {
    enum life_cause cause; /* LIFE_FIRST: nothing */
    bool behind;           /* own events are missing, and may come back */
    bool no_file;
    uint64_t life; /* of the side file */
};

static bool lacks(struct txn *t, const struct side_file *side)
{
    struct feed_row feed;
    for (size_t i = 0; i < side->row_count; i++) {
        const struct side_row *row = &side->rows[i];
        if (feed_find_id8(t, row->feed8, &feed) != OK) return true;
        if (!log_find(t, feed.number, row->seq, row->id8)) return true;
    }
    return false;
}

static void compare(struct txn *t, const struct side_file *side, const struct machine *now,
                    struct finding *out)
{
    struct life life;
    const uint8_t *generation = store_identity(txn_store(t))->generation;
    life_get(t, &life);
    out->life = side->life;
    if (machine_compare(&side->machine, now) != MACHINE_SAME ||
        memcmp(side->generation, generation, sizeof side->generation) != 0)
        out->cause = LIFE_COPIED;
    else if (side->life > life.count)
        out->cause = LIFE_ROLLED_BACK;
    else if (side->life == life.count)
        out->behind = lacks(t, side);
}

static enum err find(struct txn *t, struct finding *out)
{
    struct side_file side = {0};
    struct machine now;
    *out = (struct finding){.cause = LIFE_FIRST};
    enum err err = side_file_read(&side, &now, store_home(txn_store(t)));
    if (!err) compare(t, &side, &now, out);
    side_file_clear(&side);
    /* Made and gone: the store alone was put here. */
    if ((err == ERR_NOT_FOUND || err == ERR_CORRUPT) && meta_get_uint(t, META_SIDE)) {
        out->cause = LIFE_COPIED;
        out->no_file = true;
        err = OK;
    }
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) err = OK;
    return err ? err : txn_error(t);
}

enum err lives_look(struct store *s, enum life_cause *found)
{
    struct txn *t;
    struct finding finding;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    err = find(t, &finding);
    txn_abort(t);
    if (!err) *found = finding.behind ? LIFE_ROLLED_BACK : finding.cause;
    return err;
}

/* The store first: a crash between the two makes the next start begin one life more, in which
 * nothing was signed. A side file that cannot be made now is made by the next who signs. */
static enum err begin_life(struct store *s, const struct finding *finding)
{
    struct txn *t;
    struct life life;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    life_next(t, finding->cause, finding->life + 1);
    life_get(t, &life);
    store_renew(t);
    meta_put_uint(t, META_SIDE, !finding->no_file);
    err = txn_commit(t);
    if (err || finding->no_file) return err;
    return side_file_start(store_home(s), life.count, store_identity(s)->generation);
}

enum err lives_restored(struct store *s, uint64_t least)
{
    const uint64_t before = least ? least - 1 : 0;
    return begin_life(s, &(struct finding){.cause = LIFE_RESTORED, .life = before});
}

static enum err hold_numbers(struct store *s)
{
    struct txn *t;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    if (!lives_numbers_wait(t)) {
        meta_put_uint(t, META_NUMBERS, 1);
        return txn_commit(t);
    }
    txn_abort(t);
    return OK;
}

enum err lives_open(struct store *s, bool *behind)
{
    struct txn *t;
    struct finding finding;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    err = find(t, &finding);
    txn_abort(t);
    if (!err && finding.cause != LIFE_FIRST) err = begin_life(s, &finding);
    if (!err && finding.behind) err = hold_numbers(s);
    if (!err) *behind = finding.behind;
    return err == ERR_PERMISSION || err == ERR_READ_ONLY ? OK : err; /* nothing is signed there */
}

enum err lives_settle(struct txn *t, bool *behind)
{
    struct finding finding;
    enum err err = find(t, &finding);
    if (err) return err;
    if (finding.behind) {
        life_next(t, LIFE_ROLLED_BACK, 0);
        err = txn_error(t);
    }
    if (!err) *behind = false;
    return err;
}

/* --- signing --- */

/* Where it cannot be made (no space, say) things go on without it. */
void lives_sign(struct txn *t)
{
    struct life life;
    struct store *s = txn_store(t);
    life_get(t, &life);
    if (meta_get_uint(t, META_SIDE)) return;
    if (side_file_start(store_home(s), life.count, store_identity(s)->generation) == OK)
        meta_put_uint(t, META_SIDE, 1);
}

void lives_signed(struct store *s, uint64_t count, const struct side_row *rows, size_t row_count)
{
    if (row_count) side_file_note(store_home(s), count, rows, row_count);
}

/* --- own events from elsewhere --- */

bool lives_take(struct txn *t, const struct feed_row *before, const struct feed_row *after)
{
    struct life life;
    life_get(t, &life);
    bool present = life_has(&life, &after->feed);
    bool forked = after->head_count > 1 && (!before || after->head_count > before->head_count);
    /* What a copy goes on recording in its own epoch is no news. */
    if (present || !before) meta_put_uint(t, META_NUMBERS, 1);
    if (present && forked) life_next(t, LIFE_FORKED, 0);
    return forked;
}

bool lives_numbers_wait(struct txn *t)
{
    return meta_get_uint(t, META_NUMBERS) != 0;
}

void lives_numbers_confirmed(struct txn *t)
{
    meta_put_uint(t, META_NUMBERS, 0);
}

size_t lives_used(struct txn *t, const struct sign_key *key)
{
    uint8_t seen[DEVICE_EPOCHS_MAX][8];
    size_t used = 0;
    struct feed_row row;
    uint32_t feeds = feed_count(t);
    for (uint32_t n = 1; n <= feeds && used < DEVICE_EPOCHS_MAX && feed_get(t, n, &row); n++) {
        if (!row.feed.has_epoch || !sign_key_equal(&row.feed.author, key)) continue;
        size_t i = 0;
        while (i < used && memcmp(seen[i], row.feed.epoch, 8) != 0) i++;
        if (i == used) memcpy(seen[used++], row.feed.epoch, 8);
    }
    return used;
}
