/*
 * api/metrics_text.c - the table of all metrics, and how each is written.
 *
 * Threads: any; the table never changes.
 */
#include <inttypes.h>
#include <stddef.h>

#include "api/metrics.h"

enum form {
    FORM_COUNT,   /* as it is */
    FORM_MS,      /* milliseconds, written as seconds */
    FORM_VERSION, /* a label with the version, and 1 */
    FORM_RESULTS, /* votes of all polls, by result */
    FORM_POLLS,   /* votes by poll and result */
    FORM_PROBLEMS,
    FORM_TOOK,
    FORM_BATCHES
};

struct metric {
    const char *name;
    const char *type;
    const char *help;
    enum form form;
    size_t at; /* in struct scrape, of FORM_COUNT, FORM_MS and FORM_PROBLEMS */
};

#define AT(member) offsetof(struct scrape, member)
#define STORE(member) offsetof(struct scrape, writer.store.member)

static const struct metric metrics[] = {
    { "tallyd_build_info", "gauge", "The version that runs; always 1.", FORM_VERSION, 0 },
    { "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.",
      FORM_MS, AT(started_ms) },
    { "process_cpu_seconds_total", "counter", "CPU time of the process, user and system.", FORM_MS,
      AT(cpu_ms) },
    { "process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.", FORM_COUNT,
      AT(resident_bytes) },

    { "tallyd_takes_votes", "gauge", "1 while votes are taken, 0 once the store has failed.",
      FORM_COUNT, AT(takes_votes) },
    { "tallyd_polls", "gauge", "Polls that there are.", FORM_COUNT, AT(polls) },
    { "tallyd_votes_total", "counter",
      "Votes and retractions by result, in polls whose results are not hidden.", FORM_RESULTS, 0 },
    { "tallyd_poll_votes_total", "counter",
      "The same by poll, of the busiest; those of the others as (other).", FORM_POLLS, 0 },
    { "tallyd_queue_ballots", "gauge", "Ballots that wait for the writer.", FORM_COUNT,
      AT(writer.counts.waiting) },
    { "tallyd_commit_duration_seconds", "histogram",
      "How long a batch took to decide, write and sync.", FORM_TOOK, 0 },
    { "tallyd_commit_ballots", "histogram", "How many ballots and edits a batch was of.",
      FORM_BATCHES, 0 },

    { "tallyd_connections", "gauge", "Open connections.", FORM_COUNT, AT(net.connections) },
    { "tallyd_connections_accepted_total", "counter", "Connections that were taken.", FORM_COUNT,
      AT(net.accepted) },
    { "tallyd_connections_refused_total", "counter", "Connections that were turned away.",
      FORM_COUNT, AT(net.refused) },
    { "tallyd_http_requests_total", "counter", "Requests that were read.", FORM_COUNT,
      AT(net.requests) },
    { "tallyd_refusals_total", "counter", "Requests answered with a problem, by its slug.",
      FORM_PROBLEMS, AT(refused) },
    { "tallyd_bulk_lines_refused_total", "counter", "Lines of bulk votes refused, by the slug.",
      FORM_PROBLEMS, AT(refused_lines) },
    { "tallyd_streams", "gauge", "Event streams and bulk votes that are under way.", FORM_COUNT,
      AT(streams) },
    { "tallyd_long_polls", "gauge", "Reads that wait for a tally to change.", FORM_COUNT,
      AT(long_polls) },
    { "tallyd_limiter_crowded_total", "counter",
      "Callers who found no bucket of their own at the limiter.", FORM_COUNT, AT(crowded) },

    { "tallyd_store_bytes", "gauge", "Size of the store's file.", FORM_COUNT, STORE(bytes) },
    { "tallyd_store_wal_bytes", "gauge", "Size of the store's write-ahead log.", FORM_COUNT,
      STORE(wal_bytes) },
    { "tallyd_store_wal_waiting_bytes", "gauge", "What of the log is not yet in the store's file.",
      FORM_COUNT, STORE(wal_waiting_bytes) },
    { "tallyd_store_last_checkpoint_timestamp_seconds", "gauge",
      "When the whole log was last copied into the store's file; 0: not since the start.", FORM_MS,
      STORE(last_checkpoint_ms) },
    { "tallyd_store_ballast", "gauge",
      "1 while the file is there that is given up when the disk is full.", FORM_COUNT,
      AT(ballast) },
    { "tallyd_last_backup_timestamp_seconds", "gauge",
      "When the last backup was made; 0: none since the start.", FORM_MS, STORE(last_backup_ms) },
    { "tallyd_last_backup_bytes", "gauge", "Its size.", FORM_COUNT, STORE(last_backup_bytes) },
};

static const struct {
    unsigned status;
    const char *slug;
} problems[PROBLEM_KINDS] = { { 0, NULL },
#define PROBLEM_ROW(name, status, slug, title) { status, slug },
                              PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

static uint64_t figure_at(const struct scrape *scrape, size_t at)
{
    return *(const uint64_t *)((const char *)scrape + at);
}

static void results_write(const char *name, const char *poll, const uint64_t votes[VOTE_RESULTS],
                          struct buf *out)
{
    for (enum vote_result i = 0; i < VOTE_RESULTS; i++) {
        buf_format(out, "%s{", name);
        if (poll)
            buf_format(out, "poll=\"%s\",", poll); /* a poll's id needs no escape */
        buf_format(out, "result=\"%s\"} %" PRIu64 "\n", vote_result_word(i), votes[i]);
    }
}

static void problems_write(const char *name, const uint64_t *counts, struct buf *out)
{
    for (size_t i = PROBLEM_NONE + 1; i < PROBLEM_KINDS; i++)
        buf_format(out, "%s{problem=\"%s\",code=\"%u\"} %" PRIu64 "\n", name, problems[i].slug,
                   problems[i].status, counts[i]);
}

static void decimal_write(uint64_t n, unsigned decimals, struct buf *out)
{
    char text[24];

    tally_decimal(n, decimals, text);
    buf_text(out, text);
}

/* decimals  of the unit that is shown: 6 where microseconds are noted and seconds written */
static void histogram_write(const char *name, const struct histogram_scale *scale,
                            const struct histogram_figures *figures, unsigned decimals,
                            struct buf *out)
{
    uint64_t so_far = 0;

    for (size_t i = 0; i < scale->n; i++) {
        so_far += figures->counts[i];
        buf_format(out, "%s_bucket{le=\"", name);
        decimal_write(scale->bounds[i], decimals, out);
        buf_format(out, "\"} %" PRIu64 "\n", so_far);
    }
    so_far += figures->counts[scale->n];
    buf_format(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, so_far, name);
    decimal_write(figures->sum, decimals, out);
    buf_format(out, "\n%s_count %" PRIu64 "\n", name, so_far);
}

static void metric_write(const struct metric *metric, const struct scrape *scrape, struct buf *out)
{
    const struct writer_figures *writer = &scrape->writer;
    const char *name = metric->name;

    switch (metric->form) {
    case FORM_COUNT:
        buf_format(out, "%s %" PRIu64 "\n", name, figure_at(scrape, metric->at));
        break;
    case FORM_MS:
        buf_format(out, "%s ", name);
        decimal_write(figure_at(scrape, metric->at), 3, out);
        buf_char(out, '\n');
        break;
    case FORM_VERSION:
        buf_format(out, "%s{version=\"" TALLYD_VERSION "\"} 1\n", name);
        break;
    case FORM_RESULTS:
        results_write(name, NULL, writer->votes.all, out);
        break;
    case FORM_POLLS:
        for (size_t i = 0; i < writer->votes.n; i++)
            results_write(name, writer->votes.polls[i].id, writer->votes.polls[i].votes, out);
        results_write(name, "(other)", writer->votes.rest, out);
        break;
    case FORM_PROBLEMS:
        problems_write(name, (const uint64_t *)((const char *)scrape + metric->at), out);
        break;
    case FORM_TOOK:
        histogram_write(name, &writer_took_us, &writer->took_us, 6, out);
        break;
    case FORM_BATCHES:
        histogram_write(name, &writer_batches, &writer->batches, 0, out);
        break;
    }
}

void metrics_write(const struct scrape *scrape, struct buf *out)
{
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help,
                   metrics[i].name, metrics[i].type);
        metric_write(&metrics[i], scrape, out);
    }
}
