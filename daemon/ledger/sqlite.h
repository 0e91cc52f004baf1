/*
 * ledger/sqlite.h - what the files of the SQLite store share.
 *
 * Nobody outside ledger/ includes this. All of it is the writer's thread's once store_open() has
 * returned.
 */
#ifndef TALLYD_LEDGER_SQLITE_H
#define TALLYD_LEDGER_SQLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/auto.h"
#include "base/why.h"
#include "core/addresses.h"
#include "core/ballot.h"
#include "core/board.h"
#include "core/poll.h"
#include "core/queue.h"
#include "core/voters.h"
#include "ledger/store_kind.h"

#define SQLITE_APPLICATION_ID 0x74616C79 /* "taly" */
#define PAGE_BYTES 4096
#define SQLITE_HEADER_VERSIONS 18 /* offset in the file: how it is written, and how it is read */
#define SQLITE_WITHOUT_LOG 1
#define SQLITE_WITH_LOG 2
#define POLL_NUMBER_MAX INT32_MAX /* it stands above the 32 bits of seq in a row's key */
#define WAL_BYTES_MAX (32 * 1024 * 1024)
/* A checkpoint is due here, so that one batch more stays below the most. */
#define WAL_BYTES_DUE (24 * 1024 * 1024)
#define WAL_BYTES_IDLE (1024 * 1024) /* and here when nobody waits */

/* What the store holds of one poll. */
struct book {
    struct poll *poll; /* a reference */
    struct counts counts;
    enum poll_phase phase;       /* as it was last shown */
    uint32_t seq;                /* of the newest row; 0: none */
    uint64_t rows_sum;           /* sqlite_sums.c: of its rows in vote */
    uint64_t definition_sum;     /* of its definition as it is stored */
    uint64_t loaded_sum;         /* of the rows that are in the sets */
    uint64_t stored_sum;         /* of the book, as it was read; … */
    bool has_sums;               /* … false: from before there were any */
    struct published *published; /* what the board shows; a reference */
    struct voters *voters;       /* NULL: not loaded */
    struct addresses *addresses; /* NULL: not loaded */
    struct touched *touched;     /* by the batch at hand, else NULL */
    bool damaged; /* its rows are not as they were written: it takes no vote any more */
    bool loading;
    uint32_t loaded_seq;       /* rows up to here are in the sets */
    struct queue_list waiting; /* jobs that wait for the sets */
};

/* A book as it was before the batch, and what follows from the batch. */
struct touched {
    struct book *book;
    struct poll *poll;     /* before; a reference */
    struct counts counts;  /* before */
    enum poll_phase phase; /* before */
    uint32_t seq;          /* before */
    uint64_t rows_sum;     /* before */
    uint64_t definition_sum;
    bool created;
    bool deleted;
    bool defined;                /* the definition is another */
    bool seen;                   /* a reader sees a difference */
    bool forgotten;              /* its salt goes */
    bool drops_sets;             /* what its sets hold is over */
    struct published *published; /* to be shown; a reference until it is */
};

enum undo_kind { UNDO_ADDED, UNDO_MOVED, UNDO_REMOVED, UNDO_ADDRESS_ADDED, UNDO_ADDRESS_REMOVED };

struct undo {
    enum undo_kind kind;
    struct book *book;
    struct voter_hash voter;
    uint32_t old_seq;
    uint32_t new_seq;
    uint64_t group;
};

enum statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_VOTE_INSERT,
    SQL_VOTE_SELECT,
    SQL_VOTE_SCAN,
    SQL_TALLY_SELECT,
    SQL_POLL_SELECT,
    SQL_HOUR_SCAN,
    SQL_VOTE_REPLACING,
    SQL_VOTE_FORGET,
    SQL_POLL_FORGET,
    SQL_FORGET_BEGUN,
    SQL_FORGET_DONE,
    SQL_POLL_INSERT,
    SQL_POLL_UPDATE,
    SQL_POLL_DELETE,
    SQL_SUMS_PUT,
    SQL_LIVE_PUT,
    SQL_TALLY_PUT,
    SQL_HOUR_PUT,
    SQL_COUNT
};

struct sqlite_store {
    struct store base; /* first: a store is its kind's */
    sqlite3 *db;
    char *path;
    int lock_fd;
    const struct clock *clock;
    const struct keys *keys;
    char *keys_path; /* NULL: not in a file */
    void (*random)(void *bytes, size_t len);
    unsigned prefix_v4;
    unsigned prefix_v6;
    int64_t forget_after_ms;
    struct board *board;
    uint64_t epoch;
    uint64_t last_number; /* of a poll, deleted ones too */
    sqlite3_stmt *sql[SQL_COUNT];
    struct book **books; /* by poll number */
    size_t n_books;
    size_t room_books;
    size_t n_loading;
    struct queue_list orphans; /* jobs whose poll went while they waited: to be decided anew */
    uint64_t rewrites; /* how often rows were changed: sums that were begun before are void */
    bool ends_well;    /* it was opened whole, and nothing broke: its log may go at the end */
    bool marked;       /* its file says that there is a log (sqlite_mark.c) */
    bool recovered;    /* the log is that of a crash: it goes before one is written */
    int wal_frames;    /* not yet checkpointed, by the last commit */
    int64_t last_checkpoint_ms; /* wall: of all of the log; 0: none since the start */
    uint64_t ballast_bytes;
    bool ballast_there;
    bool log_remembers;       /* what was forgotten is still in the files: it must go when it can */
    int64_t ballast_retry_ms; /* mono */
    int64_t say_full_ms;      /* mono: that the disk is full is not said again before */
    int64_t look_again_ms;    /* mono: when the clock may have changed something; INT64_MAX: not
                               * before a definition does */

    struct backup *backup;  /* being made, or NULL */
    bool ending;            /* no other is begun */
    int64_t last_backup_ms; /* wall; 0: none since the start */
    uint64_t last_backup_bytes;
    void (*wake)(void *context);   /* any thread: store_work() is due; NULL: nobody is told */
    void (*turned)(void *context); /* a step of something long is done; NULL: nobody is told */
    void *wake_context;

    /* Of the batch at hand: */
    bool in_transaction;
    bool forgets; /* something was forgotten: the log must go before it is answered */
    int64_t now_ms;
    struct touched **touched;
    size_t n_touched;
    size_t room_touched;
    struct undo *undo; /* room for 2 * BATCH_JOBS_MAX */
    size_t n_undo;
};

static inline struct sqlite_store *sqlite_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

enum decided { DECIDED, KEPT };

/* How a statement or a batch went wrong. */
enum fault {
    FAULT_NONE,
    FAULT_NO_MEMORY,     /* rolled back; busy */
    FAULT_FULL,          /* rolled back; the disk is full, and that is all */
    FAULT_LOG_REMEMBERS, /* committed and shown, but what was forgotten is still in the log: the
                          * disk is full */
    FAULT_NO_MEMORY_TO_SCRUB, /* the same, and there is no memory */
    FAULT_DAMAGED, /* nothing was done: the rows of one poll are not as they were written */
    FAULT_BROKEN   /* nobody knows what is on disk */
};

/* sqlite_files.c: around SQLite, before it opens anything */
int sqlite_lock(const char *path, struct why *reterr_why); /* -1: another tallyd has it */
MUST_USE bool sqlite_file_ok(const char *path, int newest, struct why *reterr_why);
/* How many bytes the file of this name has; -1: there is none. */
MUST_USE bool sqlite_look_beside(const char *path, const char *suffix, int64_t *ret_bytes,
                                 struct why *reterr_why);
MUST_USE bool sqlite_rewrite_wal(const char *path, struct why *reterr_why);
/* Says that one cannot do this with the log, and what to do. Returns false. */
bool sqlite_log_refused(const char *name, const char *what, int error, struct why *reterr_why);
MUST_USE bool sqlite_sync_folder(const char *path, struct why *reterr_why);
bool ballast_make(const char *path, uint64_t bytes);
void ballast_free(const char *path);

/* sqlite_log.c */
/* Whether a crash explains what the log beside the store looks like. Only reads. */
MUST_USE bool sqlite_log_ok(const char *path, struct why *reterr_why);

/* sqlite_mark.c */
/* Opens a file that nobody changes: no lock, no log, nothing made beside it. false: *ret_db, where
 * it is not NULL, says why; it is to be closed either way. */
MUST_USE bool sqlite_open_unchanging(const char *path, sqlite3 **ret_db);
/* Whether the store has the log beside it that it should have; false too where that cannot be
 * told. Only reads, before it is open. */
MUST_USE bool sqlite_log_not_lost(const char *path, struct why *reterr_why);
/* The same of a file that is to be a backup. */
MUST_USE bool sqlite_copy_is_whole(const char *path, struct why *reterr_why);
/* The log has its name on disk. FAULT_BROKEN, with *reterr_why, or FAULT_NONE. */
MUST_USE enum fault mark_set(struct sqlite_store *store, struct why *reterr_why);
/* All that the log holds goes into the file, and the mark with it. Where store->marked still holds
 * afterwards it did not: the log has to stay. */
MUST_USE enum fault mark_clear(struct sqlite_store *store);
/* Makes a copy that nobody else has open an ordinary file: without a log, and without the mark of
 * one; not synced. false: errno says why. */
MUST_USE bool sqlite_settle_copy(const char *path);

/* sqlite_create.c */
/* Where there is no file of this name, makes it: an empty store, on disk. */
MUST_USE bool sqlite_create(const char *path, struct why *reterr_why);

/* sqlite_open.c */
/* What SQLite says of its last error, what the system said, and what to do: one line. db NULL: no
 * memory. */
struct why sqlite_says(sqlite3 *db);
/* Why the disk could not be read, where SQLite has taken that for damage. 0: it was read. */
int sqlite_read_errno(sqlite3 *db);
MUST_USE bool sqlite_exec(sqlite3 *db, const char *sql, struct why *reterr_why);
/* Begins a transaction that writes, while the store opens. */
MUST_USE bool sqlite_begin(struct sqlite_store *store, struct why *reterr_why);

/* sqlite_migrate.c */
int sqlite_newest_migration(void);
/* *ret_upgraded: it was an older one, not a new file. */
MUST_USE bool sqlite_migrate(struct sqlite_store *store, bool *ret_upgraded,
                             struct why *reterr_why);

/* sqlite_load.c */
/* Has SQLite just found no memory? Then *why says so. */
MUST_USE bool sqlite_lacks_memory(const struct sqlite_store *store, struct why *why);
/* Says that the store is damaged by `what`, or, where SQLite has just found no memory, that it is
 * not: nobody shall restore a backup for that. Returns false. */
bool sqlite_damaged(const struct sqlite_store *store, const char *what, struct why *why);
MUST_USE bool sqlite_load(struct sqlite_store *store, struct why *reterr_why);

/* The row of a poll in this order, and what becomes of it, all but the tally. NULL: it is damaged,
 * or no memory. */
#define BOOK_COLUMNS                                                                               \
    "poll, definition, salt, prefix_v4, prefix_v6, seq, voters, version, updated_at, phase, id, "  \
    "rows_sum, sum"
MUST_USE struct book *sqlite_read_book(sqlite3_stmt *row, struct why *reterr_why);

/* sqlite_books.c */
struct book *book_find(struct sqlite_store *store, uint64_t number);
/* The live poll of this id as the batch at hand has left it. */
struct book *book_find_id(struct sqlite_store *store, const char *id);
MUST_USE bool book_add(struct sqlite_store *store, struct book *book); /* numbers only grow */
void book_take_out(struct sqlite_store *store, struct book *book);
void book_free(struct book *book);
AUTO_FREE(book);
void book_drop_sets(struct book *book);

/* sqlite_voters.c */
/* A row of the ledger as it is read: the columns of SQL_VOTE_SCAN. */
struct vote_row {
    uint32_t seq;
    struct voter_hash voter;
    bool retracted;
    uint64_t marks;
    uint32_t replaces; /* 0: none */
    bool has_address;
    uint64_t group;
    int64_t at_ms; /* since the poll's creation */
};
/* false: it cannot be one. */
MUST_USE bool vote_row_read(sqlite3_stmt *scan, struct vote_row *ret_row);
/* The same of SQL_VOTE_SELECT's columns. */
MUST_USE bool vote_row_selected(sqlite3_stmt *select, uint32_t seq, struct vote_row *ret_row);
/* Begins a scan of the rows behind `after` up to `end`, at most `most`. */
int vote_rows_bind(sqlite3_stmt *scan, const struct book *book, uint32_t after, uint32_t end,
                   int most);
/* The voter's newest row. FAULT_NONE with *ret_found false: there is none. */
enum fault voters_standing(struct sqlite_store *store, struct book *book,
                           const struct voter_hash *voter, bool *ret_found,
                           struct standing *ret_standing);
/* Whether the set holds exactly this row of this voter. */
bool book_holds(const struct book *book, const struct voter_hash *voter, uint32_t seq);
/* Empty sets, in place of what there was. */
enum fault voters_begin(struct book *book);
/* One slice of the sets of a book that is loading; done when book->loading is false again. Between
 * batches only. */
enum fault voters_load_slice(struct sqlite_store *store, struct book *book);

/* sqlite_sums.c */
uint64_t sums_row(const struct vote_row *row);
uint64_t sums_definition(struct str definition);
uint64_t sums_book(const struct book *book); /* all that a start reads of it */
uint64_t sums_poll_number(uint64_t number);
uint64_t
sums_live(const struct sqlite_store *store); /* of the polls that are there behind the batch */
enum fault sums_write_live(struct sqlite_store *store);
/* Of a store that has none yet: all of them. Reads every row. */
MUST_USE bool sums_fill(struct sqlite_store *store, struct why *reterr_why);

/* sqlite_write.c: one row each; every one may fail */
enum fault sql_fault(struct sqlite_store *store, int code);            /* of what writes the log */
enum fault sql_checkpoint_fault(struct sqlite_store *store, int code); /* of what writes the file */
enum fault sql_run(struct sqlite_store *store, enum statement which);
enum fault write_begin(struct sqlite_store *store);
enum row_kind { ROW_VOTE /* without marks: a retraction */, ROW_VOID };
enum fault write_vote(struct sqlite_store *store, struct book *book, const struct ballot *ballot,
                      uint32_t seq, uint32_t replaces, enum row_kind kind);
enum fault write_poll(struct sqlite_store *store, struct touched *touched);
enum fault write_counts(struct sqlite_store *store, const struct touched *touched);

/* sqlite_batch.c */
/* The book's state before the batch is kept, once. NULL: no memory. */
MUST_USE struct touched *batch_touch(struct sqlite_store *store, struct book *book);
/* Writes what was touched, commits, publishes. The batch is over either way. */
enum fault batch_finish(struct sqlite_store *store);
/* As if the batch had never been. FAULT_NONE, or FAULT_BROKEN. */
enum fault batch_roll_back(struct sqlite_store *store);

/* sqlite_decide.c */
enum fault decide_job(struct sqlite_store *store, struct job *job, enum decided *ret_decided);
/* VOTE, RETRACT, ASK. Kept: the job waits in the book whose sets are being loaded. */
enum fault decide_about_vote(struct sqlite_store *store, struct job *job,
                             enum decided *ret_decided);
/* Whether the job is refused, since it would need sets that cannot be made of damaged rows. */
bool decide_damaged(const struct sqlite_store *store, const struct book *book, struct job *job);
/* Whether `waiting`, which is about a vote of `ballot`, has to wait for the poll's sets; then it is
 * kept. */
enum fault decide_wait(struct sqlite_store *store, struct book *book, struct job *waiting,
                       enum decided *ret_decided);

/* Remembers what the batch at hand has changed in a book's sets. */
void note_undo(struct sqlite_store *store, enum undo_kind kind, struct book *book,
               const struct ballot *ballot, uint32_t old_seq, uint32_t new_seq);

/* sqlite_void.c */
enum fault decide_void(struct sqlite_store *store, struct job *job, enum decided *ret_decided);

/* sqlite_forget.c */
enum fault decide_forget(struct sqlite_store *store, struct job *job);
/* Destroys the salt of a closed poll, with the batch at hand. */
enum fault forget_poll(struct sqlite_store *store, struct book *book);

/* sqlite_scrub.c */
/* Takes what was forgotten out of the files: empties the log, in which its old page lives on, and
 * zeroes the room between rows. Reads the whole store; a full disk, or no memory, leaves it for
 * later (store->log_remembers). */
enum fault batch_forget(struct sqlite_store *store);

/* sqlite_bulk.c */
enum fault decide_bulk(struct sqlite_store *store, struct job *job, enum decided *ret_decided);

/* sqlite_backup.c */
/* The job is kept, or refused where another one is being made. */
enum decided backup_begin(struct sqlite_store *store, struct job *job);
/* A slice of what there is to do, between batches. Returns how long the next may wait. */
int64_t backup_work(struct sqlite_store *store, bool idle, struct queue_list *answered);
/* Given up, unless it is being named at this moment: then its job stays. */
void backup_end(struct sqlite_store *store, struct queue_list *answered);
/* The same, and its job is answered in any case. */
void backup_abandon(struct sqlite_store *store, struct queue_list *answered);
void backup_free(struct backup *backup);

/* sqlite_work.c: as in store.h */
enum store_result sqlite_commit(struct store *base, struct batch *batch, size_t *ret_kept);
enum store_result sqlite_work(struct store *base, bool idle, struct queue_list *answered,
                              int64_t *ret_next_ms);
enum store_result sqlite_finish(struct store *base);
void sqlite_end_soon(struct store *base, struct queue_list *answered);
void sqlite_abandon(struct store *base, struct queue_list *answered);

/* sqlite_read.c: as in store.h */
enum store_result sqlite_read(struct store *base, struct job *job);
void sqlite_figures(const struct store *base, struct store_figures *ret_figures);

/* sqlite_books.c: as in store.h */
const struct published *sqlite_shown(struct store *base, uint64_t number);

/* sqlite_work.c */
enum fault checkpoint(struct sqlite_store *store, int mode);
/*
 * Before anything is written: frames that a crash left behind the last commit go, so that
 * sqlite_log_ok() never takes those of two crashes for two commits. Emptied it is, since a log in
 * which no commit is whole is not begun anew: SQLite writes over it with the same salts.
 */
enum fault log_of_crash_goes(struct sqlite_store *store);
enum store_result store_failed(struct sqlite_store *store, enum fault fault);
/* Refuses the job, in the words for this fault; none: leaves it alone. */
void answer_fault(struct job *job, enum fault fault);

#endif
