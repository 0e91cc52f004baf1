/*
 * zone.c - times that an older system kept as the clocks of its site showed them.
 *
 * Threads: main: the C library keeps one zone for all.
 */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo"

/* Two digits, or -1. */
static int two_digits(const char *at)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return -1;
    return (at[0] - '0') * 10 + (at[1] - '0');
}

/* +03:00, -0530, +03 or +3, as minutes. */
static bool offset_of(const char *zone, int *ret_minutes)
{
    const char *digits = zone + 1;
    int hours;
    int minutes = 0;

    if (zone[0] != '+' && zone[0] != '-')
        return false;
    if (digits[0] >= '0' && digits[0] <= '9' && digits[1] == '\0') {
        hours = digits[0] - '0';
    } else {
        hours = two_digits(digits);
        if (hours < 0)
            return false;
        digits += 2;
        digits += digits[0] == ':' && digits[1] != '\0';
        if (digits[0] != '\0')
            minutes = two_digits(digits);
        if (minutes < 0 || (digits[0] != '\0' && digits[2] != '\0'))
            return false;
    }
    if (hours > 15 || minutes > 59)
        return false;
    *ret_minutes = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* The C library takes what it does not know for UTC without a word, so the file is looked for. */
bool zone_known(const char *zone)
{
    char path[sizeof ZONES + 1 + ZONE_BYTES_MAX];
    const char *folder = getenv("TZDIR");
    int minutes;

    if (strlen(zone) > ZONE_BYTES_MAX)
        return false;
    if (offset_of(zone, &minutes) || strcmp(zone, "UTC") == 0)
        return true;
    if (zone[0] < 'A' || zone[0] > 'Z' || strstr(zone, ".."))
        return false;
    if (folder && folder[0])
        return true; /* a place of its own for zones is the user's word */
    (void)snprintf(path, sizeof path, "%s/%.*s", ZONES, ZONE_BYTES_MAX, zone);
    return access(path, R_OK) == 0;
}

int64_t zone_utc(const char *zone, int64_t local_ms)
{
    time_t local_s = (time_t)(local_ms / 1000);
    struct tm shown;
    int minutes;

    if (offset_of(zone, &minutes))
        return local_ms - (int64_t)minutes * 60000;
    if (strcmp(zone, "UTC") == 0 || !gmtime_r(&local_s, &shown))
        return local_ms;
    (void)setenv("TZ", zone, 1);
    tzset();
    shown.tm_isdst = -1;
    return (int64_t)mktime(&shown) * 1000;
}
