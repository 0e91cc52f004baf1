/*
 * daemon.c - puts the parts together in order, and takes them apart in order.
 *
 * Start: keys, store, writer, api, server; the first line a client could be answered is read only
 * once the store is open. Stop: the server drains while the writer still answers, then the writer
 * commits what it has and the store checkpoints.
 */
#include "daemon.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sodium.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/board.h"
#include "ledger/keys.h"
#include "ledger/store.h"
#include "ledger/token_keys.h"
#include "ledger/writer.h"
#include "modules.h"
#include "net/server.h"
#include "rulebook.h"
#include "service.h"
#include "watchdog.h"

struct daemon {
    const struct config_options *options;
    struct config *config;
    bool (*ended)(void); /* asked at the start */
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

static struct keys *read_keys(const struct config *config, bool (*ended)(void),
                              struct why *reterr_why)
{
    if (config->keys_are_credential)
        return keys_open_credential(config->keys_path, reterr_why);
    switch (store_find(config->store_url, ended, reterr_why)) {
    case STORE_FOUND:
        return keys_open(config->keys_path, false, reterr_why);
    case STORE_NONE:
        return keys_open(config->keys_path, true, reterr_why);
    case STORE_UNKNOWN:
        break;
    }
    return NULL;
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
    daemon->keys = read_keys(config, daemon->ended, reterr_why);
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
                                                 .forget_after_ms = forget_after_ms(config),
                                                 .ended = daemon->ended },
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
    AUTO_BYTES char *png_module = modules_path("tallyd-png.so");
    AUTO_BYTES char *store_url = store_url_shown(config->store_url);
    AUTO(rules) rules = NULL;

    if (!png_module || !store_url)
        return why_set(reterr_why, "no memory");
    rules = rulebook_rules(config, reterr_why);
    if (!rules)
        return false;
    daemon->api = api_new(&(struct api_settings){ .board = daemon->board,
                                                  .writer = daemon->writer,
                                                  .keys = daemon->keys,
                                                  .random = randombytes_buf,
                                                  .rules = rules,
                                                  .tokens = daemon->tokens,
                                                  .backup_dir = config->backup_dir,
                                                  .png_module = png_module,
                                                  .loops = config->threads,
                                                  .store_url = store_url,
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

static bool put_together(struct daemon *daemon, struct why *reterr_why)
{
    return service_sockets(&daemon->sockets, reterr_why) && open_ledger(daemon, reterr_why) &&
           make_api(daemon, reterr_why) && make_server(daemon, reterr_why) &&
           writer_start(daemon->writer, reterr_why) && server_start(daemon->server, reterr_why);
}

/* In this order: the server's last exchanges need the writer, the writer's last answers need the
 * api's queues, and the api reads the board. */
bool daemon_stop(struct daemon *daemon)
{
    bool whole;

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
    config_free(daemon->config);
    whole = !atomic_load(&daemon->broken);
    free(daemon);
    return whole;
}

struct daemon *daemon_start(const struct config_options *options, struct config *config,
                            bool (*ended)(void), struct why *reterr_why)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    const char *address;

    if (!daemon) {
        config_free(config);
        return why_set(reterr_why, "no memory");
    }
    daemon->options = options;
    daemon->config = config;
    daemon->ended = ended;
    daemon->main_thread = pthread_self();
    service_starting("Opening the ledger");
    if (!put_together(daemon, reterr_why)) {
        (void)daemon_stop(daemon);
        return NULL;
    }
    for (size_t i = 0; (address = server_address(daemon->server, i)) != NULL; i++)
        log_line(LOG_NOTICE, "listening on %s", address);
    say_ready(daemon, "");
    return daemon;
}

bool daemon_broken(const struct daemon *daemon)
{
    return atomic_load(&daemon->broken);
}

struct watchdog *daemon_watchdog(struct daemon *daemon)
{
    return watchdog_new(daemon->server, daemon->writer);
}

static void tell_restart(const char *key)
{
    log_line(LOG_WARNING, "%s has changed: that needs a restart, ignoring", key);
}

void daemon_reload(struct daemon *daemon)
{
    AUTO(rules) rules = NULL;
    AUTO(config) fresh = NULL;
    struct why why;

    service_reloading("Reading the configuration again");
    fresh = config_load(daemon->options, &why);
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
    rulebook_log(daemon->config);
    server_limit(daemon->server, daemon->config->connections_max,
                 daemon->config->connections_per_address);
    exempt_proxies(daemon);
    log_line(LOG_NOTICE, "the configuration is reloaded: %s",
             daemon->config->file ? daemon->config->file : "there is no file, the defaults hold");
    say_ready(daemon, "");
}
