/*
 * core/board.c - what readers see, by id.
 *
 * A sorted array under a read-write lock: look-ups take it for a binary search and one reference.
 *
 * Threads: board_publish() and board_remove() the writer; the rest any.
 */
#include "core/board.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

struct board {
    pthread_rwlock_t lock;
    struct published **items; /* lock; by id in byte order; a reference each */
    size_t n;                 /* lock */
    size_t room;              /* lock */
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
        published_free(board->items[i]);
    free(board->items);
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
        int order = compare(id, board->items[middle]->poll->id);

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

static bool make_room(struct board *board, size_t more)
{
    size_t room = board->room < ROOM_MIN ? ROOM_MIN : board->room;
    struct published **items;

    if (more <= board->room - board->n)
        return true;
    while (room - board->n < more)
        room *= 2;
    items = realloc(board->items, room * sizeof(struct published *));
    if (!items)
        return false;
    board->items = items;
    board->room = room;
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
    struct published *old = found ? board->items[at] : NULL;

    if (!found) {
        memmove(&board->items[at + 1], &board->items[at],
                (board->n - at) * sizeof(struct published *));
        board->n++;
    }
    board->items[at] = published;
    return old;
}

bool board_publish(struct board *board, struct published *published)
{
    struct published *old = NULL;
    bool found;
    bool ok;
    size_t at;

    (void)pthread_rwlock_wrlock(&board->lock);
    at = find(board, str_of(published->poll->id), &found);
    ok = found || make_room(board, 1);
    if (ok)
        old = put(board, at, found, published);
    (void)pthread_rwlock_unlock(&board->lock);
    published_free(old);
    return ok;
}

void board_remove(struct board *board, const char *id)
{
    struct published *old = NULL;
    bool found;
    size_t at;

    (void)pthread_rwlock_wrlock(&board->lock);
    at = find(board, str_of(id), &found);
    if (found) {
        old = board->items[at];
        board->n--;
        memmove(&board->items[at], &board->items[at + 1],
                (board->n - at) * sizeof(struct published *));
    }
    (void)pthread_rwlock_unlock(&board->lock);
    published_free(old);
}

struct published *board_get(struct board *board, struct str id)
{
    struct published *published = NULL;
    bool found;
    size_t at;

    (void)pthread_rwlock_rdlock(&board->lock);
    at = find(board, id, &found);
    if (found)
        published = published_ref(board->items[at]);
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
        ret_items[n++] = published_ref(board->items[at]);
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
