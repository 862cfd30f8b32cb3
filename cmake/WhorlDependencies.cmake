# Libraries from the distribution, and nothing else: no downloads. The program must load nothing but libc, libm,
# libstdc++ and libgcc_s, so that it runs on machines where none of this is installed; hence static or header-only here.

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.74 CONFIG REQUIRED COMPONENTS program_options)

# GCC has no -static-libgomp. FindOpenMP takes the file to link from OpenMP_gomp_LIBRARY, so name the archive there.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libgomp.a
                  OUTPUT_VARIABLE libgomp OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(IS_ABSOLUTE "${libgomp}")  # GCC prints the bare name when it has no such file
    set(OpenMP_gomp_LIBRARY ${libgomp} CACHE FILEPATH "The OpenMP runtime, linked statically")
  endif()
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)

# Distributions disagree on whether toml++ is a library; its headers are enough everywhere.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

add_library(whorl_headers INTERFACE)
target_include_directories(whorl_headers SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR} ${XXHASH_INCLUDE_DIR})
# Empty, so that a file which writes `#define XXH_INLINE_ALL` itself does not redefine it.
target_compile_definitions(whorl_headers INTERFACE XXH_INLINE_ALL=)
target_link_libraries(whorl_headers INTERFACE nlohmann_json::nlohmann_json)
# Distributions ship fmt as a shared library, which the program must not load, or as headers, which cost two seconds in
# every file that formats. So core/io/fmt_library.cpp compiles it once; it knows what versions 9 and 10 have to hold.
if(fmt_VERSION VERSION_LESS 11)
  target_include_directories(whorl_headers SYSTEM INTERFACE
                             $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  target_link_libraries(whorl_headers INTERFACE fmt::fmt-header-only)
endif()
