/*
 * web/png.c - loads the module that draws PNG, and has it draw.
 *
 * Only ever by an absolute path, which dlopen() takes as it is: no search path, no variable of the
 * environment has a say in what a service loads.
 *
 * Threads: png_render() the painter's; the rest main's.
 */
#include "web/png.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "web/png_module.h"

struct png {
    char *path;                      /* absolute */
    const struct png_module *module; /* painter, as all below; NULL: not loaded */
    bool complained;                 /* in the log */
};

bool png_is_built_in(void)
{
#ifdef TALLYD_HAVE_CAIRO
    return true;
#else
    return false;
#endif
}

struct png *png_new(const char *module)
{
    AUTO(png) png = calloc(1, sizeof *png);

    assert(module[0] == '/');
    if (!png)
        return NULL;
    png->path = strdup(module);
    return png->path ? TAKE(png) : NULL;
}

void png_free(struct png *png)
{
    if (!png)
        return;
    free(png->path);
    free(png);
}

static bool fits(const struct png_module *module)
{
    return strcmp(module->version, TALLYD_VERSION) == 0 &&
           module->drawing_size == sizeof(struct drawing) &&
           module->shape_size == sizeof(struct shape);
}

/* dlerror() begins with the file that is to blame: this one, or one that this one needs. */
static void *say_error(const char *path, struct why *reterr_why)
{
    const char *error = dlerror();
    bool names_it = strncmp(error, path, strlen(path)) == 0;

    return why_set(reterr_why, "PNG cannot be drawn: %s%s%s", names_it ? "" : path,
                   names_it ? "" : ": ", error);
}

static const struct png_module *open_module(const char *path, struct why *reterr_why)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct png_module *module = library ? dlsym(library, PNG_MODULE_SYMBOL) : NULL;

    if (!module)
        return say_error(path, reterr_why);
    if (!fits(module))
        return why_set(reterr_why, "PNG cannot be drawn: %s: not of the same build as this tallyd",
                       path);
    return module;
}

static bool load(struct png *png, struct why *reterr_why)
{
    struct why why;

    if (png->module)
        return true;
    png->module = open_module(png->path, &why);
    if (png->module)
        return true;
    if (!png->complained)
        log_line(LOG_WARNING, "%s; whoever asks for chart.png hears 501", why.text);
    png->complained = true;
    why_set(reterr_why, "%s", why.text);
    return false;
}

enum png_rendered png_render(struct png *png, const struct drawing *drawing, struct buf *out,
                             struct why *reterr_why)
{
    if (!load(png, reterr_why))
        return PNG_NO_MODULE;
    return png->module->render(drawing, out) ? PNG_RENDERED : PNG_NO_MEMORY;
}
