/*
 * events.c - server-sent events, read as their bytes come.
 *
 * Threads: any; nothing is shared.
 */
#include "events.h"

void events_clear(struct events *events)
{
    buf_clear(&events->line);
    buf_clear(&events->name);
    buf_clear(&events->data);
    events->returned = false;
}

/* One space behind the colon belongs to neither side. */
static struct str value_of(struct str line, size_t colon)
{
    struct str value = str_from(line, colon < line.len ? colon + 1 : colon);

    return str_starts(value, STR(" ")) ? str_from(value, 1) : value;
}

/* An empty line ends an event; the last line end of its data is not part of it. */
static void event_end(struct events *events,
                      void (*take)(void *context, struct str name, struct str data), void *context)
{
    struct str data = buf_str(&events->data);

    if (data.len > 0) {
        data.len--;
        take(context, events->name.len > 0 ? buf_str(&events->name) : STR("message"), data);
    }
    buf_clear(&events->name);
    buf_clear(&events->data);
}

static void line_read(struct events *events)
{
    struct str line = buf_str(&events->line);
    size_t colon = str_find(line, ':');
    struct str field = { line.at, colon };

    if (str_eq(field, STR("event"))) {
        buf_clear(&events->name);
        buf_str_add(&events->name, value_of(line, colon));
    } else if (str_eq(field, STR("data"))) {
        buf_str_add(&events->data, value_of(line, colon));
        buf_char(&events->data, '\n');
    }
}

static bool is_well(const struct events *events)
{
    return buf_ok(&events->line) && buf_ok(&events->name) && buf_ok(&events->data) &&
           events->line.len <= EVENT_BYTES_MAX && events->data.len <= EVENT_BYTES_MAX;
}

static size_t line_end(struct str bytes)
{
    size_t feed = str_find(bytes, '\n');
    size_t carriage = str_find((struct str){ bytes.at, feed }, '\r');

    return carriage < feed ? carriage : feed;
}

bool events_read(struct events *events, struct str bytes,
                 void (*take)(void *context, struct str name, struct str data), void *context)
{
    while (bytes.len > 0) {
        size_t end;

        if (events->returned && bytes.at[0] == '\n') {
            events->returned = false;
            bytes = str_from(bytes, 1);
            continue;
        }
        events->returned = false;
        end = line_end(bytes);
        buf_str_add(&events->line, (struct str){ bytes.at, end });
        if (!is_well(events))
            return false;
        if (end == bytes.len)
            return true; /* the rest of the line is to come */
        events->returned = bytes.at[end] == '\r';
        bytes = str_from(bytes, end + 1);
        if (events->line.len == 0)
            event_end(events, take, context);
        else
            line_read(events);
        buf_clear(&events->line);
        if (!is_well(events))
            return false;
    }
    return true;
}
