/* The township's own thing: who its authorities are, one after the other, and its office keys. */
#include "node/views/roster_fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "node/views/body.h"
#include "node/views/fold_types.h"

/* --- the row ------------------------------------------------------------------------------- */

enum err roster_fold_read_cuts(struct mp_reader *r, struct roster *out, uint32_t *at,
                               uint32_t *cut_count)
{
    size_t count = mp_read_array(r, CUT_HEADS_MAX);
    *at = (uint32_t)out->cut_count;
    *cut_count = 0;
    if (r->err || !count) return OK;
    struct head_named *cuts = realloc(out->cuts, (out->cut_count + count) * sizeof *cuts);
    if (!cuts) return ERR_NOMEM;
    out->cuts = cuts;
    for (size_t i = 0; i < count; i++) {
        struct head_named *h = &cuts[out->cut_count++];
        *h = (struct head_named){.seq = 0};
        mp_read_array(r, 3);
        mp_read_bin_exact(r, h->feed8, sizeof h->feed8);
        h->seq = mp_read_uint(r, UINT64_MAX);
        mp_read_bin_exact(r, h->id16, sizeof h->id16);
    }
    *cut_count = (uint32_t)count;
    return OK;
}

static enum err read_authorities(struct mp_reader *r, struct roster *out)
{
    size_t count = mp_read_array(r, AUTHORITIES_MAX);
    if (r->err || !count) return ERR_CORRUPT;
    struct authority *all = calloc(count, sizeof *all);
    if (!all) return ERR_NOMEM;
    free(out->authorities);
    out->authorities = all;
    out->authority_count = count;
    enum err err = OK;
    for (size_t i = 0; i < count && !err; i++) {
        mp_read_array(r, 3);
        mp_read_bin_exact(r, all[i].key.bytes, sizeof all[i].key.bytes);
        mp_read_bin_exact(r, all[i].recovery.bytes, sizeof all[i].recovery.bytes);
        err = roster_fold_read_cuts(r, out, &all[i].cuts_at, &all[i].cut_count);
    }
    return err;
}

static enum err read_offices(struct mp_reader *r, struct roster *out)
{
    size_t count = mp_read_array(r, OFFICE_KEYS_MAX);
    if (r->err || !count) return OK;
    out->offices_earlier = calloc(count, sizeof *out->offices_earlier);
    if (!out->offices_earlier) return ERR_NOMEM;
    out->office_earlier_count = count;
    for (size_t i = 0; i < count; i++)
        mp_read_bin_exact(r, out->offices_earlier[i].bytes, sizeof out->offices_earlier[i].bytes);
    return OK;
}

static enum err read_series(struct mp_reader *r, struct roster *out)
{
    size_t count = mp_read_array(r, SERIES_MOVES_MAX);
    if (r->err || !count) return OK;
    out->series = calloc(count, sizeof *out->series);
    if (!out->series) return ERR_NOMEM;
    out->series_count = count;
    for (size_t i = 0; i < count; i++)
        mp_read_bin_exact(r, out->series[i].bytes, sizeof out->series[i].bytes);
    return OK;
}

enum err roster_fold_read_township(struct roster *out, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    struct sign_key recovery;
    if (mp_read_array(&r, 6) != 6) return ERR_CORRUPT;
    text_copy(out->township_name, sizeof out->township_name,
              mp_read_str(&r, sizeof out->township_name - 1));
    mp_read_bin_exact(&r, recovery.bytes, sizeof recovery.bytes);
    mp_read_bin_exact(&r, out->office.bytes, sizeof out->office.bytes);
    enum err err = read_authorities(&r, out);
    if (!err) err = read_offices(&r, out);
    if (!err) err = read_series(&r, out);
    if (err) return err;
    return mp_read_end(&r) == OK ? OK : ERR_CORRUPT;
}

/* --- the fold ------------------------------------------------------------------------------ */

struct reign {
    struct sign_key key, recovery;
    struct slice heads; /* that count of it, encoded; empty: it is in force */
};

struct succession {
    struct reign reigns[AUTHORITIES_MAX];
    size_t reign_count;
    struct box_key offices[OFFICE_KEYS_MAX + 1]; /* the newest last */
    size_t office_count;
    struct sign_key series[SERIES_MOVES_MAX];
    size_t series_count;
    uint8_t founded8[8]; /* of the feed that the township was founded in */
};

static bool is_of_reigns(const struct succession *s, const struct sign_key *key, bool recovery)
{
    for (size_t i = 0; i < s->reign_count; i++)
        if (sign_key_equal(recovery ? &s->reigns[i].recovery : &s->reigns[i].key, key)) return true;
    return false;
}

static bool is_known(const struct succession *s, const struct sign_key *key)
{
    return is_of_reigns(s, key, true) || is_of_reigns(s, key, false);
}

/* Without the feed that it was founded in there would be no township. */
static bool keeps_the_founding(const struct succession *s, struct slice body)
{
    size_t count;
    struct mp_reader r = body_rows(body, "heads", &count);
    for (size_t i = 0; i < count; i++) {
        mp_read_array(&r, 3);
        struct slice feed8 = mp_read_bin(&r, SIZE_MAX);
        mp_skip(&r);
        mp_skip(&r);
        if (slice_equal(feed8, slice_of(s->founded8, sizeof s->founded8))) return true;
    }
    return false;
}

/* Only the recovery key in force names the next authority, so of two that it named the first in
 * fold order stands. */
static void replace(struct succession *s, struct fold_item *item)
{
    const struct event *e = &item->event;
    struct reign *now = &s->reigns[s->reign_count - 1], next = {.heads = SLICE_EMPTY};
    struct mp_reader heads;
    body_bytes(e->body, "key", next.key.bytes, sizeof next.key.bytes);
    body_bytes(e->body, "recovery", next.recovery.bytes, sizeof next.recovery.bytes);
    if (!is_of_reigns(s, &e->feed.author, true)) {
        fold_mark(item, EFFECT_FORBIDDEN, N_("only the recovery key replaces the authority"));
    } else if (!sign_key_equal(&e->feed.author, &now->recovery)) {
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("this recovery key was used already"));
    } else if (s->reign_count == AUTHORITIES_MAX) {
        fold_mark(item, EFFECT_LIMIT, N_("the authority was replaced too often"));
    } else if (is_known(s, &next.key) || is_known(s, &next.recovery) ||
               sign_key_equal(&next.key, &next.recovery)) {
        fold_mark(item, EFFECT_BAD_FIELD, N_("a key of the township that was used before"));
    } else if (s->reign_count == 1 && !keeps_the_founding(s, e->body)) {
        fold_mark(item, EFFECT_BAD_FIELD, N_("it leaves out the founding of the township"));
    } else if (mp_map_get(e->body, "heads", &heads)) {
        now->heads = mp_skip(&heads);
        s->reigns[s->reign_count++] = next;
    }
}

static void change_office(struct succession *s, struct fold_item *item)
{
    const struct event *e = &item->event;
    struct box_key office = {{0}};
    body_bytes(e->body, "office", office.bytes, sizeof office.bytes);
    bool used = false;
    for (size_t i = 0; i < s->office_count; i++) used |= box_key_equal(&s->offices[i], &office);
    if (!is_of_reigns(s, &e->feed.author, false))
        fold_mark(item, EFFECT_FORBIDDEN, N_("only the authority changes the office's key"));
    else if (used)
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("this office key was used before"));
    else if (s->office_count > OFFICE_KEYS_MAX)
        fold_mark(item, EFFECT_LIMIT, N_("the office's key was changed too often"));
    else
        s->offices[s->office_count++] = office;
}

/* To whom, this fold cannot say: devices are folded by what it says. A key that no hub has gives no
 * numbers. */
static void move_series(struct succession *s, struct fold_item *item)
{
    const struct event *e = &item->event;
    struct sign_key device = {{0}};
    body_bytes(e->body, "device", device.bytes, sizeof device.bytes);
    const struct sign_key *last = s->series_count ? &s->series[s->series_count - 1] : NULL;
    if (!is_of_reigns(s, &e->feed.author, false))
        fold_mark(item, EFFECT_FORBIDDEN, N_("only the authority moves the official numbers"));
    else if (last && sign_key_equal(last, &device))
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("this hub gives the official numbers already"));
    else if (s->series_count == SERIES_MOVES_MAX)
        fold_mark(item, EFFECT_LIMIT, N_("the official numbers were moved too often"));
    else
        s->series[s->series_count++] = device;
}

static void township_write(struct buf *out, struct slice name, const struct succession *s)
{
    static const uint8_t none[] = {0x90};
    const struct reign *now = &s->reigns[s->reign_count - 1];
    const struct box_key *office = &s->offices[s->office_count - 1];
    struct mp_writer w = {out};
    mp_write_array(&w, 6);
    mp_write_str(&w, name);
    mp_write_bin(&w, now->recovery.bytes, sizeof now->recovery.bytes);
    mp_write_bin(&w, office->bytes, sizeof office->bytes);
    mp_write_array(&w, s->reign_count);
    for (size_t i = 0; i < s->reign_count; i++) {
        const struct reign *r = &s->reigns[i];
        mp_write_array(&w, 3);
        mp_write_bin(&w, r->key.bytes, sizeof r->key.bytes);
        mp_write_bin(&w, r->recovery.bytes, sizeof r->recovery.bytes);
        mp_write_raw(&w, r->heads.size ? r->heads : slice_of(none, sizeof none));
    }
    mp_write_array(&w, s->office_count - 1);
    for (size_t i = 0; i + 1 < s->office_count; i++)
        mp_write_bin(&w, s->offices[i].bytes, sizeof s->offices[i].bytes);
    mp_write_array(&w, s->series_count);
    for (size_t i = 0; i < s->series_count; i++)
        mp_write_bin(&w, s->series[i].bytes, sizeof s->series[i].bytes);
}

void roster_fold_township(struct fold *f)
{
    struct fold_item *founder = f->order[0];
    const struct event *e = &founder->event;
    if (founder->effect != EFFECT_COUNTS) return;
    if (!sign_key_equal(&e->feed.author, &f->authority)) {
        fold_mark(founder, EFFECT_FORBIDDEN, N_("its author's role or scope does not allow it"));
        return;
    }
    struct succession s = {.reigns = {{.key = f->authority}}, .reign_count = 1, .office_count = 1};
    struct feed_id id;
    feed_id_of(&id, &e->feed);
    memcpy(s.founded8, id.bytes, sizeof s.founded8);
    body_bytes(e->body, "recovery", s.reigns[0].recovery.bytes, sizeof s.reigns[0].recovery.bytes);
    body_bytes(e->body, "office", s.offices[0].bytes, sizeof s.offices[0].bytes);
    size_t at = 0;
    for (struct fold_item *item; (item = fold_next(f, &at)) != NULL;) {
        if (slice_is_text(item->event.kind, "authority.replaced"))
            replace(&s, item);
        else if (slice_is_text(item->event.kind, "office.rotated"))
            change_office(&s, item);
        else if (slice_is_text(item->event.kind, "series.moved"))
            move_series(&s, item);
    }
    township_write(&f->row, body_text(e->body, "name"), &s);
}
