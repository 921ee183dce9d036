#include "node/home_key.h"

#include "common/file.h"
#include "common/limits.h"
#include "node/keyring.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCKED_MAGIC "sidan-device-key-locked-1\n"
#define FILE_SIZE_MAX KIB(32)
#define CONTEXT_BOXES "sidan/boxes"

/* Where the kernel keeps no key this process keeps it, once it was asked for. */
static struct {
    bool tried;
    enum err err;
    struct secret_key key;
} held;

static enum err path_of(char out[PATH_MAX], const char *home)
{
    int size = snprintf(out, PATH_MAX, "%s/device.key", home);
    return size < 0 || size >= PATH_MAX ? ERR_LIMIT : OK;
}

/* --- the file ------------------------------------------------------------------------------- */

struct locked_file {
    struct slice wrapped, content; /* content: base64url */
};

/* Secrets must be nobody else's: neither readable by others nor in their hands. */
static enum err check_private(const char *path)
{
    struct stat st;
    if (lstat(path, &st)) return err_from_errno(errno);
    if (!S_ISREG(st.st_mode)) return ERR_CORRUPT;
    return (st.st_mode & 077) || st.st_uid != geteuid() ? ERR_PERMISSION : OK;
}

static enum err read_file(struct buf *bytes, const char *home)
{
    char path[PATH_MAX];
    enum err err = path_of(path, home);
    if (!err) err = check_private(path);
    if (err) return err;
    if (!buf_reserve(bytes, FILE_SIZE_MAX + 4096)) return bytes->err; /* never moved */
    err = file_read(bytes, path, FILE_SIZE_MAX);
    return err == ERR_LIMIT || err == ERR_MALFORMED ? ERR_CORRUPT : err;
}

static bool is_locked(struct slice bytes)
{
    const struct slice magic = slice_of_text(LOCKED_MAGIC);
    return bytes.size >= magic.size && memcmp(bytes.data, magic.data, magic.size) == 0;
}

static bool take_line(struct slice *rest, struct slice *line)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end) return false;
    *line = slice_of(rest->data, (size_t)(end - rest->data));
    *rest = slice_of(end + 1, rest->size - line->size - 1);
    return true;
}

static enum err parse(struct locked_file *out, struct slice bytes)
{
    struct slice magic;
    if (!is_locked(bytes)) return ERR_STATE;
    bool good = take_line(&bytes, &magic) && take_line(&bytes, &out->wrapped) &&
                take_line(&bytes, &out->content) && bytes.size == 0;
    return good ? OK : ERR_CORRUPT;
}

static enum err unwrap(struct secret_key *out, struct slice wrapped, const char *passphrase)
{
    struct buf secret = {0};
    enum err err = crypto_unwrap(&secret, wrapped, passphrase);
    if (!err && secret.size != sizeof out->bytes) err = ERR_CORRUPT;
    if (!err) memcpy(out->bytes, secret.data, sizeof out->bytes);
    crypto_buf_wipe(&secret);
    return err == ERR_MALFORMED || err == ERR_LIMIT ? ERR_CORRUPT : err;
}

static enum err open_content(struct buf *text, struct slice content, const struct secret_key *key)
{
    struct buf bytes = {0};
    size_t least = CRYPTO_NONCE_SIZE + CRYPTO_LOCK_OVERHEAD;
    enum err err = base64url_decode(&bytes, content);
    if (!err && bytes.size < least) err = ERR_CORRUPT;
    uint8_t *at = err ? NULL : buf_reserve(text, bytes.size - least);
    if (!err && !at) err = text->err;
    if (!err) {
        const struct slice locked =
            slice_of(bytes.data + CRYPTO_NONCE_SIZE, bytes.size - CRYPTO_NONCE_SIZE);
        err = crypto_unlock(at, locked, key, bytes.data, slice_of_text(LOCKED_MAGIC));
    }
    if (!err) buf_advance(text, bytes.size - least);
    buf_clear(&bytes);
    return err && err != ERR_NOMEM ? ERR_CORRUPT : err;
}

static void print_locked(struct buf *out, struct slice wrapped, struct slice text,
                         const struct secret_key *key)
{
    struct buf bytes = {0};
    size_t size = CRYPTO_NONCE_SIZE + text.size + CRYPTO_LOCK_OVERHEAD;
    uint8_t *at = buf_reserve(&bytes, size);
    if (at) {
        crypto_random(at, CRYPTO_NONCE_SIZE);
        memcpy(at + CRYPTO_NONCE_SIZE, text.data, text.size);
        crypto_lock(at + CRYPTO_NONCE_SIZE, text.size, key, at, slice_of_text(LOCKED_MAGIC));
        buf_advance(&bytes, size);
    }
    buf_append_text(out, LOCKED_MAGIC);
    buf_append_slice(out, wrapped);
    buf_append_byte(out, '\n');
    base64url_encode(out, buf_slice(&bytes));
    buf_append_byte(out, '\n');
    if (bytes.err && !out->err) out->err = bytes.err;
    crypto_buf_wipe(&bytes);
}

static enum err write_file(const char *home, const struct buf *bytes)
{
    char path[PATH_MAX];
    enum err err = bytes->err ? bytes->err : path_of(path, home);
    return err ? err : file_replace_secret(path, buf_slice(bytes), 0600);
}

static enum err write_locked(const char *home, struct slice wrapped, struct slice text,
                             const struct secret_key *key)
{
    struct buf bytes = {0};
    print_locked(&bytes, wrapped, text, key);
    enum err err = write_file(home, &bytes);
    buf_clear(&bytes);
    return err;
}

/* --- its key -------------------------------------------------------------------------------- */

bool home_has_passphrase(const char *home)
{
    struct buf bytes = {0};
    bool locked = read_file(&bytes, home) == OK && is_locked(buf_slice(&bytes));
    crypto_buf_wipe(&bytes);
    return locked;
}

enum err home_key_open(const char *home, const char *passphrase, struct secret_key *out)
{
    struct buf bytes = {0}, text = {0};
    struct locked_file file;
    enum err err = read_file(&bytes, home);
    if (!err) err = parse(&file, buf_slice(&bytes));
    if (!err) err = unwrap(out, file.wrapped, passphrase);
    if (!err) err = open_content(&text, file.content, out); /* the halves belong together */
    crypto_buf_wipe(&bytes);
    crypto_buf_wipe(&text);
    return err;
}

static enum err key_of_file(const char *home, struct secret_key *out)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    const char *path = getenv("SIDAN_PASSPHRASE_FILE");
    if (!path || !*path) return ERR_NO_KEYRING;
    enum err err = passphrase_read(path, passphrase);
    /* Not to be taken for what is the matter with device.key. */
    err = err ? ERR_NO_KEYRING : home_key_open(home, passphrase, out);
    crypto_wipe(passphrase, sizeof passphrase);
    return err;
}

enum err home_key(const char *home, struct secret_key *out)
{
    enum err err = keyring_get(home, out);
    if (err == ERR_NOT_FOUND) return ERR_LOCKED;
    if (err != ERR_NO_KEYRING) return err;
    if (!held.tried) {
        crypto_keep_in_memory(&held, sizeof held);
        held.err = key_of_file(home, &held.key);
        held.tried = true;
    }
    if (!held.err) *out = held.key;
    return held.err;
}

void home_key_of_boxes(struct secret_key *out, const struct secret_key *key)
{
    secret_key_derive(out, key, CONTEXT_BOXES);
}

enum err home_box_key(const char *home, bool *has, struct secret_key *out)
{
    struct secret_key key;
    *has = home_has_passphrase(home);
    if (!*has) return OK;
    enum err err = home_key(home, &key);
    if (!err) home_key_of_boxes(out, &key);
    crypto_wipe(&key, sizeof key);
    return err;
}

enum err home_unlock(const char *home, const char *passphrase)
{
    struct secret_key key;
    enum err err = home_key_open(home, passphrase, &key);
    if (!err) err = keyring_put(home, &key);
    crypto_wipe(&key, sizeof key);
    return err;
}

enum err home_lock_keys(const char *home)
{
    return home_has_passphrase(home) ? keyring_drop(home) : ERR_STATE;
}

enum err home_key_text(const char *home, struct buf *out)
{
    struct buf bytes = {0};
    struct locked_file file;
    enum err err = read_file(&bytes, home);
    if (!err) err = parse(&file, buf_slice(&bytes));
    if (!err) buf_append_slice(out, file.wrapped);
    if (!err) err = out->err;
    crypto_buf_wipe(&bytes);
    return err;
}

enum err home_change_passphrase(const char *home, const char *old, const char *fresh)
{
    struct buf bytes = {0}, text = {0}, wrapped = {0};
    struct locked_file file;
    struct secret_key key;
    enum err err = read_file(&bytes, home);
    if (!err) err = parse(&file, buf_slice(&bytes));
    if (!err) err = unwrap(&key, file.wrapped, old);
    if (!err) err = open_content(&text, file.content, &key);
    if (!err) err = crypto_wrap(&wrapped, slice_of(key.bytes, sizeof key.bytes), fresh);
    if (!err) err = write_locked(home, buf_slice(&wrapped), buf_slice(&text), &key);
    crypto_wipe(&key, sizeof key);
    crypto_buf_wipe(&bytes);
    crypto_buf_wipe(&text);
    buf_clear(&wrapped);
    return err;
}

/* --- what is in it -------------------------------------------------------------------------- */

enum err device_key_read(struct buf *text, const char *home)
{
    struct buf bytes = {0};
    struct locked_file file;
    struct secret_key key;
    enum err err = read_file(&bytes, home);
    if (!err) err = parse(&file, buf_slice(&bytes));
    if (err == ERR_STATE) {
        err = buf_reserve(text, bytes.size) ? OK : text->err;
        buf_append_slice(text, buf_slice(&bytes));
    } else if (!err) {
        err = home_key(home, &key);
        if (!err) err = open_content(text, file.content, &key);
        crypto_wipe(&key, sizeof key);
    }
    crypto_buf_wipe(&bytes);
    return err;
}

enum err device_key_write(const char *home, struct slice text)
{
    struct buf wrapped = {0}, plain = {0};
    struct secret_key key;
    enum err err = home_key_text(home, &wrapped);
    if (err == ERR_STATE) {
        buf_reserve(&plain, text.size);
        buf_append_slice(&plain, text);
        err = write_file(home, &plain);
    } else if (!err) {
        err = home_key(home, &key);
        if (!err) err = write_locked(home, buf_slice(&wrapped), text, &key);
        crypto_wipe(&key, sizeof key);
    }
    crypto_buf_wipe(&plain);
    buf_clear(&wrapped);
    return err;
}

enum err device_key_lock(const char *home, const char *passphrase, struct secret_key *key)
{
    struct buf text = {0}, wrapped = {0};
    if (home_has_passphrase(home)) return ERR_STATE;
    enum err err = read_file(&text, home);
    secret_key_make(key);
    if (!err) err = crypto_wrap(&wrapped, slice_of(key->bytes, sizeof key->bytes), passphrase);
    if (!err) err = write_locked(home, buf_slice(&wrapped), buf_slice(&text), key);
    crypto_buf_wipe(&text);
    buf_clear(&wrapped);
    return err;
}

enum err device_key_open(const char *home, const struct secret_key *key)
{
    struct buf bytes = {0}, text = {0};
    struct locked_file file;
    enum err err = read_file(&bytes, home);
    if (!err) err = parse(&file, buf_slice(&bytes));
    if (!err) err = open_content(&text, file.content, key);
    if (!err) err = write_file(home, &text);
    crypto_buf_wipe(&bytes);
    crypto_buf_wipe(&text);
    return err;
}

void device_key_sweep(const char *home)
{
    char path[PATH_MAX];
    if (!path_of(path, home)) file_sweep(path);
}

void home_keep_process_private(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); /* S9 */
#if !defined __SANITIZE_ADDRESS__  /* looks into itself for leaks */
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* --- passphrases ---------------------------------------------------------------------------- */

enum err passphrase_read(const char *path, char out[PASSPHRASE_SIZE_MAX + 1])
{
    struct buf content = {0};
    enum err err = file_read(&content, path, PASSPHRASE_SIZE_MAX + 2);
    size_t size = err ? 0 : strcspn(buf_text(&content), "\r\n");
    if (!err && (size == 0 || size > PASSPHRASE_SIZE_MAX)) err = ERR_LIMIT;
    if (!err) {
        memcpy(out, content.data, size);
        out[size] = 0;
    }
    crypto_buf_wipe(&content);
    return err;
}
