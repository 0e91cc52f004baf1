/*
 * target.h - where a download goes: stdout, a device, or a file that gets its name when it is
 * whole.
 */
#ifndef TALLY_TARGET_H
#define TALLY_TARGET_H

#include <stdbool.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/str.h"
#include "commands.h"

/* The fields are target.c's. */
struct target {
    FILE *file;
    char *path;  /* owned; what the file is to be called; NULL: it is written to as it is */
    char *draft; /* owned; what it is called until then */
    bool failed; /* a write; errno is in error */
    int error;
};

/* A draft that did not become the file is removed. */
void target_autofree(struct target *target);

#define AUTO_TARGET __attribute__((cleanup(target_autofree))) struct target

/* What a download is called in messages, and what helps where it was cut. */
struct download {
    struct str path;   /* what to GET */
    const char *name;  /* "the export" */
    const char *again; /* "export again; what came so far is only a part" */
};

/*
 * Gets an answer into a file, whole or not at all, until Ctrl-C. Everything that fails is told.
 *
 *   about   a poll's id, for messages
 *   output  NULL or "-": stdout
 */
enum outcome target_download(struct session *session, const struct download *download,
                             const char *about, const char *output);

#endif
