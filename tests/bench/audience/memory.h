/*
 * bench/audience/memory.h - what the server and the kernel have in memory, and the server's time.
 */
#ifndef TALLYD_BENCH_AUDIENCE_MEMORY_H
#define TALLYD_BENCH_AUDIENCE_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "bench/audience/audience.h"

/* What cannot be read counts as 0. */
struct audience_memory memory_now(pid_t server);

/* User and system time so far. */
int64_t cpu_ns_of(pid_t server);

#endif
