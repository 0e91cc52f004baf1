/*
 * writer_test.c - who goes before whom at the writer.
 *
 * Jobs are handed over before its thread starts, so that all of them wait at once; what came home,
 * in its order, tells what it did first.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_fixture.h"
#include "ledger/writer.h"

#define POLL "{\"title\":\"t\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}"
#define BULKS (WRITER_WAITING_MAX / BULK_LINES_MAX + 12) /* more lines than votes may wait */
#define VOTES WRITER_WAITING_MAX
#define READS 200

struct desk {
    struct fixture fixture;
    struct writer *writer;
    uint64_t poll;
    struct queue home;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;             /* lock */
    struct queue_list came; /* the test's: all that came home, in order */
    uint32_t voters;
    struct job *late; /* handed over by the writer's thread when something comes home; or NULL */
    struct refusal refusal;
};

static void submit(struct desk *desk, struct job *job)
{
    struct queue_list one = { NULL, NULL, 0 };

    queue_list_add(&one, &job->node);
    writer_submit(desk->writer, &one);
}

static void came_home(void *context)
{
    struct desk *desk = context;
    struct job *late = desk->late;

    desk->late = NULL;
    if (late)
        submit(desk, late);
    (void)pthread_mutex_lock(&desk->lock);
    desk->woken = true;
    (void)pthread_cond_signal(&desk->changed);
    (void)pthread_mutex_unlock(&desk->lock);
}

static void broken(void *context)
{
    (void)context;
    fail_msg("the store broke");
}

static int make(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct why why;

    assert_non_null(desk);
    fixture_make(&desk->fixture);
    assert_null(fixture_open(&desk->fixture));
    fixture_put(&desk->fixture, "p", POLL);
    desk->poll = 1;
    (void)pthread_mutex_init(&desk->lock, NULL);
    (void)pthread_cond_init(&desk->changed, NULL);
    queue_init(&desk->home, came_home, desk);
    desk->writer = writer_new(&(struct writer_settings){ .store = desk->fixture.store,
                                                         .clock = &desk->fixture.clock,
                                                         .broken = broken },
                              &why);
    assert_non_null(desk->writer);
    desk->fixture.store = NULL; /* the writer's */
    *state = desk;
    return 0;
}

static int remove_it(void **state)
{
    struct desk *desk = *state;

    writer_free(desk->writer);
    queue_destroy(&desk->home);
    (void)pthread_mutex_destroy(&desk->lock);
    (void)pthread_cond_destroy(&desk->changed);
    fixture_remove(&desk->fixture);
    free(desk);
    return 0;
}

static uint64_t waiting(const struct desk *desk)
{
    static struct writer_figures figures;

    writer_figures(desk->writer, &figures);
    return figures.counts.waiting;
}

static struct ballot next_ballot(struct desk *desk)
{
    struct ballot ballot = { .poll = desk->poll, .kind = VOTER_NAMED, .marks = 1 };
    uint64_t spread = ++desk->voters * UINT64_C(0x9E3779B97F4A7C15); /* as hashes are */

    memcpy(ballot.voter.bytes, &spread, sizeof spread);
    memcpy(ballot.voter.bytes + sizeof spread, &spread, sizeof spread);
    return ballot;
}

static struct job *vote_new(struct desk *desk)
{
    struct job *job = calloc(1, sizeof *job);

    assert_non_null(job);
    *job = (struct job){ .home = &desk->home,
                         .kind = JOB_VOTE,
                         .ballot = next_ballot(desk),
                         .refusal = &desk->refusal };
    return job;
}

static struct job *bulk_new(struct desk *desk)
{
    struct job *job = calloc(1, sizeof *job);
    struct bulk *bulk = calloc(1, sizeof *bulk);

    assert_non_null(job);
    assert_non_null(bulk);
    for (bulk->n = 0; bulk->n < BULK_LINES_MAX; bulk->n++)
        bulk->lines[bulk->n].ballot = next_ballot(desk);
    *job = (struct job){
        .home = &desk->home, .kind = JOB_BULK, .bulk = bulk, .refusal = &desk->refusal
    };
    return job;
}

static struct job *scan_new(struct desk *desk)
{
    struct job *job = calloc(1, sizeof *job);
    struct scan *scan = calloc(1, sizeof *scan);

    assert_non_null(job);
    assert_non_null(scan);
    scan->poll = desk->poll;
    *job = (struct job){
        .home = &desk->home, .kind = JOB_SCAN, .scan = scan, .refusal = &desk->refusal
    };
    return job;
}

/* Waits until so many have come home, one after the other, in desk->came. */
static void await(struct desk *desk, size_t n)
{
    while (desk->came.n < n) {
        struct queue_list got;
        struct queue_node *node;

        (void)pthread_mutex_lock(&desk->lock);
        while (!desk->woken)
            (void)pthread_cond_wait(&desk->changed, &desk->lock);
        desk->woken = false;
        (void)pthread_mutex_unlock(&desk->lock);
        got = queue_take(&desk->home);
        while ((node = queue_list_take(&got)) != NULL)
            queue_list_add(&desk->came, node);
    }
}

static void start(struct desk *desk)
{
    struct why why;

    assert_true(writer_start(desk->writer, &why));
}

/* The next that came home; its result has to be this one. Frees it. */
static enum job_kind next_kind(struct desk *desk, enum job_result result)
{
    struct job *job = (struct job *)queue_list_take(&desk->came);
    enum job_kind kind;

    assert_non_null(job);
    assert_int_equal(job->result, result);
    kind = job->kind;
    published_free(job->published);
    if (kind == JOB_BULK)
        free(job->bulk);
    if (kind == JOB_SCAN)
        free(job->scan);
    free(job);
    return kind;
}

static void a_vote_goes_before_all_that_waits_in_bulk_and_is_not_refused_for_it(void **state)
{
    struct desk *desk = *state;

    for (int i = 0; i < BULKS; i++)
        writer_submit_bulk(desk->writer, bulk_new(desk));
    submit(desk, vote_new(desk));
    start(desk);
    await(desk, BULKS + 1);
    assert_int_equal(next_kind(desk, JOB_COUNTED), JOB_VOTE);
    for (int i = 0; i < BULKS; i++)
        assert_int_equal(next_kind(desk, JOB_READ), JOB_BULK);
    assert_int_equal(fixture_votes(&desk->fixture, "p"), desk->voters);
}

static void a_bulk_goes_on_however_many_votes_wait(void **state)
{
    struct desk *desk = *state;
    size_t n = 0;

    for (int i = 0; i < VOTES; i++)
        submit(desk, vote_new(desk));
    writer_submit_bulk(desk->writer, bulk_new(desk));
    start(desk);
    await(desk, VOTES + 1);
    while (((const struct job *)desk->came.first)->kind == JOB_VOTE) {
        next_kind(desk, JOB_COUNTED);
        n++;
    }
    assert_true(n <= BATCH_JOBS_MAX); /* it was in the first batch */
    assert_int_equal(next_kind(desk, JOB_READ), JOB_BULK);
    while (desk->came.n > 0)
        next_kind(desk, JOB_COUNTED);
}

static void only_votes_that_find_the_queue_full_are_busy(void **state)
{
    struct desk *desk = *state;

    for (int i = 0; i < VOTES; i++)
        submit(desk, vote_new(desk));
    assert_int_equal(waiting(desk), VOTES);
    submit(desk, vote_new(desk));
    await(desk, 1);
    assert_int_equal(next_kind(desk, JOB_REFUSED), JOB_VOTE);
    assert_int_equal(desk->refusal.problem, PROBLEM_BUSY);
    writer_submit_bulk(desk->writer, bulk_new(desk));
    start(desk);
    await(desk, VOTES + 1);
    while (desk->came.n > 0)
        (void)next_kind(desk, ((const struct job *)desk->came.first)->kind == JOB_BULK
                                  ? JOB_READ
                                  : JOB_COUNTED);
    assert_int_equal(waiting(desk), 0);
}

static void there_is_much_bulk_until_it_is_answered(void **state)
{
    struct desk *desk = *state;
    int n = 0;

    while (!writer_has_much_bulk(desk->writer)) {
        writer_submit_bulk(desk->writer, bulk_new(desk));
        n++;
    }
    assert_int_equal(n, WRITER_BULK_MUCH / BULK_LINES_MAX);
    start(desk);
    await(desk, (size_t)n);
    assert_false(writer_has_much_bulk(desk->writer));
    while (desk->came.n > 0)
        (void)next_kind(desk, JOB_READ);
}

static void votes_go_before_reads_that_wait(void **state)
{
    struct desk *desk = *state;

    for (int i = 0; i < READS; i++)
        submit(desk, scan_new(desk));
    for (int i = 0; i < 3; i++)
        submit(desk, vote_new(desk));
    start(desk);
    await(desk, READS + 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(next_kind(desk, JOB_COUNTED), JOB_VOTE);
    for (int i = 0; i < READS; i++)
        assert_int_equal(next_kind(desk, JOB_READ), JOB_SCAN);
}

static void a_vote_that_comes_while_much_is_read_waits_for_a_slice_alone(void **state)
{
    struct desk *desk = *state;

    for (int i = 0; i < READS; i++)
        submit(desk, scan_new(desk));
    desk->late = vote_new(desk);
    start(desk);
    await(desk, READS + 1);
    assert_int_equal(next_kind(desk, JOB_READ), JOB_SCAN);
    assert_int_equal(next_kind(desk, JOB_COUNTED), JOB_VOTE);
    for (int i = 1; i < READS; i++)
        assert_int_equal(next_kind(desk, JOB_READ), JOB_SCAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_vote_goes_before_all_that_waits_in_bulk_and_is_not_refused_for_it, make, remove_it),
        cmocka_unit_test_setup_teardown(a_bulk_goes_on_however_many_votes_wait, make, remove_it),
        cmocka_unit_test_setup_teardown(only_votes_that_find_the_queue_full_are_busy, make,
                                        remove_it),
        cmocka_unit_test_setup_teardown(there_is_much_bulk_until_it_is_answered, make, remove_it),
        cmocka_unit_test_setup_teardown(votes_go_before_reads_that_wait, make, remove_it),
        cmocka_unit_test_setup_teardown(
            a_vote_that_comes_while_much_is_read_waits_for_a_slice_alone, make, remove_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
