/*
 * maintenance.h - what tallyd does with a store that no daemon has open.
 *
 * Results go to standard output, what prevents them is logged. Each returns an exit status.
 */
#ifndef TALLYD_MAINTENANCE_H
#define TALLYD_MAINTENANCE_H

#include "config/config.h"

/* 0: all is good. 1: something is not, or it could not be looked at. */
int maintenance_check_store(const struct config *config);

/* 0: all that is in config->copy_from is in the store too. 1: it is not; run it again. */
int maintenance_copy_store(const struct config *config);

/* 0: config->restore_from is the store now. 1: nothing was restored. */
int maintenance_restore(const struct config *config);

#endif
