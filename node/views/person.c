#include "node/views/person.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "node/views/body.h"
#include "node/views/numbers.h"
#include "node/views/request.h"
#include "node/views/search.h"
#include "node/views/state.h"

enum { ID_NIBBLES_MIN = 6, FOUND_MAX = 16, PHONE_DIGITS_MIN = 5 };

/* --- what the boxes say -------------------------------------------------------------------- */

/* The newest comes first, so what is there already stays. */
static void take_older(char *out, size_t size, const struct event *e, const char *field)
{
    struct mp_reader value;
    bool corrects = slice_is_text(e->kind, "correct.entry") &&
                    slice_is_text(body_text(e->body, "field"), field);
    if (out[0] || !mp_map_get(e->box, corrects ? "personal_value" : field, &value)) return;
    struct slice text = mp_read_str(&value, SIZE_MAX);
    if (text.size) text_copy(out, size, text);
}

enum err person_read(struct views *v, struct txn *t, const struct thing_key *key,
                     struct person *out)
{
    memset(out, 0, sizeof *out);
    enum err err = views_fold_begin(v, t);
    if (err) return err;
    struct fold *f = &v->fold;
    err = fold_thing(f, t, key, NULL);
    if (err) return err;
    if (!f->count) return ERR_NOT_FOUND;
    struct buf box = {0};
    for (size_t i = f->count; i-- > 0;) {
        struct event e = f->order[i]->event;
        buf_reset(&box);
        if (f->order[i]->effect != EFFECT_COUNTS || log_open_box(t, &e, &box) ||
            e.box_state != BOX_HERE)
            continue;
        take_older(out->name, sizeof out->name, &e, "name");
        take_older(out->phone, sizeof out->phone, &e, "phone");
        take_older(out->place, sizeof out->place, &e, "place");
        take_older(out->skills, sizeof out->skills, &e, "skills");
    }
    crypto_buf_wipe(&box);
    return OK;
}

bool person_name(struct views *v, struct txn *t, const struct thing_key *key,
                 char out[PERSON_NAME_SIZE])
{
    struct person person;
    out[0] = 0;
    if (person_read(v, t, key, &person) == OK) memcpy(out, person.name, sizeof person.name);
    return out[0] != 0;
}

bool person_phone(struct views *v, struct txn *t, const struct thing_key *key,
                  char out[PERSON_PHONE_SIZE])
{
    struct person person;
    out[0] = 0;
    if (person_read(v, t, key, &person) == OK) memcpy(out, person.phone, sizeof person.phone);
    return out[0] != 0;
}

/* --- who is meant -------------------------------------------------------------------------- */

bool person_of_id(struct txn *t, const struct thing_id *id, struct thing *out)
{
    return thing_of_id(t, THING_VOLUNTEER, id, out);
}

bool person_digits(const char *phone, char out[PERSON_PHONE_SIZE])
{
    size_t size = 0;
    for (; *phone && size + 1 < PERSON_PHONE_SIZE; phone++)
        if (*phone >= '0' && *phone <= '9') out[size++] = *phone;
    out[size] = 0;
    if (size == 13 && memcmp(out, "86", 2) == 0) memmove(out, out + 2, 12);
    return size > 0;
}

bool person_phone_usable(struct slice phone)
{
    size_t digits = 0;
    for (size_t i = 0; i < phone.size; i++) {
        bool digit = phone.data[i] >= '0' && phone.data[i] <= '9';
        if (!digit && (!phone.data[i] || !strchr(" +-()/,;", phone.data[i]))) return false;
        digits += digit;
    }
    return digits >= PHONE_DIGITS_MIN;
}

/* The only one, those in service before those who left. */
struct choosing {
    struct views *views;
    struct txn *txn;
    struct slice name, digits; /* one of them, to be exact about; both empty: an id */
    size_t active, left;
    struct thing_key found_active, found_left;
    enum err err;
};

static void choose(struct choosing *c, const struct thing_key *key)
{
    struct thing thing;
    if (thing_get(c->txn, THING_VOLUNTEER, key, &thing) != OK) return;
    bool left = strcmp(thing_state_name(THING_VOLUNTEER, thing.state), "left") == 0;
    if (left) {
        c->left++;
        c->found_left = *key;
    } else {
        c->active++;
        c->found_active = *key;
    }
}

static bool take_hit(void *state, const struct search_hit *hit)
{
    struct choosing *c = state;
    struct person person;
    if (hit->type != THING_VOLUNTEER) return true;
    c->err = person_read(c->views, c->txn, &hit->key, &person);
    if (c->err) return false;
    bool meant = c->name.size ? slice_is_text(c->name, person.name)
                              : search_phone_ends(slice_of_text(person.phone), c->digits);
    if (meant) choose(c, &hit->key);
    return true;
}

static MUST_CHECK enum err chosen(const struct choosing *c, struct thing_key *out)
{
    if (c->err) return c->err;
    size_t count = c->active ? c->active : c->left;
    if (count != 1) return count ? ERR_AMBIGUOUS : ERR_NOT_FOUND;
    *out = c->active ? c->found_active : c->found_left;
    return OK;
}

static MUST_CHECK enum err find_id(struct choosing *c, struct slice text, struct thing_key *out)
{
    struct thing_key found[FOUND_MAX];
    uint8_t prefix[sizeof(struct thing_id)] = {0};
    char padded[2 * sizeof prefix + 1];
    if (text.size < ID_NIBBLES_MIN || text.size > 2 * sizeof prefix) return ERR_NOT_FOUND;
    memset(padded, '0', sizeof padded);
    memcpy(padded, text.data, text.size);
    if (hex_decode(prefix, sizeof prefix, padded, 2 * sizeof prefix) != OK) return ERR_NOT_FOUND;
    size_t count = thing_find_prefix(c->txn, prefix, text.size, found, FOUND_MAX);
    if (count == FOUND_MAX) return ERR_AMBIGUOUS;
    for (size_t i = 0; i < count; i++) choose(c, &found[i]);
    return chosen(c, out);
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.size > 0;
}

enum err person_find(struct views *v, struct txn *t, struct slice text, struct thing_key *out)
{
    struct choosing by_text = {.views = v, .txn = t}, by_id = by_text;
    struct thing thing;
    enum err err = request_find_number(t, text, out);
    if (!err) err = thing_get(t, THING_VOLUNTEER, out, &thing);
    if (err != ERR_NOT_FOUND) return err;
    if (all_digits(text)) {
        by_text.digits = text;
        err = search_phone(t, text, take_hit, &by_text);
    } else {
        by_text.name = text;
        err = search_name(t, text, take_hit, &by_text);
    }
    if (!err) err = chosen(&by_text, out);
    return err == ERR_NOT_FOUND ? find_id(&by_id, text, out) : err;
}

/* --- consent ------------------------------------------------------------------------------- */

bool person_consents(const struct thing *volunteer, const char *purpose)
{
    struct mp_reader r = mp_reader_of(volunteer->acts);
    struct thing_act act;
    bool stands = false;
    while (thing_act_next(&r, &act)) {
        bool gives = slice_is_text(act.kind, "consent.give");
        if (!gives && !slice_is_text(act.kind, "consent.withdraw")) continue;
        if (slice_is_text(body_text(act.body, "purpose"), purpose)) stands = gives;
    }
    return stands;
}

/* --- numbers ------------------------------------------------------------------------------- */

enum err person_next_number(struct txn *t, const struct roster *roster, const struct device *device,
                            char out[16])
{
    unsigned number = 0; /* of the township's own devices */
    if (!device_is_township(device)) {
        const struct village *village = roster_village(roster, device->village);
        if (!village) return ERR_NOT_FOUND;
        number = village->number;
    }
    char series[NUMBER_SERIES_SIZE_MAX + 1];
    uint64_t next;
    snprintf(series, sizeof series, "%02u%cV", number % 1000, device->letter);
    enum err err = numbers_next(t, series, &next);
    if (!err) snprintf(out, 16, "%.7s-%04u", series, (unsigned)(next % 10000000));
    return err;
}
