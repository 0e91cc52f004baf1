/*
 * config/config.c - file, command line and defaults, one after the other.
 *
 * Threads: main.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/inside.h"

/* An option's value, checked when the options were read. */
static bool set_option(struct config *config, const char *section, const char *name,
                       struct str text, struct why *why)
{
    return !text.at || config_key_set(config, config_key_find(section, name), text, why);
}

/* The command line beats the file. */
static bool take_options(struct config *config, const struct config_options *options,
                         struct why *why)
{
    AUTO_BUF listen = { 0 };

    for (size_t i = 0; i < options->n_listen; i++)
        buf_format(&listen, "%s%s", i > 0 ? " " : "", options->listen[i]);
    if (!buf_ok(&listen)) {
        why_set(why, "no memory");
        return false;
    }
    config->action = options->action;
    config->restore_from = options->restore_from;
    config->copy_from = options->copy_from;
    return set_option(config, "server", "listen", buf_str(&listen), why) &&
           set_option(config, "server", "socket", str_of(options->socket), why) &&
           set_option(config, "server", "threads", str_of(options->threads), why) &&
           set_option(config, "store", "url", str_of(options->store), why);
}

static bool read_file(struct config *config, const char *path, bool needed, struct why *why)
{
    AUTO_BYTES char *text = NULL;
    size_t len = 0;

    if (!config_file_read(path, needed, &text, &len, why))
        return false;
    if (!text)
        return true;
    config->file = must_copy(str_of(path));
    return config_parse(config, (struct str){ text, len }, path, why) &&
           config_check_built(config, path, why);
}

/* What the file says; that of an option was looked at with the options. */
static bool store_ok(const struct config *config, const struct config_options *options,
                     const char *path, struct why *why)
{
    struct why what;

    if (!config->store_url || options->store_ok(config->store_url, &what))
        return true;
    config_key_wrong(config, config_key_find("store", "url"), path, &what, why);
    return false;
}

struct config *config_load(const struct config_options *options, struct why *reterr_why)
{
    const char *path = options->file ? options->file : CONFIG_FILE_DEFAULT;
    AUTO(config) config = config_new();

    if (!read_file(config, path, options->file != NULL, reterr_why) ||
        !store_ok(config, options, path, reterr_why) ||
        !take_options(config, options, reterr_why) || !config_work_out(config, reterr_why) ||
        !config_resolve(config, path, reterr_why))
        return NULL;
    return TAKE(config);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config_keys_count; i++)
        config_key_clear(config, i);
    free(config->keys_path);
    free(config->state_folder);
    free(config->file);
    free(config);
}

static bool differs(const char *a, const char *b)
{
    return !a != !b || (a && strcmp(a, b) != 0);
}

static void swap_texts(char **a, char **b)
{
    char *kept = *a;

    *a = *b;
    *b = kept;
}

void config_keep(struct config *fresh, struct config *running, void (*tell)(const char *key))
{
    for (size_t i = 0; i < config_keys_count; i++) {
        char key[64];

        if (config_keys[i].change == RELOADS)
            continue;
        if (differs(fresh->said[i], running->said[i])) {
            (void)snprintf(key, sizeof key, "%s.%s", config_keys[i].section, config_keys[i].name);
            tell(key);
        }
        config_key_swap(fresh, running, i);
    }
    swap_texts(&fresh->keys_path, &running->keys_path);
    fresh->keys_are_credential = running->keys_are_credential;
}
