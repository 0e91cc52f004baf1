/*
 * ledger/store_kind.h - what a kind of store has to do, for those that are one.
 *
 * The functions are those of store.h; each says there what it promises. Nobody outside ledger/
 * includes this.
 */
#ifndef TALLYD_LEDGER_STORE_KIND_H
#define TALLYD_LEDGER_STORE_KIND_H

#include "ledger/store.h"

struct store_kind {
    const char *scheme; /* what its URLs begin with: "sqlite:" */
    /* NULL: there is nothing to say about its URLs before one is opened. */
    bool (*url_ok)(const char *url, struct why *reterr_why);
    enum store_found (*find)(const char *url, bool (*ended)(void), struct why *reterr_why);
    struct store *(*open)(const struct store_settings *settings, struct board *board,
                          struct why *reterr_why);
    enum store_result (*finish)(struct store *store);
    void (*free)(struct store *store); /* never NULL */
    enum store_result (*commit)(struct store *store, struct batch *batch, size_t *ret_kept);
    enum store_result (*read)(struct store *store, struct job *job);
    enum store_result (*work)(struct store *store, bool idle, struct queue_list *answered,
                              int64_t *ret_next_ms);
    void (*set_wake)(struct store *store, void (*wake)(void *context),
                     void (*turned)(void *context), void *context);
    void (*figures)(const struct store *store, struct store_figures *ret_figures);
    const struct published *(*shown)(struct store *store, uint64_t number);
    int64_t (*fresh_ms)(const struct store *store);
    void (*end_soon)(struct store *store, struct queue_list *answered);
    void (*abandon)(struct store *store, struct queue_list *answered);
};

struct store { /* the first member of every store, so that one is the other */
    const struct store_kind *kind;
};

extern const struct store_kind store_sqlite;
extern const struct store_kind store_postgres; /* only where it is built in */

#endif
