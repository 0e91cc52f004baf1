/*
 * unit/config/keys_test.c - the table of keys: its reference page, and what a reload keeps.
 */
#include "config/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_BYTES_MAX (256 * 1024)

static char page[PAGE_BYTES_MAX];

static int read_page(void **state)
{
    const char *source = getenv("TALLYD_SOURCE");
    char path[4096];
    FILE *file;
    size_t len;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/docs/configuration.md", source ? source : ".");
    file = fopen(path, "r");
    if (!file)
        return -1;
    len = fread(page, 1, sizeof page - 1, file);
    page[len] = '\0';
    return fclose(file);
}

/* The page's row of a key: | `name` | `default` or words | reload or restart | ... */
static void row_of(const struct config_key *key, struct str ret_cells[3])
{
    char start[64];
    char heading[64];
    const char *section;
    const char *row;
    struct str line;

    (void)snprintf(heading, sizeof heading, "\n## [%s]\n", key->section);
    (void)snprintf(start, sizeof start, "\n| `%s` |", key->name);
    section = strstr(page, heading);
    row = section ? strstr(section, start) : NULL;
    if (!row)
        fail_msg("docs/configuration.md has no row for %s.%s", key->section, key->name);
    assert_non_null(row);
    line = (struct str){ row + 2, strcspn(row + 2, "\n") };
    for (int i = 0; i < 3; i++) {
        assert_true(str_next(&line, '|', &ret_cells[i]));
        ret_cells[i] = str_trim(ret_cells[i]);
    }
}

static void the_page_has_every_key_with_its_default_and_what_a_change_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_keys_count; i++) {
        const struct config_key *key = &config_keys[i];
        struct str cells[3];
        char fallback[64];
        const char *change = key->change == RELOADS ? "reload" : "restart";

        row_of(key, cells);
        (void)snprintf(fallback, sizeof fallback, "`%s`", key->fallback ? key->fallback : "");
        if (key->fallback && !str_eq(cells[1], str_of(fallback)))
            fail_msg("%s.%s: the page's default is %.*s", key->section, key->name,
                     (int)cells[1].len, cells[1].at);
        if (!str_eq(cells[2], str_of(change)))
            fail_msg("%s.%s: the page says %.*s", key->section, key->name, (int)cells[2].len,
                     cells[2].at);
    }
}

static void the_page_has_no_key_that_is_not_there(void **state)
{
    char section[32] = "";
    struct str rest = str_of(page);
    struct str line;

    (void)state;
    while (str_next(&rest, '\n', &line)) {
        char name[64];

        if (line.len == 0)
            continue;
        if (sscanf(line.at, "## [%31[a-z]]", section) == 1)
            continue;
        if (str_starts(line, STR("## ")))
            section[0] = '\0';
        if (section[0] != '\0' && sscanf(line.at, "| `%63[a-z_]` |", name) == 1 &&
            config_key_find(section, name) == config_keys_count)
            fail_msg("docs/configuration.md: there is no %s.%s", section, name);
    }
}

static void the_page_says_which_keys_are_not_built_yet(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_keys_count; i++) {
        struct str cells[3];
        struct str rest;

        row_of(&config_keys[i], cells);
        rest = (struct str){ cells[2].at, strcspn(cells[2].at, "\n") };
        rest.at = strstr(rest.at, "*not built yet*");
        if ((rest.at && rest.at < cells[2].at + rest.len) != (config_keys[i].built == LATER))
            fail_msg("%s.%s: not built yet, or is it?", config_keys[i].section,
                     config_keys[i].name);
    }
}

static char told[200];

static void tell(const char *key)
{
    (void)snprintf(told + strlen(told), sizeof told - strlen(told), "%s ", key);
}

static struct config *made_of(const char *text)
{
    struct config *config = config_new();
    struct why why = { "" };

    if (!config_parse(config, str_of(text), "F", &why) || !config_work_out(config, &why))
        fail_msg("%s", why.text);
    return config;
}

static void a_reload_keeps_what_needs_a_restart_and_names_it(void **state)
{
    AUTO(config) running = made_of("[server]\nlisten = a:1\nthreads = 2\n"
                                   "[store]\nurl = sqlite:/a/t.db\n[log]\nlevel = info\n");
    AUTO(config) fresh = made_of("[server]\nlisten = b:1 c:1\nthreads = 2\nsocket_mode = 0600\n"
                                 "[store]\nurl = sqlite:/b/t.db\n[log]\nlevel = debug\n");

    (void)state;
    told[0] = '\0';
    config_keep(fresh, running, tell);
    assert_string_equal(told, "server.listen server.socket_mode store.url ");
    assert_int_equal(fresh->listen.n, 1);
    assert_string_equal(fresh->listen.at[0], "a:1");
    assert_int_equal(fresh->socket_mode, 0666);
    assert_int_equal(fresh->threads, 2);
    assert_string_equal(fresh->store_url, "sqlite:/a/t.db");
    assert_string_equal(fresh->keys_path, "/a/keys");
    assert_string_equal(fresh->backup_dir, "/a/backups");
    assert_int_equal(fresh->log_level, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_every_key_with_its_default_and_what_a_change_takes),
        cmocka_unit_test(the_page_has_no_key_that_is_not_there),
        cmocka_unit_test(the_page_says_which_keys_are_not_built_yet),
        cmocka_unit_test(a_reload_keeps_what_needs_a_restart_and_names_it),
    };

    return cmocka_run_group_tests(tests, read_page, NULL);
}
