/*
 * The enrolled enemy: each row is a village of the roster that plays by hand, with its real keys,
 * against a hub; an honest village syncs with the same hub all the while. What the plays do stands
 * in tests/support/attacks*.c, what every row must leave behind in attack.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <stdio.h>

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])
#define REFUSED(why) .end = REFUSED, .code = REFUSE_##why
#define TURNED_AWAY(why) .end = TURNED_AWAY, .code = REFUSE_##why
#define MARKED(why) .end = KEPT, .held = 1, .mark = EFFECT_##why
#define OWN ENEMY_SCOPE
#define KEY "0000000000000000000000000000000000000000000000000000000000000001"
#define JOIN                                                                                       \
    "{\"request\":\"00\",\"invite_signature\":\"" KEY KEY "\",\"device_signature\":\"" KEY KEY "\"}"

static const struct attack attacks[] = {
    /* --- runs that are not what they say --- */
    {"a signature with a bit changed", lying_run, spoil_signature, REFUSED(SIGNATURE)},
    {"a signature of another event", lying_run, spoil_signature_of_another_event,
     REFUSED(SIGNATURE)},
    {"a signature of another village", lying_run, spoil_signature_of_another_device,
     REFUSED(SIGNATURE)},
    {"a checksum of other bytes", lying_run, spoil_check, REFUSED(MALFORMED)},
    {"a size one byte too small", lying_run, spoil_size_less, REFUSED(MALFORMED)},
    {"a size of a mebibyte", lying_run, spoil_size_more, REFUSED(MALFORMED)},
    {"a size over the limit", lying_run, spoil_size_over_limit, REFUSED(LIMIT)},
    {"one event less than there are", lying_run, spoil_count_less, REFUSED(MALFORMED)},
    {"more events than there are", lying_run, spoil_count_more, REFUSED(MALFORMED)},
    {"no events", lying_run, spoil_count_none, REFUSED(MALFORMED)},
    {"more events than a run may have", lying_run, spoil_count_over_limit, REFUSED(LIMIT)},
    {"a payload that is garbage", lying_run, spoil_payload, REFUSED(MALFORMED)},
    {"half a payload", lying_run, spoil_payload_cut, REFUSED(MALFORMED)},
    {"no payload", lying_run, spoil_payload_empty, REFUSED(MALFORMED)},
    {"a payload with a tail", lying_run, spoil_payload_longer, REFUSED(MALFORMED)},
    {"another lane", lying_run, spoil_lane, REFUSED(SIGNATURE)},
    {"a lane that is none", lying_run, spoil_lane_unknown, REFUSED(LIMIT)},
    {"another scope", lying_run, spoil_scope, REFUSED(SIGNATURE)},
    {"a scope that is none", lying_run, spoil_scope_text, REFUSED(MALFORMED)},
    {"another epoch", lying_run, spoil_epoch, REFUSED(SIGNATURE)},
    {"a bomb", lying_run, spoil_bomb_hidden, REFUSED(MALFORMED)},
    {"a bomb of the size it says", lying_run, spoil_bomb_stated, REFUSED(MALFORMED)},
    {"numbers beyond the last", lying_run, spoil_number_overflow, REFUSED(MALFORMED)},
    {"a number beyond the last", lying_run, spoil_number_over_limit, REFUSED(LIMIT)},
    {"a depth over what was seen", lying_run, spoil_depth, REFUSED(MALFORMED)},
    {"a kind that is no name", lying_run, spoil_kind, REFUSED(MALFORMED)},
    {"a floating number", lying_run, spoil_float, REFUSED(MALFORMED)},
    {"a number in a longer form", lying_run, spoil_longer_form, REFUSED(MALFORMED)},
    {"a key twice", lying_run, spoil_key_twice, REFUSED(MALFORMED)},
    {"keys out of order", lying_run, spoil_keys_unsorted, REFUSED(MALFORMED)},
    {"text that is no UTF-8", lying_run, spoil_text, REFUSED(MALFORMED)},
    {"arrays within arrays", lying_run, spoil_nesting, REFUSED(LIMIT)},
    {"a thing never met", lying_run, spoil_thing_never_met, REFUSED(MALFORMED)},
    {"a box that was never there", lying_run, spoil_box, REFUSED(SIGNATURE)},

    /* --- numbers, links, branches --- */
    {"the middle of a chain as its beginning", middle_of_a_chain, REFUSED(SIGNATURE)},
    {"a link over an event", broken_link, REFUSED(SIGNATURE)},
    {"a base that is not held", base_not_held, .end = ASKED},
    {"a base of another feed", base_of_another_feed, .end = ASKED},
    {"a base with another id", base_with_another_id, .end = ASKED, .held = 1,
     .mark = EFFECT_BAD_FIELD},
    {"a dictionary that is not held", dictionary_not_held, .end = ASKED},
    {"a dictionary of other bytes", dictionary_of_other_bytes, .end = ASKED, .held = 1,
     .mark = EFFECT_BAD_FIELD},
    {"a run played again", run_played_again, .number = 100, MARKED(BAD_FIELD)},
    {"the roster played back", roster_played_back, .end = UNANSWERED},
    {"two events with one number", equivocation, .number = 2, .end = KEPT, .held = 2,
     .mark = EFFECT_BAD_FIELD},
    {"two events with one number in town", fork_in_town, .end = KEPT, .held = 2,
     .mark = EFFECT_FORBIDDEN},
    {"nine events with one number", equivocation, .number = FEED_BRANCHES_MAX + 1, REFUSED(LIMIT),
     .held = FEED_BRANCHES_MAX, .mark = EFFECT_BAD_FIELD},
    {"epochs without end", epochs, .scope = OWN, .number = DEVICE_EPOCHS_MAX + 1, REFUSED(LIMIT),
     .held = DEVICE_EPOCHS_MAX, .mark = EFFECT_BAD_FIELD},
    {"epochs without end in town", epochs, .scope = "town", .number = DEVICE_EPOCHS_MAX + 1,
     REFUSED(LIMIT), .held = DEVICE_EPOCHS_MAX, .mark = EFFECT_FORBIDDEN},
    {"epochs without end for the office", epochs, .scope = "office",
     .number = DEVICE_EPOCHS_MAX + 1, REFUSED(LIMIT), .held = DEVICE_EPOCHS_MAX,
     .mark = EFFECT_FORBIDDEN},

    /* --- feeds that are not its own --- */
    {"its feed in another village", feed_of_its_own, .scope = HONEST_SCOPE, REFUSED(SCOPE)},
    {"its feed in a village there is not", feed_of_its_own, .scope = "village:431322111299",
     REFUSED(SCOPE)},
    {"a feed of another village", feed_of_a_village, .scope = HONEST_SCOPE, REFUSED(SCOPE)},
    {"a feed of another village in its own", feed_of_a_village, .scope = OWN, REFUSED(SCOPE)},
    {"a feed of another village in town", feed_of_a_village, .scope = "town", REFUSED(SIGNATURE)},
    {"a feed of another village for the office", feed_of_a_village, .scope = "office",
     REFUSED(SCOPE)},
    {"a feed of the hub in town", feed_of_the_hub, .scope = "town", REFUSED(SIGNATURE)},
    {"a feed of the hub in its village", feed_of_the_hub, .scope = OWN, REFUSED(SIGNATURE)},
    {"a feed of the hub for the office", feed_of_the_hub, .scope = "office", REFUSED(SCOPE)},
    {"the authority's feed", feed_of_the_authority, .scope = "town", REFUSED(SIGNATURE)},
    {"a feed of the authority in its village", feed_of_the_authority, .scope = OWN, REFUSED(SCOPE)},
    {"the recovery key's feed", feed_of_the_recovery_key, .scope = "town", REFUSED(SIGNATURE)},
    {"a feed of a stranger", feed_of_a_stranger, .scope = OWN, .end = ASKED},
    {"a feed of a stranger in town", feed_of_a_stranger, .scope = "town", .end = ASKED},
    {"a feed by an id that nobody knows", feed_by_short_id, .end = ASKED},
    {"a feed of one forgotten, in another village", feed_of_one_forgotten,
     .scope = "village:431322111209", REFUSED(SCOPE), .held = 1, .aside = 1},

    /* --- frames --- */
    {"a frame over the limit", frame_too_large, REFUSED(LIMIT)},
    {"a frame that is garbage", frame_garbled, REFUSED(MALFORMED)},
    {"a frame of arrays within arrays", frame_nested, REFUSED(LIMIT)},
    {"a RUN before HELLO", frame_before_hello, .number = FRAME_RUN, REFUSED(ORDER)},
    {"a WANT before HELLO", frame_before_hello, .number = FRAME_WANT, REFUSED(ORDER)},
    {"a RECEIPT before HELLO", frame_before_hello, .number = FRAME_RECEIPT, REFUSED(ORDER)},
    {"a PIECE before HELLO", frame_before_hello, .number = FRAME_PIECE, REFUSED(ORDER)},
    {"a PING before HELLO", frame_before_hello, .number = FRAME_PING, REFUSED(ORDER)},
    {"a HELLO that is none", frame_malformed, .number = FRAME_HELLO, REFUSED(MALFORMED)},
    {"a RUN that is none", frame_malformed, .number = FRAME_RUN, REFUSED(MALFORMED)},
    {"a WANT that is none", frame_malformed, .number = FRAME_WANT, REFUSED(MALFORMED)},
    {"a RECEIPT that is none", frame_malformed, .number = FRAME_RECEIPT, REFUSED(MALFORMED)},
    {"a PIECE that is none", frame_malformed, .number = FRAME_PIECE, REFUSED(MALFORMED)},
    {"a PING that is none", frame_malformed, .number = FRAME_PING, REFUSED(MALFORMED)},
    {"a HOLD that is none", frame_malformed, .number = FRAME_HOLD, REFUSED(MALFORMED)},
    {"a TOWN that is none", frame_malformed, .number = FRAME_TOWN, REFUSED(MALFORMED)},
    {"a TOWN before HELLO", frame_before_hello, .number = FRAME_TOWN, REFUSED(ORDER)},
    {"a state of town by a village", town_by_a_village, .end = UNANSWERED},
    {"a state of town in the hub's name", town_in_the_hubs_name, .end = UNANSWERED},
    {"a state of town by a stranger", town_of_a_stranger, .end = UNANSWERED},
    {"a state of town with other heads", town_with_other_heads, REFUSED(MALFORMED)},
    {"a flood of states of town", town_flood, REFUSED(LIMIT)},
    {"a flood of frames that nobody knows", frames_of_later_versions, .end = UNANSWERED},
    {"JOIN and ADMIT in a session", join_in_a_session, .end = UNANSWERED},

    /* --- HELLO: lies and floods --- */
    {"HELLO of another township", hello_of_another_township, REFUSED(TOWNSHIP)},
    {"HELLO of another version", hello_of_another_version, REFUSED(VERSION)},
    {"HELLO with a wrong digest", hello_with_a_wrong_digest, REFUSED(MALFORMED)},
    {"a flood of HELLOs", hello_flood, REFUSED(LIMIT)},
    {"HELLOs of ever more feeds", hello_of_many_feeds, REFUSED(LIMIT)},
    {"HELLO of too many feeds", hello_of_too_many_entries, REFUSED(LIMIT)},
    {"HELLO that has everything", hello_that_has_all, .end = UNANSWERED},
    {"HELLO of a head that is none", hello_of_heads_that_are_none, .end = UNANSWERED},
    {"HELLO of another village's feed", hello_of_foreign_feeds, .end = UNANSWERED},
    {"HELLO of feeds that nobody knows", hello_of_unknown_feeds, .end = UNANSWERED},
    {"HELLO of an unfinished run of 256 TiB", hello_of_an_unfinished_run, REFUSED(LIMIT)},
    {"HELLO from 1970", hello_of_another_time, .number = 1, .end = UNANSWERED},
    {"HELLO from the year 10889", hello_of_another_time, .number = HLC_MS_MAX, .end = UNANSWERED},
    {"HELLO without credit", hello_of_credit, .number = 0, .end = UNANSWERED},
    {"HELLO with all credit", hello_of_credit, .number = FRAME_UINT_MAX, .end = UNANSWERED},
    {"HELLO with more than all", hello_of_credit, .number = FRAME_UINT_MAX + 1, REFUSED(LIMIT)},
    {"no HELLO", hello_never, .end = LEFT},
    {"BYE at once", goodbye, .end = LEFT},
    {"REFUSE without a reason", refusal, .end = LEFT},

    /* --- WANT, PING, HOLD --- */
    {"a flood of WANTs", want_flood, REFUSED(LIMIT)},
    {"a flood of WANTs for HELLO", want_hello_flood, REFUSED(LIMIT)},
    {"WANT of another village's feed", want_of_foreign_feeds, .end = UNANSWERED},
    {"WANT of the roster, 500 times", want_of_boxes, .end = UNANSWERED},
    {"WANT from too many points", want_of_too_many_points, REFUSED(LIMIT)},
    {"a flood of PINGs", ping_flood, .end = UNANSWERED},
    {"a PING that promises centuries", ping_of_centuries, .end = LEFT},
    {"a flood of HOLDs", hold_flood, .end = UNANSWERED},

    /* --- PIECE and credit --- */
    {"beginnings without end", pieces_without_end, REFUSED(CREDIT)},
    {"the same piece again and again", piece_again_and_again, REFUSED(LIMIT)},
    {"a piece after a gap", piece_with_a_gap, REFUSED(MALFORMED)},
    {"a piece of a run of another size", piece_of_another_size, REFUSED(MALFORMED)},
    {"a piece of a run over the limit", piece_over_limit, REFUSED(LIMIT)},
    {"a piece beyond its run", piece_beyond_its_run, REFUSED(MALFORMED)},
    {"pieces that make no run", pieces_of_no_run, REFUSED(MALFORMED)},
    {"pieces under another name", pieces_of_another_name, .end = LEFT},
    {"a run in pieces of a byte", pieces_of_a_byte, MARKED(BAD_FIELD)},
    {"runs that bring nothing", runs_that_bring_nothing, REFUSED(LIMIT), .held = 1,
     .mark = EFFECT_BAD_FIELD},
    {"a run beyond all credit", run_beyond_credit, REFUSED(CREDIT)},

    /* --- couriers --- */
    {"offers of junk", offers_of_junk, .end = UNANSWERED},
    {"frames of couriers, malformed", offers_malformed, .end = UNANSWERED},
    {"bundles of junk, sealed to the hub", bundles_of_junk, .end = UNANSWERED},
    {"bundles without end", bundles_without_end, .end = UNANSWERED},
    {"a bundle smaller than its first bytes", bundle_of_another_size, .number = 50,
     .end = UNANSWERED},
    {"a bundle larger than it says", bundle_of_another_size, .number = 40000, .end = UNANSWERED},
    {"a bundle of 200 MiB that is none", bundle_of_another_size, .number = MIB(200),
     .end = UNANSWERED},
    {"a bundle of 256 TiB", bundle_of_another_size, .number = FRAME_UINT_MAX, .end = UNANSWERED},
    {"parts that nobody asked for", parts_not_asked_for, .end = UNANSWERED},
    {"parts that do not follow each other", parts_that_do_not_follow, .end = UNANSWERED},
    {"a flood of ASKs", asks_for_what_is_not_offered, .end = UNANSWERED},

    /* --- receipts --- */
    {"a receipt by another key", receipt_by_another_key, REFUSED(SIGNATURE)},
    {"a receipt for another", receipt_for_another, REFUSED(SIGNATURE)},
    {"a receipt of another township", receipt_of_another_township, REFUSED(SIGNATURE)},
    {"a receipt of another store", receipt_of_another_generation, REFUSED(SIGNATURE)},
    {"a receipt of another village", receipt_of_another_device, REFUSED(SIGNATURE)},
    {"a receipt played again", receipt_played_again, REFUSED(ORDER)},
    {"a receipt for another village's feed", receipt_of_foreign_feeds, .end = UNANSWERED},
    {"a receipt for what never was", receipt_of_what_never_was, .end = UNANSWERED},
    {"a receipt for what never was, in short", receipt_of_the_short_unknown, .end = ASKED},
    {"a receipt that shrinks", receipt_that_shrinks, .number = 2, .end = UNANSWERED},
    {"receipts that shrink and grow", receipt_that_shrinks, .number = 300, REFUSED(LIMIT)},
    {"a flood of receipts", receipt_flood, REFUSED(LIMIT)},
    {"a receipt of too many heads", receipt_of_too_many_entries, REFUSED(LIMIT)},

    /* --- events without a right or a sense --- */
    {"a kind that nobody knows", event_alone, .kind = "request.dissolve", MARKED(UNKNOWN_KIND)},
    {"a request without its fields", event_alone, .kind = "request.register", MARKED(BAD_FIELD)},
    {"a request in town", event_alone, .kind = "request.register", .scope = "town",
     MARKED(FORBIDDEN)},
    {"a request in the open for the office", event_alone, .kind = "request.register",
     .scope = "office", MARKED(FORBIDDEN)},
    {"a sealed record in its village", event_alone, .kind = "sealed", MARKED(FORBIDDEN)},
    {"an accusation in its village", event_alone, .kind = "request.register",
     .body = "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"
             "\"nature\":\"accusation\",\"category\":\"0103\",\"urgency\":2}",
     MARKED(BAD_FIELD)},
    {"a township", event_alone, .kind = "township.founded", .scope = "town",
     .body = "{\"name\":\"x\",\"recovery\":\"" KEY "\",\"office\":\"" KEY "\"}", MARKED(FORBIDDEN)},
    {"a village", event_alone, .kind = "village.put", .scope = "town", MARKED(FORBIDDEN)},
    {"a hub", event_alone, .kind = "device.enrol", .scope = "town", MARKED(FORBIDDEN)},
    {"an invite", event_alone, .kind = "device.invited", .scope = "town", MARKED(FORBIDDEN)},
    {"a rule", event_alone, .kind = "rule.put", .scope = "town",
     .body = "{\"type\":\"category\",\"ver\":9,\"effective\":\"2026-01-01\"}", MARKED(FORBIDDEN)},
    {"a calendar", event_alone, .kind = "calendar.put", .scope = "town", MARKED(FORBIDDEN)},
    {"an office key", event_alone, .kind = "office.key", .scope = "office", MARKED(FORBIDDEN)},
    {"a redemption", event_alone, .kind = "redeem.open", .scope = "office", MARKED(FORBIDDEN)},
    {"an honour", event_alone, .kind = "honour.award", .scope = "town", MARKED(FORBIDDEN)},
    {"figures", event_alone, .kind = "stat.freeze", .scope = "town", MARKED(FORBIDDEN)},
    {"its own acceptance by the hub", event_on_itself, .kind = "device.joined", .scope = "town",
     .body = JOIN, MARKED(FORBIDDEN)},
    {"the hub revoked", event_on_the_hub, .kind = "device.revoked", .scope = "town",
     .body = "{\"reason\":\"x\"}", MARKED(FORBIDDEN)},
    {"the hub accepted anew", event_on_the_hub, .kind = "device.joined", .scope = "town",
     .body = JOIN, MARKED(IMPOSSIBLE)},
    {"the authority replaced", event_on_the_township, .kind = "authority.replaced", .scope = "town",
     .body = "{\"key\":\"" KEY "\",\"recovery\":\"" KEY "\",\"heads\":[]}", MARKED(FORBIDDEN)},
    {"the office's key changed", event_on_the_township, .kind = "office.rotated", .scope = "town",
     .body = "{\"office\":\"" KEY "\"}", MARKED(FORBIDDEN)},
    {"its keys changed with a wrong proof", rotation_with_a_wrong_proof, MARKED(BAD_FIELD)},
    {"another village's keys changed", rotation_of_another, MARKED(FORBIDDEN)},
    {"an act on nothing", event_on_nothing, .kind = "request.accept", MARKED(IMPOSSIBLE)},
    {"an act on another village's request", event_on_a_foreign_request, .kind = "request.accept",
     MARKED(IMPOSSIBLE)},
    {"its own request declined", event_on_its_own_request, .kind = "request.decline",
     .body = "{\"reason\":\"not_ours\"}", .end = KEPT, .held = 2, .count = 1,
     .mark = EFFECT_FORBIDDEN},
    {"its own request numbered by the hub", event_on_its_own_request, .kind = "request.number",
     .body = "{\"official_no\":\"2025-1\"}", .end = KEPT, .held = 2, .count = 1,
     .mark = EFFECT_FORBIDDEN},
    {"its own request closed at once", event_on_its_own_request, .kind = "request.close",
     .body = "{\"result\":\"explained\"}", .end = KEPT, .held = 2, .count = 1,
     .mark = EFFECT_IMPOSSIBLE},
    {"a clash settled by who made it", event_on_its_own_request, .kind = "conflict.resolve",
     .end = KEPT, .held = 2, .count = 1, .mark = EFFECT_FORBIDDEN},
    {"its request erased", event_on_its_own_request, .kind = "subject.erase",
     .body = "{\"basis\":\"withdrawn\"}", .end = KEPT, .held = 2, .count = 1,
     .mark = EFFECT_FORBIDDEN},
    {"the hub's request declined", event_on_the_hubs_request, .kind = "request.decline",
     .body = "{\"reason\":\"not_ours\"}", .end = KEPT, .held = 2, .others = true,
     .mark = EFFECT_FORBIDDEN},
    {"a clock of 1970", event_at, .number = 1, .end = KEPT, .held = 1, .count = 1},
    {"a clock of the year 10889", event_at, .number = HLC_MS_MAX, .end = KEPT, .held = 1,
     .count = 1},
    {"a depth far ahead", event_of_depth, .number = 1 + DEPTH_AHEAD_MAX + 1, .end = KEPT, .held = 2,
     .count = 1, .mark = EFFECT_BAD_DEPTH},
    {"a depth beyond all", event_of_depth, .number = UINT32_MAX, .end = KEPT, .held = 2, .count = 1,
     .mark = EFFECT_BAD_DEPTH},
    {"a depth that sinks", event_that_sinks, .end = KEPT, .held = 3, .count = 2,
     .mark = EFFECT_BAD_DEPTH},
    {"more events than a thing may have", events_beyond_limit, .number = THING_EVENTS_MAX + 20,
     .end = KEPT, .held = THING_EVENTS_MAX + 21, .count = THING_EVENTS_MAX, .mark = EFFECT_LIMIT},
    {"an extension that must be understood", event_with_extension, MARKED(EXT)},
    {"a body too large for town", body_too_large_for_town, REFUSED(LIMIT)},

    /* --- joining --- */
    /* that it was is recorded, once, for all to see */
    {"an invite used again", invite_used_again, TURNED_AWAY(INVITE), .held = 1, .others = true},
    {"an invite used again and again", invite_used_over_and_over, TURNED_AWAY(INVITE), .held = 1,
     .others = true},
    {"an invite that is over", invite_expired, TURNED_AWAY(INVITE), .held = 1, .others = true},
    {"an invite of another hub", invite_of_another_hub, TURNED_AWAY(INVITE), .held = 1,
     .others = true},
    {"an invite of another township", invite_of_another_township, TURNED_AWAY(INVITE), .held = 1,
     .others = true},
    {"an invite that nobody gave", invite_nobody_gave, TURNED_AWAY(INVITE)},
    {"an invite for a key that is enrolled", invite_for_an_enrolled_key, TURNED_AWAY(INVITE),
     .held = 1, .others = true},
    {"an invite for another village's key", join_signed_by_another, TURNED_AWAY(INVITE), .held = 1,
     .others = true},
    {"a JOIN that is none", join_garbled, TURNED_AWAY(MALFORMED)},
    {"a session on an invite", session_on_an_invite, TURNED_AWAY(MALFORMED)},

    /* --- keys that count no more; `held` includes what the authority says --- */
    {"a revoked device that goes on", revoked_in_its_session, .end = LEFT, .held = 2, .count = 1,
     .others = true},
    {"a revoked device that comes back", revoked_and_back, .end = LEFT, .held = 2, .count = 1,
     .others = true},
    {"a revoked device's records from another", revoked_events_by_another, .end = KEPT, .held = 6,
     .aside = 2, .others = true},
    {"records of which nothing counts", revoked_with_nothing_that_counts, .end = KEPT, .held = 6,
     .aside = 3, .others = true},
    {"a branch beside what counts", revoked_on_another_branch, .end = KEPT, .held = 6, .aside = 2,
     .others = true},
    {"a replaced authority that goes on", replaced_authority_goes_on, .end = KEPT, .held = 2,
     .aside = 1, .others = true},
};

/* Plays that are frames alone: the same on a stick must leave the same. */
static attack_play *const by_stick[] = {lying_run,
                                        middle_of_a_chain,
                                        broken_link,
                                        base_not_held,
                                        base_of_another_feed,
                                        base_with_another_id,
                                        dictionary_not_held,
                                        dictionary_of_other_bytes,
                                        run_played_again,
                                        roster_played_back,
                                        equivocation,
                                        fork_in_town,
                                        epochs,
                                        feed_of_its_own,
                                        feed_of_a_village,
                                        feed_of_the_hub,
                                        feed_of_the_authority,
                                        feed_of_the_recovery_key,
                                        feed_of_a_stranger,
                                        feed_by_short_id,
                                        feed_of_one_forgotten,
                                        frame_malformed,
                                        hello_that_has_all,
                                        hello_of_heads_that_are_none,
                                        hello_of_foreign_feeds,
                                        receipt_by_another_key,
                                        receipt_for_another,
                                        receipt_of_another_township,
                                        receipt_of_another_generation,
                                        receipt_of_another_device,
                                        receipt_played_again,
                                        receipt_of_foreign_feeds,
                                        receipt_of_what_never_was,
                                        receipt_of_the_short_unknown,
                                        receipt_flood,
                                        receipt_of_too_many_entries,
                                        event_alone,
                                        event_on_its_own_request,
                                        event_on_the_hubs_request,
                                        event_on_a_foreign_request,
                                        event_on_the_hub,
                                        event_on_itself,
                                        event_on_the_township,
                                        event_on_nothing,
                                        event_at,
                                        event_of_depth,
                                        event_with_extension,
                                        event_that_sinks,
                                        events_beyond_limit,
                                        body_too_large_for_town,
                                        revoked_events_by_another,
                                        revoked_with_nothing_that_counts,
                                        revoked_on_another_branch,
                                        rotation_with_a_wrong_proof,
                                        rotation_of_another};

static bool goes_by_stick(const struct attack *a)
{
    for (size_t i = 0; i < COUNT_OF(by_stick); i++)
        if (a->play == by_stick[i]) return true;
    return false;
}

static struct CMUnitTest test_of(const struct attack *a, const char *name, CMUnitTestFunction run)
{
    return (struct CMUnitTest){.name = name,
                               .test_func = run,
                               .setup_func = attack_begin,
                               .teardown_func = enemy_end,
                               .initial_state = (void *)(uintptr_t)a};
}

int main(void)
{
    static struct CMUnitTest tests[2 * COUNT_OF(attacks)];
    static char names[COUNT_OF(attacks)][96];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        tests[count++] = test_of(&attacks[i], attacks[i].name, attack_run);
        if (!goes_by_stick(&attacks[i])) continue;
        snprintf(names[i], sizeof names[i], "by a stick: %s", attacks[i].name);
        tests[count++] = test_of(&attacks[i], names[i], attack_run_by_stick);
    }
    return crypto_init() != OK || _cmocka_run_group_tests("enemy", tests, count, NULL, NULL) != 0;
}
