/*
 * ledger/keys_file.h - reads and replaces a file of secrets.
 *
 * Threads: any one at a time for each path; both block on the disk.
 */
#ifndef TALLYD_LEDGER_KEYS_FILE_H
#define TALLYD_LEDGER_KEYS_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"

#define KEYS_FILE_BYTES_MAX 65536
/* What others may not do with a file: the keys are their owner's alone; a site may share its own
 * with a group. */
#define KEYS_FILE_OWNER_ONLY 077
#define KEYS_FILE_NOT_EVERYBODY 007
#define KEYS_FILE_ANYBODY 0 /* somebody else warns */

/* Wipes what was written into it, and gives the memory back. */
void secret_buf_free(struct buf *buf);

#define AUTO_SECRET_BUF __attribute__((cleanup(secret_buf_free))) struct buf

/*
 * Reads all of a regular file into `ret`, which has room for it without being moved: no copy of a
 * secret stays behind. Put it into an AUTO_SECRET_BUF.
 *
 *   path     as people know it: it stands in *reterr_why
 *   refused  mode bits that the file must not have
 *   returns  false: *reterr_why; missing, too large, or readable by too many
 */
MUST_USE bool keys_file_read(const char *path, mode_t refused, struct buf *ret,
                             struct why *reterr_why);

/*
 * Puts `bytes` in the place of the file, so that after a crash either the old or the new one is
 * there, whole: a draft beside it (PATH.new, 0600), fsync, rename, fsync of the folder.
 *
 *   bytes    at most KEYS_FILE_BYTES_MAX
 *   returns  false: *reterr_why; the old one is there, or, when only the folder could not be
 *            synced, maybe the new one
 */
MUST_USE bool keys_file_replace(const char *path, struct str bytes, struct why *reterr_why);

#endif
