/*
 * base/log.c - one line an event, to stderr.
 *
 * No memory is asked for: a line must be possible when there is none.
 *
 * Threads: log_setup() main; the rest any. A line that is written while the settings change may
 * still have the old ones.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log_out.h"
#include "base/utf8.h"

#define MESSAGE_BYTES_MAX 2048
#define NUMBER_BYTES_MAX 20
#define CLOSING_BYTES 8 /* kept for what ends a line that was cut */

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

bool log_takes(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_state.most, memory_order_relaxed);
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

struct line { /* under construction */
    char bytes[LOG_LINE_BYTES_MAX];
    size_t len;
};

static bool fits(const struct line *line, size_t len)
{
    return len + CLOSING_BYTES <= sizeof line->bytes - line->len;
}

static void add(struct line *line, struct str text)
{
    assert(text.len <= sizeof line->bytes - line->len);
    if (text.len > 0)
        memcpy(line->bytes + line->len, text.at, text.len);
    line->len += text.len;
}

static void add_number(struct line *line, uint64_t number)
{
    char digits[NUMBER_BYTES_MAX + 1];

    (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    add(line, str_of(digits));
}

/* A JSON string, as much of it as fits. A name of a file may be any bytes. */
static void add_quoted(struct line *line, struct str text)
{
    add(line, STR("\""));
    while (text.len > 0) {
        size_t bytes = utf8_char(text, NULL);
        struct str shown = { text.at, bytes > 0 ? bytes : 1 };

        if (!fits(line, 4))
            break;
        if (bytes == 0)
            add(line, STR("\xEF\xBF\xBD")); /* U+FFFD */
        else if ((unsigned char)text.at[0] < ' ')
            add(line, STR(" "));
        else if (text.at[0] == '"' || text.at[0] == '\\')
            add(line, STR("\\"));
        if (bytes > 0 && (unsigned char)text.at[0] >= ' ')
            add(line, shown);
        text = str_from(text, shown.len);
    }
    add(line, STR("\""));
}

static bool is_one_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"' || text.at[i] == '=')
            return false;
    }
    return text.len > 0;
}

static void add_field(struct line *line, const struct log_field *field, bool json)
{
    struct str name = str_of(field->name);

    if (!fits(line, name.len + NUMBER_BYTES_MAX + 4))
        return;
    add(line, json ? STR(",\"") : STR(" "));
    add(line, name);
    add(line, json ? STR("\":") : STR("="));
    if (!field->text.at)
        add_number(line, field->number);
    else if (!json && is_one_word(field->text) && fits(line, field->text.len))
        add(line, field->text);
    else
        add_quoted(line, field->text);
}

static void add_json_head(struct line *line, enum log_level level)
{
    time_t now = time(NULL);
    struct tm utc;
    char head[96] = "";

    if (gmtime_r(&now, &utc))
        (void)strftime(head, sizeof head, "{\"at\":\"%Y-%m-%dT%H:%M:%SZ\",\"level\":\"", &utc);
    add(line, str_of(head));
    add(line, str_of(level_name(level)));
    add(line, STR("\",\"message\":"));
}

static struct str render(struct line *line, enum log_level level, struct str message,
                         const struct log_field *fields, size_t n)
{
    bool json = atomic_load(&log_state.format) == LOG_JSON;
    char priority[8];

    line->len = 0;
    if (atomic_load(&log_state.priorities)) {
        (void)snprintf(priority, sizeof priority, "<%d>", (int)level);
        add(line, str_of(priority));
    }
    if (json) {
        add_json_head(line, level);
        add_quoted(line, message);
    } else {
        add(line, message);
    }
    for (size_t i = 0; i < n; i++)
        add_field(line, &fields[i], json);
    add(line, json ? STR("}\n") : STR("\n"));
    return (struct str){ line->bytes, line->len };
}

static void tell_lost(uint64_t lost)
{
    struct line line;
    char message[128];

    (void)snprintf(message, sizeof message,
                   "%" PRIu64 " lines of this log are lost: nobody read them in time", lost);
    if (!log_out(render(&line, LOG_WARNING, str_of(message), NULL, 0), false))
        log_out_lose(lost - 1); /* this line was counted for one */
}

static void write_line(enum log_level level, struct str message, const struct log_field *fields,
                       size_t n)
{
    uint64_t lost = log_out_lost();
    struct line line;

    if (lost > 0)
        tell_lost(lost);
    (void)log_out(render(&line, level, message, fields, n), level <= LOG_NOTICE);
}

void log_line(enum log_level level, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    int kept = errno;
    int len;
    va_list args;

    if (!log_takes(level))
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
    write_line(level, (struct str){ message, (size_t)len }, NULL, 0);
    errno = kept;
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
    int kept = errno;

    assert(n <= LOG_FIELDS_MAX);
    if (log_takes(level))
        write_line(level, str_of(message), fields, n);
    errno = kept;
}
