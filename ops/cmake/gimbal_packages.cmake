# Debian 12 packages; ops/setup installs them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(tomlplusplus QUIET)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBURING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED)

# Third-party headers are not ours to warn about.
add_library(gimbal_beast INTERFACE)
target_include_directories(gimbal_beast SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_link_libraries(gimbal_beast INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_compile_definitions(gimbal_beast INTERFACE BOOST_ALLOW_DEPRECATED_HEADERS)
if(GIMBAL_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Asio uses fences, which ThreadSanitizer does not model; our own code has none.
  target_compile_options(gimbal_beast INTERFACE -Wno-tsan)
endif()

add_library(gimbal_toml INTERFACE)
target_compile_definitions(gimbal_toml INTERFACE TOML_EXCEPTIONS=1)

if(GIMBAL_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(GIMBAL_BENCH)
  find_package(benchmark REQUIRED)
endif()
