/*
 * ledger/backup_files.h - the files of one backup: the copy of the database, and its key beside it.
 *
 * The database is written under a draft's name by the writer. What follows can take as long as a
 * disk takes for hundreds of megabytes, so a thread of its own syncs it, puts the key beside it,
 * and names the key and then the database: a backup that has its name is whole, on disk, and has
 * its key. Nothing is ever overwritten; what fails leaves nothing behind.
 *
 * Threads: the writer, but for the thread that backup_files_finish() starts.
 */
#ifndef TALLYD_LEDGER_BACKUP_FILES_H
#define TALLYD_LEDGER_BACKUP_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/refusal.h"
#include "ledger/keys.h"

struct backup_files; /* opaque */

struct backup_target {
    const char *path;         /* what it will be called; copied */
    const char *keys_path;    /* the keys file to put beside it; copied; NULL: there is none */
    const struct keys *keys;  /* what must be in it; outlives the files */
    void (*over)(void *over); /* any thread, once: the end of it; may be NULL */
    void *over_context;
};

/* Makes the empty draft. NULL: *reterr is 409 exists, 422 for a folder that cannot be written, or
 * 503. */
MUST_USE struct backup_files *backup_files_new(const struct backup_target *target,
                                               struct refusal *reterr);
const char *backup_files_draft(const struct backup_files *files);

/* Whether the folder has room for this many bytes more; else 503 in *reterr. */
MUST_USE bool backup_files_have_room(const struct backup_files *files, uint64_t bytes,
                                     struct refusal *reterr);

/*
 * Nobody has the draft open any more: from here on it is the thread's.
 *
 *   failed  NULL: the draft is complete; else why it is not, and it is only removed
 */
void backup_files_finish(struct backup_files *files, const struct refusal *failed);

/* true: it will not be named, and its drafts will be gone once it is freed. false: it is being
 * named at this moment, or is over. */
MUST_USE bool backup_files_cancel(struct backup_files *files);

/* Whether the thread is done. *ret_bytes: of the database. *ret_refusal is PROBLEM_NONE when the
 * backup has its name and is on disk. */
bool backup_files_over(const struct backup_files *files, uint64_t *ret_bytes,
                       struct refusal *ret_refusal);

/* Until backup_files_over() says so. Only after backup_files_finish(). */
void backup_files_wait(struct backup_files *files);

/* Waits for the thread; removes a draft that was never finished. */
void backup_files_free(struct backup_files *files);
AUTO_FREE(backup_files);

/* 503 store-unavailable, or 422 for /path, by what the system said of the folder. */
void backup_refuse(struct refusal *reterr, int error);

#endif
