/*
 * modules.c - where the parts of the daemon lie that are loaded when they are needed.
 *
 * They are found from where the kernel says this program lies, so an installation may be moved, or
 * stand below a DESTDIR; whoever can put a file there could have put another program there. The
 * environment, the working directory and argv[0] have no say.
 *
 * Thread: main's.
 */
#include "modules.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of the program, with a slash behind it. */
static bool program_folder(char folder[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    if (len <= 0 || folder[0] != '/')
        return false;
    folder[len] = '\0';
    strrchr(folder, '/')[1] = '\0';
    return true;
}

static char *joined(const char *folder, const char *between, const char *name)
{
    char *path;

    return asprintf(&path, "%s%s%s", folder, between, name) < 0 ? NULL : path;
}

char *modules_path(const char *name)
{
    char folder[PATH_MAX];
    AUTO_BYTES char *beside = NULL;

    if (!program_folder(folder))
        return joined(TALLYD_MODULES_DIR, "/", name); /* no /proc: where it was to be installed */
    beside = joined(folder, "", name);
    if (!beside || access(beside, F_OK) == 0)
        return TAKE(beside);
    return joined(folder, TALLYD_MODULES_FROM_PROGRAM "/", name);
}
