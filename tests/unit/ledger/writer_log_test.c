/*
 * writer_log_test.c - what the writer says of itself; stderr is a file meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ledger_fixture.h"
#include "ledger/writer.h"
#include "ledger/writer_log.h"

#define POLL "{\"title\":\"t\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}"

static struct fixture fixture;
static FILE *file;
static int kept;
static char heard[4096];

static int make(void **state)
{
    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "us-goals", POLL);
    fixture_put(&fixture, "other", POLL);
    log_setup(LOG_INFO, LOG_TEXT, true);
    file = tmpfile();
    kept = dup(STDERR_FILENO);
    return file && dup2(fileno(file), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int remove_it(void **state)
{
    (void)state;
    assert_true(dup2(kept, STDERR_FILENO) >= 0 && close(kept) == 0 && fclose(file) == 0);
    fixture_close(&fixture);
    fixture_remove(&fixture);
    return 0;
}

static const char *said(void)
{
    rewind(file);
    heard[fread(heard, 1, sizeof heard - 1, file)] = '\0';
    rewind(file);
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    return heard;
}

static struct job vote(uint64_t poll)
{
    return (struct job){ .kind = JOB_VOTE, .ballot = { .poll = poll } };
}

/* What is said of a batch of these; a poll of 0 is a change. */
static const char *commit(uint64_t first, uint64_t second, size_t weight, int64_t took_ms)
{
    struct job jobs[] = { vote(first), vote(second) };
    struct job *refs[] = { &jobs[0], &jobs[1] };
    struct batch batch = { .jobs = refs, .n = 2 };
    struct writer_log log;

    for (size_t i = 0; i < 2; i++)
        jobs[i].kind = jobs[i].ballot.poll == 0 ? JOB_EDIT : JOB_VOTE;
    writer_log_init(&log);
    writer_log_commit(&log, fixture.store, &batch, weight, took_ms, 1000);
    writer_log_commit(&log, fixture.store, &batch, weight, took_ms, 1001);
    (void)said();
    writer_log_tell(&log, 1000 + REPEAT_MS);
    writer_log_end(&log);
    return said();
}

static void a_slow_commit_names_its_poll_and_its_size(void **state)
{
    static const struct {
        uint64_t first, second;
        const char *says;
    } rows[] = {
        { 1, 1, "<4>poll us-goals: commit of 4096 votes took 850 ms; votes wait, none is lost" },
        { 0, 1, "<4>poll us-goals: commit of 4096 votes took 850 ms; votes wait, none is lost" },
        { 2, 1,
          "<4>poll other and others: commit of 4096 votes took 850 ms; votes wait, none is "
          "lost" },
        { 0, 0, "<4>commit of 4096 changes took 850 ms; votes wait, none is lost" },
        { 99, 99, "<4>commit of 4096 changes took 850 ms; votes wait, none is lost" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[256];

        (void)snprintf(expected, sizeof expected, "%s (said 1 time more in the last minute)\n",
                       rows[i].says);
        assert_string_equal(commit(rows[i].first, rows[i].second, 4096, 850), expected);
    }
    assert_string_equal(commit(1, 1, 4096, SLOW_COMMIT_MS), "");
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return fixture.wall_ms;
}

/* Every look at this clock takes 600 ms. */
static int64_t mono_ms(void *context)
{
    return atomic_fetch_add((atomic_int_least64_t *)context, 600);
}

static void woken(void *context)
{
    (void)context;
}

static void the_writer_measures_its_commits(void **state)
{
    static atomic_int_least64_t now_ms = 1;
    static const struct clock clock = { &now_ms, wall_ms, mono_ms };
    struct queue home;
    struct refusal refusal;
    struct job job = { .kind = JOB_VOTE,
                       .home = &home,
                       .refusal = &refusal,
                       .ballot = { .poll = 1, .kind = VOTER_NAMED, .marks = 1 } };
    struct queue_list one = { NULL, NULL, 0 };
    struct writer *writer;
    struct why why;

    (void)state;
    queue_init(&home, woken, NULL);
    writer = writer_new(&(struct writer_settings){ .store = fixture.store, .clock = &clock }, &why);
    assert_non_null(writer);
    fixture.store = NULL; /* the writer's */
    queue_list_add(&one, &job.node);
    writer_submit(writer, &one);
    assert_true(writer_start(writer, &why));
    writer_free(writer); /* finishes what was submitted */
    one = queue_take(&home);
    assert_int_equal(one.n, 1);
    if (job.published)
        published_free(job.published);
    queue_destroy(&home);
    assert_non_null(strstr(said(), "<4>poll us-goals: commit of 1 vote took 600 ms; votes wait"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_commit_names_its_poll_and_its_size, make, remove_it),
        cmocka_unit_test_setup_teardown(the_writer_measures_its_commits, make, remove_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
