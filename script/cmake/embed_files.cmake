# Run at build time by embed(): writes OUT/ID.c and OUT/ID.h from FILES (sorted by name).
list(SORT FILES)
set(rows "")
set(arrays "")
set(n 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR len "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char file_${n}[] = { ${bytes}0 };\n")
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(APPEND rows "    { \"${name}\", file_${n}, ${len}, \"${hash}\" },\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT}/${ID}.h "#include <stddef.h>\n
#ifndef TALLYD_EMBEDDED
#define TALLYD_EMBEDDED
struct embedded {
    const char *name;
    const unsigned char *bytes; /* a NUL follows */
    size_t len;
    const char *hash; /* of its bytes, 16 hex digits: another file, another hash */
};
#endif\n
extern const struct embedded embedded_${ID}[];
extern const size_t embedded_${ID}_count;\n")
file(WRITE ${OUT}/${ID}.c "#include \"${ID}.h\"\n
${arrays}
const struct embedded embedded_${ID}[] = {
${rows}};
const size_t embedded_${ID}_count = ${n};\n")
