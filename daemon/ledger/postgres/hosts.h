/*
 * ledger/postgres/hosts.h - the hosts of a connection URL, to be tried one by one.
 *
 * libpq tries several by itself, but waits for a host that is silent as long as the kernel does,
 * where it must not block. So each attempt here is for one host, and has a time limit.
 */
#ifndef TALLYD_LEDGER_POSTGRES_HOSTS_H
#define TALLYD_LEDGER_POSTGRES_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/why.h"
#include "ledger/postgres/libpq.h"

struct hosts; /* opaque: ledger/postgres/hosts.c */

/* NULL: *reterr_why says what is wrong with the URL, without a password in it. */
MUST_USE struct hosts *hosts_new(const char *url, struct why *reterr_why);
void hosts_free(struct hosts *hosts);
AUTO_FREE(hosts);

size_t hosts_count(const struct hosts *hosts); /* at least 1 */

/* Begins to connect to one of them, from 0. NULL: no memory. */
PGconn *hosts_connect(const struct hosts *hosts, size_t which);

#endif
