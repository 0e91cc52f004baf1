/*
 * store_url_test.c - a store's URL as it is shown: without a password.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/store.h"

static void no_password_of_a_url_is_ever_shown(void **state)
{
    static const struct {
        const char *url;
        const char *shown;
    } rows[] = {
        { "sqlite:/srv/a:b@c/tally.db", "sqlite:/srv/a:b@c/tally.db" },
        { "postgresql://tally@db/tally", "postgresql://tally@db/tally" },
        { "postgresql://tally:secret@db:5432/tally", "postgresql://tally@db:5432/tally" },
        { "postgresql://db1:5432,db2:5433/tally", "postgresql://db1:5432,db2:5433/tally" },
        { "postgresql:///t?host=/run&password=secret&port=1", "postgresql:///t?host=/run&&port=1" },
        { "postgresql:///t?password=a&sslpassword=b", "postgresql:///t?&ssl" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *shown = store_url_shown(rows[i].url);

        if (strcmp(shown, rows[i].shown) != 0)
            fail_msg("%s: got %s", rows[i].url, shown);
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_password_of_a_url_is_ever_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
