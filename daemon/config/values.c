/*
 * config/values.c - single values of the configuration.
 *
 * Threads: any; nothing is shared.
 */
#include "config/values.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/ckd.h"

#define ADDRESS_TEXT_BYTES_MAX 63

bool value_mode(struct str text, unsigned *ret)
{
    unsigned mode = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '7')
            return false;
        mode = mode * 8 + (unsigned)(text.at[i] - '0');
        if (mode > 0777)
            return false;
    }
    *ret = mode;
    return true;
}

/* A number and maybe one letter of `units`, which stands for the factor of the same place. */
static bool scaled(struct str text, const char *units, const uint64_t *factors, uint64_t max,
                   uint64_t *ret)
{
    const char *unit = text.len > 0 ? strchr(units, text.at[text.len - 1]) : NULL;
    uint64_t factor = 1;
    uint64_t n;

    if (unit && *unit != '\0') {
        factor = factors[unit - units];
        text.len--;
    }
    if (!str_uint64(text, max, &n) || ckd_mul(&n, n, factor) || n > max)
        return false;
    *ret = n;
    return true;
}

bool value_size(struct str text, uint64_t max, uint64_t *ret)
{
    static const uint64_t factors[] = { 1ULL << 10, 1ULL << 20, 1ULL << 30 };

    return scaled(text, "KMG", factors, max, ret);
}

bool value_time(struct str text, int64_t max_s, int64_t *ret_s)
{
    static const uint64_t factors[] = { 1, 60, 3600, 86400 };
    uint64_t seconds;

    if (str_eq(text, STR("never"))) {
        *ret_s = TIME_NEVER;
        return true;
    }
    if (!scaled(text, "smhd", factors, (uint64_t)max_s, &seconds))
        return false;
    *ret_s = (int64_t)seconds;
    return true;
}

bool value_switch(struct str text, bool *ret)
{
    unsigned which;

    if (!value_choice(text, "no yes", &which))
        return false;
    *ret = which == 1;
    return true;
}

bool value_choice(struct str text, const char *words, unsigned *ret)
{
    struct str rest = str_of(words);
    struct str word;

    for (unsigned i = 0; str_next(&rest, ' ', &word); i++) {
        if (str_eq(word, text)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static size_t find_last(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.at[i - 1] == c)
            return i - 1;
    }
    return s.len;
}

static bool port_ok(struct str text)
{
    uint64_t port;

    return text.len <= 5 && str_uint64(text, 65535, &port);
}

bool value_address(struct str text)
{
    size_t colon = find_last(text, ':');
    struct str host = { text.at, colon };

    if (colon == text.len || !port_ok(str_from(text, colon + 1)) ||
        str_find(host, ' ') < host.len || str_find(host, '/') < host.len)
        return false;
    if (host.len > 0 && host.at[0] == '[')
        return host.len > 2 && host.at[host.len - 1] == ']';
    return str_find(host, ':') == host.len;
}

/* IPv4-mapped addresses count as IPv4 everywhere (RFC 4291 §2.5.5.2). */
static void unmap(struct config_network *network)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };

    if (!network->v6 || network->bits < 96 || memcmp(network->bytes, mapped, sizeof mapped) != 0)
        return;
    memmove(network->bytes, network->bytes + 12, 4);
    memset(network->bytes + 4, 0, 12);
    network->v6 = false;
    network->bits -= 96;
}

static bool nothing_behind(const struct config_network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++) {
        if (network->bytes[bit / 8] & (0x80U >> bit % 8))
            return false;
    }
    return true;
}

bool value_network(struct str text, struct config_network *ret)
{
    size_t slash = str_find(text, '/');
    struct config_network network = { .v6 = str_find(text, ':') < text.len };
    unsigned most = network.v6 ? 128 : 32;
    char address[ADDRESS_TEXT_BYTES_MAX + 1];
    uint64_t bits = most;

    if (slash == 0 || slash >= sizeof address ||
        (slash < text.len && !str_uint64(str_from(text, slash + 1), most, &bits)))
        return false;
    memcpy(address, text.at, slash);
    address[slash] = '\0';
    if (inet_pton(network.v6 ? AF_INET6 : AF_INET, address, network.bytes) != 1)
        return false;
    network.bits = (unsigned)bits;
    if (!nothing_behind(&network))
        return false;
    unmap(&network);
    *ret = network;
    return true;
}

bool value_prefixes(struct str text, struct config_prefixes *ret)
{
    size_t space = str_find(text, ' ');
    uint64_t v4;
    uint64_t v6;

    if (space == text.len || !str_uint64((struct str){ text.at, space }, 32, &v4) ||
        !str_uint64(str_trim(str_from(text, space)), 128, &v6) || v4 == 0 || v6 == 0)
        return false;
    *ret = (struct config_prefixes){ .v4 = (unsigned)v4, .v6 = (unsigned)v6 };
    return true;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A name, an IPv4 address or an IPv6 address in brackets, as far as characters go. */
static bool host_ok(struct str host)
{
    bool v6 = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    struct str inside = v6 ? (struct str){ host.at + 1, host.len - 2 } : host;

    if (inside.len == 0 || inside.at[0] == '.' || inside.at[0] == '-')
        return false;
    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.at[i];

        if (!is_letter_or_digit(c) && c != '.' && (v6 ? c != ':' : c != '-'))
            return false;
    }
    return true;
}

static void lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text + ('a' - 'A'));
    }
}

bool value_origin(struct str text, bool wild, char ret[ORIGIN_BYTES_MAX + 1])
{
    bool https = str_starts(text, STR("https://"));
    struct str rest;
    struct str port;
    struct str host;
    size_t colon;

    if ((!https && !str_starts(text, STR("http://"))) || text.len > ORIGIN_BYTES_MAX)
        return false;
    rest = str_from(text, https ? 8 : 7);
    colon = find_last(rest, ':');
    if (colon < rest.len && str_find(str_from(rest, colon), ']') < rest.len - colon)
        colon = rest.len; /* the last colon is inside the brackets */
    port = colon < rest.len ? str_from(rest, colon + 1) : (struct str){ NULL, 0 };
    host = (struct str){ rest.at, colon };
    if ((colon < rest.len && !port_ok(port)) ||
        !host_ok(wild && str_starts(host, STR("*.")) ? str_from(host, 2) : host))
        return false;
    if (str_eq(port, https ? STR("443") : STR("80")))
        port.len = 0;
    (void)snprintf(ret, ORIGIN_BYTES_MAX + 1, "%s://%.*s%s%.*s", https ? "https" : "http",
                   (int)host.len, host.at, port.len > 0 ? ":" : "", (int)port.len,
                   port.len > 0 ? port.at : "");
    lower(ret);
    return true;
}

bool value_url(struct str text, char ret[URL_BYTES_MAX + 1])
{
    char origin[ORIGIN_BYTES_MAX + 1];
    size_t scheme = str_starts(text, STR("https://")) ? 8 : 7;
    size_t slash;

    if (text.len < scheme || text.len > URL_BYTES_MAX)
        return false;
    slash = scheme + str_find(str_from(text, scheme), '/');
    if (!value_origin((struct str){ text.at, slash }, false, origin))
        return false;
    for (size_t i = slash; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~' || strchr("?#\"<>\\^`{|}", text.at[i]))
            return false;
    }
    while (text.len > slash && text.at[text.len - 1] == '/')
        text.len--;
    (void)snprintf(ret, URL_BYTES_MAX + 1, "%s%.*s", origin, (int)(text.len - slash),
                   text.at + slash);
    return true;
}

bool value_store(struct str text)
{
    return (str_starts(text, STR(SQLITE_SCHEME)) && text.len > STR(SQLITE_SCHEME).len) ||
           str_starts(text, STR(POSTGRES_SCHEME));
}
