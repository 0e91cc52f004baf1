/*
 * ledger/sqlite_scrub.c - what was forgotten leaves the files too, also over a crash.
 *
 * An old page lives on in the log until it is emptied. And where SQLite moves rows between pages it
 * leaves copies of them in the room between the cells, which secure_delete does not reach: with
 * 3.40.1, after 170,000 votes in 400 polls by turns, three of four pages had something there, and
 * one to nine hashes lay there as a whole. That room is nobody's, so it is zeroed in the file
 * itself: whatever of it a power cut keeps, the pages stay good.
 *
 * That this is still to be done is written with what it is done for, so that a crash between the
 * two ends with the next start.
 *
 * Threads: the writer; main while the store opens.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/sqlite.h"

#define SLICE_PAGES 64
/* The page number that an overflow page begins with never looks like the type of a tree's page
 * below this: 128 GiB. */
#define PAGES_MAX 0x02000000

#define FILE_HEADER_BYTES 100 /* offsets of the file format, big-endian */
#define HEADER_PAGE_BYTES 16
#define HEADER_RESERVED_BYTES 20

static size_t two_bytes(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* Bytes of a tree page's header; 0: it is another kind of page. */
static size_t header_bytes(unsigned char type)
{
    switch (type) {
    case 2: /* inner, index */
    case 5: /* inner, table */
        return 12;
    case 10: /* leaf, index */
    case 13: /* leaf, table */
        return 8;
    default:
        return 0;
    }
}

/* Zeroes what lies between the cells and their pointers. Returns whether there was anything. */
static bool scrub_page(unsigned char *page, bool first)
{
    size_t at = first ? FILE_HEADER_BYTES : 0;
    size_t header = header_bytes(page[at]);
    size_t from = at + header + 2 * two_bytes(page + at + 3);
    size_t until = two_bytes(page + at + 5);
    bool any = false;

    if (header == 0 || from > until || until > PAGE_BYTES)
        return false;
    for (size_t i = from; i < until && !any; i++)
        any = page[i] != 0;
    if (any)
        memset(page + from, 0, until - from);
    return any;
}

static int scrub_slice(sqlite3_file *file, unsigned char *pages, sqlite3_int64 at, int bytes,
                       bool *any)
{
    int code = file->pMethods->xRead(file, pages, bytes, at);

    for (int i = 0; code == SQLITE_OK && i < bytes; i += PAGE_BYTES) {
        if (!scrub_page(pages + i, at + i == 0))
            continue;
        *any = true;
        code = file->pMethods->xWrite(file, pages + i, PAGE_BYTES, at + i);
    }
    return code;
}

static bool is_as_we_make_it(sqlite3_file *file, sqlite3_int64 size)
{
    unsigned char header[FILE_HEADER_BYTES];

    return size % PAGE_BYTES == 0 && size / PAGE_BYTES < PAGES_MAX &&
           file->pMethods->xRead(file, header, sizeof header, 0) == SQLITE_OK &&
           two_bytes(header + HEADER_PAGE_BYTES) == PAGE_BYTES &&
           header[HEADER_RESERVED_BYTES] == 0;
}

static int scrub_file(struct sqlite_store *store, sqlite3_file *file, unsigned char *pages)
{
    bool any = false;
    sqlite3_int64 size;
    int code = file->pMethods->xFileSize(file, &size);

    if (code == SQLITE_OK && !is_as_we_make_it(file, size)) {
        log_line(LOG_ERROR,
                 "%s has pages of a kind that tallyd does not make: what was forgotten "
                 "may be left between its rows, ignoring",
                 store->path);
        return SQLITE_OK;
    }
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += SLICE_PAGES * PAGE_BYTES) {
        sqlite3_int64 left = size - at;

        if (store->turned)
            store->turned(store->wake_context);
        code = scrub_slice(file, pages, at,
                           left < SLICE_PAGES * PAGE_BYTES ? (int)left : SLICE_PAGES * PAGE_BYTES,
                           &any);
    }
    if (code == SQLITE_OK && any)
        code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    return code;
}

/* The log is empty: what the file holds is all there is. Pages that SQLite has in memory would
 * bring back what they hold, so it drops them. */
static enum fault scrub(struct sqlite_store *store)
{
    AUTO_BYTES char *pages = malloc(SLICE_PAGES * PAGE_BYTES);
    sqlite3_file *file = NULL;
    int code = sqlite3_db_release_memory(store->db);

    if (!pages)
        return FAULT_NO_MEMORY;
    if (code == SQLITE_OK)
        code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file);
    if (code == SQLITE_OK && file && file->pMethods)
        code = scrub_file(store, file, (unsigned char *)pages);
    return sql_checkpoint_fault(store, code);
}

enum fault batch_forget(struct sqlite_store *store)
{
    enum fault fault = checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);

    if (fault == FAULT_NONE)
        fault = scrub(store);
    if (fault == FAULT_NONE)
        fault = sql_run(store, SQL_FORGET_DONE);
    store->log_remembers = fault == FAULT_FULL || fault == FAULT_NO_MEMORY;
    if (fault == FAULT_NO_MEMORY)
        return FAULT_NO_MEMORY_TO_SCRUB;
    return fault == FAULT_FULL ? FAULT_LOG_REMEMBERS : fault;
}
