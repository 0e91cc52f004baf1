/*
 * api/rules.c - what a reload may change.
 *
 * Threads: built by one, read by any.
 */
#include "api/rules.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"

#define GUESSES_PER_MINUTE 10 /* of role tokens, from one address */

static bool copy_bytes(void **ret, const void *from, size_t len)
{
    if (len == 0)
        return true;
    *ret = malloc(len);
    if (!*ret)
        return false;
    memcpy(*ret, from, len);
    return true;
}

/* Behind a token stands a NUL, for no reason but habit; its length is what counts. */
static bool copy_token(char **ret, size_t *ret_len, struct str token)
{
    if (token.len == 0)
        return true;
    *ret = str_copy(token);
    *ret_len = token.len;
    return *ret != NULL;
}

static bool copy_lists(struct rules *rules, const struct rules_settings *settings)
{
    rules->n_proxy_uids = settings->proxy_users.n;
    rules->n_app_uids = settings->app_users.n;
    rules->n_trusted = settings->n_trusted_proxies;
    return copy_bytes((void **)&rules->proxy_uids, settings->proxy_users.uids,
                      settings->proxy_users.n * sizeof(uid_t)) &&
           copy_bytes((void **)&rules->app_uids, settings->app_users.uids,
                      settings->app_users.n * sizeof(uid_t)) &&
           copy_bytes((void **)&rules->trusted, settings->trusted_proxies,
                      settings->n_trusted_proxies * sizeof(struct cidr));
}

static bool copy_files(struct rules *rules, const struct token_files *files)
{
    rules->keys_path = str_copy(str_of(files->keys_path));
    rules->site_path = files->site_path ? str_copy(str_of(files->site_path)) : NULL;
    rules->longest_s = files->longest_s;
    rules->may_write_keys = files->may_write;
    return rules->keys_path && (rules->site_path != NULL) == (files->site_path != NULL);
}

static bool copy_base(struct rules *rules, struct str public_url)
{
    while (public_url.len > 0 && public_url.at[public_url.len - 1] == '/')
        public_url.len--;
    if (public_url.len == 0)
        return true;
    rules->base = str_copy(public_url);
    return rules->base != NULL;
}

/* Not configured, sites whose pages may ask us may show us too. */
static bool copy_frames(struct rules *rules, const struct rules_settings *settings)
{
    AUTO_BUF sources = { 0 };

    if (settings->frame_ancestors.len > 0) {
        buf_str_add(&sources, settings->frame_ancestors);
    } else {
        buf_text(&sources, "'self'");
        if (settings->origins.len > 0)
            buf_char(&sources, ' ');
        buf_str_add(&sources, settings->origins);
    }
    if (!buf_ok(&sources))
        return false;
    rules->frame_ancestors = str_copy(buf_str(&sources));
    return rules->frame_ancestors != NULL;
}

struct str rules_base_path(const struct rules *rules)
{
    struct str rest = str_of(rules->base);
    size_t scheme = 0;

    while (scheme + 3 <= rest.len && memcmp(rest.at + scheme, "://", 3) != 0)
        scheme++;
    if (scheme + 3 > rest.len)
        return STR("");
    rest = str_from(rest, scheme + 3);
    return str_from(rest, str_find(rest, '/'));
}

bool rules_is_https(const struct rules *rules)
{
    struct str base = str_of(rules->base);

    return base.len > 8 && str_eq_nocase((struct str){ base.at, 8 }, STR("https://"));
}

static struct limiter_rate rate_of(uint64_t n, uint32_t period_s)
{
    return (struct limiter_rate){ n > UINT32_MAX ? UINT32_MAX : (uint32_t)n, period_s };
}

struct rules *rules_new(const struct rules_settings *settings, struct why *reterr_why)
{
    AUTO(rules) rules = calloc(1, sizeof *rules);

    if (!rules)
        return why_set(reterr_why, "no memory");
    atomic_init(&rules->refs, 1);
    rules->own_uid = settings->own_uid;
    rules->has_admin_group = settings->has_admin_group;
    rules->admin_group = settings->admin_group;
    rules->insecure_tcp = settings->insecure_tcp;
    rules->metrics_for_everyone = settings->metrics_for_everyone;
    rules->log_requests = settings->log_requests;
    rules->token_lifetime_s = settings->token_lifetime_s;
    rules->streams = settings->streams;
    rules->rates[LIMIT_VOTES] = rate_of(settings->votes_per_minute, 60);
    rules->rates[LIMIT_TOKENS] = rate_of(settings->tokens_per_hour, 3600);
    rules->rates[LIMIT_READS] = rate_of(settings->reads_per_second, 1);
    rules->rates[LIMIT_GUESSES] = rate_of(GUESSES_PER_MINUTE, 60);
    if (!copy_files(rules, &settings->token_files) || !copy_lists(rules, settings) ||
        !copy_base(rules, settings->public_url) || !copy_frames(rules, settings) ||
        !copy_token(&rules->admin_token, &rules->admin_token_len, settings->admin_token) ||
        !copy_token(&rules->app_token, &rules->app_token_len, settings->app_token))
        return why_set(reterr_why, "no memory");
    rules->origins = origins_new(settings->public_url, settings->origins, reterr_why);
    return rules->origins ? TAKE(rules) : NULL;
}

struct rules *rules_ref(struct rules *rules)
{
    atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
    return rules;
}

static void free_token(char *token, size_t len)
{
    if (token)
        sodium_memzero(token, len);
    free(token);
}

struct token_files rules_token_files(const struct rules *rules)
{
    return (struct token_files){ .keys_path = rules->keys_path,
                                 .site_path = rules->site_path,
                                 .longest_s = rules->longest_s,
                                 .may_write = rules->may_write_keys };
}

void rules_free(struct rules *rules)
{
    if (!rules || atomic_fetch_sub_explicit(&rules->refs, 1, memory_order_acq_rel) > 1)
        return;
    free_token(rules->admin_token, rules->admin_token_len);
    free_token(rules->app_token, rules->app_token_len);
    free(rules->base);
    free(rules->frame_ancestors);
    free(rules->keys_path);
    free(rules->site_path);
    free(rules->proxy_uids);
    free(rules->app_uids);
    free(rules->trusted);
    origins_free(rules->origins);
    free(rules);
}
