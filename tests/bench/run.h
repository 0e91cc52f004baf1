/*
 * bench/run.h - one run of load: so many connections with so many requests in flight each.
 *
 * One thread, one epoll; it always ends by itself, whatever the server does.
 */
#ifndef TALLYD_BENCH_RUN_H
#define TALLYD_BENCH_RUN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"
#include "bench/latency.h"
#include "bench/protocol.h"

#define CONNECTIONS_MAX 10000U
#define DEPTH_MAX 1024U
#define RATE_MAX 1000000U

struct run_plan {
    const char *socket;   /* a Unix socket's path, or NULL */
    const char *tcp;      /* else ADDRESS:PORT, IPv4 */
    unsigned connections; /* 1..CONNECTIONS_MAX */
    unsigned depth;       /* requests in flight on each; 1..DEPTH_MAX */
    int64_t warmup_ms;    /* asked and checked, not measured */
    int64_t measure_ms;   /* from then on; with a count, the longest it may take */
    uint64_t count;       /* ends behind so many requests; 0: measure_ms decides */
    unsigned rate;        /* requests a second, by the clock; 0: as fast as replies come */
    pid_t cpu_of;         /* a process whose CPU time is measured too, or 0 */
};

struct run_result {
    uint64_t asked;
    uint64_t right;         /* of all that were asked, warm-up included */
    uint64_t errors;        /* wrong replies, and requests that got none */
    struct why first_error; /* empty without errors */
    uint64_t measured;      /* right replies while it was measured */
    int64_t measured_ns;    /* how long that was */
    int64_t cpu_ns;         /* user and system time of cpu_of meanwhile */
    struct latency latency; /* of the measured ones */
};

enum run_end {
    RUN_DONE,    /* the result says how it went, errors included */
    RUN_NO_START /* it could not begin: reterr_why says why, the result holds nothing */
};

MUST_USE enum run_end run(const struct run_plan *plan, const struct protocol *protocol,
                          struct run_result *ret_result, struct why *reterr_why);

#endif
