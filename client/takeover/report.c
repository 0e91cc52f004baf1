/*
 * report.c - what is told on stderr, clean of what a terminal might obey.
 *
 * Threads: main.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "screen.h"

#define LINE_BYTES_MAX 4096

static void line_write(const char *about, const char *text)
{
    AUTO_BUF line = { 0 };

    buf_text(&line, "tally-import: ");
    if (about)
        screen_text(&line, str_of(about));
    if (about)
        buf_text(&line, ": ");
    screen_text(&line, str_of(text));
    buf_char(&line, '\n');
    if (buf_ok(&line))
        (void)fwrite(line.bytes, 1, line.len, stderr);
}

void report(const char *about, const char *format, ...)
{
    char text[LINE_BYTES_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_write(about, text);
}

void report_fault(const struct fault *fault)
{
    line_write(NULL, fault->what);
    line_write(NULL, fault->how);
}
