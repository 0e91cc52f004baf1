/*
 * bench/audience/main.c - options in, one line of figures as JSON out.
 *
 * Exit 0 when everybody heard everything, 1 when not, 2 for wrong usage. It ends by itself.
 *
 * Threads: one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/audience/audience.h"

#define PAYLOAD_BYTES_MAX (64U << 10)
#define END_S 120U

enum exit_status { EXIT_RIGHT = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: audience tallyd ADDRESS:PORT SOCKET PID POLL LISTENERS EVENTS EVERY_MS FIRST_NUMBER\n"
    "       audience redis ADDRESS:PORT SOCKET PID CHANNEL LISTENERS EVENTS EVERY_MS PAYLOAD_FILE\n"
    "LISTENERS connect to ADDRESS:PORT; what they are to hear is published by the Unix SOCKET, a\n"
    "vote of voter FIRST_NUMBER and those behind it, or the bytes of PAYLOAD_FILE.\n";

static unsigned number(const char *text, unsigned max)
{
    uint64_t n;

    if (!str_uint64(str_of(text), max, &n) || n == 0) {
        fputs(usage, stderr);
        exit(EXIT_USAGE);
    }
    return (unsigned)n;
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    char *at = buf_reserve(out, PAYLOAD_BYTES_MAX);

    if (file && at)
        out->len = fread(at, 1, PAYLOAD_BYTES_MAX, file);
    if (file)
        (void)fclose(file);
    return out->len > 0;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void print_memory(const char *name, const struct audience_memory *memory)
{
    printf("\"%s\":{\"private\":%" PRIu64 ",\"rss\":%" PRIu64 ",\"kernel\":%" PRIu64 "},", name,
           memory->private_bytes, memory->rss_bytes, memory->kernel_bytes);
}

static void print_times(const char *name, const int64_t *times_ns, unsigned n)
{
    printf("\"%s\":[", name);
    for (unsigned i = 0; i < n; i++)
        printf("%s%.3f", i > 0 ? "," : "", (double)times_ns[i] / 1e6);
    printf("],");
}

static void print_result(const struct audience_result *result, unsigned events)
{
    printf("{");
    print_memory("before", &result->before);
    print_memory("there", &result->there);
    print_memory("after", &result->after);
    print_times("first_ms", result->first_ns, events);
    print_times("last_ms", result->last_ns, events);
    printf("\"cpu_ms\":%.3f}\n", (double)result->cpu_ns / 1e6);
}

int main(int argc, char **argv)
{
    static struct audience_result result; /* large */
    struct audience_plan plan = { 0 };
    struct buf payload = { 0 };
    struct tongue tongue;
    struct why why;
    bool heard;

    if (argc != 10 || (strcmp(argv[1], "tallyd") != 0 && strcmp(argv[1], "redis") != 0)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    plan.tcp = argv[2];
    plan.socket = argv[3];
    plan.server = (pid_t)number(argv[4], INT32_MAX);
    plan.listeners = number(argv[6], LISTENERS_MAX);
    plan.events = number(argv[7], EVENTS_MAX);
    plan.every_ms = number(argv[8], 10000);
    if (strcmp(argv[1], "tallyd") == 0) {
        plan.first_number = number(argv[9], 1000000000);
        tongue = tongue_tallyd(argv[5]);
    } else if (read_file(argv[9], &payload)) {
        tongue = tongue_redis(argv[5], buf_str(&payload));
    } else {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    raise_descriptor_limit();
    alarm(END_S); /* the last resort, should all other limits fail */
    heard = audience_run(&plan, &tongue, &result, &why);
    buf_free(&payload);
    buf_free(&tongue.subscribe);
    buf_free(&tongue.publish);
    if (!heard) {
        fprintf(stderr, "audience: %s\n", why.text);
        return EXIT_WRONG;
    }
    print_result(&result, plan.events);
    return EXIT_RIGHT;
}
