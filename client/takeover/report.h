/*
 * report.h - what is told on stderr, clean of what a terminal might obey.
 */
#ifndef TALLY_TAKEOVER_REPORT_H
#define TALLY_TAKEOVER_REPORT_H

#include "fault.h"

/* A line.   about: the id of a poll, or NULL */
void report(const char *about, const char *format, ...) __attribute__((format(printf, 2, 3)));

void report_fault(const struct fault *fault); /* two lines */

#endif
