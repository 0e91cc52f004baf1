/*
 * config/kinds.c - what each kind of value is in memory: how it is set, and given back.
 *
 * Threads: main; nothing is shared.
 */
#include "config/kinds.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define WORDS_MAX 256

/* What was given, cut for a message. */
#define SHOWN(text) (int)((text).len < 100 ? (text).len : 100), (text).at

static bool takes(struct why *why, const char *what, struct str text)
{
    why_set(why, "takes %s, not %.*s", what, SHOWN(text));
    return false;
}

static bool set_count(const struct config_key *key, void *member, struct str text, struct why *why)
{
    uint64_t *n = member;

    if (str_uint64(text, key->max, n) && *n >= key->min)
        return true;
    why_set(why, "takes a number of %" PRIu64 " to %" PRIu64 ", not %.*s", key->min, key->max,
            SHOWN(text));
    return false;
}

static bool set_size(const struct config_key *key, void *member, struct str text, struct why *why)
{
    return value_size(text, key->max, member) ||
           takes(why, "a size like 512K, 8M or 1G, 1024G at most", text);
}

static bool set_time(const struct config_key *key, void *member, struct str text, struct why *why)
{
    int64_t *seconds = member;

    if (value_time(text, (int64_t)key->max, seconds) && *seconds >= (int64_t)key->min &&
        (*seconds != TIME_NEVER || key->words))
        return true;
    return takes(why,
                 key->words ? "a time like 90s, 15m, 12h or 400d, or never"
                            : "a time like 90s, 15m, 12h or 400d",
                 text);
}

static bool set_mode(const struct config_key *key, void *member, struct str text, struct why *why)
{
    (void)key;
    return value_mode(text, member) || takes(why, "permissions in octal, like 0666 or 0660", text);
}

static bool set_switch(const struct config_key *key, void *member, struct str text, struct why *why)
{
    (void)key;
    return value_switch(text, member) || takes(why, "yes or no", text);
}

static bool set_choice(const struct config_key *key, void *member, struct str text, struct why *why)
{
    if (value_choice(text, key->words, member))
        return true;
    why_set(why, "takes one of: %s; not %.*s", key->words, SHOWN(text));
    return false;
}

static bool set_path(const struct config_key *key, void *member, struct str text, struct why *why)
{
    char **path = member;

    (void)key;
    (void)why;
    *path = must_copy(text);
    return true;
}

static bool set_store(const struct config_key *key, void *member, struct str text, struct why *why)
{
    if (value_store(text))
        return set_path(key, member, text, why);
    /* Not quoted: it may hold a password. */
    why_set(why, "takes sqlite:PATH or postgresql://USER@HOST/DATABASE");
    return false;
}

static bool set_url(const struct config_key *key, void *member, struct str text, struct why *why)
{
    char url[URL_BYTES_MAX + 1];

    return value_url(text, url)
               ? set_path(key, member, str_of(url), why)
               : takes(why, "http(s)://HOST[:PORT][/PATH] without query or fragment", text);
}

static void clear_text(void *member)
{
    char **text = member;

    free(*text);
    *text = NULL;
}

/* The next of the words that spaces stand between. */
static bool next_word(struct str *rest, struct str *ret_word)
{
    while (str_next(rest, ' ', ret_word)) {
        if (ret_word->len > 0)
            return true;
    }
    return false;
}

static size_t count_words(struct str text)
{
    struct str word;
    size_t n = 0;

    while (next_word(&text, &word))
        n++;
    return n;
}

/* Room for as many items as the text has words, or NULL. */
static void *room_for(struct str text, size_t bytes, size_t most, struct why *why)
{
    size_t n = count_words(text);

    if (n > most)
        return why_set(why, "takes %zu at most, not %zu; take some out", most, n);
    return must_alloc((n + 1) * bytes);
}

static bool set_words(struct config_words *words, struct str text, size_t most, struct why *why)
{
    struct str word;

    words->at = room_for(text, sizeof *words->at, most, why);
    if (!words->at)
        return false;
    while (next_word(&text, &word))
        words->at[words->n++] = must_copy(word);
    return true;
}

static void clear_words(void *member)
{
    struct config_words *words = member;

    for (size_t i = 0; i < words->n; i++)
        free(words->at[i]);
    free(words->at);
    *words = (struct config_words){ NULL, 0 };
}

static bool set_addresses(const struct config_key *key, void *member, struct str text,
                          struct why *why)
{
    struct str rest = text;
    struct str word;

    (void)key;
    while (next_word(&rest, &word)) {
        if (!value_address(word))
            return takes(why, "ADDR:PORT, like 127.0.0.1:8080, [::1]:8080 or *:80", word);
    }
    return set_words(member, text, LISTEN_MAX, why);
}

static bool set_origin_words(struct config_words *words, struct str text, bool wild,
                             struct why *why)
{
    struct str word;

    words->at = room_for(text, sizeof *words->at, WORDS_MAX, why);
    if (!words->at)
        return false;
    while (next_word(&text, &word)) {
        char origin[ORIGIN_BYTES_MAX + 1];

        if (!value_origin(word, wild, origin))
            return takes(why, "http(s)://HOST[:PORT] without a path or a slash at its end", word);
        words->at[words->n++] = must_copy(str_of(origin));
    }
    return true;
}

static bool set_origins(const struct config_key *key, void *member, struct str text,
                        struct why *why)
{
    (void)key;
    return set_origin_words(member, text, false, why);
}

static bool set_frames(const struct config_key *key, void *member, struct str text, struct why *why)
{
    (void)key;
    return set_origin_words(member, text, true, why);
}

static bool set_networks(const struct config_key *key, void *member, struct str text,
                         struct why *why)
{
    struct config_networks *networks = member;
    struct str word;

    (void)key;
    networks->at = room_for(text, sizeof *networks->at, WORDS_MAX, why);
    if (!networks->at)
        return false;
    while (next_word(&text, &word)) {
        if (!value_network(word, &networks->at[networks->n]))
            return takes(why, "ADDR or ADDR/BITS with nothing behind the prefix, like 10.0.0.0/8",
                         word);
        networks->n++;
    }
    return true;
}

static void clear_networks(void *member)
{
    struct config_networks *networks = member;

    free(networks->at);
    *networks = (struct config_networks){ NULL, 0 };
}

static bool set_prefixes(const struct config_key *key, void *member, struct str text,
                         struct why *why)
{
    (void)key;
    return value_prefixes(text, member) ||
           takes(why, "two prefix lengths, IPv4 (1 to 32) and IPv6 (1 to 128), like 32 64", text);
}

static bool set_users(const struct config_key *key, void *member, struct str text, struct why *why)
{
    struct config_users *users = member;

    (void)key;
    return set_words(&users->names, text, WORDS_MAX, why);
}

static void clear_users(void *member)
{
    struct config_users *users = member;

    clear_words(&users->names);
    free(users->uids);
    users->uids = NULL;
}

static bool set_group(const struct config_key *key, void *member, struct str text, struct why *why)
{
    struct config_group *group = member;

    (void)key;
    if (count_words(text) != 1)
        return takes(why, "one group", text);
    group->name = must_copy(text);
    return true;
}

static void clear_group(void *member)
{
    struct config_group *group = member;

    free(group->name);
    *group = (struct config_group){ .name = NULL };
}

static bool set_secret(const struct config_key *key, void *member, struct str text, struct why *why)
{
    struct config_secret *secret = member;

    return set_path(key, &secret->path, text, why);
}

static void clear_secret(void *member)
{
    config_secret_clear(member);
}

static bool set_site_keys(const struct config_key *key, void *member, struct str text,
                          struct why *why)
{
    struct config_site_keys *keys = member;

    return set_path(key, &keys->path, text, why);
}

static void clear_site_keys(void *member)
{
    config_site_keys_clear(member);
}

const struct kind config_kinds[] = {
    [VALUE_COUNT] = { sizeof(uint64_t), set_count, NULL },
    [VALUE_SIZE] = { sizeof(uint64_t), set_size, NULL },
    [VALUE_TIME] = { sizeof(int64_t), set_time, NULL },
    [VALUE_MODE] = { sizeof(unsigned), set_mode, NULL },
    [VALUE_SWITCH] = { sizeof(bool), set_switch, NULL },
    [VALUE_CHOICE] = { sizeof(unsigned), set_choice, NULL },
    [VALUE_PATH] = { sizeof(char *), set_path, clear_text },
    [VALUE_STORE] = { sizeof(char *), set_store, clear_text },
    [VALUE_URL] = { sizeof(char *), set_url, clear_text },
    [VALUE_ADDRESSES] = { sizeof(struct config_words), set_addresses, clear_words },
    [VALUE_ORIGINS] = { sizeof(struct config_words), set_origins, clear_words },
    [VALUE_FRAMES] = { sizeof(struct config_words), set_frames, clear_words },
    [VALUE_NETWORKS] = { sizeof(struct config_networks), set_networks, clear_networks },
    [VALUE_PREFIXES] = { sizeof(struct config_prefixes), set_prefixes, NULL },
    [VALUE_USERS] = { sizeof(struct config_users), set_users, clear_users },
    [VALUE_GROUP] = { sizeof(struct config_group), set_group, clear_group },
    [VALUE_SECRET_FILE] = { sizeof(struct config_secret), set_secret, clear_secret },
    [VALUE_SITE_KEYS] = { sizeof(struct config_site_keys), set_site_keys, clear_site_keys },
};
