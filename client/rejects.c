/*
 * rejects.c - the refused lines of an import: reasons on stderr, the lines in FILE.rejects.
 *
 * Threads: main.
 */
#include "rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "base/buf.h"
#include "screen.h"

#define REASONS_MAX 10

struct rejects {
    const char *file;
    char *path;  /* owned; NULL: stderr */
    FILE *lines; /* NULL: nothing was refused so far, or it cannot be written */
    struct str header;
    uint64_t count;
    bool broken; /* told, or to be told at the end by errno */
};

struct rejects *rejects_new(const char *file, struct str header)
{
    AUTO(rejects) rejects = calloc(1, sizeof *rejects);
    AUTO_BUF path = { 0 };

    if (!rejects)
        return NULL;
    rejects->file = file;
    rejects->header = header;
    if (strcmp(file, "-") == 0)
        return TAKE(rejects);
    buf_format(&path, "%s.rejects", file);
    rejects->path = buf_ok(&path) ? str_copy(buf_str(&path)) : NULL;
    return rejects->path ? TAKE(rejects) : NULL;
}

void rejects_free(struct rejects *rejects)
{
    if (!rejects)
        return;
    if (rejects->lines)
        (void)fclose(rejects->lines);
    free(rejects->path);
    free(rejects);
}

/* Votes with their voters: whoever may not read the one file may not read the other. */
static void mode_copy(const char *from, FILE *to)
{
    struct stat stat_of_from;

    if (stat(from, &stat_of_from) == 0)
        (void)fchmod(fileno(to), stat_of_from.st_mode & 0666);
}

static void lines_open(struct rejects *rejects)
{
    (void)unlink(rejects->path); /* not written through a link, and not into an older mode */
    rejects->lines = fopen(rejects->path, "wxe");
    if (!rejects->lines) {
        rejects->broken = true;
        complain("the refused lines follow here", "cannot write %s: %s", rejects->path,
                 strerror(errno));
        return;
    }
    mode_copy(rejects->file, rejects->lines);
    (void)fwrite(rejects->header.at, 1, rejects->header.len, rejects->lines);
}

/* On a terminal nothing that it might obey. */
static void stderr_write(struct str text)
{
    AUTO_BUF clean = { 0 };

    if (isatty(STDERR_FILENO) == 1) {
        if (text.len > 0 && text.at[text.len - 1] == '\n')
            text.len--;
        screen_text(&clean, text);
        buf_char(&clean, '\n');
        text = buf_str(&clean);
    }
    (void)fwrite(text.at, 1, text.len, stderr);
}

static void reason_tell(const struct rejects *rejects, uint64_t number, struct str reason)
{
    AUTO_BUF line = { 0 };

    screen_text(&line, str_of(rejects->file));
    buf_format(&line, ":%" PRIu64 ": ", number);
    screen_text(&line, reason);
    buf_char(&line, '\n');
    (void)fwrite(line.bytes, 1, line.len, stderr);
}

void rejects_add(struct rejects *rejects, uint64_t number, struct str text, struct str reason)
{
    rejects->count++;
    if (rejects->count <= REASONS_MAX)
        reason_tell(rejects, number, reason);
    if (rejects->path && !rejects->lines && !rejects->broken)
        lines_open(rejects);
    if (rejects->lines)
        (void)fwrite(text.at, 1, text.len, rejects->lines);
    else
        stderr_write(text);
}

uint64_t rejects_count(const struct rejects *rejects)
{
    return rejects->count;
}

static void counts_tell(const struct rejects *rejects)
{
    if (rejects->count > REASONS_MAX)
        complain(NULL, "%s: %" PRIu64 " more lines were refused", rejects->file,
                 rejects->count - REASONS_MAX);
    if (rejects->lines)
        complain(NULL, "%s holds the refused lines; mend them and import it", rejects->path);
}

enum outcome rejects_end(struct rejects *rejects, bool all)
{
    bool bad;
    FILE *lines;

    if (rejects->count == 0) {
        if (all && rejects->path)
            (void)unlink(rejects->path);
        return OUTCOME_DONE;
    }
    counts_tell(rejects);
    if (!rejects->lines)
        return rejects->broken ? OUTCOME_FAILED : OUTCOME_DONE;
    lines = TAKE(rejects->lines);
    bad = ferror(lines) != 0;
    bad |= fclose(lines) != 0;
    return bad ? failed_here("cannot write all of %s: %m", rejects->path) : OUTCOME_DONE;
}
