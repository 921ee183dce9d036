#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/limits.h"
#include "node/home.h"
#include "node/home_key.h"
#include "node/keyring.h"
#include "tests/support/store.h"

static struct test_store ts;
static struct buf plain; /* device.key as it was made */

static void read_all(struct buf *out, const char *name)
{
    buf_reset(out);
    assert_int_equal(file_read(out, test_path(&ts, name), KIB(64)), OK);
}

static int begin(void **state)
{
    struct device_keys keys;
    (void)state;
    test_home_begin(&ts);
    if (home_make_keys(ts.home, &keys)) return -1;
    device_keys_wipe(&keys);
    read_all(&plain, "device.key");
    return unsetenv("SIDAN_PASSPHRASE_FILE");
}

static int end(void **state)
{
    (void)state;
    enum err err = keyring_drop(ts.home);
    buf_clear(&plain);
    test_store_end(&ts);
    return err && err != ERR_NO_KEYRING;
}

static void lock_with(const char *passphrase, struct secret_key *key)
{
    assert_int_equal(device_key_lock(ts.home, passphrase, key), OK);
}

static void need_keyring(void)
{
    struct secret_key key;
    if (keyring_get(ts.home, &key) == ERR_NO_KEYRING) skip();
}

static void a_plain_home_needs_no_passphrase(void **state)
{
    (void)state;
    struct secret_key key;
    struct buf text = {0};
    bool has = true;
    assert_false(home_has_passphrase(ts.home));
    assert_int_equal(home_key_open(ts.home, "x", &key), ERR_STATE);
    assert_int_equal(home_unlock(ts.home, "x"), ERR_STATE);
    assert_int_equal(home_lock_keys(ts.home), ERR_STATE);
    assert_int_equal(home_change_passphrase(ts.home, "x", "y"), ERR_STATE);
    assert_int_equal(home_key_text(ts.home, &text), ERR_STATE);
    assert_int_equal(home_box_key(ts.home, &has, &key), OK);
    assert_false(has);
    buf_clear(&text);
}

static void no_line_of_the_plain_file_is_in_the_locked_one(void **state)
{
    (void)state;
    struct secret_key key;
    struct stat st;
    struct buf locked = {0};
    lock_with("甲乙丙", &key);
    read_all(&locked, "device.key");
    char *lines = strdup(buf_text(&plain)), *rest = NULL;
    size_t secrets = 0;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strlen(line) >= 32) {
            secrets++;
            assert_null(strstr(buf_text(&locked), line));
        }
    assert_true(secrets >= 2);
    assert_int_equal(stat(test_path(&ts, "device.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(lines);
    buf_clear(&locked);
}

static void the_passphrase_alone_opens_it_and_it_comes_back_byte_for_byte(void **state)
{
    (void)state;
    struct secret_key key, opened;
    struct buf after = {0};
    lock_with("甲乙丙", &key);
    assert_true(home_has_passphrase(ts.home));
    assert_int_equal(device_key_lock(ts.home, "甲乙丙", &opened), ERR_STATE);
    assert_int_equal(home_key_open(ts.home, "甲乙", &opened), ERR_PASSPHRASE);
    assert_int_equal(home_key_open(ts.home, "", &opened), ERR_PASSPHRASE);
    assert_int_equal(home_key_open(ts.home, "甲乙丙", &opened), OK);
    assert_memory_equal(&opened, &key, sizeof key);
    opened.bytes[0] ^= 1;
    assert_int_equal(device_key_open(ts.home, &opened), ERR_CORRUPT);
    assert_true(home_has_passphrase(ts.home));
    assert_int_equal(device_key_open(ts.home, &key), OK);
    read_all(&after, "device.key");
    assert_int_equal(after.size, plain.size);
    assert_memory_equal(after.data, plain.data, plain.size);
    buf_clear(&after);
}

static void two_homes_with_one_passphrase_have_nothing_in_common(void **state)
{
    (void)state;
    struct secret_key first, second;
    struct buf a = {0}, b = {0};
    lock_with("甲乙丙", &first);
    assert_int_equal(home_key_text(ts.home, &a), OK);
    assert_int_equal(device_key_open(ts.home, &first), OK);
    lock_with("甲乙丙", &second);
    assert_int_equal(home_key_text(ts.home, &b), OK);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_true(a.size == b.size && memcmp(a.data, b.data, a.size) != 0);
    buf_clear(&a);
    buf_clear(&b);
}

static void another_passphrase_keeps_the_key_and_what_is_under_it(void **state)
{
    (void)state;
    struct secret_key key, opened;
    struct buf before = {0}, after = {0};
    lock_with("旧口令", &key);
    read_all(&before, "device.key");
    assert_int_equal(home_change_passphrase(ts.home, "不是", "新口令"), ERR_PASSPHRASE);
    read_all(&after, "device.key");
    assert_memory_equal(after.data, before.data, before.size);
    assert_int_equal(home_change_passphrase(ts.home, "旧口令", "新口令"), OK);
    assert_int_equal(home_key_open(ts.home, "旧口令", &opened), ERR_PASSPHRASE);
    assert_int_equal(home_key_open(ts.home, "新口令", &opened), OK);
    assert_memory_equal(&opened, &key, sizeof key);
    assert_int_equal(device_key_open(ts.home, &key), OK);
    read_all(&after, "device.key");
    assert_memory_equal(after.data, plain.data, plain.size);
    buf_clear(&before);
    buf_clear(&after);
}

/* --- the keyring --- */

static void an_unlocked_home_works_like_a_plain_one_until_it_is_locked(void **state)
{
    (void)state;
    struct secret_key key, boxes, derived;
    struct device_keys keys;
    bool has = false;
    need_keyring();
    lock_with("甲乙丙", &key);
    assert_int_equal(home_load_keys(ts.home, &keys), ERR_LOCKED);
    assert_int_equal(home_box_key(ts.home, &has, &boxes), ERR_LOCKED);
    assert_true(has);
    assert_int_equal(home_unlock(ts.home, "不是"), ERR_PASSPHRASE);
    assert_int_equal(home_load_keys(ts.home, &keys), ERR_LOCKED);
    assert_int_equal(home_unlock(ts.home, "甲乙丙"), OK);
    assert_int_equal(home_load_keys(ts.home, &keys), OK);
    device_keys_wipe(&keys);
    assert_int_equal(home_box_key(ts.home, &has, &boxes), OK);
    home_key_of_boxes(&derived, &key);
    assert_memory_equal(&boxes, &derived, sizeof boxes);
    assert_int_equal(home_unlock(ts.home, "甲乙丙"), OK); /* twice is fine */
    assert_int_equal(home_lock_keys(ts.home), OK);
    assert_int_equal(home_load_keys(ts.home, &keys), ERR_LOCKED);
    assert_int_equal(home_lock_keys(ts.home), OK);
}

static void a_new_pair_of_keys_is_written_under_the_passphrase(void **state)
{
    (void)state;
    struct secret_key key;
    struct buf text = {0}, file = {0};
    need_keyring();
    lock_with("甲乙丙", &key);
    assert_int_equal(device_key_write(ts.home, slice_of_text("fresh keys\n")), ERR_LOCKED);
    assert_int_equal(home_unlock(ts.home, "甲乙丙"), OK);
    assert_int_equal(device_key_write(ts.home, slice_of_text("fresh keys\n")), OK);
    read_all(&file, "device.key");
    assert_null(strstr(buf_text(&file), "fresh"));
    assert_int_equal(device_key_read(&text, ts.home), OK);
    assert_string_equal(buf_text(&text), "fresh keys\n");
    buf_clear(&text);
    buf_clear(&file);
}

/* In a process that the kernel refuses every call for keys, as a container's filter does. */
static int without_keyring(int (*run)(void))
{
    struct sock_filter refuse[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof refuse / sizeof refuse[0], refuse};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
            _exit(200);
        _exit(run());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 200) skip(); /* a kernel without filters */
    return WEXITSTATUS(status);
}

static int load(void)
{
    struct device_keys keys;
    return (int)home_load_keys(ts.home, &keys);
}

static int unlock(void)
{
    return (int)home_unlock(ts.home, "甲乙丙");
}

/* As systemd starts one: it does not possess what a person's shell put in. */
static void a_service_with_a_session_of_its_own_reads_the_key(void **state)
{
    (void)state;
    struct secret_key key;
    int status;
    need_keyring();
    lock_with("甲乙丙", &key);
    assert_int_equal(home_unlock(ts.home, "甲乙丙"), OK);
    pid_t pid = fork();
    if (pid == 0) _exit(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? 200 : load());
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), OK);
}

static void without_a_keyring_the_file_with_the_passphrase_opens_it(void **state)
{
    (void)state;
    struct secret_key key;
    char path[256];
    strcpy(path, test_path(&ts, "passphrase"));
    lock_with("甲乙丙", &key);
    assert_int_equal(without_keyring(unlock), ERR_NO_KEYRING);
    assert_int_equal(without_keyring(load), ERR_NO_KEYRING);
    assert_int_equal(setenv("SIDAN_PASSPHRASE_FILE", path, 1), 0);
    assert_int_equal(without_keyring(load), ERR_NO_KEYRING); /* and not "not joined" */
    assert_int_equal(file_replace(path, slice_of_text("不是\n"), 0600), OK);
    assert_int_equal(without_keyring(load), ERR_PASSPHRASE);
    assert_int_equal(file_replace(path, slice_of_text("甲乙丙\n"), 0600), OK);
    assert_int_equal(without_keyring(load), OK);
    assert_int_equal(unsetenv("SIDAN_PASSPHRASE_FILE"), 0);
}

/* --- damage --- */

static void write_file(struct slice bytes)
{
    assert_int_equal(file_replace(test_path(&ts, "device.key"), bytes, 0600), OK);
}

static void a_file_that_is_cut_or_changed_is_refused(void **state)
{
    (void)state;
    struct secret_key key, opened;
    struct buf locked = {0};
    lock_with("甲乙丙", &key);
    read_all(&locked, "device.key");
    for (size_t size = locked.size - 1; size > locked.size - 40; size--) {
        write_file(slice_of(locked.data, size));
        assert_int_equal(device_key_open(ts.home, &key), ERR_CORRUPT);
    }
    size_t magic = strcspn(buf_text(&locked), "\n") + 1;
    for (size_t at = magic; at < locked.size; at += locked.size / 12) {
        locked.data[at] ^= 1;
        write_file(buf_slice(&locked));
        enum err err = home_key_open(ts.home, "甲乙丙", &opened);
        assert_true(err == ERR_CORRUPT || err == ERR_PASSPHRASE || err == ERR_VERSION);
        locked.data[at] ^= 1;
    }
    write_file(buf_slice(&locked));
    assert_int_equal(home_key_open(ts.home, "甲乙丙", &opened), OK);
    buf_clear(&locked);
}

/* Each half is good by itself. */
static void halves_of_two_files_are_not_taken_for_one(void **state)
{
    (void)state;
    struct secret_key key, opened;
    struct buf first = {0}, second = {0}, mixed = {0};
    lock_with("甲乙丙", &key);
    read_all(&first, "device.key");
    assert_int_equal(device_key_open(ts.home, &key), OK);
    lock_with("甲乙丙", &key);
    read_all(&second, "device.key");
    const char *content = strrchr(buf_text(&second), '\n');
    while (content[-1] != '\n') content--;
    size_t head = (size_t)((const uint8_t *)content - second.data);
    buf_append_slice(&mixed, slice_of(first.data, head)); /* the wrapped keys have one size */
    buf_append_slice(&mixed, slice_of(second.data + head, second.size - head));
    write_file(buf_slice(&mixed));
    assert_int_equal(home_key_open(ts.home, "甲乙丙", &opened), ERR_CORRUPT);
    buf_clear(&first);
    buf_clear(&second);
    buf_clear(&mixed);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    struct secret_key key, opened;
    lock_with("甲乙丙", &key);
    assert_int_equal(chmod(test_path(&ts, "device.key"), 0640), 0);
    assert_int_equal(home_key_open(ts.home, "甲乙丙", &opened), ERR_PERMISSION);
}

static void what_a_killed_process_left_is_swept(void **state)
{
    (void)state;
    char name[64];
    pid_t gone = fork();
    if (gone == 0) _exit(0);
    assert_true(gone > 0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    snprintf(name, sizeof name, "device.key.%ld.new", (long)gone);
    assert_int_equal(file_replace(test_path(&ts, name), slice_of_text("a key"), 0600), OK);
    assert_int_equal(
        file_replace(test_path(&ts, "device.key.1.new"), slice_of_text("of init"), 0600), OK);
    device_key_sweep(ts.home);
    assert_int_equal(access(test_path(&ts, name), F_OK), -1);
    assert_int_equal(access(test_path(&ts, "device.key.1.new"), F_OK), 0); /* it lives */
    assert_int_equal(access(test_path(&ts, "device.key"), F_OK), 0);
}

static void the_old_file_is_overwritten_unless_a_name_leads_to_it(void **state)
{
    (void)state;
    const struct slice old = slice_of_text("a secret that was");
    struct buf content = {0};
    char bytes[32] = {0};
    assert_int_equal(file_replace(test_path(&ts, "secret"), old, 0600), OK);
    int fd = open(test_path(&ts, "secret"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_replace_secret(test_path(&ts, "secret"), slice_of_text("new"), 0600), OK);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), old.size);
    for (size_t i = 0; i < sizeof bytes; i++) assert_int_equal(bytes[i], 0);
    close(fd);
    char copy[256];
    strcpy(copy, test_path(&ts, "copy"));
    assert_int_equal(link(test_path(&ts, "secret"), copy), 0);
    assert_int_equal(file_replace_secret(test_path(&ts, "secret"), old, 0600), OK);
    read_all(&content, "copy");
    assert_string_equal(buf_text(&content), "new");
    buf_clear(&content);
}

static void a_passphrase_is_the_first_line_of_a_file(void **state)
{
    (void)state;
    char out[PASSPHRASE_SIZE_MAX + 1], text[PASSPHRASE_SIZE_MAX + 3];
    const char *path = test_path(&ts, "line");
    assert_int_equal(passphrase_read(path, out), ERR_NOT_FOUND);
    assert_int_equal(file_replace(path, slice_of_text("口令 \r\nmore"), 0600), OK);
    assert_int_equal(passphrase_read(path, out), OK);
    assert_string_equal(out, "口令 ");
    assert_int_equal(file_replace(path, slice_of_text("\n"), 0600), OK);
    assert_int_equal(passphrase_read(path, out), ERR_LIMIT);
    memset(text, 'x', sizeof text);
    assert_int_equal(file_replace(path, slice_of(text, PASSPHRASE_SIZE_MAX), 0600), OK);
    assert_int_equal(passphrase_read(path, out), OK);
    assert_int_equal(file_replace(path, slice_of(text, PASSPHRASE_SIZE_MAX + 1), 0600), OK);
    assert_int_equal(passphrase_read(path, out), ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_home_needs_no_passphrase),
        TEST(no_line_of_the_plain_file_is_in_the_locked_one),
        TEST(the_passphrase_alone_opens_it_and_it_comes_back_byte_for_byte),
        TEST(two_homes_with_one_passphrase_have_nothing_in_common),
        TEST(another_passphrase_keeps_the_key_and_what_is_under_it),
        TEST(an_unlocked_home_works_like_a_plain_one_until_it_is_locked),
        TEST(a_new_pair_of_keys_is_written_under_the_passphrase),
        TEST(a_service_with_a_session_of_its_own_reads_the_key),
        TEST(without_a_keyring_the_file_with_the_passphrase_opens_it),
        TEST(a_file_that_is_cut_or_changed_is_refused),
        TEST(halves_of_two_files_are_not_taken_for_one),
        TEST(a_file_that_others_can_read_is_refused),
        TEST(what_a_killed_process_left_is_swept),
        TEST(the_old_file_is_overwritten_unless_a_name_leads_to_it),
        TEST(a_passphrase_is_the_first_line_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
