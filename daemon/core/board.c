/*
 * core/board.c - what readers see, by id.
 *
 * A sorted array under a read-write lock: look-ups take it for a binary search and one reference.
 *
 * Threads: board_publish() and board_remove() the writer; a watch its owner; the rest any.
 */
#include "core/board.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

struct entry {
    struct published *published; /* a reference */
    struct watch *watches;
};

struct board {
    pthread_rwlock_t lock;
    struct entry *entries; /* lock; by id in byte order */
    size_t n;              /* lock */
    size_t room;           /* lock */
};

struct board *board_new(void)
{
    struct board *board = calloc(1, sizeof *board);

    if (board)
        (void)pthread_rwlock_init(&board->lock, NULL);
    return board;
}

void board_free(struct board *board)
{
    if (!board)
        return;
    for (size_t i = 0; i < board->n; i++)
        published_free(board->entries[i].published);
    free(board->entries);
    (void)pthread_rwlock_destroy(&board->lock);
    free(board);
}

static int compare(struct str id, const char *other)
{
    size_t len = strlen(other);
    size_t both = id.len < len ? id.len : len;
    int order = both > 0 ? memcmp(id.at, other, both) : 0;

    return order != 0 ? order : id.len < len ? -1 : id.len > len ? 1 : 0;
}

/* The index of `id`, or of the first one behind it; *ret_found says which. Under the lock. */
static size_t find(const struct board *board, struct str id, bool *ret_found)
{
    size_t low = 0;
    size_t high = board->n;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(id, board->entries[middle].published->poll->id);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The first watch of an entry points back at it. */
static void entry_moved(struct entry *entry)
{
    if (entry->watches)
        entry->watches->place = &entry->watches;
}

static void shift(struct board *board, size_t from, size_t to)
{
    size_t n = board->n - from;

    memmove(&board->entries[to], &board->entries[from], n * sizeof *board->entries);
    for (size_t i = 0; i < n; i++)
        entry_moved(&board->entries[to + i]);
}

static bool make_room(struct board *board, size_t more)
{
    size_t room = board->room < ROOM_MIN ? ROOM_MIN : board->room;
    struct entry *entries;

    if (more <= board->room - board->n)
        return true;
    while (room - board->n < more)
        room *= 2;
    entries = realloc(board->entries, room * sizeof *entries);
    if (!entries)
        return false;
    board->entries = entries;
    board->room = room;
    for (size_t i = 0; i < board->n; i++)
        entry_moved(&entries[i]);
    return true;
}

bool board_reserve(struct board *board, size_t more)
{
    bool ok;

    (void)pthread_rwlock_wrlock(&board->lock);
    ok = make_room(board, more);
    (void)pthread_rwlock_unlock(&board->lock);
    return ok;
}

/* Returns what was there, NULL where nothing was. Under the lock. */
static struct published *put(struct board *board, size_t at, bool found,
                             struct published *published)
{
    struct published *old = found ? board->entries[at].published : NULL;

    if (!found) {
        shift(board, at, at + 1);
        board->entries[at] = (struct entry){ NULL, NULL };
        board->n++;
    }
    board->entries[at].published = published;
    return old;
}

/* Those that are not told yet, to be told outside the lock. Under the lock. */
static struct watch *to_tell(struct watch *watches)
{
    struct watch *told = NULL;

    for (struct watch *watch = watches; watch; watch = watch->next) {
        if (watch->is_told)
            continue;
        watch->is_told = true;
        watch->next_told = told;
        told = watch;
    }
    return told;
}

/* Each may be gone as soon as it is put. */
static void tell(struct watch *told)
{
    struct watch *next;

    for (struct watch *watch = told; watch; watch = next) {
        struct queue_list one = { NULL, NULL, 0 };

        next = watch->next_told;
        queue_list_add(&one, &watch->node);
        queue_put(watch->told, &one);
    }
}

bool board_publish(struct board *board, struct published *published)
{
    struct published *old = NULL;
    struct watch *told = NULL;
    bool found;
    bool ok;
    size_t at;

    (void)pthread_rwlock_wrlock(&board->lock);
    at = find(board, str_of(published->poll->id), &found);
    ok = found || make_room(board, 1);
    if (ok) {
        old = put(board, at, found, published);
        told = to_tell(board->entries[at].watches);
    }
    (void)pthread_rwlock_unlock(&board->lock);
    tell(told);
    published_free(old);
    return ok;
}

/* They watch nothing any more. Under the lock. */
static void let_go(struct watch *watches)
{
    struct watch *next;

    for (struct watch *watch = watches; watch; watch = next) {
        next = watch->next;
        watch->next = NULL;
        watch->place = NULL;
    }
}

void board_remove(struct board *board, const char *id)
{
    struct published *old = NULL;
    struct watch *told = NULL;
    bool found;
    size_t at;

    (void)pthread_rwlock_wrlock(&board->lock);
    at = find(board, str_of(id), &found);
    if (found) {
        old = board->entries[at].published;
        told = to_tell(board->entries[at].watches);
        let_go(board->entries[at].watches);
        shift(board, at + 1, at);
        board->n--;
    }
    (void)pthread_rwlock_unlock(&board->lock);
    tell(told);
    published_free(old);
}

bool board_watch(struct board *board, struct str id, struct watch *watch)
{
    bool found;
    size_t at;

    (void)pthread_rwlock_wrlock(&board->lock);
    at = find(board, id, &found);
    watch->is_told = false;
    watch->place = NULL;
    if (found) {
        watch->next = board->entries[at].watches;
        if (watch->next)
            watch->next->place = &watch->next;
        board->entries[at].watches = watch;
        watch->place = &board->entries[at].watches;
    }
    (void)pthread_rwlock_unlock(&board->lock);
    return found;
}

bool board_unwatch(struct board *board, struct watch *watch)
{
    bool is_told;

    (void)pthread_rwlock_wrlock(&board->lock);
    if (watch->place) {
        *watch->place = watch->next;
        if (watch->next)
            watch->next->place = watch->place;
    }
    watch->place = NULL;
    is_told = watch->is_told;
    (void)pthread_rwlock_unlock(&board->lock);
    return !is_told;
}

void board_tell(struct board *board, struct watch *watch)
{
    bool tells;

    (void)pthread_rwlock_wrlock(&board->lock);
    tells = !watch->is_told;
    watch->is_told = true;
    watch->next_told = NULL;
    (void)pthread_rwlock_unlock(&board->lock);
    if (tells)
        tell(watch);
}

bool board_watch_again(struct board *board, struct watch *watch)
{
    bool watches;

    (void)pthread_rwlock_wrlock(&board->lock);
    watch->is_told = false;
    watches = watch->place != NULL;
    (void)pthread_rwlock_unlock(&board->lock);
    return watches;
}

struct published *board_get(struct board *board, struct str id)
{
    struct published *published = NULL;
    bool found;
    size_t at;

    (void)pthread_rwlock_rdlock(&board->lock);
    at = find(board, id, &found);
    if (found)
        published = published_ref(board->entries[at].published);
    (void)pthread_rwlock_unlock(&board->lock);
    return published;
}

size_t board_list(struct board *board, struct str after, struct published **ret_items, size_t max)
{
    size_t n = 0;
    bool found;
    size_t at;

    (void)pthread_rwlock_rdlock(&board->lock);
    at = find(board, after, &found);
    for (at += found; at < board->n && n < max; at++)
        ret_items[n++] = published_ref(board->entries[at].published);
    (void)pthread_rwlock_unlock(&board->lock);
    return n;
}

size_t board_count(struct board *board)
{
    size_t n;

    (void)pthread_rwlock_rdlock(&board->lock);
    n = board->n;
    (void)pthread_rwlock_unlock(&board->lock);
    return n;
}
