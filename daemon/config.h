/*
 * config.h - what the command line says, in one struct.
 *
 * Only main knows it: each room gets a small settings struct of its own.
 */
#ifndef TALLYD_CONFIG_H
#define TALLYD_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/why.h"

#define LISTEN_MAX 16
#define THREADS_MAX 256

struct config {
    const char *listen[LISTEN_MAX]; /* ADDR:PORT; into argv */
    size_t n_listen;
    const char *socket; /* a path */
    mode_t socket_mode;
    char *store_url; /* owned */
    char *keys_path; /* owned: beside the store */
    unsigned threads;
    size_t connections_max;
    uint64_t ballast_bytes;
    const char *admin_group;
};

enum config_result {
    CONFIG_RUN,    /* start the daemon */
    CONFIG_DONE,   /* --help or --version: said, exit 0 */
    CONFIG_USAGE,  /* a bad option: exit 2 */
    CONFIG_REFUSED /* cannot be: exit 6 */
};

/* Reads the command line, and works out the defaults from the environment. *reterr_why is set for
 * USAGE and REFUSED. */
MUST_USE enum config_result config_read(int argc, char **argv, struct config *ret_config,
                                        struct why *reterr_why);

void config_clear(struct config *config);

#endif
