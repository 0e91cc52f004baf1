/*
 * event_stream_test.c - what subscribers are sent, and when, by a clock that the test moves.
 *
 * Polls, board and topics are the real ones; connections are the ones below, which only count.
 */
#include "api/event_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/board.h"
#include "net/loop.h"

/* A connection: what lies in this process for it, and what it has taken. */
struct exchange {
    bool reads; /* takes everything at once; else nothing ever leaves */
    size_t unsent;
    size_t unsent_most;
    size_t added; /* bytes, ever */
    size_t flushed;
    unsigned long newest; /* the version in the last event */
};

static int64_t now_ms;

void exchange_add(struct exchange *exchange, struct str bytes)
{
    const char *id = memmem(bytes.at, bytes.len, "\nid: ", 5);

    exchange->added += bytes.len;
    exchange->unsent += bytes.len;
    if (exchange->unsent > exchange->unsent_most)
        exchange->unsent_most = exchange->unsent;
    if (exchange->reads)
        exchange->unsent = 0;
    if (id)
        exchange->newest = strtoul(id + 5, NULL, 10);
}

void exchange_flush(struct exchange *exchange)
{
    exchange->flushed++;
}

size_t exchange_unsent(const struct exchange *exchange)
{
    return exchange->unsent;
}

void exchange_end(struct exchange *exchange)
{
    (void)exchange;
}

void exchange_abort(struct exchange *exchange)
{
    exchange_end(exchange);
}

struct loop *exchange_loop(const struct exchange *exchange)
{
    (void)exchange;
    return NULL;
}

struct str exchange_body(const struct exchange *exchange)
{
    (void)exchange;
    fail(); /* linked with what reads requests, and nobody reads one here */
    return (struct str){ NULL, 0 };
}

int64_t loop_mono_ms(const struct loop *loop)
{
    (void)loop;
    return now_ms;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    return loop_mono_ms(loop);
}

/* The house that streams live in. */
static struct api api;
static struct api_loop loop;

static void wake(void *context)
{
    (void)context;
}

static void publish(const char *id, uint64_t number, uint64_t version, enum poll_results results)
{
    AUTO(poll) poll = poll_new();
    struct counts counts = { .marks = { version }, .voters = version, .version = version };
    struct published *published;

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "%s", id);
    poll->number = number;
    poll->kind = POLL_RATING;
    poll->n_options = 2;
    poll->results = results;
    poll->title.n = 1;
    poll->title.in = calloc(1, sizeof *poll->title.in);
    assert_non_null(poll->title.in);
    poll->title.in[0].language = str_copy(STR("en"));
    poll->title.in[0].value = str_copy(STR("T"));
    published = published_new(poll, &counts, PHASE_OPEN, 1);
    assert_non_null(published);
    assert_true(board_publish(api.board, published));
}

static int open_house(void **state)
{
    (void)state;
    now_ms = 1000;
    api = (struct api){ .board = board_new() };
    memset(&loop, 0, sizeof loop);
    queue_init(&loop.told, wake, NULL);
    return api.board ? 0 : -1;
}

static int close_house(void **state)
{
    (void)state;
    topics_free(&api, &loop);
    queue_destroy(&loop.told);
    buf_free(&loop.out);
    board_free(api.board);
    return 0;
}

/* A stream of these polls that has begun. */
static struct events *subscribe(struct exchange *exchange, size_t n, const char *const *ids)
{
    struct events *events = calloc(1, sizeof *events + n * sizeof events->polls[0]);

    assert_non_null(events);
    events->api = &api;
    events->loop = &loop;
    events->exchange = exchange;
    events->begun = true;
    events->n = n;
    streams_enter(&loop, &events->stream);
    for (size_t i = 0; i < n; i++) {
        struct followed *followed = &events->polls[i];
        AUTO(published) published = board_get(api.board, str_of(ids[i]));

        assert_non_null(published);
        followed->events = events;
        followed->follower.changed = followed_changed;
        if (poll_hides_results(published->poll, published->phase, VIEWER_STRANGER)) {
            followed->ask = calloc(1, sizeof *followed->ask);
            assert_non_null(followed->ask);
        }
        assert_true(topics_follow(&api, &loop, published, &followed->follower));
        followed_show(followed, published);
    }
    return events;
}

/* One turn of the loop: what was published is told. */
static void turn(void)
{
    struct queue_list told = queue_take(&loop.told);
    struct queue_node *node;

    while ((node = queue_list_take(&told)) != NULL)
        topics_told(&api, &loop, (struct watch *)node);
}

/* The writer's answers to all that was asked; how many that was. */
static size_t answer_asks(struct followed *followed, enum job_result result, bool visible)
{
    size_t n = 0;

    while (queue_list_take(&loop.submissions) != NULL) {
        struct job *ask = followed->ask;

        n++;
        followed->asked = false;
        followed->events->n_asked--;
        ask->result = result;
        ask->published = result == JOB_REFUSED ? NULL : board_get(api.board, STR("p"));
        followed_answered(followed, visible);
    }
    return n;
}

static void a_subscriber_who_never_reads_is_kept_so_much_and_no_more(void **state)
{
    static const char *const ids[] = { "p" };
    struct exchange never = { .reads = false };
    struct exchange quick = { .reads = true };
    struct events *slow;
    struct events *other;
    size_t most = 0;

    (void)state;
    publish("p", 1, 1, RESULTS_ALWAYS);
    slow = subscribe(&never, 1, ids);
    other = subscribe(&quick, 1, ids);
    turn();
    for (uint64_t version = 2; version < 5000; version++) {
        size_t before = quick.added;

        now_ms += 100;
        publish("p", 1, version, RESULTS_ALWAYS);
        turn();
        events_send_due(slow);
        assert_int_equal(quick.newest, version); /* others get every event */
        if (quick.added - before > most)
            most = quick.added - before;
    }
    assert_true(never.unsent_most > EVENTS_UNSENT_BYTES_MAX);
    assert_true(never.unsent_most <= EVENTS_UNSENT_BYTES_MAX + most);
    assert_true(never.newest < 4999);
    never.unsent = 0; /* it reads after all: the newest, and nothing between */
    events_send_due(slow);
    assert_int_equal(never.newest, 4999);
    assert_true(never.unsent <= most);
    events_leave(slow);
    events_leave(other);
}

static void an_event_leaves_at_once_unless_more_polls_may_follow(void **state)
{
    static const char *const ids[] = { "p", "q" };
    struct exchange of_one = { .reads = true };
    struct exchange of_two = { .reads = true };
    struct events *one;
    struct events *two;

    (void)state;
    publish("p", 1, 1, RESULTS_ALWAYS);
    publish("q", 2, 1, RESULTS_ALWAYS);
    one = subscribe(&of_one, 1, ids);
    two = subscribe(&of_two, 2, ids);
    turn();
    assert_int_equal(of_one.flushed, 1);
    assert_int_equal(of_two.flushed, 0);
    assert_true(of_two.added > of_one.added);
    events_leave(one);
    events_leave(two);
}

static void the_writer_is_asked_ten_times_a_second_at_most(void **state)
{
    static const char *const ids[] = { "p", "q" };
    struct exchange exchange = { .reads = true };
    struct events *events;
    size_t asked = 0;
    uint64_t version = 1;

    (void)state;
    publish("p", 1, version, RESULTS_AFTER_VOTE);
    publish("q", 2, 1, RESULTS_ALWAYS);
    events = subscribe(&exchange, 2, ids);
    turn();
    asked += answer_asks(&events->polls[0], JOB_NOT_FOUND, false);
    assert_int_equal(asked, 1);
    for (int ms = 0; ms < 1000; ms++) { /* each with a vote of somebody else */
        now_ms++;
        publish("p", 1, ++version, RESULTS_AFTER_VOTE);
        turn();
        events_send_due(events);
        asked += answer_asks(&events->polls[0], JOB_NOT_FOUND, false);
    }
    assert_int_equal(asked, 1 + 10);
    events_leave(events);
}

static void what_the_writer_was_too_busy_to_answer_is_asked_again(void **state)
{
    static const char *const ids[] = { "p" };
    struct exchange exchange = { .reads = true };
    struct events *events;

    (void)state;
    publish("p", 1, 1, RESULTS_AFTER_VOTE);
    events = subscribe(&exchange, 1, ids);
    turn();
    assert_int_equal(answer_asks(&events->polls[0], JOB_FOUND, true), 1);
    assert_int_equal(exchange.newest, 1);
    now_ms += 100;
    publish("p", 1, 2, RESULTS_AFTER_VOTE); /* the last vote for long */
    turn();
    assert_int_equal(answer_asks(&events->polls[0], JOB_REFUSED, false), 1);
    assert_int_equal(exchange.newest, 1);
    now_ms += 99;
    events_send_due(events);
    assert_int_equal(answer_asks(&events->polls[0], JOB_FOUND, true), 0); /* not sooner */
    now_ms += 1;
    events_send_due(events);
    assert_int_equal(answer_asks(&events->polls[0], JOB_FOUND, true), 1);
    assert_int_equal(exchange.newest, 2);
    events_leave(events);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_subscriber_who_never_reads_is_kept_so_much_and_no_more),
        TEST(an_event_leaves_at_once_unless_more_polls_may_follow),
        TEST(the_writer_is_asked_ten_times_a_second_at_most),
        TEST(what_the_writer_was_too_busy_to_answer_is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
