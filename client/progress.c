/*
 * progress.c - how far an import is, on stderr.
 *
 * Threads: main.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bars.h"
#include "base/buf.h"
#include "base/clock.h"
#include "screen.h"

#define DRAW_MS 100
#define LINE_MS 10000
#define BAR_CELLS 20

struct progress progress_begin(const char *name, uint64_t bytes_total, bool utf8)
{
    int64_t now_ms = clock_mono_ms(&clock_system);

    return (struct progress){ .name = name,
                              .bytes_total = bytes_total,
                              .terminal = isatty(STDERR_FILENO) == 1,
                              .utf8 = utf8,
                              .began_ms = now_ms,
                              .shown_ms = now_ms };
}

/* `1:02:03 left`, or `2:03 left` */
static void left_add(struct buf *out, double seconds)
{
    uint64_t s = seconds < 0 ? 0 : seconds > 360000 ? 360000 : (uint64_t)(seconds + 0.5);

    if (s >= 3600)
        buf_format(out, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left", s / 3600, s / 60 % 60,
                   s % 60);
    else
        buf_format(out, "  %" PRIu64 ":%02" PRIu64 " left", s / 60, s % 60);
}

/* `█████▌    55 %  550000 votes  201000/s  0:02 left` */
static void line_add(struct buf *out, const struct progress *progress, uint64_t bytes,
                     uint64_t votes, int64_t now_ms)
{
    double seconds = (double)(now_ms - progress->began_ms) / 1000;
    double share = progress->bytes_total > 0 ? (double)bytes / (double)progress->bytes_total : 0;

    if (progress->bytes_total > 0) {
        if (progress->terminal) {
            bar_add(out, share, BAR_CELLS, progress->utf8);
            buf_char(out, ' ');
        }
        buf_format(out, "%3u %%  ", (unsigned)(share * 100));
    }
    buf_format(out, "%" PRIu64 " votes  %.0f/s", votes,
               seconds > 0 ? (double)votes / seconds : 0.0);
    if (share > 0)
        left_add(out, seconds / share * (1 - share));
}

void progress_show(struct progress *progress, uint64_t bytes, uint64_t votes)
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    AUTO_BUF out = { 0 };

    if (now_ms - progress->shown_ms < (progress->terminal ? DRAW_MS : LINE_MS))
        return;
    progress->shown_ms = now_ms;
    if (progress->terminal) {
        buf_text(&out, "\r\033[K");
    } else {
        buf_text(&out, "tally: ");
        screen_text(&out, str_of(progress->name));
        buf_text(&out, ": ");
    }
    line_add(&out, progress, bytes, votes, now_ms);
    if (!progress->terminal)
        buf_char(&out, '\n');
    progress->drawn = progress->terminal;
    if (buf_ok(&out))
        (void)fwrite(out.bytes, 1, out.len, stderr);
}

void progress_hide(struct progress *progress)
{
    if (progress->drawn)
        (void)fputs("\r\033[K", stderr);
    progress->drawn = false;
}
