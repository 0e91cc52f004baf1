# What Debian wants in a package besides what `cmake --install` puts there; run by cpack for each, when
# its files are in place.
cmake_minimum_required(VERSION 3.25)

set(source ${CPACK_RESOURCE_SOURCE_DIR})
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${source} log -1 --format=%ct OUTPUT_VARIABLE seconds
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{SOURCE_DATE_EPOCH} ${seconds})
endif()
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

foreach(package daemon:tallyd client:tally)
  string(REGEX MATCH "^([a-z]+):([a-z]+)$" package ${package})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  set(doc ${root}/usr/share/doc/${name})
  file(MAKE_DIRECTORY ${doc})
  file(READ ${source}/LICENSE license)
  string(REGEX REPLACE "^[^\n]*\n\n[^\n]*\n\n" "" license "${license}")
  string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
  string(REGEX REPLACE "\n(.)" "\n \\1" license " ${license}")
  configure_file(${source}/script/debian/copyright.in ${doc}/copyright @ONLY)
  configure_file(${source}/script/debian/changelog.in ${doc}/changelog.Debian @ONLY)
  file(COPY_FILE ${source}/CHANGELOG.md ${doc}/changelog)
  # No address is ours to give away; see CPACK_DEBIAN_PACKAGE_MAINTAINER.
  file(WRITE ${root}/usr/share/lintian/overrides/${name}
    "${name}: bogus-mail-host\n${name}: bogus-mail-host-in-debian-changelog\n"
    "${name}: initial-upload-closes-no-bugs\n")
  file(GLOB pages ${root}/usr/share/man/*/*.[0-9])
  execute_process(COMMAND gzip -9n ${doc}/changelog ${doc}/changelog.Debian ${pages}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
