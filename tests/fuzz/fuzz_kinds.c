/* Bodies and boxes of every kind from a hostile peer. The first two bytes choose the kind and how
 * the rest is read: as encoded maps, or as choices from which a body is drawn field by field,
 * mostly right ones, so that rows, choices and what is required unless another field says so are
 * reached. What is drawn without a fault must be taken, whatever is taken must hold for each field.
 */
#include "node/views/body.h"
#include "proto/kinds.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* --- drawing --- */

struct source {
    const uint8_t *at, *end;
    bool faulty; /* something was drawn that may be refused */
};

static uint8_t draw(struct source *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

/* One end of the range, or one beyond it. */
static uint64_t draw_size(struct source *s, const struct field *f)
{
    uint8_t choice = draw(s) % 8;
    s->faulty |= choice == 0 || (choice == 1 && f->min > 0);
    if (choice == 0) return (uint64_t)f->max + 1;
    if (choice == 1 && f->min > 0) return (uint64_t)f->min - 1;
    return choice == 2 ? (uint64_t)f->max : (uint64_t)f->min;
}

static void write_filled(struct mp_writer *w, size_t size, bool text, char with)
{
    static char bytes[KIB(32)];
    must(size <= sizeof bytes);
    memset(bytes, with, size);
    if (text)
        mp_write_str(w, slice_of(bytes, size));
    else
        mp_write_bin(w, bytes, size);
}

static void write_choice(struct source *s, struct mp_writer *w, const struct field *f)
{
    const char *from = f->choices;
    for (uint8_t steps = draw(s) % 16; steps > 0 && strchr(from, '|'); steps--)
        from = strchr(from, '|') + 1;
    mp_write_str(w, slice_of(from, strcspn(from, "|")));
}

static void write_int(struct source *s, struct mp_writer *w, const struct field *f)
{
    uint8_t choice = draw(s) % 4;
    s->faulty |= choice == 0;
    if (choice == 0)
        mp_write_int(w, draw(s) % 2 ? f->max + 1 : f->min - 1);
    else
        mp_write_int(w, choice == 1 ? f->min : choice == 2 ? f->max : 0);
    if (choice == 3) s->faulty |= f->min > 0 || f->max < 0;
}

static void write_other(struct source *s, struct mp_writer *w)
{
    static const char *const texts[] = {"", "2023-02-29", "2024-02-29", "0001-01-01", "yes|no"};
    uint8_t choice = draw(s);
    s->faulty = true;
    if (choice < 32)
        mp_write_nil(w);
    else if (choice < 64)
        mp_write_bool(w, choice % 2);
    else if (choice < 96)
        mp_write_uint(w, choice % 2 ? UINT64_MAX : HLC_MS_MAX + UINT64_C(1));
    else if (choice < 128)
        mp_write_int(w, choice % 2 ? INT64_MIN : -1);
    else if (choice < 160)
        mp_write_text(w, texts[choice % (sizeof texts / sizeof texts[0])]);
    else if (choice < 192)
        mp_write_bin(w, texts, choice % 33);
    else if (choice < 224)
        mp_write_map(w, 0);
    else
        mp_write_array(w, 0);
}

static void write_value(struct source *s, struct mp_writer *w, const struct field *f);

static void write_rows(struct source *s, struct mp_writer *w, const struct field *f)
{
    uint64_t rows = draw_size(s, f);
    struct source row = *s; /* all rows are drawn alike */
    mp_write_array(w, (size_t)rows);
    for (uint64_t i = 0; i < rows; i++) {
        row.at = s->at;
        size_t columns = f->column_count;
        if (draw(&row) == 255) {
            columns--;
            row.faulty = true;
        }
        mp_write_array(w, columns);
        for (size_t c = 0; c < columns; c++)
            if (!f->columns[c].required && draw(&row) % 2)
                mp_write_nil(w);
            else
                write_value(&row, w, &f->columns[c]);
    }
    *s = row;
}

static void write_value(struct source *s, struct mp_writer *w, const struct field *f)
{
    if (draw(s) % 32 == 31) {
        write_other(s, w);
        return;
    }
    switch (f->type) {
    case FIELD_TEXT:
        write_filled(w, (size_t)draw_size(s, f), true, 'a');
        break;
    case FIELD_UINT:
        mp_write_uint(w, draw_size(s, f));
        break;
    case FIELD_BOOL:
        mp_write_bool(w, draw(s) % 2);
        break;
    case FIELD_DATE:
        mp_write_text(w, draw(s) % 2 ? "2024-02-29" : "2025-11-23");
        break;
    case FIELD_TIME:
        mp_write_uint(w, draw(s) % 2 ? HLC_MS_MAX : 0);
        break;
    case FIELD_CHOICE:
        write_choice(s, w, f);
        break;
    case FIELD_CODE:
        write_filled(w, (size_t)draw_size(s, f), true, '4');
        break;
    case FIELD_THING:
        write_filled(w, sizeof(struct thing_id), false, 't');
        break;
    case FIELD_BYTES:
        write_filled(w, (size_t)draw_size(s, f), false, 'b');
        break;
    case FIELD_LIST: {
        size_t count = (size_t)draw_size(s, f), item = draw(s) % 16 ? 1 : FIELD_LIST_ITEM_MAX;
        mp_write_array(w, count);
        for (size_t i = 0; i < count; i++) write_filled(w, item, true, 'l');
        break;
    }
    case FIELD_INT:
        write_int(s, w, f);
        break;
    case FIELD_ROWS:
        write_rows(s, w, f);
        break;
    }
}

/* --- checking --- */

static void must_hold(const struct kind *k, struct slice map, bool personal)
{
    struct mp_reader value;
    for (size_t i = 0; map.size && i < k->field_count; i++) {
        if (!mp_map_get(map, k->fields[i].name, &value)) continue;
        must(k->fields[i].personal == personal);
        struct slice bytes = mp_skip(&value);
        must(!value.err && field_check(&k->fields[i], bytes) == NULL);
    }
}

/* What is kept of a body: fields of the kind and no others, each as it was. */
static void must_be_known(const struct kind *k, struct slice body)
{
    struct buf kept = {0};
    struct mp_reader value;
    body_known(&kept, k, body);
    must(!kept.err && mp_scan_whole(buf_slice(&kept)) == OK);
    struct mp_reader r = mp_reader_of(buf_slice(&kept));
    size_t known = 0, count = mp_read_map(&r, SIZE_MAX);
    for (size_t i = 0; i < k->field_count; i++) {
        if (!mp_map_get(body, k->fields[i].name, &value)) continue;
        struct slice was = mp_skip(&value);
        must(mp_map_get(buf_slice(&kept), k->fields[i].name, &value));
        must(slice_equal(mp_skip(&value), was));
        known++;
    }
    must(known == count);
    buf_clear(&kept);
}

static enum err check(const struct kind *k, struct slice body, struct slice box)
{
    struct kind_problem problem = {.what = ""};
    enum err err = kind_check(k, body, box, false, &problem);
    must(err == OK || (err == ERR_RANGE && problem.what[0]));
    for (int scope = 0; scope <= SCOPE_OFFICE; scope++)
        must(kind_check_scope(k, (enum scope_class)scope, body, &problem) == OK || problem.what[0]);
    if (err) return err;
    must_hold(k, body, false);
    must_hold(k, box, true);
    must_be_known(k, body);
    must(kind_check(k, body, SLICE_EMPTY, true, &problem) == OK);
    return OK;
}

static void try_maps(const struct kind *k, struct slice in)
{
    size_t used = 0;
    if (mp_scan(in, &used) != OK) return;
    struct slice box = slice_of(in.data + used, in.size - used);
    if (box.size && mp_scan_whole(box) != OK) return;
    enum err err = check(k, slice_of(in.data, used), box);
    (void)err;
}

static void try_drawn(const struct kind *k, struct slice in)
{
    struct source s = {in.data, in.data + in.size, false};
    struct mp_map body = {0}, box = {0};
    struct buf body_bytes = {0}, box_bytes = {0};
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        bool left_out = draw(&s) % 8 == 7;
        if (left_out) {
            s.faulty |= f->required || f->unless;
            continue;
        }
        struct mp_writer w = mp_map_put(f->personal ? &box : &body, f->name);
        write_value(&s, &w, f);
    }
    if (draw(&s) % 4 == 3) {
        struct mp_writer w = mp_map_put(&body, "of_a_later_version");
        mp_write_uint(&w, 1);
    }
    must(mp_map_end(&body, &body_bytes) == OK && mp_map_end(&box, &box_bytes) == OK);
    must(mp_scan_whole(buf_slice(&body_bytes)) == OK);
    enum err err = check(k, buf_slice(&body_bytes), buf_slice(&box_bytes));
    must(err == OK || s.faulty);
    mp_map_clear(&body);
    mp_map_clear(&box);
    buf_clear(&body_bytes);
    buf_clear(&box_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static size_t kinds;
    while (kind_at(kinds)) kinds++;
    if (size < 2) return 0;
    const struct kind *k = kind_at(data[0] % kinds);
    struct slice in = slice_of(data + 2, size - 2);
    if (data[1] % 2)
        try_maps(k, in);
    else
        try_drawn(k, in);
    return 0;
}
