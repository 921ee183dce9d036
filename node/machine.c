#define _GNU_SOURCE /* statx */
#include "node/machine.h"

#include "common/text.h"
#include "proto/crypto.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define XFS_MAGIC 0x58465342u /* not in linux/magic.h */
#define VALUE_SIZE 256u
#define STACKED_MAX 4 /* partition on a volume on an encrypted disk */

/* --- small files of the kernel's --- */

/* The first line without spaces at its ends; "" when there is none. */
static void read_line(char out[VALUE_SIZE], const char *path)
{
    out[0] = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t size = read(fd, out, VALUE_SIZE - 1);
    close(fd);
    out[size > 0 ? size : 0] = 0;
    out[strcspn(out, "\n")] = 0;
    size_t start = strspn(out, " "), length = strlen(out + start);
    memmove(out, out + start, length + 1);
    while (length > 0 && out[length - 1] == ' ') out[--length] = 0;
}

static bool read_value(char out[VALUE_SIZE], const char *folder, const char *name)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof path) return false;
    read_line(out, path);
    return out[0] != 0;
}

static uint64_t digest_of(const char *text)
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_MACHINE, slice_of_text(text));
    uint64_t digest = be64_get(h.bytes);
    return digest ? digest : 1;
}

/* --- files --- */

static struct machine_file file_marks(int folder, const char *path, int flags)
{
    struct statx st;
    struct machine_file f = {0};
    if (statx(folder, path, flags, STATX_INO | STATX_BTIME, &st)) return f;
    f.ino = st.stx_ino;
    if (st.stx_mask & STATX_BTIME)
        f.born_ns = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
    return f;
}

static bool inodes_stay(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs)) return false;
    switch ((uint32_t)fs.f_type) {
    case EXT4_SUPER_MAGIC: /* ext2 and ext3 too */
    case XFS_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
        return true;
    default: /* overlays, FAT and what the network brings make them up */
        return false;
    }
}

/* --- the disk --- */

/* What lies below a volume or an encrypted device: its first part. */
static bool step_below(char path[PATH_MAX])
{
    char folder[PATH_MAX], below[PATH_MAX];
    bool found = false;
    int size = snprintf(folder, sizeof folder, "%s/slaves", path);
    DIR *dir = size > 0 && (size_t)size < sizeof folder ? opendir(folder) : NULL;
    for (struct dirent *d; dir && !found && (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        size = snprintf(below, sizeof below, "%s/%s", folder, d->d_name);
        found = size > 0 && (size_t)size < sizeof below && realpath(below, path);
    }
    if (dir) closedir(dir);
    return found;
}

static uint64_t disk_of(int fd)
{
    static const char *const serials[] = {"device/serial", "device/wwid", "device/cid", "wwid",
                                          "serial"};
    char link[64], path[PATH_MAX], value[VALUE_SIZE];
    struct stat st;
    if (fstat(fd, &st)) return 0;
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
    if (!realpath(link, path)) return 0;
    for (int i = 0; i < STACKED_MAX && step_below(path); i++) continue;
    if (read_value(value, path, "partition")) *strrchr(path, '/') = 0;
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++)
        if (read_value(value, path, serials[i])) return digest_of(value);
    return 0;
}

/* --- the machine --- */

static int order(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Cards that are part of the machine, by the address they were made with. */
static void read_cards(struct machine *m)
{
    char folder[PATH_MAX], value[VALUE_SIZE];
    DIR *dir = opendir("/sys/class/net");
    for (struct dirent *d; dir && m->card_count < MACHINE_CARDS_MAX && (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        snprintf(folder, sizeof folder, "/sys/class/net/%s", d->d_name);
        char device[PATH_MAX + 8];
        snprintf(device, sizeof device, "%s/device", folder);
        if (access(device, F_OK)) continue; /* made by software */
        if (!read_value(value, folder, "addr_assign_type") || strcmp(value, "0") != 0) continue;
        if (read_value(value, folder, "address")) m->cards[m->card_count++] = digest_of(value);
    }
    if (dir) closedir(dir);
    qsort(m->cards, m->card_count, sizeof m->cards[0], order);
}

void machine_read_name(char out[MACHINE_NAME_SIZE + 1])
{
    char host[VALUE_SIZE], product[VALUE_SIZE], name[2 * VALUE_SIZE + 4];
    struct buf shown = {0};
    if (gethostname(host, sizeof host)) host[0] = 0;
    host[sizeof host - 1] = 0;
    read_line(product, "/sys/class/dmi/id/product_name");
    const char *open = product[0] ? " (" : "", *shut = product[0] ? ")" : "";
    snprintf(name, sizeof name, "%s%s%s%s", host, open, product, shut);
    text_append_shown(&shown, slice_of_text(name));
    text_copy(out, MACHINE_NAME_SIZE + 1, buf_slice(&shown));
    buf_clear(&shown);
}

void machine_read(struct machine *out, int side_fd, const char *home)
{
    char path[PATH_MAX], value[VALUE_SIZE];
    *out = (struct machine){.stable = inodes_stay(side_fd)};
    out->side = file_marks(side_fd, "", AT_EMPTY_PATH);
    int size = snprintf(path, sizeof path, "%s/store", home);
    if (size > 0 && (size_t)size < sizeof path) out->store = file_marks(AT_FDCWD, path, 0);
    out->disk = disk_of(side_fd);
    read_cards(out);
    read_line(value, "/etc/machine-id");
    if (value[0]) out->installation = digest_of(value);
    machine_read_name(out->name);
}

/* --- comparing --- */

static bool file_is_other(const struct machine_file *a, const struct machine_file *b)
{
    if (a->ino != b->ino) return true;
    return a->born_ns && b->born_ns && a->born_ns != b->born_ns;
}

static bool share_a_card(const struct machine *a, const struct machine *b)
{
    for (size_t i = 0; i < a->card_count; i++)
        for (size_t j = 0; j < b->card_count; j++)
            if (a->cards[i] == b->cards[j]) return true;
    return false;
}

enum machine_change machine_compare(const struct machine *then, const struct machine *now)
{
    if (then->stable && now->stable &&
        (file_is_other(&then->side, &now->side) || file_is_other(&then->store, &now->store)))
        return MACHINE_FILES_COPIED;
    if (then->disk && now->disk)
        return then->disk == now->disk ? MACHINE_SAME : MACHINE_DISK_COPIED;
    if (then->card_count && now->card_count)
        return share_a_card(then, now) ? MACHINE_SAME : MACHINE_OTHER;
    if (then->installation && now->installation)
        return then->installation == now->installation ? MACHINE_SAME : MACHINE_OTHER;
    return MACHINE_SAME;
}

/* --- bytes --- */

void machine_write(uint8_t out[MACHINE_SIZE], const struct machine *m)
{
    const uint64_t numbers[] = {m->side.ino,      m->side.born_ns, m->store.ino,
                                m->store.born_ns, m->disk,         m->installation};
    memset(out, 0, MACHINE_SIZE);
    *out++ = m->stable;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++, out += 8)
        be64_put(out, numbers[i]);
    *out++ = (uint8_t)m->card_count;
    for (size_t i = 0; i < m->card_count; i++) be64_put(out + 8 * i, m->cards[i]);
    memcpy(out + 8 * MACHINE_CARDS_MAX, m->name, strnlen(m->name, MACHINE_NAME_SIZE));
}

void machine_parse(struct machine *out, const uint8_t bytes[MACHINE_SIZE])
{
    uint64_t numbers[6];
    *out = (struct machine){.stable = *bytes++ != 0};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++, bytes += 8)
        numbers[i] = be64_get(bytes);
    out->side = (struct machine_file){numbers[0], numbers[1]};
    out->store = (struct machine_file){numbers[2], numbers[3]};
    out->disk = numbers[4];
    out->installation = numbers[5];
    out->card_count = *bytes > MACHINE_CARDS_MAX ? MACHINE_CARDS_MAX : *bytes;
    bytes++;
    for (size_t i = 0; i < out->card_count; i++) out->cards[i] = be64_get(bytes + 8 * i);
    memcpy(out->name, bytes + 8 * MACHINE_CARDS_MAX, MACHINE_NAME_SIZE);
}
