#pragma once
/*
 * What the enemy does, row by row (tests/support/attack.h): plays, and ways to spoil a run. What a
 * play takes beside its row stands behind it.
 */
#include "tests/support/attack.h"

/* --- attacks_runs.c: runs that are not what they say --- */
void lying_run(const struct attack *a); /* three good events, then a->spoil */
void spoil_signature(struct bad_run *r);
void spoil_signature_of_another_event(struct bad_run *r);
void spoil_signature_of_another_device(struct bad_run *r);
void spoil_check(struct bad_run *r);
void spoil_size_less(struct bad_run *r);
void spoil_size_more(struct bad_run *r);
void spoil_size_over_limit(struct bad_run *r);
void spoil_count_less(struct bad_run *r);
void spoil_count_more(struct bad_run *r);
void spoil_count_none(struct bad_run *r);
void spoil_count_over_limit(struct bad_run *r);
void spoil_payload(struct bad_run *r);
void spoil_payload_cut(struct bad_run *r);
void spoil_payload_empty(struct bad_run *r);
void spoil_payload_longer(struct bad_run *r);
void spoil_lane(struct bad_run *r);
void spoil_lane_unknown(struct bad_run *r);
void spoil_scope(struct bad_run *r);
void spoil_scope_text(struct bad_run *r);
void spoil_epoch(struct bad_run *r);
void spoil_bomb_hidden(struct bad_run *r);
void spoil_bomb_stated(struct bad_run *r);
void spoil_number_overflow(struct bad_run *r);
void spoil_number_over_limit(struct bad_run *r);
void spoil_depth(struct bad_run *r);
void spoil_kind(struct bad_run *r);
void spoil_float(struct bad_run *r);
void spoil_longer_form(struct bad_run *r);
void spoil_key_twice(struct bad_run *r);
void spoil_keys_unsorted(struct bad_run *r);
void spoil_text(struct bad_run *r);
void spoil_nesting(struct bad_run *r);
void spoil_thing_never_met(struct bad_run *r);
void spoil_box(struct bad_run *r);

/* --- attacks_chains.c: numbers, links and feeds --- */
void middle_of_a_chain(const struct attack *a);
void broken_link(const struct attack *a);
void base_not_held(const struct attack *a);
void base_of_another_feed(const struct attack *a);
void base_with_another_id(const struct attack *a);
void dictionary_not_held(const struct attack *a);
void dictionary_of_other_bytes(const struct attack *a);
void run_played_again(const struct attack *a); /* number: times */
void roster_played_back(const struct attack *a);
void equivocation(const struct attack *a); /* number: events with number 1, kind */
void fork_in_town(const struct attack *a);
void epochs(const struct attack *a);            /* number: how many, scope */
void feed_of_its_own(const struct attack *a);   /* scope */
void feed_of_a_village(const struct attack *a); /* of the other village's device: scope */
void feed_of_the_hub(const struct attack *a);
void feed_of_the_authority(const struct attack *a);
void feed_of_the_recovery_key(const struct attack *a);
void feed_of_a_stranger(const struct attack *a);
void feed_by_short_id(const struct attack *a);
void feed_of_one_forgotten(const struct attack *a);

/* --- attacks_hello.c: frames, HELLO, WANT, PING, HOLD --- */
void frame_too_large(const struct attack *a);
void frame_garbled(const struct attack *a);
void frame_nested(const struct attack *a);
void frame_before_hello(const struct attack *a); /* number: its type */
void frames_of_later_versions(const struct attack *a);
void frame_malformed(const struct attack *a); /* number: its type */
void join_in_a_session(const struct attack *a);
void hello_of_another_township(const struct attack *a);
void hello_of_another_version(const struct attack *a);
void hello_with_a_wrong_digest(const struct attack *a);
void hello_flood(const struct attack *a);
void hello_of_many_feeds(const struct attack *a);
void hello_of_too_many_entries(const struct attack *a);
void hello_that_has_all(const struct attack *a);
void hello_of_heads_that_are_none(const struct attack *a);
void hello_of_foreign_feeds(const struct attack *a);
void hello_of_unknown_feeds(const struct attack *a);
void hello_of_an_unfinished_run(const struct attack *a);
void hello_of_another_time(const struct attack *a); /* number: milliseconds */
void hello_of_credit(const struct attack *a);       /* number: bytes */
void hello_never(const struct attack *a);
void goodbye(const struct attack *a);
void refusal(const struct attack *a);
void want_flood(const struct attack *a);
void want_hello_flood(const struct attack *a);
void want_of_foreign_feeds(const struct attack *a);
void want_of_boxes(const struct attack *a);
void want_of_too_many_points(const struct attack *a);
void ping_flood(const struct attack *a);
void ping_of_centuries(const struct attack *a);
void hold_flood(const struct attack *a);
/* --- attacks_pieces.c: floods of PIECE and RUN --- */
void pieces_without_end(const struct attack *a);
void piece_again_and_again(const struct attack *a);
void piece_with_a_gap(const struct attack *a);
void piece_of_another_size(const struct attack *a);
void piece_over_limit(const struct attack *a);
void piece_beyond_its_run(const struct attack *a);
void pieces_of_no_run(const struct attack *a);
void pieces_of_another_name(const struct attack *a);
void pieces_of_a_byte(const struct attack *a);
void runs_that_bring_nothing(const struct attack *a);
void run_beyond_credit(const struct attack *a);

/* --- attacks_couriers.c: OFFER, ASK and PART --- */
void offers_of_junk(const struct attack *a);
void offers_malformed(const struct attack *a);
void bundles_of_junk(const struct attack *a);
void bundles_without_end(const struct attack *a);
void bundle_of_another_size(const struct attack *a); /* number: the size that is said */
void parts_not_asked_for(const struct attack *a);
void parts_that_do_not_follow(const struct attack *a);
void asks_for_what_is_not_offered(const struct attack *a);

/* --- attacks_receipts.c --- */
void receipt_by_another_key(const struct attack *a);
void receipt_for_another(const struct attack *a);
void receipt_of_another_township(const struct attack *a);
void receipt_of_another_generation(const struct attack *a);
void receipt_of_another_device(const struct attack *a);
void receipt_played_again(const struct attack *a);
void receipt_of_foreign_feeds(const struct attack *a);
void receipt_of_what_never_was(const struct attack *a);
void receipt_of_the_short_unknown(const struct attack *a);
void receipt_that_shrinks(const struct attack *a); /* number: times */
void receipt_flood(const struct attack *a);
void receipt_of_too_many_entries(const struct attack *a);

/* --- attacks_events.c: well formed, and without a right or a sense --- */
void event_alone(const struct attack *a); /* kind, scope, body; number: depth where it acts */
void event_on_its_own_request(const struct attack *a); /* kind, body */
void event_on_the_hubs_request(const struct attack *a);
void event_on_a_foreign_request(const struct attack *a);
void event_on_the_hub(const struct attack *a);      /* the hub's device thing */
void event_on_itself(const struct attack *a);       /* its own device thing */
void event_on_the_township(const struct attack *a); /* the township's thing */
void event_on_nothing(const struct attack *a);      /* a thing that nobody founded */
void event_at(const struct attack *a);              /* number: its clock */
void event_of_depth(const struct attack *a);        /* number: depth of an act on its own request */
void event_with_extension(const struct attack *a);
void event_that_sinks(const struct attack *a);
void events_beyond_limit(const struct attack *a); /* number: of one thing */
void body_too_large_for_town(const struct attack *a);

/* --- attacks_towns.c: states of `town` --- */
void town_by_a_village(const struct attack *a);
void town_in_the_hubs_name(const struct attack *a);
void town_of_a_stranger(const struct attack *a);
void town_with_other_heads(const struct attack *a);
void town_flood(const struct attack *a);

/* --- attacks_trust.c: keys that count no more --- */
/* At the hub; what stands behind `counts` does not count. NULL: nothing does. */
void attack_revoke(const struct township_device *d, const struct event *counts);
void invite_used_again(const struct attack *a);
void invite_used_over_and_over(const struct attack *a);
void invite_expired(const struct attack *a);
void invite_of_another_hub(const struct attack *a);
void invite_of_another_township(const struct attack *a);
void invite_nobody_gave(const struct attack *a);
void invite_for_an_enrolled_key(const struct attack *a);
void join_signed_by_another(const struct attack *a);
void join_garbled(const struct attack *a);
void session_on_an_invite(const struct attack *a);
void revoked_in_its_session(const struct attack *a);
void revoked_and_back(const struct attack *a);
void revoked_events_by_another(const struct attack *a);
void revoked_with_nothing_that_counts(const struct attack *a);
void revoked_on_another_branch(const struct attack *a);
void rotation_with_a_wrong_proof(const struct attack *a);
void rotation_of_another(const struct attack *a);
void replaced_authority_goes_on(const struct attack *a);
