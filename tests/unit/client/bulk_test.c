/*
 * client/bulk_test.c - what an answer to one of many votes says.
 */
#include "bulk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void answers_are_read_however_they_are_written(void **state)
{
    static const struct {
        struct str text;
        enum bulk_result result;
        uint64_t line;
    } rows[] = {
        { STR("{\"line\":1,\"result\":\"counted\",\"seq\":1}"), BULK_COUNTED, 1 },
        { STR("{\"line\":1000000,\"result\":\"already\",\"seq\":17}"), BULK_ALREADY, 1000000 },
        { STR("{\"line\":12,\"result\":\"changed\",\"seq\":3}"), BULK_CHANGED, 12 },
        { STR(" { \"seq\" : 1, \"result\" : \"counted\", \"line\" : 5 } "), BULK_COUNTED, 5 },
        { STR("{\"line\":999999999999999999,\"result\":\"counted\"}"), BULK_COUNTED,
          999999999999999999 },
        { STR("{\"line\":2,\"status\":422,\"error\":\"invalid\",\"detail\":\"x\"}"), BULK_REFUSED,
          2 },
        { STR("{\"line\":2,\"status\":503,\"error\":\"busy\"}"), BULK_AGAIN, 2 },
        { STR("{\"line\":2,\"status\":429,\"error\":\"rate-limited\"}"), BULK_AGAIN, 2 },
        { STR("{\"line\":2,\"result\":\"lost\"}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":2}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":-2,\"result\":\"counted\"}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":1.5,\"result\":\"counted\"}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":9999999999999999999999,\"result\":\"counted\"}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":2,\"result\":\"counted\""), BULK_NONSENSE, 0 },
        { STR("{\"line\":,\"result\":\"counted\"}"), BULK_NONSENSE, 0 },
        { STR("{\"line\":2,\"status\":\"422\"}"), BULK_NONSENSE, 0 },
        { STR("[1]"), BULK_NONSENSE, 0 },
        { STR(""), BULK_NONSENSE, 0 },
        { STR("{\"line\":"), BULK_NONSENSE, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bulk_answer got = bulk_answer_read(rows[i].text);

        if (got.result != rows[i].result || got.line != rows[i].line)
            fail_msg("%.*s: got result %d, line %ju", (int)rows[i].text.len, rows[i].text.at,
                     (int)got.result, (uintmax_t)got.line);
    }
}

static void a_refusal_tells_its_detail_or_else_its_slug(void **state)
{
    struct bulk_answer detailed =
        bulk_answer_read(STR("{\"line\":2,\"status\":422,\"error\":\"e\",\"detail\":\"d\"}"));
    struct bulk_answer bare = bulk_answer_read(STR("{\"line\":2,\"status\":409,\"error\":\"e\"}"));

    (void)state;
    assert_true(str_eq(detailed.why, STR("\"d\"")));
    assert_int_equal(detailed.status, 422);
    assert_true(str_eq(bare.why, STR("\"e\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_however_they_are_written),
        cmocka_unit_test(a_refusal_tells_its_detail_or_else_its_slug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
