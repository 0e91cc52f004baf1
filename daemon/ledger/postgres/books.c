/*
 * ledger/postgres/books.c - the polls that this node shows, by number.
 *
 * Threads: the writer; main while the store opens.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/postgres/postgres.h"

#define ROOM_MIN 64

static size_t index_of(const struct postgres *store, uint64_t number)
{
    size_t low = 0;
    size_t high = store->n_books;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (store->books[middle]->poll->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct book *book_at(const struct postgres *store, uint64_t number)
{
    size_t at = index_of(store, number);

    return at < store->n_books && store->books[at]->poll->number == number ? store->books[at]
                                                                           : NULL;
}

const struct published *postgres_shown(struct store *base, uint64_t number)
{
    const struct book *book = book_at(postgres_of(base), number);

    return book ? book->published : NULL;
}

struct book *book_called(const struct postgres *store, const char *id)
{
    AUTO(published) published = board_get(store->board, str_of(id));

    return published ? book_at(store, published->poll->number) : NULL;
}

/* Room in the list, and the books themselves: they wait behind its end. */
bool books_reserve(struct postgres *store, size_t more)
{
    size_t room = store->n_books + more;

    if (!board_reserve(store->board, more))
        return false;
    if (room > store->room_books) {
        size_t larger = room < ROOM_MIN ? ROOM_MIN : room * 2;
        struct book **books = realloc(store->books, larger * sizeof(struct book *));

        if (!books)
            return false;
        memset(books + store->room_books, 0, (larger - store->room_books) * sizeof(struct book *));
        store->books = books;
        store->room_books = larger;
    }
    for (size_t i = store->n_books; i < room; i++) {
        if (!store->books[i])
            store->books[i] = calloc(1, sizeof(struct book));
        if (!store->books[i])
            return false;
    }
    return true;
}

static struct book *book_new(struct postgres *store, uint64_t number)
{
    size_t at = index_of(store, number);
    struct book *book;

    assert(store->n_books < store->room_books && store->books[store->n_books]); /* reserved */
    book = store->books[store->n_books];
    memmove(&store->books[at + 1], &store->books[at],
            (store->n_books - at) * sizeof(struct book *));
    store->books[at] = book;
    store->n_books++;
    return book;
}

void book_show(struct postgres *store, struct published *published, uint32_t seq)
{
    struct book *book = book_at(store, published->poll->number);
    bool shown;

    if (!book)
        book = book_new(store, published->poll->number);
    published_free(book->published);
    poll_free(book->poll);
    book->poll = poll_ref(published->poll);
    book->counts = published->counts;
    book->phase = published->phase;
    book->seq = seq;
    book->published = published;
    shown = board_publish(store->board, published_ref(published));
    assert(shown); /* the room was made before */
}

void book_drop(struct postgres *store, uint64_t number)
{
    AUTO(published) shown = NULL;
    struct book *book = book_at(store, number);
    size_t at;

    if (!book)
        return;
    /* A younger poll may bear its id already. */
    shown = board_get(store->board, str_of(book->poll->id));
    if (shown && shown->poll->number == number)
        board_remove(store->board, book->poll->id);
    at = index_of(store, number);
    store->n_books--;
    memmove(&store->books[at], &store->books[at + 1],
            (store->n_books - at) * sizeof(struct book *));
    store->books[store->n_books] = NULL;
    published_free(book->published);
    poll_free(book->poll);
    free(book);
}

void books_free(struct postgres *store)
{
    for (size_t i = 0; i < store->room_books; i++) {
        if (!store->books[i])
            continue;
        published_free(store->books[i]->published);
        poll_free(store->books[i]->poll);
        free(store->books[i]);
    }
    free(store->books);
}
