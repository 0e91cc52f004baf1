/*
 * bench/load.c - the load generator: options in, one line of figures out.
 *
 * Every reply is checked. Exit 0 when all were right, 1 when one was not or the server cannot be
 * reached, 2 for wrong usage. It ends by itself.
 *
 * Threads: one.
 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/http.h"
#include "bench/resp.h"
#include "bench/run.h"

#define EXPECTED_BYTES_MAX (1U << 20)
#define SECONDS_MAX 3600U
#define END_MARGIN_S 30U /* for connecting and draining */

enum exit_status { EXIT_RIGHT = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

enum work { WORK_HTTP_VOTE, WORK_HTTP_GET, WORK_RESP };

static const char *const work_names[] = {
    [WORK_HTTP_VOTE] = "http-vote",
    [WORK_HTTP_GET] = "http-get",
    [WORK_RESP] = "resp",
};

struct options {
    enum work work;
    struct run_plan plan;
    const char *poll;
    const char *voters;
    unsigned options;
    const char *path;
    const char *expect;
    const char *script;
    const char *site_key;
    bool forwarded;
    bool json;
};

static void usage(FILE *to)
{
    fputs("usage: load WORK (--socket PATH | --tcp ADDRESS:PORT) [OPTION]...\n"
          "WORK is one of\n"
          "  http-vote --poll ID              votes of distinct voters in tallyd\n"
          "  http-get --path PATH --expect FILE   reads whose body is that file's\n"
          "  resp --poll KEY --script SHA1    votes in Redis, by a script it has loaded\n"
          "and OPTION of\n"
          "  --connections N   1..10000 (1)\n"
          "  --depth D         requests in flight on each, 1..1024 (1)\n"
          "  --seconds S       how long to measure, 1..3600 (1)\n"
          "  --count N         end behind so many requests, or after --seconds\n"
          "  --rate N          requests a second by the clock, 1..1000000; a reply's time counts\n"
          "                    from when its request was due (as fast as replies come)\n"
          "  --warmup-ms MS    asked and checked before, not measured (0)\n"
          "  --options N       of the poll, voted for in turn, 1..9 (4)\n"
          "  --voters PREFIX   what voters' names begin with (v)\n"
          "  --site-key FILE   with --count: voters have tokens, signed before with its first key\n"
          "  --forwarded       as a proxy, with X-Forwarded-For of 100 addresses\n"
          "  --cpu-of PID      measure that process's CPU time as well\n"
          "  --json            figures as JSON\n",
          to);
}

/* A whole number of min..max; ends the program otherwise. */
static uint64_t number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    uint64_t n;

    if (!str_uint64(str_of(text), max, &n) || n < min) {
        fprintf(stderr, "load: --%s takes %" PRIu64 "..%" PRIu64 ", not %s\n", name, min, max,
                text);
        exit(EXIT_USAGE);
    }
    return n;
}

enum {
    O_SOCKET = 256,
    O_TCP,
    O_POLL,
    O_PATH,
    O_EXPECT,
    O_SCRIPT,
    O_CONNECTIONS,
    O_DEPTH,
    O_SECONDS,
    O_COUNT,
    O_RATE,
    O_WARMUP,
    O_OPTIONS,
    O_VOTERS,
    O_SITE_KEY,
    O_FORWARDED,
    O_CPU_OF,
    O_JSON,
    O_HELP,
};

static const struct option long_options[] = {
    { "socket", required_argument, NULL, O_SOCKET },
    { "tcp", required_argument, NULL, O_TCP },
    { "poll", required_argument, NULL, O_POLL },
    { "path", required_argument, NULL, O_PATH },
    { "expect", required_argument, NULL, O_EXPECT },
    { "script", required_argument, NULL, O_SCRIPT },
    { "connections", required_argument, NULL, O_CONNECTIONS },
    { "depth", required_argument, NULL, O_DEPTH },
    { "seconds", required_argument, NULL, O_SECONDS },
    { "count", required_argument, NULL, O_COUNT },
    { "rate", required_argument, NULL, O_RATE },
    { "warmup-ms", required_argument, NULL, O_WARMUP },
    { "options", required_argument, NULL, O_OPTIONS },
    { "voters", required_argument, NULL, O_VOTERS },
    { "site-key", required_argument, NULL, O_SITE_KEY },
    { "forwarded", no_argument, NULL, O_FORWARDED },
    { "cpu-of", required_argument, NULL, O_CPU_OF },
    { "json", no_argument, NULL, O_JSON },
    { "help", no_argument, NULL, O_HELP },
    { 0 },
};

/* What option `o` says, but for the numbers; false when it is none of these. */
static bool text_option(struct options *options, int o, const char *value)
{
    switch (o) {
    case O_SOCKET:
        options->plan.socket = value;
        return true;
    case O_TCP:
        options->plan.tcp = value;
        return true;
    case O_POLL:
        options->poll = value;
        return true;
    case O_PATH:
        options->path = value;
        return true;
    case O_EXPECT:
        options->expect = value;
        return true;
    case O_SCRIPT:
        options->script = value;
        return true;
    case O_VOTERS:
        options->voters = value;
        return true;
    case O_SITE_KEY:
        options->site_key = value;
        return true;
    case O_FORWARDED:
        options->forwarded = true;
        return true;
    case O_JSON:
        options->json = true;
        return true;
    }
    return false;
}

static bool number_option(struct options *options, int o, const char *value)
{
    switch (o) {
    case O_CONNECTIONS:
        options->plan.connections = (unsigned)number("connections", value, 1, CONNECTIONS_MAX);
        return true;
    case O_DEPTH:
        options->plan.depth = (unsigned)number("depth", value, 1, DEPTH_MAX);
        return true;
    case O_SECONDS:
        options->plan.measure_ms = 1000 * (int64_t)number("seconds", value, 1, SECONDS_MAX);
        return true;
    case O_COUNT:
        options->plan.count = number("count", value, 1, UINT32_MAX);
        return true;
    case O_RATE:
        options->plan.rate = (unsigned)number("rate", value, 1, RATE_MAX);
        return true;
    case O_WARMUP:
        options->plan.warmup_ms = (int64_t)number("warmup-ms", value, 0, 1000 * SECONDS_MAX);
        return true;
    case O_OPTIONS:
        options->options = (unsigned)number("options", value, 1, POLL_OPTIONS_MAX);
        return true;
    case O_CPU_OF:
        options->plan.cpu_of = (pid_t)number("cpu-of", value, 1, INT32_MAX);
        return true;
    }
    return false;
}

static bool work_named(const char *name, enum work *ret_work)
{
    for (size_t i = 0; name && i < sizeof work_names / sizeof work_names[0]; i++) {
        if (strcmp(name, work_names[i]) == 0) {
            *ret_work = (enum work)i;
            return true;
        }
    }
    return false;
}

/* Whether all is there that the work needs. */
static bool options_whole(const struct options *options)
{
    if (!options->plan.socket == !options->plan.tcp)
        return false;
    switch (options->work) {
    case WORK_HTTP_VOTE:
        return options->poll && (!options->site_key ||
                                 (options->plan.count > 0 && options->plan.count <= TOKENS_MAX));
    case WORK_HTTP_GET:
        return options->path && options->expect;
    case WORK_RESP:
        return options->poll && options->script;
    }
    return false;
}

/* The command line; ends the program where it is wrong. */
static struct options options_read(int argc, char **argv)
{
    struct options options = {
        .plan = { .connections = 1, .depth = 1, .measure_ms = 1000 },
        .voters = "v",
        .options = 4,
    };
    int o;

    while ((o = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (o == O_HELP) {
            usage(stdout);
            exit(EXIT_RIGHT);
        }
        if (!text_option(&options, o, optarg) && !number_option(&options, o, optarg)) {
            usage(stderr);
            exit(EXIT_USAGE);
        }
    }
    if (argc - optind != 1 || !work_named(argv[optind], &options.work) ||
        !options_whole(&options)) {
        usage(stderr);
        exit(EXIT_USAGE);
    }
    return options;
}

/* The bytes of a file; ends the program when it cannot be read. */
static struct buf file_read(const char *path)
{
    struct buf bytes = { 0 };
    char *at = buf_reserve(&bytes, EXPECTED_BYTES_MAX);
    FILE *file = at ? fopen(path, "rb") : NULL;

    if (!file) {
        fprintf(stderr, "load: cannot read %s: %s\n", path, strerror(errno));
        exit(EXIT_USAGE);
    }
    bytes.len = fread(at, 1, EXPECTED_BYTES_MAX, file);
    fclose(file);
    return bytes;
}

/* Who votes, or NULL where voters are named; ends the program when they cannot be signed. */
static struct tokens *tokens_of(const struct options *options)
{
    struct tokens *tokens;
    struct why why;

    if (!options->site_key)
        return NULL;
    tokens = tokens_sign(options->site_key, options->voters, options->plan.count, &why);
    if (!tokens) {
        fprintf(stderr, "load: %s\n", why.text);
        exit(EXIT_USAGE);
    }
    return tokens;
}

static struct protocol protocol_of(const struct options *options)
{
    switch (options->work) {
    case WORK_HTTP_VOTE:
        return http_vote(options->poll, options->voters, options->options, options->forwarded,
                         tokens_of(options));
    case WORK_HTTP_GET:
        return http_get(options->path, file_read(options->expect));
    case WORK_RESP:
        return resp_vote(options->script, options->poll, options->voters, options->options);
    }
    abort();
}

static double ms_within(const struct run_result *result, unsigned per_mille)
{
    return (double)latency_within(&result->latency, per_mille) / 1e6;
}

static void result_print(const struct run_result *result, bool json)
{
    double seconds = (double)result->measured_ns / 1e9;
    double per_second = seconds > 0 ? (double)result->measured / seconds : 0;
    static const char as_json[] =
        "{\"ops\":%" PRIu64 ",\"seconds\":%.6f,\"ops_per_second\":%.1f,\"p50_ms\":%.3f,"
        "\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"cpu_seconds\":%.6f,\"asked\":%" PRIu64
        ",\"right\":%" PRIu64 ",\"errors\":%" PRIu64 "}\n";
    static const char as_text[] =
        "%" PRIu64 " right replies in %.3f s: %.0f a second; within %.3f ms half of them, "
        "%.3f ms 99 %%, %.3f ms 99.9 %%; server CPU %.3f s; in all %" PRIu64 " asked, %" PRIu64
        " right, %" PRIu64 " errors\n";

    printf(json ? as_json : as_text, result->measured, seconds, per_second, ms_within(result, 500),
           ms_within(result, 990), ms_within(result, 999), (double)result->cpu_ns / 1e9,
           result->asked, result->right, result->errors);
}

int main(int argc, char **argv)
{
    static struct run_result result; /* its buckets are too many for the stack */
    struct options options = options_read(argc, argv);
    struct protocol protocol = protocol_of(&options);
    struct why why;
    enum run_end end;

    if (!buf_ok(&protocol.request.bytes)) {
        fputs("load: no memory\n", stderr);
        return EXIT_WRONG;
    }
    /* The last resort, should all other limits fail: SIGALRM ends it. */
    alarm((unsigned)((options.plan.warmup_ms + options.plan.measure_ms) / 1000) + END_MARGIN_S);
    end = run(&options.plan, &protocol, &result, &why);
    protocol_free(&protocol);
    if (end == RUN_NO_START) {
        fprintf(stderr, "load: %s\n", why.text);
        return EXIT_WRONG;
    }
    result_print(&result, options.json);
    if (result.errors > 0 || result.measured == 0) {
        fprintf(stderr, "load: %" PRIu64 " errors; the first: %s\n", result.errors,
                result.errors > 0 ? result.first_error.text : "nothing was answered in time");
        return EXIT_WRONG;
    }
    return EXIT_RIGHT;
}
