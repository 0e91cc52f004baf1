/*
 * web/assets.c - the files that pages load.
 *
 * Threads: any; nothing changes.
 */
#include "web/assets.h"

#include <assert.h>
#include <string.h>

#include "daemon_web_assets.h"

static const char *type_of(struct str extension)
{
    if (str_eq(extension, STR(".css")))
        return "text/css; charset=utf-8";
    if (str_eq(extension, STR(".js")))
        return "text/javascript; charset=utf-8";
    if (str_eq(extension, STR(".svg")))
        return "image/svg+xml";
    return "application/octet-stream";
}

/* "page.css": "page" and ".css". */
static void name_split(struct str name, struct str *ret_stem, struct str *ret_extension)
{
    size_t dot = name.len;

    while (dot > 0 && name.at[dot - 1] != '.')
        dot--;
    dot = dot > 0 ? dot - 1 : name.len;
    *ret_stem = (struct str){ name.at, dot };
    *ret_extension = str_from(name, dot);
}

static enum asset_found compare(const struct embedded *embedded, struct str file)
{
    struct str stem;
    struct str extension;
    struct str middle;

    name_split(str_of(embedded->name), &stem, &extension);
    if (file.len <= stem.len + 1 + extension.len || !str_starts(file, stem) ||
        file.at[stem.len] != '-' || !str_eq(str_from(file, file.len - extension.len), extension))
        return ASSET_NONE;
    middle = str_from(file, stem.len + 1);
    middle.len -= extension.len;
    return str_eq(middle, str_of(embedded->hash)) ? ASSET_CURRENT : ASSET_NEWER;
}

static const struct embedded *named(const char *name)
{
    size_t i = 0;

    while (i < embedded_daemon_web_assets_count &&
           strcmp(embedded_daemon_web_assets[i].name, name) != 0)
        i++;
    assert(i < embedded_daemon_web_assets_count);
    return &embedded_daemon_web_assets[i];
}

static struct asset asset_of(const struct embedded *embedded)
{
    struct str stem;
    struct str extension;

    name_split(str_of(embedded->name), &stem, &extension);
    return (struct asset){ .type = type_of(extension),
                           .bytes = { (const char *)embedded->bytes, embedded->len } };
}

struct asset asset_named(const char *name, const char **ret_hash)
{
    const struct embedded *embedded = named(name);

    *ret_hash = embedded->hash;
    return asset_of(embedded);
}

enum asset_found asset_find(struct str file, struct asset *ret_asset)
{
    for (size_t i = 0; i < embedded_daemon_web_assets_count; i++) {
        const struct embedded *embedded = &embedded_daemon_web_assets[i];
        enum asset_found found = compare(embedded, file);

        if (found == ASSET_NONE)
            continue;
        *ret_asset = asset_of(embedded);
        return found;
    }
    return ASSET_NONE;
}

void asset_name_write(const char *name, struct buf *out)
{
    struct str stem;
    struct str extension;

    name_split(str_of(name), &stem, &extension);
    buf_str_add(out, stem);
    buf_char(out, '-');
    buf_text(out, named(name)->hash);
    buf_str_add(out, extension);
}
