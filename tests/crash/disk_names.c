/*
 * crash/disk_names.c - which names a folder has, as the process sees it and on disk.
 *
 * Threads: any; disk_lock() first.
 */
#include <stdlib.h>
#include <string.h>

#include "crash/disk_inside.h"

struct name_op {
    struct name_op *next;
    char *from;
    char *to;
    struct disk_file *file;
    bool dropped; /* at a cut: what it begins with is not there */
};

static struct disk_entry *find(struct disk_entry *entries, const char *name)
{
    for (size_t i = 0; i < DISK_NAMES_MAX; i++) {
        if (entries[i].name && strcmp(entries[i].name, name) == 0)
            return &entries[i];
    }
    return NULL;
}

static void drop(struct disk_entry *entries, const char *name)
{
    struct disk_entry *entry = find(entries, name);

    if (!entry)
        return;
    free(entry->name);
    *entry = (struct disk_entry){ NULL, NULL };
}

static void put(struct disk_entry *entries, const char *name, struct disk_file *file)
{
    drop(entries, name);
    for (size_t i = 0; i < DISK_NAMES_MAX; i++) {
        if (entries[i].name)
            continue;
        entries[i] = (struct disk_entry){ disk_must(strdup(name)), file };
        return;
    }
    abort();
}

static void apply(struct disk_entry *entries, const struct name_op *op)
{
    if (op->from)
        drop(entries, op->from);
    if (op->to)
        put(entries, op->to, op->file);
}

static void op_free(struct name_op *op)
{
    free(op->from);
    free(op->to);
    free(op);
}

struct disk_file *disk_names_find(struct disk_names *names, const char *name)
{
    struct disk_entry *entry = find(names->seen, name);

    return entry ? entry->file : NULL;
}

void disk_names_settled(struct disk_names *names, const char *name, struct disk_file *file)
{
    put(names->seen, name, file);
    put(names->durable, name, file);
}

void disk_names_change(struct disk_names *names, const char *from, const char *to,
                       struct disk_file *file)
{
    struct name_op *op = disk_must(calloc(1, sizeof *op));

    op->from = from ? disk_must(strdup(from)) : NULL;
    op->to = to ? disk_must(strdup(to)) : NULL;
    op->file = file;
    if (names->last)
        names->last->next = op;
    else
        names->first = op;
    names->last = op;
    apply(names->seen, op);
}

static void forget_pending(struct disk_names *names)
{
    while (names->first) {
        struct name_op *op = names->first;

        names->first = op->next;
        op_free(op);
    }
    names->last = NULL;
}

void disk_names_flush(struct disk_names *names)
{
    for (const struct name_op *op = names->first; op; op = op->next)
        apply(names->durable, op);
    forget_pending(names);
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* What happens to a name comes behind what happened to it before, or not at all. */
static bool builds_on_dropped(const struct disk_names *names, const struct name_op *op)
{
    for (const struct name_op *before = names->first; before != op; before = before->next) {
        if (before->dropped && (same(before->to, op->to) || same(before->to, op->from) ||
                                same(before->from, op->to) || same(before->from, op->from)))
            return true;
    }
    return false;
}

void disk_names_cut(struct disk_names *names, enum tearing tearing)
{
    bool in_order = disk_random(2) == 0; /* as a journal keeps them: a first part of all */
    bool over = false;

    for (struct name_op *op = names->first; op; op = op->next) {
        bool keeps = tearing == KEEP_ALL || (tearing != DROP_ALL && disk_random(2) == 0);

        op->dropped = !keeps || over || builds_on_dropped(names, op);
        over = in_order && op->dropped;
        if (!op->dropped)
            apply(names->durable, op);
    }
    forget_pending(names);
}

void disk_names_free(struct disk_names *names)
{
    forget_pending(names);
    for (size_t i = 0; i < DISK_NAMES_MAX; i++) {
        free(names->seen[i].name);
        free(names->durable[i].name);
        names->seen[i] = names->durable[i] = (struct disk_entry){ NULL, NULL };
    }
}
