/*
 * Text into HTML: whatever it is, it comes out as text.
 */
#include "web/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct buf *out, const char *wanted)
{
    if (!str_eq(buf_str(out), str_of(wanted)))
        fail_msg("%s: got %.*s", wanted, (int)out->len, out->bytes);
}

static void text_is_escaped_for_elements_and_attributes(void **state)
{
    static const struct {
        const char *text;
        const char *html;
    } rows[] = {
        { "", "" },
        { "plain", "plain" },
        { "<script>", "&lt;script&gt;" },
        { "a&b", "a&amp;b" },
        { "&amp;", "&amp;amp;" },
        { "\"quoted\" 'too'", "&quot;quoted&quot; &#39;too&#39;" },
        { "\u202e \U0001f389 Ы", "\u202e \U0001f389 Ы" },
        { "]]>--><!--", "]]&gt;--&gt;&lt;!--" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF out = { 0 };

        html_text(&out, str_of(rows[i].text));
        check(&out, rows[i].html);
    }
}

static void somebodys_text_stands_in_a_bdi_with_its_language(void **state)
{
    AUTO_BUF out = { 0 };

    (void)state;
    html_foreign(&out, "p", ":1", "ru", "<Да>");
    html_foreign(&out, NULL, NULL, NULL, "x");
    check(&out, "<bdi id=\"p:1\" lang=\"ru\">&lt;Да&gt;</bdi><bdi>x</bdi>");
}

static void a_moment_is_for_people_and_for_programs(void **state)
{
    AUTO_BUF out = { 0 };

    (void)state;
    html_moment(&out, words_find(STR("en")), WORD_CLOSES, 1795423212000);
    check(&out, "Voting ends on <time datetime=\"2026-11-23T08:40:12Z\">"
                "23 November 2026, 08:40 UTC</time>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_for_elements_and_attributes),
        cmocka_unit_test(somebodys_text_stands_in_a_bdi_with_its_language),
        cmocka_unit_test(a_moment_is_for_people_and_for_programs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
