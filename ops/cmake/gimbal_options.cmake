# Flags shared by every target, and the functions that make rooms and tests.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_library(gimbal_flags INTERFACE)
target_include_directories(gimbal_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(gimbal_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror
  # Same bits in every build and on every target: no contraction, no fast-math (architecture, 6).
  -ffp-contract=off
  # The instruction sets that the start-up check asks for; without the last two Highway's static
  # baseline drops to SSSE3.
  -march=x86-64-v3 -maes -mpclmul)
set(gimbal_zeroed "")
if(GIMBAL_HARDENING)
  # The set of the OpenSSF guide; Deployed/Program.* reads it back from the programs, bench/hardening.sh
  # measures it.
  target_compile_options(gimbal_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
    $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>
    -D_GLIBCXX_ASSERTIONS)
  target_link_options(gimbal_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12) OR
     (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 16))
    # Not in Debug: there an analyser is to see what was never written.
    set(gimbal_zeroed $<$<CONFIG:Release,RelWithDebInfo>:-ftrivial-auto-var-init=zero>)
  endif()
else()
  target_compile_options(gimbal_flags INTERFACE -U_FORTIFY_SOURCE -fno-stack-protector -fcf-protection=none)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these two falsely inside libstdc++ and fmt at -O2 and above (GCC bugs 105329, 105651).
  target_compile_options(gimbal_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -fpch-preprocess)
endif()
if(GIMBAL_SANITIZE)
  # For tests that wait longer or repeat less; compilers name their sanitizers differently.
  target_compile_definitions(gimbal_flags INTERFACE GIMBAL_SANITIZED)
  target_compile_options(gimbal_flags INTERFACE -fsanitize=${GIMBAL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(gimbal_flags INTERFACE -fsanitize=${GIMBAL_SANITIZE})
  if(GIMBAL_SANITIZE MATCHES "undefined")
    target_compile_options(gimbal_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()

# Of a file, a program takes only what it reaches: the guardian holds no code that sends an order, though
# files are compiled together. The linker takes a third of the time of the default one.
target_compile_options(gimbal_flags INTERFACE -ffunction-sections -fdata-sections)
target_link_options(gimbal_flags INTERFACE -fuse-ld=lld -Wl,--gc-sections)

# Files that share what they include are compiled together, each once. The preset "clang" compiles each
# alone and without precompiled headers, which proves that it includes what it uses.
if(GIMBAL_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 6)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # It minds a parameter that bears the name of a neighbour's constant; g++ minds what hides within a file.
    target_compile_options(gimbal_flags INTERFACE -Wno-shadow)
  endif()
endif()

# Code that runs seldom: a third of all compiler time. With sanitizers it is not optimised, but for what a fuzz
# target runs a million times.
set(gimbal_seldom $<$<CONFIG:Release>:-O1>)
if(GIMBAL_SANITIZE)
  list(APPEND gimbal_seldom $<$<NOT:$<BOOL:$<TARGET_PROPERTY:GIMBAL_TRACED>>>:-O0>)
endif()

# gimbal_cold(TARGET...): off the hot path, and where texts of others are read: variables start at zero.
# Not for gimbal, gimbal_bot, gimbal_replay and the rooms of the engine: they share the inline code of the
# tick, of which the linker keeps one copy.
function(gimbal_cold)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE ${gimbal_zeroed} ${gimbal_seldom})
  endforeach()
endfunction()

# gimbal_alone(FILE...): files whose own names are also other files', or that open a namespace whole.
function(gimbal_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# gimbal_room(NAME SOURCES ... LINKS ... PRIVATE_LINKS ...): one static library per room.
function(gimbal_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  if(ROOM_SOURCES)
    add_library(${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(${name} PUBLIC gimbal_flags ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE gimbal_flags ${ROOM_LINKS} ${ROOM_PRIVATE_LINKS})
  endif()
endfunction()

# Precompiled headers: what every file of a target includes is parsed once.
function(gimbal_precompile target)
  if(GIMBAL_PCH)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# For targets that add texts: GCC 12's false report about std::string (bug 105651) is silenced in a system
# header, but not in a precompiled one.
function(gimbal_precompiled_strings target)
  if(GIMBAL_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-array-bounds)
  endif()
endfunction()

# gimbal_foreign_templates(FILE...): files that are mostly templates of another library, run once. At -O3
# or with UBSan they take minutes of compiler time, and what UBSan would find is not ours.
function(gimbal_foreign_templates)
  set(options ${gimbal_seldom})
  if(GIMBAL_SANITIZE MATCHES "undefined")
    list(APPEND options -fno-sanitize=undefined)
  endif()
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${options}")
endfunction()

set(gimbal_test_options $<IF:$<CONFIG:Release>,-O1,-O0>)

# gimbal_test(NAME LABEL unit|replay|sim|io|tidy SOURCES ... LINKS ... [TIMEOUT s] [SERIAL]
# [OPTIMISED]): one GoogleTest binary, one ctest entry per test case. SERIAL: its times are judged, so
# it runs alone. OPTIMISED: the room under test is headers, so the test is compiled as the room's users
# are; elsewhere a test is -O1 in Release (7 s a file at -O3, 5 s at -O1) and -O0 with
# sanitizers (10 s at -O1, 5 s at -O0); the room it links is not. A label with
# "nosan" keeps the test out of the builds with sanitizers, "notsan" out of that with ThreadSanitizer.
function(gimbal_test name)
  cmake_parse_arguments(T "SERIAL;OPTIMISED" "LABEL;TIMEOUT" "SOURCES;LINKS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE gimbal_flags ${T_LINKS} GTest::gmock GTest::gtest_main)
  if(GIMBAL_UNITY_TESTS)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 9)
    # It replaces operator new: the compiler must not see that from where it is used.
    gimbal_alone(${PROJECT_SOURCE_DIR}/tests/support/count_allocations.cpp)
  endif()
  if(NOT T_OPTIMISED OR NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE ${gimbal_test_options})
    if(GIMBAL_PCH)
      target_precompile_headers(${name} REUSE_FROM gimbal_test_headers)
      gimbal_precompiled_strings(${name})
    endif()
  elseif(T_SOURCES MATCHES ";")
    gimbal_precompile(${name} <gtest/gtest.h> <algorithm> <filesystem> <fstream> <random> <thread> <vector>)
    gimbal_precompiled_strings(${name})
  endif()
  target_compile_definitions(${name} PRIVATE
    GIMBAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" GIMBAL_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if((GIMBAL_SANITIZE AND T_LABEL MATCHES "nosan|tidy") OR
     (GIMBAL_SANITIZE MATCHES "thread" AND T_LABEL MATCHES "notsan"))
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} RUN_SERIAL ${T_SERIAL})
endfunction()

# gimbal_traced(ROOM...): what the fuzzers steer by, in the rooms they link and in those behind them: without it
# they see the edges of their own file alone.
function(gimbal_traced)
  foreach(room ${ARGN})
    if(NOT TARGET ${room} OR NOT room MATCHES "^gimbal_" OR room STREQUAL "gimbal_flags")
      continue()
    endif()
    get_target_property(type ${room} TYPE)
    get_target_property(traced ${room} GIMBAL_TRACED)
    if(traced OR NOT type STREQUAL "STATIC_LIBRARY")
      continue()
    endif()
    set_target_properties(${room} PROPERTIES GIMBAL_TRACED ON)
    target_compile_options(${room} PRIVATE -fsanitize=fuzzer-no-link)
    get_target_property(links ${room} LINK_LIBRARIES)
    gimbal_traced(${links})
  endforeach()
endfunction()

# gimbal_fuzz(NAME SOURCES ... LINKS ...): a libFuzzer target; with GIMBAL_FUZZ only.
function(gimbal_fuzz name)
  if(NOT GIMBAL_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${F_SOURCES})
  target_link_libraries(${name} PRIVATE gimbal_flags ${F_LINKS})
  gimbal_traced(${F_LINKS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzz_targets)
    add_custom_target(fuzz_targets)
  endif()
  add_dependencies(fuzz_targets ${name})
endfunction()
