#define _GNU_SOURCE /* memmem */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "node/at_rest.h"
#include "node/home.h"
#include "node/home_key.h"
#include "node/keyring.h"
#include "node/store/locking.h"
#include "node/store/log.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

/* Changes of how a home lies on the disk, whole and cut short. A change is made by a process of its
 * own, which kills itself at the step that the test names: nothing of it is cleaned up. */

#define WORDS "蓝鲸水管第七次漏水"
#define SECRET "甲乙丙"
#define RECORDS 4900 /* two slices */
#define KILLED 128

static struct test_store ts;
static struct test_chain chain;
static struct buf plain; /* device.key as it was made */

static void read_all(struct buf *out, const char *name)
{
    buf_reset(out);
    assert_int_equal(file_read(out, test_path(&ts, name), BUF_SIZE_MAX), OK);
}

static int begin(void **state)
{
    struct device_keys keys;
    (void)state;
    test_store_begin(&ts, NULL);
    if (unsetenv("SIDAN_PASSPHRASE_FILE") || home_make_keys(ts.home, &keys)) return -1;
    device_keys_wipe(&keys);
    if (home_mark_joined(ts.home)) return -1;
    read_all(&plain, "device.key");
    test_chain_begin(&chain, 1, "village:431322111201");
    return 0;
}

static int end(void **state)
{
    (void)state;
    enum err err = keyring_drop(ts.home);
    buf_clear(&plain);
    test_chain_end(&chain);
    test_store_end(&ts);
    return err && err != ERR_NO_KEYRING;
}

static void fill(size_t count)
{
    size_t first = chain.count;
    for (size_t i = 0; i < count; i++)
        test_chain_add(&chain, &(struct test_event){.box = {"note", WORDS}});
    test_store_append(&ts, &chain, first, chain.count);
}

/* --- a process that changes it --- */

struct victim {
    unsigned step, kill_at; /* 0: at none */
};

static void count_step(void *state, const char *what, uint64_t done, uint64_t total)
{
    struct victim *v = state;
    (void)what, (void)done, (void)total;
    if (++v->step == v->kill_at) kill(getpid(), SIGKILL);
}

/* 0, an enum err, or KILLED. */
static int change(bool lock, const char *passphrase, unsigned kill_at)
{
    int status;
    store_close(ts.store);
    ts.store = NULL;
    pid_t pid = fork();
    if (pid == 0) {
        struct victim v = {.kill_at = kill_at};
        const struct at_rest_steps steps = {.step = count_step, .state = &v};
        _exit((int)(lock ? at_rest_to_passphrase(ts.home, passphrase, &steps)
                         : at_rest_to_keyfile(ts.home, passphrase, &steps)));
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? KILLED : WEXITSTATUS(status);
}

/* --- what is there --- */

static bool home_has(struct slice text)
{
    static const char *const names[] = {"store/data.mdb", "device.key", "config"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf bytes = {0};
        if (!file_read(&bytes, test_path(&ts, names[i]), BUF_SIZE_MAX))
            found = found || memmem(bytes.data, bytes.size, text.data, text.size);
        buf_clear(&bytes);
    }
    return found;
}

/* The first secret of the plain device.key, in hex. */
static struct slice seed(void)
{
    const char *line = strchr(buf_text(&plain), '\n') + 1;
    return slice_of(line, strcspn(line, "\n"));
}

/* Opens it as whoever has the passphrase would, with what device.key is now. */
static void open_home(const char *passphrase)
{
    struct secret_key key, boxes;
    bool locked = home_has_passphrase(ts.home);
    if (locked) {
        assert_int_equal(home_key_open(ts.home, passphrase, &key), OK);
        home_key_of_boxes(&boxes, &key);
    }
    const struct store_options options = {.key = locked ? &boxes : NULL};
    test_store_reopen(&ts, &options);
}

static void nothing_is_missing(void)
{
    struct txn *t = test_txn(&ts, false);
    struct buf keep = {0};
    assert_true(locking_key_fits(t));
    assert_int_equal(log_count(t), chain.count);
    for (uint64_t arrival = 1; arrival <= chain.count; arrival++) {
        struct event e;
        buf_reset(&keep);
        assert_int_equal(log_read_open(t, arrival, &e, &keep), OK);
        assert_int_equal(e.box_state, BOX_HERE);
    }
    buf_clear(&keep);
    txn_abort(t);
}

static void assert_stands(bool passphrase)
{
    struct settings wish;
    struct settings_problem problem;
    struct at_rest at;
    assert_int_equal(settings_load(&wish, ts.home, &problem), OK);
    assert_string_equal(wish.at_rest, passphrase ? "passphrase" : "keyfile");
    assert_int_equal(at_rest_look(ts.home, &wish, ts.store, &at), OK);
    assert_true(at.whole);
    assert_true(at.passphrase == passphrase);
    assert_true(home_has(slice_of_text(WORDS)) != passphrase);
    assert_true(home_has(seed()) != passphrase);
}

/* --- the tests --- */

static void there_and_back_leaves_everything_as_it_was(void **state)
{
    (void)state;
    struct buf after = {0};
    fill(100);
    assert_stands(false);
    assert_int_equal(change(false, SECRET, 0), ERR_STATE);
    assert_int_equal(change(true, SECRET, 0), OK);
    open_home(SECRET);
    assert_stands(true);
    nothing_is_missing();
    fill(100);
    assert_stands(true);
    assert_int_equal(change(true, "不是", 0), ERR_PASSPHRASE);
    assert_int_equal(change(false, "不是", 0), ERR_PASSPHRASE);
    open_home(SECRET);
    assert_stands(true);
    assert_int_equal(change(true, SECRET, 0), OK); /* again is fine */
    assert_int_equal(change(false, SECRET, 0), OK);
    open_home(NULL);
    assert_stands(false);
    nothing_is_missing();
    read_all(&after, "device.key");
    assert_int_equal(after.size, plain.size);
    assert_memory_equal(after.data, plain.data, plain.size);
    buf_clear(&after);
}

/* Killed at each step in turn, there and back; records come between. What was begun is carried out
 * by the same command. */
static void killed_at_any_step_it_opens_and_goes_on(void **state)
{
    (void)state;
    fill(RECORDS);
    for (int lock = 1; lock >= 0; lock--) {
        unsigned killed = 0;
        for (unsigned step = 1; change(lock, SECRET, step) == KILLED; step++) {
            killed++;
            open_home(SECRET);
            nothing_is_missing();
            fill(1);
        }
        assert_true(killed >= (lock ? 6 : 4));
        open_home(SECRET);
        assert_stands(lock);
        nothing_is_missing();
    }
}

/* The next start of a node does the rest, without the command. */
static void killed_at_any_step_the_next_start_goes_on(void **state)
{
    (void)state;
    struct secret_key key;
    if (keyring_get(ts.home, &key) == ERR_NO_KEYRING) skip();
    fill(100);
    for (int lock = 1; lock >= 0; lock--) {
        unsigned killed = 0;
        for (unsigned step = 1; change(lock, SECRET, step) == KILLED; step++, killed++) {
            struct settings wish;
            struct settings_problem problem;
            open_home(SECRET);
            bool begun = home_has_passphrase(ts.home);
            if (begun) assert_int_equal(home_unlock(ts.home, SECRET), OK);
            assert_int_equal(settings_load(&wish, ts.home, &problem), OK);
            assert_int_equal(at_rest_go_on(ts.home, &wish, ts.store, NULL), OK);
            open_home(SECRET);
            nothing_is_missing();
            /* until device.key is locked nothing was begun; afterwards it stands as wished */
            if (begun) assert_stands(strcmp(wish.at_rest, "passphrase") == 0);
            if (home_has_passphrase(ts.home) == lock) { /* for the next step */
                assert_int_equal(change(!lock, SECRET, 0), OK);
                open_home(SECRET);
            }
        }
        assert_true(killed >= 4);
        open_home(SECRET);
        assert_stands(lock);
    }
}

/* The file cannot be written anew while another process reads it: the rest is done, and the next
 * try ends it. */
static void a_reader_that_stays_delays_the_last_step_alone(void **state)
{
    (void)state;
    int ready[2], go[2], status;
    char byte;
    fill(100);
    assert_true(pipe(ready) == 0 && pipe(go) == 0);
    store_close(ts.store);
    ts.store = NULL;
    pid_t reader = fork();
    if (reader == 0) {
        struct store *s = NULL;
        const struct store_options options = {.read_only = true};
        bool good = !store_open(&s, ts.home, &options) && write(ready[1], "r", 1) == 1 &&
                    read(go[0], &byte, 1) == 1;
        store_close(s);
        _exit(!good);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(change(true, SECRET, 0), ERR_BUSY);
    open_home(SECRET);
    nothing_is_missing();
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    assert_int_equal(change(true, SECRET, 0), OK);
    open_home(SECRET);
    assert_stands(true);
    for (size_t i = 0; i < 2; i++) close(ready[i]), close(go[i]);
}

static void a_home_that_has_not_joined_is_left_alone(void **state)
{
    (void)state;
    fill(1);
    assert_int_equal(unlink(test_path(&ts, "joined")), 0);
    assert_int_equal(change(true, SECRET, 0), ERR_NOT_JOINED);
    assert_false(home_has_passphrase(ts.home));
    open_home(NULL);
    assert_stands(false);
}

/* A copy of the data file, with the passphrase of its day. */
static void the_store_has_the_wrapped_key_of_today(void **state)
{
    (void)state;
    struct locking now;
    struct buf text = {0}, secret = {0};
    struct secret_key key;
    fill(10);
    assert_int_equal(change(true, SECRET, 0), OK);
    open_home(SECRET);
    assert_int_equal(home_change_passphrase(ts.home, SECRET, "新的"), OK);
    assert_int_equal(at_rest_renew_text(ts.home, ts.store), OK);
    assert_int_equal(home_key_open(ts.home, "新的", &key), OK);
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(locking_get(t, &now), OK);
    buf_append_slice(&text, now.text);
    txn_abort(t);
    assert_int_equal(crypto_unwrap(&secret, buf_slice(&text), SECRET), ERR_PASSPHRASE);
    assert_int_equal(crypto_unwrap(&secret, buf_slice(&text), "新的"), OK);
    assert_int_equal(secret.size, sizeof key);
    assert_memory_equal(secret.data, &key, sizeof key);
    buf_clear(&text);
    buf_clear(&secret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back_leaves_everything_as_it_was),
        TEST(killed_at_any_step_it_opens_and_goes_on),
        TEST(killed_at_any_step_the_next_start_goes_on),
        TEST(a_reader_that_stays_delays_the_last_step_alone),
        TEST(a_home_that_has_not_joined_is_left_alone),
        TEST(the_store_has_the_wrapped_key_of_today),
    };
    return cmocka_run_group_tests_name("node/at_rest", tests, NULL, NULL);
}
