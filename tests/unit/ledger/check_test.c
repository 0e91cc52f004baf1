/*
 * check_test.c - a store recounted from its rows, faults planted in it, and backups restored.
 */
#include <dirent.h>
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
#include <sodium.h>
#include <sqlite3.h>

#include "ledger/check.h"
#include "ledger/ledger_fixture.h"
#include "ledger/restore.h"
#include "ledger/sqlite.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"
#define LINES_BYTES 4096

/* Two polls: 4 votes stand in one, 1 in the other; one that was deleted with a vote in it. */
static int make(void **state)
{
    static struct fixture fixture;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job gone = { .kind = JOB_DELETE, .id = "gone", .refusal = &refusal };
    struct job *job = &gone;
    struct batch batch = { .jobs = &job, .n = 1 };
    size_t kept;

    fixture_make(&fixture);
    *state = &fixture;
    if (fixture_open(&fixture))
        return -1;
    fixture_put(&fixture, "p", "{\"title\":\"t\",\"revote\":true,\"carried\":[5,6]," OPTIONS "}");
    fixture_put(&fixture, "q", "{\"title\":\"t\"," OPTIONS "}");
    fixture_put(&fixture, "gone", "{\"title\":\"t\"," OPTIONS "}");
    (void)fixture_vote(&fixture, "gone", "a", 1, 0);
    (void)fixture_vote(&fixture, "q", "a", 2, 0);
    for (unsigned i = 0; i < 5; i++) {
        char voter[8];

        (void)snprintf(voter, sizeof voter, "v%u", i);
        (void)fixture_vote(&fixture, "p", voter, 1, 0);
    }
    fixture.wall_ms += 3 * 3600 * 1000;
    (void)fixture_vote(&fixture, "p", "v1", 2, 0);
    (void)fixture_retract(&fixture, "p", "v2");
    assert_int_equal(store_commit(fixture.store, &batch, &kept), STORE_DONE);
    return 0;
}

static void note(void *context, const char *line)
{
    char *lines = context;
    size_t len = strlen(lines);

    (void)snprintf(lines + len, LINES_BYTES - len, "%s\n", line);
}

static const char *path_of(const struct fixture *fixture)
{
    return fixture->url + strlen("sqlite:");
}

/* Everything in the folder, names and bytes, as one hash. */
static void hash_folder(const struct fixture *fixture, unsigned char ret[32])
{
    struct dirent **entries;
    crypto_generichash_state hash;
    int n = scandir(fixture->folder, &entries, NULL, alphasort);

    assert_true(n > 0);
    (void)crypto_generichash_init(&hash, NULL, 0, 32);
    for (int i = 0; i < n; i++) {
        char path[400];
        unsigned char piece[4096];
        FILE *file;
        size_t got;

        (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, entries[i]->d_name);
        (void)crypto_generichash_update(&hash, (unsigned char *)path, strlen(path));
        file = entries[i]->d_type == DT_REG ? fopen(path, "re") : NULL;
        while (file && (got = fread(piece, 1, sizeof piece, file)) > 0)
            (void)crypto_generichash_update(&hash, piece, got);
        if (file)
            (void)fclose(file);
        free(entries[i]);
    }
    free(entries);
    (void)crypto_generichash_final(&hash, ret, 32);
}

/* Closed in good order: without a log. */
static struct check check(struct fixture *fixture, char lines[LINES_BYTES])
{
    struct check check = { .tell = note, .context = lines };
    struct keys *keys;
    struct why why;
    unsigned char before[32];
    unsigned char after[32];

    lines[0] = '\0';
    fixture_close(fixture);
    keys = keys_open(fixture->keys_path, false, &why);
    assert_non_null(keys);
    hash_folder(fixture, before);
    if (!check_store(path_of(fixture), keys, &check, &why))
        fail_msg("%s", why.text);
    hash_folder(fixture, after);
    assert_memory_equal(before, after, sizeof before);
    keys_free(keys);
    return check;
}

static void plant(struct fixture *fixture, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;

    fixture_close(fixture);
    assert_int_equal(sqlite3_open(path_of(fixture), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_good_store_is_found_good_and_left_as_it_is(void **state)
{
    char lines[LINES_BYTES];
    struct check found = check(*state, lines);

    if (found.mismatches != 0)
        fail_msg("%s", lines);
    assert_int_equal(found.polls, 2);
    assert_int_equal(found.votes, 5);
}

/* As a kill leaves it: the newest votes are in the log alone. */
static void a_log_is_read_and_left_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    char lines[LINES_BYTES];
    char log[128];
    struct stat file;
    struct check found;

    (void)fixture_vote(fixture, "q", "b", 1, 0);
    assert_int_equal(
        sqlite3_db_config(sqlite_of(fixture->store)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
        SQLITE_OK);
    found = check(fixture, lines);
    if (found.mismatches != 0)
        fail_msg("%s", lines);
    assert_int_equal(found.votes, 6);
    (void)snprintf(log, sizeof log, "%s-wal", path_of(fixture));
    assert_int_equal(stat(log, &file), 0);
    assert_true(file.st_size > 0);
    assert_null(fixture_open(fixture));
    assert_int_equal(fixture_vote(fixture, "q", "b", 1, 0).result, JOB_ALREADY);
}

#define P "poll = (SELECT poll FROM poll WHERE id = 'p')"

static void each_planted_fault_is_named(void **state)
{
    static const struct {
        const char *sql;
        const char *line;
    } rows[] = {
        { "UPDATE tally SET votes = votes + 1 WHERE option = 2 AND " P,
          "poll p: option 2 stands at 2, its rows give 1\n" },
        { "UPDATE poll SET voters = 9 WHERE id = 'p'",
          "poll p: 9 votes are kept, its rows give 4" },
        { "UPDATE poll SET seq = 8 WHERE id = 'p'", "newest row is kept as 8, and is 7" },
        { "DELETE FROM vote WHERE seq = 7 AND " P, "newest row is kept as 7, and is 6" },
        { "DELETE FROM vote WHERE seq = 4 AND " P, "poll p: row 5 does not follow" },
        { "UPDATE vote SET replaces = 1 WHERE seq = 6 AND " P,
          "row 6 takes the place of a row that" },
        { "UPDATE vote SET replaces = 6 WHERE seq = 6 AND " P,
          "row 6 takes the place of a row that" },
        { "UPDATE vote SET voter = zeroblob(16) WHERE seq = 7 AND " P, "is not this voter's" },
        { "UPDATE vote SET voter = zeroblob(15) WHERE seq = 1 AND " P, "row 1 has no voter" },
        { "UPDATE vote SET options = 2 WHERE seq = 4 AND " P, "poll p: option 1 stands at 3" },
        { "UPDATE vote SET options = 8 WHERE seq = 4 AND " P, "poll p: option 4 stands at 0" },
        { "UPDATE vote SET row = row - 1 WHERE seq = 1 AND " P,
          "row 0 has a number that no row has" },
        { "UPDATE hour SET votes = votes + 1 WHERE option = 1 AND hour = "
          "(SELECT max(hour) FROM hour) AND " P,
          "poll p: option 1 stands at 8, carried included, and its history" },
        { "UPDATE tally SET option = 99 WHERE option = 2 AND " P, "poll p: option 99 stands" },
        { "UPDATE poll SET definition = '{' WHERE id = 'q'", "poll q: its definition" },
        { "UPDATE meta SET value = zeroblob(16) WHERE name = 'key_fingerprint'", "key: " },
        { "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 "
          "WHERE name = 'poll_by_id'",
          "file: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lines[LINES_BYTES];
        void *fixture = NULL;
        struct check found;

        assert_int_equal(make(&fixture), 0);
        plant(fixture, rows[i].sql);
        found = check(fixture, lines);
        if (found.mismatches == 0 || !strstr(lines, rows[i].line))
            fail_msg("%s: said '%s'", rows[i].sql, lines);
        fixture_remove(fixture);
    }
}

static void a_store_that_is_open_is_not_checked(void **state)
{
    struct fixture *fixture = *state;
    char lines[LINES_BYTES] = "";
    struct check check = { .tell = note, .context = lines };
    struct why why;

    assert_false(check_store(path_of(fixture), fixture->keys, &check, &why));
    assert_non_null(strstr(why.text, "another tallyd"));
}

/* A backup as far as restoring knows: the file of a store that was closed, and its key. */
struct backup {
    char file[128];
    char key[128];
};

static void make_backup(struct fixture *fixture, struct backup *backup)
{
    char log[128];

    fixture_close(fixture);
    (void)snprintf(backup->file, sizeof backup->file, "%s/backup", fixture->folder);
    (void)snprintf(backup->key, sizeof backup->key, "%s/backup.key", fixture->folder);
    assert_int_equal(rename(path_of(fixture), backup->file), 0);
    assert_int_equal(rename(fixture->keys_path, backup->key), 0);
    (void)snprintf(log, sizeof log, "%s-wal", path_of(fixture));
    (void)unlink(log);
    (void)snprintf(log, sizeof log, "%s.lock", path_of(fixture));
    (void)unlink(log);
}

static bool restore(const struct fixture *fixture, const struct backup *backup, struct check *check,
                    struct why *why)
{
    static char lines[LINES_BYTES];

    lines[0] = '\0';
    *check = (struct check){ .tell = note, .context = lines };
    return store_restore(&(struct restore_settings){ .file = backup->file,
                                                     .path = path_of(fixture),
                                                     .keys_path = fixture->keys_path,
                                                     .random = randombytes_buf },
                         check, why);
}

static void refuses(const struct fixture *fixture, const struct backup *backup, const char *says)
{
    unsigned char before[32];
    unsigned char after[32];
    struct check check;
    struct why why;

    hash_folder(fixture, before);
    if (restore(fixture, backup, &check, &why))
        fail_msg("restored, instead of saying '%s'", says);
    if (!strstr(why.text, says))
        fail_msg("said '%s' instead of '%s'", why.text, says);
    hash_folder(fixture, after);
    assert_memory_equal(before, after, sizeof before);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void what_is_restored_knows_its_voters_and_has_another_epoch(void **state)
{
    struct fixture *fixture = *state;
    uint64_t epoch = sqlite_of(fixture->store)->epoch;
    struct backup backup;
    struct check check;
    struct why why;
    char stale[128];

    make_backup(fixture, &backup);
    (void)snprintf(stale, sizeof stale, "%s.restoring", path_of(fixture));
    write_file(stale, "what a run that was cut off has left");
    (void)snprintf(stale, sizeof stale, "%s.restoring", fixture->keys_path);
    write_file(stale, "voters 12");
    if (!restore(fixture, &backup, &check, &why))
        fail_msg("%s", why.text);
    assert_int_equal(check.polls, 2);
    assert_int_equal(check.votes, 5);
    assert_int_equal(access(stale, F_OK), -1);
    assert_null(fixture_open(fixture));
    assert_int_not_equal(sqlite_of(fixture->store)->epoch, epoch);
    assert_int_equal(fixture_votes(fixture, "p"), 15);
    assert_int_equal(fixture_vote(fixture, "p", "v1", 2, 0).result, JOB_ALREADY);
    assert_int_equal(fixture_vote(fixture, "q", "a", 1, 0).problem, PROBLEM_ALREADY_VOTED);
}

static void keys_that_are_there_already_are_taken_as_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct backup backup;
    struct check check;
    struct why why;

    make_backup(fixture, &backup);
    assert_int_equal(rename(backup.key, fixture->keys_path), 0);
    if (!restore(fixture, &backup, &check, &why))
        fail_msg("%s", why.text);
    assert_null(fixture_open(fixture));
    assert_int_equal(fixture_vote(fixture, "p", "v1", 2, 0).result, JOB_ALREADY);
}

static void what_is_there_is_not_overwritten(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-journal" };
    struct fixture *fixture = *state;
    struct backup backup;
    struct why why;

    make_backup(fixture, &backup);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[128];

        (void)snprintf(path, sizeof path, "%s%s", path_of(fixture), suffixes[i]);
        write_file(path, "mine");
        refuses(fixture, &backup, path);
        assert_int_equal(unlink(path), 0);
    }
    keys_free(keys_open(fixture->keys_path, true, &why));
    refuses(fixture, &backup, fixture->keys_path);
}

static void what_is_no_backup_is_refused_and_nothing_touched(void **state)
{
    struct fixture *fixture = *state;
    struct backup backup;
    struct backup other;
    char path[160];

    make_backup(fixture, &backup);
    other = backup;
    (void)snprintf(other.file, sizeof other.file, "%s/nothing", fixture->folder);
    refuses(fixture, &other, "nothing");
    write_file(other.file, "");
    refuses(fixture, &other, "empty");
    write_file(other.file, "rubbish that is long enough to be a header, rubbish that is long "
                           "enough to be a header, rubbish that is long enough");
    refuses(fixture, &other, "no backup");
    (void)snprintf(other.file, sizeof other.file, "%s", fixture->folder);
    refuses(fixture, &other, "no file");

    (void)snprintf(path, sizeof path, "%s-wal", backup.file);
    write_file(path, "a log");
    refuses(fixture, &backup, "a log beside it");
    assert_int_equal(unlink(path), 0);

    (void)snprintf(path, sizeof path, "%s.away", backup.key);
    assert_int_equal(rename(backup.key, path), 0);
    refuses(fixture, &backup, backup.key);
    write_file(backup.key,
               "voters 0000000000000000000000000000000000000000000000000000000000000000\n");
    refuses(fixture, &backup, "not with its key");
    assert_int_equal(rename(path, backup.key), 0);
    assert_int_equal(truncate(backup.file, 8192), 0);
    refuses(fixture, &backup, "");
}

static void a_backup_with_a_wrong_tally_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct backup backup;

    plant(fixture, "UPDATE tally SET votes = votes + 1 WHERE " P);
    make_backup(fixture, &backup);
    refuses(fixture, &backup, "damaged");
}

static void an_older_store_and_its_backup_are_checked_and_restored(void **state)
{
    struct fixture *fixture = *state;
    char lines[LINES_BYTES];
    struct backup backup;
    struct check found;
    struct why why;

    fixture_make_version_1(fixture);
    found = check(fixture, lines);
    if (found.mismatches != 0)
        fail_msg("%s", lines);
    assert_int_equal(found.votes, 5);
    make_backup(fixture, &backup);
    if (!restore(fixture, &backup, &found, &why))
        fail_msg("%s", why.text);
    assert_null(fixture_open(fixture));
    assert_int_equal(fixture_votes(fixture, "p"), 15);
    assert_int_equal(fixture_vote(fixture, "p", "v1", 2, 0).result, JOB_ALREADY);
}

static void a_newer_backup_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct backup backup;

    plant(fixture, "PRAGMA user_version = 999");
    make_backup(fixture, &backup);
    refuses(fixture, &backup, "newer tallyd");
}

/* The next slice of all rows of a poll, as a recount reads them. */
static void read_slice(struct fixture *fixture, const char *id, struct scan *scan)
{
    struct published *published = board_get(fixture->board, str_of(id));
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct job job = { .kind = JOB_SCAN, .scan = scan, .refusal = &refusal };

    assert_non_null(published);
    scan->poll = published->poll->number;
    scan->with_replaced = true;
    published_free(published);
    assert_int_equal(store_read(fixture->store, &job), STORE_DONE);
    assert_int_equal(job.result, JOB_READ);
    if (scan->n > 0)
        scan->after = scan->rows[scan->n - 1].seq;
}

static bool rows_differ(struct fixture *fixture, const char *id)
{
    struct scan scan = { .after = 0 };

    while (!scan.done)
        read_slice(fixture, id, &scan);
    return scan.rows_differ;
}

static void a_recount_finds_rows_that_count_the_same_and_are_others(void **state)
{
    static const char *const flips[] = {
        "UPDATE vote SET at = at + 1 WHERE row & 4294967295 = 2",
        "UPDATE vote SET voter = randomblob(16) WHERE row & 4294967295 = 5",
        "UPDATE vote SET address = x'0102030405060708' WHERE row & 4294967295 = 1",
    };

    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        struct fixture *fixture;

        assert_int_equal(make(state), 0);
        fixture = *state;
        assert_false(rows_differ(fixture, "p"));
        plant(fixture, flips[i]);
        assert_null(fixture_open(fixture));
        if (!rows_differ(fixture, "p"))
            fail_msg("not found: %s", flips[i]);
        fixture_remove(*state);
    }
}

static void voters_who_are_forgotten_between_two_slices_make_no_difference(void **state)
{
    struct fixture *fixture = *state;
    struct scan scan = { .after = 0 };
    const uint32_t forgotten[] = { 1, 2 * SCAN_ROWS_MAX }; /* one of each slice */

    fixture_put(fixture, "many", "{\"title\":\"t\"," OPTIONS "}");
    fixture_vote_many(fixture, "many", 2 * (size_t)SCAN_ROWS_MAX);
    fixture_put(fixture, "many", "{\"title\":\"t\",\"state\":\"closed\"," OPTIONS "}");
    read_slice(fixture, "many", &scan);
    assert_false(scan.done);
    assert_int_equal(fixture_forget(fixture, "many", forgotten, 2).store, STORE_DONE);
    while (!scan.done)
        read_slice(fixture, "many", &scan);
    assert_false(scan.rows_differ);
    assert_false(rows_differ(fixture, "many"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_store_is_found_good_and_left_as_it_is),
        TEST(a_log_is_read_and_left_as_it_is),
        cmocka_unit_test(each_planted_fault_is_named),
        TEST(a_store_that_is_open_is_not_checked),
        TEST(what_is_restored_knows_its_voters_and_has_another_epoch),
        TEST(keys_that_are_there_already_are_taken_as_they_are),
        TEST(what_is_there_is_not_overwritten),
        TEST(what_is_no_backup_is_refused_and_nothing_touched),
        TEST(a_backup_with_a_wrong_tally_is_refused),
        TEST(an_older_store_and_its_backup_are_checked_and_restored),
        TEST(a_newer_backup_is_refused),
        cmocka_unit_test(a_recount_finds_rows_that_count_the_same_and_are_others),
        TEST(voters_who_are_forgotten_between_two_slices_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
