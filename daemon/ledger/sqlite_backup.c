/*
 * ledger/sqlite_backup.c - a copy of the store while it works: a slice of pages between batches.
 *
 * The copy is made by the store's own connection, so what batches write meanwhile is carried over
 * by SQLite itself: the copy is the store as it was at the last slice. Tried on 3.40.1: a batch
 * that is rolled back after pages of it were spilled makes the copy begin again, nothing else does,
 * checkpoints of every kind included. Between slices no read is open, so checkpoints go on.
 *
 * Whatever happens to the copy, the store goes on: only what a batch meets is a fault of the store.
 *
 * Threads: the writer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/backup_files.h"
#include "ledger/sqlite.h"

#define SLICE_PAGES 256      /* about 1 ms */
#define SLICE_PAGES_BUSY 128 /* while ballots wait; a full batch appends about 50 */
#define LOCKED_RETRY_MS 10

struct backup {
    struct job *job;            /* NULL: answered before the files were done */
    struct backup_files *files; /* NULL: not begun yet */
    sqlite3 *target;            /* while it is copied */
    sqlite3_backup *copy;       /* the same */
    uint64_t votes;
};

void backup_free(struct backup *backup)
{
    if (!backup)
        return;
    (void)sqlite3_backup_finish(backup->copy);
    (void)sqlite3_close(backup->target);
    backup_files_free(backup->files);
    free(backup);
}

static void refused(struct job *job, const struct refusal *refusal)
{
    *job->refusal = *refusal;
    job->result = JOB_REFUSED;
}

enum decided backup_begin(struct sqlite_store *store, struct job *job)
{
    if (store->ending) {
        refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE, "tallyd is ending; ask the next one");
    } else if (store->backup) {
        refuse(job->refusal, PROBLEM_BUSY,
               "another backup is being made; ask again when it is done");
    } else {
        store->backup = calloc(1, sizeof *store->backup);
        if (store->backup) {
            store->backup->job = job;
            return KEPT;
        }
        refuse(job->refusal, PROBLEM_BUSY, "no memory for this backup; ask again");
    }
    job->result = JOB_REFUSED;
    return DECIDED;
}

/* No journal and no syncs: it is synced as a whole before it gets its name. */
static bool open_target(struct sqlite_store *store, struct backup *backup, struct refusal *reterr)
{
    static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; "
                                   "PRAGMA synchronous = OFF; PRAGMA mmap_size = 0; "
                                   "PRAGMA cache_size = -1024";
    const struct backup_target target = { .path = backup->job->backup->path,
                                          .keys_path = store->keys_path,
                                          .keys = store->keys,
                                          .over = store->wake,
                                          .over_context = store->wake_context };

    backup->files = backup_files_new(&target, reterr);
    if (!backup->files)
        return false;
    if (sqlite3_open_v2(backup_files_draft(backup->files), &backup->target,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) == SQLITE_OK &&
        sqlite3_exec(backup->target, settings, NULL, NULL, NULL) == SQLITE_OK)
        backup->copy = sqlite3_backup_init(backup->target, "main", store->db, "main");
    if (backup->copy)
        return true;
    return refuse(reterr, PROBLEM_STORE_UNAVAILABLE, "the backup could not be begun: %s; ask again",
                  backup->target ? sqlite3_errmsg(backup->target) : "no memory");
}

static bool is_full(int code, int system)
{
    return (code & 0xFF) == SQLITE_FULL ||
           ((code & 0xFF) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
}

static void why_not(struct backup *backup, int code, struct refusal *reterr)
{
    int system;

    (void)sqlite3_backup_finish(TAKE(backup->copy)); /* then the target knows its error */
    system = sqlite3_system_errno(backup->target);
    if (is_full(code, system))
        backup_refuse(reterr, ENOSPC);
    else if ((code & 0xFF) == SQLITE_NOMEM)
        refuse(reterr, PROBLEM_BUSY, "no memory for this backup; ask again");
    else
        refuse(reterr, PROBLEM_STORE_UNAVAILABLE,
               "the backup could not be written: %s; try again, or choose another disk",
               (code & 0xFF) == SQLITE_IOERR && system != 0 ? strerror(system)
                                                            : sqlite3_errstr(code));
}

/* The copying is over; the thread goes on. */
static void close_target(struct backup *backup, const struct refusal *failed)
{
    (void)sqlite3_backup_finish(TAKE(backup->copy));
    (void)sqlite3_close(TAKE(backup->target));
    backup_files_finish(backup->files, failed);
}

static uint64_t standing_votes(const struct sqlite_store *store)
{
    uint64_t votes = 0;

    for (size_t i = 0; i < store->n_books; i++)
        votes += store->books[i]->counts.voters;
    return votes;
}

/* One slice. Returns how long to wait before the next. */
static int64_t copy_some(struct sqlite_store *store, struct backup *backup, bool idle)
{
    struct refusal refusal = { .problem = PROBLEM_NONE };
    bool first = sqlite3_backup_pagecount(backup->copy) == 0;
    int code = sqlite3_backup_step(backup->copy, idle ? SLICE_PAGES : SLICE_PAGES_BUSY);

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return LOCKED_RETRY_MS;
    if (code == SQLITE_OK && first &&
        !backup_files_have_room(
            backup->files, (uint64_t)sqlite3_backup_remaining(backup->copy) * PAGE_BYTES, &refusal))
        code = SQLITE_FULL;
    if (code == SQLITE_OK)
        return 0;
    if (code == SQLITE_DONE)
        backup->votes = standing_votes(store); /* of this very moment */
    else if (refusal.problem == PROBLEM_NONE)
        why_not(backup, code, &refusal);
    close_target(backup, code == SQLITE_DONE ? NULL : &refusal);
    return INT64_MAX; /* the thread wakes the writer */
}

static void answer(struct sqlite_store *store, struct backup *backup, struct queue_list *answered)
{
    struct refusal refusal;
    uint64_t bytes;
    struct job *job = backup->job;

    if (!backup_files_over(backup->files, &bytes, &refusal))
        return;
    if (refusal.problem == PROBLEM_NONE) {
        log_line(LOG_NOTICE, "a backup was made: %" PRIu64 " bytes, %" PRIu64 " votes", bytes,
                 backup->votes);
        store->last_backup_ms = clock_wall_ms(store->clock);
        store->last_backup_bytes = bytes;
    }
    if (job && refusal.problem == PROBLEM_NONE) {
        job->backup->bytes = bytes;
        job->backup->votes = backup->votes;
        job->backup->has_key = store->keys_path != NULL;
        job->result = JOB_BACKED_UP;
    } else if (job) {
        refused(job, &refusal);
    }
    if (job)
        queue_list_add(answered, &job->node);
    backup_free(TAKE(store->backup));
}

int64_t backup_work(struct sqlite_store *store, bool idle, struct queue_list *answered)
{
    struct backup *backup = store->backup;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    int64_t next_ms = INT64_MAX;

    if (!backup)
        return INT64_MAX;
    if (!backup->files && !open_target(store, backup, &refusal)) {
        if (backup->files) {
            close_target(backup, &refusal);
        } else {
            refused(backup->job, &refusal);
            queue_list_add(answered, &backup->job->node);
            backup_free(TAKE(store->backup));
            return INT64_MAX;
        }
    }
    if (backup->copy)
        next_ms = copy_some(store, backup, idle);
    if (!backup->copy)
        answer(store, backup, answered);
    return next_ms;
}

void backup_end(struct sqlite_store *store, struct queue_list *answered)
{
    struct backup *backup = store->backup;

    if (!backup || !backup->job)
        return;
    if (backup->files && !backup_files_cancel(backup->files))
        return; /* it is being named: that is quick, and then it is made */
    refuse(backup->job->refusal, PROBLEM_STORE_UNAVAILABLE,
           "tallyd is ending, and this backup was given up; ask the next one");
    backup->job->result = JOB_REFUSED;
    queue_list_add(answered, &TAKE(backup->job)->node);
    if (!backup->files || backup->copy)
        backup_free(TAKE(store->backup));
}

void backup_abandon(struct sqlite_store *store, struct queue_list *answered)
{
    backup_end(store, answered);
    if (!store->backup || !store->backup->job)
        return;
    backup_files_wait(store->backup->files);
    answer(store, store->backup, answered);
}
