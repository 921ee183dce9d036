#include "node/subject.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/correction.h"
#include "node/views/erasure.h"
#include "node/views/sealed.h"
#include "node/views/thing.h"

static enum err refuse(struct kind_problem *problem, enum err err, const char *what)
{
    *problem = (struct kind_problem){.what = what};
    return err;
}

static enum err correction_check(struct txn *t, const struct thing_key *key, enum thing_type type,
                                 const struct request_act *act, struct kind_problem *problem)
{
    struct correction correction;
    struct buf bytes = {0};
    const char *why = "";
    enum err err =
        correction_may(&correction, t, act->roster, key, &act->author, act->body, &bytes, &why);
    if (!err && type == THING_REQUEST) {
        why = request_refuses_correction(&correction);
        err = why ? ERR_STATE : OK;
    }
    buf_clear(&bytes);
    return err ? refuse(problem, err, why) : OK;
}

static enum err request_check(struct txn *t, const struct thing_key *key, const struct kind *kind,
                              const struct request_act *act, struct kind_problem *problem)
{
    struct request request;
    enum request_state next;
    const char *why = NULL;
    enum err err = request_get(t, key, &request);
    if (err) return refuse(problem, err, N_("is not held"));
    err = request_may(&request, act, &next, &why);
    if (err) return refuse(problem, err, why);
    return correction_is(kind) ? correction_check(t, key, THING_REQUEST, act, problem) : OK;
}

static enum err plain_check(struct txn *t, const struct thing_key *key, enum thing_type type,
                            const struct kind *kind, const struct request_act *act,
                            struct kind_problem *problem)
{
    struct thing thing;
    const char *why = "";
    enum err err = thing_get(t, type, key, &thing);
    if (err) return refuse(problem, err, N_("is not held"));
    const struct thing_deed deed = {
        .kind = kind,
        .roster = act->roster,
        .author = act->author,
        .has_by = act->has_by,
        .by = act->by,
        .body = act->body,
    };
    err = thing_may(t, &thing, &deed, &why);
    return err ? refuse(problem, err, why) : OK;
}

static enum err sealed_check(struct txn *t, const struct thing_key *key, const struct kind *kind,
                             struct kind_problem *problem)
{
    struct sealed sealed;
    enum err err = sealed_get(t, key, &sealed);
    const char *why = err ? NULL : sealed_refuses(&sealed, slice_of_text(kind->name));
    return why ? refuse(problem, ERR_STATE, why) : err;
}

static enum err actor_check(struct txn *t, const struct thing_key *key, const struct kind *kind,
                            const struct request_act *act, struct kind_problem *problem)
{
    struct actor actor;
    if (strcmp(kind->name, "actor.handover") != 0) return OK;
    enum err err = actor_get(t, &key->thing, &actor);
    const char *why = err ? NULL : actor_hands_over(t, &actor, act->body);
    return why ? refuse(problem, ERR_STATE, why) : err;
}

/* Of a type with a fold of its own that asks for little more than that the thing is held; and what
 * acts on things of any type. */
static enum err held_check(struct txn *t, const struct thing_key *key, enum thing_type type,
                           const struct kind *kind, const struct request_act *act,
                           struct kind_problem *problem)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, type, key);
    struct slice row;
    if (!row_get(t, &row_key, &row))
        return refuse(problem, txn_error(t) ? txn_error(t) : ERR_NOT_FOUND, N_("is not held"));
    if (kind->thing == THING_SEALED) return sealed_check(t, key, kind, problem);
    if (kind->thing == THING_ACTOR) return actor_check(t, key, kind, act, problem);
    return correction_is(kind) ? correction_check(t, key, type, act, problem) : OK;
}

bool subject_is_erased(struct txn *t, const struct thing_key *key)
{
    struct erased row;
    return erased_get(t, key, &row) && row.whole;
}

/* What an order to erase needs before it is signed (SPEC 22.6). */
static enum err order_check(struct txn *t, const struct thing_key *key, enum thing_type type,
                            const struct request_act *act, struct kind_problem *problem)
{
    struct request request;
    struct actor second;
    struct thing_id id;
    const struct event e = {
        .kind = act->kind, .has_by = act->has_by, .by = act->by, .body = act->body};
    const char *why = erasure_refuses(&e, act->roles);
    if (why) return refuse(problem, ERR_STATE, why);
    if (!erasure_orders(&e)) return OK;
    if (!body_thing(act->body, "second", &id) || actor_get(t, &id, &second) != OK || second.revoked)
        return refuse(problem, ERR_STATE, N_("the second person is nobody who acts"));
    if (subject_is_erased(t, key))
        return refuse(problem, ERR_STATE, N_("what is personal of it was erased already"));
    if (slice_is_text(act->kind, "subject.erase") && type == THING_REQUEST &&
        request_get(t, key, &request) == OK && request_is_open(&request))
        return refuse(problem, ERR_STATE, N_("it is still open: it is closed first, then erased"));
    return OK;
}

static enum err act_check(struct txn *t, const struct thing_key *key, enum thing_type type,
                          const struct kind *kind, const struct request_act *act,
                          struct kind_problem *problem)
{
    if (type == THING_REQUEST) return request_check(t, key, kind, act, problem);
    if (thing_is_plain(type)) return plain_check(t, key, type, kind, act, problem);
    return held_check(t, key, type, kind, act, problem);
}

enum err subject_may(struct txn *t, const struct thing_key *key, enum thing_type type,
                     const struct kind *kind, const struct request_act *act,
                     struct kind_problem *problem)
{
    uint64_t done, total;
    if (views_rebuild_pending(t, &done, &total))
        return refuse(problem, ERR_AGAIN, N_("the lists are being rebuilt"));
    if (type == THING_NONE || (kind->thing != THING_ANY && kind->thing != type))
        return refuse(problem, ERR_NOT_FOUND, N_("is not held"));
    if (kind->thing == THING_ANY && fold_is_roster(type))
        return refuse(problem, ERR_FORBIDDEN, N_("only the authority acts on the roster"));
    enum err err = act_check(t, key, type, kind, act, problem);
    return err ? err : order_check(t, key, type, act, problem);
}
