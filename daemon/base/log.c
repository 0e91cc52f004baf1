/*
 * base/log.c - one line an event, to stderr.
 *
 * No memory is asked for: a line must be possible when there is none.
 *
 * Threads: log_setup() main; log_line() any. A line that is written while the settings change may
 * still have the old ones.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define MESSAGE_BYTES_MAX 2048
#define LINE_BYTES_MAX (3 * MESSAGE_BYTES_MAX + 128) /* a byte that is no UTF-8 becomes three */

static struct {
    atomic_int most;
    atomic_int format;
    atomic_bool priorities;
} log_state = { LOG_INFO, LOG_TEXT, false };

void log_setup(enum log_level most, enum log_format format, bool priorities)
{
    atomic_store(&log_state.most, (int)most);
    atomic_store(&log_state.format, (int)format);
    atomic_store(&log_state.priorities, priorities);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARNING:
        return "warning";
    case LOG_NOTICE:
        return "notice";
    case LOG_INFO:
        return "info";
    case LOG_DEBUG:
        return "debug";
    }
    return "info";
}

struct line { /* under construction; there is room for what a message can become */
    char bytes[LINE_BYTES_MAX];
    size_t len;
};

static void add(struct line *line, struct str text)
{
    if (text.len > 0)
        memcpy(line->bytes + line->len, text.at, text.len);
    line->len += text.len;
}

/* The inside of a JSON string. Controls are gone by then; a name of a file may be any bytes. */
static void add_json_text(struct line *line, struct str text)
{
    while (text.len > 0) {
        size_t bytes = utf8_char(text, NULL);

        if (bytes == 0) {
            add(line, STR("\xEF\xBF\xBD")); /* U+FFFD */
            bytes = 1;
        } else {
            if (text.at[0] == '"' || text.at[0] == '\\')
                add(line, STR("\\"));
            add(line, (struct str){ text.at, bytes });
        }
        text = str_from(text, bytes);
    }
}

static void add_json(struct line *line, enum log_level level, struct str message)
{
    time_t now = time(NULL);
    struct tm utc;
    char head[96] = "";

    if (gmtime_r(&now, &utc))
        (void)strftime(head, sizeof head, "{\"at\":\"%Y-%m-%dT%H:%M:%SZ\",\"level\":\"", &utc);
    add(line, str_of(head));
    add(line, str_of(level_name(level)));
    add(line, STR("\",\"message\":\""));
    add_json_text(line, message);
    add(line, STR("\"}"));
}

static void write_line(enum log_level level, struct str message)
{
    struct line line = { .len = 0 };
    char priority[8];

    if (atomic_load(&log_state.priorities)) {
        (void)snprintf(priority, sizeof priority, "<%d>", (int)level);
        add(&line, str_of(priority));
    }
    if (atomic_load(&log_state.format) == LOG_JSON)
        add_json(&line, level, message);
    else
        add(&line, message);
    add(&line, STR("\n"));
    if (write(STDERR_FILENO, line.bytes, line.len) < 0) {
        /* stderr is gone: there is nobody left to tell */
    }
}

void log_line(enum log_level level, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    int kept = errno;
    int len;
    va_list args;

    if ((int)level > atomic_load(&log_state.most))
        return;
    va_start(args, format);
    len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (len < 0)
        return;
    if (len > (int)sizeof message - 1)
        len = (int)sizeof message - 1;
    for (int i = 0; i < len; i++) {
        if ((unsigned char)message[i] < ' ')
            message[i] = ' '; /* one event is one line, whatever a name holds */
    }
    write_line(level, (struct str){ message, (size_t)len });
    errno = kept;
}
