/*
 * daemon.h - the daemon that takes votes: every part of it, put together in order.
 *
 * Threads: main.
 */
#ifndef TALLYD_DAEMON_H
#define TALLYD_DAEMON_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/why.h"
#include "config/config.h"

struct daemon; /* opaque: daemon.c */
struct watchdog;

/*
 * Opens the ledger, listens, and takes votes. Signals are blocked before: every thread inherits the
 * mask.
 *
 *   options  outlive it: a reload reads the configuration by them again
 *   config   the daemon's from here on, also when it does not start
 *   ended    asked while the store is waited for: give it up?
 *   returns  NULL: *reterr_why, and nothing is left open
 */
MUST_USE struct daemon *daemon_start(const struct config_options *options, struct config *config,
                                     bool (*ended)(void), struct why *reterr_why);

/* The configuration is read again, and what can change without a start does. With one that cannot
 * be used it goes on as it was, and says so in the log. */
void daemon_reload(struct daemon *daemon);

/* Has the store failed, so that nobody knows what is on disk? SIGUSR1 tells main to ask. */
MUST_USE bool daemon_broken(const struct daemon *daemon);

/* Over its threads; to be freed before the daemon is stopped. */
MUST_USE struct watchdog *daemon_watchdog(struct daemon *daemon);

/* Answers what has begun, commits, checkpoints, and frees all of it. false: the store failed, by
 * the last checkpoint at the latest. */
bool daemon_stop(struct daemon *daemon);

#endif
