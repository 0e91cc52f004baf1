/*
 * ledger/sqlite_create.c - a new store gets its name once it is one, and on disk.
 *
 * Where SQLite makes the file under its own name, a power cut in its first transaction leaves one
 * whose header may be torn and a journal that would empty it: of 10,000 simulated cuts, one made
 * a file that nobody could tell from a stranger's. So an empty database that says it is ours is
 * made under another name first. Behind that its header is one sector that never says less.
 *
 * Threads: main, before the store is open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger/draft.h"
#include "ledger/files.h"
#include "ledger/sqlite.h"

/* What SQLite would delete, or play into the new store: there was a store, and it is away. Or that
 * cannot be told. */
static bool log_is_left(const char *path, struct why *why)
{
    static const char *const suffixes[] = { "-wal", "-journal" };

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        int64_t bytes;

        if (!sqlite_look_beside(path, suffixes[i], &bytes, why))
            return true;
        if (bytes <= 0)
            continue;
        why_set(why,
                "the log %s%s is there without its store; put the store %s back, or move the log "
                "away and restore a backup (tallyd --restore)",
                path, suffixes[i], path);
        return true;
    }
    return false;
}

/* The file as SQLite would make it, in memory, and with a log from the start: what fails on the way
 * to the disk is then told by the system, where SQLite takes a read that failed for damage, and
 * opens a file that it could not make once more to read. */
static unsigned char *empty_store(sqlite3_int64 *ret_bytes, struct why *why)
{
    static const char sql[] = "PRAGMA page_size = 4096; PRAGMA application_id = 1952541817";
    unsigned char *image = NULL;
    sqlite3 *db = NULL;

    if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
        sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        image = sqlite3_serialize(db, "main", ret_bytes, 0);
    if (image)
        memset(image + SQLITE_HEADER_VERSIONS, SQLITE_WITH_LOG, 2);
    else
        why_set(why, "cannot make an empty store: %s", sqlite_says(db).text);
    (void)sqlite3_close(db);
    return image;
}

static bool write_out(struct str image, const char *path, const char *draft, struct why *why)
{
    if (unlink(draft) < 0 && errno != ENOENT) { /* what an earlier start left */
        why_set(why, "cannot remove %s: %s", draft, strerror(errno));
        return false;
    }
    if (draft_write(image, draft) && draft_name(draft, path) && folder_sync(path))
        return true;
    why_set(why, "cannot make the store %s: %s", path, strerror(errno));
    return false;
}

static bool make(const char *path, const char *draft, struct why *why)
{
    sqlite3_int64 bytes = 0;
    unsigned char *image = empty_store(&bytes, why);
    bool ok =
        image && write_out((struct str){ (const char *)image, (size_t)bytes }, path, draft, why);

    sqlite3_free(image);
    return ok;
}

bool sqlite_create(const char *path, struct why *reterr_why)
{
    AUTO_BYTES char *draft = path_beside(path, ".new");
    struct stat file;

    if (!draft) {
        why_set(reterr_why, "no memory");
        return false;
    }
    if (lstat(path, &file) == 0 || errno != ENOENT)
        return true; /* what it is, or why that cannot be told, is asked next */
    if (log_is_left(path, reterr_why))
        return false;
    if (make(path, draft, reterr_why))
        return true;
    (void)unlink(draft);
    return false;
}
