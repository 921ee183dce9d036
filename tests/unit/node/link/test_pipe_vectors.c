/* The conversation of tests/vectors/pipe.json, with a real end in it. Run from the root. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/link/pipe_link.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_end_that_answers_speaks_as_written, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
