/*
 * Files that pages load: found by the name with their hash in it.
 */
#include "web/assets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_found_by_its_own_name),
        cmocka_unit_test(an_older_name_finds_the_file_of_today),
        cmocka_unit_test(other_names_find_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
