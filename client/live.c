/*
 * live.c - a picture on the terminal that is drawn again and again, until Ctrl-C.
 *
 * Threads: main; the handler only sets a flag.
 */
#include "live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define ROWS_DEFAULT 24

/* A handler knows no other place. */
static volatile sig_atomic_t interrupted;

static bool drawn; /* the cursor is hidden */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void live_catch(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;

        /* What nohup and the like ignore stays ignored. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}

bool live_interrupted(void)
{
    return interrupted != 0;
}

void live_pause(int64_t ms)
{
    int64_t end_ms = clock_mono_ms(&clock_system) + ms;

    while (!interrupted) {
        int64_t left_ms = end_ms - clock_mono_ms(&clock_system);

        if (left_ms <= 0 || (poll(NULL, 0, (int)left_ms) < 0 && errno != EINTR))
            return;
    }
}

static size_t rows_of_stdout(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row
                                                                           : ROWS_DEFAULT;
}

void live_draw(struct screen *screen, const struct buf *picture)
{
    AUTO_BUF out = { 0 };
    struct str rest = buf_str(picture);
    struct str line;

    /* Home, and each line erased behind its text: no flicker, as an erased screen would. */
    buf_text(&out, drawn ? "\033[H" : "\033[?25l\033[2J\033[H");
    drawn = true;
    for (size_t row = 1; row < rows_of_stdout() && str_next(&rest, '\n', &line); row++) {
        buf_str_add(&out, line);
        buf_text(&out, "\033[K\n");
    }
    buf_text(&out, "\033[J");
    if (buf_ok(&out))
        (void)fwrite(out.bytes, 1, out.len, stdout);
    (void)fflush(stdout);
    screen_measure(screen);
}

void live_end(void)
{
    if (!drawn)
        return;
    drawn = false;
    (void)fputs("\033[?25h", stdout);
    (void)fflush(stdout);
}
