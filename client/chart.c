/*
 * chart.c - `tally chart`: a poll's figures as a picture, as the daemon draws it.
 *
 * Threads: main.
 */
#include <string.h>

#include "answers.h"
#include "commands.h"
#include "paths.h"
#include "target.h"

/* Options that name what the daemon is asked for. */
static const struct {
    enum option_id id;
    const char *name; /* of the query parameter */
} passed[] = { { OPTION_THEME, "theme" }, { OPTION_WIDTH, "width" }, { OPTION_OF, "of" } };

/* "svg" or "png", after the name; NULL: neither. */
static const char *format_of(const char *path)
{
    static const char *const formats[] = { "svg", "png" };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof formats / sizeof formats[0]; i++) {
        if (strcasecmp(dot + 1, formats[i]) == 0)
            return formats[i];
    }
    return NULL;
}

static bool is_one_of(const char *value, const char *first, const char *second)
{
    return !value || strcmp(value, first) == 0 || strcmp(value, second) == 0;
}

static bool path_add(struct buf *out, const struct session *session, const char *format)
{
    char before = '?';

    (void)path_of_poll(out, session->operands[0], "/chart.");
    buf_text(out, format);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        const char *value = options_value(session->options, passed[i].id);

        if (!value)
            continue;
        buf_format(out, "%c%s=", before, passed[i].name);
        http_encode(out, value);
        before = '&';
    }
    return buf_ok(out);
}

enum outcome chart_run(struct session *session)
{
    const struct options *options = session->options;
    const char *output = options_value(options, OPTION_OUTPUT);
    const char *width = options_value(options, OPTION_WIDTH);
    const char *format = output ? format_of(output) : NULL;
    struct download download = { .name = "the chart", .again = "draw it again" };
    AUTO_BUF path = { 0 };
    uint64_t pixels;

    if (!format)
        return misused("chart wants -o with a file that ends in .svg or .png");
    if (!is_one_of(options_value(options, OPTION_THEME), "light", "dark"))
        return misused("--theme is light or dark");
    if (!is_one_of(options_value(options, OPTION_OF), "tally", "history"))
        return misused("--of is tally or history");
    if (width && !str_uint64(str_of(width), UINT32_MAX, &pixels))
        return misused("--width is a number of pixels");
    if (!path_add(&path, session, format))
        return failed_here("no memory");
    download.path = buf_str(&path);
    return target_download(session, &download, session->operands[0], output);
}
