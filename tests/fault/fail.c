/*
 * LD_PRELOAD: the FAIL_AT-th call of FAIL_CALL that the program itself, or a library of FAIL_FROM,
 * makes fails with errno FAIL_ERRNO; 0: it does less than was asked. FAIL_HIT is a file that is
 * made then, so the caller knows that there were so many. FAIL_CALL=full: from that call on nothing
 * is written any more.
 *
 * The caller is told by its return address: what libzmq or libc ask for themselves is left alone,
 * for libzmq ends the process by design where it gets no memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static atomic_ulong seen;
static const char *call = "", *from = "", *hit = "";
static unsigned long at;
static int error;
static bool begun;

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("FAIL_AT"), *code = getenv("FAIL_ERRNO");
    if (getenv("FAIL_CALL")) call = getenv("FAIL_CALL");
    if (getenv("FAIL_FROM")) from = getenv("FAIL_FROM");
    if (getenv("FAIL_HIT")) hit = getenv("FAIL_HIT");
    at = number ? strtoul(number, NULL, 10) : 0;
    error = code ? atoi(code) : 0;
    begun = at > 0;
}

/* dladdr may ask for memory itself. */
static bool is_ours(const void *caller)
{
    static _Thread_local bool inside;
    Dl_info info;
    if (inside) return false;
    inside = true;
    bool ours = false;
    if (dladdr(caller, &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        const char *name = slash ? slash + 1 : info.dli_fname;
        ours = strcmp(name, "sidan") == 0 || strcmp(name, "sidan-node") == 0;
        for (const char *f = from; !ours && *f; f += strcspn(f, ",") + (f[strcspn(f, ",")] == ','))
            ours = strncmp(name, f, strcspn(f, ",")) == 0;
    }
    inside = false;
    return ours;
}

static bool fails(const char *name, const void *caller)
{
    /* A full disk takes nothing more, whoever asks; what is full stays so. */
    bool full =
        strcmp(call, "full") == 0 && (strcmp(name, "write") == 0 || strcmp(name, "pwrite") == 0 ||
                                      strcmp(name, "allocate") == 0);
    if (!begun || (!full && strcmp(name, call) != 0) || !is_ours(caller)) return false;
    unsigned long number = atomic_fetch_add(&seen, 1) + 1;
    if (full ? number < at : number != at) return false;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, hit, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) syscall(SYS_close, fd);
    errno = error;
    return true;
}
#define FAILS(name) fails(name, __builtin_return_address(0))

void *malloc(size_t size)
{
    return FAILS("malloc") ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    return FAILS("malloc") ? NULL : __libc_calloc(count, size);
}
void *realloc(void *p, size_t size)
{
    return FAILS("malloc") ? NULL : __libc_realloc(p, size);
}

#define OPENER(name, folder_arg, folder)                                                           \
    int name(folder_arg const char *path, int flags, ...)                                          \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;                    \
        va_end(list);                                                                              \
        if (FAILS("open")) return -1;                                                              \
        return (int)syscall(SYS_openat, folder, path, flags, mode);                                \
    }
#define FOLDER_ARG int folder,
OPENER(open, , AT_FDCWD)
OPENER(open64, , AT_FDCWD)
OPENER(openat, FOLDER_ARG, folder)
OPENER(openat64, FOLDER_ARG, folder)

/* A call that does less than was asked, where it could. */
#define SHORTER(size) (error == 0 && (size) > 1 ? (size) / 2 : (size))

ssize_t read(int fd, void *data, size_t size)
{
    if (FAILS("read")) {
        if (error) return -1;
        size = SHORTER(size);
    }
    return syscall(SYS_read, fd, data, size);
}
ssize_t write(int fd, const void *data, size_t size)
{
    if (FAILS("write")) {
        if (error) return -1;
        size = SHORTER(size);
    }
    return syscall(SYS_write, fd, data, size);
}
#define PWRITER(name)                                                                              \
    ssize_t name(int fd, const void *data, size_t size, off_t where)                               \
    {                                                                                              \
        if (FAILS("pwrite")) {                                                                     \
            if (error) return -1;                                                                  \
            size = SHORTER(size);                                                                  \
        }                                                                                          \
        return syscall(SYS_pwrite64, fd, data, size, where);                                       \
    }
PWRITER(pwrite)
PWRITER(pwrite64)
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t where)
{
    if (FAILS("pwrite")) {
        if (error) return -1;
        count = SHORTER(count);
    }
    return syscall(SYS_pwritev, fd, data, (long)count, (long)where, 0L);
}
ssize_t writev(int fd, const struct iovec *data, int count)
{
    if (FAILS("pwrite")) {
        if (error) return -1;
        count = SHORTER(count);
    }
    return syscall(SYS_writev, fd, data, (long)count);
}
int fsync(int fd)
{
    return FAILS("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd)
{
    return FAILS("fsync") ? -1 : (int)syscall(SYS_fdatasync, fd);
}
int rename(const char *old, const char *fresh)
{
    return FAILS("rename") ? -1 : (int)syscall(SYS_rename, old, fresh);
}
int fallocate(int fd, int mode, off_t where, off_t size)
{
    return FAILS("allocate") ? -1 : (int)syscall(SYS_fallocate, fd, mode, where, size);
}
int posix_fallocate(int fd, off_t where, off_t size)
{
    if (FAILS("allocate")) return error;
    return syscall(SYS_fallocate, fd, 0, where, size) ? errno : 0;
}
int ftruncate(int fd, off_t size)
{
    return FAILS("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}
#define MAPPER(name)                                                                               \
    void *name(void *where, size_t size, int protection, int flags, int fd, off_t offset)          \
    {                                                                                              \
        if (FAILS("mmap")) return MAP_FAILED;                                                      \
        long p = syscall(SYS_mmap, where, size, protection, flags, fd, offset);                    \
        return (void *)p;                                                                          \
    }
MAPPER(mmap)
MAPPER(mmap64)
