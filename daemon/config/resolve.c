/*
 * config/resolve.c - what the configuration names outside of itself: users, groups, secret files.
 *
 * Threads: main; the lookups may ask name services, and take as long as those do.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/alloc.h"
#include "config/inside.h"

/* By name, or by number where no user has that name. */
static bool find_user(const char *name, uid_t *ret_uid)
{
    const struct passwd *user = getpwnam(name);
    uint64_t number;

    if (!user && !str_uint64(str_of(name), UINT32_MAX - 1, &number))
        return false;
    *ret_uid = user ? user->pw_uid : (uid_t)number;
    return true;
}

static bool find_users(struct config_users *users, struct why *why)
{
    users->uids = must_alloc((users->names.n + 1) * sizeof *users->uids);
    for (size_t i = 0; i < users->names.n; i++) {
        if (!find_user(users->names.at[i], &users->uids[i])) {
            why_set(why, "there is no user %.100s; make it with adduser, or take it out",
                    users->names.at[i]);
            return false;
        }
    }
    return true;
}

/* The default group need not be there: then root and the daemon's own user are the admins. */
static bool find_group(struct config_group *group, bool needed, struct why *why)
{
    const struct group *entry = getgrnam(group->name);
    uint64_t number;

    if (entry) {
        group->found = true;
        group->gid = entry->gr_gid;
        return true;
    }
    if (str_uint64(str_of(group->name), UINT32_MAX - 1, &number)) {
        group->found = true;
        group->gid = (gid_t)number;
        return true;
    }
    if (needed)
        why_set(why, "there is no group %.100s; make it with addgroup, or name another",
                group->name);
    return !needed;
}

static bool resolve(struct config *config, size_t key, struct why *why)
{
    void *member = config_member(config, &config_keys[key]);

    switch (config_keys[key].kind) {
    case VALUE_USERS:
        return find_users(member, why);
    case VALUE_GROUP:
        return find_group(member, config->line[key] != 0, why);
    case VALUE_SECRET_FILE:
        return !((struct config_secret *)member)->path || config_secret_read(member, why);
    case VALUE_SITE_KEYS:
        return !((struct config_site_keys *)member)->path || config_site_keys_read(member, why);
    case VALUE_COUNT:
    case VALUE_SIZE:
    case VALUE_TIME:
    case VALUE_MODE:
    case VALUE_SWITCH:
    case VALUE_CHOICE:
    case VALUE_PATH:
    case VALUE_STORE:
    case VALUE_URL:
    case VALUE_ADDRESSES:
    case VALUE_ORIGINS:
    case VALUE_FRAMES:
    case VALUE_NETWORKS:
    case VALUE_PREFIXES:
        return true;
    }
    return true;
}

/* A proxy speaks for readers, an app for itself: the same user cannot be both. */
static bool users_apart(const struct config *config, struct why *why)
{
    const struct config_users *proxies = &config->proxy_users;
    const struct config_users *apps = &config->app_users;

    for (size_t i = 0; i < apps->names.n; i++) {
        for (size_t j = 0; j < proxies->names.n; j++) {
            if (apps->uids[i] == proxies->uids[j]) {
                why_set(why, "user %.100s is in server.proxy_users too; take it out of one",
                        apps->names.at[i]);
                return false;
            }
        }
    }
    return true;
}

bool config_resolve(struct config *config, const char *name, struct why *reterr_why)
{
    struct why what;

    for (size_t i = 0; i < config_keys_count; i++) {
        if (!resolve(config, i, &what)) {
            config_key_wrong(config, i, name, &what, reterr_why);
            return false;
        }
    }
    if (!users_apart(config, &what)) {
        config_key_wrong(config, config_key_find("roles", "app_users"), name, &what, reterr_why);
        return false;
    }
    return true;
}
