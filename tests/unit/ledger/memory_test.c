/*
 * memory_test.c - each allocation that SQLite makes for a vote fails in turn.
 *
 * Hooks in front of its allocator count and fail the chosen one. A vote that finds no memory is
 * refused as busy and is nowhere, not even after a crash; sent again it is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/check.h"
#include "ledger/ledger_fixture.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"
/* SQLite keeps where each page of the log is in pieces of 4096 pages and this size. */
#define LOG_INDEX_BYTES 32768
#define VOTES_MAX 2000

static struct {
    sqlite3_mem_methods real;
    int bytes_min; /* smaller ones do not count */
    int countdown; /* the allocation that fails; 0: none */
    int failed;
} memory;

static bool fails(int bytes)
{
    if (memory.countdown == 0 || bytes < memory.bytes_min || --memory.countdown > 0)
        return false;
    memory.failed++;
    return true;
}

static void *hooked_malloc(int bytes)
{
    return fails(bytes) ? NULL : memory.real.xMalloc(bytes);
}

static void *hooked_realloc(void *old, int bytes)
{
    return fails(bytes) ? NULL : memory.real.xRealloc(old, bytes);
}

static void hook(void)
{
    sqlite3_mem_methods methods;

    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real), SQLITE_OK);
    methods = memory.real;
    methods.xMalloc = hooked_malloc;
    methods.xRealloc = hooked_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
}

static void arm(int nth, int bytes_min)
{
    memory.failed = 0;
    memory.bytes_min = bytes_min;
    memory.countdown = nth;
}

static void begin(struct fixture *fixture)
{
    fixture_make(fixture);
    assert_null(fixture_open(fixture));
    fixture_put(fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(fixture, "p", "first", 1, 0).result, JOB_COUNTED);
    fixture_close(fixture);
    assert_null(fixture_open(fixture));
}

/* Without a checkpoint, as after a crash. */
static void crash(struct fixture *fixture)
{
    struct queue_list answered = { NULL, NULL, 0 };

    store_abandon(fixture->store, &answered);
    fixture_close(fixture);
    assert_null(fixture_open(fixture));
}

static void no_memory_for_a_vote_refuses_it_and_the_next_is_counted(void **state)
{
    struct fixture fixture;
    int busy = 0;
    int n = 0;

    (void)state;
    do {
        struct answer answer;
        uint64_t known;

        begin(&fixture);
        arm(++n, 0);
        answer = fixture_vote(&fixture, "p", "a", 2, 0);
        memory.countdown = 0;
        known = fixture_votes(&fixture, "p");
        if (answer.store == STORE_REFUSED) {
            assert_int_equal(answer.problem, PROBLEM_BUSY);
            assert_int_equal(known, 1);
            assert_int_equal(fixture_vote(&fixture, "p", "a", 2, 0).result, JOB_COUNTED);
            busy++;
        } else if (answer.store == STORE_BROKEN) { /* in the commit */
            assert_int_equal(answer.problem, PROBLEM_OUTCOME_UNKNOWN);
            crash(&fixture);
            assert_int_not_equal(fixture_vote(&fixture, "p", "a", 2, 0).result, JOB_REFUSED);
        }
        assert_int_equal(fixture_votes(&fixture, "p"), 2);
        crash(&fixture);
        assert_int_equal(fixture_vote(&fixture, "p", "a", 2, 0).result, JOB_ALREADY);
        fixture_remove(&fixture);
    } while (memory.failed > 0);
    assert_true(busy > 3); /* there is something to fail */
}

static void a_vote_refused_for_want_of_memory_is_nowhere_after_a_crash(void **state)
{
    struct fixture fixture;
    int n = 0;

    (void)state;
    do {
        struct answer answer;

        begin(&fixture);
        arm(++n, 0);
        answer = fixture_vote(&fixture, "p", "a", 2, 0);
        memory.countdown = 0;
        crash(&fixture);
        if (answer.store != STORE_BROKEN)
            assert_int_equal(fixture_votes(&fixture, "p"), answer.store == STORE_DONE ? 2 : 1);
        fixture_remove(&fixture);
    } while (memory.failed > 0);
}

/* The index of the log grows behind the sync of a commit: that commit may stand. */
static void no_memory_behind_the_sync_of_a_commit_is_no_refusal(void **state)
{
    struct fixture fixture;
    struct answer answer = { .result = JOB_COUNTED };
    uint64_t votes = 1;

    (void)state;
    begin(&fixture);
    arm(1, LOG_INDEX_BYTES);
    while (memory.failed == 0 && votes < VOTES_MAX) {
        char voter[16];

        (void)snprintf(voter, sizeof voter, "v%u", (unsigned)votes);
        answer = fixture_vote(&fixture, "p", voter, 1, 0);
        votes += answer.result == JOB_COUNTED;
    }
    assert_int_equal(memory.failed, 1);
    assert_int_equal(answer.store, STORE_BROKEN);
    assert_int_equal(answer.problem, PROBLEM_OUTCOME_UNKNOWN);
    crash(&fixture);
    assert_in_range(fixture_votes(&fixture, "p"), votes, votes + 1);
    fixture_remove(&fixture);
}

static bool has_ballast(const struct fixture *fixture)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/tally.db.ballast", fixture->folder);
    return access(path, F_OK) == 0;
}

/* Neither is the ballast spent on it, nor hears anybody of a full disk. */
static void no_memory_to_forget_is_no_full_disk(void **state)
{
    struct fixture fixture;
    int remembered = 0;
    int n = 0;

    (void)state;
    do {
        struct answer first;
        struct answer second;

        fixture_make(&fixture);
        fixture.ballast_bytes = 65536;
        assert_null(fixture_open(&fixture));
        fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
        assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
        fixture_put(&fixture, "p", "{\"title\":\"t\",\"state\":\"closed\"," OPTIONS "}");
        fixture_put(&fixture, "q", "{\"title\":\"t\",\"state\":\"closed\"," OPTIONS "}");
        arm(++n, 0);
        first = fixture_forget(&fixture, "p", NULL, 0);
        if (first.store == STORE_REFUSED && first.problem == PROBLEM_OUTCOME_UNKNOWN) {
            arm(1, 0);
            second = fixture_forget(&fixture, "q", NULL, 0);
            memory.countdown = 0;
            assert_int_equal(memory.failed, 1);
            if (second.store == STORE_REFUSED)
                assert_int_equal(second.problem, PROBLEM_BUSY);
            remembered++;
        }
        memory.countdown = 0;
        assert_int_not_equal(first.problem, PROBLEM_STORE_UNAVAILABLE);
        assert_true(has_ballast(&fixture));
        fixture_remove(&fixture);
    } while (memory.failed > 0);
    assert_true(remembered > 0);
}

static void must_be_none(void *context, const char *line)
{
    (void)context;
    fail_msg("want of memory is told as a mismatch: %s", line);
}

static void no_memory_to_check_a_store_is_no_damage(void **state)
{
    struct fixture fixture;
    struct keys *keys;
    struct why why;
    int refused = 0;
    int n = 0;

    (void)state;
    begin(&fixture);
    fixture_close(&fixture);
    keys = keys_open(fixture.keys_path, false, &why);
    assert_non_null(keys);
    do {
        struct check check = { .tell = must_be_none };
        bool ok;

        arm(++n, 0);
        ok = check_store(fixture.url + strlen("sqlite:"), keys, &check, &why);
        memory.countdown = 0;
        if (!ok && (strstr(why.text, "restore") || !strstr(why.text, "memory")))
            fail_msg("allocation %d: %s", n, why.text);
        refused += !ok;
    } while (memory.failed > 0);
    assert_true(refused > 3);
    keys_free(keys);
    fixture_remove(&fixture);
}

static void ignore(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static void no_memory_to_look_for_a_log_that_is_gone_is_no_store_without_one(void **state)
{
    struct queue_list answered = { NULL, NULL, 0 };
    struct check check = { .tell = ignore };
    struct fixture fixture;
    const char *refused;
    struct keys *keys;
    struct why why;
    char log[128];
    int n = 0;

    (void)state;
    begin(&fixture);
    assert_int_equal(fixture_vote(&fixture, "p", "a", 2, 0).result, JOB_COUNTED);
    store_abandon(fixture.store, &answered);
    fixture_close(&fixture);
    (void)snprintf(log, sizeof log, "%s/tally.db-wal", fixture.folder);
    assert_int_equal(unlink(log), 0);
    keys = keys_open(fixture.keys_path, false, &why);
    assert_non_null(keys);
    do {
        arm(++n, 0);
        refused = fixture_open(&fixture);
        if (!refused)
            fail_msg("allocation %d: the store opens", n);
        if (memory.failed > 0 && !strstr(refused, "memory") && !strstr(refused, "is gone"))
            fail_msg("allocation %d: %s", n, refused);
        arm(n, 0);
        if (check_store(fixture.url + strlen("sqlite:"), keys, &check, &why))
            fail_msg("allocation %d: the store is told to be good", n);
        memory.countdown = 0;
    } while (memory.failed > 0);
    assert_true(n > 10);
    assert_non_null(strstr(why.text, "is gone"));
    keys_free(keys);
    fixture_remove(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_for_a_vote_refuses_it_and_the_next_is_counted),
        cmocka_unit_test(a_vote_refused_for_want_of_memory_is_nowhere_after_a_crash),
        cmocka_unit_test(no_memory_behind_the_sync_of_a_commit_is_no_refusal),
        cmocka_unit_test(no_memory_to_forget_is_no_full_disk),
        cmocka_unit_test(no_memory_to_check_a_store_is_no_damage),
        cmocka_unit_test(no_memory_to_look_for_a_log_that_is_gone_is_no_store_without_one),
    };

    hook();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
