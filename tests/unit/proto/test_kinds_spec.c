/* SPEC 13.6 is the table of kinds as the code has it. After a change of the table the failing test
 * names the file with the new text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/kinds.h"

#include <stdio.h>
#include <string.h>

static void print_scopes(struct buf *out, uint32_t scopes)
{
    static const char *const names[] = {
        [SCOPE_TOWN] = "town", [SCOPE_VILLAGE] = "village", [SCOPE_OFFICE] = "office"};
    const char *separator = "";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(scopes & 1u << i)) continue;
        buf_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

static void print_choices(struct buf *out, const char *choices)
{
    for (const char *c = choices; *c; c++)
        if (*c == '|')
            buf_append_text(out, ", ");
        else
            buf_append_byte(out, (uint8_t)*c);
}

static void print_bounds(struct buf *out, const struct field *f)
{
    if (f->type == FIELD_CHOICE) {
        print_choices(out, f->choices);
        if (f->sealed) buf_printf(out, ", (%s)", f->sealed);
    } else if (f->type == FIELD_BOOL || f->type == FIELD_DATE || f->type == FIELD_TIME ||
               f->type == FIELD_THING) {
        buf_append_text(out, "–");
    } else if (f->type == FIELD_ROWS) {
        buf_printf(out, "%lld to %lld of (", (long long)f->min, (long long)f->max);
        for (size_t i = 0; i < f->column_count; i++) {
            const struct field *c = &f->columns[i];
            buf_printf(out, "%s%s %s ", i ? "; " : "", c->name, field_type_name(c->type));
            print_bounds(out, c);
            if (!c->required) buf_append_text(out, " or nil");
        }
        buf_append_text(out, ")");
    } else if (f->min == f->max) {
        buf_printf(out, "%lld", (long long)f->min);
    } else {
        buf_printf(out, "%lld to %lld", (long long)f->min, (long long)f->max);
    }
}

static void print_kind(struct buf *out, const struct kind *k)
{
    struct buf roles = {0};
    roles_print(&roles, k->roles);
    buf_printf(out, "**%s** %s · %s: %s %s. Authors: %s. Scopes: ", k->name, k->zh, k->en,
               k->founding ? "founds a thing of type" : "acts on a thing of type",
               thing_type_name(k->thing), buf_text(&roles));
    print_scopes(out, k->scopes);
    buf_append_text(out, ".\n\n| field | 中文 | meaning | type | bounds | in | |\n"
                         "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        buf_printf(out, "| %s | %s | %s | %s | ", f->name, f->zh, f->en, field_type_name(f->type));
        print_bounds(out, f);
        buf_printf(out, " | %s | %s%s |\n", f->personal ? "box" : "body",
                   f->required ? "required"
                   : f->unless ? "required unless "
                               : "",
                   f->unless ? f->unless : "");
    }
    buf_append_text(out, "\n");
    buf_clear(&roles);
}

static char *read_spec(void)
{
    static char text[256 * 1024];
    FILE *file = fopen("proto/SPEC.md", "r");
    assert_non_null(file); /* run from the root of the tree */
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void says_the_same_as_the_specification(void **state)
{
    (void)state;
    struct buf table = {0};
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++) print_kind(&table, k);
    const char *spec = read_spec();
    const char *begin = strstr(spec, "<!-- kinds -->\n");
    assert_non_null(begin);
    begin += strlen("<!-- kinds -->\n");
    const char *end = strstr(begin, "<!-- end of kinds -->");
    assert_non_null(end);
    if (!slice_equal(buf_slice(&table), slice_of(begin, (size_t)(end - begin)))) {
        static const char path[] = SIDAN_BUILD_DIR "/kinds.md";
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fwrite(table.data, 1, table.size, file);
        fclose(file);
        fail_msg("proto/SPEC.md, 13.6 is not the table of proto/kinds_*.c, which is in %s", path);
    }
    buf_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_the_same_as_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
