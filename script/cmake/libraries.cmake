# What tallyd is built on, found by pkg-config; each becomes a target PkgConfig::NAME.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

pkg_check_modules(event REQUIRED IMPORTED_TARGET libevent_core>=2.1.12 libevent_pthreads>=2.1.12)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson>=1.7.15)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(inih REQUIRED IMPORTED_TARGET inih)
if(TALLYD_TESTS)
  pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka>=1.1.5)
endif()
if(TALLYD_SYSTEMD)
  pkg_check_modules(systemd IMPORTED_TARGET libsystemd)
endif()
if(TALLYD_POSTGRES)
  pkg_check_modules(libpq IMPORTED_TARGET libpq>=15)
endif()
if(TALLYD_CAIRO)
  pkg_check_modules(cairo IMPORTED_TARGET cairo>=1.16 pangocairo>=1.50)
endif()

# Debian's 2.1.12-stable-8+deb12u1 mends nine advisories that pkg-config's number cannot tell from
# the version before, so on Debian the package itself is asked.
find_program(DPKG dpkg)
find_program(DPKG_QUERY dpkg-query)
if(DPKG AND DPKG_QUERY)
  execute_process(COMMAND ${DPKG_QUERY} -W -f=\${Version} libevent-dev
    OUTPUT_VARIABLE libevent_debian ERROR_QUIET RESULT_VARIABLE libevent_asked)
  if(libevent_asked EQUAL 0)
    execute_process(COMMAND ${DPKG} --compare-versions "${libevent_debian}" ge 2.1.12-stable-8+deb12u1
      RESULT_VARIABLE libevent_old)
    if(NOT libevent_old EQUAL 0)
      message(FATAL_ERROR "libevent-dev ${libevent_debian} has known holes; "
        "2.1.12-stable-8+deb12u1 or later is needed: apt-get install libevent-dev")
    endif()
  endif()
endif()
