/*
 * unit/config/resolve_test.c - users, groups and secret files, against the real ones.
 */
#include "config/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tallyd-config-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/secret", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void write_secret(const char *text, mode_t mode)
{
    FILE *file;

    (void)unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* A configuration that says `text`, looked up. NULL: why not. */
static struct config *load(const char *text, struct why *why)
{
    AUTO(config) config = config_new();

    if (!config_parse(config, str_of(text), "F", why) || !config_resolve(config, "F", why))
        return NULL;
    return TAKE(config);
}

static void names_are_looked_up(void **state)
{
    struct why why = { "" };
    AUTO(config) config = load("[server]\nproxy_users = daemon 4711\n"
                               "[roles]\nadmin_group = root\napp_users = root\n",
                               &why);

    (void)state;
    if (!config)
        fail_msg("%s", why.text);
    assert_int_equal(config->proxy_users.uids[0], 1);
    assert_int_equal(config->proxy_users.uids[1], 4711);
    assert_int_equal(config->app_users.uids[0], 0);
    assert_true(config->admin_group.found);
    assert_int_equal(config->admin_group.gid, 0);
}

static void what_is_not_there_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        { "[server]\nproxy_users = root nobody-of-the-kind\n",
          "F:2: server.proxy_users: there is no user nobody-of-the-kind; " },
        { "[roles]\n\nadmin_group = no-such-group\n",
          "F:3: roles.admin_group: there is no group no-such-group; " },
        { "[roles]\nadmin_token_file = /nowhere/token\n",
          "F:2: roles.admin_token_file: cannot read /nowhere/token: " },
        { "[roles]\napp_token_file = /dev/null\n",
          "F:2: roles.app_token_file: /dev/null is no regular file; " },
        { "[server]\nproxy_users = daemon\n[roles]\napp_users = root 1\n",
          "F:4: roles.app_users: user 1 is in server.proxy_users too; " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };
        AUTO(config) config = load(rows[i].text, &why);

        if (config || strncmp(why.text, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s", rows[i].says, why.text);
    }
}

static void the_default_group_need_not_be_there(void **state)
{
    struct why why = { "" };
    AUTO(config) config = load("", &why);

    (void)state;
    assert_non_null(config);
    assert_string_equal(config->admin_group.name, "tallyd");
}

static void a_token_is_the_trimmed_content_of_a_file(void **state)
{
    static const struct {
        const char *content;
        mode_t mode;
        const char *says; /* NULL: taken */
    } rows[] = {
        { "0123456789abcdef\n", 0600, NULL },
        { "\n  0123456789abcdef \r\n", 0400, NULL },
        { "0123456789abcdef", 0640, NULL },
        { "0123456789abcdef", 0644, NULL },
        { "", 0600, "is empty" },
        { " \n", 0600, "is empty" },
        { "01234567 89abcdef", 0600, "more than one word" },
        { "0123456789abcd\xC3\xA9", 0600, "more than one word" },
    };
    char text[200];

    (void)state;
    (void)snprintf(text, sizeof text, "[roles]\nadmin_token_file = %s\n", path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };

        write_secret(rows[i].content, rows[i].mode);
        {
            AUTO(config) config = load(text, &why);

            if ((config != NULL) != (rows[i].says == NULL) ||
                (rows[i].says && !strstr(why.text, rows[i].says)))
                fail_msg("row %zu: %s", i, why.text);
            if (config)
                assert_string_equal(config->admin_token.bytes, "0123456789abcdef");
            if (strlen(rows[i].content) > 8 && strstr(why.text, "01234567"))
                fail_msg("the message has the secret in it: %s", why.text);
        }
    }
}

#define KEY_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define KEY_31 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg"

static void site_keys_are_lines_of_kid_and_secret(void **state)
{
    static const struct {
        const char *content;
        size_t n;
        const char *says; /* NULL: taken */
    } rows[] = {
        { "a " KEY_32 "\n", 1, NULL },
        { "# mine\n\nold  " KEY_32 "=\r\nnew " KEY_32, 2, NULL },
        { "a " KEY_31 "\n", 0, "line 1 of " },
        { "a " KEY_32 "\n\na " KEY_32 "\n", 0, "line 3 of " },
        { "a\n", 0, "line 1 of " },
        { " \n#\n", 0, "holds no key" },
        { "a " KEY_32 " x\n", 0, "base64url" },
        { "a +/+/" KEY_32 "\n", 0, "base64url" },
        { "\"a\" " KEY_32 "\n", 0, "its kid" },
    };
    char text[200];

    (void)state;
    (void)snprintf(text, sizeof text, "[voters]\nsite_key_file = %s\n", path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };

        write_secret(rows[i].content, 0600);
        {
            AUTO(config) config = load(text, &why);

            if ((config != NULL) != (rows[i].says == NULL) ||
                (rows[i].says && !strstr(why.text, rows[i].says)))
                fail_msg("row %zu: %s", i, why.text);
            if (!config)
                continue;
            assert_int_equal(config->site_keys.n, rows[i].n);
            assert_int_equal(config->site_keys.at[0].len, 32);
            for (unsigned char byte = 0; byte < 32; byte++)
                assert_int_equal(config->site_keys.at[0].secret[byte], byte);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(what_is_not_there_is_named_with_its_line),
        cmocka_unit_test(the_default_group_need_not_be_there),
        cmocka_unit_test(a_token_is_the_trimmed_content_of_a_file),
        cmocka_unit_test(site_keys_are_lines_of_kid_and_secret),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
