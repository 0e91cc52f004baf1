/*
 * import.c - `tally import`: votes in bulk out of a file or a pipe.
 *
 * One request carries them all, and the answers come while it is being sent. Lines stay in the
 * window until they have theirs, so that what a lost connection leaves open is sent again: the same
 * vote never counts twice.
 *
 * Threads: main.
 */
#include "import.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "csv.h"
#include "live.h"

#define AGAIN_MS_MAX 30000
#define PAUSE_MS_MIN 100
#define PAUSE_MS_MAX 2000

static void import_autofree(struct import *import)
{
    window_free(import->window);
    rejects_free(import->rejects);
    buf_free(&import->partial);
    if (import->fd > STDIN_FILENO)
        (void)close(import->fd);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* --format, else the name of the file says it. */
static bool format_of(const struct session *session, enum window_format *ret_format)
{
    const char *format = options_value(session->options, OPTION_FORMAT);
    const char *file = session->operands[0];
    bool csv = ends_with(file, ".csv") || ends_with(file, ".csv.rejects");

    if (format && strcmp(format, "csv") != 0 && strcmp(format, "ndjson") != 0)
        return false;
    csv = format ? strcmp(format, "csv") == 0 : csv;
    *ret_format = csv ? WINDOW_CSV : WINDOW_NDJSON;
    return true;
}

static enum outcome begin(struct import *import, enum window_format format)
{
    struct stat stat_of_fd;
    uint64_t total = 0;

    import->fd =
        strcmp(import->file, "-") == 0 ? STDIN_FILENO : open(import->file, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0 || fstat(import->fd, &stat_of_fd) != 0)
        return failed_here("cannot open %s: %m", import->file);
    import->waits = !S_ISREG(stat_of_fd.st_mode) && !S_ISDIR(stat_of_fd.st_mode);
    if (S_ISREG(stat_of_fd.st_mode) && import->fd != STDIN_FILENO)
        total = (uint64_t)stat_of_fd.st_size;
    import->headed = format != WINDOW_CSV;
    import->window = window_new(format);
    import->rejects =
        rejects_new(import->file, format == WINDOW_CSV ? STR(CSV_HEADER "\n") : STR(""));
    if (!import->window || !import->rejects)
        return failed_here("no memory");
    import->progress = progress_begin(import->file, total, import->session->screen.utf8);
    return OUTCOME_DONE;
}

/* Waits for something to send. False: there is no more, or it failed. */
static bool wait_for_lines(struct import *import)
{
    struct pollfd fd = { .fd = import->fd, .events = POLLIN };

    while (!import->ended && window_count(import->window) == 0 && import->failed == OUTCOME_DONE &&
           !live_interrupted()) {
        if (import->waits)
            (void)poll(&fd, 1, -1); /* a signal ends it too */
        import_read(import);
    }
    return window_count(import->window) > 0 && import->failed == OUTCOME_DONE;
}

/* May the lines in the window be sent again? Then it is time to. */
static bool go_on(struct import *import)
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    int64_t wait_ms = import->retry_after_s * 1000;

    if (options_has(import->session->options, OPTION_NO_RETRY))
        return false;
    if (import->stuck_ms == 0) {
        import->stuck_ms = now_ms;
        import->pause_ms = PAUSE_MS_MIN;
        complain(NULL, "%s; going on behind line %" PRIu64 " for up to %d s", import->lost_why.text,
                 window_lines_done(import->window), AGAIN_MS_MAX / 1000);
    } else if (import->pause_ms < PAUSE_MS_MAX) {
        import->pause_ms *= 2;
    }
    if (wait_ms < import->pause_ms)
        wait_ms = import->pause_ms;
    if (now_ms + wait_ms > import->stuck_ms + AGAIN_MS_MAX)
        return false;
    live_pause(wait_ms);
    return true;
}

static void gave_up(struct import *import)
{
    complain("import it again: what is counted already will not count twice",
             "%s; stopped behind line %" PRIu64 " of %s", import->lost_why.text,
             window_lines_done(import->window), import->file);
    import->failed = import->again ? OUTCOME_FAILED : OUTCOME_UNREACHABLE;
}

static void interrupted(struct import *import)
{
    complain("import it again: what is counted already will not count twice",
             "stopped behind line %" PRIu64 " of %s", window_lines_done(import->window),
             import->file);
    import->failed = OUTCOME_FAILED;
}

static void send_all(struct import *import)
{
    while (wait_for_lines(import)) {
        switch (import_send(import)) {
        case SENT_ALL:
            break;
        case SENT_LOST:
            progress_hide(&import->progress);
            if (!go_on(import))
                gave_up(import);
            break;
        case SENT_INTERRUPTED:
        case SENT_FAILED:
            progress_hide(&import->progress);
            break;
        }
        if (import->failed != OUTCOME_DONE || live_interrupted())
            break;
    }
    if (live_interrupted() && import->failed == OUTCOME_DONE)
        interrupted(import);
}

static void summary_write(const struct import *import)
{
    uint64_t refused = rejects_count(import->rejects);
    uint64_t lines = import_votes(import) + refused;

    (void)printf("imported %s%s: %" PRIu64 " line%s, %" PRIu64 " counted, %" PRIu64
                 " changed, %" PRIu64 " already, %" PRIu64 " refused\n",
                 import->file, import->failed == OUTCOME_DONE ? "" : " in part", lines,
                 lines == 1 ? "" : "s", import->counts[BULK_COUNTED], import->counts[BULK_CHANGED],
                 import->counts[BULK_ALREADY], refused);
}

enum outcome import_run(struct session *session)
{
    __attribute__((cleanup(import_autofree))) struct import import = {
        .session = session,
        .file = session->operands[0],
        .fd = -1,
    };
    enum window_format format;
    enum outcome outcome;

    if (!format_of(session, &format))
        return misused("--format is ndjson or csv");
    outcome = begin(&import, format);
    if (outcome != OUTCOME_DONE)
        return outcome;
    live_catch();
    send_all(&import);
    progress_hide(&import.progress);
    if (import.failed == OUTCOME_DONE || import_votes(&import) > 0 ||
        rejects_count(import.rejects) > 0)
        summary_write(&import);
    outcome = rejects_end(import.rejects, import.failed == OUTCOME_DONE);
    if (outcome == OUTCOME_DONE && rejects_count(import.rejects) > 0)
        outcome = OUTCOME_REFUSED;
    return outcome_first(import.failed, outcome);
}
