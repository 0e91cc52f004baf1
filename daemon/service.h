/*
 * service.h - the service manager: sockets it hands over, what it is told, the watchdog's time.
 *
 * By systemd's protocols, sd_notify(3) and sd_listen_fds(3). Where no manager listens, or without
 * libsystemd at build time, all of it does nothing.
 *
 * Threads: main.
 */
#ifndef TALLYD_SERVICE_H
#define TALLYD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/why.h"
#include "net/peer.h"

#define SERVICE_SOCKETS_MAX 16

struct service_socket {
    int fd;
    enum peer_kind kind; /* named http: PEER_TCP; local: PEER_UNIX */
};

struct service_sockets {
    struct service_socket at[SERVICE_SOCKETS_MAX];
    size_t n;
};

/* What was handed over. Once, before other threads start: the environment is cleared of it.
 * false: a name that is neither http nor local, or too many; *reterr_why. */
MUST_USE bool service_sockets(struct service_sockets *ret_sockets, struct why *reterr_why);

/* Each with one sentence for people, shown by systemctl status. */
void service_starting(const char *status);
void service_ready(const char *status);
void service_reloading(const char *status);
void service_stopping(const char *status);

void service_alive(void); /* feeds the watchdog */
/* How often it wants to be fed, in milliseconds; 0: there is none. */
int64_t service_watchdog_ms(void);

#endif
