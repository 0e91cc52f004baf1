/*
 * config/secrets.c - files that hold tokens and keys.
 *
 * Messages name the file and the line, never what stands there.
 *
 * Threads: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/alloc.h"
#include "config/inside.h"

#define SECRET_FILE_BYTES_MAX 65536
#define KID_BYTES_MAX 64

/* Everybody may: that is told later, and no reason to stop. A group may be a good way to hand a
 * secret to a service, and is how systemd's credentials look. */
static bool open_secret(const char *path, int *ret_fd, bool *ret_open_to_all, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat file;

    if (fd < 0 || fstat(fd, &file) < 0) {
        why_set(why, "cannot read %s: %s; make the file, or let the daemon's user read it", path,
                strerror(errno));
    } else if (!S_ISREG(file.st_mode)) {
        why_set(why, "%s is no regular file; name one", path);
    } else {
        *ret_fd = fd;
        *ret_open_to_all = (file.st_mode & (S_IROTH | S_IWOTH)) != 0;
        return true;
    }
    if (fd >= 0)
        (void)close(fd);
    return false;
}

/* The whole file into `bytes`, which has room for SECRET_FILE_BYTES_MAX + 1. */
static bool read_secret(const char *path, char *bytes, size_t *ret_len, bool *ret_open_to_all,
                        struct why *why)
{
    size_t len = 0;
    ssize_t n = 0;
    int fd;

    if (!open_secret(path, &fd, ret_open_to_all, why))
        return false;
    while (len <= SECRET_FILE_BYTES_MAX &&
           (n = read(fd, bytes + len, SECRET_FILE_BYTES_MAX + 1 - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        why_set(why, "cannot read %s: %s; put it on another disk", path, strerror(errno));
    (void)close(fd);
    if (n < 0)
        return false;
    if (len > SECRET_FILE_BYTES_MAX) {
        why_set(why, "%s is larger than 64 KiB; name a file that holds the secret alone", path);
        return false;
    }
    *ret_len = len;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Two dots make a voter token, of which as many may be wrong as come. */
static bool looks_like_a_voter_token(struct str token)
{
    size_t first = str_find(token, '.');

    return first < token.len && str_find(str_from(token, first + 1), '.') < token.len - first - 1;
}

/* It has to fit into `Authorization: Bearer …`. */
static bool token_ok(const char *path, struct str token, struct why *why)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.at[i] <= ' ' || token.at[i] > '~') {
            why_set(why,
                    "%s holds more than one word of visible ASCII; leave the token alone in it",
                    path);
            return false;
        }
    }
    if (looks_like_a_voter_token(token)) {
        why_set(why,
                "the token in %s has two dots, as a voter token has; make one: openssl rand "
                "-hex 32",
                path);
        return false;
    }
    if (token.len == 0)
        why_set(why, "%s is empty; make a token: openssl rand -hex 32", path);
    return token.len > 0;
}

bool config_secret_read(struct config_secret *secret, struct why *reterr_why)
{
    AUTO_BYTES char *bytes = must_alloc(SECRET_FILE_BYTES_MAX + 1);
    struct str token;
    size_t len = 0;
    bool ok = read_secret(secret->path, bytes, &len, &secret->open_to_all, reterr_why);

    token = trim((struct str){ bytes, len });
    ok = ok && token_ok(secret->path, token, reterr_why);
    if (ok) {
        secret->bytes = must_copy(token);
        secret->len = token.len;
    }
    sodium_memzero(bytes, SECRET_FILE_BYTES_MAX + 1);
    return ok;
}

void config_secret_clear(struct config_secret *secret)
{
    if (secret->bytes)
        sodium_memzero(secret->bytes, secret->len);
    free(secret->bytes);
    free(secret->path);
    *secret = (struct config_secret){ .path = NULL };
}

static bool kid_ok(struct str kid)
{
    for (size_t i = 0; i < kid.len; i++) {
        if (kid.at[i] <= ' ' || kid.at[i] > '~' || kid.at[i] == '"' || kid.at[i] == '\\')
            return false;
    }
    return kid.len > 0 && kid.len <= KID_BYTES_MAX;
}

static bool kid_is_new(const struct config_site_keys *keys, struct str kid)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (str_eq(str_of(keys->at[i].kid), kid))
            return false;
    }
    return true;
}

/* One line, `kid secret`, into the next key. Returns what is wrong with it, or NULL. */
static const char *take_site_key(struct config_site_keys *keys, struct str line)
{
    struct config_site_key *key = &keys->at[keys->n];
    size_t space = str_find(line, ' ');
    struct str kid = { line.at, space };
    struct str secret = trim(str_from(line, space));

    while (secret.len > 0 && secret.at[secret.len - 1] == '=')
        secret.len--; /* RFC 7515 pads nothing; tools do */
    if (!kid_ok(kid))
        return "its kid is not 1 to 64 characters of visible ASCII";
    if (!kid_is_new(keys, kid))
        return "its kid stands there twice";
    key->secret = must_alloc(secret.len + 1);
    if (sodium_base642bin(key->secret, secret.len + 1, secret.at ? secret.at : "", secret.len, NULL,
                          &key->len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        key->len < SITE_KEY_BYTES_MIN) {
        sodium_memzero(key->secret, secret.len + 1);
        free(key->secret);
        *key = (struct config_site_key){ .kid = NULL };
        return "its secret is not 32 or more bytes in base64url";
    }
    key->kid = must_copy(kid);
    keys->n++;
    return NULL;
}

static bool take_site_keys(struct config_site_keys *keys, struct str text, struct why *why)
{
    struct str line;

    for (unsigned number = 1; str_next(&text, '\n', &line); number++) {
        const char *wrong;

        line = trim(line);
        if (line.len == 0 || line.at[0] == '#')
            continue;
        wrong = take_site_key(keys, line);
        if (wrong) {
            why_set(why, "line %u of %s: %s; write `kid secret`", number, keys->path, wrong);
            return false;
        }
    }
    if (keys->n == 0)
        why_set(why, "%s holds no key; write a line `kid secret`", keys->path);
    return keys->n > 0;
}

bool config_site_keys_read(struct config_site_keys *keys, struct why *reterr_why)
{
    AUTO_BYTES char *bytes = must_alloc(SECRET_FILE_BYTES_MAX + 1);
    size_t lines = 1;
    size_t len = 0;
    bool ok = read_secret(keys->path, bytes, &len, &keys->open_to_all, reterr_why);

    for (size_t i = 0; i < len; i++)
        lines += bytes[i] == '\n';
    keys->at = must_alloc(lines * sizeof *keys->at);
    ok = ok && take_site_keys(keys, (struct str){ bytes, len }, reterr_why);
    sodium_memzero(bytes, SECRET_FILE_BYTES_MAX + 1);
    return ok;
}

void config_site_keys_clear(struct config_site_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        sodium_memzero(keys->at[i].secret, keys->at[i].len);
        free(keys->at[i].secret);
        free(keys->at[i].kid);
    }
    free(keys->at);
    free(keys->path);
    *keys = (struct config_site_keys){ .path = NULL };
}

static void warn(const struct config *config, size_t key, void (*tell)(const char *line),
                 const struct why *what)
{
    struct why line;

    config_key_wrong(config, key, config->file ? config->file : "", what, &line);
    tell(line.text);
}

static void warn_if_open(const struct config *config, size_t key, void (*tell)(const char *line),
                         const char *path, bool open_to_all)
{
    struct why what;

    if (!path || !open_to_all)
        return;
    why_set(&what,
            "everybody may read or change %s; chmod 640 it, and change the secret if somebody may "
            "have read it",
            path);
    warn(config, key, tell, &what);
}

static void warn_of_token(const struct config *config, const char *name,
                          void (*tell)(const char *line), const struct config_secret *secret)
{
    size_t key = config_key_find("roles", name);
    struct why what;

    warn_if_open(config, key, tell, secret->path, secret->open_to_all);
    if (!secret->path || secret->len >= SECRET_BYTES_SAFE)
        return;
    why_set(&what,
            "the token in %s has %zu bytes, and can be guessed; make one of %d or more: openssl "
            "rand -hex 32",
            secret->path, secret->len, SECRET_BYTES_SAFE);
    warn(config, key, tell, &what);
}

void config_warn(const struct config *config, void (*tell)(const char *line))
{
    warn_of_token(config, "admin_token_file", tell, &config->admin_token);
    warn_of_token(config, "app_token_file", tell, &config->app_token);
    warn_if_open(config, config_key_find("voters", "site_key_file"), tell, config->site_keys.path,
                 config->site_keys.open_to_all);
}
