/*
 * Languages: the same keys and placeholders everywhere, plural forms, separators, dates.
 */
#include "web/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct words *in(const char *tag)
{
    return words_find(str_of(tag));
}

/* The names in braces, each once, in the order of their first letters' places in the English. */
static bool has_placeholder(const char *text, struct str name)
{
    char braced[40];

    (void)snprintf(braced, sizeof braced, "{%.*s}", (int)name.len, name.at);
    return strstr(text, braced) != NULL;
}

static bool covers(const char *text, const char *placeholders_of)
{
    struct str rest = str_of(placeholders_of);

    while (rest.len > 0) {
        size_t open = str_find(rest, '{');
        size_t close = str_find(rest, '}');

        if (open >= rest.len)
            return true;
        if (!has_placeholder(text, (struct str){ rest.at + open + 1, close - open - 1 }))
            return false;
        rest = str_from(rest, close + 1);
    }
    return true;
}

static bool counts(enum word word)
{
    return words_all[0]->texts[word][PLURAL_ONE] != NULL;
}

static void every_language_says_every_word_with_the_same_placeholders(void **state)
{
    (void)state;
    assert_true(words_all_count >= 2);
    assert_string_equal(words_all[0]->tag, "en");
    for (size_t i = 0; i < words_all_count; i++) {
        for (enum word word = 0; word < WORDS_COUNT; word++) {
            const char *english = words_text(words_all[0], word);

            for (enum plural form = 0; form < PLURAL_FORMS; form++) {
                const char *text = words_all[i]->texts[word][form];

                if (!text)
                    continue;
                if (!covers(text, english) || !covers(english, text))
                    fail_msg("%s: %s has other placeholders: %s", words_all[i]->tag,
                             word_keys[word], text);
                if (!counts(word) && form != PLURAL_OTHER)
                    fail_msg("%s: %s counts nothing in English", words_all[i]->tag,
                             word_keys[word]);
            }
        }
    }
}

/* Every form that a number can ask for is there. */
static void every_word_that_counts_has_every_form_of_its_language(void **state)
{
    (void)state;
    for (size_t i = 0; i < words_all_count; i++) {
        for (enum word word = 0; word < WORDS_COUNT; word++) {
            for (uint64_t n = 0; counts(word) && n < 200; n++) {
                enum plural form = plural_of(words_all[i]->rule, n);

                if (!words_all[i]->texts[word][form])
                    fail_msg("%s: %s has no form for %d", words_all[i]->tag, word_keys[word],
                             (int)n);
            }
        }
    }
}

static void counts_take_the_plural_form_of_the_language(void **state)
{
    static const struct {
        const char *tag;
        uint64_t n;
        const char *said;
    } rows[] = {
        { "en", 0, "0 votes" },
        { "en", 1, "1 vote" },
        { "en", 1234567, "1,234,567 votes" },
        { "ru", 0, "0 голосов" },
        { "ru", 1, "1 голос" },
        { "ru", 2, "2 голоса" },
        { "ru", 4, "4 голоса" },
        { "ru", 5, "5 голосов" },
        { "ru", 11, "11 голосов" },
        { "ru", 12, "12 голосов" },
        { "ru", 14, "14 голосов" },
        { "ru", 21, "21 голос" },
        { "ru", 22, "22 голоса" },
        { "ru", 111, "111 голосов" },
        { "ru", 112, "112 голосов" },
        { "ru", 1001, "1\u00a0001 голос" },
        { "ru", INT64_MAX, "9\u00a0223\u00a0372\u00a0036\u00a0854\u00a0775\u00a0807 голосов" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF out = { 0 };

        words_count(in(rows[i].tag), WORD_VOTES, rows[i].n, &out);
        if (!str_eq(buf_str(&out), str_of(rows[i].said)))
            fail_msg("%s: got %.*s", rows[i].said, (int)out.len, out.bytes);
    }
}

static void a_language_is_found_by_lookup_and_else_it_is_english(void **state)
{
    (void)state;
    assert_string_equal(in("ru")->tag, "ru");
    assert_string_equal(in("ru-RU")->tag, "ru");
    assert_string_equal(in("RU")->tag, "ru");
    assert_string_equal(in("fr")->tag, "en");
    assert_string_equal(in("")->tag, "en");
}

static void a_reader_gets_what_is_wanted_then_accepted_then_what_is_shown(void **state)
{
    static const struct {
        const char *wanted;
        const char *accept;
        const char *otherwise;
        const char *got;
    } rows[] = {
        { "ru", "en", "en", "ru" },
        { "", "ru-RU, en;q=0.5", "en", "ru" },
        { "fr", "en", "ru", "en" },
        { "fr", "fr", "ru", "ru" },
        { "", "", "ru", "ru" },
        { "", "", "fr", "en" },
        { "", "de, en;q=0.3", "ru", "en" },
        { "", "de", "", "en" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct words *got =
            words_choose(str_of(rows[i].wanted), str_of(rows[i].accept), str_of(rows[i].otherwise));

        if (strcmp(got->tag, rows[i].got) != 0)
            fail_msg("%s; %s; %s: got %s", rows[i].wanted, rows[i].accept, rows[i].otherwise,
                     got->tag);
    }
}

static void means_and_moments_are_written_as_the_language_has_them(void **state)
{
    AUTO_BUF out = { 0 };

    (void)state;
    words_hundredths(in("en"), 367, &out);
    buf_char(&out, ' ');
    words_hundredths(in("ru"), 450, &out);
    buf_char(&out, ' ');
    words_hundredths(in("ru"), 500, &out);
    buf_char(&out, ' ');
    words_hundredths(in("en"), 105, &out);
    assert_true(str_eq(buf_str(&out), STR("3.67 4,5 5 1.05")));
    buf_clear(&out);
    words_moment(in("en"), 1795423212000, &out);
    assert_true(str_eq(buf_str(&out), STR("23 November 2026, 08:40 UTC")));
    buf_clear(&out);
    words_moment(in("ru"), 1795423212000, &out);
    assert_true(str_eq(buf_str(&out), STR("23 ноября 2026 г., 08:40 UTC")));
}

static void shout(struct buf *out, struct str piece)
{
    buf_char(out, '<');
    buf_str_add(out, piece);
    buf_char(out, '>');
}

static void a_text_is_filled_in_and_only_its_own_pieces_are_escaped(void **state)
{
    struct word_value values[] = { { "b", STR("2") }, { "a", STR("{b}") } };
    AUTO_BUF out = { 0 };

    (void)state;
    words_fill("x{a}y{b}{c}", values, 2, shout, &out);
    assert_true(str_eq(buf_str(&out), STR("<x>{b}<y>2<>")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_language_says_every_word_with_the_same_placeholders),
        cmocka_unit_test(every_word_that_counts_has_every_form_of_its_language),
        cmocka_unit_test(counts_take_the_plural_form_of_the_language),
        cmocka_unit_test(a_language_is_found_by_lookup_and_else_it_is_english),
        cmocka_unit_test(a_reader_gets_what_is_wanted_then_accepted_then_what_is_shown),
        cmocka_unit_test(means_and_moments_are_written_as_the_language_has_them),
        cmocka_unit_test(a_text_is_filled_in_and_only_its_own_pieces_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
