/* The load: one thread that talks as thousands of chat clients and checks what each of them hears.
 *
 *     cc -O2 -std=gnu11 -o load load.c && ./load --help
 *
 * Every message says who sent it, its number and when it was due:
 *
 *     % sender (5 hex digits) number (8) nanoseconds (16), filled up with x to --size bytes
 *
 * Receivers are of two kinds. The verified ones (one in --verify of each room) read all of that,
 * and know exactly what is missing, doubled, or out of order. The others only find the '%' and
 * jump over the rest, so that one core hears more than ten million messages a second.
 *
 * A latency counts from the moment a message was due, not from when it could be sent: a server
 * that keeps senders waiting does not look fast by it.
 *
 * Needs Linux 5.11 (epoll_pwait2) and nothing else. It connects to 127.0.0.1 only.
 */
#define _GNU_SOURCE
#include "load/histogram.h"
#include "load/options.h"
#include "load/roster.h"
#include "load/stream.h"
#include "load/usage.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CHUNK = 64 * 1024, BACKLOG = 256 * 1024, KEPT = 63 };
static const uint64_t SECOND = 1000000000, MS = 1000000;

/* ---- one client, and what it has heard ---- */

enum state { OUT, DIALLING, ENTERING, UP, LOST };
enum role { SENDER = 1, LIGHT = 2, VERIFIED = 4, STOPPED = 8, CHURNER = 16, WAITING = 32 };

struct client {
    int fd;
    uint32_t id, room, sent, credit, skip;
    uint8_t state, roles, line, kept;
    char tail[KEPT];               /* the end of the last chunk, where something was cut in two */
    uint32_t out_from, out_to, out_size;
    char *out;
    uint64_t heard, dialled, order;
    struct client *observer;       /* who hears this sender's messages for the closed loop */
    struct stream *streams;
    struct roster *roster;
};

static struct client *clients;
static uint64_t *room_sent, *seen_before;
static int poller, all, waiting_to_enter, up, refused, lost, told;
static char *chunk;
static struct sockaddr_in server;

static struct client **ready;      /* senders that may send now: window and flood */
static int ready_count;

static struct {
    uint64_t heard, sent, unsent, garbled, last_at, silence, churned;
} sum;
static struct faults faults;
static bool running, too_big;
static uint64_t measure_from, measure_to, now;

static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void *fresh(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);
    if (!p) die("load: out of memory");
    return p;
}

static bool steady(const struct client *c) {
    return c->id < (uint32_t)want.clients && !(c->roles & (STOPPED | CHURNER));
}

static struct histogram latency, light_latency, entering, lag;
static double rss_max;

static void watch_memory(void) {
    static uint64_t last;
    if (!want.pid || now - last < 100 * MS) return;
    last = now;
    rss_max = fmax(rss_max, rss_mb(want.pid));
    too_big |= rss_max > want.max_rss_mb;
}

/* ---- sending ---- */

static void hang_up(struct client *c, enum state state) {
    if (c->state == ENTERING || c->state == DIALLING) waiting_to_enter--, refused += state == LOST;
    else if (c->state == UP) up--, lost += state == LOST;
    c->state = state;
    c->line = c->kept = 0;
    c->skip = c->out_from = c->out_to = 0;
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static void flush(struct client *c) {
    while (c->out_from < c->out_to) {
        ssize_t n = send(c->fd, c->out + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR) hang_up(c, LOST);
            return;
        }
        c->out_from += (uint32_t)n;
    }
    c->out_from = c->out_to = 0;
}

static void put(struct client *c, const char *text, size_t n) {
    if (c->out_from && c->out_to + n > c->out_size) {
        memmove(c->out, c->out + c->out_from, c->out_to - c->out_from);
        c->out_to -= c->out_from;
        c->out_from = 0;
    }
    if (c->out_to + n > c->out_size) {
        c->out_size = 2 * (uint32_t)(c->out_to + n);
        if (!(c->out = realloc(c->out, c->out_size))) die("load: out of memory");
    }
    memcpy(c->out + c->out_to, text, n);
    c->out_to += (uint32_t)n;
}

static size_t expand(char *to, size_t size, const char *text, const struct client *c) {
    size_t n = 0;
    for (; *text && n + 24 < size; text++)
        if (text[0] == '%' && text[1] == 'n') n += (size_t)sprintf(to + n, "n_%05d", c->id), text++;
        else if (text[0] == '%' && text[1] == 'r') n += (size_t)sprintf(to + n, "%u", c->room), text++;
        else to[n++] = *text;
    to[n] = 0;
    return n;
}

static void put_message(struct client *c, uint64_t due) {
    static char line[70000];
    char header[HEADER + 1];
    size_t n = expand(line, 200, want.prefix, c);
    snprintf(header, sizeof header, "%%%05x%08x%016llx", c->id, c->sent++, (unsigned long long)due);
    memcpy(line + n, header, HEADER);
    memset(line + n + HEADER, 'x', (size_t)(want.size - HEADER));
    n += (size_t)want.size;
    if (want.crlf) line[n++] = '\r';
    line[n++] = '\n';
    put(c, line, n);
    room_sent[c->room]++;
    sum.sent++;
}

static void may_send(struct client *c) {
    if (c->roles & WAITING) return;
    c->roles |= WAITING;
    ready[ready_count++] = c;
}

/* Those whose last message has come back (window), or whose socket takes more (flood). */
static void send_ready(void) {
    int n = ready_count, again = 0;
    for (int i = 0; i < n; i++) {
        struct client *c = ready[i];
        c->roles &= (uint8_t)~WAITING;
        if (c->state != UP || !running) continue;
        if (want.mode == FLOOD && c->out_from == c->out_to)
            for (int bytes = 0; bytes < 16384; bytes += want.size) put_message(c, now);
        for (; want.mode == WINDOW && c->credit; c->credit--) put_message(c, now);
        flush(c);
        if (want.mode == FLOOD && c->state == UP && c->out_from == c->out_to) ready[again++] = c;
    }
    ready_count = again;
    for (int i = 0; i < again; i++) ready[i]->roles |= WAITING;
}

/* Evenly spaced messages, from a range of senders in turn. */
struct pace { double due, gap; int first, count, turn; };
static struct pace heavy_pace, light_pace;

static void keep_pace(struct pace *p) {
    for (int burst = 0; p->count && p->due <= (double)now && burst < 64; burst++, p->due += p->gap) {
        struct client *c = &clients[p->first + p->turn++ % p->count];
        if (c->state != UP || c->out_to - c->out_from > BACKLOG) { sum.unsent++; continue; }
        bool clear = c->out_from == c->out_to;
        record(&lag, now - (uint64_t)p->due);
        put_message(c, (uint64_t)p->due);
        if (clear) flush(c);
    }
}

static double next_due(void) {
    double heavy = heavy_pace.count ? heavy_pace.due : INFINITY;
    return running ? fmin(heavy, light_pace.count ? light_pace.due : INFINITY) : INFINITY;
}

/* ---- coming in ---- */

static void go_on(struct client *c) {
    char text[512];
    while (c->line < script_lines && !script[c->line].await) {
        put(c, text, expand(text, sizeof text, script[c->line++].text, c));
        flush(c);
        if (c->state != ENTERING) return;
    }
    if (c->line < script_lines) return;
    c->state = UP;
    waiting_to_enter--;
    up++;
    record(&entering, now - c->dialled);
}

static void dial(struct client *c) {
    int yes = 1, small = c->roles & STOPPED ? 8192 : 65536;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("load: no socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (c->roles & STOPPED) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (want.mode == FLOOD) setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    if (want.sources > 1) {        /* one address has fewer than 30,000 ports to call from */
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(0x7f010001u + c->id % (uint32_t)want.sources);
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) die("load: bind: %s", strerror(errno));
    }
    c->state = DIALLING;
    c->dialled = clock_ns();
    waiting_to_enter++;
    /* each room has clients at each server, however many rooms and servers there are */
    uint32_t nth = (c->id / (uint32_t)want.rooms + c->id) % (uint32_t)want.port_count;
    server.sin_port = htons((uint16_t)want.ports[nth]);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        hang_up(c, LOST);
        return;
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e)) die("load: epoll_ctl: %s", strerror(errno));
}

/* Some of the crowd come and go: each beat the next one leaves if in, and enters if out. */
static void churn(void) {
    static uint64_t last;
    static int turn;
    if (!want.churners || (double)(now - last) < 1e9 / want.churn_rate) return;
    last = now;
    struct client *c = &clients[want.clients - want.stopped - want.churners + turn++ % want.churners];
    if (c->state == UP) hang_up(c, OUT), sum.churned++;
    else if (c->state == OUT || c->state == LOST) dial(c);
}

/* ---- hearing ---- */

/* An IRC server hangs up on those who do not answer it. A PING that is cut in two goes unseen:
 * they are an hour apart here, and a chunk seldom ends in one. */
static void answer_ping(struct client *c, const char *from, const char *to) {
    const char *ping = want.pong && to > from ? memmem(from, (size_t)(to - from), "PING ", 5) : NULL;
    const char *end = ping ? memchr(ping, '\n', (size_t)(to - ping)) : NULL;
    if (!end || (ping > from && ping[-1] != '\n')) return;
    put(c, "PONG ", 5);
    put(c, ping + 5, (size_t)(end + 1 - ping - 5));
    flush(c);
}

static int8_t digit[256];

static uint64_t hex(const char *p, int n, int *bad) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        int d = digit[(uint8_t)p[i]];
        *bad |= d;
        v = v << 4 | (uint64_t)(d & 15);
    }
    return v;
}

/* A verified receiver has heard a message: it starts at p, and end is where the chunk ends. */
static void verify(struct client *c, const char *p, const char *end) {
    int bad = 0;
    uint32_t from = (uint32_t)hex(p + 1, 5, &bad), number = (uint32_t)hex(p + 6, 8, &bad);
    uint64_t due = hex(p + 14, 16, &bad);
    const char *after = p + want.size;
    if (bad < 0 || from >= (uint32_t)want.senders || clients[from].room != c->room ||
        (after < end && *after != '\r' && *after != '\n')) { sum.garbled++; return; }
    struct client *sender = &clients[from];
    if (!stream_hear(&c->streams[from / (uint32_t)want.rooms], number, &faults)) return;
    c->heard++;
    c->order = c->order * 0x9e3779b97f4a7c15u + ((uint64_t)from << 32 | number) + 1;
    if (c->roles & STOPPED) return;     /* what it hears late on purpose is no latency */
    if (due >= measure_from && due < measure_to)
        record(sender->roles & LIGHT ? &light_latency : &latency, now > due ? now - due : 0);
    if (running && want.mode == WINDOW && sender->observer == c) sender->credit++, may_send(sender);
}

static void listen_to(struct client *c, char *p, char *end) {
    if (c->roles & CHURNER || !room_sent[c->room]) { answer_ping(c, p, end); return; }
    if (c->kept) {                 /* a header was cut in two: put it together before the chunk */
        p -= c->kept;
        memcpy(p, c->tail, c->kept);
        c->kept = 0;
    } else if (c->skip) {
        size_t n = c->skip < (size_t)(end - p) ? c->skip : (size_t)(end - p);
        c->skip -= (uint32_t)n;
        p += n;
    }
    uint64_t count = 0;
    while (p < end) {
        char *h = memchr(p, '%', (size_t)(end - p));
        if (want.pong) answer_ping(c, p, h ? h : end);
        if (!h || c->state != UP) break;
        if (c->roles & VERIFIED) {
            if (end - h < HEADER) { c->kept = (uint8_t)(end - h); memcpy(c->tail, h, c->kept); break; }
            verify(c, h, end);
        }
        count++;
        p = h + want.size;
        if (p > end) { c->skip = (uint32_t)(p - end); break; }
    }
    if (!(c->roles & VERIFIED)) c->heard += count;
    if (running && sum.last_at && now - sum.last_at > sum.silence) sum.silence = now - sum.last_at;
    sum.last_at = now;
    sum.heard += count;
}

static void enter(struct client *c, char *p, char *end) {
    if (c->kept) {
        p -= c->kept;
        memcpy(p, c->tail, c->kept);
        c->kept = 0;
    }
    while (c->state == ENTERING) {
        char text[128], *found;
        size_t n = expand(text, sizeof text, script[c->line].text, c);
        if (!(found = memmem(p, (size_t)(end - p), text, n))) break;
        p = found + n;
        c->line++;
        go_on(c);
    }
    if (c->state == UP) { listen_to(c, p, end); return; }
    if (c->state != ENTERING) return;
    answer_ping(c, p, end);
    c->kept = (uint8_t)(end - p < KEPT ? end - p : KEPT);
    memcpy(c->tail, end - c->kept, c->kept);
}

static void receive(struct client *c, bool ending) {
    for (;;) {
        ssize_t n = recv(c->fd, chunk, CHUNK, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) { hang_up(c, LOST); return; }
        now = clock_ns();
        if (c->roster)
            told += roster_hear(c->roster, chunk, chunk + n, c->id, (uint32_t)want.clients, (uint32_t)want.rooms);
        if (!running) sum.last_at = now;
        if (c->state == UP) listen_to(c, chunk, chunk + n);
        else enter(c, chunk, chunk + n);
        /* edge-triggered: a short read has emptied the socket, unless its end is still to come */
        if (c->fd < 0 || (n < CHUNK && !ending)) return;
    }
}

static void on_event(const struct epoll_event *e) {
    struct client *c = e->data.ptr;
    if (c->fd < 0) return;
    if (c->state == DIALLING) {
        int error = 0;
        socklen_t n = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n);
        if (error) { hang_up(c, LOST); return; }
        c->state = ENTERING;
        go_on(c);
    }
    if (e->events & EPOLLOUT && c->fd >= 0) {
        flush(c);
        if (running && want.mode == FLOOD && c->roles & SENDER && !(c->roles & LIGHT)) may_send(c);
    }
    if (e->events & ~(uint32_t)EPOLLOUT && c->fd >= 0)
        receive(c, e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void turn(uint64_t until) {
    static struct epoll_event events[256];
    now = clock_ns();
    double wake = fmin(fmin(next_due(), (double)until), (double)(now + 20 * MS));
    int64_t wait = ready_count || wake < (double)now ? 0 : (int64_t)(wake - (double)now);
    struct timespec t = {0, wait};
    int n = epoll_pwait2(poller, events, 256, &t, NULL);
    if (n < 0 && errno != EINTR) die("load: epoll_pwait2: %s", strerror(errno));
    now = clock_ns();
    for (int i = 0; i < n; i++) {
        on_event(&events[i]);
        if (next_due() <= (double)now) keep_pace(&heavy_pace), keep_pace(&light_pace);
    }
    if (running) keep_pace(&heavy_pace), keep_pace(&light_pace), churn();
    send_ready();
    watch_memory();
}

/* ---- the report: one JSON object a step ---- */

static void field(const char *name, double value) {
    printf(",\"%s\":%.12g", name, round(value * 1e4) / 1e4);
}

static struct {
    double seconds, told_s, quiet_s, rss_before, rss_after;
    int up, descriptors;
    struct usage cpu;
} entry;

static void report_entry(const char *mode, double rate) {
    printf("{\"mode\":\"%s\"", mode);
    field("rate", rate);
    field("clients", want.clients + want.idle);
    field("joined", entry.up);
    field("refused", refused);
    field("join_s", entry.seconds);
    field("told_s", entry.told_s);
    field("quiet_s", entry.quiet_s);
    field("join_p50_ms", quantile_ms(&entering, .5));
    field("join_p99_ms", quantile_ms(&entering, .99));
    field("join_cpu_s", entry.cpu.total);
    field("rss_before_mb", entry.rss_before);
    field("rss_joined_mb", entry.rss_after);
    field("kb_per_connection", (entry.rss_after - entry.rss_before) * 1000 / fmax(1, entry.up));
    field("descriptors", entry.descriptors);
}

static void report_latency(const char *name, const struct histogram *h) {
    static const double QUANTILES[] = {.5, .9, .99};
    char label[40];
    for (int i = 0; i < 3; i++) {
        snprintf(label, sizeof label, "%sp%.0f_ms", name, 100 * QUANTILES[i]);
        field(label, quantile_ms(h, QUANTILES[i]));
    }
    snprintf(label, sizeof label, "%smax_ms", name);
    field(label, (double)h->max / 1e6);
}

static void report_stuck(void) {
    for (int i = 0; i < all; i++) {
        const struct client *c = &clients[i];
        if (c->state != ENTERING) continue;
        printf(",\"stuck\":\"");
        for (int k = 0; k < c->kept; k++)
            putchar(c->tail[k] < ' ' || strchr("\"\\\x7f", c->tail[k]) ? ' ' : c->tail[k]);
        printf("\"");
        return;
    }
}

/* ---- a run ---- */

static uint64_t due_to(const struct client *c) {
    return room_sent[c->room] - c->sent;
}

static uint64_t missing(bool stopped) {
    uint64_t n = 0;
    for (int i = 0; i < want.clients; i++) {
        struct client *c = &clients[i];
        if (stopped ? !(c->roles & STOPPED) : !steady(c) || c->state != UP) continue;
        if (c->heard < due_to(c)) n += due_to(c) - c->heard;
    }
    return n;
}

/* Receivers that only count see a double as one too many. */
static uint64_t too_many(void) {
    uint64_t n = faults.duplicates;
    for (int i = 0; i < want.clients; i++) {
        struct client *c = &clients[i];
        if (steady(c) && c->heard > due_to(c)) n += c->heard - due_to(c);
    }
    return n;
}

/* One order for everybody: those who missed nothing must have heard the same row of messages. */
static int other_orders(void) {
    uint64_t *first = fresh((size_t)(want.rooms), sizeof *first);
    int n = 0;
    for (int i = 0; i < want.clients; i++) {
        struct client *c = &clients[i];
        if (c->roles & (SENDER | CHURNER) || !(c->roles & VERIFIED)) continue;
        if (c->heard != due_to(c) || !c->order) continue;
        if (!first[c->room]) first[c->room] = c->order;
        n += c->order != first[c->room];
    }
    free(first);
    return n;
}

static void drain(double seconds, bool stopped) {
    now = clock_ns();
    uint64_t end = now + (uint64_t)(seconds * 1e9), moved = now, before = sum.heard;
    while (missing(stopped) && now < end && now - moved < 1500 * MS) {
        for (int i = 0; i < want.senders; i++) if (clients[i].state == UP) flush(&clients[i]);
        turn(now + 20 * MS);
        if (sum.heard != before) before = sum.heard, moved = now;
    }
}

static bool run_step(double rate) {
    static uint64_t duplicates;
    uint64_t garbled = sum.garbled, reordered = faults.reordered, unsent = sum.unsent;
    int lost_before = lost, heavy = want.senders - want.light;
    struct usage a = {0}, b;
    now = clock_ns();
    memset(&latency, 0, sizeof latency);
    memset(&light_latency, 0, sizeof light_latency);
    memset(&lag, 0, sizeof lag);
    sum.last_at = sum.silence = 0;
    rss_max = rss_mb(want.pid);
    running = true;
    measure_from = now + (uint64_t)(want.warmup * 1e9);
    measure_to = measure_from + (uint64_t)(want.duration * 1e9);
    heavy_pace = (struct pace){(double)now, 1e9 / rate, 0, want.mode == PACED ? heavy : 0, 0};
    light_pace = (struct pace){(double)now, 1e9 / want.light_rate, heavy, want.light, 0};
    for (int i = 0; i < heavy && want.mode >= WINDOW; i++) {
        clients[i].credit = (uint32_t)want.window;
        may_send(&clients[i]);
    }

    while (now < measure_from && !too_big) turn(measure_from);
    a = usage_now(want.pid);
    uint64_t heard = sum.heard, sent = sum.sent, began = now;
    for (int i = 0; i < heavy; i++) seen_before[i] = clients[i].observer->streams[i / want.rooms].next;
    while (now < measure_to && !too_big) turn(measure_to);
    running = false;
    b = usage_now(want.pid);
    double seconds = (double)(now - began) / 1e9, cpu = b.total - a.total, fewest = INFINITY, most = 0;
    double deliveries = (double)(sum.heard - heard), ticks = b.user + b.system - a.user - a.system;
    if (seconds <= 0) seconds = 1e-9;
    uint64_t silence = sum.last_at && now - sum.last_at > sum.silence ? now - sum.last_at : sum.silence;
    sent = sum.sent - sent;
    for (int i = 0; i < heavy; i++) {
        double n = (double)(clients[i].observer->streams[i / want.rooms].next - seen_before[i]);
        fewest = fmin(fewest, n);
        most = fmax(most, n);
    }
    drain(want.drain, false);

    double listeners = 0, per_message;
    for (int i = 0; i < want.clients; i++) listeners += steady(&clients[i]) && clients[i].state == UP;
    per_message = listeners / want.rooms - 1;
    double p99 = quantile_ms(&latency, .99);
    bool sustained = want.mode != PACED || (p99 <= (want.sustain_ms ? want.sustain_ms : 1000) &&
        deliveries / seconds >= 0.9 * rate * per_message && sum.unsent == unsent);
    report_entry(MODES[want.mode], want.mode == PACED ? rate : 0);
    field("seconds", seconds);
    field("messages_per_s", (double)sent / seconds);
    field("deliveries_per_s", deliveries / seconds);
    report_latency("", &latency);
    if (want.light) report_latency("light_", &light_latency);
    field("silence_ms", (double)silence / 1e6);
    field("us_per_delivery", cpu * 1e6 / fmax(1, deliveries));
    field("us_user", ticks > 0 ? cpu * 1e6 / fmax(1, deliveries) * (b.user - a.user) / ticks : 0);
    field("us_system", ticks > 0 ? cpu * 1e6 / fmax(1, deliveries) * (b.system - a.system) / ticks : 0);
    field("server_cpu_pct", 100 * cpu / seconds);
    field("generator_cpu_pct", 100 * (b.own - a.own) / seconds);
    field("other_cpu_pct", 100 * (b.machine - a.machine - cpu - (b.own - a.own)) / seconds);
    field("generator_lag_p99_ms", quantile_ms(&lag, .99));
    field("rss_max_mb", rss_max);
    field("rss_end_mb", rss_mb(want.pid));
    field("descriptors_end", descriptors(want.pid));
    field("missing", (double)missing(false));
    field("gaps", (double)faults.gaps);
    field("duplicates", (double)(too_many() - duplicates));
    field("reordered", (double)(faults.reordered - reordered));
    field("garbled", (double)(sum.garbled - garbled));
    field("other_orders", other_orders());
    field("unsent", (double)(sum.unsent - unsent));
    field("disconnects", lost - lost_before);
    field("churned", (double)sum.churned);
    field("sender_fewest_per_s", heavy ? fewest / seconds : 0);
    field("sender_most_per_s", most / seconds);
    printf(",\"sustained\":%s", sustained ? "true" : "false");
    printf(",\"stopped_for_memory\":%s", too_big ? "true" : "false");
    report_stuck();
    puts("}");
    fflush(stdout);
    duplicates = too_many();
    return sustained;
}

/* Those who had stopped read again, and must now get everything, in order. */
static void run_resume(void) {
    uint64_t began = clock_ns(), duplicates = faults.duplicates, reordered = faults.reordered;
    int there = 0;
    for (int i = want.clients - want.stopped; i < want.clients; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = &clients[i]};
        if (clients[i].fd >= 0) epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &e);
    }
    drain(want.drain, true);
    for (int i = want.clients - want.stopped; i < want.clients; i++) there += clients[i].state == UP;
    printf("{\"mode\":\"resume\"");
    field("stopped", want.stopped);
    field("still_connected", there);
    field("catch_up_s", (double)(now - began) / 1e9);
    field("missing", (double)missing(true));
    field("gaps", (double)faults.gaps);
    field("duplicates", (double)(faults.duplicates - duplicates));
    field("reordered", (double)(faults.reordered - reordered));
    field("other_orders", other_orders());
    field("rss_end_mb", rss_mb(want.pid));
    puts("}");
}

static void come_in(void) {
    int next = 0, expected = all - want.churners;
    struct usage before = usage_now(want.pid);
    uint64_t began = clock_ns(), end = began + (uint64_t)(want.join_timeout * 1e9);
    entry.rss_before = rss_max = rss_mb(want.pid);
    now = began;
    entry.told_s = -1;
    while (up + refused + lost < expected && now < end) {
        for (; next < all && waiting_to_enter < want.at_once; next++)
            if (!(clients[next].roles & CHURNER)) dial(&clients[next]);
        turn(end);
    }
    entry.seconds = (double)(now - began) / 1e9;
    uint64_t quiet = (uint64_t)want.settle_ms * MS;
    sum.last_at = sum.last_at ? sum.last_at : now;
    while (now < end + quiet && (now - sum.last_at < quiet || (want.mode == STORM && told < up))) {
        turn(now + 20 * MS);
        if (want.mode == STORM && entry.told_s < 0 && told >= expected)
            entry.told_s = (double)(sum.last_at - began) / 1e9;
    }
    entry.quiet_s = (double)(sum.last_at - began) / 1e9;
    entry.cpu = usage_now(want.pid);
    entry.cpu.total -= before.total;
    entry.up = up;
    entry.rss_after = rss_mb(want.pid);
    entry.descriptors = descriptors(want.pid);
}

static void prepare(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    all = want.clients + want.idle;
    if (files.rlim_max < (rlim_t)all + 50)
        die("load: %d connections need more than the %llu descriptors allowed here", all,
            (unsigned long long)files.rlim_max);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    memset(digit, -1, sizeof digit);
    for (int i = 0; i < 16; i++) digit[(uint8_t)"0123456789abcdef"[i]] = (int8_t)i;
    server = (struct sockaddr_in){.sin_family = AF_INET};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(EPOLL_CLOEXEC);
    chunk = (char *)fresh(1, KEPT + 1 + CHUNK) + KEPT + 1;
    clients = fresh((size_t)all, sizeof *clients);
    ready = fresh((size_t)all, sizeof *ready);
    room_sent = fresh((size_t)(want.rooms + want.idle_rooms), sizeof *room_sent);
    seen_before = fresh((size_t)want.senders, sizeof *seen_before);
    int per_room = (want.senders + want.rooms - 1) / want.rooms;
    for (int i = 0; i < all; i++) {
        struct client *c = &clients[i];
        bool talks = i < want.clients;
        *c = (struct client){.fd = -1, .id = (uint32_t)i};
        c->room = (uint32_t)(talks ? i % want.rooms : want.rooms + (i - want.clients) % want.idle_rooms);
        if (i < want.senders) c->roles |= SENDER;
        if (i < want.senders && i >= want.senders - want.light) c->roles |= LIGHT;
        if (talks && i >= want.clients - want.stopped) c->roles |= STOPPED | VERIFIED;
        else if (talks && i >= want.clients - want.stopped - want.churners) c->roles |= CHURNER;
        else if (talks && i / want.rooms % want.verify == 0) c->roles |= VERIFIED;
        if (want.mode == STORM) c->roster = fresh(1, sizeof *c->roster + (size_t)all / 8 + 1);
    }
    for (int i = 0; i < want.senders; i++) {
        struct client *c = &clients[i];
        for (int k = want.clients - 1; k >= 0 && !c->observer; k--)
            if (k != i && steady(&clients[k]) && clients[k].room == c->room) c->observer = &clients[k];
        if (!c->observer) die("load: nobody hears sender %d", i);
        c->observer->roles |= VERIFIED;
    }
    for (int i = 0; i < want.clients; i++)
        if (clients[i].roles & VERIFIED) clients[i].streams = fresh((size_t)per_room, sizeof(struct stream));
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    prepare();
    come_in();
    if (want.mode < PACED) {
        uint64_t end = clock_ns() + (uint64_t)(want.duration * 1e9);
        while (now < end) turn(end);
        report_entry(MODES[want.mode], 0);
        field("told_pct", up ? 100.0 * told / up : 0);
        field("rss_max_mb", rss_max);
        field("rss_end_mb", rss_mb(want.pid));
        field("disconnects", lost);
        report_stuck();
        puts("}");
        return 0;
    }
    for (int i = want.clients - want.stopped; i < want.clients; i++)
        if (clients[i].fd >= 0) epoll_ctl(poller, EPOLL_CTL_DEL, clients[i].fd, NULL);
    for (int step = 0, failed = 0; step < want.steps && failed < 2 && !too_big; step++) {
        failed = run_step(want.rates[step]) || !want.sustain_ms ? 0 : failed + 1;
        if (want.mode != PACED) break;
    }
    if (want.stopped && want.resume) run_resume();
    return 0;
}
