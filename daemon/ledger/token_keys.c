/*
 * ledger/token_keys.c - the keys that sign voter tokens.
 *
 * Threads: as the header says.
 */
#include "ledger/token_keys.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "ledger/keys_file.h"
#include "ledger/token_file.h"
#include "ledger/token_inside.h"

static size_t lines_count(struct str text)
{
    struct str line;
    size_t n = 0;

    while (str_next(&text, '\n', &line))
        n++;
    return n;
}

/* Where the key of this name is, or would be. */
static size_t place_of(const struct token_keys *keys, struct str kid, bool *ret_found)
{
    size_t low = 0;
    size_t high = keys->n;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct token_key *key = &keys->keys[middle];
        size_t shorter = key->kid_len < kid.len ? key->kid_len : kid.len;
        int order = shorter > 0 ? memcmp(key->kid, kid.at, shorter) : 0;

        if (order == 0 && key->kid_len == kid.len) {
            *ret_found = true;
            return middle;
        }
        if (order < 0 || (order == 0 && key->kid_len < kid.len))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct token_key *token_keys_find(const struct token_keys *keys, struct str kid)
{
    bool found;
    size_t place = place_of(keys, kid, &found);

    return found ? &keys->keys[place] : NULL;
}

static bool refuse_line(struct why *why, const char *file, size_t number, const char *what)
{
    (void)why_set(why, "line %zu of the %s: %s", number, file, what);
    return false;
}

/* false: this kid is there already. */
static bool key_add(struct token_keys *keys, struct str kid, const unsigned char *secret,
                    size_t secret_len, bool own, size_t *ret_place)
{
    bool found;
    size_t place = place_of(keys, kid, &found);
    struct token_key *key = &keys->keys[place];

    if (found)
        return false;
    assert(keys->n < keys->room);
    memmove(key + 1, key, (keys->n - place) * sizeof *key);
    keys->n++;
    if (keys->signs && keys->signer >= place)
        keys->signer++;
    (void)crypto_auth_hmacsha256_init(&key->keyed, secret, secret_len);
    memcpy(key->kid, kid.at, kid.len);
    key->kid_len = kid.len;
    key->own = own;
    *ret_place = place;
    return true;
}

static bool own_line_add(struct token_keys *keys, struct str text, size_t number, int64_t now_s,
                         struct why *why)
{
    static const char file[] = "keys file";
    AUTO_TOKEN_LINE line = { .retired = false };
    size_t place;
    bool added;

    if (!token_line_parse(text, &line))
        return refuse_line(why, file, number, "this is no key of tokens");
    if (token_line_is_dead(&line, now_s))
        return true;
    if (keys->n == TOKEN_KEYS_MAX)
        return refuse_line(why, file, number, "too many keys of tokens");
    if (!line.retired && keys->signs)
        return refuse_line(why, file, number, "a second key that is not retired");
    added = key_add(keys, line.kid, line.secret, sizeof line.secret, true, &place);
    if (!added)
        return refuse_line(why, file, number, "a second key of that name");
    if (!line.retired) {
        keys->signs = true;
        keys->signer = place;
        keys->longest_s = line.longest_s;
    }
    return true;
}

static bool own_add(struct token_keys *keys, struct str text, int64_t now_s, struct why *why)
{
    struct str line;

    for (size_t number = 1; str_next(&text, '\n', &line); number++) {
        if (str_starts(line, STR(TOKEN_LINE_WORD)) &&
            !own_line_add(keys, str_from(line, strlen(TOKEN_LINE_WORD)), number, now_s, why))
            return false;
    }
    return true;
}

/* Base64url without its padding or with (`openssl rand -base64` writes some). */
static bool secret_parse(struct str text, unsigned char *secret, size_t *ret_len)
{
    size_t padded_len = text.len;

    while (text.len > 0 && text.at[text.len - 1] == '=')
        text.len--;
    if (text.len < padded_len && (padded_len % 4 != 0 || padded_len - text.len > 2))
        return false;
    return base64url_decode(text, secret, TOKEN_SECRET_BYTES_MAX, ret_len) &&
           *ret_len >= TOKEN_SECRET_BYTES_MIN;
}

static bool site_line_add(struct token_keys *keys, struct str line, size_t number, struct why *why)
{
    static const char file[] = "site_key_file";
    unsigned char secret[TOKEN_SECRET_BYTES_MAX];
    struct str kid = { line.at, str_find(line, ' ') };
    struct str text = str_trim(str_from(line, kid.len));
    size_t len;
    size_t place;
    bool ok;

    if (!token_kid_ok(kid))
        return refuse_line(why, file, number,
                           "a key's name has 1 to 64 visible ASCII characters, no \" and no \\");
    ok = text.len > 0 && secret_parse(text, secret, &len);
    if (!ok) {
        sodium_memzero(secret, sizeof secret);
        return refuse_line(why, file, number,
                           "the secret behind the name has 32 or more bytes, "
                           "in base64url");
    }
    ok = key_add(keys, kid, secret, len, false, &place);
    sodium_memzero(secret, sizeof secret);
    return ok || refuse_line(why, file, number, "there is a key of that name already");
}

static bool site_add(struct token_keys *keys, struct str text, struct why *why)
{
    size_t n_own = keys->n;
    struct str line;

    for (size_t number = 1; str_next(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.len == 0 || line.at[0] == '#')
            continue;
        if (keys->n - n_own == TOKEN_KEYS_MAX)
            return refuse_line(why, "site_key_file", number, "too many keys");
        if (!site_line_add(keys, line, number, why))
            return false;
    }
    return true;
}

struct token_keys *token_keys_new(struct str own_text, struct str site_text, int64_t now_s,
                                  struct why *reterr_why)
{
    size_t n_own = lines_count(own_text);
    size_t n_site = lines_count(site_text);
    size_t room = (n_own < TOKEN_KEYS_MAX ? n_own : TOKEN_KEYS_MAX) +
                  (n_site < TOKEN_KEYS_MAX ? n_site : TOKEN_KEYS_MAX);
    AUTO(token_keys) keys = sodium_malloc(sizeof *keys + room * sizeof keys->keys[0]);

    if (!keys)
        return why_set(reterr_why, "no memory for the keys of tokens");
    memset(keys, 0, sizeof *keys);
    atomic_init(&keys->refs, 1);
    keys->room = room;
    if (!own_add(keys, own_text, now_s, reterr_why) || !site_add(keys, site_text, reterr_why))
        return NULL;
    return TAKE(keys);
}

struct token_keys *token_keys_ref(struct token_keys *keys)
{
    (void)atomic_fetch_add_explicit(&keys->refs, 1, memory_order_relaxed);
    return keys;
}

void token_keys_free(struct token_keys *keys)
{
    if (keys && atomic_fetch_sub_explicit(&keys->refs, 1, memory_order_acq_rel) == 1)
        sodium_free(keys); /* wipes it */
}

int64_t token_keys_longest_s(const struct token_keys *keys)
{
    return keys->longest_s;
}

static struct token_keys *read_site_and_make(const struct token_files *files, struct str own_text,
                                             int64_t now_s, struct why *reterr_why)
{
    AUTO_SECRET_BUF site = { 0 };

    if (files->site_path && !keys_file_read(files->site_path, KEYS_FILE_ANYBODY, &site, reterr_why))
        return NULL;
    return token_keys_new(own_text, buf_str(&site), now_s, reterr_why);
}

/* Tends or rotates the keys file, and reads both. */
static struct token_keys *open_files(const struct token_files *files, bool rotate, int64_t now_s,
                                     struct why *reterr_why)
{
    AUTO(token_keys) keys = NULL;
    AUTO_SECRET_BUF old = { 0 };
    AUTO_SECRET_BUF new = { 0 };
    struct token_fresh fresh;
    enum token_file result;

    if (!keys_file_read(files->keys_path,
                        files->may_write ? KEYS_FILE_OWNER_ONLY : KEYS_FILE_NOT_EVERYBODY, &old,
                        reterr_why))
        return NULL;
    if (!files->may_write)
        return read_site_and_make(files, buf_str(&old), now_s, reterr_why);
    token_fresh_make(&fresh);
    result = (rotate ? token_file_rotate : token_file_tend)(buf_str(&old), &fresh, files->longest_s,
                                                            now_s, &new, reterr_why);
    sodium_memzero(&fresh, sizeof fresh);
    if (result == TOKEN_FILE_BROKEN)
        return NULL;
    /* Made first: what cannot be read back, or would clash with a site's key, is not written. */
    keys = read_site_and_make(files, buf_str(&new), now_s, reterr_why);
    if (keys && result == TOKEN_FILE_CHANGED &&
        !keys_file_replace(files->keys_path, buf_str(&new), reterr_why))
        return NULL;
    return TAKE(keys);
}

struct token_keys *token_keys_open(const struct token_files *files, int64_t now_s,
                                   struct why *reterr_why)
{
    return open_files(files, false, now_s, reterr_why);
}

struct token_keys *token_keys_rotate(const struct token_files *files, int64_t now_s,
                                     struct why *reterr_why)
{
    if (!files->may_write)
        return why_set(reterr_why, "the keys are a credential, which only its owner can change; "
                                   "give tallyd another and reload");
    return open_files(files, true, now_s, reterr_why);
}
