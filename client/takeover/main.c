/*
 * main.c - tally-import: makes a file for `tally apply` out of the tables of an older system.
 *
 * All is read, settled and told before anything is written: nothing is half imported.
 *
 * Threads: main, the only one.
 */
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "definitions.h"
#include "draft.h"
#include "report.h"
#include "settings.h"
#include "settle.h"

static enum outcome faulted(const struct fault *fault)
{
    report_fault(fault);
    return fault->failed ? OUTCOME_FAILED : OUTCOME_REFUSED;
}

/* What holds for the whole run, and so has no poll's name in front. */
static void run_tell(const struct takeover *takeover)
{
    const struct origin *origin = takeover->settings->origin;

    for (size_t i = 0; origin->log && i < origin->count; i++) {
        if (strcmp(origin->tables[i].name, origin->log) == 0 && !takeover->seen[i])
            report(NULL, "the files hold no log (%s), so the totals were not compared with one",
                   origin->log);
    }
    if (takeover->strays > 0)
        report(NULL, "rows that belong to no poll that is there: %" PRIu64 "; they are left",
               takeover->strays);
}

static enum outcome refuse_problems(const struct takeover *takeover)
{
    report(NULL, "polls that tallyd cannot hold: %" PRIu64 "; nothing is written",
           takeover->problems);
    report(NULL, "--leave-out writes the others");
    return OUTCOME_REFUSED;
}

static enum outcome give(const struct takeover *takeover)
{
    const struct settings *settings = takeover->settings;
    AUTO_BUF out = { 0 };
    struct fault fault;
    uint64_t votes;
    size_t count = definitions_count(takeover, &votes);

    if (settings->dry_run)
        definitions_list(&out, takeover);
    else
        definitions_write(&out, takeover);
    if (!buf_ok(&out)) {
        (void)fault_memory(&fault);
        return faulted(&fault);
    }
    if (!draft_write(settings->dry_run ? NULL : settings->output, buf_str(&out), &fault))
        return faulted(&fault);
    report(NULL, "polls: %zu, votes: %" PRIu64 ", disagreements: %" PRIu64 "%s", count, votes,
           takeover->disagreements, settings->dry_run ? "; nothing was written" : "");
    return OUTCOME_DONE;
}

static enum outcome run(struct takeover *takeover)
{
    struct fault fault;

    if (!takeover_read(takeover, &fault))
        return faulted(&fault);
    for (size_t i = 0; i < polls_count(takeover->polls); i++) {
        if (!poll_settle(takeover, polls_at(takeover->polls, i), &fault))
            return faulted(&fault);
    }
    run_tell(takeover);
    if (takeover->problems > 0 && !takeover->settings->leave_out)
        return refuse_problems(takeover);
    return give(takeover);
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct takeover takeover = { .pass = 0 };
    enum outcome outcome = OUTCOME_FAILED;

    /* LC_CTYPE alone: numbers keep their point, messages are English. */
    (void)setlocale(LC_CTYPE, "");
    switch (settings_read(argc, argv, &settings)) {
    case SETTINGS_READ:
        break;
    case SETTINGS_ANSWERED:
        return fflush(stdout) == 0 ? OUTCOME_DONE : OUTCOME_FAILED;
    case SETTINGS_WRONG:
        return OUTCOME_MISUSED;
    }
    if (takeover_init(&takeover, &settings))
        outcome = run(&takeover);
    else
        report(NULL, "no memory");
    takeover_release(&takeover);
    return (int)outcome;
}
