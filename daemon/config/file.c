/*
 * config/file.c - the text of tallyd.conf, read by libinih.
 *
 * Debian's libinih is built without INI_HANDLER_LINENO and without calls for section headings, so
 * its handler learns neither where a key stands nor of a heading without keys. It reads through a
 * function of ours, though, a line a call: that one counts the lines and looks at the headings.
 * What else it would let pass is refused there too: a line longer than its room (which it would
 * take for two lines), a NUL, and words behind a heading. Continued lines and comments behind a
 * value are off: a `;` in a value is a part of it.
 *
 * Threads: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "config/inside.h"

#define LINE_BYTES_MAX (16 * 1024)
#define FILE_BYTES_MAX (1024 * 1024)

struct reading {
    struct config *config;
    const char *name; /* of the file */
    struct str rest;
    unsigned line; /* handed out last, from 1 */
    bool failed;
    struct why *why; /* why it failed */
};

static bool fail(struct reading *reading, const struct why *what)
{
    why_set(reading->why, "%s:%u: %s", reading->name, reading->line, what->text);
    reading->failed = true;
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r'); /* as inih has it */
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_space(s.at[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

static bool enter_section(struct reading *reading, struct str heading)
{
    struct str name = { heading.at + 1, heading.len - 1 };
    struct why what;

    if (str_find(heading, ']') != heading.len - 1) {
        why_set(&what, "a section's heading is [name]; leave nothing else on its line");
        return fail(reading, &what);
    }
    name.len--;
    if (!config_section_known(name)) {
        why_set(&what, "[%.*s]: there is no such section; tallyd.conf(5) lists them",
                (int)(name.len < 100 ? name.len : 100), name.at);
        return fail(reading, &what);
    }
    return true;
}

static bool look_at(struct reading *reading, struct str line, size_t room)
{
    struct str inside = trim(line);
    struct why what;

    if (line.len + 2 > room) {
        why_set(&what, "this line has %zu bytes; %zu are allowed, shorten it", line.len, room - 2);
        return fail(reading, &what);
    }
    if (str_find(line, '\0') < line.len || !utf8_valid(line)) {
        why_set(&what, "this line is no text; write the file in UTF-8");
        return fail(reading, &what);
    }
    return inside.len == 0 || inside.at[0] != '[' || enter_section(reading, inside);
}

/* inih's fgets(): one line a call. */
static char *next_line(char *room, int room_bytes, void *context)
{
    struct reading *reading = context;
    struct str line;

    if (reading->failed || !str_next(&reading->rest, '\n', &line))
        return NULL;
    reading->line++;
    if (!look_at(reading, line, (size_t)room_bytes))
        return NULL;
    if (line.len > 0)
        memcpy(room, line.at, line.len);
    room[line.len] = '\n';
    room[line.len + 1] = '\0';
    return room;
}

static bool set(struct reading *reading, size_t key, struct str value, struct why *what)
{
    unsigned before = reading->config->line[key];

    if (before != 0) {
        why_set(what, "stands in line %u already; remove one of them", before);
        return false;
    }
    reading->config->line[key] = reading->line;
    if (value.len == 0) {
        why_set(what, "has no value; give one, or remove the line to take the default");
        return false;
    }
    if (!utf8_is_text(value)) {
        why_set(what, "has a control character in its value; spaces stand between words");
        return false;
    }
    return config_key_set(reading->config, key, value, what);
}

/* inih's handler: 1 goes on. */
static int on_key(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    size_t key = config_key_find(section, name);
    struct why what;
    struct why full;

    if (key < config_keys_count) {
        if (set(reading, key, str_of(value), &what))
            return 1;
        why_set(&full, "%s.%s: %s", section, name, what.text);
    } else if (section[0] == '\0') {
        why_set(&full, "%.100s: no section stands before this key; begin with [server]", name);
    } else {
        why_set(&full, "%s.%.100s: there is no such key; tallyd.conf(5) lists them", section, name);
    }
    return fail(reading, &full);
}

bool config_parse(struct config *config, struct str text, const char *name, struct why *reterr_why)
{
    struct reading reading = { .config = config, .name = name, .rest = text, .why = reterr_why };
    int bad_line;

    if (str_starts(text, STR("\xEF\xBB\xBF")))
        reading.rest = str_from(text, 3); /* the mark that some editors put in front of UTF-8 */
    /* inih's settings are variables of the library; nothing else here uses it. */
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = LINE_BYTES_MAX + 2;
    ini_max_line = LINE_BYTES_MAX + 2;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_stop_on_first_error = true;
    bad_line = ini_parse_stream(next_line, &reading, on_key, &reading);
    if (reading.failed)
        return false;
    if (bad_line == 0)
        return true;
    if (bad_line < 0)
        why_set(reterr_why, "%s: no memory to read it", name);
    else
        why_set(reterr_why,
                "%s:%d: this line is neither [section], key = value nor a comment; "
                "a comment begins with #",
                name, bad_line);
    return false;
}

void config_key_wrong(const struct config *config, size_t key, const char *name,
                      const struct why *what, struct why *reterr_why)
{
    why_set(reterr_why, "%s:%u: %s.%s: %s", name, config->line[key], config_keys[key].section,
            config_keys[key].name, what->text);
}

bool config_check_built(const struct config *config, const char *name, struct why *reterr_why)
{
    for (size_t i = 0; i < config_keys_count; i++) {
        struct why what;

        if (config->line[i] == 0 || config_keys[i].built == BUILT)
            continue;
        why_set(&what, "is not built yet; remove this line");
        config_key_wrong(config, i, name, &what, reterr_why);
        return false;
    }
    return true;
}

static ssize_t read_all(int fd, char *bytes, size_t room)
{
    size_t len = 0;

    while (len < room) {
        ssize_t n = read(fd, bytes + len, room - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* O_NONBLOCK: a pipe of that name must not stop a start for ever. */
bool config_file_read(const char *path, bool needed, char **ret_text, size_t *ret_len,
                      struct why *reterr_why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO_BYTES char *text = NULL;
    struct stat file;
    ssize_t len = -1;

    if (fd < 0 && errno == ENOENT && !needed) {
        *ret_text = NULL;
        return true;
    }
    if (fd >= 0 && fstat(fd, &file) == 0 && !S_ISREG(file.st_mode)) {
        (void)close(fd);
        why_set(reterr_why, "%s: this is no file; name one with -c", path);
        return false;
    }
    if (fd >= 0) {
        text = must_alloc(FILE_BYTES_MAX + 1);
        len = read_all(fd, text, FILE_BYTES_MAX + 1);
        (void)close(fd);
    }
    if (len < 0) {
        why_set(reterr_why, "%s: %s; name another file with -c, or let this user read it", path,
                strerror(errno));
        return false;
    }
    if (len > FILE_BYTES_MAX) {
        why_set(reterr_why, "%s: this file is larger than 1 MiB; it is no configuration", path);
        return false;
    }
    *ret_len = (size_t)len;
    *ret_text = TAKE(text);
    return true;
}
