/*
 * base/log.h - one line an event, to stderr: the one global of the program.
 *
 * What, which poll, what now. No secrets, no voters, no addresses at the usual level. Under systemd
 * (JOURNAL_STREAM is set, sd-daemon(3)) a line starts with its priority, `<3>`.
 *
 * Nobody is kept waiting by whoever reads stderr, or does not: a line of LOG_INFO and below that
 * finds no room is lost at once, a graver one waits LOG_WAIT_MS at most, and not again until there
 * was room. What was lost is counted, and told before the next line that gets through.
 */
#ifndef TALLYD_BASE_LOG_H
#define TALLYD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define LOG_WAIT_MS 100
#define LOG_FIELDS_MAX 16

/* The numbers are syslog's (RFC 5424 §6.2.1), as sd-daemon(3) wants them. */
enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* LOG_JSON: one object a line, {"at":"2026-11-23T08:40:12Z","level":"error","message":"…"} */
enum log_format { LOG_TEXT, LOG_JSON };

/* Lines above `most` are dropped (default LOG_INFO). Main, at start and whenever it likes. */
void log_setup(enum log_level most, enum log_format format, bool priorities);

/* Whether a line of this level would be written: before work that only a line needs. Any thread. */
bool log_takes(enum log_level level);

/* Writes the line at once, newline added, with one write(2): lines of several threads never mix.
 * Cut at 2047 bytes. Any thread. errno is kept. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_field {
    const char *name;
    struct str text; /* {NULL, 0}: `number` is the value */
    uint64_t number;
};

/*
 * The same with fields: `message name=value …`, a value in quotes where it would not be one word;
 * in JSON they are members behind `message`. A line is cut at PIPE_BUF bytes: what may be long
 * comes last.
 *
 *   message  a word of ours
 *   n        at most LOG_FIELDS_MAX
 */
void log_fields(enum log_level level, const char *message, const struct log_field *fields,
                size_t n);

#endif
