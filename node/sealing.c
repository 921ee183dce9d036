#include "node/sealing.h"

#include "common/i18n.h"
#include "common/time.h"
#include "proto/seal.h"

uint64_t sealing_day(uint64_t time)
{
    return HLC_MAKE(time_day_ms(time_day(HLC_MS(time)), 0), 0, HLC_UNTRUSTED(time));
}

static enum err check(const struct draft *draft, struct kind_problem *problem)
{
    const struct kind *kind = kind_find(slice_of_text(draft->kind));
    if (!kind || !kind->founding || kind->thing == THING_SEALED) {
        *problem = (struct kind_problem){.what = N_("cannot be sealed")};
        return ERR_RANGE;
    }
    return kind_check(kind, draft->body, draft->box, false, problem);
}

/* The box of the event: the sealed bytes, and no other key. */
static enum err close_box(struct buf *out, const struct seal_content *content,
                          const struct box_key *office)
{
    struct zstd *z = NULL;
    struct buf sealed = {0};
    struct mp_writer w = {out};
    enum err err = zstd_open(&z);
    if (!err) err = seal_write(&sealed, z, content, office);
    if (!err) {
        mp_write_map(&w, 1);
        mp_write_text(&w, "sealed");
        mp_write_bin(&w, sealed.data, sealed.size);
        err = out->err;
    }
    buf_clear(&sealed);
    zstd_close(z);
    return err;
}

enum err sealing_make(struct sealing *out, const struct draft *draft, const struct box_key *office,
                      uint64_t time, struct kind_problem *problem)
{
    struct buf body = {0};
    struct seal_content content = {
        .kind = slice_of_text(draft->kind),
        .time = time,
        .has_by = draft->has_by,
        .by = draft->by,
        .box = draft->box,
    };
    *out = (struct sealing){0};
    if (mp_scan_whole_depth(draft->body, EVENT_BODY_DEPTH_MAX) ||
        (draft->box.size && mp_scan_whole_depth(draft->box, EVENT_BOX_DEPTH_MAX)))
        return ERR_MALFORMED;
    enum err err = check(draft, problem);
    if (!err) err = mp_map_with(&body, draft->body, "number", SLICE_EMPTY);
    content.body = buf_slice(&body);
    if (!err) err = close_box(&out->box, &content, office);
    if (err == ERR_LIMIT) *problem = (struct kind_problem){.what = N_("is too long to be sealed")};
    seal_wipe(&body);
    out->draft = (struct draft){
        .kind = KIND_SEALED,
        .scope = scope_office(),
        .lane = LANE_NORMAL,
        .founding = true,
        .sealed = true,
        .box = buf_slice(&out->box),
    };
    return err;
}

void sealing_clear(struct sealing *s)
{
    buf_clear(&s->box);
    *s = (struct sealing){0};
}
