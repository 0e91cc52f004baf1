/*
 * crash/cut_daemon.c - the pretended disk under a daemon that it is preloaded into.
 *
 * $CUT_FOLDER is watched, $CUT_AT says at which changing call the power goes, $CUT_SEED what is
 * left then; with $CUT_NO_SYNC, a planted fault, syncs do nothing. The process ends at once, as it
 * does when the machine has no power, and the folder is what a start on the next day finds.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "crash/disk.h"

static void cut_and_end(void)
{
    disk_cut();
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("CUT_FOLDER");
    const char *at = getenv("CUT_AT");
    const char *seed = getenv("CUT_SEED");

    if (!folder || !at || !seed)
        return;
    disk_seed(strtoull(seed, NULL, 10));
    disk_begin(folder, getenv("CUT_NO_SYNC") ? DISK_NO_SYNC : DISK_HONEST);
    disk_arm((unsigned)strtoul(at, NULL, 10), 0);
    disk_on_cut(cut_and_end);
}
