#include "tests/lab/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_DEFAULT = 8192, STALL_DEFAULT_MS = 1000, RUN_DEFAULT_S = 3600 };

void lab_options_init(struct lab_options *o)
{
    *o = (struct lab_options){.cuts_max = UINT64_MAX, .seed = 1, .run_s = RUN_DEFAULT_S};
    for (int w = 0; w < WAYS; w++) {
        o->way[w].queue_max = QUEUE_DEFAULT;
        o->way[w].stall_us = STALL_DEFAULT_MS * 1000;
    }
}

/* The next element of a growing array of `size` bytes each. */
static void *grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) return array;
    array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
    if (array == NULL) abort();
    return array;
}

static bool packets_read(struct link_packets *out, const char *path)
{
    FILE *f = fopen(path, "re");
    uint32_t *at = NULL, ms;
    size_t count = 0;
    if (f == NULL) return false;
    while (fscanf(f, "%" SCNu32, &ms) == 1) {
        at = grow(at, count, sizeof *at);
        at[count++] = ms;
    }
    (void)fclose(f);
    *out = (struct link_packets){at, count};
    return count > 0 && at[count - 1] > 0;
}

static bool spans_read(struct link_times *out, const char *path, bool down)
{
    FILE *f = fopen(path, "re");
    struct link_span *spans = NULL;
    uint64_t from, to;
    size_t count = 0;
    if (f == NULL) return false;
    while (fscanf(f, "%" SCNu64 " %" SCNu64, &from, &to) == 2) {
        spans = grow(spans, count, sizeof *spans);
        spans[count++] = (struct link_span){from * 1000, to * 1000};
    }
    (void)fclose(f);
    *out = (struct link_times){.spans = spans, .span_count = count, .spans_down = down};
    return count > 0;
}

static bool how_set(enum cut_how *how, const char *value)
{
    static const char *const names[] = {"reset", "hole", "freeze"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        *how = (enum cut_how)i;
        return true;
    }
    return false;
}

static bool number_read(const char *value, uint64_t *out)
{
    char *end;
    *out = strtoumax(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0';
}

static bool way_set(struct link_options *o, const char *key, const char *value)
{
    uint64_t n;
    if (strcmp(key, "packets") == 0) return packets_read(&o->packets, value);
    if (!number_read(value, &n)) return false;
    if (strcmp(key, "rate_bps") == 0)
        o->rate_bps = n;
    else if (strcmp(key, "delay_ms") == 0)
        o->delay_us = n * 1000;
    else if (strcmp(key, "queue") == 0)
        o->queue_max = (size_t)n;
    else if (strcmp(key, "loss_permille") == 0)
        o->loss_permille = (unsigned)n;
    else if (strcmp(key, "stall_ms") == 0)
        o->stall_us = n * 1000;
    else if (strcmp(key, "cut_bytes") == 0)
        o->cut_bytes = n;
    else
        return false;
    return true;
}

static bool link_set(struct lab_options *o, const char *key, const char *value)
{
    uint64_t n;
    if (strcmp(key, "how") == 0) return how_set(&o->how, value);
    if (strcmp(key, "contacts") == 0) return spans_read(&o->times, value, false);
    if (strcmp(key, "outages") == 0) return spans_read(&o->times, value, true);
    if (!number_read(value, &n)) return false;
    if (strcmp(key, "cut_every_ms") == 0)
        o->times.up_us = n * 1000;
    else if (strcmp(key, "cut_for_ms") == 0)
        o->times.down_us = o->cut_for_us = n * 1000;
    else if (strcmp(key, "cuts_max") == 0)
        o->cuts_max = n;
    else if (strcmp(key, "seed") == 0)
        o->seed = n;
    else if (strcmp(key, "run_s") == 0)
        o->run_s = n;
    else
        return false;
    return true;
}

bool lab_options_set(struct lab_options *o, const char *word)
{
    char key[32];
    const char *value = strchr(word, '=');
    if (value == NULL || (size_t)(value - word) >= sizeof key) return false;
    (void)snprintf(key, sizeof key, "%.*s", (int)(value - word), word);
    value++;
    if (strncmp(key, "up.", 3) == 0) return way_set(&o->way[UP], key + 3, value);
    if (strncmp(key, "down.", 5) == 0) return way_set(&o->way[DOWN], key + 5, value);
    if (link_set(o, key, value)) return true;
    return way_set(&o->way[UP], key, value) && way_set(&o->way[DOWN], key, value);
}
