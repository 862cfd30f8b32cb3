# whorl_options: what every file of Whorl is compiled with. Nothing here but flags.

# Warnings are errors with the compilers that this is tested with. A newer one may know new warnings, and those must not
# stop a user from building.
if(NOT DEFINED CMAKE_COMPILE_WARNING_AS_ERROR)
  set(newest_GNU 15)
  set(newest_Clang 20)
  set(too_new ${newest_${CMAKE_CXX_COMPILER_ID}})
  if(too_new AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS too_new)
    set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
  endif()
endif()

set(WHORL_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC guesses these from inlined library code (mostly strings); which guesses are wrong changes with its version, and
  # sanitizers find the real ones.
  list(APPEND WHORL_WARNINGS -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
                             -Wno-error=maybe-uninitialized)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Wrong at every "text" + std::string (GCC bug 105651).
    list(APPEND WHORL_WARNINGS -Wno-restrict)
  else()
    list(APPEND WHORL_WARNINGS -Wno-dangling-reference)  # suspects every reference from a function of a temporary
  endif()
  if(WHORL_SANITIZE)
    list(APPEND WHORL_WARNINGS -Wno-maybe-uninitialized)  # takes the inserted checks for paths that the code has
  endif()
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # "Loop not vectorized" is news about speed, and the rule wherever a sanitizer instruments the loop.
  list(APPEND WHORL_WARNINGS -Wno-pass-failed)
endif()

if(WHORL_NATIVE AND WHORL_BASELINE)
  message(FATAL_ERROR "WHORL_NATIVE and WHORL_BASELINE contradict each other: choose one")
endif()
set(WHORL_MARCH "")
if(WHORL_NATIVE)
  set(WHORL_MARCH native)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(WHORL_MARCH x86-64-v3)
  if(WHORL_BASELINE)
    set(WHORL_MARCH x86-64)
  endif()
endif()

# No code here reads errno or the floating-point exception flags after arithmetic; giving both up lets loops vectorise
# and changes no result. -ffast-math would change results, and is never used.
# Products are fused with sums only where the source says fma: which others a compiler would fuse changes with its
# version, and between a loop's vector body and its tail.
set(code_flags -fno-math-errno -fno-trapping-math -ffp-contract=off)
if(WHORL_MARCH)
  list(APPEND code_flags -march=${WHORL_MARCH})
endif()

# ccache asks for this where headers come precompiled; and for CCACHE_SLOPPINESS=pch_defines,time_macros.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND pch_flags -fpch-preprocess)
endif()

add_library(whorl_options INTERFACE)
target_include_directories(whorl_options INTERFACE ${PROJECT_SOURCE_DIR})
# nvcc hands what follows -Xcompiler to the host compiler.
list(JOIN WHORL_WARNINGS "," cuda_warnings)
list(JOIN code_flags "," cuda_code_flags)
target_compile_options(whorl_options INTERFACE
  "$<$<COMPILE_LANGUAGE:C,CXX>:${WHORL_WARNINGS};${code_flags};${pch_flags}>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${cuda_warnings},${cuda_code_flags}>")

if(WHORL_SANITIZE)
  add_compile_options(-fsanitize=${WHORL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WHORL_SANITIZE})
endif()
if(WHORL_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "WHORL_FUZZ needs Clang: configure with --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
