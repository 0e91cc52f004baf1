/*
 * bench/audience/audience.c - many who listen for one thing: when the last of them has heard it.
 *
 * Threads: one.
 */
#include "bench/audience/audience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench/audience/memory.h"

#define NS_PER_MS 1000000
#define WAKES_MAX 1024
#define READ_BYTES (64 * 1024)
#define COMING_AT_ONCE 256U        /* who connect before the first of them has heard something */
#define LISTENERS_PER_SOURCE 1000U /* so that none of 127.0.0.x runs out of ports */
#define LATE_NS (INT64_C(20) * 1000 * NS_PER_MS)

struct listener {
    int fd;
    unsigned heard;  /* events */
    struct buf rest; /* the beginning of a message whose end has not come */
};

struct hall {
    const struct audience_plan *plan;
    const struct tongue *tongue;
    struct audience_result *result;
    struct why *why; /* of the first thing that is wrong; then `wrong` */
    bool wrong;
    struct listener *listeners;
    unsigned n; /* who have come */
    int epoll;
    int speaker;
    bool answered;       /* the speaker has heard that it was published */
    unsigned awaited;    /* the event that everybody is to hear next */
    unsigned n_heard;    /* who have heard it */
    struct buf told;     /* its bytes, as the first heard them */
    int64_t first_at_ns; /* when */
    char *bytes;         /* what recv() has just brought */
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void fail(struct hall *hall, const char *what)
{
    if (!hall->wrong)
        (void)why_set(hall->why, "%s (event %u, heard by %u of %u)", what, hall->awaited,
                      hall->n_heard, hall->n);
    hall->wrong = true;
}

static void take_event(struct hall *hall, struct listener *listener, struct str event)
{
    listener->heard++;
    if (listener->heard != hall->awaited) {
        fail(hall, "a listener heard one event more than there are");
        return;
    }
    if (hall->n_heard == 0) {
        hall->first_at_ns = now_ns();
        buf_clear(&hall->told);
        buf_str_add(&hall->told, event);
    } else if (!str_eq(event, buf_str(&hall->told))) {
        fail(hall, "a listener heard something else than the first");
    }
    hall->n_heard++;
}

/* Eats whole messages; what is left. */
static struct str take_messages(struct hall *hall, struct listener *listener, struct str arrived)
{
    struct str event;
    size_t len;

    while (arrived.len > 0 && (len = hall->tongue->message(arrived, &event)) > 0) {
        if (event.len > 0)
            take_event(hall, listener, event);
        arrived = str_from(arrived, len);
    }
    return arrived;
}

static void listen_to(struct hall *hall, struct listener *listener)
{
    ssize_t n = recv(listener->fd, hall->bytes, READ_BYTES, MSG_DONTWAIT);
    struct str left;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail(hall, n == 0 ? "a listener was sent away" : strerror(errno));
        return;
    }
    if (listener->rest.len == 0) {
        left = take_messages(hall, listener, (struct str){ hall->bytes, (size_t)n });
        buf_str_add(&listener->rest, left);
    } else {
        buf_add(&listener->rest, hall->bytes, (size_t)n);
        left = take_messages(hall, listener, buf_str(&listener->rest));
        if (left.len > 0)
            memmove(listener->rest.bytes, left.at, left.len);
        listener->rest.len = left.len;
    }
    if (!buf_ok(&listener->rest))
        fail(hall, "no memory");
}

static void hear_answer(struct hall *hall)
{
    size_t len = strlen(hall->tongue->said);
    ssize_t n = recv(hall->speaker, hall->bytes, READ_BYTES, MSG_DONTWAIT);

    if (n < (ssize_t)len || memcmp(hall->bytes, hall->tongue->said, len) != 0)
        fail(hall, "what was published was not taken");
    hall->answered = true;
}

/* Until the awaited event was heard by `wanted`, and its publishing answered; false: it was not. */
static bool wait_for(struct hall *hall, unsigned wanted)
{
    struct epoll_event wakes[WAKES_MAX];
    int64_t ends_ns = now_ns() + LATE_NS;

    while (!hall->wrong && (hall->n_heard < wanted || !hall->answered)) {
        int n = epoll_wait(hall->epoll, wakes, WAKES_MAX, 1000);

        for (int i = 0; i < n && !hall->wrong; i++) {
            if (wakes[i].data.ptr)
                listen_to(hall, wakes[i].data.ptr);
            else
                hear_answer(hall);
        }
        if (now_ns() > ends_ns)
            fail(hall, "not everybody has heard it in time");
    }
    return !hall->wrong;
}

static bool watch(struct hall *hall, int fd, void *who)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = who };

    return epoll_ctl(hall->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool server_address(const char *tcp, struct sockaddr_in *ret_address)
{
    struct str port = str_of(tcp);
    struct str host;
    uint64_t number;
    char text[INET_ADDRSTRLEN] = "";

    if (!str_next(&port, ':', &host) || host.len >= sizeof text ||
        !str_uint64(port, UINT16_MAX, &number))
        return false;
    memcpy(text, host.at, host.len);
    *ret_address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)number) };
    return inet_pton(AF_INET, text, &ret_address->sin_addr) == 1;
}

/* One more from 127.0.0.2, .3, …; it leaves by a reset, so that no port is kept in TIME_WAIT. */
static bool let_in(struct hall *hall, const struct sockaddr_in *server)
{
    static const struct linger reset = { .l_onoff = 1 };
    struct sockaddr_in source = { .sin_family = AF_INET };
    struct listener *listener = &hall->listeners[hall->n];
    struct str ask = buf_str(&hall->tongue->subscribe);

    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + hall->n / LISTENERS_PER_SOURCE);
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return false;
    hall->n++;
    return setsockopt(listener->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
           bind(listener->fd, (struct sockaddr *)&source, sizeof source) == 0 &&
           connect(listener->fd, (const struct sockaddr *)server, sizeof *server) == 0 &&
           send(listener->fd, ask.at, ask.len, MSG_NOSIGNAL) == (ssize_t)ask.len &&
           watch(hall, listener->fd, listener);
}

/* Whoever has heard a first event is in. */
static bool fill(struct hall *hall)
{
    struct sockaddr_in server;

    if (!server_address(hall->plan->tcp, &server)) {
        fail(hall, "not an ADDRESS:PORT");
        return false;
    }
    hall->answered = true;
    hall->awaited = 1;
    while (hall->n < hall->plan->listeners) {
        for (unsigned i = 0; i < COMING_AT_ONCE && hall->n < hall->plan->listeners; i++) {
            if (!let_in(hall, &server)) {
                fail(hall, strerror(errno));
                return false;
            }
        }
        if (!wait_for(hall, hall->n))
            return false;
    }
    return true;
}

static bool speaker_connect(struct hall *hall)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(hall->plan->socket);

    if (len >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, hall->plan->socket, len);
    hall->speaker = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return hall->speaker >= 0 &&
           connect(hall->speaker, (struct sockaddr *)&address, sizeof address) == 0 &&
           watch(hall, hall->speaker, NULL);
}

static void number_write(char *at, unsigned n)
{
    for (unsigned i = NUMBER_DIGITS; i-- > 0; n /= 10)
        at[i] = (char)('0' + n % 10);
}

static bool publish(struct hall *hall, unsigned i)
{
    const struct tongue *tongue = hall->tongue;
    struct str words = buf_str(&tongue->publish);

    if (tongue->number_at > 0)
        number_write(tongue->publish.bytes + tongue->number_at, hall->plan->first_number + i);
    hall->answered = false;
    hall->awaited++;
    hall->n_heard = 0;
    return send(hall->speaker, words.at, words.len, MSG_NOSIGNAL) == (ssize_t)words.len;
}

static void rest_until(int64_t at_ns)
{
    struct timespec at = { at_ns / (1000 * NS_PER_MS), at_ns % (1000 * NS_PER_MS) };

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL); /* as often as votes come */
}

static bool speak(struct hall *hall)
{
    struct audience_result *result = hall->result;
    int64_t cpu_ns = cpu_ns_of(hall->plan->server);
    int64_t due_ns = now_ns();

    for (unsigned i = 0; i < hall->plan->events; i++) {
        int64_t begun_ns;

        due_ns += (int64_t)hall->plan->every_ms * NS_PER_MS;
        rest_until(due_ns);
        begun_ns = now_ns();
        if (!publish(hall, i)) {
            fail(hall, "nothing can be published");
            return false;
        }
        if (!wait_for(hall, hall->n))
            return false;
        result->last_ns[i] = now_ns() - begun_ns;
        result->first_ns[i] = hall->first_at_ns - begun_ns;
    }
    result->cpu_ns = cpu_ns_of(hall->plan->server) - cpu_ns;
    return true;
}

static void leave(struct hall *hall)
{
    for (unsigned i = 0; hall->listeners && i < hall->n; i++) {
        (void)close(hall->listeners[i].fd);
        buf_free(&hall->listeners[i].rest);
    }
    free(hall->listeners);
    free(hall->bytes);
    buf_free(&hall->told);
    if (hall->speaker >= 0)
        (void)close(hall->speaker);
    if (hall->epoll >= 0)
        (void)close(hall->epoll);
}

bool audience_run(const struct audience_plan *plan, const struct tongue *tongue,
                  struct audience_result *ret_result, struct why *reterr_why)
{
    struct hall hall = {
        .plan = plan, .tongue = tongue, .result = ret_result, .why = reterr_why, .speaker = -1
    };

    hall.epoll = epoll_create1(EPOLL_CLOEXEC);
    hall.listeners = calloc(plan->listeners, sizeof *hall.listeners);
    hall.bytes = malloc(READ_BYTES);
    ret_result->before = memory_now(plan->server);
    if (hall.epoll < 0 || !hall.listeners || !hall.bytes || !speaker_connect(&hall)) {
        fail(&hall, "cannot connect, or no memory");
    } else if (fill(&hall)) {
        ret_result->there = memory_now(plan->server);
        if (speak(&hall))
            ret_result->after = memory_now(plan->server);
    }
    leave(&hall);
    return !hall.wrong;
}
