/*
 * crash/flip.c - flips the bytes of a small store one at a time, and looks what is made of it.
 *
 * For each: a start that refuses, and says what to do; a store that refuses to take a vote; or
 * everything is as it was: every count, every text, who has voted. Where a start shows something
 * else, or counts a voter twice, that is a silent wrong count. What --check-store finds of the rest
 * is counted too.
 *
 * usage: flip [--cycles N] [--plant no-sums]
 *   --cycles N        N flips, evenly over the files (0: each byte of each file)
 *   --plant no-sums   the store is one that keeps no sums, as if they were not compared
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "crash/flip_store.h"

#define HUNG_S 60 /* thousands of times what a start of such a store takes */

enum verdict {
    REFUSED_START,
    REFUSED_VOTE,
    RIGHT_AND_FOUND,
    RIGHT,
    LAST_COMMIT, /* the last one of the log is away, as if the power had gone in it */
    WRONG,
    UNHELPFUL,
    VERDICTS
};

#define LINES_MAX 40 /* of what was found: one with a planted fault would fill pages */
static unsigned long lines;

static enum verdict look(const struct flip_store *is)
{
    struct flip_store_seen seen;
    const char *why = flip_store_look(is, &seen);

    if (why) {
        if (strstr(why, "restore") || strstr(why, "move it away") || strstr(why, "start that one"))
            return REFUSED_START;
        if (lines < LINES_MAX)
            (void)fprintf(stderr, "no remedy: %s\n", why);
        return UNHELPFUL;
    }
    if (seen.wrong[0]) {
        if (flip_store_is_last_commit(is))
            return LAST_COMMIT;
        if (lines < LINES_MAX)
            (void)fprintf(stderr, "%s\n", seen.wrong);
        return WRONG;
    }
    if (seen.refused_a_vote)
        return REFUSED_VOTE;
    return seen.check_finds_it ? RIGHT_AND_FOUND : RIGHT;
}

/* In a process of its own, so that one that crashes is counted. VERDICTS: it did. */
static enum verdict look_apart(const struct flip_store *is)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(HUNG_S);
        _exit((int)look(is));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return WIFEXITED(status) ? (enum verdict)WEXITSTATUS(status) : VERDICTS;
}

struct figures {
    unsigned long flips;
    unsigned long found[VERDICTS + 1];
};

static void flip(struct flip_store *is, size_t file, size_t at, unsigned char mask,
                 struct figures *figures)
{
    enum verdict verdict;

    flip_store_write(is, file, at, mask);
    verdict = look_apart(is);
    figures->flips++;
    figures->found[verdict]++;
    if (verdict >= WRONG && ++lines <= LINES_MAX)
        (void)fprintf(stderr, "%s byte %zu ^ %02x\n", flip_store_file(is, file), at,
                      (unsigned)mask);
}

/* A whole turn of 8 masks goes by: one bit, or all of them. */
static unsigned char mask_of(size_t at)
{
    static const unsigned char masks[] = { 0xFF, 0x01, 0x80, 0x08, 0x40, 0x02, 0x20, 0x10 };

    return masks[at % sizeof masks];
}

/* The database and its log get the half each. */
static void run(struct flip_store *is, unsigned long cycles, struct figures *figures)
{
    for (size_t file = 0; file < FLIP_FILES; file++) {
        size_t len = flip_store_bytes(is, file);
        size_t step =
            cycles == 0 || cycles / 2 >= len ? 1 : len * 2 / cycles | 1; /* odd: every
                                                                         mask has a turn */

        for (size_t at = 0; at < len; at += step)
            flip(is, file, at, mask_of(at), figures);
    }
}

int main(int argc, char **argv)
{
    struct figures figures = { .flips = 0 };
    struct flip_store *is;
    unsigned long cycles = 1000;
    bool no_sums = false;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cycles") == 0)
            cycles = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            continue; /* nothing is drawn by chance: script/campaign gives one to all */
        else if (strcmp(argv[i], "--plant") == 0)
            no_sums = strcmp(argv[i + 1], "no-sums") == 0;
    }
    log_setup((enum log_level)0, LOG_TEXT, false); /* that disks are sick is no news here */
    is = flip_store_new(no_sums);
    run(is, cycles, &figures);
    flip_store_free(is);
    (void)printf("cycles %lu, refused to start %lu, refused to vote %lu, right %lu (found by "
                 "--check-store %lu), last commit away %lu, silent %lu, unhelpful %lu, crashed "
                 "%lu\n",
                 figures.flips, figures.found[REFUSED_START], figures.found[REFUSED_VOTE],
                 figures.found[RIGHT] + figures.found[RIGHT_AND_FOUND],
                 figures.found[RIGHT_AND_FOUND], figures.found[LAST_COMMIT], figures.found[WRONG],
                 figures.found[UNHELPFUL], figures.found[VERDICTS]);
    return figures.found[WRONG] + figures.found[UNHELPFUL] + figures.found[VERDICTS] > 0 ? 1 : 0;
}
