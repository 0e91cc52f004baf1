/*
 * api/hours_reading.c - how a tally became what it is, read slice by slice from the ledger.
 *
 * Threads: the loop of the call.
 */
#include "api/hours_reading.h"

#include <string.h>

#include "core/tally.h"

void hours_reading_begin(struct hours_reading *reading, uint64_t poll, int64_t step_hours,
                         int64_t now_ms)
{
    int64_t now_hour = now_ms / 1000 / HOUR_S;

    reading->step_hours = step_hours;
    reading->step = -1;
    reading->hours.poll = poll;
    reading->hours.until = now_hour - now_hour % step_hours;
}

void hours_reading_ask(struct hours_reading *reading, struct job *job)
{
    job->kind = JOB_HOURS;
    job->ballot.poll = 0;
    job->hours = &reading->hours;
}

static void add_point(struct hours_reading *reading, int64_t at_ms, const uint64_t *votes)
{
    reading->point(reading->context, at_ms, votes);
    reading->any = true;
    memcpy(reading->shown, votes, sizeof reading->shown);
}

/* The step is over: a point at its end, unless it brought nothing new. */
static void step_ends(struct hours_reading *reading)
{
    int64_t end_hour = (reading->step + 1) * reading->step_hours;

    if (reading->step < 0 ||
        (reading->any && memcmp(reading->votes, reading->shown, sizeof reading->votes) == 0))
        return;
    add_point(reading, end_hour * HOUR_S * 1000, reading->votes);
}

static void rows_take(struct hours_reading *reading)
{
    const struct hours *hours = &reading->hours;

    for (size_t i = 0; i < hours->n; i++) {
        const struct hour_row *row = &hours->rows[i];
        int64_t step = row->hour / reading->step_hours;

        if (step != reading->step)
            step_ends(reading);
        reading->step = step;
        if (row->option >= 1 && row->option <= OPTIONS_MAX)
            reading->votes[ballot_index(row->option)] = row->votes;
    }
}

bool hours_reading_take(struct hours_reading *reading, const struct job *job)
{
    struct hours *hours = &reading->hours;

    rows_take(reading);
    if (job->result == JOB_READ && hours->done)
        return false;
    if (hours->n > 0) {
        hours->from = hours->rows[hours->n - 1].hour;
        hours->from_option = hours->rows[hours->n - 1].option + 1;
    }
    return true;
}

void hours_reading_end(struct hours_reading *reading, const struct published *published,
                       int64_t now_ms)
{
    struct tally tally;
    uint64_t votes[OPTIONS_MAX] = { 0 };

    step_ends(reading);
    tally_work_out(published->poll, &published->counts, &tally);
    for (size_t i = 0; i < tally.n_options; i++)
        votes[i] = tally.options[i].votes;
    add_point(reading, now_ms, votes);
}
