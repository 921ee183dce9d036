#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/backup.h"

#include "common/file.h"
#include "node/lives.h"
#include "tests/support/township.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSPHRASE "a passphrase"
#define MAGIC "sidan-backup-1\n" /* what the file begins with */

static struct township town;
static struct township_node node;
static char folder[64], file[96], fresh[96];

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    snprintf(folder, sizeof folder, "/tmp/sidan-backup-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(fresh, sizeof fresh, "%s/home", folder);
    assert_int_equal(mkdir(fresh, 0700), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    township_node_close(&node);
    township_end(&town);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", node.home, name);
    assert_int_equal(file_create(path, slice_of_text(text), 0600), OK);
}

static bool is_there(const char *name)
{
    char path[160];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", fresh, name);
    return lstat(path, &st) == 0;
}

static enum err unpack(uint64_t least)
{
    struct backup *b = NULL;
    enum err err = backup_open(&b, file, PASSPHRASE);
    if (!err) err = backup_unpack(b, fresh, least);
    backup_close(b);
    return err;
}

/* --- what is made --- */

static void what_belongs_to_the_device_comes_and_what_belongs_to_the_place_stays(void **state)
{
    (void)state;
    char link[160];
    struct store *s;
    struct txn *t;
    struct life life;
    put("device.key", "secret");
    put("config", "hub = tcp://h:1\n");
    put("side", "of the place");
    snprintf(link, sizeof link, "%s/elsewhere", node.home);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(backup_make(node.store, file, PASSPHRASE, 77), OK);
    assert_int_equal(backup_make(node.store, file, PASSPHRASE, 77), ERR_EXISTS);
    assert_int_equal(unpack(5), OK);
    assert_true(is_there("device.key"));
    assert_true(is_there("config"));
    assert_false(is_there("elsewhere"));
    assert_int_equal(store_open(&s, fresh, NULL), OK);
    assert_memory_not_equal(store_identity(s)->generation, store_identity(node.store)->generation,
                            8);
    assert_int_equal(txn_begin(s, false, &t), OK);
    life_get(t, &life);
    assert_int_equal(life.count, 5);
    assert_int_equal(life.cause, LIFE_RESTORED);
    assert_true(lives_numbers_wait(t));
    assert_true(log_count(t) > 0);
    txn_abort(t);
    store_close(s);
}

static void the_head_tells_whose_it_is_and_of_when(void **state)
{
    (void)state;
    struct backup *b;
    assert_int_equal(backup_make(node.store, file, PASSPHRASE, 77), OK);
    assert_int_equal(backup_open(&b, file, "another"), ERR_PASSPHRASE);
    assert_int_equal(backup_open(&b, "/nonexistent", PASSPHRASE), ERR_NOT_FOUND);
    assert_int_equal(backup_open(&b, file, PASSPHRASE), OK);
    assert_int_equal(backup_head(b)->made_ms, 77);
    assert_true(sign_key_equal(&backup_head(b)->device, &town.devices[0].signer.key));
    assert_true(sign_key_equal(&backup_head(b)->township, &town.authority.signer.key));
    backup_close(b);
}

/* --- what somebody who knows the passphrase could write --- */

struct forged {
    struct stream *to;
    int fd;
};

static struct forged forge(void)
{
    struct forged f = {.fd = open(file, O_CREAT | O_EXCL | O_WRONLY, 0600)};
    uint8_t head[8 + 32 + 32] = {0};
    assert_int_equal(stream_begin(&f.to, f.fd, MAGIC, PASSPHRASE), OK);
    assert_int_equal(stream_put(f.to, slice_of(head, sizeof head)), OK);
    return f;
}

static void forge_file(struct forged *f, const char *name, uint64_t size, const char *bytes)
{
    uint8_t name_size = (uint8_t)strlen(name), number[8];
    be64_put(number, size);
    assert_int_equal(stream_put(f->to, slice_of(&name_size, 1)), OK);
    assert_int_equal(stream_put(f->to, slice_of_text(name)), OK);
    assert_int_equal(stream_put(f->to, slice_of(number, sizeof number)), OK);
    assert_int_equal(stream_put(f->to, slice_of_text(bytes)), OK);
}

static void forge_end(struct forged *f)
{
    const uint8_t end = 0;
    assert_int_equal(stream_put(f->to, slice_of(&end, 1)), OK);
    assert_int_equal(stream_finish(f->to), OK);
    stream_close(f->to);
    close(f->fd);
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"../evil",        "store/../../evil", "/tmp/evil", "..",
                                        "store/lock.mdb", ".hidden",          "side"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct forged f = forge();
        forge_file(&f, names[i], 4, "evil");
        forge_end(&f);
        assert_int_equal(unpack(0), ERR_CORRUPT);
        char store[128];
        snprintf(store, sizeof store, "%s/store", fresh);
        assert_int_equal(rmdir(store), 0); /* nothing was put there */
        assert_int_equal(unlink(file), 0);
    }
}

static void a_size_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct forged f = forge();
    forge_file(&f, "config", UINT64_MAX, "short");
    forge_end(&f);
    assert_int_equal(unpack(0), ERR_CORRUPT);
}

static void a_file_without_a_store_is_refused(void **state)
{
    (void)state;
    struct forged f = forge();
    forge_file(&f, "config", 4, "text");
    forge_end(&f);
    assert_int_equal(unpack(0), ERR_CORRUPT);
}

static void a_store_of_another_device_is_refused(void **state)
{
    (void)state;
    assert_int_equal(backup_make(node.store, file, PASSPHRASE, 77), OK);
    assert_int_equal(unpack(0), OK);
    assert_int_equal(unlink(file), 0);
    /* its store in a file that speaks of nobody */
    char path[160];
    struct buf data = {0};
    snprintf(path, sizeof path, "%s/store/data.mdb", fresh);
    assert_int_equal(file_read(&data, path, MIB(64)), OK);
    struct forged f = forge();
    uint8_t name_size = strlen("store/data.mdb"), number[8];
    be64_put(number, data.size);
    assert_int_equal(stream_put(f.to, slice_of(&name_size, 1)), OK);
    assert_int_equal(stream_put(f.to, slice_of_text("store/data.mdb")), OK);
    assert_int_equal(stream_put(f.to, slice_of(number, sizeof number)), OK);
    assert_int_equal(stream_put(f.to, buf_slice(&data)), OK);
    forge_end(&f);
    buf_clear(&data);
    snprintf(fresh, sizeof fresh, "%s/other", folder);
    assert_int_equal(mkdir(fresh, 0700), 0);
    assert_int_equal(unpack(0), ERR_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_belongs_to_the_device_comes_and_what_belongs_to_the_place_stays),
        TEST(the_head_tells_whose_it_is_and_of_when),
        TEST(a_name_that_leads_elsewhere_is_refused),
        TEST(a_size_that_is_not_there_is_refused),
        TEST(a_file_without_a_store_is_refused),
        TEST(a_store_of_another_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
