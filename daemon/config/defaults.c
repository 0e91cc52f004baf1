/*
 * config/defaults.c - what nobody has said, worked out from who and where we are.
 *
 * Threads: main.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/inside.h"

#define KEYS_CREDENTIAL "tallyd-keys"

static const char *absolute(const char *variable)
{
    const char *value = getenv(variable);

    return value && value[0] == '/' ? value : NULL;
}

/* The folder for the state of this user, or NULL. */
static char *state_folder(void)
{
    const char *state = absolute("STATE_DIRECTORY");
    const char *xdg = absolute("XDG_STATE_HOME");
    const char *home = absolute("HOME");

    if (state) /* systemd gives several, with colons between them, if the unit has several */
        return must_copy((struct str){ state, strcspn(state, ":") });
    if (geteuid() == 0)
        return must_copy(STR("/var/lib/tallyd"));
    if (xdg)
        return must_format("%s/tallyd", xdg);
    return home ? must_format("%s/.local/state/tallyd", home) : NULL;
}

static bool work_out_store(struct config *config, struct why *why)
{
    if (config->store_url && str_starts(str_of(config->store_url), STR(SQLITE_SCHEME)))
        return true;
#ifndef TALLYD_HAVE_POSTGRES
    if (config->store_url) {
        why_set(why, "store.url: this tallyd was built without PostgreSQL (libpq); give "
                     "sqlite:PATH, or build it with TALLYD_POSTGRES");
        return false;
    }
#endif
    config->state_folder = state_folder(); /* of the keys too, where the store is elsewhere */
    if (!config->state_folder) {
        why_set(why, "no place for the %s: set STATE_DIRECTORY%s",
                config->store_url ? "keys" : "store",
                config->store_url ? "" : ", or give --store sqlite:PATH");
        return false;
    }
    if (!config->store_url)
        config->store_url = must_format(SQLITE_SCHEME "%s/tally.db", config->state_folder);
    return true;
}

/* A file beside the store, or in the state folder where the store is no file. */
static char *beside(const struct config *config, const char *name)
{
    const char *path = config->store_url + strlen(SQLITE_SCHEME);
    const char *slash = strrchr(path, '/');

    if (config->state_folder)
        return must_format("%s/%s", config->state_folder, name);
    return slash ? must_format("%.*s/%s", (int)(slash - path), path, name)
                 : must_copy(str_of(name));
}

static void work_out_keys(struct config *config)
{
    const char *credentials = absolute("CREDENTIALS_DIRECTORY");
    char *path = credentials ? must_format("%s/" KEYS_CREDENTIAL, credentials) : NULL;

    if (path && access(path, F_OK) == 0) {
        config->keys_path = path;
        config->keys_are_credential = true;
        return;
    }
    free(path);
    config->keys_path = beside(config, "keys");
}

static void work_out_socket(struct config *config)
{
    const char *runtime = absolute("RUNTIME_DIRECTORY");

    if (!config->socket)
        config->socket = runtime
                             ? must_format("%.*s/tallyd.sock", (int)strcspn(runtime, ":"), runtime)
                             : must_copy(STR("/run/tallyd/tallyd.sock"));
}

static void work_out_threads(struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->threads == 0)
        config->threads = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (uint64_t)cores;
}

bool config_work_out(struct config *config, struct why *reterr_why)
{
    if (!work_out_store(config, reterr_why))
        return false;
    work_out_keys(config);
    work_out_socket(config);
    work_out_threads(config);
    if (!config->backup_dir)
        config->backup_dir = beside(config, "backups");
    return true;
}

/* Those above it too: a new user's $XDG_STATE_HOME need not be there yet (XDG Base Directory
 * Specification, "Referencing this specification"). */
static bool make_folders(const char *folder)
{
    if (mkdir(folder, 0700) == 0 || errno == EEXIST)
        return true;
    for (const char *end = strchr(folder + 1, '/'); errno == ENOENT && end;
         end = strchr(end + 1, '/')) {
        AUTO_BYTES char *above = must_copy((struct str){ folder, (size_t)(end - folder) });

        if (mkdir(above, 0700) == 0 || errno == EEXIST)
            errno = ENOENT; /* on to the next */
    }
    return errno == ENOENT && (mkdir(folder, 0700) == 0 || errno == EEXIST);
}

bool config_make_folder(const struct config *config, struct why *reterr_why)
{
    const char *folder = config->state_folder;

    if (!folder || make_folders(folder))
        return true;
    why_set(reterr_why, "cannot make %s: %s; make it, or give --store sqlite:PATH", folder,
            strerror(errno));
    return false;
}
