/*
 * base/log.c - one line an event, to stderr.
 *
 * Threads: log_setup() main, before others start; log_line() any.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_LINE_BYTES_MAX 2048

static struct {
    enum log_level most;
    bool priorities;
} log_state = { LOG_INFO, false };

void log_setup(enum log_level most, bool priorities)
{
    log_state.most = most;
    log_state.priorities = priorities;
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_BYTES_MAX];
    int kept = errno;
    int head = 0;
    int body;
    size_t len;
    va_list args;

    if (level > log_state.most)
        return;
    if (log_state.priorities)
        head = snprintf(line, sizeof line, "<%d>", (int)level);
    va_start(args, format);
    body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
    va_end(args);
    if (head < 0 || body < 0)
        return;
    len = (size_t)head + (size_t)body;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = (size_t)head; i < len; i++) {
        if ((unsigned char)line[i] < ' ')
            line[i] = ' '; /* one event is one line, whatever a name holds */
    }
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0) {
        /* stderr is gone: there is nobody left to tell */
    }
    errno = kept;
}
