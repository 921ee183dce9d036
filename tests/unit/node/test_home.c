#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/home.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fixture {
    char parent[64], home[80];
};

static ino_t watched; /* a folder */
static unsigned syncs; /* of it; the library's calls come here too */

int fsync(int fd)
{
    struct stat st;
    if (!fstat(fd, &st) && st.st_ino == watched) syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || crypto_init()) return -1;
    strcpy(f->parent, "/tmp/sidan-home-XXXXXX");
    if (!mkdtemp(f->parent)) return -1;
    snprintf(f->home, sizeof f->home, "%s/home", f->parent);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    DIR *dir = opendir(f->home);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
    rmdir(f->home);
    int failed = rmdir(f->parent);
    free(f);
    return failed;
}

static void path_in(char *out, size_t size, const struct fixture *f, const char *name)
{
    snprintf(out, size, "%s/%s", f->home, name);
}

static void keys_are_made_once_and_read_back(void **state)
{
    struct fixture *f = *state;
    struct device_keys made, read, again;
    struct stat st;
    char path[128];
    assert_int_equal(home_load_keys(f->home, &read), ERR_NOT_JOINED);
    assert_int_equal(home_make_keys(f->home, &made), OK);
    assert_int_equal(home_load_keys(f->home, &read), OK);
    assert_memory_equal(&made, &read, sizeof made);
    assert_int_equal(home_make_keys(f->home, &again), ERR_EXISTS);
    assert_int_equal(home_load_keys(f->home, &read), OK);
    assert_memory_equal(&made, &read, sizeof made);
    path_in(path, sizeof path, f, "device.key");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(f->home, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    device_keys_wipe(&made);
    for (size_t i = 0; i < sizeof made; i++) assert_int_equal(((uint8_t *)&made)[i], 0);
}

static void refuses_keys_that_others_can_read(void **state)
{
    struct fixture *f = *state;
    struct device_keys keys;
    char path[128], real[128];
    path_in(path, sizeof path, f, "device.key");
    assert_int_equal(home_make_keys(f->home, &keys), OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(home_load_keys(f->home, &keys), ERR_PERMISSION);
    assert_int_equal(chmod(path, 0600), 0);
    path_in(real, sizeof real, f, "elsewhere");
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
    assert_int_equal(home_load_keys(f->home, &keys), ERR_CORRUPT);
}

/* A pair whose halves do not belong together would give its key away by signing. */
static void refuses_damaged_keys_at_every_byte(void **state)
{
    struct fixture *f = *state;
    struct device_keys keys;
    struct buf text = {0};
    char path[128];
    path_in(path, sizeof path, f, "device.key");
    assert_int_equal(home_make_keys(f->home, &keys), OK);
    assert_int_equal(file_read(&text, path, 4096), OK);
    for (size_t i = 0; i < text.size; i += 7) {
        uint8_t kept = text.data[i];
        text.data[i] = kept == '0' ? '1' : '0';
        assert_int_equal(file_replace(path, buf_slice(&text), 0600), OK);
        assert_int_equal(home_load_keys(f->home, &keys), ERR_CORRUPT);
        text.data[i] = kept;
    }
    for (size_t size = 0; size < text.size; size += 31) {
        assert_int_equal(file_replace(path, slice_of(text.data, size), 0600), OK);
        assert_int_equal(home_load_keys(f->home, &keys), ERR_CORRUPT);
    }
    buf_append_byte(&text, '\n');
    assert_int_equal(file_replace(path, buf_slice(&text), 0600), OK);
    assert_int_equal(home_load_keys(f->home, &keys), ERR_CORRUPT);
    buf_clear(&text);
}

static void a_home_goes_from_empty_to_joining_to_joined(void **state)
{
    struct fixture *f = *state;
    struct invite invite = {.township_name = "琅塘镇", .address_count = 1}, read;
    strcpy(invite.addresses[0], "tcp://10.8.0.1:7300");
    strcpy(invite.village, "431322111001");
    memset(invite.seed.bytes, 7, sizeof invite.seed.bytes);
    assert_int_equal(home_state(f->home), HOME_EMPTY);
    assert_int_equal(home_load_invite(f->home, &read), ERR_NOT_FOUND);
    assert_int_equal(home_save_invite(f->home, &invite), OK);
    assert_int_equal(home_state(f->home), HOME_JOINING);
    assert_int_equal(home_load_invite(f->home, &read), OK);
    assert_string_equal(read.township_name, "琅塘镇");
    assert_memory_equal(read.seed.bytes, invite.seed.bytes, sizeof read.seed.bytes);
    assert_int_equal(home_mark_joined(f->home), OK);
    assert_int_equal(home_forget_invite(f->home), OK);
    assert_int_equal(home_forget_invite(f->home), OK);
    assert_int_equal(home_state(f->home), HOME_JOINED);
}

static void the_authority_opens_with_its_passphrase_only(void **state)
{
    struct fixture *f = *state;
    struct authority_keys made = {.office_count = 0}, opened;
    struct box_key office_key;
    struct box_secret offices[2];
    sign_seed_make(&made.seed);
    signer_from_seed(&made.signer, &made.seed);
    for (size_t i = 0; i < 2; i++) {
        box_pair_make(&office_key, &offices[i]);
        authority_keys_add_office(&made, &offices[i]);
    }
    enum authority_file old = AUTHORITY_IN_FORCE, next = AUTHORITY_NEXT;
    assert_int_equal(home_load_authority(f->home, old, "正确", &opened), ERR_NOT_FOUND);
    assert_int_equal(home_save_authority(f->home, old, &made, "正确"), OK);
    assert_int_equal(home_load_authority(f->home, old, "错误", &opened), ERR_PASSPHRASE);
    assert_int_equal(home_load_authority(f->home, old, "正确", &opened), OK);
    assert_memory_equal(&opened, &made, sizeof opened);
    assert_memory_equal(&opened.offices[0], &offices[1], sizeof offices[1]); /* the newest first */

    /* the next one stands beside it until it takes its place */
    assert_int_equal(home_promote_authority(f->home), ERR_NOT_FOUND);
    made.office_count = 0;
    memset(made.offices, 0, sizeof made.offices);
    assert_int_equal(home_save_authority(f->home, next, &made, "新的"), OK);
    assert_int_equal(home_load_authority(f->home, old, "正确", &opened), OK);
    assert_int_equal(home_promote_authority(f->home), OK);
    assert_int_equal(home_load_authority(f->home, old, "新的", &opened), OK);
    assert_memory_equal(&opened, &made, sizeof opened);
    assert_int_equal(home_load_authority(f->home, next, "新的", &opened), ERR_NOT_FOUND);
}

static void one_daemon_a_home(void **state)
{
    struct fixture *f = *state;
    struct device_keys keys;
    int first, second;
    assert_int_equal(home_make_keys(f->home, &keys), OK);
    assert_false(home_node_running(f->home));
    assert_int_equal(home_lock(f->home, &first), OK);
    assert_true(home_node_running(f->home));
    assert_int_equal(home_lock(f->home, &second), ERR_BUSY);
    close(first);
    assert_false(home_node_running(f->home));
    assert_int_equal(home_lock(f->home, &second), OK);
    close(second);
    assert_int_equal(home_lock("/nonexistent", &first), ERR_NOT_FOUND);
}

/* Found by tests/fault/run images link: all in it was synced, and a power cut took the folder. */
static void the_name_of_a_new_home_is_durable(void **state)
{
    const struct fixture *f = *state;
    struct device_keys keys;
    struct stat st;
    assert_int_equal(stat(f->parent, &st), 0);
    watched = st.st_ino;
    syncs = 0;
    assert_int_equal(home_make_keys(f->home, &keys), OK);
    assert_int_equal(syncs, 1);
    device_keys_wipe(&keys);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(keys_are_made_once_and_read_back),
        CASE(refuses_keys_that_others_can_read),
        CASE(refuses_damaged_keys_at_every_byte),
        CASE(a_home_goes_from_empty_to_joining_to_joined),
        CASE(the_authority_opens_with_its_passphrase_only),
        CASE(one_daemon_a_home),
        CASE(the_name_of_a_new_home_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
