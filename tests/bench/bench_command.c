/*
 * bench_command LABEL AIM SIDAN WORD...: how long a command of the command line takes from its
 * start to its end, its output thrown away; the median of some tries, all warm.
 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 11 };

int main(int argc, char **argv)
{
    double times[TRIES];
    if (argc < 4) return 2;
    const char *const *command = (const char *const *)(void *)(argv + 3);
    bench_run(command); /* warm */
    for (int i = 0; i < TRIES; i++) times[i] = bench_run(command);
    qsort(times, TRIES, sizeof *times, bench_compare_doubles);
    printf("%-35s %9.1f ms   (%s)\n", argv[1], times[TRIES / 2] * 1e3, argv[2]);
    return 0;
}
