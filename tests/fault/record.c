/*
 * LD_PRELOAD: writes down what a process asks of the disk below FAULT_ROOT, and what it tells on
 * its standard output, into the file FAULT_TRACE (trace.h). One lock for all processes, held from
 * before a call until it is written down, so the trace is the order in which the kernel saw them.
 *
 * Calls that glibc makes inside itself (of stdio to a file, say) are not seen: images.c compares
 * the end of a trace with the folder as it is, so a program that begins to use them is noticed.
 */
#define _GNU_SOURCE
#include "tests/fault/trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NAME_SIZE = 256, PATH_SIZE = 4096 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int trace_fd = -1;
static char root[PATH_SIZE];
static size_t root_size;

/* The next function of this name behind this library; without a cast that pedantry forbids. */
#define REAL(result, name, ...)                                                                    \
    static result (*real)(__VA_ARGS__);                                                            \
    if (!real) {                                                                                   \
        void *symbol = dlsym(RTLD_NEXT, name);                                                     \
        memcpy(&real, &symbol, sizeof real);                                                       \
    }

static ssize_t raw_write(int fd, const void *data, size_t size)
{
    REAL(ssize_t, "write", int, const void *, size_t)
    return real(fd, data, size);
}

static int raw_openat(int folder, const char *path, int flags, mode_t mode)
{
    REAL(int, "openat", int, const char *, int, ...)
    return real(folder, path, flags, mode);
}

static void give_up(const char *why)
{
    (void)!raw_write(2, why, strlen(why));
    abort();
}

/* --- the trace --- */

static void lock(void)
{
    pthread_mutex_lock(&mutex);
    while (flock(trace_fd, LOCK_EX) && errno == EINTR) {
    }
}

static void unlock(void)
{
    int kept = errno;
    flock(trace_fd, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = kept;
}

/* Under the lock. */
static void put(struct trace_head *head, const char *name, const char *name2,
                const struct iovec *data, int count)
{
    struct iovec parts[3] = {{head, sizeof *head}, {0}, {0}};
    int kept = errno;
    head->pid = (uint32_t)getpid();
    head->name_size = (uint16_t)(name ? strlen(name) : 0);
    head->name2_size = (uint16_t)(name2 ? strlen(name2) : 0);
    parts[1] = (struct iovec){(void *)(uintptr_t)name, head->name_size};
    parts[2] = (struct iovec){(void *)(uintptr_t)name2, head->name2_size};
    for (int i = 0; i < 3; i++)
        if (raw_write(trace_fd, parts[i].iov_base, parts[i].iov_len) != (ssize_t)parts[i].iov_len)
            give_up("record: the trace cannot be written\n");
    size_t left = head->data_size;
    for (int i = 0; i < count && left > 0; i++) {
        size_t size = data[i].iov_len < left ? data[i].iov_len : left;
        if (raw_write(trace_fd, data[i].iov_base, size) != (ssize_t)size)
            give_up("record: the trace cannot be written\n");
        left -= size;
    }
    errno = kept;
}

static bool below_root(int fd)
{
    char link[64], path[PATH_SIZE];
    if (trace_fd < 0 || fd < 0) return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path);
    return size >= (ssize_t)root_size && memcmp(path, root, root_size) == 0 &&
           ((size_t)size == root_size || path[root_size] == '/');
}

static uint64_t ino_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/* The folder and last name of a path; false: not below the root. */
static bool place(int folder, const char *path, uint64_t *dir, char name[NAME_SIZE])
{
    char parent[PATH_SIZE];
    if (trace_fd < 0) return false;
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    if (size >= sizeof parent) return false;
    memcpy(parent, path, size);
    parent[size] = '\0';
    char *slash = strrchr(parent, '/');
    const char *last = slash ? slash + 1 : parent;
    if (strlen(last) >= NAME_SIZE) return false;
    memcpy(name, last, strlen(last) + 1);
    if (slash) slash[slash == parent ? 1 : 0] = '\0';
    int fd = raw_openat(folder, slash ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    bool below = below_root(fd);
    *dir = ino_of(fd);
    close(fd);
    return below;
}

static uint64_t ino_at(int folder, const char *path, mode_t *mode)
{
    struct stat st;
    if (fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW)) return 0;
    if (mode) *mode = st.st_mode;
    return (uint64_t)st.st_ino;
}

/* --- what is told --- */

static ssize_t out_write(void *cookie, const char *data, size_t size)
{
    (void)cookie;
    lock();
    struct trace_head head = {.op = TRACE_OUT, .data_size = (uint32_t)size};
    put(&head, NULL, NULL, &(struct iovec){(void *)(uintptr_t)data, size}, 1);
    ssize_t done = raw_write(1, data, size);
    unlock();
    return done;
}

static void put_start(void)
{
    static char words[16384];
    const char *home = "";
    int fd = raw_openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    ssize_t size = fd < 0 ? 0 : read(fd, words, sizeof words - 1);
    if (fd >= 0) close(fd);
    for (const char *at = words; at < words + size; at += strlen(at) + 1)
        if (strcmp(at, "--home") == 0) home = at + strlen(at) + 1;
    const char *slash = strrchr(home, '/');
    struct trace_head head = {.op = TRACE_START, .data_size = (uint32_t)(size > 0 ? size : 0)};
    lock();
    put(&head, slash ? slash + 1 : home, NULL, &(struct iovec){words, head.data_size}, 1);
    unlock();
}

__attribute__((constructor)) static void begin(void)
{
    const char *trace = getenv("FAULT_TRACE"), *where = getenv("FAULT_ROOT");
    if (!trace || !where || !realpath(where, root)) give_up("record: FAULT_TRACE or FAULT_ROOT\n");
    root_size = strlen(root);
    trace_fd = raw_openat(AT_FDCWD, trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (trace_fd < 0) give_up("record: the trace cannot be opened\n");
    put_start();
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = out_write});
    if (!out) give_up("record: no memory\n");
    stdout = out;
}

__attribute__((destructor)) static void end(void)
{
    fflush(stdout);
}

/* --- files --- */

static int open_seen(int folder, const char *path, int flags, mode_t mode)
{
    uint64_t dir;
    char name[NAME_SIZE];
    if (!(flags & (O_CREAT | O_TRUNC)) || !place(folder, path, &dir, name))
        return raw_openat(folder, path, flags, mode);
    lock();
    mode_t type = 0;
    uint64_t before = ino_at(folder, path, &type);
    int fd = raw_openat(folder, path, flags, mode);
    if (fd >= 0 && !before) {
        struct stat st = {0};
        (void)fstat(fd, &st);
        struct trace_head head = {
            .op = TRACE_CREATE, .ino = st.st_ino, .dir = dir, .mode = st.st_mode & 07777};
        put(&head, name, NULL, NULL, 0);
    } else if (fd >= 0 && (flags & O_TRUNC) && S_ISREG(type)) {
        struct trace_head head = {.op = TRACE_SIZE, .ino = before};
        put(&head, NULL, NULL, NULL, 0);
    }
    unlock();
    return fd;
}

static mode_t mode_of(int flags, va_list list)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPENER(name, folder_arg, folder)                                                           \
    int name(folder_arg const char *path, int flags, ...)                                          \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = mode_of(flags, list);                                                        \
        va_end(list);                                                                              \
        return open_seen(folder, path, flags, mode);                                               \
    }
#define FOLDER_ARG int folder,
OPENER(open, , AT_FDCWD)
OPENER(open64, , AT_FDCWD)
OPENER(openat, FOLDER_ARG, folder)
OPENER(openat64, FOLDER_ARG, folder)

static ssize_t put_written(int fd, const struct iovec *data, int count, ssize_t done, off_t offset)
{
    if (done <= 0) return done;
    int flags = fcntl(fd, F_GETFL);
    struct trace_head head = {.op = TRACE_WRITE,
                              .ino = ino_of(fd),
                              .offset = (uint64_t)offset,
                              .data_size = (uint32_t)done,
                              .synced = (flags & O_DSYNC) != 0};
    put(&head, NULL, NULL, data, count);
    return done;
}

static off_t offset_of(int fd)
{
    struct stat st;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0) return st.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (!below_root(fd)) return raw_write(fd, data, size);
    lock();
    off_t at = offset_of(fd);
    ssize_t done = raw_write(fd, data, size);
    done = put_written(fd, &(struct iovec){(void *)(uintptr_t)data, size}, 1, done, at);
    unlock();
    return done;
}

ssize_t writev(int fd, const struct iovec *data, int count)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int)
    if (!below_root(fd)) return real(fd, data, count);
    lock();
    off_t at = offset_of(fd);
    ssize_t done = put_written(fd, data, count, real(fd, data, count), at);
    unlock();
    return done;
}

#define WRITERS(one, many)                                                                         \
    ssize_t one(int fd, const void *data, size_t size, off_t at)                                   \
    {                                                                                              \
        REAL(ssize_t, #one, int, const void *, size_t, off_t)                                      \
        if (!below_root(fd)) return real(fd, data, size, at);                                      \
        struct iovec part = {(void *)(uintptr_t)data, size};                                       \
        lock();                                                                                    \
        ssize_t done = put_written(fd, &part, 1, real(fd, data, size, at), at);                    \
        unlock();                                                                                  \
        return done;                                                                               \
    }                                                                                              \
    ssize_t many(int fd, const struct iovec *data, int count, off_t at)                            \
    {                                                                                              \
        REAL(ssize_t, #many, int, const struct iovec *, int, off_t)                                \
        if (!below_root(fd)) return real(fd, data, count, at);                                     \
        lock();                                                                                    \
        ssize_t done = put_written(fd, data, count, real(fd, data, count, at), at);                \
        unlock();                                                                                  \
        return done;                                                                               \
    }
WRITERS(pwrite, pwritev)
WRITERS(pwrite64, pwritev64)

#define SYNCER(name)                                                                               \
    int name(int fd)                                                                               \
    {                                                                                              \
        REAL(int, #name, int)                                                                      \
        if (!below_root(fd)) return real(fd);                                                      \
        lock();                                                                                    \
        int result = real(fd);                                                                     \
        struct trace_head head = {.op = TRACE_SYNC, .ino = ino_of(fd)};                            \
        if (result == 0) put(&head, NULL, NULL, NULL, 0);                                          \
        unlock();                                                                                  \
        return result;                                                                             \
    }
SYNCER(fsync)
SYNCER(fdatasync)

int msync(void *at, size_t size, int flags)
{
    (void)at, (void)size, (void)flags;
    give_up("record: msync: what is written through a map is not seen\n");
    return -1;
}

static int put_size(int fd, int result, uint64_t size, enum trace_op op)
{
    struct trace_head head = {.op = (uint8_t)op, .ino = ino_of(fd), .offset = size};
    if (result == 0) put(&head, NULL, NULL, NULL, 0);
    return result;
}

#define RESIZERS(cut, grow, grow_posix)                                                            \
    int cut(int fd, off_t size)                                                                    \
    {                                                                                              \
        REAL(int, #cut, int, off_t)                                                                \
        if (!below_root(fd)) return real(fd, size);                                                \
        lock();                                                                                    \
        int result = put_size(fd, real(fd, size), (uint64_t)size, TRACE_SIZE);                     \
        unlock();                                                                                  \
        return result;                                                                             \
    }                                                                                              \
    int grow(int fd, int mode, off_t at, off_t size)                                               \
    {                                                                                              \
        REAL(int, #grow, int, int, off_t, off_t)                                                   \
        if (!below_root(fd)) return real(fd, mode, at, size);                                      \
        lock();                                                                                    \
        int result = put_size(fd, real(fd, mode, at, size), (uint64_t)(at + size), TRACE_GROW);    \
        unlock();                                                                                  \
        return result;                                                                             \
    }                                                                                              \
    int grow_posix(int fd, off_t at, off_t size)                                                   \
    {                                                                                              \
        REAL(int, #grow_posix, int, off_t, off_t)                                                  \
        if (!below_root(fd)) return real(fd, at, size);                                            \
        lock();                                                                                    \
        int result = put_size(fd, real(fd, at, size), (uint64_t)(at + size), TRACE_GROW);          \
        unlock();                                                                                  \
        return result;                                                                             \
    }
RESIZERS(ftruncate, fallocate, posix_fallocate)
RESIZERS(ftruncate64, fallocate64, posix_fallocate64)

/* --- names --- */

static int unlink_seen(int folder, const char *path, int flags)
{
    REAL(int, "unlinkat", int, const char *, int)
    struct trace_head head = {.op = TRACE_REMOVE};
    char name[NAME_SIZE];
    if (!place(folder, path, &head.dir, name)) return real(folder, path, flags);
    lock();
    head.ino = ino_at(folder, path, NULL);
    int result = real(folder, path, flags);
    if (result == 0) put(&head, name, NULL, NULL, 0);
    unlock();
    return result;
}

int unlink(const char *path)
{
    return unlink_seen(AT_FDCWD, path, 0);
}
int unlinkat(int folder, const char *path, int flags)
{
    return unlink_seen(folder, path, flags);
}
int rmdir(const char *path)
{
    return unlink_seen(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    REAL(int, "mkdirat", int, const char *, mode_t)
    struct trace_head head = {.op = TRACE_MKDIR};
    char name[NAME_SIZE];
    if (!place(folder, path, &head.dir, name)) return real(folder, path, mode);
    lock();
    int result = real(folder, path, mode);
    mode_t made = 0;
    if (result == 0) head.ino = ino_at(folder, path, &made);
    head.mode = made & 07777;
    if (result == 0) put(&head, name, NULL, NULL, 0);
    unlock();
    return result;
}
int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

char *mkdtemp(char *path)
{
    REAL(char *, "mkdtemp", char *)
    lock();
    char *made = real(path);
    struct trace_head head = {.op = TRACE_MKDIR, .mode = 0700};
    char name[NAME_SIZE];
    if (made && place(AT_FDCWD, path, &head.dir, name)) {
        head.ino = ino_at(AT_FDCWD, path, NULL);
        put(&head, name, NULL, NULL, 0);
    }
    unlock();
    return made;
}

int renameat2(int from, const char *old, int to, const char *fresh, unsigned flags)
{
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned)
    struct trace_head head = {.op = flags & RENAME_EXCHANGE ? TRACE_EXCHANGE : TRACE_RENAME};
    char name[NAME_SIZE], name2[NAME_SIZE];
    bool seen = place(from, old, &head.dir, name);
    bool seen2 = place(to, fresh, &head.dir2, name2);
    if (!seen && !seen2) return real(from, old, to, fresh, flags);
    if (seen != seen2) give_up("record: a name leaves the root\n");
    lock();
    head.ino = ino_at(from, old, NULL);
    head.ino2 = ino_at(to, fresh, NULL);
    int result = real(from, old, to, fresh, flags);
    if (result == 0) put(&head, name, name2, NULL, 0);
    unlock();
    return result;
}
int renameat(int from, const char *old, int to, const char *fresh)
{
    return renameat2(from, old, to, fresh, 0);
}
int rename(const char *old, const char *fresh)
{
    return renameat2(AT_FDCWD, old, AT_FDCWD, fresh, 0);
}

int linkat(int from, const char *old, int to, const char *fresh, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int)
    struct trace_head head = {.op = TRACE_LINK};
    char name2[NAME_SIZE];
    if (!place(to, fresh, &head.dir2, name2)) return real(from, old, to, fresh, flags);
    lock();
    int result = real(from, old, to, fresh, flags);
    if (result == 0) head.ino = ino_at(to, fresh, NULL);
    if (result == 0) put(&head, NULL, name2, NULL, 0);
    unlock();
    return result;
}
int link(const char *old, const char *fresh)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, fresh, 0);
}
