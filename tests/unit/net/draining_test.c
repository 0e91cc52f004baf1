/*
 * draining_test.c - who stands at the door when draining begins is let in, and waited for; at a
 * door that somebody else holds too, he is left to the next.
 *
 * The one loop is held in a handler while its doors are knocked at and it is told to drain, so that
 * it finds both at once. Whether it looks at the door first is the kernel's choice, so it is tried
 * some times.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/net_fixture.h"
#include "net/server.h"

#define TRIES 50
#define CROWD 90 /* more than are let in in one turn, fewer than may be in */

static struct {
    struct server *server;
    char path[64];
    sem_t held;
    sem_t go_on;
    atomic_size_t handled;
    atomic_int drainer; /* its number */
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

static void refuse(void *context, struct loop *loop, struct exchange *exchange, unsigned status,
                   const char *detail, struct reply *ret_reply)
{
    (void)context;
    (void)loop;
    (void)exchange;
    (void)detail;
    *ret_reply = (struct reply){ .status = status };
}

static const struct http_handler handler = { .plan = plan, .handle = handle, .refuse = refuse };

static void make(const struct net_deadlines *deadlines)
{
    struct why why;

    memset(&site, 0, sizeof site);
    (void)sem_init(&site.held, 0, 0);
    (void)sem_init(&site.go_on, 0, 0);
    (void)snprintf(site.path, sizeof site.path, "/tmp/tallyd-drain-%d", (int)getpid());
    site.server = server_new(
        &(struct net_settings){
            .threads = 1, .connections_max = 100, .deadlines = *deadlines, .clock = &clock_system },
        &handler, &why);
    assert_non_null(site.server);
}

static void start(const struct net_deadlines *deadlines)
{
    struct why why;

    make(deadlines);
    assert_true(server_listen_unix(site.server, site.path, 0600, &why));
    assert_true(server_start(site.server, &why));
}

/* As a daemon that a service manager hands its own socket. */
static void start_with(int door)
{
    struct why why;

    make(&net_deadlines_default);
    assert_true(server_adopt(site.server, dup(door), PEER_UNIX, &why));
    assert_true(server_start(site.server, &why));
}

static int open_door(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "/tmp/tallyd-drain-%d",
                   (int)getpid());
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 100), 0);
    return fd;
}

static int dial(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", site.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int ask(const char *request)
{
    int fd = dial();

    say(fd, request);
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
    atomic_store(&site.drainer, gettid());
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

        start(&net_deadlines_default);
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

/* Until server_drain() waits for the loop, which is the only thing that it can sleep in. */
static void wait_until_it_waits(void)
{
    char path[64];
    char state = 'R';
    int thread;

    while ((thread = atomic_load(&site.drainer)) == 0)
        (void)sched_yield();
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    while (state != 'S') {
        FILE *stat = fopen(path, "re");

        assert_non_null(stat);
        assert_int_equal(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
        (void)fclose(stat);
    }
}

static void however_many_stand_at_the_door_they_are_answered(void **state)
{
    int crowd[CROWD];
    pthread_t drainer;
    int first;

    (void)state;
    start(&net_deadlines_default);
    first = ask("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
    (void)sem_wait(&site.held);
    assert_int_equal(pthread_create(&drainer, NULL, drain, NULL), 0);
    wait_until_it_waits(); /* so the loop hears of it before it looks at the door */
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = ask("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    (void)sem_post(&site.go_on);
    hear_204(first);
    for (size_t i = 0; i < CROWD; i++)
        hear_204(crowd[i]);
    (void)pthread_join(drainer, NULL);
    server_free(site.server);
}

static void at_a_door_that_somebody_else_holds_he_waits_for_the_next(void **state)
{
    int door = open_door();
    pthread_t drainer;
    int first;
    int second;

    (void)state;
    start_with(door);
    first = ask("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
    (void)sem_wait(&site.held);
    assert_int_equal(pthread_create(&drainer, NULL, drain, NULL), 0);
    wait_until_it_waits(); /* so the loop hears of it before it looks at the door */
    second = dial();
    (void)sem_post(&site.go_on);
    hear_204(first);
    (void)pthread_join(drainer, NULL);
    server_free(site.server);
    start_with(door);
    say(second, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    hear_204(second);
    server_drain(site.server);
    server_free(site.server);
    (void)close(door);
    (void)unlink(site.path);
}

/* One that was answered is closed as draining begins: then it has begun. */
static void see_it_begin(int answered)
{
    char byte;

    assert_int_equal(recv(answered, &byte, 1, 0), 0);
    (void)close(answered);
}

static int answered(void)
{
    int fd = ask("GET / HTTP/1.1\r\nHost: t\r\n\r\n");

    assert_true(hear_until(fd, "\r\n\r\n"));
    return fd;
}

static void who_has_connected_and_not_asked_yet_is_still_answered(void **state)
{
    struct net_deadlines patient = net_deadlines_default;
    pthread_t drainer;
    int old;
    int fresh;
    char *heard;

    (void)state;
    patient.drain_ms = patient.first_ms = patient.keep_alive_ms = 3600 * 1000;
    start(&patient);
    fresh = dial();
    old = answered(); /* so the one before it has been let in */
    assert_int_equal(pthread_create(&drainer, NULL, drain, NULL), 0);
    see_it_begin(old);
    say(fresh, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    heard = hear(fresh);
    assert_int_equal(count_of(heard, "HTTP/1.1 204"), 1);
    assert_int_equal(count_of(heard, "Connection: close"), 1);
    free(heard);
    (void)pthread_join(drainer, NULL);
    server_free(site.server);
}

static void who_never_asks_holds_the_end_up_no_longer_than_the_first_deadline(void **state)
{
    struct net_deadlines soon = net_deadlines_default;
    int fresh;
    int old;

    (void)state;
    soon.drain_ms = soon.keep_alive_ms = 3600 * 1000; /* it would be seen */
    soon.first_ms = 1;
    start(&soon);
    fresh = dial();
    old = answered();
    server_drain(site.server);
    see_it_begin(old);
    see_it_begin(fresh);
    server_free(site.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stands_at_the_door_is_answered_before_draining_ends),
        cmocka_unit_test(however_many_stand_at_the_door_they_are_answered),
        cmocka_unit_test(at_a_door_that_somebody_else_holds_he_waits_for_the_next),
        cmocka_unit_test(who_has_connected_and_not_asked_yet_is_still_answered),
        cmocka_unit_test(who_never_asks_holds_the_end_up_no_longer_than_the_first_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
