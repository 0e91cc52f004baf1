/*
 * config/options.c - the command line of tallyd.
 *
 * Threads: main, at start.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/inside.h"

static const char usage[] =
    "usage: tallyd [-c FILE] [--listen ADDR:PORT]... [--socket PATH] [--store URL]\n"
    "              [--threads N] [--check-config]\n"
    "       tallyd [-c FILE] [--store URL] --check-store | --restore FILE\n"
    "       tallyd [-c FILE] --copy-store sqlite:PATH postgresql://USER@HOST/DATABASE\n"
    "\n"
    "Counts votes: takes them over HTTP, keeps them in a ledger, shows live tallies.\n"
    "\n"
    "  -c FILE             configuration (default: /etc/tallyd/tallyd.conf, if it is\n"
    "                      there); options beat it, SIGHUP reads it again\n"
    "  --listen ADDR:PORT  take HTTP on TCP; port 0 lets the kernel choose\n"
    "  --socket PATH       take HTTP on a Unix socket (default: tallyd.sock in\n"
    "                      $RUNTIME_DIRECTORY, else /run/tallyd/tallyd.sock)\n"
    "  --store URL         sqlite:PATH (default: tally.db in $STATE_DIRECTORY, else\n"
    "                      /var/lib/tallyd for root, else $XDG_STATE_HOME/tallyd), or\n"
    "                      postgresql://USER@HOST/DATABASE, for several nodes\n"
    "  --threads N         loop threads, 1 to 256 (default: the cores)\n"
    "  --check-config      check the configuration, say so, start nothing\n"
    "  --check-store       check a store that no daemon has open\n"
    "  --restore FILE      put a backup where there is no store yet\n"
    "  --copy-store FROM TO\n"
    "                      move a store that no daemon has open into PostgreSQL\n"
    "  --help, --version\n"
    "\n"
    "Sockets from systemd named http and local take the place of listen and socket.\n"
    "\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 2 bad option, 6 bad or missing\n"
    "configuration, 1 anything else.\n";

enum option_code {
    OPTION_LISTEN = 256,
    OPTION_SOCKET,
    OPTION_STORE,
    OPTION_THREADS,
    OPTION_CHECK_CONFIG,
    OPTION_CHECK_STORE,
    OPTION_RESTORE,
    OPTION_COPY_STORE,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option options_known[] = {
    { "listen", required_argument, NULL, OPTION_LISTEN },
    { "socket", required_argument, NULL, OPTION_SOCKET },
    { "store", required_argument, NULL, OPTION_STORE },
    { "threads", required_argument, NULL, OPTION_THREADS },
    { "check-config", no_argument, NULL, OPTION_CHECK_CONFIG },
    { "check-store", no_argument, NULL, OPTION_CHECK_STORE },
    { "restore", required_argument, NULL, OPTION_RESTORE },
    { "copy-store", required_argument, NULL, OPTION_COPY_STORE },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

static enum config_result usage_error(struct why *why, const char *what, const char *which)
{
    why_set(why, "%s%s; see tallyd --help", what, which);
    return CONFIG_USAGE;
}

/* getopt_long() names a letter by optopt, in a cluster of them too, and a word by where it stood.
 */
static enum config_result unknown(struct why *why, const char *word)
{
    char letter[] = { '-', (char)optopt, '\0' };

    if (optopt > UCHAR_MAX)
        return usage_error(why, "no value is taken by ", word);
    return usage_error(why, "there is no option ", optopt != 0 ? letter : word);
}

/* The value of an option that stands for a key takes what the key takes. */
static enum config_result check(const char *option, const char *section, const char *name,
                                struct why *why)
{
    AUTO(config) config = config_new();
    struct why what;

    if (optarg[0] != '\0' &&
        config_key_set(config, config_key_find(section, name), str_of(optarg), &what))
        return CONFIG_RUN;
    if (optarg[0] == '\0')
        why_set(&what, "has no value");
    why_set(why, "%s %s; see tallyd --help", option, what.text);
    return CONFIG_USAGE;
}

static enum config_result act(struct config_options *options, enum config_action action,
                              struct why *why)
{
    if (options->action != ACTION_RUN && options->action != action)
        return usage_error(why,
                           "one thing at a time: --check-config, --check-store, --restore or "
                           "--copy-store",
                           "");
    options->action = action;
    return CONFIG_RUN;
}

static enum config_result take_listen(struct config_options *options, struct why *why)
{
    if (options->n_listen == LISTEN_MAX)
        return usage_error(why, "too many addresses to listen on: ", optarg);
    options->listen[options->n_listen++] = optarg;
    return check("--listen", "server", "listen", why);
}

static enum config_result url_wrong(const char *option, const struct why *what, struct why *why)
{
    why_set(why, "%s: %s; see tallyd --help", option, what->text);
    return CONFIG_USAGE;
}

static enum config_result take_store(struct config_options *options, struct why *why)
{
    enum config_result result = check("--store", "store", "url", why);
    struct why what;

    options->store = optarg;
    return result == CONFIG_RUN && !options->store_ok(optarg, &what)
               ? url_wrong("--store", &what, why)
               : result;
}

/* A URL may hold a password. */
static enum config_result not_to_copy(const char *takes, const char *url, struct why *why)
{
    const char *secret = strstr(url, "://");
    int shown = secret ? (int)(secret - url) + 3 : (int)strlen(url);

    why_set(why, "--copy-store takes %s, not %.*s%s; see tallyd --help", takes, shown, url,
            secret ? "..." : "");
    return CONFIG_USAGE;
}

static enum config_result take_target(struct config_options *options, const char *to,
                                      struct why *why)
{
    struct why what;

    if (!str_starts(str_of(options->copy_from), STR(SQLITE_SCHEME)) ||
        !value_store(str_of(options->copy_from)))
        return not_to_copy(SQLITE_SCHEME "PATH first", options->copy_from, why);
    if (!str_starts(str_of(to), STR(POSTGRES_SCHEME)))
        return not_to_copy(POSTGRES_SCHEME "USER@HOST/DATABASE behind it", to, why);
    if (!options->store_ok(to, &what))
        return url_wrong("--copy-store", &what, why);
    options->store = to;
    return CONFIG_RUN;
}

static enum config_result take_option(struct config_options *options, int code, struct why *why)
{
    switch (code) {
    case 'c':
        options->file = optarg;
        return CONFIG_RUN;
    case OPTION_LISTEN:
        return take_listen(options, why);
    case OPTION_SOCKET:
        options->socket = optarg;
        return check("--socket", "server", "socket", why);
    case OPTION_STORE:
        return take_store(options, why);
    case OPTION_THREADS:
        options->threads = optarg;
        return check("--threads", "server", "threads", why);
    case OPTION_CHECK_CONFIG:
        return act(options, ACTION_CHECK_CONFIG, why);
    case OPTION_CHECK_STORE:
        return act(options, ACTION_CHECK_STORE, why);
    case OPTION_RESTORE:
        options->restore_from = optarg;
        return act(options, ACTION_RESTORE, why);
    case OPTION_COPY_STORE:
        options->copy_from = optarg;
        return act(options, ACTION_COPY_STORE, why);
    case OPTION_HELP:
        (void)fputs(usage, stdout);
        return CONFIG_DONE;
    case OPTION_VERSION:
        return CONFIG_VERSION;
    default:
        return usage_error(why, "there is no such option", "");
    }
}

enum config_result config_options_read(int argc, char **argv, config_store_ok store_ok,
                                       struct config_options *ret_options, struct why *reterr_why)
{
    struct config_options options = { .action = ACTION_RUN, .store_ok = store_ok };
    int code;

    opterr = 0;
    while ((code = getopt_long(argc, argv, ":c:", options_known, NULL)) != -1) {
        enum config_result result;

        if (code == '?')
            return unknown(reterr_why, argv[optind - 1]);
        if (code == ':')
            return usage_error(reterr_why, "no value is given for ", argv[optind - 1]);
        result = take_option(&options, code, reterr_why);
        if (result != CONFIG_RUN)
            return result;
    }
    if (options.action == ACTION_COPY_STORE) {
        if (optind == argc)
            return usage_error(reterr_why, "--copy-store takes two stores: where to is missing",
                               "");
        if (take_target(&options, argv[optind++], reterr_why) != CONFIG_RUN)
            return CONFIG_USAGE;
    }
    if (optind < argc)
        return usage_error(reterr_why, "tallyd takes options only, not ", argv[optind]);
    *ret_options = options;
    return CONFIG_RUN;
}
