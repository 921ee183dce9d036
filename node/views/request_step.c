#include "node/views/request_step.h"

/* A kind without such a field may have an unknown one of that name and of any type. */
static uint64_t read_uint(struct mp_reader *r)
{
    if (mp_peek(r) == MP_UINT) return mp_read_uint(r, UINT64_MAX);
    mp_skip(r);
    return 0;
}

static bool read_bool(struct mp_reader *r)
{
    if (mp_peek(r) == MP_BOOL) return mp_read_bool(r);
    mp_skip(r);
    return false;
}

void request_step_of(struct request_step *out, const struct request_act *act)
{
    struct request_step s = {.act = act, .township = act->roles & ROLES_TOWNSHIP};
    struct mp_reader body = mp_reader_of(act->body);
    uint64_t at = 0;
    for (size_t left = mp_read_map(&body, SIZE_MAX); left && !body.err; left--) {
        struct slice key = mp_read_str(&body, SIZE_MAX);
        if (slice_is_text(key, "at"))
            at = read_uint(&body);
        else if (slice_is_text(key, "due"))
            s.due_ms = read_uint(&body);
        else if (slice_is_text(key, "next_due"))
            s.next_due_ms = read_uint(&body);
        else if (slice_is_text(key, "rules"))
            s.rules = (uint32_t)read_uint(&body);
        else if (slice_is_text(key, "provisional"))
            s.provisional = read_bool(&body);
        else
            mp_skip(&body);
    }
    s.claimed_ms = at ? at : act->time_ms;
    s.clock_ms = s.township ? act->time_ms : s.claimed_ms;
    s.no_clock = !at && act->untrusted;
    *out = s;
}

int request_step_support(const struct request *r, const struct request_step *s)
{
    struct slice unit = body_text(s->act->body, "unit");
    for (size_t i = 0; i < r->support_count; i++)
        if (slice_equal(unit, r->supports[i].unit)) return (int)i;
    return -1;
}
