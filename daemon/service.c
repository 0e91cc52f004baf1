/*
 * service.c - the service manager, by libsystemd where it was there at build time.
 *
 * Threads: main.
 */
#include "service.h"

#ifdef TALLYD_HAVE_SYSTEMD

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

static bool named(const char *name, int fd, struct service_socket *ret_socket, struct why *why)
{
    if (strcmp(name, "http") == 0) {
        *ret_socket = (struct service_socket){ fd, PEER_TCP };
        return true;
    }
    if (strcmp(name, "local") == 0) {
        *ret_socket = (struct service_socket){ fd, PEER_UNIX };
        return true;
    }
    why_set(why,
            "systemd handed over a socket named %.100s; tallyd takes http and local: set "
            "FileDescriptorName= in its .socket unit",
            name);
    return false;
}

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

bool service_sockets(struct service_sockets *ret_sockets, struct why *reterr_why)
{
    struct service_sockets sockets = { .n = 0 };
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    bool ok = n <= SERVICE_SOCKETS_MAX;

    if (n < 0)
        why_set(reterr_why, "cannot take sockets from systemd: %s", strerror(-n));
    else if (!ok)
        why_set(reterr_why, "systemd handed over %d sockets; %d are allowed", n,
                SERVICE_SOCKETS_MAX);
    ok = ok && n >= 0;
    for (int i = 0; ok && i < n; i++)
        ok = named(names[i], SD_LISTEN_FDS_START + i, &sockets.at[sockets.n++], reterr_why);
    free_names(names);
    if (ok)
        *ret_sockets = sockets;
    return ok;
}

/* One line is one assignment: a name with a newline in it must not make another. */
static void notify(const char *what, const char *status)
{
    char message[1024];
    size_t from;
    int len = snprintf(message, sizeof message, "%sSTATUS=", what);

    if (len < 0 || (size_t)len >= sizeof message)
        return;
    from = (size_t)len;
    (void)snprintf(message + from, sizeof message - from, "%s", status);
    for (char *c = message + from; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    (void)sd_notify(0, message); /* who does not listen misses nothing */
}

void service_starting(const char *status)
{
    notify("", status);
}

void service_ready(const char *status)
{
    notify("READY=1\n", status);
}

void service_reloading(const char *status)
{
    struct timespec now;
    char what[96];

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(what, sizeof what, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld\n",
                   (long long)now.tv_sec, now.tv_nsec / 1000);
    notify(what, status);
}

void service_stopping(const char *status)
{
    notify("STOPPING=1\n", status);
}

void service_alive(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

int64_t service_watchdog_ms(void)
{
    uint64_t usec;

    if (sd_watchdog_enabled(0, &usec) <= 0)
        return 0;
    return usec / 1000 > 0 ? (int64_t)(usec / 1000) : 1;
}

#else

bool service_sockets(struct service_sockets *ret_sockets, struct why *reterr_why)
{
    (void)reterr_why;
    ret_sockets->n = 0;
    return true;
}

void service_starting(const char *status)
{
    (void)status;
}

void service_ready(const char *status)
{
    (void)status;
}

void service_reloading(const char *status)
{
    (void)status;
}

void service_stopping(const char *status)
{
    (void)status;
}

void service_alive(void)
{
}

int64_t service_watchdog_ms(void)
{
    return 0;
}

#endif
