/*
 * config/inside.h - what the files of this room share: the table of keys.
 *
 * Besides this room only its tests include it.
 */
#ifndef TALLYD_CONFIG_INSIDE_H
#define TALLYD_CONFIG_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"
#include "config/config.h"

#define SECRET_BYTES_SAFE 16 /* a shorter token is warned of */
#define SITE_KEY_BYTES_MIN 32

enum value_kind {                  /* and the type it has in struct config */
                  VALUE_COUNT,     /* uint64_t */
                  VALUE_SIZE,      /* uint64_t, bytes */
                  VALUE_TIME,      /* int64_t, seconds */
                  VALUE_MODE,      /* unsigned */
                  VALUE_SWITCH,    /* bool */
                  VALUE_CHOICE,    /* unsigned */
                  VALUE_PATH,      /* char * */
                  VALUE_STORE,     /* char * */
                  VALUE_URL,       /* char * */
                  VALUE_ADDRESSES, /* struct config_words */
                  VALUE_ORIGINS,   /* struct config_words */
                  VALUE_FRAMES,    /* struct config_words: origins, whose host may begin with *. */
                  VALUE_NETWORKS,  /* struct config_networks */
                  VALUE_PREFIXES,  /* struct config_prefixes */
                  VALUE_USERS,     /* struct config_users */
                  VALUE_GROUP,     /* struct config_group */
                  VALUE_SECRET_FILE, /* struct config_secret */
                  VALUE_SITE_KEYS    /* struct config_site_keys */
};

enum key_built { LATER, BUILT };       /* LATER: read and checked, then refused as not built yet */
enum key_change { RESTARTS, RELOADS }; /* what a change of it takes */

struct config_key {
    const char *section;
    const char *name;
    enum value_kind kind;
    size_t at;            /* in struct config */
    uint64_t min;         /* COUNT, TIME */
    uint64_t max;         /* COUNT, SIZE, TIME */
    const char *words;    /* CHOICE */
    const char *fallback; /* the default, as a file would say it; NULL: none, or worked out */
    enum key_built built;
    enum key_change change;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_count;

/* keys.c */
/* The key's number, or config_keys_count. */
size_t config_key_find(const char *section, const char *name);
bool config_section_known(struct str name);
/* Sets a key from its text, as a file would say it. false: *reterr_why says what it takes. */
MUST_USE bool config_key_set(struct config *config, size_t key, struct str text,
                             struct why *reterr_why);
/* Every key at its default. */
MUST_USE struct config *config_new(void);
void config_key_swap(struct config *a, struct config *b, size_t key);
void config_key_clear(struct config *config, size_t key);
/* The member of struct config that a key is kept in. */
void *config_member(struct config *config, const struct config_key *key);

/* file.c */
/*
 * Sets keys from the text of a file; `name` stands in messages. Pure.
 *   returns  false: *reterr_why; the config is half set, to be freed
 */
MUST_USE bool config_parse(struct config *config, struct str text, const char *name,
                           struct why *reterr_why);
/* false: a key is set that is LATER. */
MUST_USE bool config_check_built(const struct config *config, const char *name,
                                 struct why *reterr_why);
/* Writes `FILE:LINE: section.key: what` for a key that the file has set. */
void config_key_wrong(const struct config *config, size_t key, const char *name,
                      const struct why *what, struct why *reterr_why);
/* Reads the file's text. *ret_there false: there is none, which is no error unless `needed`. */
MUST_USE bool config_file_read(const char *path, bool needed, char **ret_text, size_t *ret_len,
                               struct why *reterr_why);

/* resolve.c */
/* Looks up users and groups, reads secret files. false: *reterr_why. */
MUST_USE bool config_resolve(struct config *config, const char *name, struct why *reterr_why);

/* secrets.c */
/* Reads the file of a token or of site keys. false: *reterr_why, without what the file holds. */
MUST_USE bool config_secret_read(struct config_secret *secret, struct why *reterr_why);
MUST_USE bool config_site_keys_read(struct config_site_keys *keys, struct why *reterr_why);
void config_secret_clear(struct config_secret *secret);
void config_site_keys_clear(struct config_site_keys *keys);

/* defaults.c */
/* What nobody has said: store, keys, socket, backups, threads. */
MUST_USE bool config_work_out(struct config *config, struct why *reterr_why);

/* must.c */
/* A NUL-terminated copy; aborts without memory (base/alloc.h). Configuration is read at start and
 * reload, and is small. */
MUST_USE char *must_copy(struct str s);
MUST_USE char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
