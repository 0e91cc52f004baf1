/*
 * api/complaints.h - lines of the log that peers can cause: each said once, then counted.
 *
 * No addresses, no users, no tokens. Any thread.
 */
#ifndef TALLYD_API_COMPLAINTS_H
#define TALLYD_API_COMPLAINTS_H

#include <stdint.h>

#include "base/repeat.h"
#include "core/limiter.h"
#include "core/problem.h"

/* A vote, a question after one or a change of a poll that was answered later than this. */
#define SLOW_REQUEST_MS 1000

struct complaints { /* all of it: any thread */
    struct repeat refused[PROBLEM_KINDS];
    struct repeat limited[LIMIT_KINDS];
    struct repeat streams;
    struct repeat slow;
};

void complaints_init(struct complaints *complaints);
/* Tells what was counted and is a minute old. */
void complaints_tell(struct complaints *complaints, int64_t mono_ms);
void complaints_end(struct complaints *complaints);

/* Net has refused a request, or a connection (`busy`). */
void complain_of_peer(struct complaints *complaints, enum problem problem, const char *detail,
                      int64_t mono_ms);
/* Somebody has reached a limit of requests, or of long polls and streams. */
void complain_of_limit(struct complaints *complaints, enum limiter_kind kind, int64_t mono_ms);
void complain_of_streams(struct complaints *complaints, int64_t mono_ms);
/* `poll` may be NULL. Says nothing up to SLOW_REQUEST_MS. */
void complain_of_slowness(struct complaints *complaints, const char *poll, const char *what,
                          int64_t took_ms, int64_t mono_ms);

#endif
