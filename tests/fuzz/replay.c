/*
 * replay.c - runs a fuzz target over files, for compilers without libFuzzer.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FILE_BYTES_MAX (1024 * 1024)

static int replay(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (!file) {
        perror(path);
        return 1;
    }
    len = fread(bytes, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    return LLVMFuzzerTestOneInput(bytes, len);
}

int main(int argc, char **argv)
{
    uint8_t *bytes = malloc(FILE_BYTES_MAX);
    int failed = bytes ? 0 : 1;

    for (int i = 1; i < argc && failed == 0; i++)
        failed = replay(argv[i], bytes);
    free(bytes);
    return failed;
}
