/*
 * ledger/store.c - finds the kind of a store by its URL, and hands every call on to it.
 *
 * Threads: those of store.h.
 */
#include "ledger/store.h"

#include <string.h>

#include "base/str.h"
#include "ledger/store_kind.h"

static const struct store_kind *const kinds[] = {
    &store_sqlite,
#ifdef TALLYD_HAVE_POSTGRES
    &store_postgres,
#endif
};

static const struct store_kind *kind_of(const char *url)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_starts(str_of(url), str_of(kinds[i]->scheme)))
            return kinds[i];
    }
    return NULL;
}

enum store_found store_find(const char *url, bool (*ended)(void), struct why *reterr_why)
{
    const struct store_kind *kind = kind_of(url);

    return kind ? kind->find(url, ended, reterr_why)
                : STORE_NONE; /* store_open() says what is wrong */
}

bool store_url_ok(const char *url, struct why *reterr_why)
{
    const struct store_kind *kind = kind_of(url);

    return !kind || !kind->url_ok || kind->url_ok(url, reterr_why);
}

/* From `at` on, up to one of `ends`: what stands there is taken out of `text`. */
static void cut(char *text, size_t at, const char *ends)
{
    size_t len = strcspn(text + at, ends);

    memmove(text + at, text + at + len, strlen(text + at + len) + 1);
}

char *store_url_shown(const char *url)
{
    char *shown = str_copy(str_of(url));
    char *authority = shown ? strstr(shown, "://") : NULL;
    char *password;

    if (!authority)
        return shown; /* a path has no password, whatever is in it */
    authority += strlen("://");
    password = memchr(authority, ':', strcspn(authority, "@/?"));
    if (password && authority[strcspn(authority, "@/?")] == '@')
        cut(shown, (size_t)(password - shown), "@");
    while ((password = strstr(authority, "password=")) != NULL)
        cut(shown, (size_t)(password - shown), "&");
    return shown;
}

struct store *store_open(const struct store_settings *settings, struct board *board,
                         struct why *reterr_why)
{
    const struct store_kind *kind = kind_of(settings->url);

    if (!kind)
        return why_set(reterr_why, "the store %s is of no kind that is built in; use sqlite:PATH",
                       settings->url);
    return kind->open(settings, board, reterr_why);
}

enum store_result store_finish(struct store *store)
{
    return store->kind->finish(store);
}

void store_free(struct store *store)
{
    if (store)
        store->kind->free(store);
}

enum store_result store_commit(struct store *store, struct batch *batch, size_t *ret_kept)
{
    return store->kind->commit(store, batch, ret_kept);
}

enum store_result store_read(struct store *store, struct job *job)
{
    return store->kind->read(store, job);
}

enum store_result store_work(struct store *store, bool idle, struct queue_list *answered,
                             int64_t *ret_next_ms)
{
    return store->kind->work(store, idle, answered, ret_next_ms);
}

void store_set_wake(struct store *store, void (*wake)(void *context), void (*turned)(void *context),
                    void *context)
{
    store->kind->set_wake(store, wake, turned, context);
}

void store_figures(const struct store *store, struct store_figures *ret_figures)
{
    store->kind->figures(store, ret_figures);
}

const struct published *store_shown(struct store *store, uint64_t number)
{
    return store->kind->shown(store, number);
}

int64_t store_fresh_ms(const struct store *store)
{
    return store->kind->fresh_ms(store);
}

void store_end_soon(struct store *store, struct queue_list *answered)
{
    store->kind->end_soon(store, answered);
}

void store_abandon(struct store *store, struct queue_list *answered)
{
    store->kind->abandon(store, answered);
}
