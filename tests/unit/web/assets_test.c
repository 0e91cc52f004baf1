/*
 * Files that pages load: found by the name with their hash in it.
 */
#include "web/assets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_file_is_found_by_its_own_name(void **state)
{
    AUTO_BUF name = { 0 };
    struct asset asset;

    (void)state;
    asset_name_write("page.css", &name);
    assert_int_equal(name.len, sizeof "page-0123456789abcdef.css" - 1);
    assert_int_equal(asset_find(buf_str(&name), &asset), ASSET_CURRENT);
    assert_string_equal(asset.type, "text/css; charset=utf-8");
    assert_true(asset.bytes.len > 1000);
}

static void an_older_name_finds_the_file_of_today(void **state)
{
    struct asset asset;

    (void)state;
    assert_int_equal(asset_find(STR("page-0123456789abcdef.css"), &asset), ASSET_NEWER);
    assert_true(asset.bytes.len > 1000);
}

static void other_names_find_nothing(void **state)
{
    static const char *const names[] = { "",         "page.css",      "page-.css", "page-x.js",
                                         "page-css", "../page-x.css", "page-",     "icon-.svg" };
    struct asset asset;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (asset_find(str_of(names[i]), &asset) != ASSET_NONE)
            fail_msg("%s was found", names[i]);
    }
}

/* Browsers run what is left; tests/browser has the proof that it does what it should. */
static void scripts_and_styles_come_without_comments(void **state)
{
    static const char *const names[] = { "widget.js", "poll.css", "page.css" };
    const char *hash;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct asset asset = asset_named(names[i], &hash);

        assert_int_equal(strlen(hash), 16);
        if (strstr(asset.bytes.at, "/*") || strstr(asset.bytes.at, "  "))
            fail_msg("%s has comments or spaces", names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_found_by_its_own_name),
        cmocka_unit_test(an_older_name_finds_the_file_of_today),
        cmocka_unit_test(other_names_find_nothing),
        cmocka_unit_test(scripts_and_styles_come_without_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
