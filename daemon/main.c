/*
 * main.c - starts everything in order, waits for a signal, stops everything in order.
 *
 * Start: keys, store, writer, api, server; the first line a client could be answered is read only
 * once the store is open. Stop: the server drains while the writer still answers, then the writer
 * commits what it has and the store checkpoints.
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "core/board.h"
#include "ledger/keys.h"
#include "ledger/store.h"
#include "ledger/writer.h"
#include "net/server.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 6 };

struct daemon {
    struct config config;
    pthread_t main_thread;
    atomic_bool broken; /* writer sets, main reads: the store's state is not known */
    struct keys *keys;
    struct board *board;
    struct writer *writer;
    struct api *api;
    struct server *server;
};

/* Signals are taken by main alone, by sigwait(): the mask is inherited by every thread. */
static void take_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN); /* there is no file to read again yet */
}

/* As many descriptors as this user may have: each connection needs one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_line(LOG_WARNING, "the descriptor limit stays as it is: %s, ignoring", strerror(errno));
}

/* Writer's thread: nobody knows what is on disk, so this process must end. */
static void store_broken(void *context)
{
    struct daemon *daemon = context;

    atomic_store(&daemon->broken, true);
    (void)pthread_kill(daemon->main_thread, SIGUSR1);
}

static bool open_ledger(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = &daemon->config;
    AUTO(store) store = NULL;

    daemon->keys = keys_open(config->keys_path, !store_exists(config->store_url), reterr_why);
    if (!daemon->keys)
        return false;
    daemon->board = board_new();
    if (!daemon->board) {
        why_set(reterr_why, "no memory");
        return false;
    }
    store = store_open(&(struct store_settings){ .url = config->store_url,
                                                 .ballast_bytes = config->ballast_bytes,
                                                 .clock = &clock_system,
                                                 .keys = daemon->keys,
                                                 .random = randombytes_buf,
                                                 .prefix_v4 = 32,
                                                 .prefix_v6 = 64 },
                       daemon->board, reterr_why);
    if (!store)
        return false;
    daemon->writer = writer_new(&(struct writer_settings){ .store = store,
                                                           .clock = &clock_system,
                                                           .broken = store_broken,
                                                           .broken_context = daemon },
                                reterr_why);
    if (!daemon->writer)
        return false;
    (void)TAKE(store); /* the writer's now */
    return true;
}

static void make_api(struct daemon *daemon)
{
    const struct group *group = getgrnam(daemon->config.admin_group);

    daemon->api = api_new(&(struct api_settings){ .board = daemon->board,
                                                  .writer = daemon->writer,
                                                  .keys = daemon->keys,
                                                  .own_uid = geteuid(),
                                                  .has_admin_group = group != NULL,
                                                  .admin_group = group ? group->gr_gid : 0,
                                                  .loops = daemon->config.threads,
                                                  .store_url = daemon->config.store_url,
                                                  .started_ms = clock_wall_ms(&clock_system) });
}

static bool make_server(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = &daemon->config;
    struct http_handler handler = api_handler(daemon->api);

    daemon->server = server_new(&(struct net_settings){ .threads = config->threads,
                                                        .connections_max = config->connections_max,
                                                        .connections_per_group_max = 512,
                                                        .deadlines = net_deadlines_default,
                                                        .clock = &clock_system },
                                &handler, reterr_why);
    if (!daemon->server)
        return false;
    for (size_t i = 0; i < server_loops(daemon->server); i++)
        api_attach(daemon->api, server_loop(daemon->server, i));
    for (size_t i = 0; i < config->n_listen; i++) {
        if (!server_listen_tcp(daemon->server, config->listen[i], reterr_why))
            return false;
    }
    return server_listen_unix(daemon->server, config->socket, config->socket_mode, reterr_why);
}

static bool start(struct daemon *daemon, struct why *reterr_why)
{
    const char *address;

    if (!open_ledger(daemon, reterr_why))
        return false;
    make_api(daemon);
    if (!make_server(daemon, reterr_why) || !writer_start(daemon->writer, reterr_why) ||
        !server_start(daemon->server, reterr_why))
        return false;
    for (size_t i = 0; (address = server_address(daemon->server, i)) != NULL; i++)
        log_line(LOG_NOTICE, "listening on %s", address);
    return true;
}

/* In this order: the server's last exchanges need the writer, the writer's last answers need the
 * api's queues, and the api reads the board. */
static void stop(struct daemon *daemon)
{
    if (daemon->server)
        server_drain(daemon->server);
    writer_free(daemon->writer);
    server_free(daemon->server);
    api_free(daemon->api);
    board_free(daemon->board);
    keys_free(daemon->keys);
    config_clear(&daemon->config);
}

static enum exit_status run(struct daemon *daemon)
{
    sigset_t signals;
    struct why why;
    int signal_number = 0;
    bool broken;

    take_signals(&signals);
    raise_descriptor_limit();
    if (!start(daemon, &why)) {
        log_line(LOG_ERROR, "%s", why.text);
        stop(daemon);
        return EXIT_FAILED;
    }
    (void)sigwait(&signals, &signal_number);
    broken = atomic_load(&daemon->broken);
    if (!broken)
        log_line(LOG_NOTICE, "ending: no new connections, what has begun is answered");
    stop(daemon);
    return broken ? EXIT_FAILED : EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct daemon daemon = { .main_thread = pthread_self() };
    struct why why;

    log_setup(LOG_INFO, LOG_TEXT, getenv("JOURNAL_STREAM") != NULL);
    switch (config_read(argc, argv, &daemon.config, &why)) {
    case CONFIG_RUN:
        break;
    case CONFIG_DONE:
        return EXIT_DONE;
    case CONFIG_USAGE:
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_USAGE;
    case CONFIG_REFUSED:
        log_line(LOG_ERROR, "%s", why.text);
        config_clear(&daemon.config);
        return EXIT_CONFIG;
    }
    if (sodium_init() < 0) {
        log_line(LOG_ERROR, "no source of random bytes: libsodium does not start");
        return EXIT_FAILED;
    }
    (void)umask(0077); /* the store and its keys are nobody else's; sockets get their own mode */
    return (int)run(&daemon);
}
