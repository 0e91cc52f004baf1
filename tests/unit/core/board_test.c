/*
 * board_test.c - what readers see, also while the writer publishes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/board.h"

static struct published *make(const char *id, uint64_t number, uint64_t version, uint64_t epoch)
{
    AUTO(poll) poll = poll_new();
    struct counts counts = { .marks = { version }, .voters = version, .version = version };
    struct published *published;

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "%s", id);
    poll->number = number;
    poll->kind = POLL_RATING;
    poll->n_options = 2;
    poll->title.n = 2;
    poll->title.in = calloc(2, sizeof *poll->title.in);
    assert_non_null(poll->title.in);
    for (size_t i = 0; i < 2; i++) {
        poll->title.in[i].language = str_copy(i == 0 ? STR("en") : STR("ru"));
        poll->title.in[i].value = str_copy(i == 0 ? STR("T") : STR("R"));
    }
    published = published_new(poll, &counts, PHASE_OPEN, epoch);
    assert_non_null(published);
    return published;
}

static void polls_come_in_the_order_of_their_ids(void **state)
{
    static const char *const ids[] = { "m", "b", "z", "a", "mm" };
    AUTO(board) board = board_new();
    struct published *page[8];
    char got[512] = "";
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_true(board_publish(board, make(ids[i], i + 1, 1, 1)));
    board_remove(board, "b");
    board_remove(board, "nothing");
    n = board_list(board, STR("a"), page, 2);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", page[i]->poll->id);
        published_free(page[i]);
    }
    assert_string_equal(got, "m mm ");
    assert_int_equal(board_count(board), 4);
    assert_null(board_get(board, STR("b")));
}

static void every_tally_has_an_etag_of_its_own(void **state)
{
    struct published *all[] = { make("p", 1, 1, 1), make("p", 1, 2, 1), make("p", 2, 1, 1),
                                make("p", 1, 1, 2) };
    char seen[8][ETAG_BYTES_MAX];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t language = 0; language < 2; language++) {
            const struct rendered *rendered = published_json(all[i], language);

            assert_non_null(rendered);
            assert_ptr_equal(rendered, published_json(all[i], language));
            for (size_t j = 0; j < n; j++)
                assert_string_not_equal(seen[j], rendered->etag);
            memcpy(seen[n++], rendered->etag, sizeof rendered->etag);
        }
        published_free(all[i]);
    }
}

static void a_reader_keeps_what_it_has_while_another_is_published(void **state)
{
    AUTO(board) board = board_new();
    AUTO(published) old = NULL;
    AUTO(published) now = NULL;

    (void)state;
    assert_true(board_publish(board, make("p", 1, 1, 1)));
    old = board_get(board, STR("p"));
    assert_true(board_publish(board, make("p", 1, 2, 1)));
    now = board_get(board, STR("p"));
    assert_int_equal(old->counts.version, 1);
    assert_int_equal(now->counts.version, 2);
    assert_non_null(published_json(old, 1));
}

struct reading {
    struct board *board;
    atomic_bool stop;
};

static void *read_on(void *context)
{
    struct reading *reading = context;
    uint64_t last = 0;

    while (!atomic_load(&reading->stop)) {
        AUTO(published) published = board_get(reading->board, STR("p"));

        if (!published || published->counts.version < last || !published_json(published, 0))
            return reading; /* a version went back */
        last = published->counts.version;
    }
    return NULL;
}

static void versions_only_grow_for_readers_on_other_threads(void **state)
{
    struct reading reading = { .board = board_new() };
    pthread_t readers[2];

    (void)state;
    atomic_init(&reading.stop, false);
    assert_true(board_publish(reading.board, make("p", 1, 1, 1)));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &reading), 0);
    for (uint64_t version = 2; version < 2000; version++)
        assert_true(board_publish(reading.board, make("p", 1, version, 1)));
    atomic_store(&reading.stop, true);
    for (size_t i = 0; i < 2; i++) {
        void *wrong;

        assert_int_equal(pthread_join(readers[i], &wrong), 0);
        assert_null(wrong);
    }
    board_free(reading.board);
}

static void nothing_to_wake(void *context)
{
    (void)context;
}

static struct watch *take_told(struct queue *told)
{
    struct queue_list list = queue_take(told);

    assert_true(list.n <= 1);
    return (struct watch *)list.first;
}

static void a_watch_is_told_once_until_it_looks(void **state)
{
    AUTO(board) board = board_new();
    struct queue told;
    struct watch a = { .told = &told };
    struct watch b = { .told = &told };

    (void)state;
    queue_init(&told, nothing_to_wake, NULL);
    assert_false(board_watch(board, STR("p"), &a));
    assert_true(board_publish(board, make("p", 1, 1, 1)));
    assert_true(board_publish(board, make("q", 2, 1, 1)));
    assert_true(board_watch(board, STR("p"), &a));
    assert_true(board_publish(board, make("q", 2, 2, 1)));
    assert_null(take_told(&told));
    assert_true(board_publish(board, make("p", 1, 2, 1)));
    assert_true(board_publish(board, make("p", 1, 3, 1)));
    assert_ptr_equal(take_told(&told), &a);
    assert_true(board_publish(board, make("p", 1, 4, 1)));
    assert_null(take_told(&told)); /* it has not looked since */
    assert_true(board_watch_again(board, &a));
    assert_true(board_publish(board, make("p", 1, 5, 1)));
    assert_ptr_equal(take_told(&told), &a);
    assert_true(board_watch_again(board, &a));

    /* Entries move when others come before them; the watches stay with theirs. */
    for (uint64_t i = 0; i < 40; i++) {
        char id[8];

        (void)snprintf(id, sizeof id, "a%d", (int)i);
        assert_true(board_publish(board, make(id, 10 + i, 1, 1)));
    }
    assert_true(board_watch(board, STR("p"), &b));
    assert_true(board_unwatch(board, &a));
    assert_true(board_publish(board, make("p", 1, 6, 1)));
    assert_ptr_equal(take_told(&told), &b);
    queue_destroy(&told);
}

static void a_watch_hears_that_its_poll_was_taken_down(void **state)
{
    AUTO(board) board = board_new();
    struct queue told;
    struct watch watch = { .told = &told };

    (void)state;
    queue_init(&told, nothing_to_wake, NULL);
    assert_true(board_publish(board, make("p", 1, 1, 1)));
    assert_true(board_publish(board, make("q", 2, 1, 1)));
    assert_true(board_watch(board, STR("p"), &watch));
    board_remove(board, "p");
    assert_false(board_unwatch(board, &watch)); /* it lies in the queue */
    assert_ptr_equal(take_told(&told), &watch);
    assert_false(board_watch_again(board, &watch));
    assert_true(board_publish(board, make("p", 3, 1, 1)));
    assert_null(take_told(&told));
    queue_destroy(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_come_in_the_order_of_their_ids),
        cmocka_unit_test(every_tally_has_an_etag_of_its_own),
        cmocka_unit_test(a_reader_keeps_what_it_has_while_another_is_published),
        cmocka_unit_test(versions_only_grow_for_readers_on_other_threads),
        cmocka_unit_test(a_watch_is_told_once_until_it_looks),
        cmocka_unit_test(a_watch_hears_that_its_poll_was_taken_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
