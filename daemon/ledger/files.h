/*
 * ledger/files.h - what is done to files of the ledger's everywhere: names beside a path, writing
 * all of it, and making a name durable.
 *
 * Threads: any; nothing is shared. What touches a file returns false, or -1, with errno.
 */
#ifndef TALLYD_LEDGER_FILES_H
#define TALLYD_LEDGER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/str.h"

/* Closes a descriptor that is one, and leaves errno alone. */
void fd_autoclose(const int *fd);
#define AUTO_FD __attribute__((cleanup(fd_autoclose))) int

/* The name that is `path` and the suffix, to free(), or NULL when there is no memory. */
MUST_USE char *path_beside(const char *path, const char *suffix);

MUST_USE bool fd_write_all(int fd, struct str bytes);

/* Up to `len` bytes from `at` on, as many as there are, whatever a single read gives. -1: errno
 * says why. */
MUST_USE ssize_t fd_read_all(int fd, void *to, size_t len, off_t at);

/* The names that were given in the folder of `path` are on disk. */
MUST_USE bool folder_sync(const char *path);

#endif
