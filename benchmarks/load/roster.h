/* Whom one client has been told of, in a storm: by name, or as "and 7 more". */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct roster { uint32_t told, number; uint8_t length; char token[16]; uint8_t known[]; };

/* Names look like n_0001f; those of the same room leave the same rest. */
static void roster_token(struct roster *r, uint32_t own, uint32_t clients, uint32_t rooms) {
    unsigned id;
    r->token[r->length] = 0;
    if (r->length == 7 && sscanf(r->token, "n_%5x", &id) == 1) {
        if (id >= clients || id == own || id % rooms != own % rooms || r->known[id / 8] & 1 << id % 8) return;
        r->known[id / 8] |= (uint8_t)(1 << id % 8);
        r->told++;
    } else if (r->token[0] >= '0' && r->token[0] <= '9') r->number = (uint32_t)atoi(r->token);
    else if (!strcmp(r->token, "more")) r->told += r->number, r->number = 0;
}

/* Whether this piece made the roster complete. A token may be cut in two between pieces. */
static bool roster_hear(struct roster *r, const char *p, const char *end,
                        uint32_t own, uint32_t clients, uint32_t rooms) {
    uint32_t others = clients / rooms - 1;
    bool complete = r->told >= others;
    for (; p < end; p++) {
        bool inside = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_';
        if (inside && r->length < sizeof r->token - 1) r->token[r->length++] = *p;
        else if (!inside && r->length) roster_token(r, own, clients, rooms), r->length = 0;
    }
    return !complete && r->told >= others;
}
