/*
 * Writes the golden vectors: `make vectors`. Everything is derived from the constants here, so a
 * second run gives the same files; only zstd's payloads may differ with the library's version.
 *
 *   build/vectors DIRECTORY
 *   build/vectors --histories COUNT SEED     random histories and their rows, to standard output
 */
#include "tests/vectors/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void save(const char *directory, const char *name, json_t *root)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.json", directory, name);
    FILE *file = fopen(path, "w");
    must(file != NULL, path);
    must(json_dumpf(root, file, JSON_INDENT(1)) == 0, path);
    must(fputc('\n', file) != EOF && fclose(file) == 0, path);
    json_decref(root);
}

int main(int argc, char **argv)
{
    bool histories = argc == 4 && strcmp(argv[1], "--histories") == 0;
    must(argc == 2 || histories, "usage: vectors DIRECTORY | --histories COUNT SEED");
    must(crypto_init() == OK, "libsodium");
    if (histories) {
        json_t *root =
            make_histories((unsigned)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
        must(json_dumpf(root, stdout, 0) == 0, "standard output");
        json_decref(root);
        return 0;
    }
    static struct chain chain;
    chain_make(&chain);
    save(argv[1], "encoding", make_encoding());
    save(argv[1], "crypto", make_crypto());
    save(argv[1], "feeds", make_feeds());
    save(argv[1], "events", make_events(&chain));
    json_t *runs = make_runs(&chain);
    save(argv[1], "bundle", make_bundle(runs));
    save(argv[1], "runs", runs);
    save(argv[1], "frames", make_frames(&chain));
    save(argv[1], "joining", make_joining());
    save(argv[1], "carried", make_carried());
    save(argv[1], "pipe", make_pipe());
    save(argv[1], "sealed", make_sealed());
    save(argv[1], "digests", make_digests(&chain));
    chain_clear(&chain);
    return 0;
}
