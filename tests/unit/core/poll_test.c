/*
 * unit/core/poll_test.c - ids, phases, languages, hidden results, copies.
 */
#include "core/poll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void an_id_is_as_the_contract_says(void **state)
{
    static const struct {
        const char *id;
        bool ok;
    } rows[] = {
        { "a", true },    { "us-goals", true }, { "A.b_c~d-9", true }, { "0", true },
        { "", false },    { "-a", false },      { ".a", false },       { "_a", false },
        { "a b", false }, { "a/b", false },     { "a%20", false },     { "\xC3\xA9", false },
        { "a\n", false }, { "..", false },
    };
    char longest[130];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (poll_id_ok(str_of(rows[i].id)) != rows[i].ok)
            fail_msg("%s", rows[i].id);
    }
    memset(longest, 'a', sizeof longest);
    assert_true(poll_id_ok((struct str){ longest, 128 }));
    assert_false(poll_id_ok((struct str){ longest, 129 }));
    assert_false(poll_id_ok((struct str){ "a\0b", 3 }));
}

static void the_phase_is_exact_to_the_millisecond(void **state)
{
    static const struct {
        const char *when;
        int64_t opens;
        int64_t closes;
        enum poll_state set;
        int64_t closed;
        int64_t now;
        enum poll_phase phase;
        int64_t next;
        int64_t since;
    } rows[] = {
        { "no times", WHEN_NEVER, WHEN_NEVER, STATE_OPEN, WHEN_NEVER, 50, PHASE_OPEN, WHEN_NEVER,
          WHEN_NEVER },
        { "before it opens", 1000, 2000, STATE_OPEN, WHEN_NEVER, 999, PHASE_SCHEDULED, 1000,
          WHEN_NEVER },
        { "as it opens", 1000, 2000, STATE_OPEN, WHEN_NEVER, 1000, PHASE_OPEN, 2000, WHEN_NEVER },
        { "before it closes", 1000, 2000, STATE_OPEN, WHEN_NEVER, 1999, PHASE_OPEN, 2000,
          WHEN_NEVER },
        { "as it closes", 1000, 2000, STATE_OPEN, WHEN_NEVER, 2000, PHASE_CLOSED, WHEN_NEVER,
          2000 },
        { "only opens_at", 1000, WHEN_NEVER, STATE_OPEN, WHEN_NEVER, 1000, PHASE_OPEN, WHEN_NEVER,
          WHEN_NEVER },
        { "closed by hand", 1000, 2000, STATE_CLOSED, 1500, 1600, PHASE_CLOSED, WHEN_NEVER, 1500 },
        { "by hand, then by time", 1000, 2000, STATE_CLOSED, 1500, 2600, PHASE_CLOSED, WHEN_NEVER,
          1500 },
        { "by time, then by hand", 1000, 2000, STATE_CLOSED, 2500, 2600, PHASE_CLOSED, WHEN_NEVER,
          2000 },
        { "by hand before it opens", 1000, 2000, STATE_CLOSED, 100, 200, PHASE_CLOSED, WHEN_NEVER,
          100 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = poll_new();

        assert_non_null(poll);
        poll->opens_at_ms = rows[i].opens;
        poll->closes_at_ms = rows[i].closes;
        poll->state = rows[i].set;
        poll->closed_at_ms = rows[i].closed;
        if (poll_phase(poll, rows[i].now) != rows[i].phase)
            fail_msg("%s: phase %s", rows[i].when, poll_phase_word(poll_phase(poll, rows[i].now)));
        if (poll_next_phase_ms(poll, rows[i].now) != rows[i].next)
            fail_msg("%s: next", rows[i].when);
        if (poll_closed_since_ms(poll, rows[i].now) != rows[i].since)
            fail_msg("%s: closed since", rows[i].when);
    }
}

static void results_are_hidden_as_the_contract_says(void **state)
{
    static const struct {
        enum poll_results results;
        enum poll_phase phase;
        bool stranger;
        bool voted;
    } rows[] = {
        { RESULTS_ALWAYS, PHASE_SCHEDULED, false, false },
        { RESULTS_ALWAYS, PHASE_OPEN, false, false },
        { RESULTS_ALWAYS, PHASE_CLOSED, false, false },
        { RESULTS_AFTER_VOTE, PHASE_SCHEDULED, true, false },
        { RESULTS_AFTER_VOTE, PHASE_OPEN, true, false },
        { RESULTS_AFTER_VOTE, PHASE_CLOSED, false, false },
        { RESULTS_AFTER_CLOSE, PHASE_SCHEDULED, true, true },
        { RESULTS_AFTER_CLOSE, PHASE_OPEN, true, true },
        { RESULTS_AFTER_CLOSE, PHASE_CLOSED, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = poll_new();

        assert_non_null(poll);
        poll->results = rows[i].results;
        if (poll_hides_results(poll, rows[i].phase, VIEWER_STRANGER) != rows[i].stranger ||
            poll_hides_results(poll, rows[i].phase, VIEWER_VOTED) != rows[i].voted ||
            poll_hides_results(poll, rows[i].phase, VIEWER_TRUSTED))
            fail_msg("%s, %s", poll_results_word(rows[i].results), poll_phase_word(rows[i].phase));
    }
}

static void text_set(struct text *text, const char *const (*pairs)[2], size_t n)
{
    text->n = n;
    text->in = calloc(n, sizeof *text->in);
    assert_non_null(text->in);
    for (size_t i = 0; i < n; i++) {
        text->in[i].language = pairs[i][0] ? str_copy(str_of(pairs[i][0])) : NULL;
        text->in[i].value = str_copy(str_of(pairs[i][1]));
    }
}

static struct poll *poll_with_texts(void)
{
    static const char *const title[][2] = { { "en", "Title" }, { "ru", "Zagolovok" } };
    static const char *const label[][2] = { { "EN", "One" }, { "de", "Eins" } };
    static const char *const plain[][2] = { { NULL, "Two" } };
    struct poll *poll = poll_new();

    assert_non_null(poll);
    poll->n_options = 2;
    text_set(&poll->title, title, 2);
    text_set(&poll->labels[0], label, 2);
    text_set(&poll->labels[1], plain, 1);
    poll->about.url = str_copy(STR("https://example.org/"));
    return poll;
}

static void its_languages_are_the_titles_then_the_labels(void **state)
{
    AUTO(poll) poll = poll_with_texts();
    const char *tags[TEXT_LANGUAGES_MAX];

    (void)state;
    assert_int_equal(poll_languages(poll, tags), 3);
    assert_string_equal(tags[0], "en");
    assert_string_equal(tags[1], "ru");
    assert_string_equal(tags[2], "de");
    free(poll->title.in[0].language);
    free(poll->title.in[1].language);
    free(poll->title.in[1].value);
    poll->title.in[0].language = NULL;
    poll->title.n = 1;
    assert_int_equal(poll_languages(poll, tags), 3);
    assert_null(tags[0]);
    assert_string_equal(tags[1], "EN");
}

static void a_copy_shares_nothing_with_the_original(void **state)
{
    struct poll *poll = poll_with_texts();
    AUTO(poll) copy = NULL;

    (void)state;
    poll->number = 7;
    poll->salt[SALT_BYTES - 1] = 9;
    copy = poll_copy(poll);
    assert_non_null(copy);
    assert_ptr_equal(poll_ref(poll), poll);
    poll_free(poll);
    assert_string_equal(poll->title.in[0].value, "Title");
    poll_free(poll);
    poll_free(NULL);
    assert_int_equal(copy->number, 7);
    assert_int_equal(copy->salt[SALT_BYTES - 1], 9);
    assert_string_equal(copy->title.in[1].value, "Zagolovok");
    assert_string_equal(copy->labels[1].in[0].value, "Two");
    assert_string_equal(copy->about.url, "https://example.org/");
    assert_null(copy->about.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_as_the_contract_says),
        cmocka_unit_test(the_phase_is_exact_to_the_millisecond),
        cmocka_unit_test(results_are_hidden_as_the_contract_says),
        cmocka_unit_test(its_languages_are_the_titles_then_the_labels),
        cmocka_unit_test(a_copy_shares_nothing_with_the_original),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
