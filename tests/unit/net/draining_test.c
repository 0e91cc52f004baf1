/*
 * draining_test.c - who stands at the door when draining begins is let in, and waited for.
 *
 * The one loop is held in a handler while its doors are knocked at and it is told to drain, so that
 * it finds both at once. Whether it looks at the door first is the kernel's choice, so it is tried
 * some times.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/server.h"

#define TRIES 50

static struct {
    struct server *server;
    char path[64];
    sem_t held;
    sem_t go_on;
    atomic_size_t handled;
} site;

static void plan(void *context, const struct http1_request *request, struct exchange_plan *ret_plan)
{
    (void)context;
    (void)request;
    (void)ret_plan;
}

static void handle(void *context, struct exchange *exchange)
{
    (void)context;
    if (str_eq(exchange_request(exchange)->path, STR("/hold"))) {
        (void)sem_post(&site.held);
        (void)sem_wait(&site.go_on);
    }
    atomic_fetch_add(&site.handled, 1);
    exchange_reply(exchange, &(struct reply){ .status = 204 });
}

static void refuse(void *context, struct loop *loop, unsigned status, const char *detail,
                   struct reply *ret_reply)
{
    (void)context;
    (void)loop;
    (void)detail;
    *ret_reply = (struct reply){ .status = status };
}

static void start(void)
{
    static const struct http_handler handler = { .plan = plan, .handle = handle, .refuse = refuse };
    struct why why;

    memset(&site, 0, sizeof site);
    (void)sem_init(&site.held, 0, 0);
    (void)sem_init(&site.go_on, 0, 0);
    (void)snprintf(site.path, sizeof site.path, "/tmp/tallyd-drain-%d", (int)getpid());
    site.server = server_new(&(struct net_settings){ .threads = 1,
                                                     .connections_max = 100,
                                                     .deadlines = net_deadlines_default,
                                                     .clock = &clock_system },
                             &handler, &why);
    assert_non_null(site.server);
    assert_true(server_listen_unix(site.server, site.path, 0600, &why));
    assert_true(server_start(site.server, &why));
}

static int ask(const char *request)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", site.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static void hear_204(int fd)
{
    char answer[12] = "";

    assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 204", sizeof answer);
    (void)close(fd);
}

static void *drain(void *unused)
{
    server_drain(site.server);
    return unused;
}

static void who_stands_at_the_door_is_answered_before_draining_ends(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        pthread_t drainer;
        int first;
        int second;

        start();
        first = ask("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
        (void)sem_wait(&site.held);
        loop_wake(server_loop(site.server, 0)); /* so that it looks there first */
        assert_int_equal(pthread_create(&drainer, NULL, drain, NULL), 0);
        second = ask("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
        (void)sem_post(&site.go_on);
        hear_204(first); /* and closes: who stays would be waited for, for a moment */
        hear_204(second);
        (void)pthread_join(drainer, NULL);
        server_free(site.server);
        assert_int_equal(atomic_load(&site.handled), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stands_at_the_door_is_answered_before_draining_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
