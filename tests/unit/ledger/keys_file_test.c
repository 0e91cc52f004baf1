/*
 * keys_file_test.c - files of secrets: whole, and their owner's alone.
 */
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

#include "ledger/keys_file.h"

struct place {
    char folder[64];
    char path[96];
    char draft[96];
};

static int make(void **state)
{
    static struct place place;

    (void)snprintf(place.folder, sizeof place.folder, "/tmp/keys_file_test.XXXXXX");
    if (!mkdtemp(place.folder))
        return -1;
    (void)snprintf(place.path, sizeof place.path, "%s/keys", place.folder);
    (void)snprintf(place.draft, sizeof place.draft, "%s/keys.new", place.folder);
    *state = &place;
    return 0;
}

static int remove_it(void **state)
{
    const struct place *place = *state;

    (void)chmod(place->folder, 0700);
    (void)unlink(place->path);
    (void)unlink(place->draft);
    return rmdir(place->folder);
}

static void write_plain(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_holds(const char *path, struct str text)
{
    AUTO_SECRET_BUF read = { 0 };
    struct why why;

    if (!keys_file_read(path, KEYS_FILE_OWNER_ONLY, &read, &why))
        fail_msg("%s", why.text);
    assert_true(str_eq(buf_str(&read), text));
}

static void what_is_written_is_read_and_nobody_elses(void **state)
{
    const struct place *place = *state;
    struct stat file;

    assert_true(keys_file_replace(place->path, STR("one\n"), NULL));
    assert_holds(place->path, STR("one\n"));
    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_true(keys_file_replace(place->path, STR("two\nmore\n"), NULL));
    assert_holds(place->path, STR("two\nmore\n"));
    assert_int_equal(access(place->draft, F_OK), -1);
}

static void an_old_draft_gives_neither_its_mode_nor_its_bytes(void **state)
{
    const struct place *place = *state;
    struct stat file;

    write_plain(place->draft, "left by a crash, and much longer than what comes\n", 0666);
    assert_true(keys_file_replace(place->path, STR("one\n"), NULL));
    assert_holds(place->path, STR("one\n"));
    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
}

static void a_draft_that_is_a_link_leads_nowhere(void **state)
{
    const struct place *place = *state;
    char other[128];

    (void)snprintf(other, sizeof other, "%s/other", place->folder);
    assert_int_equal(symlink(other, place->draft), 0);
    assert_true(keys_file_replace(place->path, STR("one\n"), NULL));
    assert_int_equal(access(other, F_OK), -1);
    assert_holds(place->path, STR("one\n"));
}

static void when_it_cannot_be_written_the_old_one_stays(void **state)
{
    const struct place *place = *state;
    struct why why = { "" };
    char missing[128];

    (void)snprintf(missing, sizeof missing, "%s/no/keys", place->folder);
    assert_false(keys_file_replace(missing, STR("one\n"), &why));
    assert_non_null(strstr(why.text, missing));

    assert_true(keys_file_replace(place->path, STR("one\n"), NULL));
    assert_int_equal(mkdir(place->draft, 0700), 0); /* in the draft's way, for root too */
    assert_false(keys_file_replace(place->path, STR("two\n"), &why));
    assert_holds(place->path, STR("one\n"));
    assert_int_equal(rmdir(place->draft), 0);
}

static void a_file_that_too_many_may_read_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        mode_t refused;
        bool ok;
    } rows[] = {
        { 0600, KEYS_FILE_OWNER_ONLY, true },     { 0400, KEYS_FILE_OWNER_ONLY, true },
        { 0640, KEYS_FILE_OWNER_ONLY, false },    { 0604, KEYS_FILE_OWNER_ONLY, false },
        { 0640, KEYS_FILE_NOT_EVERYBODY, true },  { 0644, KEYS_FILE_NOT_EVERYBODY, false },
        { 0602, KEYS_FILE_NOT_EVERYBODY, false },
    };
    const struct place *place = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_SECRET_BUF read = { 0 };
        struct why why = { "" };

        (void)unlink(place->path);
        write_plain(place->path, "x\n", rows[i].mode);
        if (keys_file_read(place->path, rows[i].refused, &read, &why) != rows[i].ok)
            fail_msg("row %zu: %s", i, why.text);
    }
}

static void what_is_missing_too_large_or_no_file_is_named(void **state)
{
    const struct place *place = *state;
    AUTO_BYTES char *large = malloc(KEYS_FILE_BYTES_MAX + 2);
    AUTO_SECRET_BUF read = { 0 };
    AUTO_SECRET_BUF again = { 0 };
    struct why why = { "" };

    assert_non_null(large);
    assert_false(keys_file_read(place->path, KEYS_FILE_OWNER_ONLY, &read, &why));
    assert_non_null(strstr(why.text, place->path));
    assert_false(keys_file_read(place->folder, 0, &read, &why));
    memset(large, 'x', KEYS_FILE_BYTES_MAX + 1);
    large[KEYS_FILE_BYTES_MAX + 1] = '\0';
    write_plain(place->path, large, 0600);
    assert_false(keys_file_read(place->path, KEYS_FILE_OWNER_ONLY, &read, &why));
    large[KEYS_FILE_BYTES_MAX] = '\0';
    write_plain(place->path, large, 0600);
    assert_true(keys_file_read(place->path, KEYS_FILE_OWNER_ONLY, &again, &why));
    assert_int_equal(again.len, KEYS_FILE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_and_nobody_elses, make, remove_it),
        cmocka_unit_test_setup_teardown(an_old_draft_gives_neither_its_mode_nor_its_bytes, make,
                                        remove_it),
        cmocka_unit_test_setup_teardown(a_draft_that_is_a_link_leads_nowhere, make, remove_it),
        cmocka_unit_test_setup_teardown(when_it_cannot_be_written_the_old_one_stays, make,
                                        remove_it),
        cmocka_unit_test_setup_teardown(a_file_that_too_many_may_read_is_refused, make, remove_it),
        cmocka_unit_test_setup_teardown(what_is_missing_too_large_or_no_file_is_named, make,
                                        remove_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
