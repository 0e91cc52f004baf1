/*
 * api/api.h - what is answered: each request to core and ledger, and back.
 *
 * One file per group of routes; the table of all of them is api/routes.c.
 */
#ifndef TALLYD_API_API_H
#define TALLYD_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "api/rules.h"
#include "base/auto.h"
#include "core/board.h"
#include "ledger/keys.h"
#include "ledger/token_keys.h"
#include "ledger/writer.h"
#include "net/exchange.h"
#include "net/loop.h"

struct api; /* opaque: api/api.c */

struct api_settings {
    struct board *board; /* all three outlive the api */
    struct writer *writer;
    const struct keys *keys;
    void (*random)(void *bytes, size_t len);
    struct rules *rules;       /* a reference is taken */
    struct token_keys *tokens; /* the same; that voter tokens are checked and signed by */
    size_t loops;
    const char *store_url;  /* copied; as status shows it */
    int64_t started_ms;     /* wall */
    const char *backup_dir; /* where backups of plain names lie; outlives the api */
    const char *png_module; /* absolute path of what draws PNG (web/png.h); copied */
};

/* Main, before anything listens. */
MUST_USE struct api *api_new(const struct api_settings *settings);
void api_free(struct api *api); /* every exchange is answered by then */
AUTO_FREE(api);

/* Under these rules, and by the token keys that lie where they say, from now on: a request that
 * arrives when this has returned is. A reference is taken. Main.
 *   returns  false: the keys cannot be read, *reterr_why; nothing has changed */
MUST_USE bool api_reload(struct api *api, struct rules *rules, int64_t now_s,
                         struct why *reterr_why);

/* Tells which loop has this number: the writer's answers wake it. Main, before server_start(). */
void api_attach(struct api *api, struct loop *loop);

/* What to give to server_new(); its context is `api`. */
struct http_handler api_handler(struct api *api);

#endif
