/*
 * backup_test.c - a copy of the store while it works, and copies that fail.
 *
 * A VFS in front of the real one fails writes to the copy, or to the store's log, when it is told.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/ledger_fixture.h"
#include "ledger/sqlite.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"
#define MANY 60000 /* votes: about 700 pages, so that one slice is not all of it */

enum shimmed { COPY, LOG, SHIMMED };

static const char *const shimmed_names[SHIMMED] = { ".part-", "-wal" };

/* The countdown-th write to this kind of file fails, and all behind it. */
static struct {
    enum shimmed which; /* SHIMMED: none */
    int countdown;
    int code;
    sqlite3_io_methods methods[SHIMMED];
    const sqlite3_io_methods *real[SHIMMED];
} shim;

static int shim_write(enum shimmed which, sqlite3_file *file, const void *from, int n,
                      sqlite3_int64 at)
{
    if (shim.which == which && (shim.countdown == 0 || --shim.countdown == 0))
        return shim.code;
    return shim.real[which]->xWrite(file, from, n, at);
}

static int write_copy(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    return shim_write(COPY, file, from, n, at);
}

static int write_log(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    return shim_write(LOG, file, from, n, at);
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *real = vfs->pAppData;
    int code = real->xOpen(real, name, file, flags, out);

    for (size_t i = 0; i < SHIMMED; i++) {
        if (code != SQLITE_OK || !name || !strstr(name, shimmed_names[i]))
            continue;
        shim.real[i] = file->pMethods;
        shim.methods[i] = *file->pMethods;
        shim.methods[i].xWrite = i == COPY ? write_copy : write_log;
        file->pMethods = &shim.methods[i];
        break;
    }
    return code;
}

static void install(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    vfs = *real;
    vfs.zName = "shim";
    vfs.pAppData = real;
    vfs.xOpen = shim_open;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

static int make(void **state)
{
    static struct fixture fixture;

    shim.which = SHIMMED;
    fixture_make(&fixture);
    *state = &fixture;
    if (fixture_open(&fixture))
        return -1;
    fixture_put(&fixture, "p", "{\"title\":\"t\",\"revote\":true," OPTIONS "}");
    return 0;
}

static int remove_it(void **state)
{
    shim.which = SHIMMED;
    fixture_remove(*state);
    return 0;
}

/* Voters `from` … of poll "p" in one batch, at most BATCH_JOBS_MAX. */
static enum store_result vote_batch(struct fixture *fixture, unsigned from, size_t n)
{
    struct published *published = board_get(fixture->board, str_of("p"));
    struct refusal *refusals = calloc(n, sizeof *refusals);
    struct job *jobs = calloc(n, sizeof *jobs);
    struct job **list = calloc(n, sizeof *list);
    struct batch batch = { .jobs = list, .n = n, .now_ms = fixture->wall_ms };
    enum store_result result;
    size_t kept;

    assert_true(published && refusals && jobs && list);
    for (size_t i = 0; i < n; i++) {
        char voter[16];

        (void)snprintf(voter, sizeof voter, "m%u", from + (unsigned)i);
        jobs[i] = (struct job){ .kind = JOB_VOTE, .refusal = &refusals[i] };
        jobs[i].ballot = (struct ballot){ .poll = published->poll->number,
                                          .kind = VOTER_NAMED,
                                          .marks = ballot_mark(1 + (unsigned)i % 2) };
        keys_hash_voter(fixture->keys, published->poll, VOTER_NAMED, str_of(voter),
                        &jobs[i].ballot.voter);
        list[i] = &jobs[i];
    }
    published_free(published);
    result = store_commit(fixture->store, &batch, &kept);
    assert_int_equal(kept, 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(jobs[i].result == JOB_COUNTED, result == STORE_DONE);
        published_free(jobs[i].published);
    }
    free(list);
    free(jobs);
    free(refusals);
    return result;
}

static void vote_many(struct fixture *fixture)
{
    for (unsigned from = 0; from < MANY; from += 4000)
        assert_int_equal(vote_batch(fixture, from, 4000), STORE_DONE);
}

struct order {
    struct job job;
    struct refusal refusal;
    char path[88];
    bool kept;
};

static void order(struct fixture *fixture, struct order *order, const char *name)
{
    struct job *job = &order->job;
    struct batch batch = { .jobs = &job, .n = 1, .now_ms = fixture->wall_ms };
    size_t kept;

    (void)snprintf(order->path, sizeof order->path, "%s/%s", fixture->folder, name);
    order->refusal = (struct refusal){ .problem = PROBLEM_NONE };
    order->job = (struct job){ .kind = JOB_BACKUP, .refusal = &order->refusal };
    order->job.backup = calloc(1, sizeof *order->job.backup + sizeof order->path);
    assert_non_null(order->job.backup);
    memcpy(order->job.backup->path, order->path, sizeof order->path);
    assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
    order->kept = kept == 1;
}

/* One slice, or one look whether the files are done. Whether the answer came. */
static bool work(struct fixture *fixture, const struct order *order)
{
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;

    assert_int_equal(store_work(fixture->store, false, &answered, &next_ms), STORE_DONE);
    if (answered.n == 0)
        return false;
    assert_int_equal(answered.n, 1);
    assert_ptr_equal(answered.first, &order->job.node);
    return true;
}

static void finish(struct fixture *fixture, struct order *order)
{
    assert_true(order->kept);
    while (!work(fixture, order))
        ;
}

static void forget(struct order *order)
{
    free(order->job.backup);
}

static bool is_there(const struct fixture *fixture, const char *name)
{
    char path[128];
    struct stat file;

    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    return lstat(path, &file) == 0;
}

static size_t drafts(const struct fixture *fixture)
{
    DIR *folder = opendir(fixture->folder);
    struct dirent *entry;
    size_t n = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        n += strstr(entry->d_name, ".part-") != NULL;
    (void)closedir(folder);
    return n;
}

/* Opens the backup as a store of its own, with the key beside it. */
static void open_copy(struct fixture *copy, const struct order *order)
{
    fixture_make(copy);
    (void)snprintf(copy->url, sizeof copy->url, "sqlite:%s", order->path);
    (void)snprintf(copy->keys_path, sizeof copy->keys_path, "%s.key", order->path);
    assert_null(fixture_open(copy));
}

static void a_backup_is_the_store_at_its_last_slice(void **state)
{
    struct fixture *fixture = *state;
    struct fixture copy;
    struct order made;
    struct stat file;
    unsigned during = 0;

    vote_many(fixture);
    order(fixture, &made, "backup");
    assert_true(made.kept);
    while (!work(fixture, &made)) {
        if (during < 20000 && drafts(fixture) > 0) {
            assert_int_equal(vote_batch(fixture, MANY + during, 500), STORE_DONE);
            during += 500;
        }
    }
    assert_true(during > 1000); /* it did take several slices */
    assert_int_equal(made.job.result, JOB_BACKED_UP);
    assert_true(made.job.backup->votes > MANY && made.job.backup->votes <= MANY + during);
    assert_true(made.job.backup->has_key);
    assert_int_equal(stat(made.path, &file), 0);
    assert_int_equal(file.st_size, made.job.backup->bytes);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(drafts(fixture), 0);
    assert_int_equal(sqlite_of(fixture->store)->last_backup_ms, fixture->wall_ms);

    open_copy(&copy, &made);
    assert_int_equal(fixture_votes(&copy, "p"), made.job.backup->votes);
    assert_int_equal(fixture_vote(&copy, "p", "m0", 1, 0).result, JOB_ALREADY);
    assert_int_equal(fixture_vote(&copy, "p", "m59999", 2, 0).result, JOB_ALREADY);
    fixture_remove(&copy);
    forget(&made);
}

static void checkpoints_and_retractions_meanwhile_are_carried_over(void **state)
{
    static const int modes[] = { SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART,
                                 SQLITE_CHECKPOINT_TRUNCATE };
    struct fixture *fixture = *state;
    struct fixture copy;
    struct order made;
    unsigned n = 0;
    char voter[16];

    vote_many(fixture);
    order(fixture, &made, "backup");
    do {
        (void)snprintf(voter, sizeof voter, "m%u", n);
        if (sqlite_of(fixture->store)->backup && drafts(fixture) > 0 && n < 100) {
            assert_int_equal(fixture_retract(fixture, "p", voter).result, JOB_RETRACTED);
            assert_int_equal(checkpoint(sqlite_of(fixture->store), modes[n % 3]), FAULT_NONE);
            assert_int_equal(sqlite_of(fixture->store)->wal_frames, 0);
            n++;
        }
    } while (!work(fixture, &made));
    assert_true(n > 2);
    open_copy(&copy, &made);
    assert_int_equal(fixture_votes(&copy, "p"), made.job.backup->votes);
    assert_int_equal(fixture_retract(&copy, "p", "m0").problem, PROBLEM_NO_SUCH_VOTE);
    fixture_remove(&copy);
    forget(&made);
}

/* Pages of the batch were in the log already, and so in the copy. */
static void a_batch_rolled_back_meanwhile_is_not_in_the_backup(void **state)
{
    struct fixture *fixture = *state;
    struct fixture copy;
    struct order made;

    assert_int_equal(
        sqlite3_exec(sqlite_of(fixture->store)->db, "PRAGMA cache_size = 10", NULL, NULL, NULL),
        SQLITE_OK);
    vote_many(fixture);
    order(fixture, &made, "backup");
    for (int slice = 0; slice < 3; slice++)
        assert_false(work(fixture, &made));
    shim.code = SQLITE_FULL;
    shim.countdown = 60;
    shim.which = LOG;
    assert_int_equal(vote_batch(fixture, MANY, 4000), STORE_REFUSED);
    assert_int_equal(shim.countdown, 0);
    shim.which = SHIMMED;
    finish(fixture, &made);
    assert_int_equal(made.job.result, JOB_BACKED_UP);
    assert_int_equal(made.job.backup->votes, MANY);
    open_copy(&copy, &made);
    assert_int_equal(fixture_votes(&copy, "p"), MANY);
    assert_int_equal(fixture_vote(&copy, "p", "m60000", 1, 0).result, JOB_COUNTED);
    fixture_remove(&copy);
    forget(&made);
}

static bool holds(const char *path, const unsigned char *bytes, size_t len)
{
    int fd = open(path, O_RDONLY);
    struct stat file;
    unsigned char *all;
    bool found;

    assert_true(fd >= 0 && fstat(fd, &file) == 0);
    all = malloc((size_t)file.st_size);
    assert_non_null(all);
    assert_int_equal(read(fd, all, (size_t)file.st_size), file.st_size);
    (void)close(fd);
    found = memmem(all, (size_t)file.st_size, bytes, len) != NULL;
    free(all);
    return found;
}

static void what_is_forgotten_meanwhile_is_not_in_the_backup(void **state)
{
    struct fixture *fixture = *state;
    unsigned char salt[SALT_BYTES];
    struct published *published;
    struct order before;
    struct order made;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job gone = { .kind = JOB_DELETE, .id = "secret", .refusal = &refusal };
    struct job *job = &gone;
    struct batch batch = { .jobs = &job, .n = 1, .now_ms = fixture->wall_ms };
    size_t kept;

    fixture_put(fixture, "secret", "{\"title\":\"t\"," OPTIONS "}");
    published = board_get(fixture->board, str_of("secret"));
    memcpy(salt, published->poll->salt, sizeof salt);
    published_free(published);
    vote_many(fixture);
    order(fixture, &before, "before");
    finish(fixture, &before);
    order(fixture, &made, "backup");
    assert_false(work(fixture, &made));
    assert_int_equal(store_commit(fixture->store, &batch, &kept), STORE_DONE);
    assert_int_equal(gone.result, JOB_DELETED);
    finish(fixture, &made);
    assert_true(holds(before.path, salt, sizeof salt)); /* made earlier: it still knows */
    assert_false(holds(made.path, salt, sizeof salt));
    forget(&before);
    forget(&made);
}

static void nothing_is_ever_overwritten(void **state)
{
    static const char *const there[] = { "backup", "backup.key" };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        char path[128];
        struct order made;
        struct stat before;
        struct stat after;

        (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, there[i]);
        assert_int_equal(symlink("nowhere", path), 0);
        assert_int_equal(lstat(path, &before), 0);
        order(fixture, &made, "backup");
        finish(fixture, &made);
        assert_int_equal(made.refusal.problem, PROBLEM_EXISTS);
        assert_int_equal(lstat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_false(is_there(fixture, "nowhere"));
        assert_false(is_there(fixture, there[1 - i]));
        assert_int_equal(drafts(fixture), 0);
        assert_int_equal(unlink(path), 0);
        forget(&made);
    }
}

/* Somebody was quicker while it was copied. */
static void a_name_that_was_taken_meanwhile_is_left_alone(void **state)
{
    static const char *const taken[] = { "backup", "backup.key" };
    struct fixture *fixture = *state;

    vote_many(fixture);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        char path[128];
        struct order made;

        (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, taken[i]);
        order(fixture, &made, "backup");
        assert_false(work(fixture, &made));
        assert_int_equal(symlink("nowhere", path), 0);
        finish(fixture, &made);
        assert_int_equal(made.refusal.problem, PROBLEM_EXISTS);
        assert_false(is_there(fixture, taken[1 - i]));
        assert_int_equal(drafts(fixture), 0);
        assert_int_equal(unlink(path), 0);
        forget(&made);
    }
}

static void a_folder_that_cannot_be_written_is_refused(void **state)
{
    static const char *const names[] = { "nowhere/backup", "keys/backup", "tally.db/x/backup" };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct order made;

        order(fixture, &made, names[i]);
        finish(fixture, &made);
        assert_int_equal(made.refusal.problem, PROBLEM_INVALID);
        assert_string_equal(made.refusal.errors[0].where, "/path");
        forget(&made);
    }
}

static void a_copy_that_cannot_be_written_harms_nothing(void **state)
{
    static const struct {
        int code;
        int countdown;
        const char *detail;
    } rows[] = {
        { SQLITE_FULL, 1, "full" },
        { SQLITE_FULL, 100, "full" },
        { SQLITE_FULL, 400, "full" },
        { SQLITE_IOERR_WRITE, 1, "could not be written" },
        { SQLITE_IOERR_WRITE, 300, "could not be written" },
    };
    struct fixture *fixture = *state;
    struct order made;

    vote_many(fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        shim.code = rows[i].code;
        shim.countdown = rows[i].countdown;
        shim.which = COPY;
        order(fixture, &made, "backup");
        finish(fixture, &made);
        shim.which = SHIMMED;
        assert_int_equal(made.job.result, JOB_REFUSED);
        assert_int_equal(made.refusal.problem, PROBLEM_STORE_UNAVAILABLE);
        if (!strstr(made.refusal.detail, rows[i].detail))
            fail_msg("row %zu: %s", i, made.refusal.detail);
        assert_false(is_there(fixture, "backup") || is_there(fixture, "backup.key"));
        assert_int_equal(drafts(fixture), 0);
        forget(&made);
        assert_int_equal(vote_batch(fixture, MANY + (unsigned)i * 10, 10), STORE_DONE);
    }
    order(fixture, &made, "backup");
    finish(fixture, &made);
    assert_int_equal(made.job.result, JOB_BACKED_UP);
    forget(&made);
}

static void a_second_one_at_once_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct order first;
    struct order second;

    order(fixture, &first, "one");
    order(fixture, &second, "two");
    assert_false(second.kept);
    assert_int_equal(second.refusal.problem, PROBLEM_BUSY);
    finish(fixture, &first);
    assert_int_equal(first.job.result, JOB_BACKED_UP);
    forget(&second);
    order(fixture, &second, "two");
    finish(fixture, &second);
    assert_int_equal(second.job.result, JOB_BACKED_UP);
    forget(&first);
    forget(&second);
}

static void who_ends_gives_the_backup_up_and_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;

    vote_many(fixture);
    for (int slices = 0; slices < 12; slices += 2) {
        struct queue_list answered = { NULL, NULL, 0 };
        struct order made;

        order(fixture, &made, "backup");
        for (int i = 0; i < slices && !made.job.result; i++) {
            if (work(fixture, &made))
                break;
        }
        store_end_soon(fixture->store, &answered);
        if (answered.n == 0 && sqlite_of(fixture->store)->backup)
            finish(fixture, &made); /* it was being named */
        if (made.job.result == JOB_BACKED_UP) {
            assert_true(is_there(fixture, "backup") && is_there(fixture, "backup.key"));
        } else {
            assert_int_equal(made.refusal.problem, PROBLEM_STORE_UNAVAILABLE);
            fixture_close(fixture);
            assert_false(is_there(fixture, "backup") || is_there(fixture, "backup.key"));
            assert_null(fixture_open(fixture));
        }
        assert_int_equal(drafts(fixture), 0);
        forget(&made);
        if (made.job.result == JOB_BACKED_UP)
            return;
        order(fixture, &made, "backup"); /* a new start has forgotten that it was to end */
        assert_true(made.kept);
        answered = (struct queue_list){ NULL, NULL, 0 };
        store_abandon(fixture->store, &answered);
        assert_int_equal(answered.n, 1);
        fixture_close(fixture);
        assert_null(fixture_open(fixture));
        forget(&made);
    }
}

static void who_is_ending_begins_no_backup(void **state)
{
    struct fixture *fixture = *state;
    struct queue_list answered = { NULL, NULL, 0 };
    struct order made;

    store_end_soon(fixture->store, &answered);
    order(fixture, &made, "backup");
    assert_false(made.kept);
    assert_int_equal(made.refusal.problem, PROBLEM_STORE_UNAVAILABLE);
    assert_int_equal(fixture_vote(fixture, "p", "anna", 1, 0).result, JOB_COUNTED);
    forget(&made);
}

static void a_keys_file_that_was_exchanged_is_not_handed_out_as_the_key(void **state)
{
    struct fixture *fixture = *state;
    char other[128];
    struct why why;
    struct order made;

    (void)snprintf(other, sizeof other, "%s/other", fixture->folder);
    keys_free(keys_open(other, true, &why));
    assert_int_equal(rename(other, fixture->keys_path), 0);
    order(fixture, &made, "backup");
    finish(fixture, &made);
    assert_int_equal(made.refusal.problem, PROBLEM_STORE_UNAVAILABLE);
    forget(&made);
    assert_int_equal(unlink(fixture->keys_path), 0);
    order(fixture, &made, "backup");
    finish(fixture, &made);
    assert_int_equal(made.refusal.problem, PROBLEM_STORE_UNAVAILABLE);
    assert_false(is_there(fixture, "backup") || is_there(fixture, "backup.key"));
    assert_int_equal(drafts(fixture), 0);
    forget(&made);
}

/* As a credential of systemd, say. */
static void keys_that_are_in_no_file_are_not_put_beside_it(void **state)
{
    struct fixture *fixture = *state;
    struct order made;

    free(sqlite_of(fixture->store)->keys_path);
    sqlite_of(fixture->store)->keys_path = NULL;
    order(fixture, &made, "backup");
    finish(fixture, &made);
    assert_int_equal(made.job.result, JOB_BACKED_UP);
    assert_false(made.job.backup->has_key);
    assert_true(is_there(fixture, "backup"));
    assert_false(is_there(fixture, "backup.key"));
    forget(&made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_the_store_at_its_last_slice),
        TEST(checkpoints_and_retractions_meanwhile_are_carried_over),
        TEST(a_batch_rolled_back_meanwhile_is_not_in_the_backup),
        TEST(what_is_forgotten_meanwhile_is_not_in_the_backup),
        TEST(nothing_is_ever_overwritten),
        TEST(a_name_that_was_taken_meanwhile_is_left_alone),
        TEST(a_folder_that_cannot_be_written_is_refused),
        TEST(a_copy_that_cannot_be_written_harms_nothing),
        TEST(a_second_one_at_once_is_busy),
        TEST(who_ends_gives_the_backup_up_and_leaves_nothing),
        TEST(who_is_ending_begins_no_backup),
        TEST(keys_that_are_in_no_file_are_not_put_beside_it),
        TEST(a_keys_file_that_was_exchanged_is_not_handed_out_as_the_key),
    };

    install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
