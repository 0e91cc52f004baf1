/*
 * fault.c - why a takeover stops: one line of what, one of how to go on.
 *
 * Threads: main.
 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void write_fault(struct fault *fault, const char *how,
                                                              const char *format, va_list args)
{
    (void)vsnprintf(fault->what, sizeof fault->what, format, args);
    fault->how = how;
}

bool fault_set(struct fault *fault, const char *how, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_fault(fault, how, format, args);
    va_end(args);
    fault->failed = false;
    return false;
}

bool fault_failed(struct fault *fault, const char *how, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_fault(fault, how, format, args);
    va_end(args);
    fault->failed = true;
    return false;
}

bool fault_memory(struct fault *fault)
{
    return fault_failed(fault, "try again where there is more", "no memory");
}
