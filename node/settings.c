#include "node/settings.h"

#include "common/file.h"
#include "common/i18n.h"
#include "common/limits.h"
#include "node/link/address.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_SIZE_MAX KIB(64)
#define VALUE_SIZE_MAX (SETTINGS_PEERS_MAX * (sizeof(struct settings_peer) + 2) + 16)

enum value_type { TYPE_LISTEN, TYPE_ADDRESSES, TYPE_PEERS, TYPE_THING, TYPE_WORD, TYPE_NUMBER };

/* One key: where its value lives, what it may be, what it is without the line. */
struct key_row {
    const char *key;
    enum value_type type;
    size_t offset;
    uint32_t min, max; /* TYPE_NUMBER */
    const char *words; /* TYPE_WORD: allowed, parted by blanks; "" is always allowed with def "" */
    const char *def, *zh, *en;
};

static const struct key_row rows[] = {
    {"listen", TYPE_LISTEN, offsetof(struct settings, listen), 0, 0, NULL, "",
     "监听地址，例如 tcp://0.0.0.0:7300；空：不监听",
     "address to listen on, such as tcp://0.0.0.0:7300; empty: does not listen"},
    {"hub", TYPE_ADDRESSES, offsetof(struct settings, hub), 0, 0, NULL, "",
     "中心站地址，最多四个，空格分开，依次尝试",
     "addresses of the hub, up to four, tried in order"},
    {"peers", TYPE_PEERS, offsetof(struct settings, peers), 0, 0, NULL, "",
     "同一网络里邻居电脑的地址，最多八个，空格分开；可写明是谁：乙村=tcp://192.168.1.7:7300",
     "addresses of neighbours on the same network, up to eight; may say who it is: "
     "NAME=tcp://192.168.1.7:7300"},
    {"actor", TYPE_THING, offsetof(struct settings, actor), 0, 0, NULL, "", "本机默认经办人的编号",
     "id of the person who acts by default on this machine"},
    {"lang", TYPE_WORD, offsetof(struct settings, lang), 0, 0, "zh en", "",
     "界面语言 zh 或 en；空：随系统", "language, zh or en; empty: the system's"},
    {"log_level", TYPE_WORD, offsetof(struct settings, log_level), 0, 0, "error warn info debug",
     "info", "日志级别", "what the daemon logs"},
    {"retry_min_s", TYPE_NUMBER, offsetof(struct settings, retry_min_s), 1, 3600, NULL, "1",
     "连接失败后最短等待秒数", "shortest wait after a failed connection, seconds"},
    {"retry_max_s", TYPE_NUMBER, offsetof(struct settings, retry_max_s), 1, 86400, NULL, "60",
     "连接失败后最长等待秒数", "longest wait after failed connections, seconds"},
    {"at_rest", TYPE_WORD, offsetof(struct settings, at_rest), 0, 0, "keyfile passphrase",
     "keyfile", "密钥和个人信息在磁盘上的存放方式：keyfile 只靠文件权限；passphrase 用口令加密",
     "how keys and personal data lie on the disk: keyfile, by the file's rights alone; passphrase, "
     "under a passphrase"},
    {"monthly_limit_mb", TYPE_NUMBER, offsetof(struct settings, monthly_limit_mb), 0, 10000000,
     NULL, "0", "每月流量上限（MB，收发合计）；用到九成后只传名册和急件；0：不限",
     "limit of a month's traffic both ways, MB; from nine tenths on only the roster and what is "
     "urgent goes; 0: none"},
    {"courier_mib", TYPE_NUMBER, offsetof(struct settings, courier_mib), 0, 1048576, NULL, "64",
     "替别的村捎带数据包最多占用的空间（MiB）；0：不捎带",
     "room for files that are carried for others, MiB; 0: carries nothing"},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static const struct key_row *row_find(struct slice key)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (slice_is_text(key, rows[i].key)) return &rows[i];
    return NULL;
}

/* What is wrong with a value, and what would be right. */
__attribute__((format(printf, 2, 3))) static enum err complain(struct settings_problem *p,
                                                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    return ERR_RANGE;
}

static enum err set_addresses(struct settings *s, const char *value, struct settings_problem *p)
{
    char copy[VALUE_SIZE_MAX];
    char *rest = copy;
    snprintf(copy, sizeof copy, "%s", value);
    s->hub_count = 0;
    memset(s->hub, 0, sizeof s->hub);
    for (char *one; (one = strsep(&rest, " ,\t"));) {
        struct address a;
        if (!*one) continue;
        if (s->hub_count == INVITE_ADDRESSES_MAX)
            return complain(p, _("hub: at most %d addresses"), INVITE_ADDRESSES_MAX);
        if (strlen(one) >= ADDRESS_SIZE_MAX || address_parse(&a, one, ADDRESS_DIAL))
            return complain(p, _("hub: \"%.60s\" is not tcp://HOST:PORT"), one);
        strcpy(s->hub[s->hub_count++], one);
    }
    return OK;
}

static enum err set_peer(struct settings *s, const char *text, struct settings_problem *p)
{
    struct address a;
    const char *equals = strchr(text, '=');
    const char *address = equals ? equals + 1 : text;
    size_t name_size = equals ? (size_t)(equals - text) : 0;
    bool named = name_size > 0 && name_size <= DEVICE_NAME_SIZE_MAX;
    if (s->peer_count == SETTINGS_PEERS_MAX)
        return complain(p, _("peers: at most %u addresses"), SETTINGS_PEERS_MAX);
    if ((equals && !named) || strlen(address) >= ADDRESS_SIZE_MAX ||
        address_parse(&a, address, ADDRESS_DIAL))
        return complain(p, _("peers: \"%.60s\" is not tcp://HOST:PORT or NAME=tcp://HOST:PORT"),
                        text);
    for (size_t i = 0; i < s->peer_count; i++)
        if (strcmp(s->peers[i].address, address) == 0)
            return complain(p, _("peers: %.60s stands there twice"), address);
    struct settings_peer *peer = &s->peers[s->peer_count++];
    memcpy(peer->name, text, name_size);
    peer->name[name_size] = 0;
    strcpy(peer->address, address);
    return OK;
}

static enum err set_peers(struct settings *s, const char *value, struct settings_problem *p)
{
    char copy[VALUE_SIZE_MAX];
    char *rest = copy;
    enum err err = OK;
    snprintf(copy, sizeof copy, "%s", value);
    s->peer_count = 0;
    memset(s->peers, 0, sizeof s->peers);
    for (char *one; !err && (one = strsep(&rest, " ,\t"));)
        if (*one) err = set_peer(s, one, p);
    return err;
}

static bool word_allowed(const struct key_row *row, const char *value)
{
    size_t size = strlen(value);
    if (size == 0) return *row->def == 0;
    for (const char *at = row->words; (at = strstr(at, value)); at += size)
        if ((at == row->words || at[-1] == ' ') && (at[size] == ' ' || !at[size]) &&
            !strchr(value, ' '))
            return true;
    return false;
}

static enum err set_number(uint32_t *to, const struct key_row *row, const char *value,
                           struct settings_problem *p)
{
    size_t digits = strspn(value, "0123456789");
    bool good = digits && digits <= 9 && !value[digits];
    unsigned long v = good ? strtoul(value, NULL, 10) : 0;
    if (!good || v < row->min || v > row->max)
        return complain(p, _("%s: \"%.40s\" is not a number from %u to %u"), row->key, value,
                        (unsigned)row->min, (unsigned)row->max);
    *to = (uint32_t)v;
    return OK;
}

static enum err set_value(struct settings *s, const struct key_row *row, const char *value,
                          struct settings_problem *p)
{
    char *to = (char *)s + row->offset;
    struct address a;
    uint8_t thing[16];
    switch (row->type) {
    case TYPE_ADDRESSES:
        return set_addresses(s, value, p);
    case TYPE_PEERS:
        return set_peers(s, value, p);
    case TYPE_NUMBER:
        return set_number((uint32_t *)(void *)to, row, value, p);
    case TYPE_LISTEN:
        if (*value &&
            (strlen(value) >= ADDRESS_SIZE_MAX || address_parse(&a, value, ADDRESS_LISTEN)))
            return complain(p, _("listen: \"%.60s\" is not tcp://IP:PORT"), value);
        break;
    case TYPE_THING:
        if (*value && hex_decode(thing, sizeof thing, value, strlen(value)))
            return complain(p, _("%s: \"%.40s\" is not an id of 32 hex digits"), row->key, value);
        break;
    case TYPE_WORD:
        if (!word_allowed(row, value))
            return complain(p, _("%s: \"%.40s\" is none of: %s"), row->key, value, row->words);
        break;
    }
    strcpy(to, value); /* each field holds the longest value that passes */
    return OK;
}

static struct settings settings_default(void)
{
    struct settings s = {0};
    struct settings_problem none;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (set_value(&s, &rows[i], rows[i].def, &none)) abort(); /* the table itself is wrong */
    return s;
}

/* --- lines --- */

static struct slice trim(struct slice s)
{
    while (s.size && strchr(" \t\r", s.data[0])) s.data++, s.size--;
    while (s.size && strchr(" \t\r", s.data[s.size - 1])) s.size--;
    return s;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct slice *text, struct slice *line)
{
    if (text->size == 0) return false;
    const uint8_t *end = memchr(text->data, '\n', text->size);
    line->data = text->data;
    line->size = end ? (size_t)(end - text->data) : text->size;
    size_t used = line->size + (end ? 1 : 0);
    text->data += used;
    text->size -= used;
    return true;
}

/* Splits "key = value"; an empty key for comments and blank lines, false without a "=". */
static bool split_line(struct slice line, struct slice *key, struct slice *value)
{
    *key = *value = SLICE_EMPTY;
    line = trim(line);
    if (line.size == 0 || line.data[0] == '#') return true;
    const uint8_t *equals = memchr(line.data, '=', line.size);
    if (!equals) return false;
    *key = trim(slice_of(line.data, (size_t)(equals - line.data)));
    *value = trim(slice_of(equals + 1, (size_t)(line.data + line.size - equals) - 1));
    return key->size != 0;
}

static enum err parse_line(struct settings *s, struct slice line, uint32_t *seen,
                           struct settings_problem *p)
{
    struct slice key, value;
    char text[VALUE_SIZE_MAX];
    if (memchr(line.data, 0, line.size) || !split_line(line, &key, &value)) {
        complain(p, _("\"%.*s\" is not `key = value`"), (int)(line.size < 60 ? line.size : 60),
                 (const char *)line.data);
        return ERR_MALFORMED;
    }
    if (key.size == 0) return OK;
    const struct key_row *row = row_find(key);
    if (!row) {
        complain(p, _("there is no key \"%.*s\""), (int)(key.size < 60 ? key.size : 60),
                 (const char *)key.data);
        return ERR_MALFORMED;
    }
    uint32_t bit = UINT32_C(1) << (row - rows);
    if (*seen & bit) {
        complain(p, _("%s stands here a second time"), row->key);
        return ERR_MALFORMED;
    }
    *seen |= bit;
    if (value.size >= sizeof text) return complain(p, _("%s: the value is too long"), row->key);
    memcpy(text, value.data, value.size);
    text[value.size] = 0;
    return value.size ? set_value(s, row, text, p) : OK;
}

enum err settings_parse(struct settings *out, struct slice text, struct settings_problem *problem)
{
    struct settings s = settings_default();
    struct slice line;
    uint32_t seen = 0;
    _Static_assert(ROW_COUNT <= 32, "a bit for each key");
    *problem = (struct settings_problem){0};
    while (next_line(&text, &line)) {
        problem->line++;
        enum err err = parse_line(&s, line, &seen, problem);
        if (err) return err;
    }
    problem->line = 0;
    if (s.retry_min_s > s.retry_max_s)
        return complain(problem, _("retry_min_s (%u) is greater than retry_max_s (%u)"),
                        (unsigned)s.retry_min_s, (unsigned)s.retry_max_s);
    *out = s;
    return OK;
}

/* --- the file --- */

static enum err config_read(struct buf *text, const char *home, char path[PATH_MAX],
                            struct settings_problem *problem)
{
    *problem = (struct settings_problem){0};
    int size = snprintf(path, PATH_MAX, "%s/config", home);
    enum err err = size < 0 || size >= PATH_MAX ? ERR_LIMIT : OK;
    if (!err) err = file_read(text, path, CONFIG_SIZE_MAX);
    if (err == ERR_NOT_FOUND) return OK;
    if (err) complain(problem, _("the file cannot be read: %s"), err_text(err));
    return err;
}

enum err settings_load(struct settings *out, const char *home, struct settings_problem *problem)
{
    char path[PATH_MAX];
    struct buf text = {0};
    enum err err = config_read(&text, home, path, problem);
    if (!err) err = settings_parse(out, buf_slice(&text), problem);
    buf_clear(&text);
    return err;
}

/* `old` with the line of `key` replaced, left out for an empty value, or added at the end. */
static void config_edit(struct buf *out, struct slice old, const struct key_row *row,
                        const char *value)
{
    struct slice line, key, ignored;
    bool done = false;
    while (next_line(&old, &line)) {
        bool ours = split_line(line, &key, &ignored) && slice_is_text(key, row->key);
        if (!ours) {
            buf_append_slice(out, line);
            buf_append_byte(out, '\n');
        } else if (!done && *value) {
            buf_printf(out, "%s = %s\n", row->key, value);
        }
        if (ours) done = true;
    }
    if (!done && *value) buf_printf(out, "%s = %s\n", row->key, value);
}

enum err settings_set(const char *home, const char *key, const char *value,
                      struct settings_problem *problem)
{
    char path[PATH_MAX];
    struct buf old = {0}, edited = {0};
    struct settings ignored;
    const struct key_row *row = row_find(slice_of_text(key));
    *problem = (struct settings_problem){0};
    if (!row) {
        complain(problem, _("there is no key \"%.60s\""), key);
        return ERR_NOT_FOUND;
    }
    if (strpbrk(value, "\r\n")) return complain(problem, _("%s: one line only"), row->key);
    enum err err = config_read(&old, home, path, problem);
    if (!err) {
        config_edit(&edited, buf_slice(&old), row, value);
        err = edited.err ? edited.err : settings_parse(&ignored, buf_slice(&edited), problem);
    }
    if (!err) err = file_replace(path, buf_slice(&edited), 0600);
    buf_clear(&old);
    buf_clear(&edited);
    return err;
}

uint64_t settings_month_bytes_max(const struct settings *s)
{
    return (uint64_t)s->monthly_limit_mb * 1000000;
}

bool settings_each(size_t index, struct setting *out)
{
    if (index >= ROW_COUNT) return false;
    const struct key_row *row = &rows[index];
    *out = (struct setting){.key = row->key, .zh = row->zh, .en = row->en, .def = row->def};
    return true;
}

void settings_value(const struct settings *s, const char *key, struct buf *out)
{
    const struct key_row *row = row_find(slice_of_text(key));
    assert(row);
    const char *at = (const char *)s + row->offset;
    if (row->type == TYPE_NUMBER) {
        buf_printf(out, "%u", (unsigned)*(const uint32_t *)(const void *)at);
    } else if (row->type == TYPE_ADDRESSES) {
        for (size_t i = 0; i < s->hub_count; i++) buf_printf(out, "%s%s", i ? " " : "", s->hub[i]);
    } else if (row->type == TYPE_PEERS) {
        for (size_t i = 0; i < s->peer_count; i++)
            buf_printf(out, "%s%s%s%s", i ? " " : "", s->peers[i].name,
                       s->peers[i].name[0] ? "=" : "", s->peers[i].address);
    } else {
        buf_append_text(out, at);
    }
}
