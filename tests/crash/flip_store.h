/*
 * crash/flip_store.h - a small store with a bit of everything, and what it must show.
 */
#ifndef TALLYD_TESTS_CRASH_FLIP_STORE_H
#define TALLYD_TESTS_CRASH_FLIP_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct flip_store; /* opaque: its files as they are whole, and what they say */

/* The database, closed in good order; the database and the log of a store that was killed; the
 * keys. */
#define FLIP_FILES 3

struct flip_store *flip_store_new(bool no_sums);
void flip_store_free(struct flip_store *is);
const char *flip_store_file(const struct flip_store *is, size_t file);
size_t flip_store_bytes(const struct flip_store *is, size_t file);

/* Puts the files in place anew, with this byte changed in one of them. */
void flip_store_write(struct flip_store *is, size_t file, size_t at, unsigned char mask);

/* Whether that byte is in the last commit of the log. */
bool flip_store_is_last_commit(const struct flip_store *is);

struct flip_store_seen {
    char wrong[256]; /* "": nothing */
    bool refused_a_vote;
    bool check_finds_it; /* --check-store, of what was there before the start */
};

/* Opens the store and compares. NULL, or why it does not open. */
const char *flip_store_look(const struct flip_store *is, struct flip_store_seen *ret_seen);

#endif
