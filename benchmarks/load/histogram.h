/* Times in buckets that are 1.6 % wide. */
#pragma once
#include <math.h>
#include <stdint.h>

enum { FINE = 64, BUCKETS = 48 * FINE };
struct histogram { uint64_t bucket[BUCKETS], count, max; };

static void record(struct histogram *h, uint64_t ns) {
    unsigned i = (unsigned)ns;
    if (ns >= FINE) {
        int octave = 63 - __builtin_clzll(ns);
        i = (unsigned)((octave - 5) * FINE) + (unsigned)((ns >> (octave - 6)) & (FINE - 1));
    }
    h->bucket[i < BUCKETS ? i : BUCKETS - 1]++;
    h->count++;
    if (ns > h->max) h->max = ns;
}

static double quantile_ms(const struct histogram *h, double q) {
    uint64_t left = (uint64_t)ceil(q * (double)h->count);
    for (unsigned i = 0; i < BUCKETS && left; i++) {
        if (h->bucket[i] < left) { left -= h->bucket[i]; continue; }
        double ns = i < FINE ? i : ldexp(FINE + i % FINE + 1, (int)(i / FINE) - 1);
        return fmin(ns, (double)h->max) / 1e6;
    }
    return 0;
}
