/*
 * migrate_test.c - a store of an older version is brought to this one, with every vote in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/ledger_fixture.h"

#define OPTIONS "\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]"

static long log_bytes(const struct fixture *fixture)
{
    struct stat file;
    char path[128];

    (void)snprintf(path, sizeof path, "%s/tally.db-wal", fixture->folder);
    assert_int_equal(stat(path, &file), 0);
    return (long)file.st_size;
}

static void a_store_of_version_1_keeps_every_vote(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\",\"revote\":true,\"per_address\":2," OPTIONS "}");
    fixture_put(&fixture, "q", "{\"title\":\"t\"," OPTIONS "}");
    for (int i = 0; i < 300; i++) {
        char voter[16];

        (void)snprintf(voter, sizeof voter, "v%d", i);
        assert_int_equal(fixture_vote(&fixture, i % 3 ? "p" : "q", voter, 1, 0).result,
                         JOB_COUNTED);
    }
    assert_int_equal(fixture_vote(&fixture, "p", "home", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(&fixture, "p", "v1", 2, 0).result, JOB_CHANGED);
    assert_int_equal(fixture_retract(&fixture, "p", "v2").result, JOB_RETRACTED);
    fixture_make_version_1(&fixture);
    assert_null(fixture_open(&fixture));
    assert_true(log_bytes(&fixture) < 16384); /* it would be as large as the table */
    assert_int_equal(fixture_votes(&fixture, "p"), 200);
    assert_int_equal(fixture_votes(&fixture, "q"), 100);
    assert_int_equal(fixture_vote(&fixture, "q", "v0", 1, 0).seq, 1);
    assert_int_equal(fixture_vote(&fixture, "p", "v1", 2, 0).result, JOB_ALREADY);
    assert_int_equal(fixture_vote(&fixture, "p", "v2", 1, 0).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(&fixture, "p", "next", 1, 7).result, JOB_COUNTED);
    assert_int_equal(fixture_vote(&fixture, "p", "third", 1, 7).problem, PROBLEM_ADDRESS_LIMIT);
    fixture_remove(&fixture);
}

static void a_row_of_version_1_that_cannot_be_one_is_called_damage(void **state)
{
    struct fixture fixture;
    const char *why;
    sqlite3 *db;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", "{\"title\":\"t\"," OPTIONS "}");
    assert_int_equal(fixture_vote(&fixture, "p", "v", 1, 0).result, JOB_COUNTED);
    fixture_make_version_1(&fixture);
    assert_int_equal(sqlite3_open(fixture.url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE vote SET voter = x'01'", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    why = fixture_open(&fixture);
    assert_non_null(why);
    if (!strstr(why, "is damaged: a row of poll p cannot be one"))
        fail_msg("%s", why);
    fixture_remove(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_of_version_1_keeps_every_vote),
        cmocka_unit_test(a_row_of_version_1_that_cannot_be_one_is_called_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
