/*
 * ledger/keys.c - the key of the voter hashes, and what is hashed with it.
 *
 * Threads: keys_open() and keys_free() main; the hashes any.
 */
#include "ledger/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "ledger/files.h"
#include "ledger/keys_file.h"

#define FILE_BYTES_MAX 65536
#define WORD "voters "

struct keys {
    unsigned char voters[KEY_BYTES];
};

static bool create(const char *path, struct why *why)
{
    unsigned char key[KEY_BYTES];
    char hex[KEY_BYTES * 2 + 1];
    char line[sizeof WORD + sizeof hex + 1];
    struct why cause;
    bool ok;

    randombytes_buf(key, sizeof key);
    sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    (void)snprintf(line, sizeof line, WORD "%s\n", hex);
    ok = keys_file_replace(path, str_of(line), &cause);
    if (!ok)
        why_set(why, "%s; the folder must exist and be writable", cause.text);
    sodium_memzero(key, sizeof key);
    sodium_memzero(line, sizeof line);
    sodium_memzero(hex, sizeof hex);
    return ok;
}

static bool parse(struct keys *keys, struct str text)
{
    struct str line;
    size_t found = 0;

    while (str_next(&text, '\n', &line)) {
        const char *end;
        size_t len;

        if (!str_starts(line, STR(WORD)))
            continue;
        line = str_from(line, strlen(WORD));
        if (line.len != (size_t)KEY_BYTES * 2 ||
            sodium_hex2bin(keys->voters, KEY_BYTES, line.at, line.len, NULL, &len, &end) != 0 ||
            len != KEY_BYTES)
            return false;
        found++;
    }
    return found == 1;
}

static bool read_file(struct keys *keys, int fd, const char *path, mode_t others, struct why *why)
{
    struct stat file;
    AUTO_BYTES char *text = malloc(FILE_BYTES_MAX);
    ssize_t len;
    bool ok;

    if (!text || fstat(fd, &file) < 0) {
        why_set(why, "cannot read the keys file %s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(file.st_mode) || (file.st_mode & others) != 0) {
        why_set(why, "the keys file %s may be read by others; chmod 600 it", path);
        return false;
    }
    len = fd_read_all(fd, text, FILE_BYTES_MAX, 0);
    if (len < 0) {
        why_set(why, "cannot read the keys file %s: %s", path, strerror(errno));
        return false;
    }
    ok = len > 0 && parse(keys, (struct str){ text, (size_t)len });
    sodium_memzero(text, FILE_BYTES_MAX);
    if (!ok)
        why_set(why, "the keys file %s holds no key of the voter hashes; restore it from a backup",
                path);
    return ok;
}

static void *cannot_open(const char *path, struct why *why)
{
    return why_set(
        why,
        "cannot open the keys file %s: %s; run this as the user whose file it is, or let "
        "this one read it",
        path, strerror(errno));
}

struct keys *keys_open(const char *path, bool may_create, struct why *reterr_why)
{
    AUTO(keys) keys = sodium_malloc(sizeof *keys);
    int fd;
    bool ok;

    if (!keys)
        return why_set(reterr_why, "no memory for the keys");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && may_create) {
        if (!create(path, reterr_why))
            return NULL;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 && errno == ENOENT)
        return why_set(reterr_why,
                       "the keys file %s is missing; restore it from a backup: with a new key "
                       "everybody could vote twice",
                       path);
    if (fd < 0)
        return cannot_open(path, reterr_why);
    ok = read_file(keys, fd, path, 077, reterr_why);
    (void)close(fd);
    return ok ? TAKE(keys) : NULL;
}

struct keys *keys_open_credential(const char *path, struct why *reterr_why)
{
    AUTO(keys) keys = sodium_malloc(sizeof *keys);
    int fd;
    bool ok;

    if (!keys)
        return why_set(reterr_why, "no memory for the keys");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_open(path, reterr_why);
    ok = read_file(keys, fd, path, 007, reterr_why);
    (void)close(fd);
    return ok ? TAKE(keys) : NULL;
}

void keys_free(struct keys *keys)
{
    sodium_free(keys); /* wipes it */
}

static void length_prefixed(crypto_generichash_state *state, struct str bytes)
{
    uint64_t len = bytes.len;

    (void)crypto_generichash_update(state, (const unsigned char *)&len, sizeof len);
    (void)crypto_generichash_update(state, (const unsigned char *)bytes.at, bytes.len);
}

static void hash(const struct keys *keys, const struct poll *poll, unsigned char kind,
                 struct str what, unsigned char *ret, size_t len)
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, keys->voters, sizeof keys->voters, len);
    length_prefixed(&state, (struct str){ (const char *)poll->salt, SALT_BYTES });
    length_prefixed(&state, (struct str){ (const char *)&kind, 1 });
    length_prefixed(&state, what);
    (void)crypto_generichash_final(&state, ret, len);
}

void keys_fingerprint(const struct keys *keys, unsigned char ret[KEY_FINGERPRINT_BYTES])
{
    static const char what[] = "tallyd key of the voter hashes";

    (void)crypto_generichash(ret, KEY_FINGERPRINT_BYTES, (const unsigned char *)what, sizeof what,
                             keys->voters, sizeof keys->voters);
}

void keys_hash_voter(const struct keys *keys, const struct poll *poll, enum voter_kind kind,
                     struct str voter, struct voter_hash *ret_hash)
{
    hash(keys, poll, (unsigned char)kind, voter, ret_hash->bytes, sizeof ret_hash->bytes);
}

uint64_t keys_hash_address(const struct keys *keys, const struct poll *poll, struct str group)
{
    unsigned char bytes[crypto_generichash_BYTES_MIN];
    uint64_t first;

    hash(keys, poll, 0, group, bytes, sizeof bytes); /* 0 is no kind of voter */
    memcpy(&first, bytes, sizeof first);
    return first;
}
