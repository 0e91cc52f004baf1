/*
 * json_own.h - what json.c and json_layout.c share.
 */
#ifndef TALLY_JSON_OWN_H
#define TALLY_JSON_OWN_H

#include <stdbool.h>

#include "base/str.h"

bool json_is_space(char c);

/* A string with its quotes. Returns false where *rest begins with none; *rest is anywhere then. */
bool json_take_string(struct str *rest);

#endif
