/* What the server, the load itself and the whole machine use, as /proc and the clocks have it. */
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static bool slurp(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    if (n < 0) return false;
    text[n] = 0;
    return true;
}

struct usage { double total, user, system, own, machine; };

static struct usage usage_now(pid_t pid) {
    struct usage u = {0};
    char path[64], text[1024];
    clockid_t cpu;
    struct timespec t;
    struct rusage own;
    unsigned long a, b, c, d, e, f, g;
    double tick = (double)sysconf(_SC_CLK_TCK);
    /* the process's clock is exact, its user and system ticks are 10 ms apart */
    if (pid && !clock_getcpuclockid(pid, &cpu) && !clock_gettime(cpu, &t))
        u.total = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (pid && slurp(path, text, sizeof text)) {
        char *name_end = strrchr(text, ')');
        const char *times = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
        if (name_end && sscanf(name_end + 1, times, &a, &b) == 2) {
            u.user = (double)a / tick;
            u.system = (double)b / tick;
        }
    }
    getrusage(RUSAGE_SELF, &own);
    u.own = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec);
    u.own += (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
    if (slurp("/proc/stat", text, sizeof text) &&
        sscanf(text, "cpu %lu %lu %lu %lu %lu %lu %lu", &a, &b, &c, &d, &e, &f, &g) == 7)
        u.machine = (double)(a + b + c + f + g) / tick;
    return u;
}

static double rss_mb(pid_t pid) {
    char path[64], text[128];
    long pages;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    if (!pid || !slurp(path, text, sizeof text) || sscanf(text, "%*d %ld", &pages) != 1) return 0;
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static int descriptors(pid_t pid) {
    char path[64];
    int n = -2;                    /* . and .. */
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = pid ? opendir(path) : NULL;
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n;
}
