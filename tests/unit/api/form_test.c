/*
 * A vote as a browser's form sends it.
 */
#include "api/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct poll *poll_of(enum poll_kind kind, unsigned most)
{
    struct poll *poll = poll_new();

    assert_non_null(poll);
    poll->kind = kind;
    poll->n_options = 4;
    poll->min_choices = 1;
    poll->max_choices = most;
    return poll;
}

static void a_form_gives_marks_or_says_why_not(void **state)
{
    static const struct {
        const char *body;
        enum poll_kind kind;
        unsigned most;
        enum problem problem;
        uint64_t marks;
    } rows[] = {
        { "option=2", POLL_CHOICE, 1, PROBLEM_NONE, 2 },
        { "option=%32", POLL_CHOICE, 1, PROBLEM_NONE, 2 },
        { "x=%zz&option=2&&y", POLL_CHOICE, 1, PROBLEM_NONE, 2 },
        { "option=1&option=4", POLL_CHOICE, 2, PROBLEM_NONE, 9 },
        { "rating=4", POLL_RATING, 1, PROBLEM_NONE, 8 },
        { "rating=4", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=4", POLL_RATING, 1, PROBLEM_INVALID, 0 },
        { "option=1&option=4", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=1&option=1", POLL_CHOICE, 2, PROBLEM_INVALID, 0 },
        { "", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=0", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=5", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=+2", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=18446744073709551618", POLL_CHOICE, 1, PROBLEM_INVALID, 0 },
        { "option=%", POLL_CHOICE, 1, PROBLEM_MALFORMED, 0 },
        { "option=%3", POLL_CHOICE, 1, PROBLEM_MALFORMED, 0 },
        { "option=%3g", POLL_CHOICE, 1, PROBLEM_MALFORMED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = poll_of(rows[i].kind, rows[i].most);
        struct refusal refusal = { .problem = PROBLEM_NONE };
        struct form form;
        bool ok = form_read(str_of(rows[i].body), poll, &form, &refusal);

        if (ok != (rows[i].problem == PROBLEM_NONE) || refusal.problem != rows[i].problem ||
            (ok && form.marks != rows[i].marks))
            fail_msg("%s: problem %d, marks %llu", rows[i].body, (int)refusal.problem,
                     (unsigned long long)form.marks);
    }
}

static void the_page_of_the_form_is_decoded_and_limited(void **state)
{
    AUTO(poll) poll = poll_of(POLL_CHOICE, 1);
    char body[FORM_PAGE_BYTES_MAX + 32] = "option=1&page=";
    struct refusal refusal;
    struct form form;

    (void)state;
    assert_true(form_read(STR("page=a%2Cb&option=1"), poll, &form, &refusal));
    assert_true(str_eq((struct str){ form.page, form.page_len }, STR("a,b")));
    memset(body + 14, 'x', FORM_PAGE_BYTES_MAX);
    assert_true(form_read((struct str){ body, 14 + FORM_PAGE_BYTES_MAX }, poll, &form, &refusal));
    body[14 + FORM_PAGE_BYTES_MAX] = 'x';
    assert_false(form_read((struct str){ body, 15 + FORM_PAGE_BYTES_MAX }, poll, &form, &refusal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_gives_marks_or_says_why_not),
        cmocka_unit_test(the_page_of_the_form_is_decoded_and_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
