/*
 * ballots_test.c - votes as JSON: what is read, and what is refused where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/ballots.h"

static struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct why why;

    if (json_parse(str_of(text), &json, &why) != JSON_OK)
        fail_msg("%s: %s", text, why.text);
    return json;
}

/* Four options; up to `max` of them, or a rating of four stars. */
static struct poll *make_poll(enum poll_kind kind, unsigned max)
{
    struct poll *poll = poll_new();

    assert_non_null(poll);
    (void)snprintf(poll->id, sizeof poll->id, "p");
    poll->kind = kind;
    poll->n_options = 4;
    poll->min_choices = max > 1 ? 2 : 1;
    poll->max_choices = max;
    return poll;
}

static void a_choice_becomes_one_mark_for_each_option(void **state)
{
    static const struct {
        const char *body;
        enum poll_kind kind;
        unsigned max;
        uint64_t marks;
    } rows[] = {
        { "{\"option\":1}", POLL_CHOICE, 1, 1 },
        { "{\"option\":4}", POLL_CHOICE, 1, 8 },
        { "{\"options\":[2]}", POLL_CHOICE, 1, 2 },
        { "{\"options\":[3,1]}", POLL_CHOICE, 3, 5 },
        { "{\"rating\":4}", POLL_RATING, 1, 8 },
        { "{\"option\":2}", POLL_RATING, 1, 2 },
        { "{\"voter\":\"v\",\"option\":2,\"token\":\"t\"}", POLL_CHOICE, 1, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = make_poll(rows[i].kind, rows[i].max);
        AUTO(json) json = parse(rows[i].body);
        struct refusal refusal;
        uint64_t marks = 0;

        if (!choice_read(json_root(json), poll, &marks, &refusal) || marks != rows[i].marks)
            fail_msg("%s: marks %llu", rows[i].body, (unsigned long long)marks);
    }
}

static void a_bad_choice_is_refused_with_a_pointer(void **state)
{
    static const struct {
        const char *body;
        unsigned max;
        const char *pointer;
    } rows[] = {
        { "{}", 1, "" },
        { "{\"option\":1,\"options\":[1]}", 1, "" },
        { "{\"option\":0}", 1, "/option" },
        { "{\"option\":5}", 1, "/option" },
        { "{\"option\":-1}", 1, "/option" },
        { "{\"option\":1.0}", 1, "/option" },
        { "{\"option\":\"1\"}", 1, "/option" },
        { "{\"option\":18446744073709551617}", 1, "/option" },
        { "{\"rating\":2}", 1, "/rating" },
        { "{\"options\":2}", 3, "/options" },
        { "{\"options\":[]}", 3, "/options" },
        { "{\"options\":[1]}", 3, "/options" },
        { "{\"options\":[1,2,3,4]}", 3, "/options" },
        { "{\"options\":[1,2,1]}", 3, "/options/2" },
        { "{\"options\":[1,9]}", 3, "/options/1" },
        { "{\"options\":[1,2]}", 1, "/options" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = make_poll(POLL_CHOICE, rows[i].max);
        AUTO(json) json = parse(rows[i].body);
        struct refusal refusal = { .problem = PROBLEM_NONE };
        uint64_t marks;

        if (choice_read(json_root(json), poll, &marks, &refusal))
            fail_msg("%s was taken", rows[i].body);
        if (refusal.problem != PROBLEM_INVALID || refusal.n_errors == 0 ||
            strcmp(refusal.errors[0].where, rows[i].pointer) != 0)
            fail_msg("%s: problem %d at '%s'", rows[i].body, (int)refusal.problem,
                     refusal.n_errors > 0 ? refusal.errors[0].where : "(none)");
    }
}

static void a_member_that_is_not_known_is_named(void **state)
{
    AUTO(json) json = parse("{\"option\":1,\"voted\":\"x\"}");
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct naming naming;

    (void)state;
    assert_false(naming_read(json_root(json), ballot_member, &naming, &refusal));
    assert_string_equal(refusal.errors[0].where, "/voted");
}

static void a_retraction_takes_no_choice(void **state)
{
    AUTO(json) json = parse("{\"option\":1,\"voter\":\"x\"}");
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct naming naming;

    (void)state;
    assert_false(naming_read(json_root(json), NULL, &naming, &refusal));
    assert_string_equal(refusal.errors[0].where, "/option");
}

static void a_voter_is_a_string(void **state)
{
    AUTO(json) json = parse("{\"option\":1,\"voter\":7}");
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct naming naming;

    (void)state;
    assert_false(naming_read(json_root(json), ballot_member, &naming, &refusal));
    assert_string_equal(refusal.errors[0].where, "/voter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_becomes_one_mark_for_each_option),
        cmocka_unit_test(a_bad_choice_is_refused_with_a_pointer),
        cmocka_unit_test(a_member_that_is_not_known_is_named),
        cmocka_unit_test(a_retraction_takes_no_choice),
        cmocka_unit_test(a_voter_is_a_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
