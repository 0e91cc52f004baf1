/*
 * crash/disk_bytes.c - what of a file is on disk, and what is only said to be.
 *
 * Threads: any; disk_lock() first.
 */
#include <stdlib.h>
#include <string.h>

#include "crash/disk_inside.h"

struct write_op {
    struct write_op *next;
    off_t at; /* or the new length */
    size_t len;
    bool truncates;
    unsigned char bytes[];
};

void *disk_must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void disk_bytes_grow(struct disk_file *file, size_t len)
{
    if (len <= file->len)
        return;
    file->durable = disk_must(realloc(file->durable, len));
    memset(file->durable + file->len, 0, len - file->len);
    file->len = len;
}

static void op_apply_bytes(struct disk_file *file, const struct write_op *op, size_t from,
                           size_t len)
{
    disk_bytes_grow(file, (size_t)op->at + from + len);
    memcpy(file->durable + (size_t)op->at + from, op->bytes + from, len);
}

static void op_apply(struct disk_file *file, const struct write_op *op)
{
    if (!op->truncates) {
        op_apply_bytes(file, op, 0, op->len);
        return;
    }
    disk_bytes_grow(file, (size_t)op->at);
    file->len = (size_t)op->at;
}

static void op_tear(struct disk_file *file, const struct write_op *op)
{
    size_t from = 0;

    while (from < op->len) {
        size_t at = (size_t)op->at + from;
        size_t len = DISK_SECTOR_BYTES - at % DISK_SECTOR_BYTES;

        if (len > op->len - from)
            len = op->len - from;
        if (disk_random(2) == 0)
            op_apply_bytes(file, op, from, len);
        from += len;
    }
}

/* Applies what is pending, or what chance leaves of it. */
void disk_bytes_settle(struct disk_file *file, enum tearing tearing)
{
    while (file->first) {
        struct write_op *op = file->first;

        file->first = op->next;
        if (tearing == EACH_SECTOR && !op->truncates)
            op_tear(file, op);
        else if (tearing == KEEP_ALL || (tearing != DROP_ALL && disk_random(2) == 0))
            op_apply(file, op);
        free(op);
    }
    file->last = NULL;
}

void disk_bytes_add(struct disk_file *file, off_t at, const void *bytes, size_t len, bool truncates)
{
    struct write_op *op = disk_must(malloc(sizeof *op + len));

    *op = (struct write_op){ .at = at, .len = len, .truncates = truncates };
    if (len > 0)
        memcpy(op->bytes, bytes, len);
    if (file->last)
        file->last->next = op;
    else
        file->first = op;
    file->last = op;
}
