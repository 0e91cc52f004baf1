/*
 * base/log_out.h - the way of a line to stderr; base/log.c's alone.
 */
#ifndef TALLYD_BASE_LOG_OUT_H
#define TALLYD_BASE_LOG_OUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* A pipe that can be written to takes as many bytes at once (pipe(7)): the write does not wait. */
#define LOG_LINE_BYTES_MAX PIPE_BUF

/*
 * Writes a line, with its newline.
 *
 *   may_wait  up to LOG_WAIT_MS where there is no room, but not behind a line that was lost: who
 *             does not read costs the process one wait, not one a line
 *   returns   false: it is lost, and counted
 *   thread    any: lines of several never mix
 */
bool log_out(struct str line, bool may_wait);

/* How many were lost since this was last asked, where there is room again to say so; else 0. */
uint64_t log_out_lost(void);
/* These could not be told of after all. */
void log_out_lose(uint64_t lines);

#endif
