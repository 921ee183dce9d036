#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/log.h"
#include "tests/support/events.h"
#include "node/store/audit.h"
#include "tests/support/store.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool exists(const struct test_store *ts, const char *name)
{
    return access(test_path(ts, name), F_OK) == 0;
}

static enum err open_again(struct test_store *ts)
{
    struct store *s = NULL;
    enum err err = store_open(&s, ts->home, NULL);
    store_close(s);
    return err;
}

static off_t file_size(const struct test_store *ts, const char *name)
{
    struct stat st;
    assert_int_equal(stat(test_path(ts, name), &st), 0);
    return st.st_size;
}

static void a_new_store_knows_who_it_is(void **state)
{
    (void)state;
    struct test_store ts;
    struct store_identity want;
    struct stat st;
    test_store_begin(&ts, NULL);
    test_store_identity(&ts, &want);
    const struct store_identity *got = store_identity(ts.store);
    assert_true(sign_key_equal(&got->township, &want.township));
    assert_true(sign_key_equal(&got->device, &want.device));
    assert_memory_equal(got->generation, want.generation, 8);
    assert_int_equal(stat(test_path(&ts, "store/data.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_size(&ts, "store/reserve"), STORE_RESERVE_SIZE);
    test_store_end(&ts);
}

static void refuses_to_create_a_store_where_one_is(void **state)
{
    (void)state;
    struct test_store ts;
    struct store_identity identity;
    test_store_begin(&ts, NULL);
    test_store_identity(&ts, &identity);
    assert_int_equal(store_create(ts.home, &identity), ERR_EXISTS);
    assert_int_equal(store_create("/nonexistent", &identity), ERR_NOT_FOUND);
    test_store_end(&ts);
}

/* A creation that was killed at any moment leaves a folder of another name behind. */
static void a_creation_killed_in_the_middle_leaves_no_store(void **state)
{
    (void)state;
    struct test_store ts;
    struct store_identity identity;
    test_home_begin(&ts);
    test_store_identity(&ts, &identity);
    assert_int_equal(mkdir(test_path(&ts, "store.new"), 0700), 0);
    FILE *f = fopen(test_path(&ts, "store.new/data.mdb"), "w");
    assert_non_null(f);
    assert_int_equal(fputs("half", f) < 0, 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(open_again(&ts), ERR_NOT_FOUND);
    assert_int_equal(store_create(ts.home, &identity), OK);
    assert_false(exists(&ts, "store.new"));
    assert_int_equal(open_again(&ts), OK);
    test_store_end(&ts);
}

static void kills_at_any_moment_of_creation_leave_all_or_nothing(void **state)
{
    (void)state;
    struct store_identity identity;
    for (unsigned delay_us = 0; delay_us < 6000; delay_us += 300) {
        struct test_store ts;
        test_home_begin(&ts);
        test_store_identity(&ts, &identity);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) _exit(store_create(ts.home, &identity) != OK);
        usleep(delay_us);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        enum err err = open_again(&ts);
        assert_true(err == OK || err == ERR_NOT_FOUND);
        err = store_create(ts.home, &identity);
        assert_true(err == OK || err == ERR_EXISTS);
        assert_int_equal(open_again(&ts), OK);
        test_store_end(&ts);
    }
}

/* --- what is not our store --- */

static void write_file(const struct test_store *ts, const char *name, const void *data, size_t size)
{
    FILE *f = fopen(test_path(ts, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void refuses_an_empty_or_strange_data_file_unchanged(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t fill;
    } files[] = {{0, 0}, {1, 0}, {4096, 0}, {8192, 0}, {8192, 0xff}, {100000, 'x'}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct test_store ts;
        uint8_t *data = malloc(files[i].size + 1);
        assert_non_null(data);
        memset(data, files[i].fill, files[i].size + 1);
        test_home_begin(&ts);
        assert_int_equal(mkdir(test_path(&ts, "store"), 0700), 0);
        write_file(&ts, "store/data.mdb", data, files[i].size);
        assert_int_equal(open_again(&ts), ERR_CORRUPT);
        assert_int_equal(file_size(&ts, "store/data.mdb"), files[i].size);
        free(data);
        test_store_end(&ts);
    }
}

static void refuses_a_folder_without_data_and_a_link(void **state)
{
    (void)state;
    struct test_store ts;
    test_home_begin(&ts);
    assert_int_equal(open_again(&ts), ERR_NOT_FOUND);
    assert_int_equal(mkdir(test_path(&ts, "store"), 0700), 0);
    assert_int_equal(open_again(&ts), ERR_CORRUPT);
    assert_int_equal(symlink("/etc/passwd", test_path(&ts, "store/data.mdb")), 0);
    assert_int_equal(open_again(&ts), ERR_CORRUPT);
    test_store_end(&ts);
}

static void refuses_a_truncated_store_unchanged(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 200);
    test_store_append(&ts, &c, 0, 200);
    store_close(ts.store);
    ts.store = NULL;
    off_t whole = file_size(&ts, "store/data.mdb");
    for (off_t cut = 4096; cut < whole; cut += 4096) {
        assert_int_equal(truncate(test_path(&ts, "store/data.mdb"), whole - cut), 0);
        assert_int_equal(open_again(&ts), ERR_CORRUPT);
        assert_int_equal(file_size(&ts, "store/data.mdb"), whole - cut);
    }
    test_chain_end(&c);
    test_store_end(&ts);
}

/* Writes one value into a named database of a store that is closed. */
static void poke(const struct test_store *ts, const char *db, const char *name, const void *data,
                 size_t size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val k = {strlen(name), (void *)(uintptr_t)name};
    MDB_val v = {size, (void *)(uintptr_t)data};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, test_path(ts, "store"), 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, db, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void put_and_delete(MDB_env *env, unsigned values, size_t size, bool put, bool delete)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    uint8_t *data = calloc(1, size);
    assert_non_null(data);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
    for (unsigned i = 0; i < 2 * values; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%06u", i % values);
        MDB_val k = {strlen(name), name}, v = {size, data};
        if (i < values && put) assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
        if (i >= values && delete) assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    free(data);
}

/* Commits as LMDB does by itself: free pages first, then pages at the end that are taken and given
 * back. How many bytes the file is then shorter than LMDB says. */
static off_t commit_and_leave(const struct test_store *ts, unsigned values)
{
    MDB_env *env;
    MDB_envinfo info;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(env, STORE_MAP_SIZE), 0);
    assert_int_equal(mdb_env_open(env, test_path(ts, "store"), 0, 0600), 0);
    put_and_delete(env, values, 300, true, false);
    put_and_delete(env, values, 300, false, true);
    put_and_delete(env, 1, 10, true, true);
    put_and_delete(env, 2, (size_t)(values + 60) * 4096, true, true);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    return (off_t)(info.me_last_pgno + 1) * 4096 - file_size(ts, "store/data.mdb");
}

/* The end of a process between its commit and what makes the file as long as it says. */
static void opens_a_store_whose_last_pages_are_free_and_missing(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    unsigned short_files = 0;
    for (unsigned values = 1; values < 400; values += 13) {
        store_close(ts.store);
        ts.store = NULL;
        off_t missing = commit_and_leave(&ts, values);
        off_t size = file_size(&ts, "store/data.mdb");
        test_store_reopen(&ts, NULL);
        if (missing <= 0) continue;
        short_files++;
        assert_int_equal(file_size(&ts, "store/data.mdb"), size + missing);
        struct audit_result result;
        const struct audit_options options = {0};
        assert_int_equal(audit_run(ts.store, &options, &result), OK);
        assert_int_equal(result.problems, 0);
    }
    assert_true(short_files > 0);
    test_store_end(&ts);
}

static void refuses_a_newer_and_a_foreign_store(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    store_close(ts.store);
    ts.store = NULL;
    poke(&ts, "meta", "sidan", "sidan\r\n\0\0\0\0\3and more", 20);
    assert_int_equal(open_again(&ts), ERR_VERSION);
    poke(&ts, "meta", "sidan", "sidan\r\n\0\0\0\0\2short", 17);
    assert_int_equal(open_again(&ts), ERR_CORRUPT);
    poke(&ts, "meta", "sidan", "another program", 15);
    assert_int_equal(open_again(&ts), ERR_FOREIGN);
    test_store_end(&ts);

    test_home_begin(&ts);
    assert_int_equal(mkdir(test_path(&ts, "store"), 0700), 0);
    poke(&ts, "accounts", "name", "value", 5);
    assert_int_equal(open_again(&ts), ERR_FOREIGN);
    test_store_end(&ts);
}

static void opens_once_in_a_process(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    assert_int_equal(open_again(&ts), ERR_BUSY);
    test_store_reopen(&ts, NULL);
    test_store_end(&ts);
}

static void a_read_only_store_is_not_written(void **state)
{
    (void)state;
    struct test_store ts;
    struct txn *t;
    test_store_begin(&ts, &(struct store_options){.read_only = true});
    assert_int_equal(txn_begin(ts.store, true, &t), ERR_PERMISSION);
    t = test_txn(&ts, false);
    assert_int_equal(log_count(t), 0);
    txn_abort(t);
    test_store_end(&ts);
}

/* --- two processes --- */

static void sees_what_another_process_commits(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 20);
    store_close(ts.store);
    ts.store = NULL;
    int go[2];
    assert_int_equal(pipe(go), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;
        if (read(go[0], &byte, 1) != 1) _exit(1);
        test_store_reopen(&ts, NULL);
        for (size_t i = 0; i < c.count; i++) test_store_append(&ts, &c, i, i + 1);
        store_close(ts.store);
        _exit(0);
    }
    test_store_reopen(&ts, NULL);
    uint64_t before = store_last_txn(ts.store);
    assert_int_equal(write(go[1], "g", 1), 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(store_last_txn(ts.store), before + 20);
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(log_count(t), 20);
    txn_abort(t);
    close(go[0]);
    close(go[1]);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void is_not_compacted_while_another_process_has_it_open(void **state)
{
    (void)state;
    struct test_store ts;
    int opened[2], done[2];
    char byte = 'x';
    test_store_begin(&ts, NULL);
    store_close(ts.store);
    ts.store = NULL;
    assert_int_equal(pipe(opened), 0);
    assert_int_equal(pipe(done), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(done[1]);
        test_store_reopen(&ts, NULL);
        if (write(opened[1], &byte, 1) != 1) _exit(1);
        _exit(read(done[0], &byte, 1) != 1);
    }
    assert_int_equal(read(opened[0], &byte, 1), 1);
    test_store_reopen(&ts, NULL);
    assert_int_equal(store_compact(ts.store), ERR_BUSY);
    struct txn *t = test_txn(&ts, true);
    meta_put_uint(t, "still", 1);
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(write(done[1], &byte, 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(store_compact(ts.store), OK);
    t = test_txn(&ts, false);
    assert_int_equal(meta_get_uint(t, "still"), 1);
    txn_abort(t);
    close(opened[0]), close(opened[1]), close(done[0]), close(done[1]);
    test_store_end(&ts);
}

/* --- copies --- */

static void compaction_and_copies_keep_everything(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct stat st;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 300);
    for (size_t i = 0; i < 300; i += 10) test_store_append(&ts, &c, i, i + 10);
    assert_int_equal(store_copy(ts.store, test_path(&ts, "plain"), false), OK);
    assert_int_equal(store_copy(ts.store, test_path(&ts, "plain"), false), ERR_EXISTS);
    assert_int_equal(store_copy(ts.store, test_path(&ts, "small"), true), OK);
    assert_int_equal(stat(test_path(&ts, "small"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_size <= file_size(&ts, "plain"));
    for (int i = 0; i < 2; i++) {
        struct txn *t = test_txn(&ts, false);
        assert_int_equal(store_compact(ts.store), ERR_BUSY);
        txn_abort(t);
        assert_int_equal(store_compact(ts.store), OK);
        test_chain_fill(&c, 10);
        test_store_append(&ts, &c, c.count - 10, c.count);
        t = test_txn(&ts, false);
        assert_int_equal(log_count(t), c.count);
        struct event e;
        for (uint64_t n = 1; n <= c.count; n++) {
            assert_int_equal(log_read(t, n, &e), OK);
            assert_true(event_id_equal(&e.id, &c.events[n - 1].id));
        }
        txn_abort(t);
    }
    assert_false(exists(&ts, "store/data.new"));
    test_store_reopen(&ts, NULL);
    test_chain_end(&c);
    test_store_end(&ts);
}

/* --- room --- */

static void gives_the_reserve_back_to_a_person_when_the_disk_is_full(void **state)
{
    (void)state;
    struct test_store ts;
    test_store_begin(&ts, NULL);
    assert_int_equal(store_room(ts.store, false), OK);
    test_store_reopen(&ts, &(struct store_options){.disk_free_min = UINT64_MAX});
    assert_int_equal(store_room(ts.store, false), ERR_NOSPACE);
    assert_true(exists(&ts, "store/reserve"));
    assert_int_equal(store_room(ts.store, true), OK);
    assert_false(exists(&ts, "store/reserve"));
    test_store_reopen(&ts, NULL);
    assert_int_equal(store_room(ts.store, false), OK);
    assert_true(exists(&ts, "store/reserve"));
    test_store_end(&ts);
}

static void tells_its_space(void **state)
{
    (void)state;
    struct test_store ts;
    struct store_space space;
    test_store_begin(&ts, &(struct store_options){.map_size = MIB(8)});
    assert_int_equal(store_space(ts.store, &space), OK);
    assert_int_equal(space.map_size, MIB(8));
    assert_in_range(space.used, 8192, MIB(1));
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_knows_who_it_is),
        cmocka_unit_test(refuses_to_create_a_store_where_one_is),
        cmocka_unit_test(a_creation_killed_in_the_middle_leaves_no_store),
        cmocka_unit_test(kills_at_any_moment_of_creation_leave_all_or_nothing),
        cmocka_unit_test(refuses_an_empty_or_strange_data_file_unchanged),
        cmocka_unit_test(refuses_a_folder_without_data_and_a_link),
        cmocka_unit_test(refuses_a_truncated_store_unchanged),
        cmocka_unit_test(opens_a_store_whose_last_pages_are_free_and_missing),
        cmocka_unit_test(refuses_a_newer_and_a_foreign_store),
        cmocka_unit_test(opens_once_in_a_process),
        cmocka_unit_test(a_read_only_store_is_not_written),
        cmocka_unit_test(sees_what_another_process_commits),
        cmocka_unit_test(is_not_compacted_while_another_process_has_it_open),
        cmocka_unit_test(compaction_and_copies_keep_everything),
        cmocka_unit_test(gives_the_reserve_back_to_a_person_when_the_disk_is_full),
        cmocka_unit_test(tells_its_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
