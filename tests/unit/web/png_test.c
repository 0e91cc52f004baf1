/*
 * unit/web/png_test.c - the module that draws PNG: loaded, missing, and one that does not fit.
 *
 * TALLYD_PNG is the path of the one that was built, "" where none was.
 */
#include "web/png.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void draw_sheet(struct drawing *drawing)
{
    drawing->width = 600;
    drawing->width_px = 1200;
    drawing_begin(drawing);
    draw_rect(drawing, INK_BAR, 10, 10, 100, 20, 3);
    draw_text(drawing, INK_TEXT, 10, 60, ALIGN_LEFT, (struct lettering){ .size = 14 },
              STR("A \u05e9\u05dc\u05d5\u05dd \U0001f600"), 0);
    drawing_end(drawing, 315, 630);
}

/* What is loaded from `path`; `ret_why` begins as "". */
static enum png_rendered try_module(const char *path, struct why *ret_why)
{
    AUTO(png) png = png_new(path);
    AUTO_DRAWING drawing = { 0 };
    AUTO_BUF out = { 0 };

    assert_non_null(png);
    *ret_why = (struct why){ "" };
    draw_sheet(&drawing);
    return png_render(png, &drawing, &out, ret_why);
}

static void a_png_has_the_size_that_was_asked_for(void **state)
{
    static const unsigned char head[] = {
        0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
        'I',  'H', 'D', 'R', 0,    0,    4,    0xb0, 0, 0, 2, 0x76
    };
    const char *path = getenv("TALLYD_PNG");
    AUTO(png) png = NULL;
    AUTO_DRAWING drawing = { 0 };
    struct why why;

    (void)state;
    assert_non_null(path);
    assert_int_equal(png_is_built_in(), path[0] != '\0');
    if (!png_is_built_in())
        return; /* there is nothing to load */
    png = png_new(path);
    assert_non_null(png);
    draw_sheet(&drawing);
    for (int i = 0; i < 2; i++) {
        AUTO_BUF out = { 0 };

        assert_int_equal(png_render(png, &drawing, &out, &why), PNG_RENDERED);
        assert_true(out.len > sizeof head);
        assert_memory_equal(out.bytes, head, sizeof head);
    }
}

static void what_is_missing_or_no_module_is_named_with_the_reason(void **state)
{
    char folder[] = "/tmp/tallyd-png-XXXXXX";
    char path[64];
    FILE *file;
    struct why why;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/module.so", folder);
    assert_int_equal(try_module(path, &why), PNG_NO_MODULE);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, "No such file"));
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("this is no library", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(try_module(path, &why), PNG_NO_MODULE);
    assert_non_null(strstr(why.text, path));
    assert_null(strstr(why.text, "No such file"));
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A copy of the built module that says it is of another version. */
static void write_other_version(FILE *from, FILE *to)
{
    static const char version[] = TALLYD_VERSION;
    AUTO_BUF bytes = { 0 };
    char some[4096];
    size_t n;
    size_t changed = 0;

    while ((n = fread(some, 1, sizeof some, from)) > 0)
        buf_add(&bytes, some, n);
    assert_true(buf_ok(&bytes));
    for (size_t i = 0; i + sizeof version <= bytes.len; i++) {
        if (memcmp(bytes.bytes + i, version, sizeof version) == 0) {
            bytes.bytes[i] = '~';
            changed++;
        }
    }
    assert_true(changed > 0);
    assert_int_equal(fwrite(bytes.bytes, 1, bytes.len, to), bytes.len);
}

static void a_module_of_another_build_is_given_no_drawing(void **state)
{
    char path[] = "/tmp/tallyd-png-XXXXXX";
    int fd;
    FILE *from;
    FILE *to;
    struct why why;

    (void)state;
    if (!png_is_built_in())
        return; /* there is nothing to copy */
    fd = mkstemp(path);
    from = fopen(getenv("TALLYD_PNG"), "rb");
    to = fd < 0 ? NULL : fdopen(fd, "wb");
    assert_non_null(from);
    assert_non_null(to);
    write_other_version(from, to);
    assert_int_equal(fclose(from), 0);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(try_module(path, &why), PNG_NO_MODULE);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, "not of the same build"));
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_has_the_size_that_was_asked_for),
        cmocka_unit_test(what_is_missing_or_no_module_is_named_with_the_reason),
        cmocka_unit_test(a_module_of_another_build_is_given_no_drawing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
