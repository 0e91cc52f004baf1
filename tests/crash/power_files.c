/*
 * crash/power_files.c - what lies in the folder after a cut: the store, its key, and backups.
 *
 * Threads: one.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crash/power_world.h"
#include "ledger/check.h"

static void note(void *context, const char *line)
{
    struct world *world = context;

    (void)snprintf(world->wrong, sizeof world->wrong, "%.400s", line);
}

/* A backup that has its name is whole and opens with its key; one that was told of is there. */
static bool check_one_backup(struct world *world, size_t number)
{
    struct check check = { .tell = note, .context = world };
    char path[sizeof world->fixture.folder + 32];
    char key[sizeof path + 8];
    struct why why;
    bool ok;

    (void)snprintf(path, sizeof path, "%s/b%zu", world->fixture.folder, number);
    (void)snprintf(key, sizeof key, "%s.key", path);
    if (access(path, F_OK) < 0) {
        world->figures->lost += world->backups[number].told;
    } else {
        AUTO(keys) keys = keys_open(key, false, &why);

        ok = keys && check_backup(path, keys, &check, &why);
        if (!ok)
            note(world, why.text);
        if (!ok || check.mismatches > 0)
            return false;
        if (world->backups[number].told && check.votes < world->backups[number].votes)
            world->figures->lost += world->backups[number].votes - check.votes;
    }
    (void)unlink(path);
    (void)unlink(key);
    return true;
}

bool world_check_files(struct world *world)
{
    const char *path = world->fixture.url + strlen("sqlite:");
    struct check check = { .tell = note, .context = world };
    struct why why;
    AUTO(keys) keys = keys_open(world->fixture.keys_path, false, &why);

    for (; world->checked_backups < world->n_backups; world->checked_backups++) {
        if (!check_one_backup(world, world->checked_backups))
            return false;
    }
    if (keys && check_store(path, keys, &check, &why))
        return check.mismatches == 0;
    note(world, why.text);
    return false;
}
