#include "tests/sim/sim.h"

#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event about to be recorded: body and box in the making. */
struct act {
    struct draft draft;
    struct mp_map body, box;
    struct buf body_bytes, box_bytes;
};

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

static void put_bool(struct mp_map *m, const char *key, bool v)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_bool(&w, v);
}

static bool act_record(struct sim_node *n, struct act *a, struct recorded *out)
{
    struct sim *s = n->sim;
    if (a->body.count > 0) SIM_OK(s, mp_map_end(&a->body, &a->body_bytes));
    if (a->box.count > 0) SIM_OK(s, mp_map_end(&a->box, &a->box_bytes));
    a->draft.has_by = n->has_actor;
    a->draft.by = n->actor;
    a->draft.body = buf_slice(&a->body_bytes);
    a->draft.box = buf_slice(&a->box_bytes);
    bool done = node_record(n, &a->draft, out);
    mp_map_clear(&a->body);
    mp_map_clear(&a->box);
    buf_clear(&a->body_bytes);
    buf_clear(&a->box_bytes);
    return done;
}

/* A node's first act: the person who acts there. */
static void enrol_actor(struct sim_node *n)
{
    struct act a = {.draft = {.kind = "actor.enrol", .lane = LANE_NORMAL, .founding = true}};
    struct recorded recorded;
    if (n->has_actor) return;
    bool hub = n->index == SIM_HUB;
    a.draft.scope = hub ? scope_town() : scope_of_village(n->village);
    put_text(&a.body, "unit", hub ? "镇政府" : "村委会");
    put_text(&a.body, "role", hub ? "mayor" : "clerk");
    put_text(&a.box, "name", hub ? "镇长甲" : "文书乙");
    n->has_actor = act_record(n, &a, &recorded);
    n->actor = recorded.subject;
}

static void put_content(struct sim *s, struct mp_map *box, uint64_t mark)
{
    static const char *const pieces[] = {"村口的路灯坏了，", "水管漏水，",     "请尽快处理。",
                                         "老人行动不便，",   "垃圾没有清运，", "雨后塌方，",
                                         "井盖松动，",       "下午有人在家。"};
    char text[512];
    int size = snprintf(text, sizeof text, "事项%016llx: ", (unsigned long long)mark);
    for (uint64_t i = rng_between(&s->story, 1, 8); i > 0; i--)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s",
                         pieces[rng_below(&s->story, sizeof pieces / sizeof pieces[0])]);
    put_text(box, "content", text);
}

static void register_request(struct sim_node *n, const char *village, unsigned prefix)
{
    struct sim *s = n->sim;
    struct act a = {.draft = {.kind = "request.register",
                              .scope = scope_of_village(village),
                              .lane = rng_chance(&s->story, 8) ? LANE_URGENT : LANE_NORMAL,
                              .founding = true}};
    char text[32];
    struct recorded recorded;
    (void)snprintf(text, sizeof text, "%02uA-%04zu", prefix, n->acknowledged_count + 1);
    put_text(&a.body, "number", text);
    put_text(&a.body, "channel", rng_chance(&s->story, 50) ? "visit" : "phone");
    put_uint(&a.body, "received", node_clock(n).wall_ms);
    a.draft.sealed = n->index != SIM_HUB && rng_chance(&s->story, 6);
    const char *nature = rng_chance(&s->story, 20) ? "consult" : "help";
    put_text(&a.body, "nature", a.draft.sealed ? "accusation" : nature);
    put_text(&a.body, "category", rng_chance(&s->story, 50) ? "0101" : "0102");
    put_uint(&a.body, "urgency", rng_between(&s->story, 1, 3));
    put_text(&a.box, "name", "村民甲");
    const uint64_t mark = rng_next(&s->story);
    put_content(s, &a.box, mark);
    bool sealed = a.draft.sealed;
    if (!act_record(n, &a, &recorded)) return;
    if (sealed) trace_happened(s, HAPPENED_SEALED);
    if (!sealed) erase_mark(s, &recorded, village, mark);
}

/* The requests of a scope (0: all) as they stand, so that acts do not run within a read. */
struct worklist {
    struct work_item {
        struct thing_id thing;
        char village[13];
        enum request_state state;
        bool reached, extension_asked;
    } items[1024];
    size_t count;
};

static bool worklist_add(void *state, const struct thing_key *key, const struct request *r)
{
    struct worklist *list = state;
    struct work_item *item = &list->items[list->count++];
    item->thing = key->thing;
    memcpy(item->village, r->village, sizeof item->village);
    item->state = r->state;
    item->reached = r->callback_reached;
    item->extension_asked = r->extend_to_ms != 0;
    return list->count < sizeof list->items / sizeof list->items[0];
}

static void worklist_fill(struct sim_node *n, struct worklist *list)
{
    struct sim *s = n->sim;
    struct txn *t = NULL;
    struct request_filter filter = {.any_state = true, .open_only = true};
    list->count = 0;
    if (!n->alive) return; /* killed while it told its peer of the last act */
    SIM_OK(s, txn_begin(n->store, false, &t));
    SIM_OK(s, requests_each(t, &filter, worklist_add, list));
    txn_abort(t);
}

static bool act(struct sim_node *n, const struct work_item *item, const char *kind, struct act *a)
{
    struct recorded recorded;
    a->draft.kind = kind;
    a->draft.scope = scope_of_village(item->village);
    a->draft.lane = LANE_NORMAL;
    a->draft.subject = item->thing;
    return act_record(n, a, &recorded);
}

static void accept(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "class", "general");
    put_uint(&a.body, "due", SIM_EPOCH_MS + n->sim->now_ms + DAYS(5));
    (void)act(n, item, "request.accept", &a);
}

static void issue(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "unit", "镇政府");
    if (n->index == SIM_HUB) {
        struct mp_writer w = mp_map_put(&a.body, "signed_by");
        mp_write_bin(&w, n->actor.bytes, sizeof n->actor.bytes);
    }
    put_uint(&a.body, "due", SIM_EPOCH_MS + n->sim->now_ms + DAYS(5));
    put_text(&a.box, "task", "请核实并办理");
    (void)act(n, item, "order.issue", &a);
}

static void sign(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.box, "receiver", "村干部乙");
    (void)act(n, item, "order.sign", &a);
}

static void report(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    bool solved = rng_chance(&n->sim->story, 80);
    put_text(&a.body, "solved", solved ? "yes" : "part");
    put_text(&a.box, "measure", "已派人处理");
    if (!solved) put_text(&a.box, "why_not", "等县里的材料");
    (void)act(n, item, "order.report", &a);
}

static void visit(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    bool reached = rng_chance(&n->sim->story, 70);
    put_uint(&a.body, "attempt", 1);
    put_text(&a.body, "method", "phone");
    put_bool(&a.body, "reached", reached);
    if (reached) put_uint(&a.body, "rating", rng_between(&n->sim->story, 1, 5));
    (void)act(n, item, "callback.record", &a);
}

static void close_request(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "result", "explained");
    if (act(n, item, "request.close", &a)) trace_happened(n->sim, HAPPENED_CLOSED);
}

/* --- what does not go straight on ---------------------------------------------------------- */

static void escalate(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "reason", "beyond_means");
    if (act(n, item, "request.escalate", &a)) trace_happened(n->sim, HAPPENED_ESCALATED);
}

static void answer(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "method", "phone");
    put_text(&a.box, "reply", "已当场解释");
    if (act(n, item, "request.answer", &a)) trace_happened(n->sim, HAPPENED_ANSWERED);
}

static void supplement(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "what", item->state == REQUEST_REGISTERED ? "ask" : "answer");
    put_text(&a.box, "text", "门牌号");
    (void)act(n, item, "request.supplement", &a);
}

static void object(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "reason", "not_duty");
    put_text(&a.box, "why", "不在本村范围内");
    if (act(n, item, "order.object", &a)) trace_happened(n->sim, HAPPENED_OBJECTED);
}

static void decide(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_bool(&a.body, "agree", rng_chance(&n->sim->story, 50));
    put_text(&a.box, "why", "按职责分工");
    (void)act(n, item, "order.object_decide", &a);
}

static void transfer(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "unit", "水利站");
    put_text(&a.box, "why", "属水利站");
    (void)act(n, item, "order.transfer", &a);
}

static void contact(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "method", "phone");
    put_bool(&a.body, "reached", rng_chance(&n->sim->story, 70));
    (void)act(n, item, "contact.log", &a);
}

static void extend_ask(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "reason", "weather");
    put_uint(&a.body, "to", SIM_EPOCH_MS + n->sim->now_ms + DAYS(12));
    (void)act(n, item, "order.extend_ask", &a);
}

static void extend_decide(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_bool(&a.body, "ok", true);
    put_uint(&a.body, "due", SIM_EPOCH_MS + n->sim->now_ms + DAYS(10));
    if (act(n, item, "order.extend_decide", &a)) trace_happened(n->sim, HAPPENED_EXTENDED);
}

static void suspend(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    char date[TIME_TEXT_SIZE];
    time_format_date(date, SIM_EPOCH_MS + n->sim->now_ms + DAYS(7));
    put_text(&a.body, "reason", "weather");
    put_text(&a.body, "review", date);
    (void)act(n, item, "order.suspend", &a);
}

static void resume(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    if (act(n, item, "order.resume", &a)) trace_happened(n->sim, HAPPENED_RESUMED);
}

static void reopen(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "reason", "unsolved");
    put_text(&a.body, "unit", "镇政府");
    put_uint(&a.body, "due", SIM_EPOCH_MS + n->sim->now_ms + DAYS(3));
    if (act(n, item, "request.reopen", &a)) trace_happened(n->sim, HAPPENED_REOPENED);
}

static void withdraw(struct sim_node *n, const struct work_item *item)
{
    struct act a = {0};
    put_text(&a.body, "method", "phone");
    if (act(n, item, "request.withdraw", &a)) trace_happened(n->sim, HAPPENED_WITHDRAWN);
}

/* --- who does what when -------------------------------------------------------------------- */

/* Of the deeds for a state the first whose chance comes up. Some villages settle things alone, and
 * so the hub and the village act apart. */
struct deed {
    enum request_state state;
    unsigned percent;
    void (*act)(struct sim_node *n, const struct work_item *item);
};

static const struct deed village_deeds[] = {
    {REQUEST_REGISTERED, 15, accept},   {REQUEST_REGISTERED, 5, withdraw},
    {REQUEST_REGISTERED, 5, answer},    {REQUEST_AWAITING_INFO, 70, supplement},
    {REQUEST_ACCEPTED, 10, escalate},   {REQUEST_ACCEPTED, 15, issue},
    {REQUEST_ASSIGNED, 10, object},     {REQUEST_ASSIGNED, 10, extend_ask},
    {REQUEST_ASSIGNED, 100, sign},      {REQUEST_IN_PROGRESS, 10, escalate},
    {REQUEST_IN_PROGRESS, 10, object},  {REQUEST_IN_PROGRESS, 15, extend_ask},
    {REQUEST_IN_PROGRESS, 20, contact}, {REQUEST_IN_PROGRESS, 100, report},
    {REQUEST_REPORTED, 10, visit},
};
static const struct deed hub_deeds[] = {
    {REQUEST_REGISTERED, 10, supplement}, {REQUEST_REGISTERED, 15, answer},
    {REQUEST_REGISTERED, 100, accept},    {REQUEST_ACCEPTED, 100, issue},
    {REQUEST_ASSIGNED, 5, transfer},      {REQUEST_IN_PROGRESS, 10, suspend},
    {REQUEST_OBJECTED, 80, decide},       {REQUEST_SUSPENDED, 60, resume},
    {REQUEST_REPORTED, 10, reopen},
};

/* False: none did. */
static bool do_one(struct sim_node *n, const struct work_item *item, const struct deed *deeds,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (deeds[i].state != item->state || !rng_chance(&n->sim->story, deeds[i].percent))
            continue;
        deeds[i].act(n, item);
        return true;
    }
    return false;
}

void work_village(struct sim_node *n)
{
    struct sim *s = n->sim;
    static struct worklist list;
    if (rng_chance(&s->story, 60)) register_request(n, n->village, (unsigned)n->index);
    worklist_fill(n, &list);
    for (size_t i = 0; i < list.count && n->alive; i++) {
        const struct work_item *item = &list.items[i];
        if (!rng_chance(&s->story, 60)) continue;
        (void)do_one(n, item, village_deeds, sizeof village_deeds / sizeof village_deeds[0]);
    }
}

void work_hub(struct sim_node *hub)
{
    struct sim *s = hub->sim;
    static struct worklist list;
    enrol_actor(hub);
    if (hub->alive && rng_chance(&s->story, 20)) {
        size_t village = 1 + (size_t)rng_below(&s->story, s->node_count - 1);
        register_request(hub, s->nodes[village].village, 0);
    }
    worklist_fill(hub, &list);
    for (size_t i = 0; i < list.count && hub->alive; i++) {
        const struct work_item *item = &list.items[i];
        if (!rng_chance(&s->story, 40)) continue;
        if (item->extension_asked)
            extend_decide(hub, item);
        else if (do_one(hub, item, hub_deeds, sizeof hub_deeds / sizeof hub_deeds[0]))
            continue;
        else if (item->state == REQUEST_REPORTED && !item->reached)
            visit(hub, item);
        else if (item->state == REQUEST_REPORTED)
            close_request(hub, item);
    }
}
