/* The conversation of tests/vectors/pipe.json, with a real end in it. Run from the root. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/packet.h"
#include "node/link/pipe_link.h"
#include "proto/noise.h"
#include "tests/support/vectors.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conversation {
    json_t *root;
    struct link *link;
    int far; /* the other end's side of the line */
};

static uint8_t ephemeral[32];
static void give_ephemeral(void *state, void *out, size_t size)
{
    (void)state;
    assert_int_equal(size, sizeof ephemeral);
    memcpy(out, ephemeral, size);
}

static bool admit_all(void *state, const struct box_key *key)
{
    (void)state;
    (void)key;
    return true;
}

static int set_up(void **state)
{
    static struct conversation c;
    int fds[2];
    struct pipe_keys keys = {.own = {{0}}};
    struct pipe_link_options options = {.keys = &keys, .key_count = 1, .admit = admit_all};
    assert_int_equal(crypto_init(), OK);
    c.root = vectors_load("pipe");
    vectors_fixed(c.root, "called_secret", keys.secret.bytes, sizeof keys.secret.bytes);
    vectors_fixed(c.root, "called_ephemeral", ephemeral, sizeof ephemeral);
    vectors_fixed(c.root, "township", options.township.bytes, sizeof options.township.bytes);
    box_key_of_secret(&keys.own, &keys.secret);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    options.in = options.out = fds[0];
    c.far = fds[1];
    crypto_random_source(give_ephemeral, NULL);
    *state = &c;
    return pipe_link_open(&c.link, &options) ? -1 : 0;
}

static int tear_down(void **state)
{
    struct conversation *c = *state;
    struct pollfd fds[2];
    crypto_random_source(NULL, NULL);
    pipe_link_poll(c->link, fds);
    c->link->ops->close(c->link);
    close(fds[0].fd);
    close(c->far);
    json_decref(c->root);
    return 0;
}

static const json_t *packet(const struct conversation *c, size_t i)
{
    return json_array_get(json_object_get(c->root, "packets"), i);
}

static void hears(struct conversation *c, size_t i)
{
    struct buf line = vectors_bytes(packet(c, i), "line");
    assert_int_equal(write(c->far, line.data, line.size), (ssize_t)line.size);
    buf_clear(&line);
    pipe_link_tick(c->link, 1000);
}

static void has_said(struct conversation *c, size_t i)
{
    uint8_t line[2048];
    ssize_t size = read(c->far, line, sizeof line);
    assert_true(size > 0);
    vectors_assert_hex(slice_of(line, (size_t)size), packet(c, i), "line");
}

static void the_end_that_answers_speaks_as_written(void **state)
{
    struct conversation *c = *state;
    struct link_event event;
    hears(c, 0);
    assert_false(c->link->ops->next(c->link, &event));
    has_said(c, 1);
    hears(c, 2);
    assert_true(c->link->ops->next(c->link, &event));
    assert_int_equal(event.type, LINK_UP);
    uint64_t peer = event.peer;
    assert_true(c->link->ops->next(c->link, &event));
    assert_int_equal(event.type, LINK_FRAME);
    assert_true(slice_is_text(event.frame, "sidan/25"));
    assert_int_equal(c->link->ops->send(c->link, peer, slice_of_text("heard")), OK);
    has_said(c, 3);
    hears(c, 4);
    assert_false(c->link->ops->next(c->link, &event));
    hears(c, 5);
    assert_true(c->link->ops->next(c->link, &event));
    assert_int_equal(event.frame.size, 1025);
    hears(c, 5); /* it comes once more */
    assert_true(c->link->ops->next(c->link, &event));
    assert_int_equal(event.type, LINK_DOWN);
    assert_false(c->link->ops->next(c->link, &event));
    has_said(c, 6);
}

/* What the caller of the vectors seals by. */
static struct noise_cipher sealing_of_caller(const json_t *root)
{
    struct noise n;
    struct box_key own, peer;
    struct box_secret secret, called;
    struct noise_cipher sending, receiving;
    struct buf out = {0}, prologue = vectors_bytes(root, "prologue");
    struct buf answer = vectors_bytes(json_array_get(json_object_get(root, "packets"), 1), "body");
    vectors_fixed(root, "caller_secret", secret.bytes, sizeof secret.bytes);
    vectors_fixed(root, "called_secret", called.bytes, sizeof called.bytes);
    box_key_of_secret(&own, &secret);
    box_key_of_secret(&peer, &called);
    vectors_fixed(root, "caller_ephemeral", ephemeral, sizeof ephemeral);
    noise_begin(&n, buf_slice(&prologue), &own, &secret, &peer);
    assert_int_equal(noise_call_write(&n, &out, SLICE_EMPTY), OK);
    assert_int_equal(noise_answer_read(&n, &out, buf_slice(&answer)), OK);
    vectors_fixed(root, "called_ephemeral", ephemeral, sizeof ephemeral);
    noise_split(&n, &sending, &receiving);
    buf_clear(&out);
    buf_clear(&prologue);
    buf_clear(&answer);
    return sending;
}

/* As the end that answers is told of it; a part is a byte and as many of them as it says. */
static unsigned frames_of(struct conversation *c, struct noise_cipher *sending, uint8_t first,
                          size_t size)
{
    uint8_t part[1025];
    struct buf sealed = {0}, line = {0};
    struct link_event event;
    unsigned frames = 0;
    memset(part, 'x', sizeof part);
    part[0] = first;
    assert_int_equal(noise_seal(sending, &sealed, slice_of(part, size)), OK);
    packet_write(&line, PACKET_DATA, buf_slice(&sealed));
    assert_int_equal(write(c->far, line.data, line.size), (ssize_t)line.size);
    pipe_link_tick(c->link, 1000);
    while (c->link->ops->next(c->link, &event)) frames += event.type == LINK_FRAME;
    buf_clear(&sealed);
    buf_clear(&line);
    return frames;
}

static void a_proven_peer_cannot_make_frames_of_any_size(void **state)
{
    struct conversation *c = *state;
    struct link_event event;
    struct noise_cipher sending = sealing_of_caller(c->root);
    hears(c, 0);
    assert_false(c->link->ops->next(c->link, &event));
    assert_int_equal(frames_of(c, &sending, 1, 2), 1);
    assert_int_equal(frames_of(c, &sending, 1, 1), 0); /* of none */
    assert_true(pipe_link_up(c->link));
    for (size_t i = 0; i < FRAME_SIZE_MAX / 1024; i++)
        assert_int_equal(frames_of(c, &sending, 0, 1025), 0);
    assert_true(pipe_link_up(c->link));
    assert_int_equal(frames_of(c, &sending, 1, 2), 0);
    assert_false(pipe_link_up(c->link));
}

static void parts_of_no_known_form_end_the_session(void **state)
{
    struct conversation *c = *state;
    struct link_event event;
    struct noise_cipher sending = sealing_of_caller(c->root);
    hears(c, 0);
    assert_false(c->link->ops->next(c->link, &event));
    assert_int_equal(frames_of(c, &sending, 2, 2), 0);
    assert_false(pipe_link_up(c->link));
    hears(c, 0); /* not used up: nothing opened under it */
    assert_false(c->link->ops->next(c->link, &event));
    sending = sealing_of_caller(c->root);
    assert_int_equal(frames_of(c, &sending, 1, 2), 1);
    assert_int_equal(frames_of(c, &sending, 1, 0), 0);
    assert_false(pipe_link_up(c->link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_end_that_answers_speaks_as_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_proven_peer_cannot_make_frames_of_any_size, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parts_of_no_known_form_end_the_session, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
