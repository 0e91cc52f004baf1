/*
 * unit/core/language_test.c - which language a reader gets.
 */
#include "core/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_tag_is_letters_and_digits_in_runs_of_8(void **state)
{
    static const struct {
        const char *tag;
        bool ok;
    } rows[] = {
        { "en", true },
        { "ru-RU", true },
        { "zh-Hant-TW", true },
        { "x", true },
        { "de-1996", true },
        { "abcdefgh", true },
        { "abcdefghi", false },
        { "", false },
        { "-en", false },
        { "en-", false },
        { "en--GB", false },
        { "en_GB", false },
        { "*", false },
        { "en GB", false },
        { "\xC3\xA9", false },
        { "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa", true }, /* 35 bytes */
        { "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaa-a", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (language_tag_ok(str_of(rows[i].tag)) != rows[i].ok)
            fail_msg("%s", rows[i].tag);
    }
}

static void the_wanted_language_goes_first_then_what_is_accepted(void **state)
{
    static const char *const tags[] = { "en", "ru", "zh-Hant", "pt-BR", "fr-x" };
    static const struct {
        const char *wanted;
        const char *accept;
        const char *got;
    } rows[] = {
        { "", "", "en" },
        { "ru", "", "ru" },
        { "RU-ru", "", "ru" },
        { "ru-RU-x-private", "", "ru" },
        { "zh-Hant-x-private", "", "zh-Hant" },
        { "zh-Hant-TW", "", "zh-Hant" },
        { "fr-x-private", "", "en" }, /* x goes with what it introduces */
        { "zh", "", "en" },
        { "pt", "", "en" },
        { "pt-br", "", "pt-BR" },
        { "ru", "en", "ru" },
        { "fr", "ru", "ru" },
        { "bad tag", "ru", "ru" },
        { "*", "ru", "ru" },
        { "", "ru", "ru" },
        { "", "ru-RU,ru;q=0.9,en;q=0.8", "ru" },
        { "", "en;q=0.8, ru;q=0.9", "ru" },
        { "", "en;q=0.9,ru;q=0.9", "en" },
        { "", "ru;q=0.9,en;q=0.9", "ru" },
        { "", "fr, de;q=0.9, ru;q=0.1", "ru" },
        { "", "fr", "en" },
        { "", "*", "en" },
        { "", "*, ru;q=0.5", "ru" },
        { "", "fr, *;q=0.5", "en" },
        { "", "en;q=0", "ru" },
        { "", "en;q=0, *", "ru" },
        { "", "en;q=0.000, ru;q=0", "zh-Hant" },
        { "", "en-GB, en;q=0", "ru" },
        { "", "*;q=0", "en" },
        { "", "*;q=0, ru", "ru" },
        { "", "ru ; q=0.5 , en;q=0.4", "ru" },
        { "", "en;q=1.001, ru;q=0.1", "ru" },
        { "", "en;q=0.1234, ru;q=0.1", "ru" },
        { "", "en;q=2, ru;q=0.1", "ru" },
        { "", "en;q=, ru;q=0.1", "ru" },
        { "", "en;level=1, ru;q=0.1", "ru" },
        { "", "e n, ru;q=0.1", "ru" },
        { "", ",, ,ru", "ru" },
        { "", "en;q=0.5,ru;q=1.000", "ru" },
        { "", "en;Q=0.5,ru;Q=1.", "ru" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t got = language_choose(tags, 5, str_of(rows[i].wanted), str_of(rows[i].accept));

        if (strcmp(tags[got], rows[i].got) != 0)
            fail_msg("wanted \"%s\", accept \"%s\": got %s", rows[i].wanted, rows[i].accept,
                     tags[got]);
    }
}

static void a_text_without_a_language_is_the_default_and_never_found(void **state)
{
    static const char *const tags[] = { NULL, "ru" };

    (void)state;
    assert_int_equal(language_choose(tags, 2, STR("en"), STR("en")), 0);
    assert_int_equal(language_choose(tags, 2, STR(""), STR("ru")), 1);
    assert_int_equal(language_choose(tags, 1, STR("ru"), STR("ru, *;q=0")), 0);
}

static void a_text_gives_the_language_or_its_first(void **state)
{
    char en[] = "en";
    char ru[] = "ru";
    char hello[] = "hello";
    char privet[] = "privet";
    struct text_in both[] = { { en, hello }, { ru, privet } };
    struct text_in plain[] = { { NULL, hello } };
    struct text text = { 2, both };
    struct text one = { 1, plain };

    (void)state;
    assert_string_equal(text_value(&text, "ru-RU"), "privet");
    assert_string_equal(text_value(&text, "fr"), "hello");
    assert_string_equal(text_value(&text, NULL), "hello");
    assert_string_equal(text_value(&one, "ru"), "hello");
    assert_string_equal(text_value(&one, NULL), "hello");
    assert_true(text_eq(&text, &text));
    assert_false(text_eq(&text, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_letters_and_digits_in_runs_of_8),
        cmocka_unit_test(the_wanted_language_goes_first_then_what_is_accepted),
        cmocka_unit_test(a_text_without_a_language_is_the_default_and_never_found),
        cmocka_unit_test(a_text_gives_the_language_or_its_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
