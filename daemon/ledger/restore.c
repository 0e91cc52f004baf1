/*
 * ledger/restore.c - a backup becomes a store again.
 *
 * Threads: main, where no daemon runs.
 */
#include "ledger/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/draft.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

struct restoring {
    const struct restore_settings *settings;
    char *file_key;
    char *draft;
    char *key_draft;  /* NULL: the key is there already, or in no file */
    struct keys *own; /* read here; NULL: those of the settings */
};

static void restoring_free(struct restoring *restoring)
{
    if (restoring->draft)
        (void)unlink(restoring->draft);
    if (restoring->key_draft)
        (void)unlink(restoring->key_draft);
    free(restoring->file_key);
    free(restoring->draft);
    free(restoring->key_draft);
    keys_free(restoring->own);
}

#define AUTO_RESTORING __attribute__((cleanup(restoring_free))) struct restoring

static bool is_there(const char *path)
{
    struct stat file;

    return lstat(path, &file) == 0;
}

static bool no_memory(struct why *why)
{
    why_set(why, "no memory to restore with");
    return false;
}

/* A log that lies there without its store would be taken for the restored one's. */
static bool nothing_in_the_way(const char *path, struct why *why)
{
    static const char *const suffixes[] = { "", "-wal", "-journal" };

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        AUTO_BYTES char *name = path_beside(path, suffixes[i]);

        if (!name)
            return no_memory(why);
        if (!is_there(name))
            continue;
        why_set(why, "%s exists and is not overwritten; move it away, or choose another --store",
                name);
        return false;
    }
    return true;
}

static bool same_keys(const struct keys *a, const struct keys *b)
{
    unsigned char fingerprints[2][KEY_FINGERPRINT_BYTES];

    keys_fingerprint(a, fingerprints[0]);
    keys_fingerprint(b, fingerprints[1]);
    return memcmp(fingerprints[0], fingerprints[1], KEY_FINGERPRINT_BYTES) == 0;
}

/* Keys that are there already stay; they have to be those of the backup. */
static bool keys_in_place(struct restoring *restoring, struct why *why)
{
    AUTO(keys) of_backup = NULL;

    restoring->own = keys_open(restoring->settings->keys_path, false, why);
    if (!restoring->own)
        return false;
    of_backup = keys_open(restoring->file_key, false, NULL);
    if (!of_backup || same_keys(of_backup, restoring->own))
        return true;
    why_set(why,
            "the keys file %s exists, is not that of the backup and is not overwritten; move it "
            "away, or choose another --store",
            restoring->settings->keys_path);
    return false;
}

static bool find_keys(struct restoring *restoring, struct why *why)
{
    const char *keys_path = restoring->settings->keys_path;

    if (!keys_path)
        return true;
    if (is_there(keys_path))
        return keys_in_place(restoring, why);
    restoring->key_draft = path_beside(keys_path, ".restoring");
    if (!restoring->key_draft)
        return no_memory(why);
    if (!is_there(restoring->file_key)) {
        why_set(why,
                "the key of this backup, %s, is missing, and without it everybody could vote "
                "twice; put it there, or at %s",
                restoring->file_key, keys_path);
        return false;
    }
    restoring->own = keys_open(restoring->file_key, false, why);
    return restoring->own != NULL;
}

static bool is_good(const struct restoring *restoring, struct check *check, struct why *why)
{
    const struct restore_settings *settings = restoring->settings;

    if (!check_backup(settings->file, restoring->own ? restoring->own : settings->keys, check, why))
        return false;
    if (check->mismatches == 0)
        return true;
    why_set(why, "%s is damaged, or not with its key: nothing was restored; use another backup",
            settings->file);
    return false;
}

/* What an earlier run left when it was cut off. */
static void remove_old_drafts(const struct restoring *restoring)
{
    (void)unlink(restoring->draft);
    if (restoring->key_draft)
        (void)unlink(restoring->key_draft);
}

/* No journal: it is a draft, and synced as a whole afterwards. */
static bool give_epoch(const struct restoring *restoring)
{
    static const char settings[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
    sqlite3 *db = NULL;
    sqlite3_stmt *update = NULL;
    uint64_t epoch;
    bool ok = sqlite3_open_v2(restoring->draft, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                              NULL) == SQLITE_OK &&
              sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "UPDATE meta SET value = ?1 WHERE name = 'epoch'", -1, &update,
                                 NULL) == SQLITE_OK;

    restoring->settings->random(&epoch, sizeof epoch);
    ok = ok && sqlite3_bind_blob(update, 1, &epoch, sizeof epoch, SQLITE_STATIC) == SQLITE_OK &&
         sqlite3_step(update) == SQLITE_DONE && sqlite3_changes(db) == 1;
    (void)sqlite3_finalize(update);
    return (sqlite3_close(db) == SQLITE_OK) && ok;
}

static bool make_drafts(const struct restoring *restoring, struct why *why)
{
    remove_old_drafts(restoring);
    errno = 0;
    if (draft_copy(restoring->settings->file, restoring->draft) &&
        sqlite_settle_copy(restoring->draft) && give_epoch(restoring) &&
        draft_sync(restoring->draft) &&
        (!restoring->key_draft || draft_copy(restoring->file_key, restoring->key_draft)))
        return true;
    why_set(why, "cannot restore into the folder of %s: %s; nothing was restored",
            restoring->settings->path, errno != 0 ? strerror(errno) : "the copy cannot be written");
    return false;
}

static bool give_names(const struct restoring *restoring, struct why *why)
{
    const struct restore_settings *settings = restoring->settings;
    bool key_named = restoring->key_draft && draft_name(restoring->key_draft, settings->keys_path);
    bool ready = !restoring->key_draft || (key_named && folder_sync(settings->keys_path));
    bool named = ready && draft_name(restoring->draft, settings->path);

    if (named && folder_sync(settings->path))
        return true;
    why_set(why, "cannot name the restored %s: %s; nothing was restored",
            ready ? settings->path : settings->keys_path, strerror(errno));
    if (named)
        (void)unlink(settings->path);
    if (key_named)
        (void)unlink(settings->keys_path);
    return false;
}

/* Under the lock, so that no tallyd starts on what is half done. */
static bool put_in_place(const struct restoring *restoring, struct why *why)
{
    const char *path = restoring->settings->path;
    int lock = sqlite_lock(path, why);
    bool ok;

    if (lock < 0)
        return false;
    ok = nothing_in_the_way(path, why) && make_drafts(restoring, why) && give_names(restoring, why);
    (void)close(lock);
    return ok;
}

bool store_restore(const struct restore_settings *settings, struct check *check,
                   struct why *reterr_why)
{
    AUTO_RESTORING restoring = { .settings = settings,
                                 .file_key = path_beside(settings->file, ".key") };
    AUTO_BYTES char *draft = path_beside(settings->path, ".restoring");

    if (!restoring.file_key || !draft)
        return no_memory(reterr_why);
    if (!nothing_in_the_way(settings->path, reterr_why) ||
        !check_is_backup(settings->file, reterr_why) || !find_keys(&restoring, reterr_why) ||
        !is_good(&restoring, check, reterr_why))
        return false;
    restoring.draft = TAKE(draft);
    return put_in_place(&restoring, reterr_why);
}
