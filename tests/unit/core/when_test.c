/*
 * unit/core/when_test.c - RFC 3339 on the way in.
 */
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"

static void a_time_is_the_second_it_names(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2026-11-23T08:40:12Z", 1795423212 },
        { "2026-11-23t08:40:12z", 1795423212 },
        { "2026-11-23T08:40:12.999999999Z", 1795423212 },
        { "2026-11-23T11:40:12+03:00", 1795423212 },
        { "2026-11-23T00:40:12-08:00", 1795423212 },
        { "2026-11-23T08:40:12-00:00", 1795423212 },
        { "2026-11-24T08:39:12+23:59", 1795423212 },
        { "1969-12-31T23:59:59.9Z", -1 },
        { "2000-02-29T12:00:00Z", 951825600 },
        { "2024-02-29T00:00:00Z", 1709164800 },
        { "2024-03-01T00:00:00Z", 1709251200 },
        { "2016-12-31T23:59:60Z", 1483228800 },
        { "2017-01-01T02:59:60.5+03:00", 1483228800 },
        { "2038-01-19T03:14:08Z", 2147483648 },
        { "0000-01-01T00:00:00Z", -62167219200 },
        { "0000-02-29T00:00:00Z", -62162121600 },
        { "9999-12-31T23:59:59Z", 253402300799 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;

        if (!when_parse(str_of(rows[i].text), &ms) || ms != rows[i].seconds * 1000)
            fail_msg("%s: got %lld", rows[i].text, (long long)ms);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "2026-11-23",
        "2026-11-23T08:40:12",
        "2026-11-23 08:40:12Z",
        "2026-11-23T08:40Z",
        "2026-11-23T08:40:12.Z",
        "2026-11-23T08:40:12,5Z",
        "2026-11-23T08:40:12ZZ",
        "2026-11-23T08:40:12Z ",
        " 2026-11-23T08:40:12Z",
        "2026-11-23T08:40:12+0300",
        "2026-11-23T08:40:12+03",
        "2026-11-23T08:40:12+24:00",
        "2026-11-23T08:40:12+03:60",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:40:61Z",
        "2026-11-23T08:40:60Z",
        "2016-12-31T23:59:60+03:00",
        "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "26-11-23T08:40:12Z",
        "+2026-11-23T08:40:12Z",
        "2026-1-23T08:40:12Z",
        "20261123T084012Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 7;

        if (when_parse(str_of(rows[i]), &ms))
            fail_msg("%s: taken as %lld", rows[i], (long long)ms);
        assert_true(ms == 7);
    }
}

static void days_of_all_years_are_shown_as_they_were_read(void **state)
{
    (void)state;
    for (int64_t day = -62167219200 / 86400; day < 253402300800 / 86400; day += 29) {
        AUTO_BUF text = { 0 };
        int64_t ms = 0;

        buf_time(&text, day * 86400000);
        if (!when_parse(buf_str(&text), &ms) || ms != day * 86400000)
            fail_msg("%.*s: got %lld", (int)text.len, text.bytes, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_the_second_it_names),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(days_of_all_years_are_shown_as_they_were_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
