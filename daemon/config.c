/*
 * config.c - the command line of tallyd.
 *
 * Threads: main, at start.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define SQLITE_SCHEME "sqlite:"

static const char usage[] =
    "usage: tallyd [--listen ADDR:PORT]... [--socket PATH] [--store URL] [--threads N]\n"
    "\n"
    "Counts votes: takes them over HTTP, keeps them in a ledger, shows live tallies.\n"
    "\n"
    "  --listen ADDR:PORT  take HTTP on TCP; port 0 lets the kernel choose\n"
    "  --socket PATH       take HTTP on a Unix socket (default: tallyd.sock in\n"
    "                      $RUNTIME_DIRECTORY, else /run/tallyd/tallyd.sock)\n"
    "  --store URL         sqlite:PATH (default: tally.db in $STATE_DIRECTORY, else\n"
    "                      /var/lib/tallyd for root, else $XDG_STATE_HOME/tallyd)\n"
    "  --threads N         loop threads, 1 to 256 (default: the cores)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 2 bad option, 6 bad or missing\n"
    "configuration, 1 anything else.\n";

enum option_code {
    OPTION_LISTEN = 256,
    OPTION_SOCKET,
    OPTION_STORE,
    OPTION_THREADS,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_LATER
};

static const struct option options[] = {
    { "listen", required_argument, NULL, OPTION_LISTEN },
    { "socket", required_argument, NULL, OPTION_SOCKET },
    { "store", required_argument, NULL, OPTION_STORE },
    { "threads", required_argument, NULL, OPTION_THREADS },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { "check-config", no_argument, NULL, OPTION_LATER },
    { "check-store", no_argument, NULL, OPTION_LATER },
    { "restore", required_argument, NULL, OPTION_LATER },
    { "copy-store", required_argument, NULL, OPTION_LATER },
    { NULL, 0, NULL, 0 },
};

static enum config_result usage_error(struct why *why, const char *what, const char *which)
{
    why_set(why, "%s%s; see tallyd --help", what, which);
    return CONFIG_USAGE;
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static enum config_result take_option(struct config *config, int code, struct why *why)
{
    uint64_t threads;

    switch (code) {
    case OPTION_LISTEN:
        if (config->n_listen == LISTEN_MAX)
            return usage_error(why, "too many addresses to listen on: ", optarg);
        config->listen[config->n_listen++] = optarg;
        return CONFIG_RUN;
    case OPTION_SOCKET:
        config->socket = optarg;
        return CONFIG_RUN;
    case OPTION_STORE:
        free(config->store_url);
        config->store_url = str_copy(str_of(optarg));
        return config->store_url ? CONFIG_RUN : usage_error(why, "no memory", "");
    case OPTION_THREADS:
        if (!str_uint64(str_of(optarg), THREADS_MAX, &threads) || threads == 0)
            return usage_error(why, "--threads takes a number of 1 to 256, not ", optarg);
        config->threads = (unsigned)threads;
        return CONFIG_RUN;
    case OPTION_HELP:
        (void)fputs(usage, stdout);
        return CONFIG_DONE;
    case OPTION_VERSION:
        (void)puts("tallyd " TALLYD_VERSION);
        return CONFIG_DONE;
    case 'c':
    case OPTION_LATER:
        return usage_error(why, "this option is not built in yet", "");
    default:
        return usage_error(why, "there is no such option", "");
    }
}

/* A folder for the state of this user, made where it is missing. */
static bool default_folder(char *ret_path, size_t room, struct why *why)
{
    const char *state = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len;

    if (state && state[0] == '/')
        len = snprintf(ret_path, room, "%s", state);
    else if (geteuid() == 0)
        len = snprintf(ret_path, room, "/var/lib/tallyd");
    else if (xdg && xdg[0] == '/')
        len = snprintf(ret_path, room, "%s/tallyd", xdg);
    else if (home && home[0] == '/')
        len = snprintf(ret_path, room, "%s/.local/state/tallyd", home);
    else
        len = 0;
    if (len <= 0 || (size_t)len >= room) {
        why_set(why, "no place for the store: give --store sqlite:PATH");
        return false;
    }
    if (mkdir(ret_path, 0700) < 0 && errno != EEXIST) {
        why_set(why, "cannot make %s: %s; make it, or give --store sqlite:PATH", ret_path,
                strerror(errno));
        return false;
    }
    return true;
}

static bool work_out_store(struct config *config, struct why *why)
{
    char folder[4096];

    if (config->store_url)
        return true;
    if (!default_folder(folder, sizeof folder, why))
        return false;
    if (asprintf(&config->store_url, SQLITE_SCHEME "%s/tally.db", folder) < 0) {
        config->store_url = NULL;
        why_set(why, "no memory");
        return false;
    }
    return true;
}

/* The keys lie beside the store. */
static bool work_out_keys(struct config *config, struct why *why)
{
    struct str url = str_of(config->store_url);
    const char *path = config->store_url + strlen(SQLITE_SCHEME);
    const char *slash;
    int len;

    if (!str_starts(url, STR(SQLITE_SCHEME)) || path[0] == '\0') {
        why_set(why, "--store takes sqlite:PATH, not %s", config->store_url);
        return false;
    }
    slash = strrchr(path, '/');
    len = slash ? asprintf(&config->keys_path, "%.*s/keys", (int)(slash - path), path)
                : asprintf(&config->keys_path, "keys");
    if (len < 0) {
        config->keys_path = NULL;
        why_set(why, "no memory");
        return false;
    }
    return true;
}

static bool work_out_socket(struct config *config, struct why *why)
{
    static char path[4096];
    const char *runtime = getenv("RUNTIME_DIRECTORY");

    if (config->socket)
        return true;
    if (!runtime || runtime[0] != '/') {
        config->socket = "/run/tallyd/tallyd.sock";
        return true;
    }
    if (snprintf(path, sizeof path, "%s/tallyd.sock", runtime) >= (int)sizeof path) {
        why_set(why, "$RUNTIME_DIRECTORY is too long: give --socket PATH");
        return false;
    }
    config->socket = path;
    return true;
}

enum config_result config_read(int argc, char **argv, struct config *ret_config,
                               struct why *reterr_why)
{
    int code;

    *ret_config = (struct config){ .socket_mode = 0666,
                                   .threads = cores(),
                                   .connections_max = 16384,
                                   .ballast_bytes = 8U << 20,
                                   .admin_group = "tallyd" };
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
        enum config_result result;

        if (code == '?')
            return usage_error(reterr_why, "there is no option ", argv[optind - 1]);
        if (code == ':')
            return usage_error(reterr_why, "no value is given for ", argv[optind - 1]);
        result = take_option(ret_config, code, reterr_why);
        if (result != CONFIG_RUN)
            return result;
    }
    if (optind < argc)
        return usage_error(reterr_why, "tallyd takes options only, not ", argv[optind]);
    if (!work_out_store(ret_config, reterr_why) || !work_out_keys(ret_config, reterr_why) ||
        !work_out_socket(ret_config, reterr_why))
        return CONFIG_REFUSED;
    return CONFIG_RUN;
}

void config_clear(struct config *config)
{
    free(config->store_url);
    free(config->keys_path);
}
