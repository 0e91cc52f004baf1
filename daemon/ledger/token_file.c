/*
 * ledger/token_file.c - the lines of the keys file that hold the keys of tokens.
 *
 * Threads: any; nothing is shared.
 */
#include "ledger/token_file.h"

#include <string.h>

#include <sodium.h>

#include "ledger/keys_file.h"

#define SECONDS_MAX (INT64_MAX / 4) /* sums of three cannot wrap */
/* The word, a kid, 64 hex digits, three numbers, and what is between them. */
#define LINE_BYTES_MAX (TOKEN_KID_BYTES_MAX + 64 + 3 * 20 + 16)

bool token_kid_ok(struct str kid)
{
    if (kid.len == 0 || kid.len > TOKEN_KID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < kid.len; i++) {
        if (kid.at[i] <= ' ' || kid.at[i] > '~' || kid.at[i] == '"' || kid.at[i] == '\\')
            return false;
    }
    return true;
}

static bool seconds_next(struct str *rest, int64_t *ret_s)
{
    struct str word;
    uint64_t s;

    if (!str_next(rest, ' ', &word) || !str_uint64(word, SECONDS_MAX, &s))
        return false;
    *ret_s = (int64_t)s;
    return true;
}

void token_line_wipe(struct token_line *line)
{
    sodium_memzero(line, sizeof *line);
}

bool token_line_parse(struct str rest, struct token_line *ret_line)
{
    struct token_line *line = ret_line;
    const char *end;
    size_t len;

    *line = (struct token_line){ .retired = false };
    if (!str_next(&rest, ' ', &line->kid) || !token_kid_ok(line->kid) ||
        !str_next(&rest, ' ', &line->hex) || line->hex.len != 2 * sizeof line->secret ||
        sodium_hex2bin(line->secret, sizeof line->secret, line->hex.at, line->hex.len, NULL, &len,
                       &end) != 0 ||
        len != sizeof line->secret || !seconds_next(&rest, &line->created_s) ||
        !seconds_next(&rest, &line->longest_s))
        return false;
    line->retired = rest.len > 0;
    return !line->retired || (seconds_next(&rest, &line->retired_s) && rest.len == 0);
}

bool token_line_is_dead(const struct token_line *line, int64_t now_s)
{
    return line->retired && line->retired_s + line->longest_s + TOKEN_KEY_GRACE_S < now_s;
}

void token_fresh_make(struct token_fresh *ret_fresh)
{
    unsigned char name[6];

    randombytes_buf(name, sizeof name);
    (void)sodium_bin2base64(ret_fresh->kid, sizeof ret_fresh->kid, name, sizeof name,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    randombytes_buf(ret_fresh->secret, sizeof ret_fresh->secret);
}

static void line_write(const struct token_line *line, struct buf *out)
{
    buf_text(out, TOKEN_LINE_WORD);
    buf_str_add(out, line->kid);
    buf_char(out, ' ');
    buf_str_add(out, line->hex);
    buf_char(out, ' ');
    buf_int(out, line->created_s);
    buf_char(out, ' ');
    buf_int(out, line->longest_s);
    if (line->retired) {
        buf_char(out, ' ');
        buf_int(out, line->retired_s);
    }
    buf_char(out, '\n');
}

static void fresh_write(const struct token_fresh *fresh, int64_t longest_s, int64_t now_s,
                        struct buf *out)
{
    char hex[2 * sizeof fresh->secret + 1];
    struct token_line line = { .kid = str_of(fresh->kid),
                               .created_s = now_s,
                               .longest_s = longest_s };

    sodium_bin2hex(hex, sizeof hex, fresh->secret, sizeof fresh->secret);
    line.hex = (struct str){ hex, sizeof hex - 1 };
    line_write(&line, out);
    sodium_memzero(hex, sizeof hex);
}

struct rewriting {
    bool retire; /* the key that signs */
    int64_t longest_s;
    int64_t now_s;
    bool changed;
    size_t n_keys;
    size_t n_signers; /* as read */
};

/* An own key's line: as it was, raised, retired, or gone. */
static bool line_rewrite(struct rewriting *rewriting, struct str text, struct buf *out)
{
    AUTO_TOKEN_LINE line = { .retired = false };

    if (!token_line_parse(text, &line))
        return false;
    if (token_line_is_dead(&line, rewriting->now_s)) {
        rewriting->changed = true;
        return true;
    }
    rewriting->n_keys++;
    if (!line.retired) {
        rewriting->n_signers++;
        if (line.longest_s < rewriting->longest_s && !rewriting->retire) {
            line.longest_s = rewriting->longest_s;
            rewriting->changed = true;
        }
        if (rewriting->retire) {
            line.retired = true;
            line.retired_s = rewriting->now_s;
            rewriting->changed = true;
        }
    }
    line_write(&line, out);
    return true;
}

static enum token_file rewrite(struct rewriting *rewriting, struct str text,
                               const struct token_fresh *fresh, struct buf *out, struct why *why)
{
    struct str line;

    /* A line grows by less than a line where it is raised or retired; one comes new. */
    if (!buf_reserve(out, text.len + 3 * LINE_BYTES_MAX)) {
        (void)why_set(why, "no memory for the keys");
        return TOKEN_FILE_BROKEN;
    }
    for (size_t number = 1; str_next(&text, '\n', &line); number++) {
        if (!str_starts(line, STR(TOKEN_LINE_WORD))) {
            buf_str_add(out, line);
            buf_char(out, '\n');
        } else if (!line_rewrite(rewriting, str_from(line, strlen(TOKEN_LINE_WORD)), out)) {
            (void)why_set(why, "line %zu of the keys file: this is no key of tokens", number);
            return TOKEN_FILE_BROKEN;
        }
    }
    if (rewriting->retire || rewriting->n_signers == 0) {
        fresh_write(fresh, rewriting->longest_s, rewriting->now_s, out);
        rewriting->n_keys++;
        rewriting->changed = true;
    }
    if (rewriting->n_signers > 1) {
        (void)why_set(why, "the keys file has more than one key of tokens that is not retired");
        return TOKEN_FILE_BROKEN;
    }
    if (rewriting->n_keys > TOKEN_KEYS_MAX || out->len > KEYS_FILE_BYTES_MAX) {
        (void)why_set(why, "%zu keys of tokens are too many; those of the oldest still count",
                      rewriting->n_keys);
        return TOKEN_FILE_BROKEN;
    }
    return rewriting->changed ? TOKEN_FILE_CHANGED : TOKEN_FILE_SAME;
}

enum token_file token_file_tend(struct str text, const struct token_fresh *fresh, int64_t longest_s,
                                int64_t now_s, struct buf *out, struct why *reterr_why)
{
    struct rewriting rewriting = { .longest_s = longest_s, .now_s = now_s };

    return rewrite(&rewriting, text, fresh, out, reterr_why);
}

enum token_file token_file_rotate(struct str text, const struct token_fresh *fresh,
                                  int64_t longest_s, int64_t now_s, struct buf *out,
                                  struct why *reterr_why)
{
    struct rewriting rewriting = { .retire = true, .longest_s = longest_s, .now_s = now_s };

    return rewrite(&rewriting, text, fresh, out, reterr_why);
}
