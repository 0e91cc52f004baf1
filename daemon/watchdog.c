/*
 * watchdog.c - whether every thread still makes its turns.
 *
 * Threads: main.
 */
#include "watchdog.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

struct watchdog {
    struct server *server;
    struct writer *writer;
    size_t n_loops;
    uint64_t *seen; /* turns of each loop, then of the writer */
};

static uint64_t turns(const struct watchdog *watchdog, size_t thread)
{
    return thread < watchdog->n_loops ? server_turns(watchdog->server, thread)
                                      : writer_turns(watchdog->writer);
}

static void look(struct watchdog *watchdog)
{
    for (size_t i = 0; i <= watchdog->n_loops; i++)
        watchdog->seen[i] = turns(watchdog, i);
}

static void poke(const struct watchdog *watchdog)
{
    server_poke(watchdog->server);
    writer_poke(watchdog->writer);
}

struct watchdog *watchdog_new(struct server *server, struct writer *writer)
{
    struct watchdog *watchdog = must_alloc(sizeof *watchdog);

    watchdog->server = server;
    watchdog->writer = writer;
    watchdog->n_loops = server_loops(server);
    watchdog->seen = must_alloc((watchdog->n_loops + 1) * sizeof *watchdog->seen);
    look(watchdog);
    poke(watchdog);
    return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    free(watchdog->seen);
    free(watchdog);
}

bool watchdog_all_turn(struct watchdog *watchdog)
{
    bool all = true;

    for (size_t i = 0; i <= watchdog->n_loops; i++)
        all = all && turns(watchdog, i) != watchdog->seen[i];
    if (all)
        look(watchdog);
    poke(watchdog);
    return all;
}
