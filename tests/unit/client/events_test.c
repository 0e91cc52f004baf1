/*
 * client/events_test.c - server-sent events, whole and in pieces.
 */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void note(void *context, struct str name, struct str data)
{
    struct buf *seen = context;

    buf_char(seen, '[');
    buf_str_add(seen, name);
    buf_char(seen, '|');
    buf_str_add(seen, data);
    buf_char(seen, ']');
}

static const struct {
    const char *stream;
    const char *seen;
} rows[] = {
    { "retry: 2000\n\nevent: tally\nid: 7\ndata: {\"a\":1}\n\n", "[tally|{\"a\":1}]" },
    { "data: x\n\n", "[message|x]" },
    { "data: a\ndata: b\n\n", "[message|a\nb]" },
    { "data:a\n\ndata:  b\n\n", "[message|a][message| b]" },
    { "event: one\ndata: 1\r\n\r\nevent: two\r\ndata: 2\r\n\r\n", "[one|1][two|2]" },
    { "event: a\rdata: 1\r\rdata: 2\r\r", "[a|1][message|2]" },
    { "event: a\n\ndata: b\n\n", "[message|b]" }, /* a name without data is forgotten */
    { ": comment\n:\n\ndata: a\n: b\n\n", "[message|a]" },
    { "data\n\ndata\ndata\n\n", "[message|][message|\n]" },
    { "dat: a\ndataa: b\n data: c\n\n", "" },
    { "data: a:b: c\n\n", "[message|a:b: c]" },
    { "data: cut\n", "" },
    { "data: cut", "" },
    { "", "" },
};

/* piece  how many bytes come at once */
static void check(size_t row, size_t piece)
{
    __attribute__((cleanup(events_autofree))) struct events events = { .returned = false };
    AUTO_BUF seen = { 0 };
    struct str rest = str_of(rows[row].stream);

    while (rest.len > 0) {
        size_t n = rest.len < piece ? rest.len : piece;

        assert_true(events_read(&events, (struct str){ rest.at, n }, note, &seen));
        rest = str_from(rest, n);
    }
    if (!str_eq(buf_str(&seen), str_of(rows[row].seen)))
        fail_msg("row %zu by %zu: %.*s", row, piece, (int)seen.len, seen.bytes);
}

static void events_are_the_same_however_their_bytes_come(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (size_t piece = 1; piece < 100; piece++)
            check(row, piece);
    }
}

static void an_event_has_an_end(void **state)
{
    __attribute__((cleanup(events_autofree))) struct events events = { .returned = false };
    static char bytes[1 << 20];
    AUTO_BUF seen = { 0 };
    size_t n = 0;

    (void)state;
    while (events_read(&events, (struct str){ bytes, sizeof bytes }, note, &seen))
        assert_true(++n <= EVENT_BYTES_MAX / sizeof bytes);
    events_clear(&events);
    assert_true(events_read(&events, STR("data: a\n\n"), note, &seen));
    assert_true(str_eq(buf_str(&seen), STR("[message|a]")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_the_same_however_their_bytes_come),
        cmocka_unit_test(an_event_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
