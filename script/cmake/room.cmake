# A room is a target, and what it may include is what it uses: its headers stand behind a door (a
# symlink in the build tree) that only its users see. A forbidden include does not compile.
#
#   room(core USES base LIBRARIES PkgConfig::cjson)
function(room name)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  set(door ${PROJECT_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${door})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/daemon/${name} ${door}/${name} SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/daemon/${name}/*.c)
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${door})
  target_link_libraries(${name} PUBLIC ${ARG_USES} ${ARG_LIBRARIES} PRIVATE habits)
endfunction()

# A program of the files that lie directly in a folder.
#
#   room_program(tally client USES base LIBRARIES PkgConfig::curl)
function(room_program name folder)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/${folder})
  target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LIBRARIES} habits)
endfunction()
