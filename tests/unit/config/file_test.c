/*
 * unit/config/file_test.c - whole files: what they set, and which line is at fault.
 */
#include "config/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_file_sets_every_kind_of_value(void **state)
{
    static const char text[] = "\xEF\xBB\xBF# a comment\r\n"
                               "; another\r\n"
                               "[server]\r\n"
                               "listen = 127.0.0.1:8080   [::1]:8080\r\n"
                               "  socket_mode=0660\r\n"
                               "trusted_proxies = 10.0.0.0/8 ::1\r\n"
                               "origins = https://A.example https://b.example:8443\r\n"
                               "frame_ancestors = https://*.example.org\r\n"
                               "public_url = https://votes.example.org/\r\n"
                               "metrics = everyone\r\n"
                               "proxy_users = www-data\r\n"
                               "\r\n"
                               "[store]\n"
                               "url = sqlite:/srv/a;b.db\n"
                               "ballast = 0\n"
                               "[roles]\n"
                               "insecure_tcp = yes\n"
                               "[voters]\n"
                               "token_lifetime = 30d\n"
                               "forget_after = 12h\n"
                               "address_prefix = 24 56\n"
                               "[limits]\n"
                               "streams = 0\n"
                               "[log]\n"
                               "level = error"; /* no newline at the end */
    AUTO(config) config = config_new();
    struct why why = { "" };

    (void)state;
    if (!config_parse(config, str_of(text), "F", &why))
        fail_msg("%s", why.text);
    assert_int_equal(config->listen.n, 2);
    assert_string_equal(config->listen.at[1], "[::1]:8080");
    assert_int_equal(config->socket_mode, 0660);
    assert_int_equal(config->trusted_proxies.n, 2);
    assert_int_equal(config->trusted_proxies.at[0].bits, 8);
    assert_true(config->trusted_proxies.at[1].v6);
    assert_int_equal(config->origins.n, 2);
    assert_string_equal(config->origins.at[0], "https://a.example");
    assert_string_equal(config->frame_ancestors.at[0], "https://*.example.org");
    assert_string_equal(config->public_url, "https://votes.example.org");
    assert_int_equal(config->metrics, METRICS_EVERYONE);
    assert_string_equal(config->proxy_users.names.at[0], "www-data");
    assert_string_equal(config->store_url, "sqlite:/srv/a;b.db");
    assert_int_equal(config->ballast_bytes, 0);
    assert_true(config->insecure_tcp);
    assert_int_equal(config->token_lifetime_s, 30 * 86400);
    assert_int_equal(config->forget_after_s, 12 * 3600);
    assert_int_equal(config->address_prefix.v6, 56);
    assert_int_equal(config->streams_per_address, 0);
    assert_int_equal(config->log_level, 0);
    assert_int_equal(config->line[config_key_find("log", "level")], 25);
}

static void a_section_that_stands_twice_is_one(void **state)
{
    AUTO(config) config = config_new();
    struct why why = { "" };

    (void)state;
    if (!config_parse(config,
                      STR("[limits]\nstreams = 1\n[log]\n[limits]\nconnections = 2\n[limits]\n"),
                      "F", &why))
        fail_msg("%s", why.text);
    assert_int_equal(config->streams_per_address, 1);
    assert_int_equal(config->connections_per_address, 2);
    assert_int_equal(config->line[config_key_find("limits", "connections")], 5);
}

static void an_empty_file_leaves_the_defaults(void **state)
{
    AUTO(config) config = config_new();

    (void)state;
    assert_true(config_parse(config, (struct str){ NULL, 0 }, "F", NULL));
    assert_int_equal(config->connections_max, 16384);
    assert_int_equal(config->ballast_bytes, 8 << 20);
    assert_int_equal(config->token_lifetime_s, 400LL * 86400);
    assert_true(config->forget_after_s == TIME_NEVER);
    assert_string_equal(config->admin_group.name, "tallyd");
    assert_true(config_check_built(config, "F", NULL));
}

/* Where it is wrong, and words that the message has. */
static void a_mistake_is_named_with_file_and_line(void **state)
{
    static const struct {
        const char *text;
        const char *where;
        const char *says;
    } rows[] = {
        { "[server]\nport = 80\n", "F:2: server.port: ", "no such key" },
        { "\n\n[sever]\n", "F:3: [sever]: ", "no such section" },
        { "listen = a:1\n", "F:1: listen: ", "no section" },
        { "[log]\nlevel = info\n[server]\n[log]\nlevel = info\n",
          "F:5: log.level: ", "line 2 already" },
        { "[log]\nlevel = info\nformat = text\nlevel = info\n",
          "F:4: log.level: ", "line 2 already" },
        { "[server]\nthreads\n", "F:2: ", "neither" },
        { "[server]\nthreads =\n", "F:2: server.threads: ", "no value" },
        { "[server\nthreads = 1\n", "F:1: ", "heading" },
        { "[server] # mine\n", "F:1: ", "heading" },
        { "[]\n", "F:1: []: ", "no such section" },
        { "[server]\nthreads = 0\n", "F:2: server.threads: ", "1 to 256" },
        { "[server]\nthreads = 257\n", "F:2: server.threads: ", "1 to 256" },
        { "[server]\nthreads = 2 # two\n", "F:2: server.threads: ", "2 # two" },
        { "[server]\nlisten = 8080\n", "F:2: server.listen: ", "ADDR:PORT" },
        { "[server]\nlisten = a:1 b\n", "F:2: server.listen: ", "not b" },
        { "[server]\nlisten = a:1\n   b:2\n", "F:3: server.b: ", "no such key" },
        { "[server]\nsocket_mode = rw\n", "F:2: server.socket_mode: ", "octal" },
        { "[server]\nmetrics = all\n", "F:2: server.metrics: ", "local everyone" },
        { "[server]\norigins = https://a/\n", "F:2: server.origins: ", "without a path" },
        { "[server]\npublic_url = a\n", "F:2: server.public_url: ", "HOST" },
        { "[server]\ntrusted_proxies = 10.1.0.0/8\n", "F:2: server.trusted_proxies: ", "prefix" },
        { "[store]\nurl = /tally.db\n", "F:2: store.url: ", "sqlite:PATH" },
        { "[store]\nurl = mysql://a/b\n", "F:2: store.url: ", "postgresql://" },
        { "[store]\nballast = 8X\n", "F:2: store.ballast: ", "8M" },
        { "[roles]\nadmin_group = a b\n", "F:2: roles.admin_group: ", "one group" },
        { "[roles]\ninsecure_tcp = 1\n", "F:2: roles.insecure_tcp: ", "yes or no" },
        { "[voters]\ntoken_lifetime = never\n", "F:2: voters.token_lifetime: ", "time" },
        { "[voters]\ntoken_lifetime = 0\n", "F:2: voters.token_lifetime: ", "time" },
        { "[voters]\naddress_prefix = 64 32\n", "F:2: voters.address_prefix: ", "32 64" },
        { "[limits]\nstreams = -1\n", "F:2: limits.streams: ", "number" },
        { "[log]\nlevel = 7\n", "F:2: log.level: ", "error warning" },
        { "[log]\nlevel = in\x01to\n", "F:2: log.level: ", "control character" },
        { "[log]\n# \xFF\n", "F:2: ", "UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(config) config = config_new();
        struct why why = { "" };
        bool ok = config_parse(config, str_of(rows[i].text), "F", &why);

        if (ok || strncmp(why.text, rows[i].where, strlen(rows[i].where)) != 0 ||
            !strstr(why.text, rows[i].says))
            fail_msg("%s: %d %s", rows[i].text, ok, why.text);
    }
}

static void a_nul_is_no_text(void **state)
{
    AUTO(config) config = config_new();
    struct why why = { "" };

    (void)state;
    assert_false(config_parse(config, STR("[log]\nlevel = in\0fo\n"), "F", &why));
    assert_memory_equal(why.text, "F:2: ", 5);
}

/* libinih takes a line that is longer than its room for two. */
static void a_long_line_is_whole_or_refused(void **state)
{
    size_t room = 40000;
    char *text = malloc(room);
    struct str s = { text, 0 };
    struct why why = { "" };

    (void)state;
    assert_non_null(text);
    for (size_t bytes = 100; bytes <= 17000; bytes += 16284 - 100) { /* 100, 16284 */
        AUTO(config) config = config_new();
        int head = snprintf(text, room, "[store]\nbackup_dir = /");

        memset(text + head, 'x', bytes);
        s.len = (size_t)head + bytes;
        assert_true(config_parse(config, s, "F", &why));
        assert_int_equal(strlen(config->backup_dir), bytes + 1);
    }
    memset(text + 30, 'x', 17000);
    memcpy(text + 17000, "\nlevel", 6);
    s.len = 17020;
    {
        AUTO(config) config = config_new();

        assert_false(config_parse(config, s, "F", &why));
        assert_memory_equal(why.text, "F:2: this line has", 18);
    }
    free(text);
}

static void a_key_of_a_part_to_come_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_keys_count; i++) {
        AUTO(config) config = config_new();
        struct why why = { "" };
        char start[100];

        config->line[i] = 7;
        (void)snprintf(start, sizeof start, "F:7: %s.%s: is not built yet; ",
                       config_keys[i].section, config_keys[i].name);
        if (config_check_built(config, "F", &why) != (config_keys[i].built == BUILT) ||
            (config_keys[i].built == LATER && strncmp(why.text, start, strlen(start)) != 0))
            fail_msg("%s: %s", config_keys[i].name, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_sets_every_kind_of_value),
        cmocka_unit_test(a_section_that_stands_twice_is_one),
        cmocka_unit_test(an_empty_file_leaves_the_defaults),
        cmocka_unit_test(a_mistake_is_named_with_file_and_line),
        cmocka_unit_test(a_nul_is_no_text),
        cmocka_unit_test(a_long_line_is_whole_or_refused),
        cmocka_unit_test(a_key_of_a_part_to_come_is_refused_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
