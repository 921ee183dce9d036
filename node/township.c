#include "node/township.h"

#include <string.h>
#include <strings.h>

static void put_text(struct mp_map *m, const char *key, const char *text)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_text(&w, text);
}

static void put_uint(struct mp_map *m, const char *key, uint64_t v)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_uint(&w, v);
}

static void put_bytes(struct mp_map *m, const char *key, const void *data, size_t size)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_bin(&w, data, size);
}

/* Ends the map into `body` and gives its memory back. */
static enum err finish(struct mp_map *m, struct buf *body)
{
    enum err e = mp_map_end(m, body);
    mp_map_clear(m);
    return e;
}

static void put_heads(struct mp_map *m, const struct head_named *heads, size_t count)
{
    struct mp_writer w = mp_map_put(m, "heads");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, 3);
        mp_write_bin(&w, heads[i].feed8, sizeof heads[i].feed8);
        mp_write_uint(&w, heads[i].seq);
        mp_write_bin(&w, heads[i].id16, sizeof heads[i].id16);
    }
}

enum err township_founded_write(struct buf *body, const struct township_founding *f)
{
    struct mp_map m = {0};
    put_text(&m, "name", f->name);
    put_bytes(&m, "recovery", f->recovery.bytes, sizeof f->recovery.bytes);
    put_bytes(&m, "office", f->office.bytes, sizeof f->office.bytes);
    return finish(&m, body);
}

enum err township_replaced_write(struct buf *body, const struct township_replacement *r)
{
    struct mp_map m = {0};
    put_bytes(&m, "key", r->key.bytes, sizeof r->key.bytes);
    put_bytes(&m, "recovery", r->recovery.bytes, sizeof r->recovery.bytes);
    put_heads(&m, r->heads, r->head_count);
    return finish(&m, body);
}

enum err township_revoked_write(struct buf *body, const char *reason,
                                const struct head_named *heads, size_t count)
{
    struct mp_map m = {0};
    put_text(&m, "reason", reason);
    put_heads(&m, heads, count);
    return finish(&m, body);
}

enum err township_office_write(struct buf *body, const struct box_key *office)
{
    struct mp_map m = {0};
    put_bytes(&m, "office", office->bytes, sizeof office->bytes);
    return finish(&m, body);
}

enum err township_listens_write(struct buf *body, const char *const *addresses, size_t count)
{
    struct mp_map m = {0};
    struct mp_writer w = mp_map_put(&m, "addresses");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) mp_write_text(&w, addresses[i]);
    return finish(&m, body);
}

enum err township_series_write(struct buf *body, const struct sign_key *hub)
{
    struct mp_map m = {0};
    put_bytes(&m, "device", hub->bytes, sizeof hub->bytes);
    return finish(&m, body);
}

enum err township_village_write(struct buf *body, const struct township_village *v)
{
    struct mp_map m = {0};
    put_text(&m, "code", v->village.code);
    put_text(&m, "name", v->village.name);
    put_text(&m, "short_name", v->village.short_name);
    put_text(&m, "pinyin", v->village.pinyin);
    put_text(&m, "type", v->type);
    put_uint(&m, "number", v->village.number);
    return finish(&m, body);
}

static void put_letter(struct mp_map *m, char letter)
{
    put_text(m, "letter", (char[2]){letter, '\0'});
}

enum err township_hub_write(struct buf *body, const struct township_hub *hub)
{
    struct mp_map m = {0};
    put_bytes(&m, "key", hub->key.bytes, sizeof hub->key.bytes);
    put_bytes(&m, "transport", hub->transport.bytes, sizeof hub->transport.bytes);
    put_text(&m, "name", hub->name);
    put_uint(&m, "roles", ROLES_TOWNSHIP & ~(uint32_t)ROLE_MIRROR);
    put_letter(&m, 'A');
    put_bytes(&m, "office_secret", hub->office_secret.data, hub->office_secret.size);
    return finish(&m, body);
}

enum err township_invited_write(struct buf *body, const struct invite *invite, char letter)
{
    struct signer once;
    struct box_key transport;
    signer_from_seed(&once, &invite->seed);
    box_key_of_secret(&transport, &invite->transport);

    struct mp_map m = {0};
    put_bytes(&m, "invite", once.key.bytes, sizeof once.key.bytes);
    put_bytes(&m, "transport", transport.bytes, sizeof transport.bytes);
    put_bytes(&m, "acceptor", invite->acceptor.bytes, sizeof invite->acceptor.bytes);
    if (invite->village[0] != '\0') {
        put_text(&m, "village", invite->village);
    }
    put_text(&m, "name", invite->device_name);
    put_uint(&m, "roles", invite->roles);
    put_letter(&m, letter);
    put_uint(&m, "expires", invite->expires_ms);
    signer_clear(&once);
    return finish(&m, body);
}

static const char *village_problem(const struct village *v)
{
    if (!village_code_valid(v->code, strlen(v->code))) {
        return "code is not 12 digits";
    }
    if (v->name[0] == '\0') {
        return "name is missing";
    }
    if (v->number < 1 || v->number > 999) {
        return "number is not 1 to 999";
    }
    return NULL;
}

enum err township_villages_check(const struct township_village *villages, size_t count, size_t *bad,
                                 const char **what)
{
    for (size_t i = 0; i < count; i++) {
        const struct village *v = &villages[i].village;
        *bad = i;
        *what = village_problem(v);
        if (*what != NULL) {
            return ERR_RANGE;
        }
        for (size_t j = 0; j < i; j++) {
            const struct village *earlier = &villages[j].village;
            if (strcmp(earlier->code, v->code) == 0) {
                *what = "code is there twice";
                return ERR_EXISTS;
            }
            if (earlier->number == v->number) {
                *what = "number is there twice";
                return ERR_EXISTS;
            }
        }
    }
    return OK;
}

enum err township_next_letter(const struct roster *roster, const char *village, char *letter)
{
    char next = 'A';
    for (size_t i = 0; i < roster->device_count; i++) {
        const struct device *d = &roster->devices[i];
        if (strcmp(d->village, village) == 0 && d->letter >= next) {
            next = (char)(d->letter + 1);
        }
    }
    if (next > 'Z') {
        return ERR_LIMIT;
    }
    *letter = next;
    return OK;
}

bool township_village_sounds(const struct village *v, struct slice text)
{
    static const char *const endings[] = {"村", "社区"};
    size_t size = strlen(v->short_name);
    if (text.size == strlen(v->pinyin) && text.size > 0 &&
        strncasecmp((const char *)text.data, v->pinyin, text.size) == 0) {
        return true;
    }
    if (text.size <= size || memcmp(text.data, v->short_name, size) != 0) {
        return false;
    }
    struct slice rest = slice_of(text.data + size, text.size - size);
    return slice_is_text(rest, endings[0]) || slice_is_text(rest, endings[1]);
}

enum err township_find_village(const struct roster *roster, struct slice text,
                               const struct village **out)
{
    const struct village *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < roster->village_count; i++) {
        const struct village *v = &roster->villages[i];
        if (slice_is_text(text, v->code) || slice_is_text(text, v->name) ||
            slice_is_text(text, v->short_name)) {
            *out = v;
            return OK;
        }
        if (township_village_sounds(v, text)) {
            found = v;
            count++;
        }
    }
    if (count != 1) {
        return count > 1 ? ERR_AMBIGUOUS : ERR_NOT_FOUND;
    }
    *out = found;
    return OK;
}
