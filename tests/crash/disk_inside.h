/*
 * crash/disk_inside.h - what the files of the pretended disk share: bytes that may be lost, and
 * names that may be.
 *
 * Threads: any; disk_lock() first.
 */
#ifndef TALLYD_TESTS_CRASH_DISK_INSIDE_H
#define TALLYD_TESTS_CRASH_DISK_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "crash/disk.h"

/* What becomes of what is pending. */
enum tearing { KEEP_ALL, DROP_ALL, EACH, EACH_SECTOR, TEARINGS };

/* disk_bytes.c */
struct disk_file {
    struct disk_file *next;
    bool is_folder;
    unsigned char *durable;
    size_t len;
    struct write_op *first; /* pending, in order */
    struct write_op *last;
};

void *disk_must(void *memory); /* aborts where it is NULL: this is a test */
void disk_bytes_grow(struct disk_file *file, size_t len);
void disk_bytes_add(struct disk_file *file, off_t at, const void *bytes, size_t len,
                    bool truncates);
/* Applies what is pending, or what chance leaves of it. */
void disk_bytes_settle(struct disk_file *file, enum tearing tearing);

/* disk_names.c */
#define DISK_NAMES_MAX 64

struct disk_entry {
    char *name; /* NULL: free */
    struct disk_file *file;
};

struct disk_names {
    struct disk_entry seen[DISK_NAMES_MAX];    /* by the process */
    struct disk_entry durable[DISK_NAMES_MAX]; /* on disk */
    struct name_op *first;                     /* pending, in order */
    struct name_op *last;
};

struct disk_file *disk_names_find(struct disk_names *names, const char *name);
/* It is there, and on disk. */
void disk_names_settled(struct disk_names *names, const char *name, struct disk_file *file);
/* `to` gets the file and `from` loses it; either may be NULL. Both, or neither. */
void disk_names_change(struct disk_names *names, const char *from, const char *to,
                       struct disk_file *file);
void disk_names_flush(struct disk_names *names);
void disk_names_cut(struct disk_names *names, enum tearing tearing);
void disk_names_free(struct disk_names *names);

#endif
