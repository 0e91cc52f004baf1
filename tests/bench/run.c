/*
 * bench/run.c - one run of load.
 *
 * Every event is one read, a look at all replies in it, and one write with as many new requests.
 * A run warms up, measures, and drains: it asks no more and waits for what is in flight.
 *
 * With a rate, requests fall due by the clock, and a reply's time counts from then: a server that
 * stops for a moment delays all that fell due meanwhile, though they are sent only afterwards.
 *
 * Threads: one.
 */
#include "bench/run.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/conn.h"

#define READ_BYTES_MAX (256U * 1024U)
#define EVENTS_MAX 256
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S (1000 * NS_PER_MS)
#define DRAIN_NS (10 * NS_PER_S)

enum phase { WARMING, MEASURING, DRAINING };

struct state {
    const struct run_plan *plan;
    const struct protocol *protocol;
    struct run_result *result;
    struct conn *conns; /* plan->connections */
    int epoll;
    enum phase phase;
    int64_t phase_ends_ns;
    int64_t measured_from_ns;
    uint64_t in_flight;
    int64_t due_ns; /* with a rate: when the next request is */
    unsigned turn;  /* with a rate: whose it is, if there is room */
    char *arrived;  /* READ_BYTES_MAX: what one read brought */
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now = { 0 };

    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* User and system time of all threads of cpu_of: what /proc/PID/stat says, in nanoseconds. */
static int64_t cpu_ns(const struct run_plan *plan)
{
    clockid_t clock;

    if (plan->cpu_of == 0 || clock_getcpuclockid(plan->cpu_of, &clock) != 0)
        return 0;
    return now_ns(clock);
}

static bool asks(const struct state *state)
{
    if (state->phase == DRAINING)
        return false;
    return state->plan->count == 0 || state->result->asked < state->plan->count;
}

static void measuring_begins(struct state *state, int64_t now)
{
    state->phase = MEASURING;
    state->measured_from_ns = now;
    state->phase_ends_ns = now + state->plan->measure_ms * NS_PER_MS;
    state->result->cpu_ns = -cpu_ns(state->plan);
}

static void measuring_ends(struct state *state, int64_t now)
{
    state->phase = DRAINING;
    state->phase_ends_ns = now + DRAIN_NS;
    state->result->measured_ns = now - state->measured_from_ns;
    state->result->cpu_ns += cpu_ns(state->plan);
}

/* Nothing in flight means that all is asked and answered, or that no connection is left: each is
 * refilled at once, unless the clock says when. */
static bool is_over(const struct state *state)
{
    bool by_the_clock = state->plan->rate > 0 && asks(state) && state->result->errors == 0;

    return state->in_flight == 0 && !by_the_clock;
}

/* Moves on to the next phase when its time has come; false at the end. */
static bool phase_goes_on(struct state *state, int64_t now)
{
    if (state->phase == WARMING && now >= state->phase_ends_ns)
        measuring_begins(state, now);
    if (state->phase == MEASURING && (now >= state->phase_ends_ns || is_over(state)))
        measuring_ends(state, now);
    return !is_over(state) && (state->phase != DRAINING || now < state->phase_ends_ns);
}

/* An error of `requests` requests at once; the first one is the one that is told. */
static void error_note(struct state *state, uint64_t requests, const struct why *why)
{
    if (state->result->errors == 0)
        state->result->first_error = *why;
    state->result->errors += requests;
}

/* What was in flight on it gets no answer any more. An end with nothing in flight is an error of
 * its own, for nobody had asked for it. */
static void conn_lost(struct state *state, struct conn *conn, const struct why *why)
{
    error_note(state, conn->in_flight > 0 ? conn->in_flight : 1, why);
    state->in_flight -= conn->in_flight;
    conn_close(conn);
}

static void conn_lost_because(struct state *state, struct conn *conn, const char *what, int error)
{
    struct why why;

    why_set(&why, "%s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
    conn_lost(state, conn, &why);
}

static void request_put(struct state *state, struct conn *conn, int64_t at_ns)
{
    unsigned newest = (conn->oldest + conn->in_flight) % state->plan->depth;

    conn->asked[newest] = (struct asked){ state->result->asked++, at_ns };
    request_add(state->protocol, conn->asked[newest].n, &conn->out);
    conn->in_flight++;
    state->in_flight++;
}

/* Writes; what the socket does not take waits. */
static void conn_send(struct state *state, struct conn *conn)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };
    bool waits = false;

    if (!buf_ok(&conn->out)) {
        conn_lost_because(state, conn, "no memory", 0);
        return;
    }
    switch (conn_write(conn)) {
    case CONN_WRITTEN:
        break;
    case CONN_FULL:
        waits = true;
        event.events |= EPOLLOUT;
        break;
    case CONN_WRITE_FAILED:
        conn_lost_because(state, conn, "the server closed a connection", errno);
        return;
    }
    if (waits == conn->waits_to_write)
        return;
    conn->waits_to_write = waits;
    if (epoll_ctl(state->epoll, EPOLL_CTL_MOD, conn->fd, &event) != 0)
        conn_lost_because(state, conn, "cannot wait", errno);
}

/* Fills the connection up to its depth, unless the clock does. */
static void conn_ask(struct state *state, struct conn *conn, int64_t now)
{
    while (state->plan->rate == 0 && conn->in_flight < state->plan->depth && asks(state))
        request_put(state, conn, now);
    conn_send(state, conn);
}

/* The next connection in turn that has room, or NULL. */
static struct conn *conn_with_room(struct state *state)
{
    for (unsigned i = 0; i < state->plan->connections; i++) {
        struct conn *conn = &state->conns[state->turn];

        state->turn = (state->turn + 1) % state->plan->connections;
        if (conn->fd >= 0 && conn->in_flight < state->plan->depth)
            return conn;
    }
    return NULL;
}

/* Asks all that is due; what finds no room stays due. */
static void ask_due(struct state *state, int64_t now)
{
    struct conn *conn;

    while (state->plan->rate > 0 && asks(state) && state->due_ns <= now &&
           (conn = conn_with_room(state)) != NULL) {
        request_put(state, conn, state->due_ns);
        conn_send(state, conn);
        state->due_ns += NS_PER_S / state->plan->rate;
    }
}

/* Replies out of order show in marks that do not rise. */
static bool mark_rises(const struct state *state, struct conn *conn, uint64_t n, uint64_t mark)
{
    uint64_t *last;

    if (state->protocol->marks == 0)
        return true;
    last = &conn->last_mark[n % state->protocol->marks];
    if (mark <= *last)
        return false;
    *last = mark;
    return true;
}

/* The oldest request on `conn` has its reply. */
static void reply_note(struct state *state, struct conn *conn, int64_t now, bool right,
                       const struct reply *reply, struct why *why)
{
    const struct asked *asked = &conn->asked[conn->oldest];

    conn->oldest = (conn->oldest + 1) % state->plan->depth;
    conn->in_flight--;
    state->in_flight--;
    if (right && !mark_rises(state, conn, asked->n, reply->mark)) {
        why_set(why, "replies out of order");
        right = false;
    }
    if (!right) {
        error_note(state, 1, why);
        return;
    }
    state->result->right++;
    if (state->phase != MEASURING)
        return;
    state->result->measured++;
    latency_note(&state->result->latency, now - asked->at_ns);
}

/* Reads all whole replies in `arrived`; *ret_rest is what is left. False: the connection is lost.
 */
static bool replies_read(struct state *state, struct conn *conn, struct str arrived, int64_t now,
                         struct str *ret_rest)
{
    struct reply reply;
    struct why why;

    while (arrived.len > 0) {
        enum reply_state got;

        if (conn->in_flight == 0) {
            conn_lost_because(state, conn, "a reply that nobody asked for", 0);
            return false;
        }
        got = state->protocol->read(state->protocol, arrived, &reply, &why);
        if (got == REPLY_PART)
            break;
        if (got == REPLY_BROKEN) {
            conn_lost(state, conn, &why);
            return false;
        }
        reply_note(state, conn, now, got == REPLY_RIGHT, &reply, &why);
        arrived = str_from(arrived, reply.len);
    }
    *ret_rest = arrived;
    return true;
}

static void conn_arrived(struct state *state, struct conn *conn)
{
    ssize_t n = read(conn->fd, state->arrived, READ_BYTES_MAX);
    struct str arrived = { state->arrived, n > 0 ? (size_t)n : 0 };
    int64_t now;

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        conn_lost_because(state, conn, "the server closed a connection", n < 0 ? errno : 0);
        return;
    }
    now = now_ns(CLOCK_MONOTONIC);
    if (conn->rest.len > 0) {
        buf_str_add(&conn->rest, arrived);
        arrived = buf_str(&conn->rest);
    }
    if (!replies_read(state, conn, arrived, now, &arrived))
        return;
    if (!buf_ok(&conn->rest) || !conn_keep(conn, arrived)) {
        conn_lost_because(state, conn, "no memory", 0);
        return;
    }
    conn_ask(state, conn, now);
}

static void conn_event(struct state *state, const struct epoll_event *event)
{
    struct conn *conn = event->data.ptr;

    if (conn->fd >= 0 && (event->events & EPOLLOUT))
        conn_ask(state, conn, now_ns(CLOCK_MONOTONIC));
    if (conn->fd >= 0 && (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        conn_arrived(state, conn);
}

/* Until the phase ends, or the next request is due. One that is overdue waits for a reply, which
 * makes room. */
static struct timespec rest_of(const struct state *state, int64_t now)
{
    int64_t until_ns = state->phase_ends_ns;
    int64_t left_ns;

    if (state->plan->rate > 0 && asks(state) && state->due_ns > now && state->due_ns < until_ns)
        until_ns = state->due_ns;
    left_ns = until_ns > now ? until_ns - now : 0;
    return (struct timespec){ left_ns / NS_PER_S, left_ns % NS_PER_S };
}

static void run_loop(struct state *state)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t now = now_ns(CLOCK_MONOTONIC);

    state->phase_ends_ns = now + state->plan->warmup_ms * NS_PER_MS;
    state->due_ns = now;
    for (unsigned i = 0; i < state->plan->connections; i++)
        conn_ask(state, &state->conns[i], now_ns(CLOCK_MONOTONIC));
    while (phase_goes_on(state, now = now_ns(CLOCK_MONOTONIC))) {
        struct timespec rest;
        int n;

        ask_due(state, now);
        rest = rest_of(state, now);
        n = epoll_pwait2(state->epoll, events, EVENTS_MAX, &rest, NULL);
        for (int i = 0; i < n; i++)
            conn_event(state, &events[i]);
    }
}

static bool conns_open(struct state *state, struct why *reterr_why)
{
    for (unsigned i = 0; i < state->plan->connections; i++) {
        struct conn *conn = &state->conns[i];
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

        if (!conn_open(conn, state->plan->socket, state->plan->tcp, state->plan->depth, reterr_why))
            return false;
        if (epoll_ctl(state->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0) {
            why_set(reterr_why, "epoll_ctl: %s", strerror(errno));
            return false;
        }
    }
    return true;
}

/* What is still in flight when the time is up got no reply. */
static void state_end(struct state *state)
{
    static const struct why late = { "no reply in time" };

    if (state->in_flight > 0)
        error_note(state, state->in_flight, &late);
    for (unsigned i = 0; state->conns && i < state->plan->connections; i++)
        conn_close(&state->conns[i]);
    free(state->conns);
    free(state->arrived);
    if (state->epoll >= 0)
        close(state->epoll);
}

enum run_end run(const struct run_plan *plan, const struct protocol *protocol,
                 struct run_result *ret_result, struct why *reterr_why)
{
    struct state state = { .plan = plan, .protocol = protocol, .result = ret_result };
    enum run_end end = RUN_NO_START;

    assert(plan->connections >= 1 && plan->connections <= CONNECTIONS_MAX);
    assert(plan->depth >= 1 && plan->depth <= DEPTH_MAX && protocol->marks <= POLL_OPTIONS_MAX);
    *ret_result = (struct run_result){ 0 };
    state.epoll = epoll_create1(EPOLL_CLOEXEC);
    state.conns = calloc(plan->connections, sizeof *state.conns);
    state.arrived = malloc(READ_BYTES_MAX);
    for (unsigned i = 0; state.conns && i < plan->connections; i++)
        state.conns[i].fd = -1;
    if (state.epoll < 0 || !state.conns || !state.arrived) {
        why_set(reterr_why, "no memory, or no descriptor");
    } else if (conns_open(&state, reterr_why)) {
        /* The usual slack of 50 us would be measured as the server's. */
        (void)prctl(PR_SET_TIMERSLACK, 1UL);
        run_loop(&state);
        end = RUN_DONE;
    }
    state_end(&state);
    return end;
}
