/*
 * client/sparks_test.c - how votes grew, in bars.
 */
#include "sparks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT(hour, votes) "{\"at\":\"2026-11-23T" hour ":00:00Z\",\"votes\":" votes "}"
#define OF(points) "{\"id\":\"p\",\"step\":3600,\"points\":[" points "]}"

static void each_option_has_a_line_of_bars_by_the_hour(void **state)
{
    static const struct {
        const char *when;
        const char *history;
        size_t cells;
        const char *text;
    } rows[] = {
        { "hours without a change are there", OF(AT("00", "[0,2]") "," AT("04", "[8,2]")), 40,
          "a   ▁▁▁▁█\nbb  ▃▃▃▃▃\n" },
        { "they grow, as high as the most",
          OF(AT("00", "[0,7]") "," AT("01", "[1,7]") "," AT("02", "[3,7]") "," AT("03", "[7,7]")),
          40, "a   ▁▂▄█\nbb  ████\n" },
        { "a narrow line leaves hours out",
          OF(AT("00", "[0,0]") "," AT("12", "[0,1]") "," AT("23", "[1,1]")), 7,
          "a   ▁▁█\nbb  ▁▁█\n" },
        { "one point is one bar", OF(AT("00", "[1,0]")), 40, "a   █\nbb  ▁\n" },
        { "nobody has voted", OF(AT("00", "[0,0]") "," AT("01", "[0,0]")), 40, "a   ▁▁\nbb  ▁▁\n" },
        { "votes are taken back", OF(AT("00", "[2,0]") "," AT("01", "[0,0]")), 40,
          "a   █▁\nbb  ▁▁\n" },
        { "no room is room for one", OF(AT("00", "[1,0]") "," AT("09", "[2,0]")), 2,
          "a   █\nbb  ▁\n" },
        { "no points", OF(""), 40, "" },
        { "no history", "{}", 40, "" },
        { "no time", "{\"step\":1,\"points\":[{\"at\":\"yesterday\",\"votes\":[1]}]}", 40, "" },
        { "no step", "{\"points\":[" AT("00", "[1,1]") "]}", 40, "a   █\nbb  █\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_BUF out = { 0 };
        struct buf labels[2] = { { 0 }, { 0 } };

        buf_text(&labels[0], "a");
        buf_text(&labels[1], "bb");
        sparks_add(&out, str_of(rows[i].history), labels, 2, rows[i].cells);
        if (!str_eq(buf_str(&out), str_of(rows[i].text)))
            fail_msg("%s:\n%.*s", rows[i].when, (int)out.len, out.bytes);
        buf_free(&labels[0]);
        buf_free(&labels[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_has_a_line_of_bars_by_the_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
