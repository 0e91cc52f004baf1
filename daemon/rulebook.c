/*
 * rulebook.c - what the configuration says, as the rooms take it.
 *
 * Threads: main.
 */
#include "rulebook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

struct cidr *rulebook_trusted(const struct config *config, size_t *ret_n)
{
    const struct config_networks *networks = &config->trusted_proxies;
    struct cidr *cidrs = networks->n > 0 ? calloc(networks->n, sizeof *cidrs) : NULL;

    *ret_n = cidrs ? networks->n : 0;
    for (size_t i = 0; i < *ret_n; i++) {
        cidrs[i].address.v6 = networks->at[i].v6;
        memcpy(cidrs[i].address.bytes, networks->at[i].bytes, sizeof cidrs[i].address.bytes);
        cidrs[i].bits = networks->at[i].bits;
    }
    return cidrs;
}

struct token_files rulebook_token_files(const struct config *config)
{
    return (struct token_files){ .keys_path = config->keys_path,
                                 .site_path = config->site_keys.path,
                                 .longest_s = config->token_lifetime_s,
                                 .may_write = !config->keys_are_credential };
}

static void words_join(const struct config_words *words, struct buf *out)
{
    for (size_t i = 0; i < words->n; i++) {
        if (i > 0)
            buf_char(out, ' ');
        buf_text(out, words->at[i]);
    }
}

static struct rules_users users_of(const struct config_users *users)
{
    return (struct rules_users){ users->uids, users->names.n };
}

struct rules *rulebook_rules(const struct config *config, struct why *reterr_why)
{
    struct rules_settings settings = { .own_uid = geteuid(),
                                       .has_admin_group = config->admin_group.found,
                                       .admin_group = config->admin_group.gid,
                                       .proxy_users = users_of(&config->proxy_users),
                                       .app_users = users_of(&config->app_users),
                                       .token_files = rulebook_token_files(config),
                                       .insecure_tcp = config->insecure_tcp,
                                       .metrics_for_everyone = config->metrics == METRICS_EVERYONE,
                                       .log_requests = config->log_requests,
                                       .public_url = str_of(config->public_url),
                                       .token_lifetime_s = config->token_lifetime_s,
                                       .votes_per_minute = config->votes_per_minute,
                                       .tokens_per_hour = config->tokens_per_hour,
                                       .reads_per_second = config->reads_per_second,
                                       .streams = config->streams_per_address };
    AUTO_BYTES struct cidr *trusted = rulebook_trusted(config, &settings.n_trusted_proxies);
    AUTO_BUF origins = { 0 };
    AUTO_BUF frames = { 0 };

    words_join(&config->origins, &origins);
    words_join(&config->frame_ancestors, &frames);
    if (!buf_ok(&origins) || !buf_ok(&frames) || (config->trusted_proxies.n > 0 && !trusted))
        return why_set(reterr_why, "no memory");
    settings.trusted_proxies = trusted;
    settings.origins = buf_str(&origins);
    settings.frame_ancestors = buf_str(&frames);
    settings.admin_token = (struct str){ config->admin_token.bytes, config->admin_token.len };
    settings.app_token = (struct str){ config->app_token.bytes, config->app_token.len };
    return rules_new(&settings, reterr_why);
}

static void tell_warning(const char *line)
{
    log_line(LOG_WARNING, "%s", line);
}

void rulebook_log(const struct config *config)
{
    log_setup((enum log_level)(LOG_ERROR + (int)config->log_level),
              config->log_format == LOG_FORMAT_JSON ? LOG_JSON : LOG_TEXT,
              getenv("JOURNAL_STREAM") != NULL);
    config_warn(config, tell_warning);
}
