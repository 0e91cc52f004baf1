/*
 * url_test.c - paths and queries as they come over the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/url.h"

static struct url url; /* 8 kB: too much for some stacks, and one test runs at a time */

static bool read_target(const char *path, const char *query, struct refusal *reterr)
{
    struct http1_request request = { .path = str_of(path), .query = str_of(query) };

    return url_read(&request, &url, reterr);
}

static void a_path_is_split_before_it_is_decoded_once(void **state)
{
    static const struct {
        const char *path;
        size_t n;
        const char *last;
    } rows[] = {
        { "/v1/polls", 2, "polls" },
        { "/v1/polls/a%2Fb", 3, "a/b" },
        { "/v1/polls/a%252Fb", 3, "a%2Fb" },
        { "/p/", 2, "" },
        { "/", 1, "" },
        { "/v1/polls/%C3%A9", 3, "\xC3\xA9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct refusal refusal;

        if (!read_target(rows[i].path, NULL, &refusal) || url.n_segments != rows[i].n ||
            !str_eq(url.segments[url.n_segments - 1], str_of(rows[i].last)))
            fail_msg("%s: %zu segments", rows[i].path, url.n_segments);
    }
}

static void a_broken_escape_is_malformed(void **state)
{
    static const char *const rows[] = { "/a%", "/a%2", "/a%zz", "/%G0" };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct refusal refusal = { .problem = PROBLEM_NONE };

        if (read_target(rows[i], NULL, &refusal) || refusal.problem != PROBLEM_MALFORMED)
            fail_msg("%s was read", rows[i]);
        if (read_target("/", rows[i] + 1, &refusal) || refusal.problem != PROBLEM_MALFORMED)
            fail_msg("?%s was read", rows[i] + 1);
    }
}

static void more_segments_than_any_route_has_lead_nowhere(void **state)
{
    struct refusal refusal;

    (void)state;
    assert_true(read_target("/1/2/3/4/5/6/7", NULL, &refusal));
    assert_true(url.too_deep);
}

static void an_unknown_or_doubled_parameter_is_named(void **state)
{
    struct refusal refusal = { .problem = PROBLEM_NONE };

    (void)state;
    assert_true(read_target("/", "lang=ru&wait=5", &refusal));
    assert_true(url_parameters_ok(&url, "lang wait version", &refusal));
    assert_false(url_parameters_ok(&url, "lang", &refusal));
    assert_int_equal(refusal.problem, PROBLEM_INVALID);
    assert_string_equal(refusal.errors[0].where, "wait");
    assert_true(refusal.errors[0].parameter);

    refusal.problem = PROBLEM_NONE;
    assert_true(read_target("/", "lang=ru&lang=en", &refusal));
    assert_false(url_parameters_ok(&url, "lang", &refusal));
    assert_string_equal(refusal.errors[0].where, "lang");
}

static void a_number_is_all_digits_and_in_its_range(void **state)
{
    static const struct {
        const char *query;
        bool ok;
        uint64_t n;
    } rows[] = {
        { "limit=1", true, 1 },
        { "limit=1000", true, 1000 },
        { "", true, 100 },
        { "limit=0", false, 0 },
        { "limit=1001", false, 0 },
        { "limit=", false, 0 },
        { "limit=1e1", false, 0 },
        { "limit=-1", false, 0 },
        { "limit=%31", true, 1 },
        { "limit=+1", false, 0 },
        { "limit", false, 0 },
        { "other=3", true, 100 },
        { "limit=18446744073709551617", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct refusal refusal;
        uint64_t n = 0;

        assert_true(read_target("/", rows[i].query, &refusal));
        if (url_number(&url, "limit", 1, 1000, 100, &n, &refusal) != rows[i].ok ||
            (rows[i].ok && n != rows[i].n))
            fail_msg("?%s", rows[i].query);
    }
}

static void a_path_is_known_however_it_is_escaped(void **state)
{
    static const struct {
        const char *raw;
        bool is;
    } rows[] = {
        { "/v1/votes", true },   { "/v1/%76otes", true },  { "/%76%31/votes", true },
        { "/v1/vote", false },   { "/v1/votes/", false },  { "/v1/votes%", false },
        { "/v1/vote%7", false }, { "/v1/vote%zz", false }, { "/v1/vote%73", true },
        { "", false },           { "*", false },           { "/v1/votes?x", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (url_path_is(str_of(rows[i].raw), "/v1/votes") != rows[i].is)
            fail_msg("%s", rows[i].raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_split_before_it_is_decoded_once),
        cmocka_unit_test(a_broken_escape_is_malformed),
        cmocka_unit_test(more_segments_than_any_route_has_lead_nowhere),
        cmocka_unit_test(an_unknown_or_doubled_parameter_is_named),
        cmocka_unit_test(a_number_is_all_digits_and_in_its_range),
        cmocka_unit_test(a_path_is_known_however_it_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
