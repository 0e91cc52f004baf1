/*
 * answers.h - what an answer of the daemon means for whoever asked: exit status and two lines.
 */
#ifndef TALLY_ANSWERS_H
#define TALLY_ANSWERS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "http.h"
#include "outcome.h"

/*
 * Writes two lines to stderr: what went wrong, and how to go on.
 *
 *   how   NULL: nothing helps but knowing
 */
void complain(const char *how, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A wrong command line; the second line names the help. Returns OUTCOME_MISUSED. */
enum outcome misused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something could not be done here: no memory, a file, stdout. Returns OUTCOME_FAILED. */
enum outcome failed_here(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes to stdout; where that cannot be, as stdout_failed(). */
enum outcome written(const struct buf *out);

/* What was written is sent off. Every run ends with it, whatever it has written by. */
enum outcome stdout_sent(void);

/*
 * Stdout takes no more: told, once in a run, and OUTCOME_FAILED. Where whoever read it has gone,
 * this does not return: the run ends by SIGPIPE, as others in a pipeline do. libcurl ignores the
 * signal while it calls us, so that a write sees the error in its stead.
 *
 *   error  errno of the write
 */
enum outcome stdout_failed(int error);

/* Ends the run by SIGPIPE if whoever read stdout has gone: asked where long is waited between two
 * writes. */
void stdout_still_read(void);

/* The exit status that an HTTP status means. */
enum outcome outcome_of(unsigned status);

/* Tells why there is no answer; `result` is not HTTP_ANSWERED. */
enum outcome complain_of_silence(enum http_result result, const struct why *why);

/*
 * Tells what the daemon refused, by its problem document (RFC 9457), or by the status alone.
 *
 *   about   what was asked about, as a poll's id; the line begins with it
 */
enum outcome complain_of_refusal(const char *about, const struct http_answer *answer);

/* The same with another second line; NULL: the usual. */
enum outcome complain_of_refusal_with(const char *how, const char *about,
                                      const struct http_answer *answer);

/* The problem's slug, or the empty piece; lives as long as the answer. */
struct str problem_slug(const struct http_answer *answer);

/* The JSON of an answer; false, and told: it is none. */
MUST_USE bool answer_json(const struct http_answer *answer, struct str *ret_json);

#endif
