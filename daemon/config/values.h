/*
 * config/values.h - single values of the configuration: text in, value or no out.
 *
 * Pure; any thread. Every function returns false for what it does not take, and *ret is untouched
 * then.
 */
#ifndef TALLYD_CONFIG_VALUES_H
#define TALLYD_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"

#define ORIGIN_BYTES_MAX 300
#define URL_BYTES_MAX 1000
#define SQLITE_SCHEME "sqlite:"
#define POSTGRES_SCHEME "postgresql://"
#define TIME_NEVER INT64_MAX

struct config_network { /* 10.0.0.0/8 */
    bool v6;
    unsigned char bytes[16]; /* network order; IPv4 in the first 4; 0 behind the prefix */
    unsigned bits;           /* 0..32, or 0..128 */
};

struct config_prefixes { /* what of an address makes its group */
    unsigned v4;         /* 1..32 */
    unsigned v6;         /* 1..128 */
};

/* Octal permissions: 0666, 660. At most 0777. */
MUST_USE bool value_mode(struct str text, unsigned *ret);
/* Bytes: 4096, 512K, 8M, 1G (powers of 1024); at most `max`. */
MUST_USE bool value_size(struct str text, uint64_t max, uint64_t *ret);
/* Seconds: 90, 90s, 15m, 12h, 400d; at most `max_s`. `never` is TIME_NEVER. */
MUST_USE bool value_time(struct str text, int64_t max_s, int64_t *ret_s);
MUST_USE bool value_switch(struct str text, bool *ret); /* yes, no */
/* Which of `words`, separated by spaces, it is: from 0. */
MUST_USE bool value_choice(struct str text, const char *words, unsigned *ret);
/* A form that can be listened on: ADDR:PORT, [ADDR]:PORT, *:PORT. Whether there is such an address
 * only binding tells. */
MUST_USE bool value_address(struct str text);
/* An address, or ADDR/BITS with nothing behind the prefix. IPv4-mapped ones are IPv4. */
MUST_USE bool value_network(struct str text, struct config_network *ret);
/* `32 64` */
MUST_USE bool value_prefixes(struct str text, struct config_prefixes *ret);
/*
 * scheme://host[:port] as browsers write it in Origin (RFC 6454 §6.2): http or https, lower case,
 * without the scheme's own port.
 *
 *   wild  the host may begin with `*.`
 */
MUST_USE bool value_origin(struct str text, bool wild, char ret[ORIGIN_BYTES_MAX + 1]);
/* An origin and maybe a path, without a slash at its end, query or fragment. */
MUST_USE bool value_url(struct str text, char ret[URL_BYTES_MAX + 1]);
/* sqlite:PATH or postgresql://… */
MUST_USE bool value_store(struct str text);

#endif
