/* One sender as one receiver hears them: exactly what is missing, doubled, or out of order. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Numbers from..to-1 that were passed over; they may still come, late. */
struct hole { uint32_t from, to; struct hole *next; };
struct stream { uint32_t next; struct hole *holes; };
struct faults { uint64_t gaps, duplicates, reordered; };

static void stream_hole(struct stream *s, uint32_t from, uint32_t to) {
    struct hole *h = malloc(sizeof *h);
    if (!h) abort();
    *h = (struct hole){from, to, s->holes};
    s->holes = h;
}

/* Whether this number is heard for the first time. */
static bool stream_hear(struct stream *s, uint32_t number, struct faults *f) {
    if (number >= s->next) {
        if (number > s->next) stream_hole(s, s->next, number);
        f->gaps += number - s->next;
        s->next = number + 1;
        return true;
    }
    for (struct hole **at = &s->holes, *h; (h = *at); at = &h->next) {
        if (number < h->from || number >= h->to) continue;
        f->gaps--;
        f->reordered++;
        if (number + 1 < h->to) stream_hole(s, number + 1, h->to);
        h->to = number;
        if (h->from == h->to) {
            for (at = &s->holes; *at != h; at = &(*at)->next) {}
            *at = h->next;
            free(h);
        }
        return true;
    }
    f->duplicates++;
    return false;
}
