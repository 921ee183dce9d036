#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/peers.h"

static struct link_peer peer_of(uint32_t counter, uint32_t route, uint8_t key)
{
    return (struct link_peer){
        .handle = (uint64_t)counter << 32 | route, .key = {{key}}, .fd = (int)route};
}

static void finds_peers_by_route_handle_and_key(void **state)
{
    (void)state;
    struct peers p = {0};
    static const uint32_t routes[] = {9, 3, UINT32_MAX, 0, 5};
    for (uint32_t i = 0; i < 5; i++) {
        struct link_peer one = peer_of(i + 1, routes[i], (uint8_t)(i + 1));
        assert_int_equal(peers_add(&p, &one), OK);
        assert_int_equal(peers_add(&p, &one), ERR_EXISTS);
    }
    for (uint32_t i = 0; i < 5; i++) {
        struct link_peer *one = peers_by_route(&p, routes[i]);
        assert_non_null(one);
        assert_int_equal(one->handle >> 32, i + 1);
        assert_ptr_equal(peers_by_handle(&p, one->handle), one);
        assert_ptr_equal(peers_by_key(&p, &one->key), one);
    }
    assert_null(peers_by_route(&p, 4));
    assert_null(peers_by_handle(&p, (uint64_t)7 << 32 | 9)); /* an older life of this route */
    peers_clear(&p);
}

static void a_gone_peer_is_told_once_and_is_no_owner_of_its_key(void **state)
{
    (void)state;
    struct peers p = {0};
    struct link_peer one = peer_of(1, 1, 7), two = peer_of(2, 2, 8);
    assert_int_equal(peers_add(&p, &one), OK);
    assert_int_equal(peers_add(&p, &two), OK);
    peers_lose_fd(&p, 1);
    peers_lose_fd(&p, 1);
    peers_lose_fd(&p, -1);
    assert_int_equal(p.gone, 1);
    assert_null(peers_by_key(&p, &one.key));
    struct link_peer *gone = peers_gone(&p);
    assert_int_equal(gone->handle, one.handle);
    peers_remove(&p, gone);
    assert_null(peers_gone(&p));
    assert_int_equal(p.count, 1);
    assert_int_equal(peers_by_route(&p, 2)->handle, two.handle);
    peers_clear(&p);
}

/* What a connection said before it died may be read when another has its descriptor. */
static void a_descriptor_belongs_to_the_youngest_connection(void **state)
{
    (void)state;
    struct peers p = {0};
    struct link_peer live = peer_of(1, 5, 7);
    live.fd = 20;
    assert_int_equal(peers_add(&p, &live), OK);
    assert_true(peers_outlived(&p, 4, 20));
    assert_true(peers_outlived(&p, UINT32_MAX, 20)); /* the count has begun anew */
    assert_false(peers_outlived(&p, 5, 20));
    assert_false(peers_outlived(&p, 6, 20));
    assert_false(peers_outlived(&p, 4, 21));
    assert_false(peers_outlived(&p, 4, -1));
    peers_clear(&p);
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct peers p = {0};
    for (uint32_t i = 0; i < PEERS_MAX; i++) {
        struct link_peer one = peer_of(1, i, 0);
        assert_int_equal(peers_add(&p, &one), OK);
    }
    struct link_peer more = peer_of(1, PEERS_MAX, 0);
    assert_int_equal(peers_add(&p, &more), ERR_LIMIT);
    assert_int_equal(p.count, PEERS_MAX);
    peers_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_peers_by_route_handle_and_key),
        cmocka_unit_test(a_gone_peer_is_told_once_and_is_no_owner_of_its_key),
        cmocka_unit_test(a_descriptor_belongs_to_the_youngest_connection),
        cmocka_unit_test(the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
