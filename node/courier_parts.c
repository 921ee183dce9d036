#include "node/courier_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".part"

static bool is_part(const char *name)
{
    const size_t size = strlen(name), ending = sizeof ENDING - 1;
    return size > ending && strcmp(name + size - ending, ENDING) == 0;
}

/* One that another link adds to is locked. */
static bool is_in_use(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    bool used = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return used;
}

struct parts {
    uint64_t bytes;
    char oldest[NAME_MAX + 1]; /* "": none that may go */
    struct timespec since;
};

static void look_at(struct parts *p, int dir, const char *name, const char *but)
{
    struct stat st;
    if (!is_part(name) || strcmp(name, but) == 0 ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    p->bytes += (uint64_t)st.st_size;
    bool older = !p->oldest[0] || st.st_mtim.tv_sec < p->since.tv_sec ||
                 (st.st_mtim.tv_sec == p->since.tv_sec && st.st_mtim.tv_nsec < p->since.tv_nsec);
    if (!older || strlen(name) > NAME_MAX || is_in_use(dir, name)) return;
    memcpy(p->oldest, name, strlen(name) + 1);
    p->since = st.st_mtim;
}

/* The others but for this one. */
static enum err look(struct parts *p, const char *folder, const char *but)
{
    DIR *dir = opendir(folder);
    *p = (struct parts){.bytes = 0};
    if (!dir) return err_from_errno(errno);
    for (struct dirent *e; (e = readdir(dir));) look_at(p, dirfd(dir), e->d_name, but);
    closedir(dir);
    return OK;
}

static enum err make_room(const char *folder, const char *path, uint64_t size)
{
    const char *name = strrchr(path, '/') + 1;
    for (;;) {
        struct parts p;
        char oldest[PATH_MAX];
        enum err err = look(&p, folder, name);
        if (err || p.bytes + size <= COURIER_PARTS_BYTES_MAX) return err;
        if (!p.oldest[0]) return ERR_LIMIT;
        int n = snprintf(oldest, sizeof oldest, "%s/%s", folder, p.oldest);
        if (n < 0 || (size_t)n >= sizeof oldest) return ERR_LIMIT;
        if (unlink(oldest)) return err_from_errno(errno);
    }
}

enum err courier_part_open(struct courier_part *p, const char *home, const struct bundle_id *id,
                           uint64_t size)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct stat st;
    if (size < BUNDLE_OUTSIDE_SIZE || size > COURIER_PARTS_BYTES_MAX) return ERR_LIMIT;
    enum err err = courier_make_folder(home, folder);
    if (!err) err = courier_path(path, home, id, ENDING);
    if (!err) err = make_room(folder, path, size);
    if (err) return err;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_from_errno(errno);
    if (flock(fd, LOCK_EX | LOCK_NB))
        err = errno == EWOULDBLOCK ? ERR_BUSY : err_from_errno(errno);
    else if (fstat(fd, &st))
        err = err_from_errno(errno);
    if (err) {
        close(fd);
        return err;
    }
    *p = (struct courier_part){.fd = fd, .id = *id, .size = size, .held = (uint64_t)st.st_size};
    p->resumed = p->held > 0;
    if (p->held <= size) return OK;
    err = courier_part_restart(p);
    if (err) courier_part_close(p);
    return err;
}

enum err courier_part_add(struct courier_part *p, struct slice bytes)
{
    if (bytes.size > p->size - p->held) return ERR_LIMIT;
    while (bytes.size > 0) {
        ssize_t n = pwrite(p->fd, bytes.data, bytes.size, (off_t)p->held);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_from_errno(errno);
        bytes.data += n;
        bytes.size -= (size_t)n;
        p->held += (size_t)n;
    }
    return OK;
}

enum err courier_part_restart(struct courier_part *p)
{
    if (ftruncate(p->fd, 0)) return err_from_errno(errno);
    p->held = 0;
    p->resumed = false;
    return OK;
}

void courier_part_close(struct courier_part *p)
{
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
}

void courier_part_drop(struct courier_part *p, const char *home)
{
    char path[PATH_MAX];
    if (p->fd < 0) return;
    if (courier_path(path, home, &p->id, ENDING) == OK) unlink(path);
    courier_part_close(p);
}
