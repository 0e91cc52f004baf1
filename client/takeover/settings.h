/*
 * settings.h - the command line of tally-import.
 */
#ifndef TALLY_TAKEOVER_SETTINGS_H
#define TALLY_TAKEOVER_SETTINGS_H

#include "outcome.h"
#include "takeover.h"

enum settings_result {
    SETTINGS_READ,
    SETTINGS_ANSWERED, /* --help or --version: it is printed */
    SETTINGS_WRONG,    /* told */
};

enum settings_result settings_read(int argc, char **argv, struct settings *ret_settings);

#endif
