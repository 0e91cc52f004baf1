/*
 * log_test.c - what crashes leave of the log is no damage, however many there are in a row.
 */
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

#include "ledger/ledger_fixture.h"

#define POLL "{\"title\":\"t\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}"

#define FIRST_PAGE (32 + 24) /* of the log: behind its header and the frame's */

/* What a file of the store held when the power went. */
struct kept {
    const char *suffix;
    char *bytes;
    size_t len;
};

static void path_of(const struct fixture *fixture, const char *suffix, char path[128])
{
    (void)snprintf(path, 128, "%s/tally.db%s", fixture->folder, suffix);
}

static void keep(const struct fixture *fixture, struct kept *kept)
{
    char path[128];
    struct stat file;
    FILE *from;

    path_of(fixture, kept->suffix, path);
    from = fopen(path, "rb");
    assert_non_null(from);
    assert_int_equal(fstat(fileno(from), &file), 0);
    kept->len = (size_t)file.st_size;
    assert_true(kept->len > FIRST_PAGE);
    kept->bytes = malloc(kept->len);
    assert_non_null(kept->bytes);
    assert_int_equal(fread(kept->bytes, 1, kept->len, from), kept->len);
    assert_int_equal(fclose(from), 0);
}

static void put_back(const struct fixture *fixture, struct kept *kept)
{
    char path[128];
    FILE *to;

    path_of(fixture, kept->suffix, path);
    to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(kept->bytes, 1, kept->len, to), kept->len);
    assert_int_equal(fclose(to), 0);
    free(kept->bytes);
}

/* The power goes in a sync of the log's first transaction: all of it is on disk but its first page.
 */
static void cut(struct fixture *fixture)
{
    struct kept store = { .suffix = "" };
    struct kept log = { .suffix = "-wal" };

    keep(fixture, &store);
    keep(fixture, &log);
    fixture_close(fixture);
    memset(log.bytes + FIRST_PAGE, 0xA5, 512);
    put_back(fixture, &store);
    put_back(fixture, &log);
}

/* The log begins anew with the next transaction. */
static void checkpoint(struct fixture *fixture)
{
    struct queue_list answered = { NULL, NULL, 0 };
    int64_t next_ms;

    assert_int_equal(store_work(fixture->store, true, &answered, &next_ms), STORE_DONE);
}

static void power_cuts_in_a_row_are_no_damage_of_the_log(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_make(&fixture);
    assert_null(fixture_open(&fixture));
    fixture_put(&fixture, "p", POLL);
    fixture_vote_many(&fixture, "p", 40000);
    checkpoint(&fixture);
    fixture_put(&fixture, "q", POLL);
    cut(&fixture);
    for (int i = 0; i < 3; i++) {
        const char *why = fixture_open(&fixture);

        if (why)
            fail_msg("behind cut %d: %s", i + 1, why);
        assert_int_equal(fixture_votes(&fixture, "p"), 40000);
        fixture_put(&fixture, "p",
                    "{\"title\":\"u\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}");
        cut(&fixture);
    }
    assert_null(fixture_open(&fixture));
    fixture_remove(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_in_a_row_are_no_damage_of_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
