# Run at build time by embed(): writes OUT/ID.c and OUT/ID.h from FILES (sorted by name) and from
# PIECES, joined to one of the name JOINED.
list(SORT FILES)
set(rows "")
set(arrays "")
set(n 0)

# Styles and scripts are read by people here and by browsers there: comments, and spaces that do
# nothing, stay behind. No string of theirs may hold such a piece.
function(squeeze to) # squeeze(TO FILE...)
  set(text "")
  foreach(file IN LISTS ARGN)
    file(READ ${file} more)
    string(APPEND text "${more}")
  endforeach()
  string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" text "${text}")
  string(REGEX REPLACE "\n[ \n]+" "\n" text "${text}")
  if(to MATCHES "js$") # in CSS a plus needs its spaces
    string(REGEX REPLACE "[ \n]([-+=*/%<>?:&|!]+)[ \n]" "\\1" text "${text}")
    string(REGEX REPLACE "([)}]) " "\\1" text "${text}")
    string(REPLACE " (" "(" text "${text}")
    string(REPLACE "const " "let " text "${text}") # which says less, and is shorter
  endif()
  string(REGEX REPLACE "([,:;{]) " "\\1" text "${text}")
  string(REGEX REPLACE " ([{}])" "\\1" text "${text}")
  string(REGEX REPLACE "([{,])\n" "\\1" text "${text}")
  string(REGEX REPLACE "(;)\n" "\\1" text "${text}")
  string(REPLACE ";}" "}" text "${text}") # no loop of ours has an empty body
  if(to MATCHES "css$")
    string(REPLACE "\n" "" text "${text}")
    string(REGEX REPLACE "([ ,:(])0\\." "\\1." text "${text}")
  endif()
  file(WRITE ${to} "${text}")
endfunction()

if(JOINED)
  list(SORT PIECES)
  squeeze(${OUT}/${JOINED} ${PIECES})
endif()
foreach(file IN LISTS FILES JOINED)
  get_filename_component(name ${file} NAME)
  if(name STREQUAL JOINED)
    set(file ${OUT}/${name})
  elseif(name MATCHES "\\.(css|js)$")
    squeeze(${OUT}/${name} ${file})
    set(file ${OUT}/${name})
  endif()
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
