/*
 * ledger/sqlite_books.c - the polls that the store holds, by number.
 *
 * Threads: the writer; main while the store opens.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/sqlite.h"

#define ROOM_MIN 64

static size_t index_of(const struct sqlite_store *store, uint64_t number)
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

struct book *book_find(struct sqlite_store *store, uint64_t number)
{
    size_t at = index_of(store, number);
    struct book *book = at < store->n_books ? store->books[at] : NULL;

    if (!book || book->poll->number != number || (book->touched && book->touched->deleted))
        return NULL;
    return book;
}

struct book *book_find_id(struct sqlite_store *store, const char *id)
{
    AUTO(published) published = NULL;

    for (size_t i = store->n_touched; i-- > 0;) {
        struct touched *touched = store->touched[i];

        if (touched->created && !touched->deleted && strcmp(touched->book->poll->id, id) == 0)
            return touched->book;
    }
    published = board_get(store->board, str_of(id));
    return published ? book_find(store, published->poll->number) : NULL;
}

const struct published *sqlite_shown(struct store *base, uint64_t number)
{
    const struct book *book = book_find(sqlite_of(base), number);

    return book ? book->published : NULL;
}

bool book_add(struct sqlite_store *store, struct book *book)
{
    if (store->n_books == store->room_books) {
        size_t room = store->room_books < ROOM_MIN ? ROOM_MIN : store->room_books * 2;
        struct book **books = realloc(store->books, room * sizeof(struct book *));

        if (!books)
            return false;
        store->books = books;
        store->room_books = room;
    }
    assert(store->n_books == 0 ||
           store->books[store->n_books - 1]->poll->number < book->poll->number);
    store->books[store->n_books++] = book;
    return true;
}

void book_take_out(struct sqlite_store *store, struct book *book)
{
    size_t at = index_of(store, book->poll->number);

    assert(at < store->n_books && store->books[at] == book);
    store->n_books--;
    memmove(&store->books[at], &store->books[at + 1],
            (store->n_books - at) * sizeof(struct book *));
}

void book_drop_sets(struct book *book)
{
    voters_free(book->voters);
    addresses_free(book->addresses);
    book->voters = NULL;
    book->addresses = NULL;
}

void book_free(struct book *book)
{
    if (!book)
        return;
    assert(book->waiting.n == 0);
    book_drop_sets(book);
    published_free(book->published);
    poll_free(book->poll);
    free(book);
}
