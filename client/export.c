/*
 * export.c - `tally export`: a poll's votes, streamed to stdout or into a file.
 *
 * Threads: main.
 */
#include <string.h>

#include "answers.h"
#include "commands.h"
#include "paths.h"
#include "target.h"

static bool path_add(struct buf *out, const struct session *session)
{
    const char *format = options_value(session->options, OPTION_FORMAT);

    (void)path_of_poll(out, session->operands[0], "/votes?format=");
    buf_text(out, format ? format : "ndjson");
    if (options_has(session->options, OPTION_ALL))
        buf_text(out, "&all=1");
    return buf_ok(out);
}

enum outcome export_run(struct session *session)
{
    const char *format = options_value(session->options, OPTION_FORMAT);
    struct download download = { .name = "the export",
                                 .again = "export again; what came so far is only a part" };
    AUTO_BUF path = { 0 };

    if (format && strcmp(format, "csv") != 0 && strcmp(format, "ndjson") != 0)
        return misused("--format is ndjson or csv");
    if (!path_add(&path, session))
        return failed_here("no memory");
    download.path = buf_str(&path);
    return target_download(session, &download, session->operands[0],
                           options_value(session->options, OPTION_OUTPUT));
}
