#define _GNU_SOURCE /* memfd_create */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/enemy.h"

#include <sys/mman.h>
#include <unistd.h>

static struct box_secret secret;

void enemy_stick_begin(void)
{
    scene.stick.used = true;
    box_pair_make(&scene.hub.keys.transport, &secret);
}

static void say_hello(void)
{
    struct buf frame = {0};
    struct frame_hello h = hello_of_enemy();
    have_digest(h.have8, NULL, 0);
    frame_hello_write(&frame, &h, NULL);
    enemy_sends(&frame);
}

struct bundle_writer *enemy_stick_open(const struct enemy_stick_from *f, int *fd)
{
    struct enemy_stick *s = &scene.stick;
    struct bundle_writer *w;
    *fd = memfd_create("stick", MFD_CLOEXEC);
    assert_true(*fd >= 0);
    if (!s->hello.size) say_hello();
    struct bundle_head head = {.township =
                                   f->township ? *f->township : scene.township.authority.signer.key,
                               .from = f->from ? *f->from : scene.enemy->signer.key,
                               .to = scene.hub.keys.signer.key,
                               .number = f->number ? f->number : 1};
    assert_int_equal(bundle_begin(&w, *fd, &scene.hub.keys.transport, &head, buf_slice(&s->hello),
                                  f->signer ? f->signer : &scene.enemy->signer),
                     OK);
    for (size_t i = 0; i < s->count; i++)
        assert_int_equal(bundle_put(w, buf_slice(&s->frames[i])), OK);
    return w;
}

int enemy_stick_file(const struct enemy_stick_from *f)
{
    uint64_t size;
    int fd;
    struct bundle_writer *w = enemy_stick_open(f, &fd);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    return fd;
}

static void take_or_look(int fd, bool look)
{
    struct enemy_stick *s = &scene.stick;
    struct device_keys keys = scene.hub.keys;
    keys.transport_secret = secret;
    const struct bundle_taking taking = {.store = scene.hub.store.store,
                                         .views = scene.hub.store.views,
                                         .keys = &keys,
                                         .wall_ms = scene.township.time_ms + scene.now_ms,
                                         .look = look};
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    s->taken = (struct bundle_taken){0};
    s->err = bundle_take(fd, &taking, &s->taken);
    close(fd);
    const struct exchange_time time = {.now_ms = ++scene.now_ms};
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
}

void enemy_stick_taken(int fd)
{
    take_or_look(fd, false);
}

void enemy_stick_looked_at(int fd)
{
    take_or_look(fd, true);
}

void enemy_stick_clear(void)
{
    struct enemy_stick *s = &scene.stick;
    buf_clear(&s->hello);
    for (size_t i = 0; i < s->count; i++) buf_clear(&s->frames[i]);
    *s = (struct enemy_stick){.used = s->used};
}
