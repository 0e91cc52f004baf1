/*
 * maintenance.c - what tallyd does with a store that no daemon has open: --check-store, --restore,
 * --copy-store.
 *
 * Threads: main.
 */
#include "maintenance.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/check.h"
#include "ledger/copy.h"
#include "ledger/draft.h"
#include "ledger/keys.h"
#include "ledger/restore.h"
#include "ledger/store.h"

static void tell(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

static int fail(const struct why *why)
{
    log_line(LOG_ERROR, "%s", why->text);
    return EXIT_FAILURE;
}

/* These look at files. */
static bool is_file(const struct config *config, const char *instead)
{
    if (strncmp(config->store_url, "sqlite:", strlen("sqlite:")) == 0)
        return true;
    log_line(LOG_ERROR, "a PostgreSQL store is no file: %s", instead);
    return false;
}

/* What is behind the scheme. */
static const char *store_path(const struct config *config)
{
    return strchr(config->store_url, ':') + 1;
}

static void counts(char *ret_text, size_t room, const struct check *check)
{
    (void)snprintf(ret_text, room, "%" PRIu64 " poll%s, %" PRIu64 " vote%s", check->polls,
                   check->polls == 1 ? "" : "s", check->votes, check->votes == 1 ? "" : "s");
}

int maintenance_check_store(const struct config *config)
{
    struct check check = { .tell = tell };
    AUTO(keys) keys = NULL;
    struct why why;
    char found[64];

    if (!is_file(config, "check it by 'tally verify' while a node runs"))
        return EXIT_FAILURE;
    if (store_find(config->store_url, NULL, &why) != STORE_FOUND) {
        why_set(&why, "there is no store at %s; choose another --store", store_path(config));
        return fail(&why);
    }
    keys = config->keys_are_credential ? keys_open_credential(config->keys_path, &why)
                                       : keys_open(config->keys_path, false, &why);
    if (!keys || !check_store(store_path(config), keys, &check, &why))
        return fail(&why);
    counts(found, sizeof found, &check);
    if (check.mismatches == 0) {
        (void)printf("store %s: %s, good\n", store_path(config), found);
        return EXIT_SUCCESS;
    }
    (void)printf("store %s: %s, %zu not as it should be; restore a backup\n", store_path(config),
                 found, check.mismatches);
    return EXIT_FAILURE;
}

int maintenance_restore(const struct config *config)
{
    struct check check = { .tell = tell };
    const struct restore_settings settings = { .file = config->restore_from,
                                               .path = store_path(config),
                                               .keys_path = config->keys_path,
                                               .random = randombytes_buf };
    struct why why;
    char found[64];

    if (!is_file(config, "restore it by its engine's own tools"))
        return EXIT_FAILURE;
    if (!config_make_folder(config, &why) || !store_restore(&settings, &check, &why))
        return fail(&why);
    counts(found, sizeof found, &check);
    (void)printf("restored %s: %s\n", settings.path, found);
    return EXIT_SUCCESS;
}

#ifdef TALLYD_HAVE_POSTGRES
/* The keys are part of the ledger: they go along, unless they are there already. */
static bool copy_keys(const struct config *config, struct why *why)
{
    const char *from = strchr(config->copy_from, ':') + 1;
    const char *slash = strrchr(from, '/');
    char source[PATH_MAX];
    char draft[PATH_MAX];

    if (config->keys_are_credential || access(config->keys_path, F_OK) == 0)
        return true;
    (void)snprintf(source, sizeof source, "%.*skeys", slash ? (int)(slash - from) + 1 : 0, from);
    (void)snprintf(draft, sizeof draft, "%s.new", config->keys_path);
    (void)unlink(draft); /* of a copy that was cut off */
    if (draft_copy(source, draft) && draft_name(draft, config->keys_path))
        return true;
    return why_set(why, "cannot copy %s to %s: %s; put the keys of the old store there", source,
                   config->keys_path, strerror(errno)) != NULL;
}

static void tell_rows(void *context, uint64_t rows)
{
    (void)context;
    log_line(LOG_INFO, "%" PRIu64 " row%s copied", rows, rows == 1 ? " is" : "s are");
}

int maintenance_copy_store(const struct config *config)
{
    struct copy copy = { .from = config->copy_from,
                         .to = config->store_url,
                         .clock = &clock_system,
                         .random = randombytes_buf,
                         .tell = tell_rows };
    AUTO(keys) keys = NULL;
    struct why why;

    if (store_find(copy.from, NULL, &why) != STORE_FOUND) {
        why_set(&why, "there is no store at %s; name the one that tallyd had", copy.from);
        return fail(&why);
    }
    if (!config_make_folder(config, &why) || !copy_keys(config, &why))
        return fail(&why);
    keys = config->keys_are_credential ? keys_open_credential(config->keys_path, &why)
                                       : keys_open(config->keys_path, false, &why);
    copy.keys = keys;
    if (!keys || !store_copy(&copy, &why))
        return fail(&why);
    (void)printf("copied %" PRIu64 " poll%s, %" PRIu64 " vote%s; the totals are equal\n",
                 copy.polls, copy.polls == 1 ? "" : "s", copy.votes, copy.votes == 1 ? "" : "s");
    return EXIT_SUCCESS;
}
#else
int maintenance_copy_store(const struct config *config)
{
    (void)config;
    log_line(LOG_ERROR, "--copy-store needs PostgreSQL, which this tallyd was built without");
    return EXIT_FAILURE;
}
#endif
