/*
 * crash/disk.h - a pretended disk under the real files of one folder, whose power can be cut.
 *
 * What the process sees is in the real files, as in a page cache. What would survive is kept here:
 * a write, a truncate, a name that was made, changed or removed is pending until it is synced. At a
 * cut each pending one is kept, dropped, or torn at 512 bytes, and the real files become what is
 * left. A sync that is made to fail behaves as Linux has it: some of it has reached the disk, the
 * rest never will, though the process goes on seeing it, unless it is written anew.
 *
 * disk_calls.c stands in front of libc and tells of every call. Threads: any; one lock.
 */
#ifndef TALLYD_TESTS_CRASH_DISK_H
#define TALLYD_TESTS_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK_SECTOR_BYTES 512

/* Faults that are planted to show that a driver finds them. */
enum disk_plant {
    DISK_HONEST,
    DISK_NO_SYNC,        /* no file is synced, whoever asks for it */
    DISK_NO_FOLDER_SYNC, /* no name is */
    DISK_NO_REWRITE      /* the log that a start writes again is not written */
};

struct disk_file; /* opaque: one file or folder, whatever names it has */

/* The folder as it is now is all on disk. Begins to watch it; what was known before is let go. */
void disk_begin(const char *folder, enum disk_plant plant);
/* Nothing is watched any more. */
void disk_end(void);

/* Every choice comes from here; the same seed and calls make the same cuts. */
void disk_seed(uint64_t seed);
uint64_t disk_random(uint64_t below); /* 0..below-1 */

/* The power goes at the n-th changing call from now (0: it stays), the n-th sync of a file fails
 * (0: none). */
void disk_arm(unsigned cut_at, unsigned fail_sync_at);
bool disk_is_off(void);
bool disk_sync_failed(void); /* since it was armed */

/* The power is off, whether it was before or not: the real files become what the disk has. Nobody
 * may have one of them open for what comes. Then it is on again. */
void disk_cut(void);

/* Instead of refusing everything that comes behind the cut: called once, with the power off, and
 * does not return. NULL: not wanted. */
void disk_on_cut(void (*ends)(void));

/* ---- for disk_calls.c: each with disk_lock() held ---- */

void disk_lock(void);
void disk_unlock(void);
/* The name in the folder that a path means, "" the folder itself; NULL: elsewhere. */
const char *disk_name(const char *path);
struct disk_file *disk_file_of(int fd); /* NULL: none of ours */
void disk_remember(int fd, struct disk_file *file);
bool disk_is_folder(const struct disk_file *file);
struct disk_file *disk_find(const char *name); /* as the process sees it; NULL: there is none */
struct disk_file *disk_find_folder(void);
/* A changing call is about to be made. false: the power is off, errno is EIO. */
bool disk_change(void);
bool disk_is_on(void); /* the same of a call that changes nothing */
void disk_wrote(struct disk_file *file, off_t at, const void *bytes, size_t len);
void disk_truncated(struct disk_file *file, off_t len);
struct disk_file *disk_made(const char *name);
void disk_removed(const char *name);
void disk_renamed(const char *from, const char *to);
void disk_linked(const char *from, const char *to);
bool disk_synced(struct disk_file *file); /* false: it failed, errno is EIO */
/* That this descriptor writes a log again. */
void disk_rewrites(int fd);
bool disk_is_rewriting(int fd);

#endif
