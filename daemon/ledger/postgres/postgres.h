/*
 * ledger/postgres/postgres.h - what the files of the PostgreSQL store share.
 *
 * Several nodes share one engine. Whatever decides about a poll happens in a turn (turn.h): under
 * the lock of the poll's row, by what the engine then says, so that all nodes together count as one
 * would. What is in memory here is what the board shows, and may be old; it decides nothing.
 *
 * Nobody outside ledger/postgres/ includes this, but store.c for the kind. All of it is the
 * writer's thread's once store_open() has returned.
 */
#ifndef TALLYD_LEDGER_POSTGRES_POSTGRES_H
#define TALLYD_LEDGER_POSTGRES_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"
#include "core/board.h"
#include "core/poll.h"
#include "ledger/postgres/link.h"
#include "ledger/store_kind.h"

/* How long votes wait for an engine that is not there, or for a poll that others hold. */
#define VOTES_WAIT_MS 5000
/* A node whose clock is behind another's by less than this takes a poll's last change for its
 * time: what one node has closed, no other opens again. */
#define CLOCKS_APART_MS 5000

/* What the board shows of one poll. */
struct book {
    struct poll *poll; /* a reference */
    struct counts counts;
    enum poll_phase phase;
    uint32_t seq; /* of the newest row; 0: none */
    struct published *published;
};

struct postgres {
    struct store base; /* first: a store is its kind's */
    struct link *link;
    const struct clock *clock;
    const struct keys *keys;
    void (*random)(void *bytes, size_t len);
    unsigned prefix_v4;
    unsigned prefix_v6;
    int64_t forget_after_ms;
    struct board *board;
    uint64_t epoch;
    struct book **books; /* by poll number */
    size_t n_books;
    size_t room_books;

    int64_t node;          /* of this start: random */
    int64_t batch;         /* number of the last one */
    uint64_t generation;   /* of the connection that was greeted */
    int64_t engine_start;  /* ENGINE_START of the engine that was greeted */
    char horizon[24];      /* transactions from this one on are looked at anew */
    char durability[64];   /* what the engine does less than it should; "": nothing */
    bool damaged;          /* a poll that was read last cannot be shown, … */
    struct why damage;     /* … and why */
    int64_t shared_us;     /* what the last turn waited for locks, where others count too */
    int64_t look_again_ms; /* mono: at what other nodes have done */
    int64_t sweep_again_ms;
    int64_t tidy_again_ms;
    int64_t sweep_rest_ms; /* mono: remains of other nodes' batches are looked for */
    int64_t down_since_ms; /* link_now_ms(); 0: the engine is there */
    uint64_t bytes;        /* of the database, when status was last asked for */
    int64_t fresh_ms;      /* mono: the board was then as the engine is */
};

static inline struct postgres *postgres_of(struct store *store)
{
    return (struct postgres *)store;
}

/* books.c */
struct book *book_at(const struct postgres *store, uint64_t number);
/* The poll that is shown under this id, or NULL. */
struct book *book_called(const struct postgres *store, const char *id);
/* Room for so many more, here and on the board, so that showing them cannot fail. */
MUST_USE bool books_reserve(struct postgres *store, size_t more);
/* Takes it in and shows it, in place of an older one. Takes over `published`. */
void book_show(struct postgres *store, struct published *published, uint32_t seq);
void book_drop(struct postgres *store, uint64_t number); /* unknown ones are none */
void books_free(struct postgres *store);

/* news.c: what other nodes have done */
/* Reads what has changed since the last time and shows it. Outside of a turn. */
enum link_result news_read(struct postgres *store, int64_t deadline_ms);

/* greet.c: each engine */
/* SQL, a timestamptz: when the engine started. No two that answer have the same. */
#define ENGINE_START "pg_postmaster_start_time()"
/* Whether there is a connection that has been looked at, within the deadline. */
MUST_USE bool postgres_up(struct postgres *store, int64_t deadline_ms);
/* Whether the engine that answered this statement, with its ENGINE_START in this column, is the one
 * that was looked at. If not, nothing that it said may be used. */
MUST_USE bool postgres_is_greeted(struct postgres *store, size_t statement, int column);

/* commit.c, between.c, read.c, books.c: as in store.h */
enum store_result postgres_commit(struct store *base, struct batch *batch, size_t *ret_kept);
enum store_result postgres_work(struct store *base, bool idle, struct queue_list *answered,
                                int64_t *ret_next_ms);
enum store_result postgres_read(struct store *base, struct job *job);
void postgres_figures(const struct store *base, struct store_figures *ret_figures);
const struct published *postgres_shown(struct store *base, uint64_t number);

#endif
