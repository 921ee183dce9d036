#include "tools/output.h"

#include "common/text.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *checked(json_t *value)
{
    if (value) return value;
    fputs("sidan: out of memory\n", stderr);
    exit(EXIT_FAILED);
}

json_t *output_json(const char *schema)
{
    char at[TIME_TEXT_SIZE];
    time_format_utc(at, clock_machine_ms());
    return checked(json_pack("{s:s, s:s}", "schema", schema, "at", at));
}

json_t *output_json_text(struct slice s)
{
    json_t *value = json_stringn(s.size ? (const char *)s.data : "", s.size);
    if (value) return value;
    struct buf shown = {0};
    text_append_shown(&shown, s);
    value = json_string(buf_text(&shown));
    buf_clear(&shown);
    return checked(value);
}

json_t *output_json_hex(const void *data, size_t size)
{
    char *text = malloc(2 * size + 1);
    if (text) hex_encode(text, data, size);
    json_t *hex = checked(text ? json_string(text) : NULL);
    free(text);
    return hex;
}

json_t *output_json_time(uint64_t ms)
{
    if (ms == 0) return json_null();
    char text[TIME_TEXT_SIZE];
    time_format_utc(text, ms);
    return checked(json_string(text));
}

static int written(void)
{
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_OK;
}

int output_json_end(json_t *object)
{
    int failed = json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    fputc('\n', stdout);
    return failed ? EXIT_FAILED : written();
}

void output_list_begin(struct output_list *list, json_t *object, const char *name)
{
    list->any = false;
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    size_t size = text ? strlen(text) : 0;
    if (size) printf("%.*s,\"%s\":[", (int)(size - 1), text, name);
    free(text);
}

void output_list_item(struct output_list *list, json_t *item)
{
    if (list->any) fputc(',', stdout);
    list->any = true;
    json_dumpf(item, stdout, JSON_COMPACT);
    json_decref(item);
}

int output_list_end(struct output_list *list)
{
    list->any = false;
    fputs("]}\n", stdout);
    return written();
}
