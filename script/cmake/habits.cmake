# How everything of ours is compiled: one INTERFACE library, no global flags.
add_library(habits INTERFACE)
target_compile_features(habits INTERFACE c_std_11)
target_compile_options(habits INTERFACE
  -std=gnu11 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wcast-qual -Wpointer-arith
  -UNDEBUG # asserts stay on in every build: a wrong tally is worse than a restart
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}/=
  -fno-common -fstack-protector-strong -fPIE)
target_compile_definitions(habits INTERFACE _GNU_SOURCE TALLYD_VERSION="${PROJECT_VERSION}")
target_link_libraries(habits INTERFACE Threads::Threads)
target_link_options(habits INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(habits INTERFACE -fstack-clash-protection)
endif()
if(TALLYD_WERROR)
  target_compile_options(habits INTERFACE -Werror)
endif()
if(TALLYD_FUZZ)
  target_compile_options(habits INTERFACE -fsanitize=fuzzer-no-link) # the fuzzer sees every branch
endif()
if(TALLYD_SANITIZE)
  target_compile_options(habits INTERFACE -fsanitize=${TALLYD_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(habits INTERFACE -fsanitize=${TALLYD_SANITIZE})
else()
  # gcc's sanitizers make -Wnull-dereference see paths that are not there, and fortify hides bugs
  # from them.
  target_compile_options(habits INTERFACE -Wnull-dereference
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=2>)
endif()
