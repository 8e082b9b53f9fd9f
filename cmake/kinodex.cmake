# Compiler settings and the two helpers that every folder uses.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Line tables are enough for stack traces and keep objects a fifth of the size.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -gline-tables-only")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -gline-tables-only")

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.87)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(EXIF REQUIRED IMPORTED_TARGET libexif)
pkg_check_modules(AV REQUIRED IMPORTED_TARGET
  libavformat libavcodec libavutil libswscale libswresample)
pkg_check_modules(MD4C REQUIRED IMPORTED_TARGET md4c-html md4c)
pkg_check_modules(EBUR128 REQUIRED IMPORTED_TARGET libebur128)
if(KN_TESTS)
  find_package(GTest REQUIRED)
endif()

add_library(kn_settings INTERFACE)
target_include_directories(kn_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(kn_settings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wswitch -Werror -fno-strict-aliasing)
target_compile_definitions(kn_settings INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED KN_VERSION="${PROJECT_VERSION}")
target_link_libraries(kn_settings INTERFACE Threads::Threads fmt::fmt)
if(KN_SANITIZE)
  target_compile_options(kn_settings INTERFACE
    -fsanitize=${KN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(kn_settings INTERFACE -fsanitize=${KN_SANITIZE})
endif()

# kn_library(NAME FOLDER LIBS...): one library per folder. Sources are FOLDER/*.cpp; *_test.cpp
# become the test program NAME_test, linked against GoogleTest.
function(kn_library name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE kn_settings ${ARGN})
  else()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC kn_settings ${ARGN})
    if(TARGET kn_pch AND NOT name STREQUAL "kn_asio")
      target_precompile_headers(${name} REUSE_FROM kn_pch)
    endif()
  endif()
  if(KN_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    # Sanitized code is up to fifteen times slower.
    set_tests_properties(${name} PROPERTIES TIMEOUT $<IF:$<BOOL:${KN_SANITIZE}>,1800,300>)
  endif()
endfunction()
