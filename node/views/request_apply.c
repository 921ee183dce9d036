#include "node/views/request_apply.h"

#include "common/time.h"
#include "node/office/calendar.h"
#include "node/views/body.h"

/* --- parts of several acts ---------------------------------------------------------------- */

void request_apply_judge(struct request *r, enum request_clock clock, uint64_t deadline_ms,
                         uint64_t at_ms)
{
    r->timing[clock] = !deadline_ms          ? TIMING_UNKNOWN
                       : at_ms > deadline_ms ? TIMING_LATE
                                             : TIMING_IN_TIME;
}

void request_apply_no_deadline(struct request *r)
{
    r->next_due_ms = 0;
    r->next_due_provisional = false;
}

void request_apply_deadline(struct request *r, const struct request_step *s)
{
    r->next_due_ms = s->next_due_ms;
    r->next_due_provisional = s->next_due_ms && s->provisional;
    if (s->rules) r->rules = s->rules;
}

static uint64_t moment(struct request *r, const struct request_step *s)
{
    r->untrusted |= s->act->untrusted;
    return s->clock_ms;
}

static void set_due(struct request *r, const struct request_step *s)
{
    r->due_ms = s->due_ms;
    r->due_provisional = s->due_ms && s->provisional;
    if (s->rules) r->rules = s->rules;
}

static void unsign(struct request *r)
{
    r->signer_by = (struct thing_id){{0}};
    r->signed_ms = 0;
    r->timing[CLOCK_SIGN] = TIMING_UNKNOWN;
}

/* Each order is signed for and can be extended once. */
static void order_anew(struct request *r)
{
    unsign(r);
    r->extend_to_ms = 0;
    r->extended = false;
}

static void order_end(struct request *r)
{
    order_anew(r);
    r->holder = SLICE_EMPTY;
    r->support_count = 0;
}

static void callbacks_clear(struct request *r)
{
    r->callbacks_failed = r->failed_first_day = r->failed_last_day = 0;
    r->callback_reached = false;
    r->solved = SOLVED_UNKNOWN;
    r->contacted_in_time = TIMING_UNKNOWN;
    r->rating = 0;
    r->timing[CLOCK_CALLBACK] = TIMING_UNKNOWN;
}

static void set_reporter(struct request *r, const struct request_step *s)
{
    r->has_reporter = true;
    r->reporter = s->act->author;
    r->reporter_has_by = s->act->has_by;
    r->reporter_by = s->act->by;
    r->reported_ms = moment(r, s);
    callbacks_clear(r);
}

/* --- before an order ---------------------------------------------------------------------- */

void request_apply_answer(struct request *r, const struct request_step *s)
{
    r->answered = true;
    r->township |= s->township;
    r->accepted_ms = moment(r, s);
    set_reporter(r, s);
}

void request_apply_accept(struct request *r, const struct request_step *s)
{
    struct slice category = body_text(s->act->body, "category");
    if (category.size) r->category = category;
    r->official_number = body_text(s->act->body, "official_no");
    r->class = body_text(s->act->body, "class");
    r->township = s->township;
    r->accepted_ms = moment(r, s);
    r->number_due = s->township && !r->official_number.size && r->village[0];
    set_due(r, s);
}

void request_apply_number(struct request *r, const struct request_step *s)
{
    r->official_number = body_text(s->act->body, "official_no");
    r->number_due = false;
}

void request_apply_merge(struct request *r, const struct request_step *s)
{
    (void)body_thing(s->act->body, "main", &r->merged_into);
}

/* The township begins anew; what the village did stays in the history. */
void request_apply_escalate(struct request *r, const struct request_step *s)
{
    r->township = true;
    r->escalated_ms = moment(r, s);
    order_end(r);
    callbacks_clear(r);
    r->class = SLICE_EMPTY;
    r->due_ms = 0;
    r->due_provisional = false;
    r->accepted_ms = r->issued_ms = r->contacted_ms = r->reported_ms = 0;
    r->has_reporter = false;
    for (size_t i = 0; i < REQUEST_CLOCK_COUNT; i++) r->timing[i] = TIMING_UNKNOWN;
}

/* --- orders ------------------------------------------------------------------------------- */

void request_apply_issue(struct request *r, const struct request_step *s)
{
    size_t count;
    struct mp_reader list = body_rows(s->act->body, "support", &count);
    order_end(r);
    r->holder = body_text(s->act->body, "unit");
    while (r->support_count < count && r->support_count < REQUEST_SUPPORTS_MAX) {
        r->supports[r->support_count].unit = mp_read_str(&list, FIELD_LIST_ITEM_MAX);
        r->supports[r->support_count++].reported = false;
    }
    r->township |= s->township;
    r->issued_ms = moment(r, s);
    set_due(r, s);
}

/* Whoever was spoken to before the order was signed for, was in time. */
void request_apply_sign(struct request *r, const struct request_step *s)
{
    r->signer_by = s->act->has_by ? s->act->by : (struct thing_id){{0}};
    r->signed_ms = moment(r, s);
    if (!r->contacted_ms) return;
    request_apply_no_deadline(r);
    if (r->timing[CLOCK_CONTACT] == TIMING_UNKNOWN) r->timing[CLOCK_CONTACT] = TIMING_IN_TIME;
}

void request_apply_object(struct request *r, const struct request_step *s)
{
    (void)s;
    r->objections++;
}

void request_apply_agree(struct request *r, const struct request_step *s)
{
    (void)s;
    order_end(r);
}

void request_apply_overrule(struct request *r, const struct request_step *s)
{
    (void)s;
    unsign(r);
}

void request_apply_transfer(struct request *r, const struct request_step *s)
{
    size_t kept = 0;
    r->holder = body_text(s->act->body, "unit");
    for (size_t i = 0; i < r->support_count; i++)
        if (!slice_equal(r->supports[i].unit, r->holder)) r->supports[kept++] = r->supports[i];
    r->support_count = kept;
    r->township = true;
    order_anew(r);
    if (s->due_ms) set_due(r, s);
}

/* While it is suspended the deadline waits, so it is judged by when that began. */
void request_apply_contact(struct request *r, const struct request_step *s)
{
    bool suspended = r->state == REQUEST_SUSPENDED, handled = r->state == REQUEST_IN_PROGRESS;
    bool ordered =
        handled || suspended || r->state == REQUEST_ASSIGNED || r->state == REQUEST_OBJECTED;
    if (!ordered || r->contacted_ms || !body_bool(s->act->body, "reached")) return;
    r->contacted_ms = moment(r, s);
    if (!handled && !suspended) return;
    request_apply_judge(r, CLOCK_CONTACT, r->next_due_ms,
                        suspended ? r->suspended_since_ms : r->contacted_ms);
    request_apply_no_deadline(r);
}

void request_apply_extend_ask(struct request *r, const struct request_step *s)
{
    r->extend_to_ms = body_uint(s->act->body, "to");
}

void request_apply_extend_decide(struct request *r, const struct request_step *s)
{
    r->extend_to_ms = 0;
    if (!body_bool(s->act->body, "ok")) return;
    r->extended = true;
    set_due(r, s);
}

void request_apply_suspend(struct request *r, const struct request_step *s)
{
    uint32_t day;
    if (time_parse_day(&day, body_text(s->act->body, "review")) == OK)
        r->review_ms = time_day_ms(day, CALENDAR_CLOSES_MINUTE);
    r->suspended_since_ms = moment(r, s);
}

/* Ends a suspension and says how long it was. */
static uint64_t suspension_end(struct request *r, const struct request_step *s)
{
    uint64_t now = moment(r, s), since = r->suspended_since_ms;
    uint64_t span = now > since ? now - since : 0;
    r->suspended_total_ms += span;
    r->suspended_since_ms = r->review_ms = 0;
    return span;
}

void request_apply_resume(struct request *r, const struct request_step *s)
{
    uint64_t span = suspension_end(r, s);
    if (s->due_ms)
        set_due(r, s);
    else if (r->due_ms)
        r->due_ms += span;
    if (r->next_due_ms) r->next_due_ms += span;
}

void request_apply_withdraw(struct request *r, const struct request_step *s)
{
    if (r->state == REQUEST_SUSPENDED) (void)suspension_end(r, s);
}

/* --- results ------------------------------------------------------------------------------ */

void request_apply_report(struct request *r, const struct request_step *s)
{
    set_reporter(r, s);
}

void request_apply_support_report(struct request *r, const struct request_step *s)
{
    r->supports[request_step_support(r, s)].reported = true;
}

/* An answer that does not do: the request waits for acceptance again. */
void request_apply_take_back(struct request *r, const struct request_step *s)
{
    (void)s;
    callbacks_clear(r);
    r->answered = r->has_reporter = false;
    r->accepted_ms = r->reported_ms = 0;
    r->timing[CLOCK_ACCEPT] = TIMING_UNKNOWN;
}

static enum request_solved solved_of(struct slice text)
{
    return slice_is_text(text, "yes")    ? SOLVED_YES
           : slice_is_text(text, "part") ? SOLVED_PART
           : slice_is_text(text, "no")   ? SOLVED_NO
                                         : SOLVED_UNKNOWN;
}

void request_apply_callback(struct request *r, const struct request_step *s)
{
    if (r->state == REQUEST_REPORTED && !r->callbacks_failed && !r->callback_reached)
        request_apply_judge(r, CLOCK_CALLBACK, r->next_due_ms, moment(r, s));
    if (body_bool(s->act->body, "reached")) {
        r->callback_reached = true;
        r->solved = solved_of(body_text(s->act->body, "solved"));
        r->contacted_in_time = !body_has(s->act->body, "contacted_in_time")   ? TIMING_UNKNOWN
                               : body_bool(s->act->body, "contacted_in_time") ? TIMING_IN_TIME
                                                                              : TIMING_LATE;
        r->rating = (uint32_t)body_uint(s->act->body, "rating");
        request_apply_no_deadline(r);
        return;
    }
    uint32_t day = time_day(s->claimed_ms);
    if (!r->callbacks_failed || day < r->failed_first_day) r->failed_first_day = day;
    if (!r->callbacks_failed || day > r->failed_last_day) r->failed_last_day = day;
    r->callbacks_failed++;
}

void request_apply_close(struct request *r, const struct request_step *s)
{
    r->result = body_text(s->act->body, "result");
    r->public = body_bool(s->act->body, "public");
    r->closed_ms = moment(r, s);
}

void request_apply_reopen(struct request *r, const struct request_step *s)
{
    struct slice unit = body_text(s->act->body, "unit");
    if (unit.size) r->holder = unit;
    for (size_t i = 0; i < r->support_count; i++) r->supports[i].reported = false;
    r->rounds++;
    r->township = true;
    r->answered = r->public = r->extended = false;
    r->extend_to_ms = r->closed_ms = 0;
    r->result = SLICE_EMPTY;
    callbacks_clear(r);
    set_due(r, s);
}

void request_apply_archive(struct request *r, const struct request_step *s)
{
    r->archive_number = body_text(s->act->body, "archive_no");
}

void request_apply_supervise(struct request *r, const struct request_step *s)
{
    r->supervised = (uint32_t)body_uint(s->act->body, "level");
}
