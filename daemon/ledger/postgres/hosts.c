/*
 * ledger/postgres/hosts.c - the hosts of a connection URL, to be tried one by one.
 *
 * Threads: main makes them; the writer connects.
 */
#include "ledger/postgres/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct hosts {
    PQconninfoOption *options;
    size_t n;
};

static const char *option(const struct hosts *hosts, const char *keyword)
{
    for (const PQconninfoOption *at = hosts->options; at->keyword; at++) {
        if (strcmp(at->keyword, keyword) == 0)
            return at->val;
    }
    return NULL;
}

static size_t pieces(const char *list)
{
    size_t n = 1;

    for (; list && *list; list++)
        n += *list == ',';
    return n;
}

/* libpq looks at a port only when it connects. An empty one is the default. */
static bool ports_ok(const char *list)
{
    struct str rest = str_of(list);
    struct str port;

    while (str_next(&rest, ',', &port)) {
        uint64_t number;

        if (port.len > 0 && (!str_uint64(port, UINT16_MAX, &number) || number == 0))
            return false;
    }
    return true;
}

void hosts_free(struct hosts *hosts)
{
    if (!hosts)
        return;
    pq.PQconninfoFree(hosts->options);
    free(hosts);
}

struct hosts *hosts_new(const char *url, struct why *reterr_why)
{
    AUTO(hosts) hosts = NULL;
    char *message = NULL;
    size_t n;

    if (!libpq_load(reterr_why))
        return NULL;
    hosts = calloc(1, sizeof *hosts);
    if (!hosts)
        return why_set(reterr_why, "no memory for the store");
    hosts->options = pq.PQconninfoParse(url, &message);
    if (!hosts->options) {
        /* What libpq says may quote the whole URL, and a password with it. */
        pq.PQfreemem(message);
        return why_set(reterr_why, "the postgresql:// URL cannot be read by libpq; write it as "
                                   "postgresql://USER@HOST:PORT/DATABASE, with no parameters but "
                                   "libpq's");
    }
    /* Not quoted either: behind an @ that a password has, the rest of it stands for a port. */
    if (!ports_ok(option(hosts, "port")))
        return why_set(reterr_why, "the postgresql:// URL has a port that is no number of 1 to "
                                   "65535; write it as postgresql://USER@HOST:PORT/DATABASE");
    hosts->n = pieces(option(hosts, "hostaddr"));
    n = pieces(option(hosts, "host"));
    if (n > hosts->n)
        hosts->n = n;
    return TAKE(hosts);
}

size_t hosts_count(const struct hosts *hosts)
{
    return hosts->n;
}

/* Piece number `which` of a list with commas; of one that has a single piece, that one. */
static char *pick(const char *list, size_t which)
{
    struct str piece = { NULL, 0 };
    struct str rest = str_of(list);
    size_t n = pieces(list);

    for (size_t i = 0; i <= (n == 1 ? 0 : which); i++) {
        size_t end = str_find(rest, ',');

        piece = (struct str){ rest.at, end };
        rest = str_from(rest, end < rest.len ? end + 1 : end);
    }
    return str_copy(piece);
}

static bool is_list(const char *keyword)
{
    return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
           strcmp(keyword, "port") == 0;
}

#define OPTIONS_MAX_HERE 64

PGconn *hosts_connect(const struct hosts *hosts, size_t which)
{
    const char *keywords[OPTIONS_MAX_HERE + 1] = { NULL };
    const char *values[OPTIONS_MAX_HERE + 1] = { NULL };
    char *picked[3] = { NULL, NULL, NULL };
    size_t n_picked = 0;
    size_t n = 0;
    bool ok = true;
    PGconn *conn = NULL;

    /* What the URL says beats these. */
    keywords[n] = "application_name";
    values[n++] = "tallyd";
    keywords[n] = "target_session_attrs"; /* behind a failover, the one that takes writes */
    values[n++] = "read-write";
    keywords[n] = "client_encoding";
    values[n++] = "UTF8";
    for (const PQconninfoOption *at = hosts->options; at->keyword; at++) {
        if (!at->val || n == OPTIONS_MAX_HERE)
            continue;
        keywords[n] = at->keyword;
        values[n] = at->val;
        if (is_list(at->keyword)) {
            picked[n_picked] = pick(at->val, which);
            ok = ok && picked[n_picked];
            values[n] = picked[n_picked++];
        }
        n++;
    }
    if (ok)
        conn = pq.PQconnectStartParams(keywords, values, 0);
    for (size_t i = 0; i < n_picked; i++)
        free(picked[i]);
    return conn;
}
