/*
 * net/loop.c - one thread that owns sockets: its event base, its clock, its turns.
 *
 * A turn is one round of libevent's active events. What it brings is handled first; at its end
 * what was gathered is handed over at once, and each connection that has something to send is
 * sent once.
 *
 * Threads: loop_run() is the loop's own; loop_hand(), loop_drain(), loop_stop(), loop_wake() any.
 */
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "net/inside.h"

#define SWEEP_MS 250

static void write_date(struct loop *loop)
{
    time_t seconds = (time_t)(loop->wall_ms / 1000);
    struct tm utc;

    if (loop->date_s == (int64_t)seconds && loop->date[0] != '\0')
        return;
    loop->date_s = (int64_t)seconds;
    if (!gmtime_r(&seconds, &utc) ||
        strftime(loop->date, sizeof loop->date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc) == 0)
        loop->date[0] = '\0';
}

void loop_turn(struct loop *loop)
{
    if (loop->in_turn)
        return;
    loop->in_turn = true;
    loop->mono_ms = clock_mono_ms(loop->shared->clock);
    loop->wall_ms = clock_wall_ms(loop->shared->clock);
    write_date(loop);
    event_active(loop->turn_event, EV_TIMEOUT, 0);
}

static void hand_over(struct loop *loop)
{
    const struct http_handler *handler = &loop->shared->handler;

    if (handler->turn_ends)
        handler->turn_ends(handler->context, loop);
}

/* Settling may answer requests that had to wait, so it goes on until nothing is left. */
static void settle(struct loop *loop)
{
    while (loop->dirty) {
        struct conn *conn = loop->dirty;

        loop->dirty = conn->next_dirty;
        conn->is_dirty = false;
        conn_settle(conn);
    }
}

static void become_quiet(struct loop *loop)
{
    if (!loop->draining || loop->n_conns > 0)
        return;
    (void)pthread_mutex_lock(&loop->lock);
    if (!loop->handed) { /* the first loop hands itself who stood at the door as it began */
        loop->quiet = true;
        (void)pthread_cond_broadcast(&loop->changed);
    }
    (void)pthread_mutex_unlock(&loop->lock);
}

static void on_turn_end(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;

    (void)fd;
    (void)what;
    hand_over(loop);
    while (loop->dirty) {
        settle(loop);
        hand_over(loop); /* of what settling has let in */
    }
    become_quiet(loop);
    atomic_fetch_add_explicit(&loop->turns, 1, memory_order_relaxed);
    loop->in_turn = false;
}

static void keep_sweeping(struct loop *loop)
{
    static const struct timeval interval = { .tv_usec = SWEEP_MS * 1000 };

    if (loop->n_conns > 0 && !event_pending(loop->sweep_event, EV_TIMEOUT, NULL))
        (void)event_add(loop->sweep_event, &interval);
}

static bool drain_is_over(const struct loop *loop)
{
    return loop->draining &&
           loop->mono_ms >= loop->drain_since_ms + loop->shared->deadlines.drain_ms;
}

/* A linear walk each quarter of a second costs less than a timer for every request. */
static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    const struct http_handler *handler = &loop->shared->handler;
    struct conn *next;

    (void)fd;
    (void)what;
    loop_turn(loop);
    for (struct conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        if (conn_is_lost(conn) || drain_is_over(loop))
            conn_close(conn);
        else
            conn_check_deadline(conn);
    }
    if (handler->ticks)
        handler->ticks(handler->context, loop);
    keep_sweeping(loop);
}

static void open_handed(struct loop *loop, struct handed *handed)
{
    while (handed) {
        struct handed *next = handed->next;

        conn_open(loop, handed->fd, &handed->peer);
        free(handed);
        handed = next;
    }
    keep_sweeping(loop);
}

static void begin_draining(struct loop *loop)
{
    const struct http_handler *handler = &loop->shared->handler;
    struct conn *next;

    if (loop->number == 0)
        loop->shared->close_doors(loop->shared->server);
    loop->draining = true;
    loop->drain_since_ms = loop->mono_ms;
    (void)pthread_mutex_lock(&loop->lock);
    loop->drains = true;
    (void)pthread_cond_broadcast(&loop->changed);
    (void)pthread_mutex_unlock(&loop->lock);
    for (struct conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        conn_drain(conn);
    }
    if (handler->drains)
        handler->drains(handler->context, loop);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    const struct http_handler *handler = &loop->shared->handler;
    uint64_t times;
    struct handed *handed;
    bool drain;
    bool stop;

    (void)what;
    loop_turn(loop);
    if (read(fd, &times, sizeof times) < 0 && errno != EAGAIN)
        log_line(LOG_WARNING, "a loop cannot read what woke it: %s, ignoring", strerror(errno));
    (void)pthread_mutex_lock(&loop->lock);
    handed = loop->handed;
    loop->handed = NULL;
    drain = loop->told_to_drain;
    stop = loop->told_to_stop;
    (void)pthread_mutex_unlock(&loop->lock);
    open_handed(loop, handed);
    if (handler->woken)
        handler->woken(handler->context, loop);
    if (drain && !loop->draining)
        begin_draining(loop);
    if (stop)
        (void)event_base_loopbreak(loop->base);
}

/* Without EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST: it would put off the removal of a descriptor until
 * after it is closed, when another loop may have the number again. Events here stay armed, so there
 * is nothing for it to save. */
static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* only its thread touches it */
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static bool make_events(struct loop *loop)
{
    loop->wake_event = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    loop->turn_event = event_new(loop->base, -1, 0, on_turn_end, loop);
    loop->sweep_event = event_new(loop->base, -1, 0, on_sweep, loop);
    return loop->wake_event && loop->turn_event && loop->sweep_event &&
           event_add(loop->wake_event, NULL) == 0;
}

struct loop *loop_new(struct shared *shared, size_t number, struct why *reterr_why)
{
    AUTO(loop) loop = calloc(1, sizeof *loop);

    if (!loop)
        return why_set(reterr_why, "no memory for a loop");
    loop->shared = shared;
    loop->number = number;
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_cond_init(&loop->changed, NULL);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return why_set(reterr_why, "cannot make an eventfd: %s", strerror(errno));
    loop->scratch = malloc(SCRATCH_BYTES);
    loop->base = make_base();
    if (!loop->scratch || !loop->base || !make_events(loop))
        return why_set(reterr_why, "no memory for a loop");
    return TAKE(loop);
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void free_handed(struct loop *loop)
{
    struct handed *next;

    for (struct handed *handed = loop->handed; handed; handed = next) {
        next = handed->next;
        (void)close(handed->fd);
        free(handed->peer.groups);
        free(handed);
    }
}

void loop_free(struct loop *loop)
{
    struct conn *next;

    if (!loop)
        return;
    for (struct conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        conn_close(conn);
    }
    settle(loop);
    free_handed(loop);
    free_event(loop->wake_event);
    free_event(loop->turn_event);
    free_event(loop->sweep_event);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        (void)close(loop->wake_fd);
    for (size_t i = 0; i < loop->n_spare; i++)
        buf_free(&loop->spare[i]);
    free(loop->scratch);
    (void)pthread_mutex_destroy(&loop->lock);
    (void)pthread_cond_destroy(&loop->changed);
    free(loop);
}

void *loop_run(void *context)
{
    struct loop *loop = context;

    if (event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
        log_line(LOG_ERROR, "loop %zu ended by an error of the event library", loop->number);
    return NULL;
}

size_t loop_number(const struct loop *loop)
{
    return loop->number;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    return loop->wall_ms;
}

int64_t loop_mono_ms(const struct loop *loop)
{
    return loop->mono_ms;
}

struct net_now loop_net_now(const struct loop *loop)
{
    const struct shared *shared = loop->shared;

    return (struct net_now){ .connections = atomic_load(&shared->connections),
                             .accepted = atomic_load(&shared->accepted),
                             .requests = atomic_load(&shared->requests),
                             .refused = atomic_load(&shared->refused) };
}

void loop_wake(struct loop *loop)
{
    static const uint64_t once = 1;
    ssize_t written = write(loop->wake_fd, &once, sizeof once);

    (void)written; /* EAGAIN: it has been woken 2^64 times and not looked yet */
}

bool loop_hand(struct loop *loop, int fd, const struct peer *peer)
{
    struct handed *handed = calloc(1, sizeof *handed);

    if (!handed)
        return false;
    handed->fd = fd;
    handed->peer = *peer;
    (void)pthread_mutex_lock(&loop->lock);
    handed->next = loop->handed;
    loop->handed = handed;
    (void)pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
    return true;
}

void loop_drain(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->told_to_drain = true;
    loop_wake(loop);
    while (!loop->drains)
        (void)pthread_cond_wait(&loop->changed, &loop->lock);
    (void)pthread_mutex_unlock(&loop->lock);
}

void loop_wait_quiet(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->quiet)
        (void)pthread_cond_wait(&loop->changed, &loop->lock);
    (void)pthread_mutex_unlock(&loop->lock);
}

void loop_stop(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->told_to_stop = true;
    (void)pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

struct buf loop_take_buf(struct loop *loop)
{
    if (loop->n_spare == 0)
        return (struct buf){ 0 };
    return loop->spare[--loop->n_spare];
}

void loop_give_buf(struct loop *loop, struct buf *buf)
{
    if (loop->n_spare == SPARE_BUFS_MAX || buf->room > SPARE_BUF_BYTES_MAX || !buf_ok(buf)) {
        buf_free(buf);
        return;
    }
    if (buf->room > 0) {
        buf_clear(buf);
        loop->spare[loop->n_spare++] = *buf;
    }
    *buf = (struct buf){ 0 };
}
