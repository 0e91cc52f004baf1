/*
 * config/config.h - tallyd.conf and the command line, in one struct.
 *
 * Only main knows it: each room gets a small settings struct of its own. Which keys there are,
 * their defaults and what they take is the table in config/keys.c.
 *
 * Threads: main's, all of it.
 */
#ifndef TALLYD_CONFIG_CONFIG_H
#define TALLYD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/why.h"
#include "config/values.h"

#define CONFIG_FILE_DEFAULT "/etc/tallyd/tallyd.conf"
#define LISTEN_MAX 16
#define THREADS_MAX 256
#define CONFIG_KEYS_MAX 40

enum config_action {
    ACTION_RUN,
    ACTION_CHECK_CONFIG,
    ACTION_CHECK_STORE,
    ACTION_RESTORE,
    ACTION_COPY_STORE
};

/* What the room of the ledger says to a store's URL, which this one only knows the scheme of. */
typedef bool (*config_store_ok)(const char *url, struct why *reterr_why);

struct config_options { /* the command line; all strings are argv's; zeroed: nothing was given */
    enum config_action action;
    const char *file; /* -c */
    const char *listen[LISTEN_MAX];
    size_t n_listen;
    const char *socket;
    const char *store;
    const char *threads;
    const char *restore_from;
    const char *copy_from; /* the other one is `store` */
    config_store_ok store_ok;
};

struct config_words {
    char **at;
    size_t n;
};

struct config_networks {
    struct config_network *at;
    size_t n;
};

struct config_users {
    struct config_words names;
    uid_t *uids; /* names.n of them */
};

struct config_group {
    char *name;
    bool found; /* the default need not be there */
    gid_t gid;
};

struct config_secret { /* what a file holds, without the white space around it */
    char *path;        /* NULL: not configured */
    char *bytes;       /* wiped when freed */
    size_t len;
    bool open_to_all; /* everybody may read or change the file */
};

struct config_site_key {
    char *kid;
    unsigned char *secret; /* wiped when freed */
    size_t len;            /* SITE_KEY_BYTES_MIN or more */
};

struct config_site_keys {
    char *path; /* NULL: not configured */
    struct config_site_key *at;
    size_t n;
    bool open_to_all; /* as a secret's */
};

enum config_metrics { METRICS_LOCAL, METRICS_EVERYONE };
enum config_log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct config {
    enum config_action action;
    const char *restore_from; /* argv's, as the next */
    const char *copy_from;
    char *file; /* what was read; NULL: there is none, and the defaults hold */

    /* [server] */
    struct config_words listen; /* ADDR:PORT */
    char *socket;
    unsigned socket_mode;
    unsigned metrics; /* enum config_metrics */
    uint64_t threads; /* 1..THREADS_MAX */
    uint64_t connections_max;
    struct config_networks trusted_proxies;
    struct config_users proxy_users;
    char *public_url;                    /* or NULL */
    struct config_words origins;         /* besides the own one */
    struct config_words frame_ancestors; /* empty: the own origin and `origins` */

    /* [store] */
    char *store_url;
    char *keys_path; /* beside the store, or a credential, which is never made */
    uint64_t ballast_bytes;
    char *backup_dir;

    /* [roles] */
    struct config_group admin_group;
    struct config_users app_users;
    struct config_secret admin_token;
    struct config_secret app_token;
    bool insecure_tcp;

    /* [voters] */
    struct config_site_keys site_keys;
    int64_t token_lifetime_s;
    struct config_prefixes address_prefix;
    int64_t forget_after_s; /* or TIME_NEVER */

    /* [limits], per address; 0: none */
    uint64_t votes_per_minute;
    uint64_t tokens_per_hour;
    uint64_t reads_per_second;
    uint64_t connections_per_address;
    uint64_t streams_per_address;

    /* [log] */
    unsigned log_level;  /* from 0 = error, in the order of enum log_level */
    unsigned log_format; /* enum config_log_format */
    bool log_requests;

    /* worked out */
    bool keys_are_credential;
    char *state_folder;             /* to be made by config_make_folder(), or NULL */
    char *said[CONFIG_KEYS_MAX];    /* by key: the text that holds; NULL: worked out, or none */
    unsigned line[CONFIG_KEYS_MAX]; /* by key: where the file says it; 0: it does not */
};

enum config_result {
    CONFIG_RUN,     /* go on with options.action */
    CONFIG_DONE,    /* --help: said, exit 0 */
    CONFIG_VERSION, /* --version: main's to say, it knows the rooms; exit 0 */
    CONFIG_USAGE,   /* a bad option: exit 2 */
};

/* Reads the command line. *reterr_why is set for USAGE. */
MUST_USE enum config_result config_options_read(int argc, char **argv, config_store_ok store_ok,
                                                struct config_options *ret_options,
                                                struct why *reterr_why);

/*
 * Reads the file, lets options beat it, works out what nobody says, and looks up users, groups and
 * secret files. Makes and changes nothing outside.
 *
 *   returns  NULL: *reterr_why is one line, FILE:LINE: section.key: what; remedy
 */
MUST_USE struct config *config_load(const struct config_options *options, struct why *reterr_why);
void config_free(struct config *config);
AUTO_FREE(config);

/* Tells of secrets that hold, but are not safe as they are, each in one line as the errors of
 * config_load() are. */
void config_warn(const struct config *config, void (*tell)(const char *line));

/* Makes the default state folder where it is missing, and those above it; nothing where the store
 * was named. */
MUST_USE bool config_make_folder(const struct config *config, struct why *reterr_why);

/*
 * Gives `fresh`, just loaded, what only a start may change, from the `running` configuration.
 *
 *   tell  is called for each key that would have changed, as `section.key`
 */
void config_keep(struct config *fresh, struct config *running, void (*tell)(const char *key));

#endif
