/*
 * net/listener.c - sockets to be connected to.
 *
 * Threads: opened and closed by main; listener_accept() the first loop.
 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

/* Splits "HOST:PORT" or "[HOST]:PORT"; "*" and "" are any host (NULL). */
static bool split(const char *address, char **ret_host, char **ret_port, struct why *why)
{
    const char *colon = strrchr(address, ':');
    struct str host;
    AUTO_BYTES char *copy = NULL;
    uint64_t port;

    if (!colon || !str_uint64(str_of(colon + 1), 65535, &port)) {
        why_set(why, "%s is no address to listen on; write ADDR:PORT", address);
        return false;
    }
    host = (struct str){ address, (size_t)(colon - address) };
    if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = (struct str){ host.at + 1, host.len - 2 };
    else if (str_find(host, ':') < host.len) {
        why_set(why, "%s is no address to listen on; write [ADDR]:PORT for IPv6", address);
        return false;
    }
    copy = str_copy(host);
    *ret_port = str_copy(str_of(colon + 1));
    if (!copy || !*ret_port) {
        why_set(why, "no memory");
        return false;
    }
    *ret_host = host.len == 0 || str_eq(host, STR("*")) ? NULL : TAKE(copy);
    return true;
}

static int bind_one(const struct addrinfo *info, bool any_host)
{
    static const int yes = 1;
    int only_v6 = !any_host;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int kept;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    kept = errno;
    (void)close(fd);
    errno = kept;
    return -1;
}

static char *name_of(int fd)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN];
    char port[8];
    char *name;
    bool v6;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return NULL;
    v6 = address.ss_family == AF_INET6;
    return asprintf(&name, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port) < 0 ? NULL : name;
}

static const char *remedy(int error)
{
    if (error == EADDRINUSE)
        return "; something listens there already, choose another port";
    if (error == EACCES)
        return "; ports below 1024 need root or a socket from systemd";
    if (error == EADDRNOTAVAIL)
        return "; this machine has no such address";
    return "";
}

static bool open_resolved(const char *address, const struct addrinfo *found, bool any_host,
                          struct listener *ret_listener, struct why *why)
{
    struct listener listener = { .fd = -1 };

    /* "*" gives :: before 0.0.0.0 where there is IPv6; the first that can be bound is taken. */
    for (const struct addrinfo *info = found; info && listener.fd < 0; info = info->ai_next)
        listener.fd = bind_one(info, any_host);
    if (listener.fd < 0) {
        why_set(why, "cannot listen on %s: %s%s", address, strerror(errno), remedy(errno));
        return false;
    }
    listener.name = name_of(listener.fd);
    if (!listener.name) {
        listener_close(&listener);
        why_set(why, "no memory");
        return false;
    }
    *ret_listener = listener;
    return true;
}

bool listener_open_tcp(const char *address, struct listener *ret_listener, struct why *reterr_why)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM };
    AUTO_BYTES char *host = NULL;
    AUTO_BYTES char *port = NULL;
    struct addrinfo *found;
    int error;
    bool ok;

    if (!split(address, &host, &port, reterr_why))
        return false;
    error = getaddrinfo(host ? host : "::", port, &hints, &found);
    if (error != 0 && !host)
        error = getaddrinfo("0.0.0.0", port, &hints, &found); /* a kernel without IPv6 */
    if (error != 0) {
        why_set(reterr_why, "cannot listen on %s: %s", address, gai_strerror(error));
        return false;
    }
    ok = open_resolved(address, found, !host, ret_listener, reterr_why);
    freeaddrinfo(found);
    return ok;
}

/* A socket file is in the way: ours from an earlier life, or somebody's? */
static bool make_way(const char *path, const struct sockaddr_un *address, struct why *why)
{
    struct stat there;
    int fd;
    int error;

    if (lstat(path, &there) < 0)
        return true; /* nothing there; bind() says what else is wrong */
    if (!S_ISSOCK(there.st_mode)) {
        why_set(why, "cannot listen on %s: a file that is no socket is there; move it away", path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        why_set(why, "cannot make a socket: %s", strerror(errno));
        return false;
    }
    error = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    (void)close(fd);
    if (error != ECONNREFUSED) {
        why_set(why,
                "cannot listen on %s: another process answers there; stop it, or choose "
                "another --socket",
                path);
        return false;
    }
    (void)unlink(path); /* if that fails, bind() says why */
    return true;
}

static bool bind_unix(struct listener *listener, const char *path,
                      const struct sockaddr_un *address, mode_t mode, struct why *why)
{
    struct stat there;

    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 ||
        bind(listener->fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        why_set(why, "cannot listen on %s: %s; the folder must exist and be writable", path,
                strerror(errno));
        return false;
    }
    listener->unlinks = true;
    if (chmod(path, mode) < 0 || listen(listener->fd, BACKLOG) < 0 || lstat(path, &there) < 0) {
        why_set(why, "cannot listen on %s: %s", path, strerror(errno));
        (void)unlink(path);
        return false;
    }
    listener->device = there.st_dev;
    listener->inode = there.st_ino;
    return true;
}

bool listener_open_unix(const char *path, mode_t mode, struct listener *ret_listener,
                        struct why *reterr_why)
{
    struct listener listener = { .fd = -1, .is_unix = true };
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path) {
        why_set(reterr_why,
                "the socket path is %zu bytes long, %zu are allowed; choose a shorter "
                "one: %.80s…",
                strlen(path), sizeof address.sun_path - 1, path);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!make_way(path, &address, reterr_why))
        return false;
    listener.name = str_copy(str_of(path));
    if (!listener.name) {
        why_set(reterr_why, "no memory");
        return false;
    }
    if (!bind_unix(&listener, path, &address, mode, reterr_why)) {
        listener.unlinks = false;
        listener_close(&listener);
        return false;
    }
    *ret_listener = listener;
    return true;
}

static bool option_is(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

/* The path of a Unix socket; an abstract one is shown with @ for its NUL, as ss(8) does. */
static char *name_of_unix(const struct sockaddr_un *address, socklen_t len)
{
    size_t room = len > offsetof(struct sockaddr_un, sun_path)
                      ? len - offsetof(struct sockaddr_un, sun_path)
                      : 0;
    struct str path = { address->sun_path, strnlen(address->sun_path, room) };
    char *name = path.len > 0 || room == 0 ? str_copy(path)
                                           : str_copy((struct str){ address->sun_path, room });

    if (name && path.len == 0 && room > 0)
        name[0] = '@';
    return name;
}

static bool make_ours(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool listener_adopt(int fd, enum peer_kind kind, struct listener *ret_listener,
                    struct why *reterr_why)
{
    bool is_unix = kind == PEER_UNIX;
    struct listener listener = { .fd = fd, .is_unix = is_unix, .adopted = true };
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    bool inet;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        why_set(reterr_why, "descriptor %d is no socket: %s", fd, strerror(errno));
        return false;
    }
    inet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    if (!option_is(fd, SO_TYPE, SOCK_STREAM) || !option_is(fd, SO_ACCEPTCONN, 1) ||
        (is_unix ? address.ss_family != AF_UNIX : !inet)) {
        why_set(reterr_why, "descriptor %d is no %s socket that listens; give ListenStream= %s", fd,
                is_unix ? "Unix" : "TCP", is_unix ? "a path" : "an address and a port");
        return false;
    }
    listener.name = is_unix ? name_of_unix((const struct sockaddr_un *)&address, len) : name_of(fd);
    if (!listener.name || !make_ours(fd)) {
        free(listener.name);
        why_set(reterr_why, "cannot take descriptor %d over: %s", fd, strerror(errno));
        return false;
    }
    *ret_listener = listener;
    return true;
}

void listener_close(struct listener *listener)
{
    struct stat there;

    /* Another daemon may have made a socket of the same name meanwhile: that one stays. */
    if (listener->unlinks && lstat(listener->name, &there) == 0 &&
        there.st_dev == listener->device && there.st_ino == listener->inode)
        (void)unlink(listener->name);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    free(listener->name);
    *listener = (struct listener){ .fd = -1 };
}

static void take_v4(const unsigned char *bytes, struct peer *peer)
{
    memcpy(peer->address.bytes, bytes, 4);
}

static void read_tcp(const struct sockaddr_storage *address, struct peer *ret_peer)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    struct peer peer = { .kind = PEER_TCP };

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

        peer.port = ntohs(v4->sin_port);
        take_v4((const unsigned char *)&v4->sin_addr, &peer);
    } else {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

        peer.port = ntohs(v6->sin6_port); /* NOLINT: the kernel has filled it in */
        if (memcmp(v6->sin6_addr.s6_addr, mapped, sizeof mapped) == 0) {
            take_v4(v6->sin6_addr.s6_addr + 12, &peer);
        } else {
            peer.address.v6 = true;
            memcpy(peer.address.bytes, v6->sin6_addr.s6_addr, 16);
        }
    }
    *ret_peer = peer;
}

static enum accepted why_not(int error)
{
    switch (error) {
    case EAGAIN:
        return ACCEPT_NONE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ACCEPT_NO_FD;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        return ACCEPT_BROKEN;
    default:
        return ACCEPT_GONE; /* errors of the new connection: accept(2), "Error handling" */
    }
}

enum accepted listener_accept(const struct listener *listener, int *ret_fd, struct peer *ret_peer)
{
    static const int yes = 1;
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    int fd = accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct why why;

    if (fd < 0)
        return why_not(errno);
    if (listener->is_unix) {
        if (!peer_read_unix(fd, ret_peer, &why)) {
            log_line(LOG_WARNING, "a connection is dropped: %s", why.text);
            (void)close(fd);
            return ACCEPT_GONE;
        }
    } else {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        read_tcp(&address, ret_peer);
    }
    *ret_fd = fd;
    return ACCEPTED;
}
