/*
 * base/log.h - one line an event, to stderr: the one global of the program.
 *
 * What, which poll, what now. No secrets, no voters, no addresses. Under systemd (JOURNAL_STREAM
 * is set, sd-daemon(3)) a line starts with its priority, `<3>`.
 */
#ifndef TALLYD_BASE_LOG_H
#define TALLYD_BASE_LOG_H

#include <stdbool.h>

/* The numbers are syslog's (RFC 5424 §6.2.1), as sd-daemon(3) wants them. */
enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* LOG_JSON: one object a line, {"at":"2026-11-23T08:40:12Z","level":"error","message":"…"} */
enum log_format { LOG_TEXT, LOG_JSON };

/* Lines above `most` are dropped (default LOG_INFO). Main, at start and whenever it likes. */
void log_setup(enum log_level most, enum log_format format, bool priorities);

/* Writes the line at once, newline added, with one write(2): lines of several threads never mix.
 * Any thread. errno is kept. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
