/*
 * web/assets.h - the files that pages load, out of daemon/web/assets/.
 *
 * Each is asked for by a name with the hash of its bytes in it, page-0123456789abcdef.css, so that
 * caches may keep it for ever. Pure; any thread.
 */
#ifndef TALLYD_WEB_ASSETS_H
#define TALLYD_WEB_ASSETS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"

struct asset {
    const char *type; /* its media type */
    struct str bytes; /* static */
};

enum asset_found {
    ASSET_NONE,
    ASSET_CURRENT, /* these very bytes were asked for */
    ASSET_NEWER    /* a page from before an upgrade asks: the bytes are today's, not for ever */
};

/* file  as in the address, decoded; *ret_asset is not written on NONE */
MUST_USE enum asset_found asset_find(struct str file, struct asset *ret_asset);

/* The file of a name that never changes, "widget.js", and the hash of its bytes; both static. */
struct asset asset_named(const char *name, const char **ret_hash);

/* Writes the name to ask by. `name` as in the folder: "page.css". */
void asset_name_write(const char *name, struct buf *out);

#endif
