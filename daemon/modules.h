/*
 * modules.h - where the parts of the daemon lie that are loaded when they are needed.
 *
 * Thread: main's.
 */
#ifndef TALLYD_MODULES_H
#define TALLYD_MODULES_H

#include "base/auto.h"

/*
 * The absolute path of a module, to be freed: beside the program, where a build leaves it, else
 * where it is installed. That there is a file is not promised.
 *
 *   name     of the file
 *   returns  NULL: no memory
 */
MUST_USE char *modules_path(const char *name);

#endif
