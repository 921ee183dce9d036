#define _GNU_SOURCE /* memmem */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/township.h"

static struct township_village village_of(const char *code, const char *name, uint32_t number)
{
    struct township_village v = {.village = {.number = number}};
    snprintf(v.village.code, sizeof v.village.code, "%s", code);
    snprintf(v.village.name, sizeof v.village.name, "%s", name);
    snprintf(v.village.short_name, sizeof v.village.short_name, "%.6s", name);
    snprintf(v.village.pinyin, sizeof v.village.pinyin, "Longfeng");
    snprintf(v.type, sizeof v.type, "village");
    return v;
}

/* Every body must pass its own kind's table: what init signs is what every node folds. */
static void assert_fits(const char *kind, struct buf *body)
{
    struct kind_problem problem = {0};
    const struct kind *k = kind_find(slice_of_text(kind));
    assert_non_null(k);
    assert_int_equal(mp_scan_whole(buf_slice(body)), OK);
    enum err e = kind_check(k, buf_slice(body), SLICE_EMPTY, false, &problem);
    if (e != OK) {
        fail_msg("%s: %s %s", kind, problem.field, problem.what);
    }
    buf_clear(body);
}

static void writes_bodies_that_their_kinds_accept(void **state)
{
    (void)state;
    struct buf body = {0};
    struct township_founding founding = {.name = "琅塘镇"};
    assert_int_equal(township_founded_write(&body, &founding), OK);
    assert_fits("township.founded", &body);

    struct township_village village = village_of("431322111254", "龙凤村委会", 19);
    assert_int_equal(township_village_write(&body, &village), OK);
    assert_fits("village.put", &body);

    uint8_t sealed[32 + CRYPTO_SEAL_OVERHEAD] = {0};
    struct township_hub hub = {.name = "琅塘镇平台",
                               .office_secret = slice_of(sealed, sizeof sealed)};
    assert_int_equal(township_hub_write(&body, &hub), OK);
    assert_fits("device.enrol", &body);
}

static void invites_by_the_public_halves_only(void **state)
{
    (void)state;
    struct buf body = {0};
    struct invite invite = {.village = "431322111254",
                            .roles = ROLE_VILLAGE,
                            .device_name = "龙凤-A",
                            .expires_ms = 1795000000000};
    struct box_key transport;
    struct mp_reader value;
    sign_seed_make(&invite.seed);
    box_pair_make(&transport, &invite.transport);
    assert_int_equal(township_invited_write(&body, &invite, 'A'), OK);
    assert_null(memmem(body.data, body.size, invite.seed.bytes, sizeof invite.seed.bytes));
    assert_null(
        memmem(body.data, body.size, invite.transport.bytes, sizeof invite.transport.bytes));
    assert_true(mp_map_get(buf_slice(&body), "transport", &value));
    struct slice written = mp_read_bin(&value, 32);
    assert_memory_equal(written.data, transport.bytes, sizeof transport.bytes);
    assert_fits("device.invited", &body);

    invite.village[0] = '\0';
    invite.roles = ROLE_DISPATCH | ROLE_CALLBACK;
    assert_int_equal(township_invited_write(&body, &invite, 'B'), OK);
    assert_false(mp_map_get(buf_slice(&body), "village", &value));
    assert_fits("device.invited", &body);
}

static void refuses_a_bad_list_of_villages(void **state)
{
    (void)state;
    struct township_village good[] = {village_of("431322111254", "龙凤村委会", 1),
                                      village_of("431322111256", "龙峰村委会", 2)};
    size_t bad;
    const char *what;
    assert_int_equal(township_villages_check(good, 2, &bad, &what), OK);

    static const struct {
        const char *code, *name;
        uint32_t number;
        enum err err;
    } cases[] = {
        {"43132211125", "x", 2, ERR_RANGE},     {"43132211125a", "x", 2, ERR_RANGE},
        {"431322111256", "", 2, ERR_RANGE},     {"431322111256", "x", 0, ERR_RANGE},
        {"431322111256", "x", 1000, ERR_RANGE}, {"431322111254", "x", 2, ERR_EXISTS},
        {"431322111256", "x", 1, ERR_EXISTS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        good[1] = village_of(cases[i].code, cases[i].name, cases[i].number);
        assert_int_equal(township_villages_check(good, 2, &bad, &what), cases[i].err);
        assert_int_equal(bad, 1);
        assert_non_null(what);
    }
}

static void gives_each_device_of_a_village_its_own_letter(void **state)
{
    (void)state;
    struct device devices[] = {{.village = "431322111254", .letter = 'A', .state = DEVICE_REVOKED},
                               {.village = "", .letter = 'A'},
                               {.village = "431322111254", .letter = 'C', .state = DEVICE_INVITED}};
    struct roster roster = {.devices = devices, .device_count = 3};
    char letter;
    assert_int_equal(township_next_letter(&roster, "431322111254", &letter), OK);
    assert_int_equal(letter, 'D');
    assert_int_equal(township_next_letter(&roster, "", &letter), OK);
    assert_int_equal(letter, 'B');
    assert_int_equal(township_next_letter(&roster, "431322111256", &letter), OK);
    assert_int_equal(letter, 'A');
    devices[2].letter = 'Z';
    assert_int_equal(township_next_letter(&roster, "431322111254", &letter), ERR_LIMIT);
}

static void finds_a_village_by_code_or_name_and_pinyin_only_where_unique(void **state)
{
    (void)state;
    struct village villages[] = {village_of("431322111254", "龙凤村委会", 1).village,
                                 village_of("431322111256", "龙峰村委会", 2).village};
    struct roster roster = {.villages = villages, .village_count = 2};
    const struct village *found;
    assert_int_equal(township_find_village(&roster, slice_of_text("龙峰"), &found), OK);
    assert_string_equal(found->code, "431322111256");
    assert_int_equal(township_find_village(&roster, slice_of_text("431322111254"), &found), OK);
    assert_string_equal(found->short_name, "龙凤");
    assert_int_equal(township_find_village(&roster, slice_of_text("龙凤村委会"), &found), OK);
    assert_int_equal(township_find_village(&roster, slice_of_text("Longfeng"), &found),
                     ERR_AMBIGUOUS);
    assert_int_equal(township_find_village(&roster, slice_of_text("longfeng"), &found),
                     ERR_AMBIGUOUS);
    assert_int_equal(township_find_village(&roster, slice_of_text("龙凤村"), &found), OK);
    assert_string_equal(found->code, "431322111254");
    assert_int_equal(township_find_village(&roster, slice_of_text("龙凤镇"), &found),
                     ERR_NOT_FOUND);
    assert_int_equal(township_find_village(&roster, slice_of_text("龙"), &found), ERR_NOT_FOUND);
    assert_int_equal(township_find_village(&roster, SLICE_EMPTY, &found), ERR_NOT_FOUND);
    snprintf(villages[1].pinyin, sizeof villages[1].pinyin, "Longfeng2");
    assert_int_equal(township_find_village(&roster, slice_of_text("Longfeng"), &found), OK);
}

static void prints_the_recovery_key_with_its_check(void **state)
{
    (void)state;
    struct sign_seed seed = {{0}};
    struct buf a = {0}, b = {0};
    township_recovery_print(&a, &seed);
    assert_int_equal(a.size, 17 * 4 + 16);
    assert_memory_equal(a.data, "0000 0000 0000 0000\n0000 ", 25);
    seed.bytes[31] = 1;
    township_recovery_print(&b, &seed);
    assert_memory_not_equal(a.data + a.size - 4, b.data + b.size - 4, 4);
    buf_clear(&a);
    buf_clear(&b);
}

static enum err read_sheet(struct sign_seed *out, const char *text, unsigned *group)
{
    const char *what = NULL;
    *group = 0;
    enum err err = township_recovery_read(out, slice_of_text(text), group, &what);
    assert_non_null(what);
    return err;
}

static void reads_the_recovery_key_as_people_type_it(void **state)
{
    (void)state;
    struct sign_seed seed, read;
    struct buf sheet = {0};
    char typed[128];
    unsigned group;
    for (size_t i = 0; i < sizeof seed.bytes; i++) seed.bytes[i] = (uint8_t)(0x01 + 0x1f * i);
    township_recovery_print(&sheet, &seed);
    const char *text = buf_text(&sheet);
    assert_int_equal(read_sheet(&read, text, &group), OK);
    assert_memory_equal(&read, &seed, sizeof seed);

    /* capitals, dashes, O for 0, l for 1 */
    size_t size = 0;
    for (const char *c = text; *c; c++)
        typed[size++] = *c == ' ' || *c == '\n' ? '-' : *c == '0' ? 'O' : *c == '1' ? 'l' : *c;
    typed[size] = 0;
    assert_int_equal(read_sheet(&read, typed, &group), OK);
    assert_memory_equal(&read, &seed, sizeof seed);

    /* what cannot be, and where */
    snprintf(typed, sizeof typed, "%s", text);
    typed[12] = 'x';
    assert_int_equal(read_sheet(&read, typed, &group), ERR_MALFORMED);
    assert_int_equal(group, 3);
    typed[60] = 0;
    assert_int_equal(read_sheet(&read, text + 5, &group), ERR_MALFORMED);
    assert_int_equal(group, 0);
    snprintf(typed, sizeof typed, "%s 0", text);
    assert_int_equal(read_sheet(&read, typed, &group), ERR_MALFORMED);
    assert_int_equal(group, 0);
    buf_clear(&sheet);
}

static void finds_the_group_with_a_slip_of_the_pen(void **state)
{
    (void)state;
    struct sign_seed seed, read;
    struct signer signer;
    struct buf sheet = {0};
    char typed[128];
    unsigned group;
    for (size_t i = 0; i < sizeof seed.bytes; i++) seed.bytes[i] = (uint8_t)(0x01 + 0x1f * i);
    signer_from_seed(&signer, &seed);
    township_recovery_print(&sheet, &seed);
    snprintf(typed, sizeof typed, "%s", buf_text(&sheet));
    typed[5 * 5 + 1] = typed[5 * 5 + 1] == '7' ? '8' : '7'; /* a wrong digit in group 6 */
    assert_int_equal(read_sheet(&read, typed, &group), ERR_SIGNATURE);
    assert_int_equal(township_recovery_slip(&read, &signer.key), 6);
    snprintf(typed, sizeof typed, "%s", buf_text(&sheet));
    char first = typed[10 * 5];
    typed[10 * 5] = typed[10 * 5 + 1]; /* two swapped in group 11 */
    typed[10 * 5 + 1] = first;
    assert_int_not_equal(typed[10 * 5], first);
    assert_int_equal(read_sheet(&read, typed, &group), ERR_SIGNATURE);
    assert_int_equal(township_recovery_slip(&read, &signer.key), 11);
    snprintf(typed, sizeof typed, "%s", buf_text(&sheet));
    typed[16 * 5] = typed[16 * 5] == '7' ? '8' : '7'; /* in the check */
    assert_int_equal(read_sheet(&read, typed, &group), ERR_SIGNATURE);
    assert_int_equal(township_recovery_slip(&read, &signer.key), 17);
    read.bytes[3] ^= 0x55;
    read.bytes[9] ^= 0x55;
    assert_int_equal(township_recovery_slip(&read, &signer.key), 0);
    buf_clear(&sheet);
}

static int start(void **state)
{
    (void)state;
    return crypto_init() == OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_bodies_that_their_kinds_accept),
        cmocka_unit_test(invites_by_the_public_halves_only),
        cmocka_unit_test(refuses_a_bad_list_of_villages),
        cmocka_unit_test(gives_each_device_of_a_village_its_own_letter),
        cmocka_unit_test(finds_a_village_by_code_or_name_and_pinyin_only_where_unique),
        cmocka_unit_test(prints_the_recovery_key_with_its_check),
        cmocka_unit_test(reads_the_recovery_key_as_people_type_it),
        cmocka_unit_test(finds_the_group_with_a_slip_of_the_pen),
    };
    return cmocka_run_group_tests(tests, start, NULL) != 0;
}
