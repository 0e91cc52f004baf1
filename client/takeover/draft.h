/*
 * draft.h - a file that gets its name when it is whole.
 */
#ifndef TALLY_TAKEOVER_DRAFT_H
#define TALLY_TAKEOVER_DRAFT_H

#include "base/str.h"
#include "fault.h"

/*
 * Writes a whole file, on the disk before it has its name; one that is there is replaced. Devices
 * and pipes are written to.
 *
 *   path   NULL: stdout
 */
bool draft_write(const char *path, struct str bytes, struct fault *reterr_fault);

#endif
