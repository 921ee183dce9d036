#include "node/at_rest.h"

#include "node/home.h"
#include "node/home_key.h"
#include "node/keyring.h"
#include "node/store/locking.h"
#include "node/store/log.h"
#include "node/views/search.h"

#define SLICE_RECORDS 4096u
#define SLICE_ROWS 16384u

static void tell(const struct at_rest_steps *steps, const char *what, uint64_t done, uint64_t total)
{
    if (steps && steps->step) steps->step(steps->state, what, done, total);
}

static bool wishes_passphrase(const struct settings *wish)
{
    return strcmp(wish->at_rest, "passphrase") == 0;
}

static enum err locking_state(struct store *s, enum locking_state *out)
{
    struct txn *t;
    struct locking now;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    err = locking_get(t, &now);
    txn_abort(t);
    *out = now.state;
    return err;
}

enum err at_rest_look(const char *home, const struct settings *wish, struct store *s,
                      struct at_rest *out)
{
    struct secret_key key;
    enum locking_state state = LOCKING_NONE;
    *out = (struct at_rest){.passphrase = home_has_passphrase(home), .unlocked = true};
    if (out->passphrase) out->unlocked = home_key(home, &key) == OK;
    crypto_wipe(&key, sizeof key);
    enum err err = s ? locking_state(s, &state) : OK;
    enum locking_state whole = out->passphrase ? LOCKING_DONE : LOCKING_NONE;
    out->whole = out->passphrase == wishes_passphrase(wish) && (!s || state == whole);
    return err;
}

/* --- the store ------------------------------------------------------------------------------ */

/* One transaction of a conversion; *more: there is another one to come. */
static enum err in_txn(struct store *s, bool (*work)(struct txn *t, const void *state),
                       const void *state, bool *more)
{
    struct txn *t;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    *more = work(t, state);
    return txn_commit(t);
}

static bool begin(struct txn *t, const void *text)
{
    locking_begin(t, *(const struct slice *)text);
    return false;
}

static bool end(struct txn *t, const void *state)
{
    (void)state;
    locking_end(t);
    return false;
}

static bool drop_rows(struct txn *t, const void *state)
{
    (void)state;
    return search_drop_slice(t, SLICE_ROWS);
}

static bool rewrite(struct txn *t, const void *state)
{
    struct locking now;
    const struct at_rest_steps *steps = state;
    if (!locking_get(t, &now)) tell(steps, "boxes", now.mark, log_count(t));
    return locking_slice(t, SLICE_RECORDS);
}

static bool clean(struct txn *t, const void *state)
{
    (void)state;
    locking_clean(t);
    return false;
}

static bool renew(struct txn *t, const void *text)
{
    locking_text(t, *(const struct slice *)text);
    return false;
}

static enum err all_slices(struct store *s, bool (*work)(struct txn *t, const void *state),
                           const struct at_rest_steps *steps)
{
    bool more = true;
    enum err err = OK;
    while (!err && more) err = in_txn(s, work, steps, &more);
    return err;
}

static enum err with_text(const char *home, struct store *s,
                          bool (*work)(struct txn *t, const void *text))
{
    struct buf text = {0};
    bool more;
    enum err err = home_key_text(home, &text);
    const struct slice slice = buf_slice(&text);
    if (!err) err = in_txn(s, work, &slice, &more);
    buf_clear(&text);
    return err;
}

static enum err lock_store(const char *home, struct store *s, const struct at_rest_steps *steps)
{
    enum locking_state state;
    bool more;
    enum err err = locking_state(s, &state);
    if (!err && (state == LOCKING_NONE || state == LOCKING_OPENS)) {
        tell(steps, "store", 0, 0);
        err = with_text(home, s, begin);
        state = LOCKING_GOES_ON;
    }
    if (!err && state == LOCKING_GOES_ON) {
        tell(steps, "search", 0, 0);
        err = all_slices(s, drop_rows, steps);
        if (!err) err = all_slices(s, rewrite, steps);
        state = LOCKING_PAGES;
    }
    if (!err && state == LOCKING_PAGES) {
        tell(steps, "file", 0, 0);
        err = store_compact(s);
        if (!err) err = in_txn(s, clean, NULL, &more);
    }
    return err;
}

static enum err open_store_boxes(struct store *s, const struct at_rest_steps *steps)
{
    enum locking_state state;
    bool more;
    enum err err = locking_state(s, &state);
    if (err || state == LOCKING_NONE) return err;
    tell(steps, "store", 0, 0);
    if (state != LOCKING_OPENS) err = in_txn(s, end, NULL, &more);
    return err ? err : all_slices(s, rewrite, steps);
}

/* --- the home ------------------------------------------------------------------------------- */

static enum err give_key_up(const char *home, const struct secret_key *key,
                            const struct at_rest_steps *steps)
{
    tell(steps, "keys", 0, 0);
    enum err err = device_key_open(home, key);
    if (err) return err;
    tell(steps, "keyring", 0, 0);
    err = keyring_drop(home);
    return err == ERR_NO_KEYRING ? OK : err;
}

enum err at_rest_go_on(const char *home, const struct settings *wish, struct store *s,
                       const struct at_rest_steps *steps)
{
    struct secret_key key;
    if (!home_has_passphrase(home)) return OK; /* there is no key, so nothing was begun */
    if (wishes_passphrase(wish)) return lock_store(home, s, steps);
    enum err err = open_store_boxes(s, steps);
    if (!err) err = home_key(home, &key);
    if (!err) err = give_key_up(home, &key, steps);
    crypto_wipe(&key, sizeof key);
    return err;
}

/* With the key in hand, whatever the kernel keeps. */
static enum err convert_store(const char *home, const struct secret_key *key, bool lock,
                              const struct at_rest_steps *steps)
{
    struct store *s = NULL;
    struct secret_key boxes;
    home_key_of_boxes(&boxes, key);
    const struct store_options options = {.key = &boxes};
    enum err err = store_open(&s, home, &options);
    if (!err) err = lock ? lock_store(home, s, steps) : open_store_boxes(s, steps);
    store_close(s);
    crypto_wipe(&boxes, sizeof boxes);
    return err;
}

static enum err wish_for(const char *home, const char *value)
{
    struct settings_problem problem;
    return settings_set(home, "at_rest", value, &problem);
}

enum err at_rest_to_passphrase(const char *home, const char *passphrase,
                               const struct at_rest_steps *steps)
{
    struct secret_key key;
    if (home_state(home) != HOME_JOINED) return ERR_NOT_JOINED;
    device_key_sweep(home);
    tell(steps, "setting", 0, 0);
    enum err err = wish_for(home, "passphrase");
    tell(steps, "keys", 0, 0);
    if (!err) err = device_key_lock(home, passphrase, &key);
    if (err == ERR_STATE) err = home_key_open(home, passphrase, &key);
    tell(steps, "keyring", 0, 0);
    if (!err) err = keyring_put(home, &key);
    if (err == ERR_NO_KEYRING) err = OK;
    if (!err) err = convert_store(home, &key, true, steps);
    crypto_wipe(&key, sizeof key);
    return err;
}

enum err at_rest_to_keyfile(const char *home, const char *passphrase,
                            const struct at_rest_steps *steps)
{
    struct secret_key key;
    device_key_sweep(home);
    enum err err = home_key_open(home, passphrase, &key);
    if (err == ERR_STATE && keyring_drop(home)) return err; /* of one that was killed at the end */
    tell(steps, "setting", 0, 0);
    if (!err) err = wish_for(home, "keyfile");
    if (!err) err = convert_store(home, &key, false, steps);
    if (!err) err = give_key_up(home, &key, steps);
    crypto_wipe(&key, sizeof key);
    return err;
}

enum err at_rest_renew_text(const char *home, struct store *s)
{
    return with_text(home, s, renew);
}
