/*
 * api/metrics.c - GET /metrics: gathers what is counted everywhere.
 *
 * Threads: the loop of the call.
 */
#include "api/metrics.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/routes.h"

static uint64_t ms_of(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

static uint64_t cpu_ms(void)
{
    struct rusage used;

    if (getrusage(RUSAGE_SELF, &used) < 0)
        return 0;
    return ms_of(&used.ru_utime) + ms_of(&used.ru_stime);
}

/* proc_pid_statm(5): pages in all, then those in memory. Without stdio, which allocates: where
 * memory is short its use is looked at most. */
static uint64_t resident_bytes(void)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128];
    char *second;
    ssize_t n;

    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    (void)strtoull(text, &second, 10);
    return strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_loop(const struct api_loop *loop, struct scrape *scrape)
{
    scrape->streams += atomic_load(&loop->n_streams);
    scrape->long_polls += atomic_load(&loop->n_waiters);
    for (size_t i = 0; i < PROBLEM_KINDS; i++) {
        scrape->refused[i] += atomic_load_explicit(&loop->refused[i], memory_order_relaxed);
        scrape->refused_lines[i] +=
            atomic_load_explicit(&loop->refused_lines[i], memory_order_relaxed);
    }
}

/* Counted before its results were hidden, or before it went. */
static bool is_shown(struct board *board, const struct busiest_poll *poll, enum viewer viewer)
{
    AUTO(published) published = board_get(board, str_of(poll->id));

    return published && published->poll->number == poll->number &&
           !poll_hides_results(published->poll, published->phase, viewer);
}

void metrics_leave_out(struct board *board, enum viewer viewer, struct busiest_figures *votes)
{
    size_t n = 0;

    for (size_t i = 0; i < votes->n; i++) {
        if (is_shown(board, &votes->polls[i], viewer))
            votes->polls[n++] = votes->polls[i];
    }
    votes->n = n;
}

static void gather(const struct call *call, struct scrape *scrape)
{
    const struct api *api = call->api;

    *scrape = (struct scrape){ .net = loop_net_now(exchange_loop(call->exchange)),
                               .takes_votes = writer_takes_votes(api->writer),
                               .crowded = limiter_crowded(api->limiter),
                               .started_ms = (uint64_t)api->started_ms,
                               .cpu_ms = cpu_ms(),
                               .resident_bytes = resident_bytes() };
    writer_figures(api->writer, &scrape->writer);
    scrape->polls = board_count(api->board);
    scrape->ballast = scrape->writer.store.ballast;
    metrics_leave_out(api->board, VIEWER_STRANGER, &scrape->writer.votes);
    for (size_t i = 0; i < api->n_loops; i++)
        add_loop(&api->loops[i], scrape);
}

static bool may_read(const struct call *call)
{
    return call->caller.has_uid || role_is_trusted(call->caller.role) ||
           call->loop->rules->metrics_for_everyone;
}

void metrics_get(struct call *call)
{
    struct scrape scrape;

    if (!may_read(call)) {
        refuse(&call->loop->refusal, PROBLEM_FORBIDDEN,
               "metrics are for the Unix socket, or for everybody with `metrics = everyone` in "
               "[server]");
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
        return;
    }
    gather(call, &scrape);
    buf_clear(&call->loop->out);
    metrics_write(&scrape, &call->loop->out);
    answer_out(call->exchange, call->loop,
               &(struct answer){ .status = 200,
                                 .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                 .caching = CACHE_PRIVATE });
}
