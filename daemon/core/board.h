/*
 * core/board.h - what readers see: per poll one immutable published tally.
 *
 * The writer publishes; loops read. A read takes a lock only for the look-up and one more
 * reference, never while anything is worked out or sent. Tallies are rendered in a language when
 * somebody first asks for that version in it, and everybody shares those bytes.
 */
#ifndef TALLYD_CORE_BOARD_H
#define TALLYD_CORE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "core/poll.h"
#include "core/queue.h"
#include "core/tally.h"

#define ETAG_BYTES_MAX 96

struct rendered {              /* a tally in one language; lives as long as its published */
    const char *language;      /* a tag, or NULL: no Content-Language */
    char etag[ETAG_BYTES_MAX]; /* strong, with its quotes */
    size_t etag_len;
    size_t len;
    char json[]; /* `{"id":…}` without white space, not NUL-terminated */
};

struct published {
    atomic_uint refs;
    struct poll *poll; /* a reference */
    struct counts counts;
    enum poll_phase phase;
    uint64_t epoch; /* of the store: changes with a restore */
    size_t n_languages;
    const char *languages[TEXT_LANGUAGES_MAX];
    _Atomic(struct rendered *) rendered[TEXT_LANGUAGES_MAX]; /* made by whoever asks first */
};

/*
 * An immutable tally to publish; takes a reference of `poll`.
 *   returns  NULL when there is no memory; thread: any (the writer makes them)
 */
MUST_USE struct published *published_new(struct poll *poll, const struct counts *counts,
                                         enum poll_phase phase, uint64_t epoch);
struct published *published_ref(struct published *published);
void published_free(struct published *published); /* one reference less; any thread */
AUTO_FREE(published);

/* The tally in language number `language` (below n_languages), rendered now if nobody did before.
 * NULL: no memory. Lives as long as `published`. Any thread. */
MUST_USE const struct rendered *published_json(struct published *published, size_t language);

/* The language for a reader: language_choose() over published->languages. */
size_t published_language(const struct published *published, struct str wanted, struct str accept);

struct board;

MUST_USE struct board *board_new(void);
void board_free(struct board *board);
AUTO_FREE(board);

/* Makes room for `more` new ids, so that publishing them cannot fail. Thread: writer. */
MUST_USE bool board_reserve(struct board *board, size_t more);

/*
 * Shows `published` under its poll's id in place of what was there; takes over the reference.
 *   returns  false: no memory for a new id (the board is as it was, the reference still the
 *            caller's); replacing an id that is there never fails
 *   thread   writer
 */
MUST_USE bool board_publish(struct board *board, struct published *published);

/* Takes an id down. Never fails; unknown ids are none. Thread: writer. */
void board_remove(struct board *board, const char *id);

/* What is shown under `id`, with one more reference, or NULL. Any thread. */
MUST_USE struct published *board_get(struct board *board, struct str id);

/*
 * A page of what is shown, by id in byte order.
 *   after    ids greater than this; empty: from the start
 *   returns  how many (at most `max`); each with one more reference, the caller's. Any thread.
 */
size_t board_list(struct board *board, struct str after, struct published **ret_items, size_t max);

size_t board_count(struct board *board);

/*
 * A loop's interest in one poll: whenever what is shown under its id changes or goes, the watch is
 * put into `told`. Changes that come before it is taken out again are merged: the loop then looks
 * at the board once.
 *
 * Embedded by its owner, who fills in `told` and frees it; the rest is the board's.
 */
struct watch {
    struct queue_node node; /* first: a node in `told` is its watch */
    struct queue *told;     /* outlives the watch */
    struct watch *next;     /* lock: of the same id */
    struct watch **place;   /* lock: what points at it; NULL: watches nothing (any more) */
    struct watch *next_told;
    bool is_told; /* lock: in `told`, or on its way there */
};

/* Begins to watch. false: nothing is shown under this id. Thread: the owner's. */
MUST_USE bool board_watch(struct board *board, struct str id, struct watch *watch);

/*
 * Watches no more. The owner's thread, which also takes `told`.
 *   returns  false: it lies in `told` or is on its way there, and must not be freed before it came
 */
MUST_USE bool board_unwatch(struct board *board, struct watch *watch);

/* Tells the watch although nothing has changed just now. The owner's thread. */
void board_tell(struct board *board, struct watch *watch);

/* The watch was taken out of `told`: what changes from now on tells it again. The owner's thread.
 *   returns  false: what it watched was taken down, and it watches nothing any more             */
bool board_watch_again(struct board *board, struct watch *watch);

#endif
