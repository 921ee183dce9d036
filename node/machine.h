#pragma once
/*
 * What a copy of a home cannot keep: when and as what its files were made, the disk they lie on,
 * the machine around it. Told apart so that a home copied to another place or machine is noticed
 * before anything is signed there, and one that stayed where it was is not taken for a copy.
 *
 * What counts, in this order, and why:
 *   files    inode and birth of the side file and of the store's folder: whoever copies files makes
 *            new ones. Only on file systems whose inodes stay (ext4, xfs, btrfs, f2fs, tmpfs), and
 *            birth only where the kernel gives one. Moved to another file system on purpose is a
 *            copy as well: it costs a new epoch and loses nothing.
 *   disk     the serial of the disk below: the image of a disk keeps all of the files' marks. The
 *            same disk in another machine is no copy.
 *   machine  where the disk tells no serial: the addresses of its network cards, one of which must
 *            be the same; where there are none either, the id of the installation. That id alone
 *            says little: it is copied with a disk, and is new when the system is installed anew.
 * The serials in /sys/class/dmi are root's alone. What nobody can read on either side is not
 * compared: then a copy is noticed by a peer, as is the image of a disk put back where it was.
 * Device numbers are not looked at: they change from boot to boot.
 *
 * Serials and addresses are kept as hashes.
 */
#include "common/bytes.h"

#define MACHINE_CARDS_MAX 8u
#define MACHINE_NAME_SIZE 64u

struct machine_file {
    uint64_t ino;
    uint64_t born_ns; /* 0: the kernel does not say */
};
struct machine {
    bool stable; /* inodes stay here */
    struct machine_file side, store;
    uint64_t disk, installation; /* hashes; 0: not readable */
    uint64_t cards[MACHINE_CARDS_MAX];
    size_t card_count;
    char name[MACHINE_NAME_SIZE + 1]; /* for people: host and product */
};

/* `side_fd`: the side file, open. Never fails: what cannot be read is left empty. */
void machine_read(struct machine *out, int side_fd, const char *home);
/* For people alone. */
void machine_read_name(char out[MACHINE_NAME_SIZE + 1]);

enum machine_change { MACHINE_SAME, MACHINE_FILES_COPIED, MACHINE_DISK_COPIED, MACHINE_OTHER };
enum machine_change machine_compare(const struct machine *then, const struct machine *now);

/* The same in bytes of a fixed size. */
#define MACHINE_SIZE (1 + 6 * 8 + 1 + MACHINE_CARDS_MAX * 8 + MACHINE_NAME_SIZE)
void machine_write(uint8_t out[MACHINE_SIZE], const struct machine *m);
void machine_parse(struct machine *out, const uint8_t bytes[MACHINE_SIZE]);
