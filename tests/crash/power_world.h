/*
 * crash/power_world.h - a store on a disk whose power can go, and all that it has acknowledged.
 *
 * Does what clients and operators do, and remembers what they were told: a counted vote, a made or
 * deleted poll, a backup. After a cut world_check() compares, by sending everything again.
 */
#ifndef TALLYD_TESTS_CRASH_POWER_WORLD_H
#define TALLYD_TESTS_CRASH_POWER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crash/disk.h"
#include "ledger/ledger_fixture.h"

#define WORLD_VOTERS_MAX 4096
#define WORLD_BACKUPS_MAX 64

enum told { TOLD_NOTHING, TOLD_COUNTED, TOLD_REFUSED };

struct world_voter {
    enum told told;
    uint32_t seq; /* TOLD_COUNTED */
    unsigned option;
};

struct world_figures {
    uint64_t acknowledged;
    uint64_t lost;
    uint64_t phantom;
    uint64_t crashed; /* starts that were refused, stores that --check-store finds fault with */
};

struct world {
    struct fixture fixture;
    bool normal; /* planted: commits are not synced */
    bool made[2];
    struct world_voter voters[WORLD_VOTERS_MAX]; /* of poll p0 and p1 by turns */
    size_t n;
    bool scratch_deleted; /* told so, of the poll that is made and deleted over and over */
    struct {
        bool told;
        uint64_t votes; /* acknowledged when it was asked for */
    } backups[WORLD_BACKUPS_MAX];
    size_t n_backups;
    size_t checked_backups; /* and removed; a name is used once */
    struct world_figures *figures;
    char wrong[512]; /* why the store is not good; "": it is */
};

/* A folder of its own, watched from now on; with a store of the first version if `old`. */
struct world *world_new(enum disk_plant plant, bool normal, bool old,
                        struct world_figures *figures);
void world_free(struct world *world);

/* How a start ended. Where nothing stood in its way, and it did not come up, `wrong` says why. */
enum start { START_UP, START_CUT, START_SYNC_FAILED, START_WRONG };
enum start world_start(struct world *world);
/* As SIGKILL, or as a process that ends behind a failed sync. */
void world_kill(struct world *world);
/* In good order, checkpoint and all. */
void world_stop(struct world *world);

/* One thing by chance: votes, a poll, a checkpoint, a backup. false: the store goes no further. */
bool world_act(struct world *world);

/* With the power on and the store up. false: `wrong` says what it is. What was lost or is too much
 * goes to the figures. */
bool world_check(struct world *world);
/* The same of the files, while the store is closed. */
bool world_check_files(struct world *world);

#endif
