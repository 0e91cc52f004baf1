/*
 * figures.c - sizes and times for people.
 *
 * Threads: any; nothing is shared.
 */
#include "figures.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/ckd.h"
#include "json.h"

void figure_size(struct buf *out, double bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;

    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    buf_format(out, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

void figure_duration(struct buf *out, uint64_t seconds)
{
    uint64_t minutes = seconds / 60;
    uint64_t hours = minutes / 60;

    if (minutes == 0)
        buf_format(out, "%" PRIu64 " s", seconds);
    else if (hours == 0)
        buf_format(out, "%" PRIu64 " min %" PRIu64 " s", minutes, seconds % 60);
    else if (hours < 24)
        buf_format(out, "%" PRIu64 " h %" PRIu64 " min", hours, minutes % 60);
    else
        buf_format(out, "%" PRIu64 " d %" PRIu64 " h", hours / 24, hours % 24);
}

bool figure_read_duration(struct str text, uint64_t *ret_seconds)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    uint64_t times = 1;
    uint64_t seconds;
    uint64_t n;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text.len > 0 && text.at[text.len - 1] == units[i].unit) {
            times = units[i].seconds;
            text.len--;
            break;
        }
    }
    if (!str_uint64(text, INT64_MAX, &n) || ckd_mul(&seconds, n, times) || seconds > INT64_MAX)
        return false;
    *ret_seconds = seconds;
    return true;
}

void figure_counted(struct buf *out, struct str count, const char *noun)
{
    buf_str_add(out, json_is_number(count) ? count : STR("?"));
    buf_format(out, " %s%s", noun, json_is(count, "1") ? "" : "s");
}
