/*
 * takeover/readable_test.c - what readers saw of what was stored.
 */
#include "readable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_text_is_what_readers_saw(void **state)
{
    static const struct {
        const char *when;
        enum stored_as as;
        const char *stored;
        const char *shown;
    } rows[] = {
        { "plain text stays", STORED_PLAIN, "a <b> &amp; \\'", "a <b> &amp; \\'" },
        { "spaces are joined", STORED_PLAIN, "  a \t\n b\xC2\xA0 ", "a b" },
        { "slashes go", STORED_SLASHED_HTML, "It\\'s \\\\ \\\"x\\\"", "It's \\ \"x\"" },
        { "slashes stay in HTML", STORED_HTML, "It\\'s", "It\\'s" },
        { "a slash at the end goes", STORED_SLASHED_HTML, "a\\", "a" },
        { "tags go", STORED_HTML, "<b class='>'>a</b>b", "ab" },
        { "lines are two words", STORED_HTML, "a<br/>b<p>c", "a b c" },
        { "a picture is its alternative", STORED_HTML, "<img src=x alt=\"a &amp; b\">", "a & b" },
        { "no tag is none", STORED_HTML, "1 < 2 <3 a<", "1 < 2 <3 a<" },
        { "a tag without an end is text", STORED_HTML, "a <b", "a <b" },
        { "comments go", STORED_HTML, "a<!-- b > c -->d", "ad" },
        { "a comment may end nowhere", STORED_HTML, "a<!-- b > c", "a" },
        { "scripts go", STORED_HTML, "a<script>if (1<2) b()</SCRIPT>c", "ac" },
        { "names", STORED_HTML, "&laquo;&eacute;&raquo; &mdash; &apos;",
          "\xC2\xAB\xC3\xA9\xC2\xBB "
          "\xE2\x80\x94 '" },
        { "numbers", STORED_HTML, "&#8217;&#x1F600;&#65;",
          "\xE2\x80\x99\xF0\x9F\x98\x80"
          "A" },
        { "old numbers", STORED_HTML, "&#150;&#128;", "\xE2\x80\x93\xE2\x82\xAC" },
        { "what is no entity stays", STORED_HTML, "&nonsense; & &# &#xD800; &;",
          "&nonsense; & &# &#xD800; &;" },
        { "an entity makes no tag", STORED_HTML, "&lt;b&gt;", "<b>" },
        { "nothing", STORED_SLASHED_HTML, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BYTES char *shown = readable(str_of(rows[i].stored), rows[i].as);

        assert_non_null(shown);
        if (strcmp(shown, rows[i].shown) != 0)
            fail_msg("%s: \"%s\" became \"%s\"", rows[i].when, rows[i].stored, shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_text_is_what_readers_saw) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
