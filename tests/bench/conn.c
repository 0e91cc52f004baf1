/*
 * bench/conn.c - one connection of the load generator.
 *
 * Threads: one.
 */
#include "bench/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_S 10

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un local;
};

static bool address_local(const char *path, union address *ret_address, struct why *reterr_why)
{
    size_t len = strlen(path);

    if (len >= sizeof ret_address->local.sun_path) {
        why_set(reterr_why, "the socket's path is longer than %zu bytes: %s",
                sizeof ret_address->local.sun_path - 1, path);
        return false;
    }
    ret_address->local.sun_family = AF_UNIX;
    memcpy(ret_address->local.sun_path, path, len + 1);
    return true;
}

static bool address_tcp(const char *tcp, union address *ret_address, struct why *reterr_why)
{
    struct str port = str_of(tcp);
    struct str host;
    uint64_t number;
    char text[INET_ADDRSTRLEN];

    if (!str_next(&port, ':', &host) || host.len >= sizeof text ||
        !str_uint64(port, UINT16_MAX, &number)) {
        why_set(reterr_why, "not an ADDRESS:PORT: %s", tcp);
        return false;
    }
    memcpy(text, host.at, host.len);
    text[host.len] = '\0';
    ret_address->tcp.sin_family = AF_INET;
    ret_address->tcp.sin_port = htons((uint16_t)number);
    if (inet_pton(AF_INET, text, &ret_address->tcp.sin_addr) != 1) {
        why_set(reterr_why, "not an IPv4 address: %s", tcp);
        return false;
    }
    return true;
}

/* Connecting blocks, with a limit; a full backlog is waited for and is no error. */
static bool fd_connect(int fd, const union address *address, socklen_t len)
{
    static const struct timeval limit = { .tv_sec = CONNECT_TIMEOUT_S };
    static const int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
        return false;
    if (connect(fd, &address->any, len) != 0)
        return false;
    if (address->any.sa_family == AF_INET &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return false;
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

bool conn_open(struct conn *conn, const char *socket_path, const char *tcp, unsigned depth,
               struct why *reterr_why)
{
    union address address = { 0 };
    socklen_t len = socket_path ? sizeof address.local : sizeof address.tcp;

    if (socket_path ? !address_local(socket_path, &address, reterr_why)
                    : !address_tcp(tcp, &address, reterr_why))
        return false;
    conn->asked = calloc(depth, sizeof *conn->asked);
    if (!conn->asked) {
        why_set(reterr_why, "no memory");
        return false;
    }
    conn->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || !fd_connect(conn->fd, &address, len)) {
        why_set(reterr_why, "cannot connect to %s: %s", socket_path ? socket_path : tcp,
                strerror(errno));
        return false;
    }
    return true;
}

void conn_close(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    buf_free(&conn->out);
    buf_free(&conn->rest);
    free(conn->asked);
    *conn = (struct conn){ .fd = -1 };
}

enum conn_write conn_write(struct conn *conn)
{
    while (conn->out_sent < conn->out.len) {
        ssize_t n = send(conn->fd, conn->out.bytes + conn->out_sent, conn->out.len - conn->out_sent,
                         MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? CONN_FULL : CONN_WRITE_FAILED;
        conn->out_sent += (size_t)n;
    }
    buf_clear(&conn->out);
    conn->out_sent = 0;
    return CONN_WRITTEN;
}

bool conn_keep(struct conn *conn, struct str rest)
{
    if (conn->rest.len > 0) {
        if (rest.len > 0)
            memmove(conn->rest.bytes, rest.at, rest.len);
        conn->rest.len = rest.len;
        return true;
    }
    buf_str_add(&conn->rest, rest);
    return buf_ok(&conn->rest);
}
