/*
 * bench/audience/memory.c - what the server and the kernel have in memory, and the server's time.
 *
 * Threads: one.
 */
#include "bench/audience/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The number behind a word that begins a line, or stands within it where `inside`. */
static uint64_t number_behind(const char *path, const char *line_begins, const char *word)
{
    FILE *file = fopen(path, "r");
    char line[512];
    uint64_t n = 0;

    if (!file)
        return 0;
    while (fgets(line, sizeof line, file)) {
        const char *at =
            strncmp(line, line_begins, strlen(line_begins)) == 0 ? strstr(line, word) : NULL;

        if (at && sscanf(at + strlen(word), "%" SCNu64, &n) == 1)
            break;
    }
    (void)fclose(file);
    return n;
}

struct audience_memory memory_now(pid_t server)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)server);
    return (struct audience_memory){
        .private_bytes = 1024 * number_behind(path, "Anonymous:", ":"),
        .rss_bytes = 1024 * number_behind(path, "Rss:", ":"),
        .kernel_bytes = 1024 * number_behind("/proc/meminfo", "Slab:", ":") +
                        page * number_behind("/proc/net/sockstat", "TCP:", " mem "),
    };
}

int64_t cpu_ns_of(pid_t server)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(server, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}
