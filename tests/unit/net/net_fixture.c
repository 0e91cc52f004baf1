/*
 * net_fixture.c - a real server of one loop, and clients on plain sockets.
 */
#include "net/net_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

void house_open(struct house *house, const struct net_settings *changed,
                const struct http_handler *handler)
{
    struct net_settings settings = *changed;
    struct why why;

    settings.threads = 1;
    settings.clock = &clock_system;
    if (settings.connections_max == 0)
        settings.connections_max = 100;
    if (settings.deadlines.head_ms == 0)
        settings.deadlines = net_deadlines_default;
    *house = (struct house){ 0 };
    (void)snprintf(house->path, sizeof house->path, "/tmp/tallyd-net-%d", (int)getpid());
    house->server = server_new(&settings, handler, &why);
    if (!house->server)
        fail_msg("%s", why.text);
    if (!server_listen_unix(house->server, house->path, 0600, &why) ||
        !server_listen_tcp(house->server, "127.0.0.1:0", &why) ||
        !server_start(house->server, &why))
        fail_msg("%s", why.text);
}

void house_wake(struct house *house)
{
    loop_wake(server_loop(house->server, 0));
}

static void *drain(void *server)
{
    server_drain(server);
    return NULL;
}

void house_drain(struct house *house)
{
    assert_int_equal(pthread_create(&house->drainer, NULL, drain, house->server), 0);
}

void house_drained(struct house *house)
{
    assert_int_equal(pthread_join(house->drainer, NULL), 0);
}

void house_close(struct house *house)
{
    server_drain(house->server);
    server_free(house->server);
}

/* A client that waits this long waits for ever: then its test fails instead. */
static void guard(int fd)
{
    static const struct timeval patience = { .tv_sec = 60 };

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
}

int dial_unix(const struct house *house)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    guard(fd);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", house->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

int dial_tcp(const struct house *house)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const char *name = server_address(house->server, 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    guard(fd);
    address.sin_port = htons((uint16_t)strtoul(strrchr(name, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void say_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        assert_true(sent > 0);
        bytes += sent;
        len -= (size_t)sent;
    }
}

void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

char *hear(int fd)
{
    size_t room = 1 << 16;
    size_t len = 0;
    char *all = malloc(room);

    assert_non_null(all);
    for (;;) {
        ssize_t got = recv(fd, all + len, room - len - 1, 0);

        if (got < 0)
            assert_int_not_equal(errno, EAGAIN);
        if (got <= 0)
            break;
        len += (size_t)got;
        if (room - len < 2) {
            room *= 2;
            all = realloc(all, room);
            assert_non_null(all);
        }
    }
    all[len] = '\0';
    (void)close(fd);
    return all;
}

bool hear_until(int fd, const char *what)
{
    size_t len = strlen(what);
    char tail[128] = "";

    assert_true(len < sizeof tail);
    while (memcmp(tail, what, len) != 0) {
        char next;

        if (recv(fd, &next, 1, 0) != 1)
            return false;
        memmove(tail, tail + 1, len - 1);
        tail[len - 1] = next;
    }
    return true;
}

void hang_up(int fd)
{
    static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
}

size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

void wait_until(atomic_size_t *counter, size_t at_least)
{
    while (atomic_load(counter) < at_least)
        (void)sched_yield();
}
