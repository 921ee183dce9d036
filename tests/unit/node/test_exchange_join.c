/* An invite is used, used again, and used by a stranger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/exchange_state.h"
#include "tests/support/meeting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLACK_MS = 1000 }; /* the clock of a meeting goes on with each look at it */

static void invite_for(struct signer *one_time, struct invite *invite)
{
    memset(invite, 0, sizeof *invite);
    memset(invite->seed.bytes, 77, sizeof invite->seed.bytes);
    signer_from_seed(one_time, &invite->seed);
    invite->authority = meeting.township.authority.signer.key;
    invite->acceptor = meeting.township.hub.signer.key;
    snprintf(invite->device_name, sizeof invite->device_name, "laptop");
}

static enum join_state try_join(const struct invite *invite, const struct device_keys *keys,
                                struct join_progress *progress)
{
    struct pipe *pipe;
    struct link *dialled, *listening;
    struct box_key one_time = {{9}};
    pipe_open(&pipe, &dialled, &one_time, &listening, &meeting.hub.keys.transport);
    pipe_set_invite(pipe, true);
    assert_int_equal(exchange_add_link(meeting.hub.exchange, listening, false), OK);
    *progress = (struct join_progress){0};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(join_turn(dialled, invite, keys, meeting.township.time_ms, progress), OK);
        meeting_turn(&meeting.hub);
    }
    exchange_remove_link(meeting.hub.exchange, listening);
    pipe_close(pipe);
    return progress->state;
}

static void an_invite_admits_one_device_once(void **state)
{
    (void)state;
    meeting_begin(0);
    struct signer one_time;
    struct invite invite;
    struct device_keys first = {0}, second = {0};
    struct join_progress progress;
    invite_for(&one_time, &invite);
    township_invite(&meeting.township, &one_time, &meeting.township.hub.signer.key,
                    meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_node_take_all(&meeting.hub.store, &meeting.township);
    township_signer(&first.signer, 501);
    township_signer(&second.signer, 502);
    first.transport.bytes[0] = 1;
    second.transport.bytes[0] = 2;
    assert_int_equal(try_join(&invite, &first, &progress), JOIN_ADMITTED);
    assert_int_equal(try_join(&invite, &first, &progress), JOIN_ADMITTED);
    assert_int_equal(try_join(&invite, &second, &progress), JOIN_REFUSED);
    assert_int_equal(progress.refused, REFUSE_INVITE);
    assert_string_equal(progress.text, "invite already used");
    assert_int_equal(exchange_admit(meeting.hub.exchange, &first.transport, 0), LINK_DEVICE);
    assert_int_equal(exchange_admit(meeting.hub.exchange, &second.transport, 0), LINK_DENY);
    meeting_connect();
    meeting_end();
}

static void an_unknown_invite_is_refused(void **state)
{
    (void)state;
    meeting_begin(0);
    struct signer one_time;
    struct invite invite;
    struct device_keys keys = {0};
    struct join_progress progress;
    invite_for(&one_time, &invite);
    township_signer(&keys.signer, 501);
    assert_int_equal(try_join(&invite, &keys, &progress), JOIN_REFUSED);
    assert_string_equal(progress.text, "unknown invite");
    meeting_connect();
    meeting_end();
}

/* A line that died tells neither end, and an invite has no session that would notice. */
static void a_joiner_that_falls_silent_is_dropped(void **state)
{
    (void)state;
    struct pipe *pipe;
    struct link *dialled, *listening;
    struct box_key one_time = {{9}};
    struct signer signer;
    struct invite invite;
    struct device_keys keys = {0};
    struct join_progress progress = {0};
    meeting_begin(0);
    invite_for(&signer, &invite);
    township_signer(&keys.signer, 501);
    pipe_open(&pipe, &dialled, &one_time, &listening, &meeting.hub.keys.transport);
    pipe_set_invite(pipe, true);
    assert_int_equal(exchange_add_link(meeting.hub.exchange, listening, false), OK);
    assert_int_equal(join_turn(dialled, &invite, &keys, meeting.township.time_ms, &progress), OK);
    meeting_turn(&meeting.hub);
    meeting.now_ms += JOINER_MS - SLACK_MS;
    meeting_turn(&meeting.hub);
    assert_int_equal(pipe_dropped(pipe), 0);
    meeting.now_ms += SLACK_MS;
    meeting_turn(&meeting.hub);
    assert_int_equal(pipe_dropped(pipe), 1);
    meeting_turn(&meeting.hub);
    assert_int_equal(pipe_dropped(pipe), 1);
    exchange_remove_link(meeting.hub.exchange, listening);
    pipe_close(pipe);
    meeting_connect();
    meeting_end();
}

static void a_new_laptop_gets_everything_in_one_contact(void **state)
{
    (void)state;
    meeting_begin(40);
    township_node_take_all(&meeting.hub.store, &meeting.township);
    /* The laptop of village 1 again, with an empty store: it knows the hub from its invite. */
    meeting_node_stop(&meeting.village);
    township_node_close(&meeting.village.store);
    meeting_node_open(&meeting.village, &meeting.township.devices[0]);
    struct txn *t;
    assert_int_equal(txn_begin(meeting.village.store.store, true, &t), OK);
    meta_put(t, "hub_device", slice_of(meeting.hub.keys.signer.key.bytes, 32));
    assert_int_equal(txn_commit(t), OK);
    meeting_node_start(&meeting.village);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.hub.exchange, &time), OK);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree("town", meeting.township.roster_count);
    meeting_assert_agree(MEETING_VILLAGE, 40);
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_admits_one_device_once),
        cmocka_unit_test(an_unknown_invite_is_refused),
        cmocka_unit_test(a_joiner_that_falls_silent_is_dropped),
        cmocka_unit_test(a_new_laptop_gets_everything_in_one_contact),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
