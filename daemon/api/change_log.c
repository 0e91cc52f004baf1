/*
 * api/change_log.c - a line in the log for every change that an admin or an app makes.
 *
 * Who (a uid of the socket, or the role of a token), what, which poll. A caller by token has no
 * name, and its address is not told at the usual level.
 *
 * Threads: any loop.
 */
#include <stdio.h>

#include "api/call.h"
#include "base/log.h"

void change_log(const struct who *who, const char *what, const char *poll)
{
    char name[48];

    if (who->by_token)
        (void)snprintf(name, sizeof name, "the %s token", role_word(who->role));
    else if (who->has_uid)
        (void)snprintf(name, sizeof name, "%s uid %u", role_word(who->role), (unsigned)who->uid);
    else
        (void)snprintf(name, sizeof name, "%s", role_word(who->role));
    if (poll)
        log_line(LOG_NOTICE, "poll %s: %s %s", poll, name, what);
    else
        log_line(LOG_NOTICE, "%s %s", name, what);
}
