/*
 * ledger/sqlite_log.c - whether the log ends where it was cut off, or where the disk damaged it.
 *
 * SQLite reads a log up to the first frame whose checksum is wrong, and takes what comes behind for
 * what a crash left of a transaction. A bit that flipped in the midst looks the same, and silently
 * takes every commit behind it. But a transaction is synced before the next is written: a crash
 * leaves frames of one at the most. So where two commits of the same log lie behind a wrong frame,
 * it is no crash that was there. (A flip in the last transaction cannot be told from one.)
 *
 * Threads: main, before the store is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/files.h"
#include "ledger/sqlite.h"

#define LOG_HEADER_BYTES 32   /* and the offsets in it (sqlite.org/fileformat2.html, section 4) */
#define LOG_MAGIC 0x377F0682U /* the lowest bit: checksums of big-endian words */
#define AT_SALTS 16
#define AT_CHECKSUM 24
#define FRAME_HEADER_BYTES 24
#define FRAME_AT_COMMIT 4
#define FRAME_AT_SALTS 8
#define FRAME_AT_CHECKSUM 16
#define SALTS_BYTES 8
#define FRAME_BYTES (FRAME_HEADER_BYTES + PAGE_BYTES)

struct log {
    bool big_endian;
    bool broken; /* a checksum was wrong */
    uint32_t sum[2];
    unsigned char salts[SALTS_BYTES];
    unsigned behind; /* commits of this log behind the wrong one */
};

static uint32_t word(const unsigned char *at, bool big_endian)
{
    return big_endian
               ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
               : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void add(struct log *log, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        log->sum[0] += word(bytes + i, log->big_endian) + log->sum[1];
        log->sum[1] += word(bytes + i + 4, log->big_endian) + log->sum[0];
    }
}

static bool sum_is(const struct log *log, const unsigned char *at)
{
    return word(at, true) == log->sum[0] && word(at + 4, true) == log->sum[1];
}

static void look_at_frame(struct log *log, const unsigned char *frame)
{
    if (memcmp(frame + FRAME_AT_SALTS, log->salts, SALTS_BYTES) != 0) {
        log->broken = true; /* of the log that was here before, or changed */
        return;
    }
    if (!log->broken) {
        add(log, frame, 8);
        add(log, frame + FRAME_HEADER_BYTES, PAGE_BYTES);
        log->broken = !sum_is(log, frame + FRAME_AT_CHECKSUM);
    }
    if (log->broken && word(frame + FRAME_AT_COMMIT, true) != 0)
        log->behind++;
}

/* A header that is wrong says nothing of its salts, and the first frame's are as good. */
static void look_at_header(struct log *log, const unsigned char *header, const unsigned char *frame)
{
    log->big_endian = (word(header, true) & 1) != 0;
    add(log, header, AT_CHECKSUM);
    log->broken = (word(header, true) & ~1U) != LOG_MAGIC || !sum_is(log, header + AT_CHECKSUM);
    memcpy(log->salts, log->broken ? frame + FRAME_AT_SALTS : header + AT_SALTS, SALTS_BYTES);
}

/* false: it cannot be read; errno says why. */
static bool read_log(int fd, struct log *log, unsigned char *frame)
{
    unsigned char header[LOG_HEADER_BYTES];
    off_t at = LOG_HEADER_BYTES;
    ssize_t got = fd_read_all(fd, header, sizeof header, 0);

    if (got != (ssize_t)sizeof header)
        return got >= 0; /* cut off before there was anything in it */
    while ((got = fd_read_all(fd, frame, FRAME_BYTES, at)) == FRAME_BYTES) {
        if (at == LOG_HEADER_BYTES)
            look_at_header(log, header, frame);
        look_at_frame(log, frame);
        at += FRAME_BYTES;
    }
    return got >= 0;
}

bool sqlite_log_ok(const char *path, struct why *reterr_why)
{
    AUTO_BYTES char *name = path_beside(path, "-wal");
    AUTO_BYTES char *frame = malloc(FRAME_BYTES);
    AUTO_FD fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    struct log log = { .broken = false };

    if (!name || !frame) {
        why_set(reterr_why, "no memory");
        return false;
    }
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || !read_log(fd, &log, (unsigned char *)frame))
        return sqlite_log_refused(name, "read", errno, reterr_why);
    if (log.behind < 2)
        return true;
    why_set(reterr_why,
            "the log %s is damaged, and %u commits behind that place would be lost; keep a copy of "
            "the folder, move the store and its log away, and restore a backup (tallyd --restore)",
            name, log.behind);
    return false;
}
