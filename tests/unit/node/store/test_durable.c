#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What LMDB asks of the system in one commit: D its pages are synced, M a write that is durable
 * when it returns, w one that is not. */
static char calls[64];

static void note(char call)
{
    size_t size = strlen(calls);
    if (size + 1 < sizeof calls && (size == 0 || call != 'w' || calls[size - 1] != 'w'))
        calls[size] = call;
}

static char write_of(int fd)
{
    return fcntl(fd, F_GETFL) & O_DSYNC ? 'M' : 'w';
}

int fdatasync(int fd)
{
    note('D');
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    note(write_of(fd));
    return syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    note(write_of(fd));
    return syscall(SYS_pwritev, fd, parts, count, at, 0);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    note(write_of(fd));
    return syscall(SYS_writev, fd, parts, count);
}

static void a_commit_returns_when_its_pages_and_then_its_end_are_on_the_disk(void **state)
{
    (void)state;
    struct test_store ts;
    struct txn *t;
    unsigned flags;
    test_store_begin(&ts, NULL);
    t = test_txn(&ts, true);
    meta_put_uint(t, "durable", 1);
    memset(calls, 0, sizeof calls);
    assert_int_equal(txn_commit(t), OK);
    assert_string_equal(calls, "wDM");
    assert_int_equal(mdb_env_get_flags(ts.store->env, &flags), 0);
    assert_int_equal(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_NOLOCK), 0);
    test_store_end(&ts);
}

/* Found by tests/fault/run bits: each of them ended the process inside LMDB. */
static void refuses_meta_pages_that_would_end_the_process(void **state)
{
    (void)state;
    static const struct {
        off_t at;
        size_t size;
        uint8_t bytes[8];
    } cases[] = {{40, 4, {0}},         /* the size of a page */
                 {41, 1, {0x12}},      /* no power of two */
                 {4096 + 42, 1, {4}},  /* another than the first page's */
                 {128, 8, {1}},        /* a root that is a meta page */
                 {4096 + 80, 8, {0}}}; /* so is this, of the free pages */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_store ts;
        test_store_begin(&ts, NULL);
        store_close(ts.store);
        ts.store = NULL;
        int fd = open(test_path(&ts, "store/data.mdb"), O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, cases[i].bytes, cases[i].size, cases[i].at), cases[i].size);
        close(fd);
        assert_int_equal(store_open(&ts.store, ts.home, NULL), ERR_CORRUPT);
        test_store_end(&ts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_meta_pages_that_would_end_the_process),
        cmocka_unit_test(a_commit_returns_when_its_pages_and_then_its_end_are_on_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
