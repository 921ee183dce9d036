/* A courier who lies: junk, bundles without end, sizes that are none, parts that nobody asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static uint8_t noise[PART_SIZE_MAX];

/* What the hub holds of bundles that come, in bytes. */
static uint64_t on_disk(void)
{
    char path[PATH_MAX];
    uint64_t bytes = 0;
    struct stat st;
    snprintf(path, sizeof path, "%s/courier", scene.hub.store.home);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += (uint64_t)st.st_size;
    if (dir) closedir(dir);
    return bytes;
}

/* The beginning of a bundle that the hub's key opens, and nothing that it is worth. */
static void make_outside(uint8_t outside[BUNDLE_OUTSIDE_SIZE])
{
    struct bundle_writer *w;
    struct bundle_head head = {.number = 1};
    struct frame_hello h = hello_of_enemy();
    struct buf hello = {0};
    FILE *file = tmpfile();
    assert_non_null(file);
    frame_hello_write(&hello, &h, NULL);
    assert_int_equal(bundle_begin(&w, fileno(file), &scene.hub_key, &head, buf_slice(&hello),
                                  &scene.enemy->signer),
                     OK);
    bundle_writer_close(w);
    buf_clear(&hello);
    rewind(file);
    assert_int_equal(bundle_outside_read(outside, fileno(file)), OK);
    fclose(file);
}

static void offers(const struct offer_entry *entries, size_t count)
{
    struct buf frame = {0};
    frame_offer_write(&frame, entries, count);
    enemy_sends(&frame);
}

static void offers_one(uint8_t outside[BUNDLE_OUTSIDE_SIZE], uint64_t size)
{
    struct offer_entry entry = {.size = size};
    make_outside(outside);
    memcpy(entry.outside, outside, sizeof entry.outside);
    offers(&entry, 1);
}

static void sends_part(uint64_t offset, size_t size)
{
    struct buf frame = {0};
    const struct frame_part part = {
        .id = scene.ask.id, .offset = offset, .bytes = slice_of(noise, size)};
    frame_part_write(&frame, &part);
    enemy_sends(&frame);
}

/* What the hub holds, to the letter: its session has nothing to do, so couriers have their turn. */
static void greets(void)
{
    static struct have_entry have[HAVE_ENTRIES_MAX];
    struct frame_hello h = hello_of_enemy();
    struct buf frame = {0};
    struct txn *t;
    size_t count = 0;
    turns(30); /* the honest village has its say first */
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    for (uint32_t number = 1; number <= feed_count(t); number++) {
        struct feed_row row;
        if (!feed_get(t, number, &row)) continue;
        if (scope_class(&row.feed.scope) != SCOPE_TOWN &&
            strcmp(row.feed.scope.text, ENEMY_SCOPE) != 0)
            continue;
        have[count] = (struct have_entry){.seq = row.heads[0].seq};
        memcpy(have[count].feed.id8, row.id.bytes, sizeof have[count].feed.id8);
        memcpy(have[count++].id8, row.heads[0].id.bytes, sizeof have[0].id8);
    }
    txn_abort(t);
    h.complete = true;
    h.have_count = count;
    have_digest(h.have8, have, count);
    frame_hello_write(&frame, &h, have);
    enemy_sends(&frame);
    turns(30);
}

static bool is_asked(unsigned before)
{
    for (unsigned i = 0; i < 50 && scene.asked[ASK_PART] == before; i++) turns(1);
    return scene.asked[ASK_PART] > before;
}

void offers_of_junk(const struct attack *a)
{
    (void)a;
    struct offer_entry entries[OFFER_ENTRIES_MAX];
    greets();
    for (unsigned i = 0; i < 40; i++) {
        for (size_t k = 0; k < OFFER_ENTRIES_MAX; k++) {
            crypto_random(entries[k].outside, sizeof entries[k].outside);
            entries[k].size = 5000;
        }
        offers(entries, OFFER_ENTRIES_MAX);
        turns(1);
    }
    assert_int_equal(scene.asked[ASK_PART], 0);
    assert_in_range(scene.asked[ASK_REFUSED], 1, OFFERED_MAX);
    assert_int_equal(on_disk(), 0);
}

void offers_malformed(const struct attack *a)
{
    (void)a;
    static const uint8_t bad[][8] = {
        {0x92, 19, 0x91, 0x05}, {0x92, 20, 0xc4, 0x01, 0}, {0x92, 21, 0xc0}, {0x92, 19, 0xc0}};
    greets();
    for (unsigned i = 0; i < 400; i++) {
        static const size_t sizes[] = {4, 5, 3, 3};
        struct buf frame = {0};
        buf_append(&frame, bad[i % 4], sizes[i % 4]);
        enemy_sends(&frame);
        if (i % 100 == 99) turns(1);
    }
    assert_int_equal(scene.asked[ASK_PART] + scene.asked[ASK_REFUSED], 0);
}

/* Each is opened by the hub's key, and then is noise. */
void bundles_of_junk(const struct attack *a)
{
    (void)a;
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    greets();
    for (unsigned i = 0; i < 3 * BAD_MAX; i++) {
        unsigned before = scene.asked[ASK_PART];
        offers_one(outside, 3000);
        if (!is_asked(before)) break;
        memcpy(noise, outside, sizeof outside);
        sends_part(0, 3000);
        turns(5);
    }
    assert_int_equal(scene.asked[ASK_REFUSED],
                     BAD_MAX + 1); /* and nothing of it is looked at more */
    assert_int_equal(scene.asked[ASK_HELD], 0);
    assert_int_equal(on_disk(), 0);
}

/* Ever new ones, of each the beginning. */
void bundles_without_end(const struct attack *a)
{
    (void)a;
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    greets();
    for (unsigned i = 0; i < 200; i++) {
        offers_one(outside, MIB(200));
        turns(1);
        sends_part(scene.ask.offset, (size_t)(scene.ask.count ? KIB(1) : 1));
    }
    assert_in_range(on_disk(), 0, MIB(1));
    assert_int_equal(scene.asked[ASK_HELD], 0);
}

void bundle_of_another_size(const struct attack *a)
{
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    greets();
    offers_one(outside, a->number);
    if (!is_asked(0)) return;
    assert_in_range(a->number, BUNDLE_OUTSIDE_SIZE + 1, COURIER_PARTS_BYTES_MAX);
    for (unsigned i = 0; i < 40; i++) {
        sends_part(scene.ask.offset, PART_SIZE_MAX); /* whatever was asked for */
        turns(1);
    }
    assert_in_range(on_disk(), 0, MIB(2));
}

void parts_not_asked_for(const struct attack *a)
{
    (void)a;
    greets();
    for (unsigned i = 0; i < 200; i++) {
        sends_part((uint64_t)i * PART_SIZE_MAX, PART_SIZE_MAX);
        if (i % 20 == 19) turns(1);
    }
    assert_int_equal(on_disk(), 0);
}

void parts_that_do_not_follow(const struct attack *a)
{
    (void)a;
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    greets();
    offers_one(outside, KIB(100));
    assert_true(is_asked(0));
    sends_part(1, 100);      /* a gap */
    sends_part(KIB(99), 10); /* the end */
    turns(2);
    assert_int_equal(on_disk(), 0);
    sends_part(0, 100);
    sends_part(0, 100); /* again */
    sends_part(50, 100);
    turns(2);
    assert_int_equal(on_disk(), 100);
}

void asks_for_what_is_not_offered(const struct attack *a)
{
    (void)a;
    greets();
    for (unsigned i = 0; i < 500; i++) {
        struct buf frame = {0};
        struct frame_ask ask = {.count = ASK_COUNT_MAX, .state = i % 5};
        crypto_random(ask.id.bytes, sizeof ask.id.bytes);
        frame_ask_write(&frame, &ask);
        enemy_sends(&frame);
        if (i % 100 == 99) turns(1);
    }
    assert_int_equal(scene.parts, 0);
}
