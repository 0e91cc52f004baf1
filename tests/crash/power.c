/*
 * crash/power.c - cuts the power of a store at any call, thousands of times, and counts.
 *
 * A cycle: start, do what clients and operators do, and lose the power at a call chosen by chance:
 * during the very first start, a migration, a commit, a checkpoint, a backup, a deletion, the start
 * behind the last cut. In a third of them a sync fails before; then the store ends, as the daemon
 * does, and starts again on what the page cache shows, until the power goes. Then everything that
 * was ever acknowledged is asked for again.
 *
 * usage: power [--cycles N] [--seed N] [--plant normal|no-folder-sync|no-rewrite]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "crash/power_world.h"

#define CYCLES_OF_A_WORLD 40
#define STARTS_MAX 8
#define LINES_MAX 20 /* of what was found: one with a planted fault would fill pages */
#define HUNG_S 120   /* many times what the slowest cycle takes on a loaded machine */

static unsigned of_any_size(void)
{
    return 1 + (unsigned)disk_random(1U << (2 + disk_random(9)));
}

/* Until the power is off. false: world->wrong says why there is nothing to go on with. */
static bool live(struct world *world)
{
    disk_arm(of_any_size(), disk_random(3) == 0 ? 1 + (unsigned)disk_random(24) : 0);
    for (int starts = 0; !disk_is_off() && starts < STARTS_MAX; starts++) {
        enum start start = world_start(world);

        if (start == START_WRONG)
            return false;
        if (start == START_SYNC_FAILED)
            continue;
        while (start == START_UP && world_act(world))
            ;
        world_kill(world);
    }
    return true;
}

/* With the power on; half of the time the next cycle goes on from what the cut left instead. */
static bool compare(struct world *world)
{
    if (world_start(world) != START_UP || !world_check(world))
        return false;
    if (disk_random(2) == 0)
        world_stop(world);
    else
        world_kill(world);
    return world_check_files(world);
}

static bool cycle(struct world *world, bool must_compare)
{
    bool ok = live(world);

    world_kill(world);
    if (!ok)
        return false;
    disk_cut();
    return (disk_random(2) == 0 && !must_compare) || compare(world);
}

struct options {
    unsigned long cycles;
    uint64_t seed;
    enum disk_plant plant;
    bool normal;
};

static bool read_options(int argc, char **argv, struct options *ret)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cycles") == 0)
            ret->cycles = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            ret->seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(argv[i + 1], "normal") == 0)
            ret->normal = true;
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(argv[i + 1], "no-folder-sync") == 0)
            ret->plant = DISK_NO_FOLDER_SYNC;
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(argv[i + 1], "no-rewrite") == 0)
            ret->plant = DISK_NO_REWRITE;
        else
            return false;
    }
    return argc % 2 == 1;
}

static void tell(unsigned long at, uint64_t lost, const char *wrong)
{
    static int lines;

    if ((lost == 0 && !wrong[0]) || ++lines > LINES_MAX)
        return;
    (void)fprintf(stderr, "cycle %lu: lost %llu%s%s\n", at, (unsigned long long)lost,
                  wrong[0] ? ", " : "", wrong);
}

static void run(const struct options *options, struct world_figures *figures)
{
    struct world *world = NULL;

    for (unsigned long i = 0; i < options->cycles; i++) {
        bool last = i + 1 == options->cycles || i % CYCLES_OF_A_WORLD == CYCLES_OF_A_WORLD - 1;
        uint64_t lost = figures->lost;

        (void)alarm(HUNG_S);
        if (!world)
            world = world_new(options->plant, options->normal, disk_random(4) == 0, figures);
        if (!cycle(world, last)) {
            figures->crashed++;
            last = true;
        }
        tell(i, figures->lost - lost, world->wrong);
        if (last) {
            world_kill(world);
            world_free(world);
            world = NULL;
        }
    }
}

int main(int argc, char **argv)
{
    struct options options = { .cycles = 300 };
    struct world_figures figures = { .lost = 0 };

    if (getrandom(&options.seed, sizeof options.seed, 0) < 0 ||
        !read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: power [--cycles N] [--seed N] "
                              "[--plant normal|no-folder-sync|no-rewrite]\n");
        return 2;
    }
    log_setup((enum log_level)0, LOG_TEXT, false); /* that disks fail is no news here */
    (void)printf("seed %llu\n", (unsigned long long)options.seed);
    (void)fflush(stdout);
    disk_seed(options.seed);
    run(&options, &figures);
    (void)printf("cycles %lu, acknowledged %llu, lost %llu, phantom %llu, hung 0, crashed %llu\n",
                 options.cycles, (unsigned long long)figures.acknowledged,
                 (unsigned long long)figures.lost, (unsigned long long)figures.phantom,
                 (unsigned long long)figures.crashed);
    return figures.lost + figures.phantom + figures.crashed > 0 ? 1 : 0;
}
