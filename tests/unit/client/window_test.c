/*
 * client/window_test.c - what goes through the window comes out once, in order, as it was.
 */
#include "window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define MANY 1300000U /* more than the ring holds twice */

static void feed(struct window *window, struct str text, bool ended)
{
    do {
        size_t room = 0;
        char *at = window_room(window, &room);
        size_t len = text.len < room ? text.len : room;

        assert_non_null(at);
        if (len > 0)
            memcpy(at, text.at, len);
        text = str_from(text, len);
        assert_true(window_added(window, len, ended && text.len == 0));
    } while (text.len > 0);
}

static struct str all_to_send(struct window *window, struct buf *out, size_t room)
{
    size_t len;

    buf_clear(out);
    do {
        char *at = buf_reserve(out, room);

        assert_non_null(at);
        len = window_send(window, at, room);
        out->len += len;
    } while (len > 0);
    return buf_str(out);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Line n, which can be told from every other. */
static int line_print(char text[32], uint64_t n)
{
    return snprintf(text, 32, "{\"line\":%ju}\n", (uintmax_t)n);
}

static void a_million_lines_come_out_in_order_whenever_they_are_answered(void **state)
{
    AUTO(window) window = window_new(WINDOW_NDJSON);
    AUTO_BUF text = { 0 };
    AUTO_BUF wire = { 0 };
    uint64_t seed = 20261123;
    uint64_t in = 0;
    uint64_t out = 0;

    (void)state;
    assert_non_null(window);
    while (out < MANY) {
        struct window_line line;
        uint64_t answers = random_next(&seed) % 30000;

        buf_clear(&text);
        for (uint64_t n = random_next(&seed) % 30000; n > 0 && in < MANY; n--) {
            char one[32];

            buf_add(&text, one, (size_t)line_print(one, ++in));
        }
        if (!window_full(window) || text.len == 0)
            feed(window, buf_str(&text), in == MANY);
        else
            in = out + window_count(window); /* not taken: they come again */
        if (random_next(&seed) % 8 == 0)
            window_rewind(window);
        (void)all_to_send(window, &wire, 4096);
        for (; answers > 0 && window_first(window, &line); answers--) {
            char one[32];
            size_t len = (size_t)line_print(one, ++out);

            assert_true(line.sent && !line.blank && !line.broken);
            assert_int_equal(line.number, out);
            assert_int_equal(line.text.len, len);
            assert_memory_equal(line.text.at, one, len);
            window_drop(window);
        }
    }
    assert_int_equal(window_count(window), 0);
    assert_int_equal(window_lines_done(window), MANY);
}

static void a_rewind_sends_what_has_no_answer(void **state)
{
    AUTO(window) window = window_new(WINDOW_NDJSON);
    AUTO_BUF wire = { 0 };

    (void)state;
    assert_non_null(window);
    feed(window, STR("a\nb\nc\nd"), false);
    assert_true(str_eq(all_to_send(window, &wire, 1), STR("a\nb\nc\n")));
    window_drop(window);
    assert_false(window_unsent(window));
    window_rewind(window);
    assert_true(window_unsent(window));
    assert_true(str_eq(all_to_send(window, &wire, 64), STR("b\nc\n")));
    feed(window, STR("d\n"), true);
    assert_true(str_eq(all_to_send(window, &wire, 64), STR("dd\n")));
    assert_int_equal(window_count(window), 3);
}

static void a_csv_record_is_sent_as_json_and_kept_as_it_was(void **state)
{
    AUTO(window) window = window_new(WINDOW_CSV);
    AUTO_BUF wire = { 0 };
    struct window_line line;
    size_t len;
    const struct str sent = STR("{\"poll\":\"p\",\"option\":1,\"voter\":\"v\"}\n"
                                "{\"poll\":\"q\",\"option\":2,\"voter\":\"w\"}\n");

    (void)state;
    assert_non_null(window);
    feed(window, STR("poll,opt"), false);
    assert_int_equal(window_header(window, &len), WINDOW_HEADER_LATER);
    feed(window, STR("ions,voter\nbroken\n\"p\",1,v\n\nq,2,w"), true);
    assert_int_equal(window_header(window, &len), WINDOW_HEADER_TAKEN);
    for (int again = 0; again < 2; again++) {
        assert_true(str_eq(all_to_send(window, &wire, 7), sent));
        window_rewind(window);
    }
    assert_true(window_first(window, &line) && line.broken && !line.sent);
    assert_int_equal(line.number, 2);
    window_drop(window);
    assert_true(window_first(window, &line) && !line.broken && !line.sent);
    assert_true(str_eq(all_to_send(window, &wire, 7), sent));
    assert_true(window_first(window, &line) && line.sent);
    assert_true(str_eq(line.text, STR("\"p\",1,v\n")));
    window_drop(window);
    assert_true(window_first(window, &line) && line.blank);
    window_drop(window);
    assert_true(window_first(window, &line) && line.sent);
    assert_int_equal(line.number, 5);
    assert_true(str_eq(line.text, STR("q,2,w\n")));
}

static void a_window_of_empty_lines_is_full_some_time(void **state)
{
    AUTO(window) window = window_new(WINDOW_NDJSON);
    unsigned blocks = 0;

    (void)state;
    assert_non_null(window);
    for (; !window_full(window) && blocks < 100; blocks++) {
        size_t room;
        char *at = window_room(window, &room);

        assert_non_null(at);
        memset(at, '\n', room);
        assert_true(window_added(window, room, false));
    }
    assert_true(blocks < 100);
    assert_true(window_count(window) >= WINDOW_LINES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_lines_come_out_in_order_whenever_they_are_answered),
        cmocka_unit_test(a_rewind_sends_what_has_no_answer),
        cmocka_unit_test(a_csv_record_is_sent_as_json_and_kept_as_it_was),
        cmocka_unit_test(a_window_of_empty_lines_is_full_some_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
