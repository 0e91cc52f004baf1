/*
 * config/keys.c - every key of the configuration: the one table.
 *
 * A key of a part that is still to come is LATER: its value is read and checked, then refused as
 * not built yet. When the part comes, that word becomes BUILT and nothing else changes here.
 * docs/configuration.md is compared with this table by tests/unit/config/keys_test.c.
 *
 * Threads: main; the table is constant.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/inside.h"
#include "config/kinds.h"

/* The member's offset; does not compile where the member is not of the type that the kind has. */
#define AT(type, member)                                                                           \
    .at = offsetof(struct config, member) + 0 * sizeof(char[SAME_TYPE(type, member) ? 1 : -1])
#define SAME_TYPE(type, member)                                                                    \
    __builtin_types_compatible_p(type, __typeof__(((struct config *)0)->member))

#define COUNT(member, from, to)                                                                    \
    .kind = VALUE_COUNT, AT(uint64_t, member), .min = (from), .max = (to)
#define SIZE(member, to) .kind = VALUE_SIZE, AT(uint64_t, member), .max = (to)
#define TIME(member, from, never_word)                                                             \
    .kind = VALUE_TIME, AT(int64_t, member), .min = (from), .max = TIME_MAX_S, .words = (never_word)
#define MODE(member) .kind = VALUE_MODE, AT(unsigned, member)
#define SWITCH(member) .kind = VALUE_SWITCH, AT(bool, member)
#define CHOICE(member, of) .kind = VALUE_CHOICE, AT(unsigned, member), .words = (of)
#define TEXT(what, member) .kind = VALUE_##what, AT(char *, member)
#define WORDS(what, member) .kind = VALUE_##what, AT(struct config_words, member)
#define NETWORKS(member) .kind = VALUE_NETWORKS, AT(struct config_networks, member)
#define PREFIXES(member) .kind = VALUE_PREFIXES, AT(struct config_prefixes, member)
#define USERS(member) .kind = VALUE_USERS, AT(struct config_users, member)
#define GROUP(member) .kind = VALUE_GROUP, AT(struct config_group, member)
#define SECRET_FILE(member) .kind = VALUE_SECRET_FILE, AT(struct config_secret, member)
#define SITE_KEYS(member) .kind = VALUE_SITE_KEYS, AT(struct config_site_keys, member)

#define TIME_MAX_S (100LL * 366 * 86400)
#define SIZE_MAX_BYTES (1ULL << 40)
#define LIMIT_MAX 1000000000

const struct config_key config_keys[] = {
    /* clang-format off */
    { "server", "listen", WORDS(ADDRESSES, listen), .built = BUILT },
    { "server", "socket", TEXT(PATH, socket), .built = BUILT },
    { "server", "socket_mode", MODE(socket_mode), .fallback = "0666", .built = BUILT },
    { "server", "threads", COUNT(threads, 1, THREADS_MAX), .built = BUILT },
    { "server", "max_connections", COUNT(connections_max, 1, LIMIT_MAX), .fallback = "16384",
      .built = BUILT, .change = RELOADS },
    { "server", "trusted_proxies", NETWORKS(trusted_proxies), .built = BUILT, .change = RELOADS },
    { "server", "proxy_users", USERS(proxy_users), .built = BUILT, .change = RELOADS },
    { "server", "public_url", TEXT(URL, public_url), .built = BUILT, .change = RELOADS },
    { "server", "origins", WORDS(ORIGINS, origins), .built = BUILT, .change = RELOADS },
    { "server", "frame_ancestors", WORDS(FRAMES, frame_ancestors), .built = BUILT,
      .change = RELOADS },
    { "server", "metrics", CHOICE(metrics, "local everyone"), .fallback = "local",
      .built = BUILT, .change = RELOADS },

    { "store", "url", TEXT(STORE, store_url), .built = BUILT },
    { "store", "ballast", SIZE(ballast_bytes, SIZE_MAX_BYTES), .fallback = "8M", .built = BUILT },
    { "store", "backup_dir", TEXT(PATH, backup_dir), .built = BUILT },

    { "roles", "admin_group", GROUP(admin_group), .fallback = "tallyd", .built = BUILT,
      .change = RELOADS },
    { "roles", "app_users", USERS(app_users), .built = BUILT, .change = RELOADS },
    { "roles", "admin_token_file", SECRET_FILE(admin_token), .built = BUILT, .change = RELOADS },
    { "roles", "app_token_file", SECRET_FILE(app_token), .built = BUILT, .change = RELOADS },
    { "roles", "insecure_tcp", SWITCH(insecure_tcp), .fallback = "no", .built = BUILT,
      .change = RELOADS },

    { "voters", "site_key_file", SITE_KEYS(site_keys), .built = BUILT, .change = RELOADS },
    { "voters", "token_lifetime", TIME(token_lifetime_s, 1, NULL), .fallback = "400d",
      .built = BUILT, .change = RELOADS },
    { "voters", "address_prefix", PREFIXES(address_prefix), .fallback = "32 64", .built = BUILT },
    { "voters", "forget_after", TIME(forget_after_s, 0, "never"), .fallback = "never",
      .built = BUILT },

    { "limits", "votes_per_minute", COUNT(votes_per_minute, 0, LIMIT_MAX), .fallback = "60",
      .built = BUILT, .change = RELOADS },
    { "limits", "tokens_per_hour", COUNT(tokens_per_hour, 0, LIMIT_MAX), .fallback = "60",
      .built = BUILT, .change = RELOADS },
    { "limits", "reads_per_second", COUNT(reads_per_second, 0, LIMIT_MAX), .fallback = "200",
      .built = BUILT, .change = RELOADS },
    { "limits", "connections", COUNT(connections_per_address, 0, LIMIT_MAX), .fallback = "512",
      .built = BUILT, .change = RELOADS },
    { "limits", "streams", COUNT(streams_per_address, 0, LIMIT_MAX), .fallback = "64",
      .built = BUILT, .change = RELOADS },

    { "log", "level", CHOICE(log_level, "error warning notice info debug"), .fallback = "info",
      .built = BUILT, .change = RELOADS },
    { "log", "format", CHOICE(log_format, "text json"), .fallback = "text", .built = BUILT,
      .change = RELOADS },
    { "log", "requests", SWITCH(log_requests), .fallback = "no", .built = BUILT,
      .change = RELOADS },
    /* clang-format on */
};

const size_t config_keys_count = sizeof config_keys / sizeof config_keys[0];

static_assert(sizeof config_keys / sizeof config_keys[0] <= CONFIG_KEYS_MAX,
              "struct config has a place for each key");

size_t config_key_find(const char *section, const char *name)
{
    size_t i = 0;

    while (i < config_keys_count &&
           (strcmp(config_keys[i].section, section) != 0 || strcmp(config_keys[i].name, name) != 0))
        i++;
    return i;
}

bool config_section_known(struct str name)
{
    for (size_t i = 0; i < config_keys_count; i++) {
        if (str_eq(name, str_of(config_keys[i].section)))
            return true;
    }
    return false;
}

void *config_member(struct config *config, const struct config_key *key)
{
    return (char *)config + key->at;
}

void config_key_clear(struct config *config, size_t key)
{
    const struct kind *kind = &config_kinds[config_keys[key].kind];

    if (kind->clear)
        kind->clear(config_member(config, &config_keys[key]));
    free(config->said[key]);
    config->said[key] = NULL;
}

bool config_key_set(struct config *config, size_t key, struct str text, struct why *reterr_why)
{
    const struct kind *kind = &config_kinds[config_keys[key].kind];

    config_key_clear(config, key);
    config->said[key] = must_copy(text);
    return kind->set(&config_keys[key], config_member(config, &config_keys[key]), text, reterr_why);
}

struct config *config_new(void)
{
    struct config *config = must_alloc(sizeof *config);

    for (size_t i = 0; i < config_keys_count; i++) {
        const char *fallback = config_keys[i].fallback;
        struct why why;
        bool ok = !fallback || config_key_set(config, i, str_of(fallback), &why);

        assert(ok); /* the table's own defaults are what it takes */
    }
    return config;
}

void config_key_swap(struct config *a, struct config *b, size_t key)
{
    unsigned char *left = config_member(a, &config_keys[key]);
    unsigned char *right = config_member(b, &config_keys[key]);
    char *said = a->said[key];

    for (size_t i = 0; i < config_kinds[config_keys[key].kind].bytes; i++) {
        unsigned char byte = left[i];

        left[i] = right[i];
        right[i] = byte;
    }
    a->said[key] = b->said[key];
    b->said[key] = said;
}
