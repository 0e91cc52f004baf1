/*
 * faults_test.c - each write and sync of a scenario fails in turn, once and for ever.
 *
 * A VFS in front of the real one counts calls and fails the chosen one. Whatever fails: what was
 * acknowledged is there after a new start, what was refused is nowhere, and a voter who sends the
 * same again is counted exactly once.
 */
#include <errno.h>
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

#include "ledger/ledger_fixture.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"
#define VOTES 6

enum which { WRITES, SYNCS };

static struct {
    enum which which;
    int countdown; /* the call that fails; 0: none */
    bool for_ever;
    int code; /* what it fails with */
    int failed;
} shim;

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

static bool fails(enum which which)
{
    if (which != shim.which || shim.countdown == 0)
        return false;
    if (shim.countdown > 1) {
        shim.countdown--;
        return false;
    }
    if (!shim.for_ever)
        shim.countdown = 0;
    shim.failed++;
    return true;
}

static int shim_close(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    int code = real->pMethods->xClose(real);

    sqlite3_free(real);
    return code;
}

static int shim_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

static int shim_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    if (fails(WRITES))
        return shim.code;
    return real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int shim_sync(sqlite3_file *file, int flags)
{
    if (fails(SYNCS))
        return shim.code;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int shim_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int shim_reserved(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int shim_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int shim_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: no shared memory, as an exclusive store needs none. */
static const sqlite3_io_methods shim_methods = {
    1,         shim_close,  shim_read,     shim_write,   shim_truncate, shim_sync,   shim_size,
    shim_lock, shim_unlock, shim_reserved, shim_control, shim_sector,   shim_device, NULL,
    NULL,      NULL,        NULL,          NULL,         NULL,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    sqlite3_vfs *real = vfs->pAppData;
    struct shim_file *mine = (struct shim_file *)file;
    int code;

    mine->base.pMethods = NULL;
    mine->real = sqlite3_malloc(real->szOsFile);
    if (!mine->real)
        return SQLITE_NOMEM;
    memset(mine->real, 0, (size_t)real->szOsFile);
    code = real->xOpen(real, name, mine->real, flags, out_flags);
    if (code == SQLITE_OK)
        mine->base.pMethods = &shim_methods;
    else
        sqlite3_free(mine->real);
    return code;
}

static void install(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    vfs = *real;
    vfs.zName = "shim";
    vfs.szOsFile = sizeof(struct shim_file);
    vfs.pAppData = real;
    vfs.xOpen = shim_open;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

enum known { UNKNOWN, STANDS, REFUSED };

/* Votes until the end or until the store is broken; notes what each voter was told. */
static bool vote_all(struct fixture *fixture, enum known *known)
{
    for (int i = 0; i < VOTES; i++) {
        char voter[8];
        struct answer answer;

        (void)snprintf(voter, sizeof voter, "v%d", i);
        answer = fixture_vote(fixture, "p", voter, 1, 0);
        if (answer.result == JOB_COUNTED || answer.result == JOB_ALREADY)
            known[i] = STANDS;
        else if (answer.problem == PROBLEM_OUTCOME_UNKNOWN)
            known[i] = UNKNOWN;
        else
            known[i] = REFUSED;
        if (answer.store == STORE_BROKEN)
            return false;
    }
    return true;
}

static void break_down(struct fixture *fixture)
{
    struct queue_list answered = { NULL, NULL, 0 };

    store_abandon(fixture->store, &answered);
    assert_int_equal(answered.n, 0);
}

/* One run with the n-th call failing. Returns whether a call failed at all. */
static bool scenario(enum which which, int n, bool for_ever, int code)
{
    enum known known[VOTES] = { UNKNOWN };
    struct fixture fixture;
    bool whole;
    uint64_t stood = 0;

    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    shim.which = which;
    shim.code = code;
    shim.for_ever = for_ever;
    shim.failed = 0;
    shim.countdown = n;
    whole = vote_all(&fixture, known);
    if (!whole)
        break_down(&fixture);
    shim.countdown = 0;
    fixture_close(&fixture);
    assert_null(fixture_open(&fixture));
    for (int i = 0; i < VOTES; i++) {
        char voter[8];
        struct answer answer;

        (void)snprintf(voter, sizeof voter, "v%d", i);
        answer = fixture_vote(&fixture, "p", voter, 1, 0);
        if (known[i] == STANDS && answer.result != JOB_ALREADY)
            fail_msg("call %d: vote %d was acknowledged and is lost", n, i);
        if (known[i] == REFUSED && answer.result != JOB_COUNTED)
            fail_msg("call %d: vote %d was refused and stands", n, i);
        stood += answer.result == JOB_COUNTED || answer.result == JOB_ALREADY;
    }
    assert_int_equal(stood, VOTES);
    assert_int_equal(fixture_votes(&fixture, "p"), VOTES);
    fixture_remove(&fixture);
    return shim.failed > 0;
}

static void fail_each(enum which which, bool for_ever, int code)
{
    int n = 1;

    while (scenario(which, n, for_ever, code))
        n++;
    assert_true(n > 3); /* the shim does something */
}

static void a_write_that_fails_loses_nothing_that_was_acknowledged(void **state)
{
    (void)state;
    fail_each(WRITES, false, SQLITE_IOERR_WRITE);
    fail_each(WRITES, true, SQLITE_IOERR_WRITE);
}

static void a_sync_that_fails_loses_nothing_that_was_acknowledged(void **state)
{
    (void)state;
    fail_each(SYNCS, false, SQLITE_IOERR_FSYNC);
    fail_each(SYNCS, true, SQLITE_IOERR_FSYNC);
}

static void a_full_disk_refuses_and_goes_on(void **state)
{
    struct fixture fixture;
    struct answer answer;

    (void)state;
    fail_each(WRITES, false, SQLITE_FULL);
    fail_each(WRITES, true, SQLITE_FULL);

    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    shim.which = WRITES;
    shim.code = SQLITE_FULL;
    shim.for_ever = true;
    shim.countdown = 1;
    answer = fixture_vote(&fixture, "p", "a", 1, 0);
    assert_int_equal(answer.store, STORE_REFUSED);
    assert_int_equal(answer.problem, PROBLEM_STORE_UNAVAILABLE);
    assert_int_equal(fixture_votes(&fixture, "p"), 0);
    shim.countdown = 0;
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_votes(&fixture, "p"), 1);
    fixture_remove(&fixture);
}

static void a_sync_that_failed_is_never_tried_again(void **state)
{
    struct fixture fixture;
    struct answer answer;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    shim.which = SYNCS;
    shim.code = SQLITE_IOERR_FSYNC;
    shim.for_ever = true;
    shim.failed = 0;
    shim.countdown = 1;
    answer = fixture_vote(&fixture, "p", "a", 1, 0);
    assert_int_equal(answer.store, STORE_BROKEN);
    assert_int_equal(answer.problem, PROBLEM_OUTCOME_UNKNOWN);
    break_down(&fixture);
    fixture_close(&fixture);
    assert_int_equal(shim.failed, 1);
    shim.countdown = 0;
    fixture_remove(&fixture);
}

static void fill_disk(void)
{
    shim.which = WRITES;
    shim.code = SQLITE_FULL;
    shim.for_ever = true;
    shim.countdown = 1;
}

static void long_reads_go_on_while_a_full_disk_refuses_votes(void **state)
{
    static struct scan scan = { .poll = 1 };
    struct store_status status;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job rows = { .kind = JOB_SCAN, .scan = &scan, .refusal = &refusal };
    struct job state_of_store = { .kind = JOB_STATUS, .status = &status, .refusal = &refusal };
    struct fixture fixture;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    fill_disk();
    assert_int_equal(fixture_vote(&fixture, "p", "b", 1, 0).problem, PROBLEM_STORE_UNAVAILABLE);
    assert_int_equal(store_read(fixture.store, &rows), STORE_DONE);
    assert_int_equal(store_read(fixture.store, &state_of_store), STORE_DONE);
    shim.countdown = 0;
    assert_int_equal(rows.result, JOB_READ);
    assert_true(scan.done && scan.n == 1 && scan.rows[0].seq == 1);
    assert_int_equal(state_of_store.result, JOB_READ);
    assert_int_equal(status.votes, 1);
    fixture_remove(&fixture);
}

static struct job asking(const struct fixture *fixture, enum job_kind kind, uint64_t poll,
                         const char *voter, struct refusal *refusal)
{
    struct published *published = board_get(fixture->board, str_of(poll == 1 ? "p" : "q"));
    struct job job = { .kind = kind,
                       .ballot = { .poll = poll, .kind = VOTER_NAMED, .marks = kind == JOB_VOTE },
                       .refusal = refusal };

    assert_non_null(published);
    keys_hash_voter(fixture->keys, published->poll, VOTER_NAMED, str_of(voter), &job.ballot.voter);
    published_free(published);
    return job;
}

/* They share their batch with votes that cannot be written: one before them, one behind. */
static void who_asks_beside_votes_that_a_full_disk_refuses_hears_how_things_stand(void **state)
{
    struct refusal refusals[6] = { { .problem = PROBLEM_NONE } };
    struct job jobs[6];
    struct job *room[6];
    struct fixture fixture;
    struct batch batch = { .jobs = room, .n = 6 };
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;
    size_t kept;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    fixture_put(&fixture, "q", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(&fixture, "q", "a", 1, 0).result, JOB_COUNTED);
    fixture_close(&fixture); /* who has voted in q has to be loaded */
    assert_null(fixture_open(&fixture));
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    jobs[0] = asking(&fixture, JOB_VOTE, 1, "b", &refusals[0]);
    jobs[1] = asking(&fixture, JOB_ASK, 1, "a", &refusals[1]);
    jobs[2] = asking(&fixture, JOB_ASK, 1, "b", &refusals[2]);
    jobs[3] = asking(&fixture, JOB_VOTE, 1, "c", &refusals[3]);
    jobs[4] = asking(&fixture, JOB_ASK, 1, "c", &refusals[4]);
    jobs[5] = asking(&fixture, JOB_ASK, 2, "a", &refusals[5]);
    for (size_t i = 0; i < 6; i++)
        room[i] = &jobs[i];
    batch.now_ms = fixture.wall_ms;
    fill_disk();
    assert_int_equal(store_commit(fixture.store, &batch, &kept), STORE_REFUSED);
    assert_int_equal(kept, 1);
    assert_int_equal(batch.n, 5);
    assert_int_equal(refusals[0].problem, PROBLEM_STORE_UNAVAILABLE);
    assert_int_equal(jobs[1].result, JOB_FOUND);
    assert_int_equal(jobs[1].published->counts.voters, 1);
    assert_int_equal(jobs[2].result, JOB_NOT_FOUND); /* it votes in the same batch: in vain */
    assert_int_equal(refusals[3].problem, PROBLEM_STORE_UNAVAILABLE);
    assert_int_equal(jobs[4].result, JOB_NOT_FOUND);
    while (answered.n == 0)
        assert_int_equal(store_work(fixture.store, false, &answered, &next_ms), STORE_DONE);
    assert_int_equal(jobs[5].result, JOB_FOUND);
    shim.countdown = 0;
    for (size_t i = 0; i < 6; i++)
        published_free(jobs[i].published);
    fixture_remove(&fixture);
}

static void a_start_on_a_full_disk_shows_what_is_there_and_closes_polls_once_it_can(void **state)
{
    struct fixture fixture;
    struct queue_list answered = { NULL, NULL, 0 };
    struct published *published;
    int64_t next_ms;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p",
                "{\"title\":\"t\",\"closes_at\":\"2026-07-01T00:00:00Z\"," OPTIONS "}");
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    fixture_close(&fixture);
    fixture.wall_ms = 1790000000000; /* behind its end */
    fill_disk();
    assert_null(fixture_open(&fixture));
    assert_int_equal(fixture_votes(&fixture, "p"), 1);
    assert_int_equal(fixture_vote(&fixture, "p", "b", 1, 0).problem, PROBLEM_POLL_CLOSED);
    shim.countdown = 0;
    fixture.mono_ms += 1000;
    assert_int_equal(store_work(fixture.store, true, &answered, &next_ms), STORE_DONE);
    published = board_get(fixture.board, STR("p"));
    assert_int_equal(published->phase, PHASE_CLOSED);
    published_free(published);
    fixture_remove(&fixture);
}

static bool has_ballast(const struct fixture *fixture)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/tally.db.ballast", fixture->folder);
    return access(path, F_OK) == 0;
}

static void a_freed_ballast_is_made_again_a_minute_later(void **state)
{
    struct fixture fixture;
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;

    (void)state;
    fixture_make(&fixture);
    fixture.ballast_bytes = 65536;
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_true(has_ballast(&fixture));
    fill_disk();
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).store, STORE_REFUSED);
    assert_false(has_ballast(&fixture));
    shim.countdown = 0;
    assert_int_equal(fixture_vote(&fixture, "p", "a", 1, 0).result, JOB_COUNTED);
    fixture.mono_ms += 59999;
    assert_int_equal(store_work(fixture.store, true, &answered, &next_ms), STORE_DONE);
    assert_false(has_ballast(&fixture)); /* those who were refused vote first */
    assert_in_range(next_ms, 1, 60000);
    fixture.mono_ms += 1;
    assert_int_equal(store_work(fixture.store, true, &answered, &next_ms), STORE_DONE);
    assert_true(has_ballast(&fixture));
    fixture_remove(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_fails_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(a_sync_that_fails_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(a_full_disk_refuses_and_goes_on),
        cmocka_unit_test(who_asks_beside_votes_that_a_full_disk_refuses_hears_how_things_stand),
        cmocka_unit_test(long_reads_go_on_while_a_full_disk_refuses_votes),
        cmocka_unit_test(a_sync_that_failed_is_never_tried_again),
        cmocka_unit_test(a_start_on_a_full_disk_shows_what_is_there_and_closes_polls_once_it_can),
        cmocka_unit_test(a_freed_ballast_is_made_again_a_minute_later),
    };

    install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
