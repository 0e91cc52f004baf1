/*
 * fault.h - why a takeover stops: one line of what, one of how to go on.
 */
#ifndef TALLY_TAKEOVER_FAULT_H
#define TALLY_TAKEOVER_FAULT_H

#include <stdbool.h>

struct fault {
    char what[512];  /* no line end; perhaps with bytes of the file in it, for screen_text() */
    const char *how; /* a literal */
    bool failed;     /* the machine failed; else what was given is refused */
};

/* Writes both (`what` is cut at 511 bytes) and returns false, so that a step can
 * `return fault_set(…)`. */
bool fault_set(struct fault *fault, const char *how, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what is no fault of the files. */
bool fault_failed(struct fault *fault, const char *how, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool fault_memory(struct fault *fault); /* no memory; false */

#endif
