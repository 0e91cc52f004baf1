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

/* Bytes of the file of this name; -1: there is none. */
static int64_t bytes_beside(const char *path, const char *suffix)
{
    AUTO_BYTES char *name = path_beside(path, suffix);
    struct stat file;

    return name && stat(name, &file) == 0 ? file.st_size : -1;
}

/* What SQLite would delete, or play into the new store: there was a store, and it is away. */
static bool log_is_left(const char *path, struct why *why)
{
    static const char *const suffixes[] = { "-wal", "-journal" };

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (bytes_beside(path, suffixes[i]) <= 0)
            continue;
        why_set(why,
                "the log %s%s is there without its store; put the store %s back, or move the log "
                "away and restore a backup (tallyd --restore)",
                path, suffixes[i], path);
        return true;
    }
    return false;
}

/* No journal: it is synced as a whole before it gets its name. */
static bool fill(const char *draft, struct why *why)
{
    static const char sql[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
                              "PRAGMA page_size = 4096; PRAGMA application_id = 1952541817";
    sqlite3 *db = NULL;
    bool ok = sqlite3_open_v2(draft, &db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                  SQLITE_OPEN_EXRESCODE,
                              NULL) == SQLITE_OK &&
              sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

    if (!ok)
        why_set(why, "cannot make the store %s: %s", draft, sqlite_says(db).text);
    (void)sqlite3_close(db);
    return ok;
}

static bool make(const char *path, const char *draft, struct why *why)
{
    if (unlink(draft) < 0 && errno != ENOENT) { /* what an earlier start left */
        why_set(why, "cannot remove %s: %s", draft, strerror(errno));
        return false;
    }
    if (!fill(draft, why))
        return false;
    if (draft_sync(draft) && draft_name(draft, path) && folder_sync(path))
        return true;
    why_set(why, "cannot make the store %s: %s", path, strerror(errno));
    return false;
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
