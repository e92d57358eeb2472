/* What the load is asked to do. */
#pragma once
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 30, STEPS = 400, LINES = 16, PORTS = 16 };
enum mode { IDLE, STORM, PACED, WINDOW, FLOOD };
static const char *const MODES[] = {"idle", "storm", "paced", "window", "flood"};

static struct {
    int pid, clients, senders, light, rooms, idle, idle_rooms, size, window, verify;
    int stopped, churners, at_once, sources, settle_ms;
    double light_rate, churn_rate, warmup, duration, drain, join_timeout, sustain_ms, max_rss_mb;
    int resume, pong, crlf;
    enum mode mode;
    const char *prefix;
    double rates[STEPS];
    int steps;
    int ports[PORTS], port_count;
} want = {.clients = 100, .senders = 1, .rooms = 1, .idle_rooms = 1, .size = 100, .window = 1,
          .verify = 10, .at_once = 64, .sources = 1, .settle_ms = 300, .mode = PACED,
          .light_rate = 1, .churn_rate = 1, .warmup = 0.5, .duration = 2, .drain = 5,
          .join_timeout = 60, .max_rss_mb = 4000, .prefix = "", .rates = {10}, .steps = 1};

/* How a client comes in: what it says and what it waits for, in turn. This is all that the load
 * knows about a server's protocol. */
static struct { bool await; const char *text; } script[LINES];
static int script_lines;

enum kind { WHOLE, REAL, FLAG, TEXT, SAY, AWAIT, MODE, RATES, WHERE };
static const struct { const char *name; enum kind kind; void *at; const char *help; } OPTIONS[] = {
    {"port", WHERE, NULL, "of the server, on 127.0.0.1; A,B,C are servers that clients come to in turn"},
    {"pid", WHOLE, &want.pid, "of the server, for its CPU and memory"},
    {"say", SAY, NULL, "how a client comes in: it says this (%n: its nickname, %r: its room) ..."},
    {"await", AWAIT, NULL, "... and waits for this; both as often and in the order needed"},
    {"prefix", TEXT, &want.prefix, "stands before every message (%n, %r)"},
    {"crlf", FLAG, &want.crlf, "messages end in CR LF"},
    {"pong", FLAG, &want.pong, "answer IRC's PING"},
    {"mode", MODE, NULL, "idle | storm | paced | window | flood"},
    {"rate", RATES, NULL, "paced: messages/s over all senders; A,B,C is a step for each"},
    {"window", WHOLE, &want.window, "window: messages of each sender under way"},
    {"clients", WHOLE, &want.clients, "connections, of which ..."},
    {"senders", WHOLE, &want.senders, "... the first so many talk, of which ..."},
    {"light", WHOLE, &want.light, "... the last so many talk little, whatever the others do"},
    {"light-rate", REAL, &want.light_rate, "messages/s over all of those"},
    {"stopped", WHOLE, &want.stopped, "so many of the clients stop reading once they are in"},
    {"resume", FLAG, &want.resume, "and read again at the end"},
    {"churners", WHOLE, &want.churners, "so many of the clients come and go"},
    {"churn-rate", REAL, &want.churn_rate, "comings and goings/s"},
    {"rooms", WHOLE, &want.rooms, "the clients are spread over so many rooms"},
    {"idle", WHOLE, &want.idle, "so many connections more only sit ..."},
    {"idle-rooms", WHOLE, &want.idle_rooms, "... in so many rooms of their own"},
    {"size", WHOLE, &want.size, "bytes of a message"},
    {"verify", WHOLE, &want.verify, "one receiver in so many checks every number"},
    {"at-once", WHOLE, &want.at_once, "connections that are being set up at a time"},
    {"sources", WHOLE, &want.sources, "addresses in 127.0.0.0/8 to connect from"},
    {"settle-ms", WHOLE, &want.settle_ms, "silence that ends the coming in"},
    {"join-timeout", REAL, &want.join_timeout, "seconds for everybody to come in"},
    {"warmup", REAL, &want.warmup, "seconds of a step that are not measured"},
    {"duration", REAL, &want.duration, "seconds that are"},
    {"drain", REAL, &want.drain, "most seconds to wait for what is still under way"},
    {"sustain-ms", REAL, &want.sustain_ms, "two steps running whose p99 is over this end the run"},
    {"max-rss", REAL, &want.max_rss_mb, "MB of the server that end the run"},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
    va_list a;
    va_start(a, format);
    vfprintf(stderr, format, a);
    va_end(a);
    fputc('\n', stderr);
    exit(2);
}

__attribute__((noreturn)) static void usage(void) {
    for (int i = 0; i < OPTION_COUNT; i++) fprintf(stderr, "--%-13s %s\n", OPTIONS[i].name, OPTIONS[i].help);
    exit(2);
}

static void take(enum kind kind, void *at, char *text) {
    switch (kind) {
    case WHOLE: *(int *)at = atoi(text); break;
    case REAL: *(double *)at = atof(text); break;
    case FLAG: *(int *)at = 1; break;
    case TEXT: *(const char **)at = text; break;
    case SAY:
    case AWAIT:
        if (script_lines == LINES) die("load: the way in is too long");
        script[script_lines].await = kind == AWAIT;
        script[script_lines++].text = text;
        break;
    case MODE:
        for (want.mode = IDLE; strcmp(MODES[want.mode], text); want.mode++) if (want.mode == FLOOD) usage();
        break;
    case RATES:
        want.steps = 0;
        for (char *p = strtok(text, ","); p && want.steps < STEPS; p = strtok(NULL, ","))
            want.rates[want.steps++] = atof(p);
        break;
    case WHERE:
        want.port_count = 0;
        for (char *p = strtok(text, ","); p && want.port_count < PORTS; p = strtok(NULL, ","))
            want.ports[want.port_count++] = atoi(p);
    }
}

static void read_options(int argc, char **argv) {
    struct option names[OPTION_COUNT + 1] = {0};
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = (struct option){OPTIONS[i].name, OPTIONS[i].kind != FLAG, NULL, 256 + i};
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (o < 256) usage();
        take(OPTIONS[o - 256].kind, OPTIONS[o - 256].at, optarg);
    }
    if (want.mode < PACED) want.senders = want.light = 0;
    int apart = want.senders + want.churners + want.stopped;
    if (want.port_count < 1 || want.ports[0] < 1 || want.rooms < 1) usage();
    if (want.idle_rooms < 1 || want.verify < 1 || want.steps < 1) usage();
    if (apart > want.clients || want.light > want.senders || (want.mode >= PACED && want.senders < 1))
        die("load: more senders, stopped and coming and going than clients, or no sender at all");
    if (want.clients + want.idle >= 1 << 20) die("load: at most a million clients");
    if (want.size < HEADER || want.size > 60000) die("load: a message has %d to 60000 bytes", HEADER);
}
