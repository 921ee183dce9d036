#include "node/home.h"

#include "common/limits.h"
#include "node/home_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAGIC "sidan-device-key-1\n"
#define KEY_FIELD_SIZE 32
#define KEY_FIELDS 4 /* seed, its public key, transport secret, its public key */
#define KEY_PAIR_SIZE ((size_t)KEY_FIELDS * (2 * KEY_FIELD_SIZE + 1))
#define KEY_FILE_SIZE(pairs) (sizeof KEY_MAGIC - 1 + (pairs)*KEY_PAIR_SIZE)
#define AUTHORITY_SECRET_SIZE_MAX (32 + 32 * (OFFICE_KEYS_MAX + 1)) /* seed, office secrets */
#define LOCK_TRIES 10

static enum err path_of(char out[PATH_MAX], const char *home, const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", home, name);
    return size < 0 || size >= PATH_MAX ? ERR_LIMIT : OK;
}

/* An existing folder is left as it is. The name of a new one is durable before anything in it is
 * told: else a power cut takes the folder with all that was synced in it. */
static enum err home_make_folder(const char *home)
{
    if (!mkdir(home, 0700)) return file_sync_parent(home);
    if (errno != EEXIST) return err_from_errno(errno);
    struct stat st;
    if (stat(home, &st)) return err_from_errno(errno);
    return S_ISDIR(st.st_mode) ? OK : ERR_EXISTS;
}

/* Secrets must be nobody else's: neither readable by others nor in their hands. */
static enum err check_private(const char *path)
{
    struct stat st;
    if (lstat(path, &st)) return err_from_errno(errno);
    if (!S_ISREG(st.st_mode)) return ERR_CORRUPT;
    return (st.st_mode & 077) || st.st_uid != geteuid() ? ERR_PERMISSION : OK;
}

static enum err save_secret(const char *home, const char *name, struct slice content)
{
    char path[PATH_MAX];
    enum err err = path_of(path, home, name);
    return err ? err : file_replace_secret(path, content, 0600);
}

/* --- device.key --- */

void device_keys_wipe(struct device_keys *k)
{
    crypto_wipe(k, sizeof *k);
}

static struct device_pair pair_in_use(const struct device_keys *k)
{
    return (struct device_pair){k->signer, k->transport, k->transport_secret};
}

const struct signer *device_keys_signer(const struct device_keys *k, const struct sign_key *key)
{
    if (sign_key_equal(&k->signer.key, key)) return &k->signer;
    for (size_t i = 0; i < k->held_count; i++)
        if (sign_key_equal(&k->held[i].signer.key, key)) return &k->held[i].signer;
    return NULL;
}

const struct box_secret *device_keys_transport(const struct device_keys *k,
                                               const struct box_key *key)
{
    if (box_key_equal(&k->transport, key)) return &k->transport_secret;
    for (size_t i = 0; i < k->held_count; i++)
        if (box_key_equal(&k->held[i].transport, key)) return &k->held[i].transport_secret;
    return NULL;
}

static void pair_write(struct buf *text, const struct device_pair *p)
{
    char hex[2 * KEY_FIELD_SIZE + 1];
    const uint8_t *fields[KEY_FIELDS] = {p->signer.secret, p->signer.key.bytes,
                                         p->transport_secret.bytes, p->transport.bytes};
    for (size_t i = 0; i < KEY_FIELDS; i++) {
        hex_encode(hex, fields[i], KEY_FIELD_SIZE);
        buf_append_text(text, hex);
        buf_append_byte(text, '\n');
    }
    crypto_wipe(hex, sizeof hex);
}

static void keys_write(struct buf *text, const struct device_pair *pairs, size_t count)
{
    buf_reserve(text,
                KEY_FILE_SIZE(count)); /* never moved, so no copy of a secret is left behind */
    buf_append_text(text, KEY_MAGIC);
    for (size_t i = 0; i < count; i++) pair_write(text, &pairs[i]);
}

enum err home_make_keys(const char *home, struct device_keys *out)
{
    struct device_pair made;
    struct sign_seed seed;
    char path[PATH_MAX];
    struct buf text = {0};

    enum err err = path_of(path, home, "device.key");
    if (!err) err = home_make_folder(home);
    if (err) return err;
    sign_seed_make(&seed);
    signer_from_seed(&made.signer, &seed);
    box_pair_make(&made.transport, &made.transport_secret);
    keys_write(&text, &made, 1);
    err = text.err ? text.err : file_create(path, buf_slice(&text), 0600);
    if (!err)
        *out = (struct device_keys){.signer = made.signer,
                                    .transport = made.transport,
                                    .transport_secret = made.transport_secret,
                                    .held = {made},
                                    .held_count = 1};
    crypto_buf_wipe(&text);
    crypto_wipe(&seed, sizeof seed);
    crypto_wipe(&made, sizeof made);
    return err;
}

enum err home_add_keys(const char *home, struct device_keys *k, const struct device_pair *pair)
{
    struct buf text = {0};
    if (!k->held_count) k->held[k->held_count++] = pair_in_use(k);
    if (k->held_count == DEVICE_PAIRS_MAX) return ERR_LIMIT;
    memmove(&k->held[1], &k->held[0], k->held_count * sizeof k->held[0]);
    k->held[0] = *pair;
    k->held_count++;
    keys_write(&text, k->held, k->held_count);
    enum err err = text.err ? text.err : device_key_write(home, buf_slice(&text));
    crypto_buf_wipe(&text);
    if (err) memmove(&k->held[0], &k->held[1], --k->held_count * sizeof k->held[0]);
    return err;
}

/* A key file whose halves do not belong together must never sign. `*at` moves behind the pair. */
static enum err pair_read(struct device_pair *out, const char **at)
{
    uint8_t fields[KEY_FIELDS][KEY_FIELD_SIZE];
    struct sign_seed seed;
    enum err err = OK;
    for (size_t i = 0; i < KEY_FIELDS && !err; i++, *at += 2 * KEY_FIELD_SIZE + 1)
        if ((*at)[2 * KEY_FIELD_SIZE] != '\n' ||
            hex_decode(fields[i], KEY_FIELD_SIZE, *at, (size_t)2 * KEY_FIELD_SIZE))
            err = ERR_CORRUPT;
    if (!err) {
        memcpy(seed.bytes, fields[0], KEY_FIELD_SIZE);
        memcpy(out->transport_secret.bytes, fields[2], KEY_FIELD_SIZE);
        signer_from_seed(&out->signer, &seed);
        box_key_of_secret(&out->transport, &out->transport_secret);
        if (memcmp(out->signer.key.bytes, fields[1], KEY_FIELD_SIZE) ||
            memcmp(out->transport.bytes, fields[3], KEY_FIELD_SIZE))
            err = ERR_CORRUPT;
        crypto_wipe(&seed, sizeof seed);
    }
    crypto_wipe(fields, sizeof fields);
    return err;
}

static enum err keys_decode(struct device_keys *out, struct slice text)
{
    const size_t magic_size = sizeof KEY_MAGIC - 1;
    if (text.size < KEY_FILE_SIZE(1) || (text.size - magic_size) % KEY_PAIR_SIZE ||
        memcmp(text.data, KEY_MAGIC, magic_size))
        return ERR_CORRUPT;
    const char *at = (const char *)text.data + magic_size;
    enum err err = OK;
    *out = (struct device_keys){.held_count = (text.size - magic_size) / KEY_PAIR_SIZE};
    if (out->held_count > DEVICE_PAIRS_MAX) return ERR_CORRUPT;
    for (size_t i = 0; i < out->held_count && !err; i++) err = pair_read(&out->held[i], &at);
    const struct device_pair *first = &out->held[out->held_count - 1];
    out->signer = first->signer;
    out->transport = first->transport;
    out->transport_secret = first->transport_secret;
    return err;
}

enum err home_load_keys(const char *home, struct device_keys *out)
{
    struct buf text = {0};
    struct device_keys keys;
    enum err err = device_key_read(&text, home);
    if (err == ERR_NOT_FOUND) return ERR_NOT_JOINED;
    if (!err) err = keys_decode(&keys, buf_slice(&text));
    if (!err) *out = keys;
    crypto_buf_wipe(&text);
    device_keys_wipe(&keys);
    return err;
}

/* --- joining --- */

enum home_state home_state(const char *home)
{
    char path[PATH_MAX];
    if (!path_of(path, home, "joined") && !access(path, F_OK)) return HOME_JOINED;
    if (!path_of(path, home, "joining") && !access(path, F_OK)) return HOME_JOINING;
    return HOME_EMPTY;
}

enum err home_mark_joined(const char *home)
{
    return save_secret(home, "joined", slice_of_text("this device has a log\n"));
}

enum err home_save_invite(const char *home, const struct invite *invite)
{
    struct buf text = {0};
    enum err err = home_make_folder(home);
    if (err) return err;
    buf_reserve(&text, KIB(4)); /* as above */
    invite_write(&text, invite, "sidan");
    err = text.err ? text.err : save_secret(home, "joining", buf_slice(&text));
    crypto_buf_wipe(&text);
    return err;
}

enum err home_load_invite(const char *home, struct invite *out)
{
    char path[PATH_MAX];
    struct buf text = {0};
    enum err err = path_of(path, home, "joining");
    if (!err) err = check_private(path);
    if (!err) err = file_read(&text, path, KIB(16));
    if (!err) err = invite_read(out, buf_slice(&text));
    crypto_buf_wipe(&text);
    return err;
}

enum err home_forget_invite(const char *home)
{
    char path[PATH_MAX];
    enum err err = path_of(path, home, "joining");
    return err ? err : file_remove(path);
}

/* --- authority.key --- */

void authority_keys_wipe(struct authority_keys *k)
{
    crypto_wipe(k, sizeof *k);
}

void authority_keys_add_office(struct authority_keys *k, const struct box_secret *office)
{
    const size_t max = sizeof k->offices / sizeof k->offices[0];
    if (k->office_count < max) k->office_count++;
    memmove(k->offices + 1, k->offices, (k->office_count - 1) * sizeof k->offices[0]);
    k->offices[0] = *office;
}

static const char *authority_name(enum authority_file which)
{
    return which == AUTHORITY_NEXT ? "authority.key.new" : "authority.key";
}

enum err home_save_authority(const char *home, enum authority_file which,
                             const struct authority_keys *k, const char *passphrase)
{
    uint8_t secret[AUTHORITY_SECRET_SIZE_MAX];
    struct buf wrapped = {0};
    size_t size = sizeof k->seed.bytes;
    memcpy(secret, k->seed.bytes, size);
    for (size_t i = 0; i < k->office_count; i++, size += sizeof k->offices[i].bytes)
        memcpy(secret + size, k->offices[i].bytes, sizeof k->offices[i].bytes);
    enum err err = home_make_folder(home);
    if (!err) err = crypto_wrap(&wrapped, slice_of(secret, size), passphrase);
    if (!err) err = wrapped.err;
    if (!err) err = save_secret(home, authority_name(which), buf_slice(&wrapped));
    crypto_wipe(secret, sizeof secret);
    buf_clear(&wrapped);
    return err;
}

static enum err authority_decode(struct authority_keys *out, struct slice secret)
{
    const size_t each = sizeof out->offices[0].bytes;
    if (secret.size < sizeof out->seed.bytes || secret.size > AUTHORITY_SECRET_SIZE_MAX ||
        (secret.size - sizeof out->seed.bytes) % each)
        return ERR_CORRUPT;
    *out = (struct authority_keys){.office_count = (secret.size - sizeof out->seed.bytes) / each};
    memcpy(out->seed.bytes, secret.data, sizeof out->seed.bytes);
    for (size_t i = 0; i < out->office_count; i++)
        memcpy(out->offices[i].bytes, secret.data + sizeof out->seed.bytes + i * each, each);
    signer_from_seed(&out->signer, &out->seed);
    return OK;
}

enum err home_load_authority(const char *home, enum authority_file which, const char *passphrase,
                             struct authority_keys *out)
{
    char path[PATH_MAX];
    struct buf wrapped = {0}, secret = {0};
    enum err err = path_of(path, home, authority_name(which));
    if (!err) err = file_read(&wrapped, path, KIB(4));
    if (!err) err = crypto_unwrap(&secret, buf_slice(&wrapped), passphrase);
    if (!err) err = authority_decode(out, buf_slice(&secret));
    crypto_buf_wipe(&secret);
    buf_clear(&wrapped);
    return err;
}

enum err home_promote_authority(const char *home)
{
    char from[PATH_MAX], to[PATH_MAX];
    enum err err = path_of(from, home, authority_name(AUTHORITY_NEXT));
    if (!err) err = path_of(to, home, authority_name(AUTHORITY_IN_FORCE));
    return err ? err : file_rename(from, to);
}

/* --- the daemon's lock --- */

static enum err lock_try(const char *home, int flags, int operation, int *out)
{
    char path[PATH_MAX];
    enum err err = path_of(path, home, "node.lock");
    if (err) return err;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_from_errno(errno);
    if (flock(fd, operation | LOCK_NB)) {
        err = errno == EWOULDBLOCK ? ERR_BUSY : err_from_errno(errno);
        close(fd);
        return err;
    }
    *out = fd;
    return OK;
}

enum err home_lock(const char *home, int *fd)
{
    /* home_node_running holds the lock for a moment */
    enum err err = lock_try(home, O_RDWR | O_CREAT, LOCK_EX, fd);
    for (int i = 1; i < LOCK_TRIES && err == ERR_BUSY; i++) {
        usleep(10 * 1000);
        err = lock_try(home, O_RDWR | O_CREAT, LOCK_EX, fd);
    }
    return err;
}

bool home_node_running(const char *home)
{
    int fd; /* shared: two that look at once do not take each other for a node */
    enum err err = lock_try(home, O_RDWR, LOCK_SH, &fd);
    if (!err) close(fd);
    return err == ERR_BUSY;
}
