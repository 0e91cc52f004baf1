/*
 * ledger/backup_files.c - the files of one backup: the copy of the database, and its key beside it.
 *
 * Threads: the writer; run() and what it calls are the thread of one backup.
 */
#include "ledger/backup_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sodium.h>

#include "base/str.h"
#include "ledger/draft.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

enum phase {
    PHASE_COPYING,   /* the writer's */
    PHASE_SYNCING,   /* the thread's; may be cancelled */
    PHASE_CANCELLED, /* the thread removes what there is */
    PHASE_NAMING,    /* the thread's; too late to cancel */
    PHASE_OVER       /* `refusal` and `bytes` may be read */
};

struct backup_files {
    char *path;
    char *draft;
    char *key;       /* NULL: no key beside it */
    char *key_draft; /* the same */
    char *keys_path; /* the same */
    const struct keys *keys;
    void (*over)(void *over);
    void *over_context;
    atomic_int phase;       /* writer and thread */
    struct refusal refusal; /* the thread's until PHASE_OVER */
    uint64_t bytes;         /* the same */
    pthread_t thread;       /* writer */
    bool started;           /* writer */
};

void backup_refuse(struct refusal *reterr, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case ENAMETOOLONG:
        refuse_member(reterr, "/path",
                      "cannot write there: %s; choose a folder that exists and that tallyd may "
                      "write to",
                      strerror(error));
        return;
    case EEXIST:
        refuse(reterr, PROBLEM_EXISTS,
               "there is a file of this name, or of this name with .key; choose another");
        return;
    case ENOSPC:
    case EDQUOT:
        refuse(reterr, PROBLEM_STORE_UNAVAILABLE,
               "the disk that the backup goes to is full; make room, or choose another");
        return;
    default:
        refuse(reterr, PROBLEM_STORE_UNAVAILABLE,
               "the backup could not be written: %s; try again, or choose another disk",
               strerror(error));
    }
}

/* What a crash leaves behind is never in the way of the next backup. */
static bool make_names(struct backup_files *files, const struct backup_target *target)
{
    char draft[32];
    char key_draft[32];
    unsigned number = randombytes_random();

    (void)snprintf(draft, sizeof draft, ".part-%08x", number);
    (void)snprintf(key_draft, sizeof key_draft, ".key.part-%08x", number);
    files->path = str_copy(str_of(target->path));
    files->draft = path_beside(target->path, draft);
    if (!files->path || !files->draft)
        return false;
    if (!target->keys_path)
        return true;
    files->keys_path = str_copy(str_of(target->keys_path));
    files->key = path_beside(target->path, ".key");
    files->key_draft = path_beside(target->path, key_draft);
    return files->keys_path && files->key && files->key_draft;
}

static bool is_there(const char *path)
{
    struct stat file;

    return path && lstat(path, &file) == 0;
}

struct backup_files *backup_files_new(const struct backup_target *target, struct refusal *reterr)
{
    AUTO(backup_files) files = calloc(1, sizeof *files);
    int error = 0;

    if (files) {
        files->keys = target->keys;
        files->over = target->over;
        files->over_context = target->over_context;
    }
    if (!files || !make_names(files, target)) {
        refuse(reterr, PROBLEM_BUSY, "no memory for this backup; ask again");
        return NULL;
    }
    /* Asked again when it is named: this only spares the copying. */
    if (is_there(files->path) || is_there(files->key))
        error = EEXIST;
    else if (!draft_make(files->draft))
        error = errno;
    if (error == 0)
        return TAKE(files);
    backup_refuse(reterr, error);
    free(TAKE(files->draft)); /* it is not ours to remove */
    return NULL;
}

const char *backup_files_draft(const struct backup_files *files)
{
    return files->draft;
}

bool backup_files_have_room(const struct backup_files *files, uint64_t bytes,
                            struct refusal *reterr)
{
    struct statvfs disk;
    uint64_t room;

    if (statvfs(files->draft, &disk) < 0)
        return true; /* writing will show it */
    room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= bytes)
        return true;
    return refuse(reterr, PROBLEM_STORE_UNAVAILABLE,
                  "the disk that the backup goes to is full: %" PRIu64 " bytes are needed, %" PRIu64
                  " are free; make room, or choose another",
                  bytes, room);
}

/* The copy says that it keeps a log, and has one, as the store does. Nobody writes to a backup: as
 * an ordinary file it can be read from a medium that is read-only, without a log being made beside
 * it.
 */
static bool settle_database(struct backup_files *files)
{
    struct stat file;
    int fd = open(files->draft, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool ok =
        fd >= 0 && sqlite_settle_copy(files->draft) && fsync(fd) == 0 && fstat(fd, &file) == 0;
    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    if (ok)
        files->bytes = (uint64_t)file.st_size;
    else
        backup_refuse(&files->refusal, error);
    return ok;
}

/* Copied as it is, words of other parts included. It could have been exchanged since the start. */
static bool settle_key(struct backup_files *files)
{
    unsigned char fingerprints[2][KEY_FINGERPRINT_BYTES];
    AUTO(keys) copied = NULL;

    if (!files->keys_path)
        return true;
    if (!is_there(files->keys_path))
        return refuse(&files->refusal, PROBLEM_STORE_UNAVAILABLE,
                      "the keys file of this store is gone; put it back, it is part of the ledger");
    if (!draft_copy(files->keys_path, files->key_draft)) {
        backup_refuse(&files->refusal, errno);
        return false;
    }
    copied = keys_open(files->key_draft, false, NULL);
    if (copied) {
        keys_fingerprint(copied, fingerprints[0]);
        keys_fingerprint(files->keys, fingerprints[1]);
        if (memcmp(fingerprints[0], fingerprints[1], KEY_FINGERPRINT_BYTES) == 0)
            return true;
    }
    return refuse(&files->refusal, PROBLEM_STORE_UNAVAILABLE,
                  "the keys file is not the one that tallyd started with; put that one back");
}

/* The key first, and on disk: a power cut between the two leaves a key alone, never a backup that
 * nobody can open. */
static bool give_names(struct backup_files *files)
{
    bool key_named = files->key && draft_name(files->key_draft, files->key);
    bool ready = !files->key || (key_named && folder_sync(files->path));
    bool named = ready && draft_name(files->draft, files->path);
    int error;

    if (named && folder_sync(files->path))
        return true;
    error = errno;
    if (named)
        (void)unlink(files->path);
    if (key_named)
        (void)unlink(files->key);
    backup_refuse(&files->refusal, error);
    return false;
}

static void remove_drafts(const struct backup_files *files)
{
    if (files->draft)
        (void)unlink(files->draft);
    if (files->key_draft)
        (void)unlink(files->key_draft);
}

static void end(struct backup_files *files)
{
    remove_drafts(files);
    atomic_store(&files->phase, PHASE_OVER);
    if (files->over)
        files->over(files->over_context);
}

static void *run(void *context)
{
    struct backup_files *files = context;
    int phase = PHASE_SYNCING;

    if (files->refusal.problem == PROBLEM_NONE && settle_database(files) && settle_key(files) &&
        atomic_compare_exchange_strong(&files->phase, &phase, PHASE_NAMING))
        (void)give_names(files);
    else if (phase == PHASE_CANCELLED)
        refuse(&files->refusal, PROBLEM_STORE_UNAVAILABLE, "the backup was given up");
    end(files);
    return NULL;
}

void backup_files_finish(struct backup_files *files, const struct refusal *failed)
{
    assert(atomic_load(&files->phase) == PHASE_COPYING);
    if (failed)
        files->refusal = *failed;
    atomic_store(&files->phase, PHASE_SYNCING);
    files->started = pthread_create(&files->thread, NULL, run, files) == 0;
    if (files->started)
        return;
    refuse(&files->refusal, PROBLEM_BUSY, "no thread for this backup; ask again");
    end(files);
}

bool backup_files_cancel(struct backup_files *files)
{
    int phase = PHASE_SYNCING;

    return atomic_compare_exchange_strong(&files->phase, &phase, PHASE_CANCELLED) ||
           phase == PHASE_COPYING || phase == PHASE_CANCELLED;
}

bool backup_files_over(const struct backup_files *files, uint64_t *ret_bytes,
                       struct refusal *ret_refusal)
{
    if (atomic_load(&files->phase) != PHASE_OVER)
        return false;
    *ret_bytes = files->bytes;
    *ret_refusal = files->refusal;
    return true;
}

void backup_files_wait(struct backup_files *files)
{
    if (files->started)
        (void)pthread_join(files->thread, NULL);
    files->started = false;
}

void backup_files_free(struct backup_files *files)
{
    if (!files)
        return;
    backup_files_wait(files);
    remove_drafts(files);
    free(files->path);
    free(files->draft);
    free(files->key);
    free(files->key_draft);
    free(files->keys_path);
    free(files);
}
