#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/armour.h"

#include <stdio.h>
#include <string.h>

static const struct armour armour = {"thing", "sidan/test", 600};
static uint8_t content[600];

static struct slice whole(void)
{
    for (size_t i = 0; i < sizeof content; i++) content[i] = (uint8_t)(i * 7);
    return slice_of(content, sizeof content);
}

static enum err read_text(struct buf *text, struct armour_pieces *pieces)
{
    struct buf out = {0};
    enum err err = armour_read(&out, &armour, buf_slice(text), pieces);
    if (!err) assert_true(slice_equal(buf_slice(&out), whole()));
    buf_clear(&out);
    return err;
}

static void add_piece(struct buf *text, size_t i, size_t count)
{
    assert_true(armour_piece(text, &armour, whole(), i, count));
    buf_append_byte(text, '\n');
}

static void reads_what_mail_wrapped(void **state)
{
    (void)state;
    struct buf text = {0}, wrapped = {0};
    armour_write(&text, &armour, whole(), "第一行\nsecond");
    for (size_t i = 0; i < text.size; i++) {
        buf_append_byte(&wrapped, text.data[i]);
        if (i > 60 && i % 50 == 0) buf_append_text(&wrapped, "\r\n  ");
    }
    buf_append_text(&wrapped, "# and a remark behind it\n");
    assert_int_equal(read_text(&wrapped, NULL), OK);
    assert_true(armour_is(&armour, buf_slice(&wrapped)));
    buf_clear(&text);
    buf_clear(&wrapped);
}

static void reads_pieces_in_any_order_and_more_than_once(void **state)
{
    static const size_t order[] = {4, 1, 3, 1, 0, 2};
    (void)state;
    struct buf text = {0};
    struct armour_pieces pieces;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(read_text(&text, &pieces), i ? ERR_NOT_FOUND : ERR_MALFORMED);
        add_piece(&text, order[i], 5);
        buf_append_text(&text, "# scanned\n");
    }
    assert_int_equal(read_text(&text, &pieces), OK);
    assert_int_equal(pieces.count, 5);
    buf_clear(&text);
}

static void names_the_pieces_that_lack(void **state)
{
    (void)state;
    struct buf text = {0};
    struct armour_pieces pieces;
    add_piece(&text, 2, 4);
    add_piece(&text, 0, 4);
    assert_int_equal(read_text(&text, &pieces), ERR_NOT_FOUND);
    assert_int_equal(pieces.count, 4);
    assert_true(pieces.here[0] && !pieces.here[1] && pieces.here[2] && !pieces.here[3]);
    buf_clear(&text);
}

static void does_not_mix_pieces_of_two(void **state)
{
    (void)state;
    struct buf text = {0};
    add_piece(&text, 0, 2);
    struct slice shorter = slice_of(content, sizeof content - 1);
    assert_true(armour_piece(&text, &armour, shorter, 1, 2));
    assert_int_equal(read_text(&text, NULL), ERR_AMBIGUOUS);
    buf_reset(&text);
    add_piece(&text, 0, 2);
    add_piece(&text, 1, 3);
    assert_int_equal(read_text(&text, NULL), ERR_AMBIGUOUS);
    buf_clear(&text);
}

static void one_piece_is_the_whole(void **state)
{
    (void)state;
    struct buf text = {0};
    size_t count = armour_piece_count(&armour, whole(), 1000);
    assert_int_equal(count, 1);
    add_piece(&text, 0, count);
    assert_null(memchr(text.data, '/', text.size));
    assert_int_equal(read_text(&text, NULL), OK);
    buf_clear(&text);
}

static void pieces_are_as_short_as_was_asked(void **state)
{
    (void)state;
    for (size_t max = 60; max < 900; max += 40) {
        size_t count = armour_piece_count(&armour, whole(), max);
        struct buf text = {0};
        for (size_t i = 0; i < count; i++) {
            struct buf piece = {0};
            assert_true(armour_piece(&piece, &armour, whole(), i, count));
            assert_true(piece.size <= max);
            buf_append_slice(&text, buf_slice(&piece));
            buf_append_byte(&text, '\n');
            buf_clear(&piece);
        }
        assert_int_equal(read_text(&text, NULL), OK);
        buf_clear(&text);
    }
}

static void refuses_every_changed_character(void **state)
{
    (void)state;
    struct buf text = {0};
    armour_write(&text, &armour, whole(), NULL);
    for (size_t i = 0; i + 1 < text.size; i++) {
        uint8_t was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(read_text(&text, NULL), OK);
        text.data[i] = was;
    }
    assert_int_equal(read_text(&text, NULL), OK);
    buf_clear(&text);
}

static void refuses_what_is_none(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"", ERR_MALFORMED},
        {"hello", ERR_MALFORMED},
        {"sidan-thing-1:", ERR_MALFORMED},
        {"sidan-thing-1:AAAA", ERR_MALFORMED},
        {"sidan-other-1:AAAAAAAA", ERR_MALFORMED},
        {"sidan-thing-2:AAAAAAAA", ERR_VERSION},
        {"sidan-thing-1:0/2/00000000:AAAA", ERR_MALFORMED},
        {"sidan-thing-1:3/2/00000000:AAAA", ERR_MALFORMED},
        {"sidan-thing-1:1/99/00000000:AAAA", ERR_MALFORMED},
        {"sidan-thing-1:1/2/0000:AAAA", ERR_MALFORMED},
        {"sidan-thing-1:1/2/", ERR_MALFORMED},
        {"sidan-thing-1:01/2/00000000:AAAA", ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        buf_append_text(&text, cases[i].text);
        if (read_text(&text, NULL) != cases[i].err) fail_msg("%s", cases[i].text);
        buf_clear(&text);
    }
    struct buf huge = {0};
    for (size_t i = 0; i < 6000; i++) buf_append_byte(&huge, ' ');
    assert_int_equal(read_text(&huge, NULL), ERR_LIMIT);
    buf_clear(&huge);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_mail_wrapped),
        cmocka_unit_test(reads_pieces_in_any_order_and_more_than_once),
        cmocka_unit_test(names_the_pieces_that_lack),
        cmocka_unit_test(does_not_mix_pieces_of_two),
        cmocka_unit_test(one_piece_is_the_whole),
        cmocka_unit_test(pieces_are_as_short_as_was_asked),
        cmocka_unit_test(refuses_every_changed_character),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
