/*
 * main.c - starts everything in order, waits for signals, stops everything in order.
 *
 * Start: keys, store, writer, api, server; the first line a client could be answered is read only
 * once the store is open. Stop: the server drains while the writer still answers, then the writer
 * commits what it has and the store checkpoints. SIGHUP: the configuration is read again, and what
 * can change without a start does. Where a watchdog is asked for, main feeds it as long as every
 * other thread turns.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "core/board.h"
#include "ledger/keys.h"
#include "ledger/store.h"
#include "ledger/writer.h"
#include "maintenance.h"
#include "net/server.h"
#include "rulebook.h"
#include "service.h"
#include "watchdog.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 6 };

struct daemon {
    struct config_options options;
    struct config *config;
    struct service_sockets sockets;
    pthread_t main_thread;
    atomic_bool broken; /* writer sets, main reads: the store's state is not known */
    struct keys *keys;
    struct token_keys *tokens; /* as they were at the start */
    struct board *board;
    struct writer *writer;
    struct api *api;
    struct server *server;
};

/* Signals are taken by main alone, by sigtimedwait(): the mask is inherited by every thread. */
static void take_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    sigaddset(ret_signals, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
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

static struct token_keys *read_tokens(const struct config *config, struct why *reterr_why)
{
    const struct token_files files = rulebook_token_files(config);

    return token_keys_open(&files, clock_wall_ms(&clock_system) / 1000, reterr_why);
}

static int64_t forget_after_ms(const struct config *config)
{
    return config->forget_after_s > INT64_MAX / 1000 ? INT64_MAX : config->forget_after_s * 1000;
}

static bool open_ledger(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = daemon->config;
    AUTO(store) store = NULL;

    if (!config_make_folder(config, reterr_why))
        return false;
    daemon->keys = config->keys_are_credential
                       ? keys_open_credential(config->keys_path, reterr_why)
                       : keys_open(config->keys_path, !store_exists(config->store_url), reterr_why);
    if (!daemon->keys)
        return false;
    daemon->tokens = read_tokens(config, reterr_why);
    if (!daemon->tokens)
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
                                                 .keys_path = config->keys_are_credential
                                                                  ? NULL
                                                                  : config->keys_path,
                                                 .random = randombytes_buf,
                                                 .prefix_v4 = config->address_prefix.v4,
                                                 .prefix_v6 = config->address_prefix.v6,
                                                 .forget_after_ms = forget_after_ms(config) },
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

static bool make_api(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = daemon->config;
    AUTO(rules) rules = rulebook_rules(config, reterr_why);

    if (!rules)
        return false;
    daemon->api = api_new(&(struct api_settings){ .board = daemon->board,
                                                  .writer = daemon->writer,
                                                  .keys = daemon->keys,
                                                  .random = randombytes_buf,
                                                  .rules = rules,
                                                  .tokens = daemon->tokens,
                                                  .backup_dir = config->backup_dir,
                                                  .loops = config->threads,
                                                  .store_url = config->store_url,
                                                  .started_ms = clock_wall_ms(&clock_system) });
    if (!daemon->api)
        why_set(reterr_why, "no memory");
    return daemon->api != NULL;
}

/* Proxies bring many people over one address. */
static void exempt_proxies(struct daemon *daemon)
{
    size_t n;
    AUTO_BYTES struct cidr *trusted = rulebook_trusted(daemon->config, &n);

    server_exempt(daemon->server, trusted, n);
}

/* Sockets from systemd take the place of those that are configured, each kind for itself. */
static bool listen_everywhere(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = daemon->config;
    bool given[] = { [PEER_TCP] = false, [PEER_UNIX] = false };

    for (size_t i = 0; i < daemon->sockets.n; i++) {
        const struct service_socket *socket = &daemon->sockets.at[i];

        if (!server_adopt(daemon->server, socket->fd, socket->kind, reterr_why))
            return false;
        given[socket->kind] = true;
    }
    for (size_t i = 0; !given[PEER_TCP] && i < config->listen.n; i++) {
        if (!server_listen_tcp(daemon->server, config->listen.at[i], reterr_why))
            return false;
    }
    return given[PEER_UNIX] ||
           server_listen_unix(daemon->server, config->socket, config->socket_mode, reterr_why);
}

static bool make_server(struct daemon *daemon, struct why *reterr_why)
{
    const struct config *config = daemon->config;
    struct http_handler handler = api_handler(daemon->api);
    struct net_settings settings = { .threads = (unsigned)config->threads,
                                     .connections_max = config->connections_max,
                                     .connections_per_group_max = config->connections_per_address,
                                     .deadlines = net_deadlines_default,
                                     .clock = &clock_system };

    daemon->server = server_new(&settings, &handler, reterr_why);
    if (!daemon->server)
        return false;
    for (size_t i = 0; i < server_loops(daemon->server); i++)
        api_attach(daemon->api, server_loop(daemon->server, i));
    exempt_proxies(daemon);
    return listen_everywhere(daemon, reterr_why);
}

/* What `systemctl status` shows: where votes come in, and what went wrong last. */
static void say_ready(const struct daemon *daemon, const char *but)
{
    const char *address;
    AUTO_BUF status = { 0 };

    buf_text(&status, "Counting votes on ");
    for (size_t i = 0; (address = server_address(daemon->server, i)) != NULL; i++)
        buf_format(&status, "%s%s", i > 0 ? ", " : "", address);
    buf_text(&status, but);
    buf_char(&status, '\0');
    service_ready(buf_ok(&status) ? status.bytes : "Counting votes");
}

static bool start(struct daemon *daemon, struct why *reterr_why)
{
    const char *address;

    service_starting("Opening the ledger");
    if (!open_ledger(daemon, reterr_why) || !make_api(daemon, reterr_why) ||
        !make_server(daemon, reterr_why) || !writer_start(daemon->writer, reterr_why) ||
        !server_start(daemon->server, reterr_why))
        return false;
    for (size_t i = 0; (address = server_address(daemon->server, i)) != NULL; i++)
        log_line(LOG_NOTICE, "listening on %s", address);
    say_ready(daemon, "");
    return true;
}

/* In this order: the server's last exchanges need the writer, the writer's last answers need the
 * api's queues, and the api reads the board. */
static void stop(struct daemon *daemon)
{
    if (daemon->writer)
        writer_end_soon(daemon->writer);
    if (daemon->server)
        server_drain(daemon->server);
    writer_free(daemon->writer);
    server_free(daemon->server);
    api_free(daemon->api);
    board_free(daemon->board);
    token_keys_free(daemon->tokens);
    keys_free(daemon->keys);
}

static void set_log(const struct config *config)
{
    log_setup((enum log_level)(LOG_ERROR + (int)config->log_level),
              config->log_format == LOG_FORMAT_JSON ? LOG_JSON : LOG_TEXT,
              getenv("JOURNAL_STREAM") != NULL);
}

static void tell_restart(const char *key)
{
    log_line(LOG_WARNING, "%s has changed: that needs a restart, ignoring", key);
}

static void reload(struct daemon *daemon)
{
    AUTO(rules) rules = NULL;
    AUTO(config) fresh = NULL;
    struct why why;

    service_reloading("Reading the configuration again");
    fresh = config_load(&daemon->options, &why);
    if (fresh)
        config_keep(fresh, daemon->config, tell_restart);
    if (fresh)
        rules = rulebook_rules(fresh, &why);
    if (!rules || !api_reload(daemon->api, rules, clock_wall_ms(&clock_system) / 1000, &why)) {
        log_line(LOG_ERROR, "%s; going on with the configuration as it was", why.text);
        say_ready(daemon, "; the configuration was not reloaded, see the log");
        return;
    }
    config_free(daemon->config);
    daemon->config = TAKE(fresh);
    set_log(daemon->config);
    server_limit(daemon->server, daemon->config->connections_max,
                 daemon->config->connections_per_address);
    exempt_proxies(daemon);
    log_line(LOG_NOTICE, "the configuration is reloaded: %s",
             daemon->config->file ? daemon->config->file : "there is no file, the defaults hold");
    say_ready(daemon, "");
}

/* The next signal, or 0 when until_ms (on the monotonic clock) has come; -1 waits for ever. */
static int next_signal(const sigset_t *signals, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - clock_mono_ms(&clock_system);
        struct timespec left = { 0 };
        int number;

        if (left_ms > 0)
            left = (struct timespec){ .tv_sec = (time_t)(left_ms / 1000),
                                      .tv_nsec = (long)(left_ms % 1000) * 1000000 };
        number = until_ms < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &left);
        if (number > 0)
            return number;
        if (errno == EAGAIN)
            return 0;
    }
}

/* Until it is time to end. The watchdog is fed four times in its period at most, and only if all
 * threads have turned: so each of them has half a period at least. */
static void serve(struct daemon *daemon, const sigset_t *signals)
{
    int64_t every_ms = (service_watchdog_ms() + 3) / 4;
    AUTO(watchdog) watchdog = every_ms > 0 ? watchdog_new(daemon->server, daemon->writer) : NULL;
    int64_t until_ms = watchdog ? clock_mono_ms(&clock_system) + every_ms : -1;

    for (;;) {
        int number = next_signal(signals, until_ms);

        if (number == SIGTERM || number == SIGINT || atomic_load(&daemon->broken))
            return;
        if (number == SIGHUP)
            reload(daemon);
        if (watchdog && clock_mono_ms(&clock_system) >= until_ms) {
            if (watchdog_all_turn(watchdog))
                service_alive();
            until_ms = clock_mono_ms(&clock_system) + every_ms;
        }
    }
}

static enum exit_status run(struct daemon *daemon)
{
    sigset_t signals;
    struct why why;
    bool broken;

    take_signals(&signals);
    raise_descriptor_limit();
    if (!service_sockets(&daemon->sockets, &why) || !start(daemon, &why)) {
        log_line(LOG_ERROR, "%s", why.text);
        stop(daemon);
        return EXIT_FAILED;
    }
    serve(daemon, &signals);
    broken = atomic_load(&daemon->broken);
    if (!broken)
        log_line(LOG_NOTICE, "ending: no new connections, what has begun is answered");
    service_stopping(
        broken ? "The store failed: ending, so that the next start finds out what it holds"
               : "Ending: what has begun is answered");
    stop(daemon);
    return atomic_load(&daemon->broken) ? EXIT_FAILED : EXIT_DONE; /* also by the last checkpoint */
}

static enum exit_status check_config(const struct config *config)
{
    if (config->file)
        (void)printf("configuration is good: %s\n", config->file);
    else
        (void)printf("configuration is good: the defaults, there is no " CONFIG_FILE_DEFAULT "\n");
    return EXIT_DONE;
}

static enum exit_status act(struct daemon *daemon)
{
    switch (daemon->config->action) {
    case ACTION_RUN:
        return run(daemon);
    case ACTION_CHECK_CONFIG:
        return check_config(daemon->config);
    case ACTION_CHECK_STORE:
        return (enum exit_status)maintenance_check_store(daemon->config);
    case ACTION_RESTORE:
        return (enum exit_status)maintenance_restore(daemon->config);
    }
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct daemon daemon = { .main_thread = pthread_self() };
    enum exit_status status;
    struct why why;

    log_setup(LOG_INFO, LOG_TEXT, getenv("JOURNAL_STREAM") != NULL);
    switch (config_options_read(argc, argv, &daemon.options, &why)) {
    case CONFIG_RUN:
        break;
    case CONFIG_DONE:
        return EXIT_DONE;
    case CONFIG_USAGE:
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_USAGE;
    }
    daemon.config = config_load(&daemon.options, &why);
    if (!daemon.config) {
        log_line(LOG_ERROR, "%s", why.text);
        return EXIT_CONFIG;
    }
    set_log(daemon.config);
    if (sodium_init() < 0) {
        log_line(LOG_ERROR, "no source of random bytes: libsodium does not start");
        config_free(daemon.config);
        return EXIT_FAILED;
    }
    (void)umask(0077); /* the store and its keys are nobody else's; sockets get their own mode */
    status = act(&daemon);
    config_free(daemon.config);
    return (int)status;
}
