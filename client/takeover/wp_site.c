/*
 * wp_site.c - what the options of a WordPress site say of its clock.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "origins.h"

/* 5.5 hours are +05:30. */
static void offset_note(struct takeover *takeover, const struct row *row, size_t value)
{
    struct fault none;
    int64_t milli = 0;
    long long minutes;

    if (takeover->zone[0] || row->cells[value].text.len == 0 ||
        !cell_milli(row, value, &milli, &none))
        return;
    minutes = llabs(milli) * 60 / 1000;
    if (minutes < 15 * 60)
        (void)snprintf(takeover->zone, sizeof takeover->zone, "%c%02lld:%02lld",
                       milli < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

bool wp_option_take(struct takeover *takeover, const struct row *row, size_t name, size_t value)
{
    struct str zone = row->cells[value].text;

    if (cell_is(row, name, "timezone_string") && zone.len > 0 && zone.len <= ZONE_BYTES_MAX) {
        char copy[ZONE_BYTES_MAX + 1];

        (void)snprintf(copy, sizeof copy, "%.*s", (int)zone.len, zone.at);
        if (zone_known(copy))
            memcpy(takeover->zone, copy, sizeof copy);
    } else if (cell_is(row, name, "gmt_offset")) {
        offset_note(takeover, row, value);
    }
    return true;
}
