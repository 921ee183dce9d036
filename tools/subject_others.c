#include "tools/subject_others.h"

#include "node/views/person.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"

#include <string.h>

struct finding {
    struct cli *cli;
    struct txn *txn;
    const struct thing_key *self;
    const struct person *person;
    struct subject_others *out;
    bool phone;
};

static bool is_known(const struct finding *f, const struct thing_key *key)
{
    if (memcmp(key, f->self, sizeof *key) == 0) return true;
    for (size_t i = 0; i < f->out->count; i++)
        if (memcmp(&f->out->items[i].hit.key, key, sizeof *key) == 0) return true;
    return false;
}

/* A name is found by its beginning. */
static bool same_name(const struct finding *f, const struct search_hit *hit)
{
    char name[PERSON_NAME_SIZE];
    return person_name(f->cli->views, f->txn, &hit->key, name) &&
           strcmp(name, f->person->name) == 0;
}

static bool take(void *state, const struct search_hit *hit)
{
    struct finding *f = state;
    if (is_known(f, &hit->key) || (!f->phone && !same_name(f, hit))) return true;
    if (f->out->count == OTHERS_MAX) {
        f->out->more = true;
        return false;
    }
    f->out->items[f->out->count++] = (struct subject_other){*hit, f->phone};
    return true;
}

int subject_others_find(struct cli *cli, struct txn *txn, const struct thing_key *key,
                        struct subject_others *out)
{
    struct person person;
    char digits[PERSON_PHONE_SIZE];
    struct finding f = {
        .cli = cli, .txn = txn, .self = key, .person = &person, .out = out, .phone = true};
    out->count = 0;
    out->more = false;
    enum err e = person_read(cli->views, txn, key, &person);
    if (!e && person_digits(person.phone, digits))
        e = search_phone(txn, slice_of_text(digits), take, &f);
    f.phone = false;
    if (!e && person.name[0]) e = search_name(txn, slice_of_text(person.name), take, &f);
    return e ? cli_fail(cli, e, _("what else is held of the person cannot be looked up")) : EXIT_OK;
}

const char *subject_other_words(struct cli *cli, struct txn *txn, const struct subject_other *o)
{
    char hex[13];
    const char *name = lookup_typed_name(cli, txn, o->hit.type, &o->hit.key);
    const char *type = i18n_is_chinese() ? thing_type_zh(o->hit.type) : thing_type_en(o->hit.type);
    hex_encode(hex, o->hit.key.thing.bytes, 6);
    return cli_format(cli, "%s  %s  %s", *name ? name : hex, type,
                      o->same_phone ? _("same phone") : _("same name only: somebody else?"));
}
