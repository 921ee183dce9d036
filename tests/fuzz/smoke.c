/*
 * A main for the fuzz targets where there is no libFuzzer: each file of the corpus as it is, then
 * mutations of it from a fixed seed, and short noise. It finds what a target lost since it was last
 * fuzzed in earnest (`make fuzz`), on any machine, the same every time.
 *
 *   fuzz_NAME [FILE...]     without files: tests/fuzz/corpus/NAME; with files: only those
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 17, MUTATIONS = 3000, NOISE = 100000, NOISE_SIZE_MAX = 64 };

static uint64_t random_state = 1;

/* SplitMix64, as in the simulator. */
static size_t random_below(size_t bound)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ (z >> 31)) % bound);
}

/* On a copy of exactly this size, so that a read past the end is found. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xc0,
                                    0xc4, 0xc6, 0xcf, 0xdc, 0xdd, 0xff};
    for (size_t times = 1 + random_below(4); times > 0 && size > 0; times--) {
        size_t at = random_below(size);
        switch (random_below(5)) {
        case 0:
            data[at] ^= (uint8_t)(1u << random_below(8));
            break;
        case 1:
            data[at] = edges[random_below(sizeof edges)];
            break;
        case 2:
            data[at] = (uint8_t)random_below(256);
            break;
        case 3:
            size = at;
            break;
        default:
            if (size + 1 > INPUT_MAX) break;
            memmove(data + at + 1, data + at, size - at);
            size++;
            break;
        }
    }
    return size;
}

static int play_file(const char *path, unsigned mutations)
{
    static uint8_t original[INPUT_MAX], mutated[INPUT_MAX + 8];
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(original, 1, sizeof original, f);
    (void)fclose(f);
    run(original, size);
    for (unsigned i = 0; i < mutations; i++) {
        memcpy(mutated, original, size);
        run(mutated, mutate(mutated, size));
    }
    return 0;
}

static int play_corpus(const char *folder)
{
    struct dirent **names;
    int failed = 0, count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.') failed |= play_file(path, MUTATIONS);
        free(names[i]);
    }
    if (count >= 0) free(names);
    return failed;
}

int main(int argc, char **argv)
{
    char folder[512];
    uint8_t noise[NOISE_SIZE_MAX];
    int failed = 0;
    const char *name = strrchr(argv[0], '/');
    name = name != NULL ? name + 1 : argv[0];
    for (int i = 1; i < argc; i++) failed |= play_file(argv[i], 0);
    if (argc == 1) {
        if (strncmp(name, "fuzz_", 5) == 0) name += 5;
        (void)snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name);
        failed = play_corpus(folder);
        for (int i = 0; i < NOISE; i++) {
            size_t size = random_below(sizeof noise);
            for (size_t j = 0; j < size; j++) noise[j] = (uint8_t)random_below(256);
            run(noise, size);
        }
    }
    printf("%d passed, %d failed\n", !failed, failed);
    return failed;
}
