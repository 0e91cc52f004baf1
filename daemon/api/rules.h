/*
 * api/rules.h - what a reload may change: who is who, whose pages, how much.
 *
 * A struct rules is built by main, then handed to every loop and never written again; the last one
 * who lets go frees it.
 */
#ifndef TALLYD_API_RULES_H
#define TALLYD_API_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/origin.h"
#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"
#include "core/limiter.h"
#include "ledger/token_keys.h"
#include "net/cidr.h"

struct rules_users {
    const uid_t *uids;
    size_t n;
};

/* What main gives, out of the configuration; all of it is copied. */
struct rules_settings {
    uid_t own_uid; /* the daemon's user is an admin on the Unix socket */
    bool has_admin_group;
    gid_t admin_group; /* and so are the members of this group */
    struct rules_users proxy_users;
    struct rules_users app_users;
    const struct cidr *trusted_proxies;
    size_t n_trusted_proxies;
    struct str admin_token; /* empty: none */
    struct str app_token;   /* the same */
    bool insecure_tcp;
    bool metrics_for_everyone;      /* else on the Unix socket, and for admins */
    struct str public_url;          /* empty: not configured */
    struct str origins;             /* separated by spaces */
    struct str frame_ancestors;     /* the same; empty: our own origin and `origins` */
    struct token_files token_files; /* where the token keys lie */
    int64_t token_lifetime_s;       /* of anonymous tokens, and where none is asked for */
    uint64_t votes_per_minute;      /* 0: no limit, here and below */
    uint64_t tokens_per_hour;
    uint64_t reads_per_second;
    bool log_requests;
    uint64_t streams; /* long polls and event streams of one address at once */
};

struct rules {
    atomic_size_t refs;
    uid_t own_uid;
    bool has_admin_group;
    gid_t admin_group;
    uid_t *proxy_uids; /* owned */
    size_t n_proxy_uids;
    uid_t *app_uids; /* owned */
    size_t n_app_uids;
    struct cidr *trusted; /* owned */
    size_t n_trusted;
    char *admin_token; /* owned, wiped; NULL: none */
    size_t admin_token_len;
    char *app_token;
    size_t app_token_len;
    bool insecure_tcp;
    bool metrics_for_everyone;
    bool log_requests;       /* a line for each */
    struct origins *origins; /* owned */
    char *base;              /* owned: public_url without a slash at its end; NULL: none */
    char *frame_ancestors;   /* owned: of Content-Security-Policy, for pages that sites embed */
    char *keys_path;         /* owned */
    char *site_path;         /* owned; NULL: none */
    int64_t longest_s;
    bool may_write_keys;
    int64_t token_lifetime_s;
    uint64_t streams;
    struct limiter_rate rates[LIMIT_KINDS];
};

/* Where the token keys lie; the strings are the rules'. */
struct token_files rules_token_files(const struct rules *rules);

/* Where our own pages lie in the view of browsers: the path of public_url, without a slash at its
 * end; "" where it has none or is not configured. */
struct str rules_base_path(const struct rules *rules);

/* Browsers reach us by https. */
bool rules_is_https(const struct rules *rules);

/* One reference. NULL: *reterr_why; main and admin work. */
MUST_USE struct rules *rules_new(const struct rules_settings *settings, struct why *reterr_why);
struct rules *rules_ref(struct rules *rules);
void rules_free(struct rules *rules); /* one reference less; any thread */
AUTO_FREE(rules);

#endif
