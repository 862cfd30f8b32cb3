# whorl_enable_cuda(): sets WHORL_HAS_CUDA and enables the language when WHORL_CUDA asks for it.
# AUTO  only where the driver shows a GPU that this code supports, and for that GPU alone: compiling for others takes
#       ten minutes and more of two processor cores. Otherwise the build is the processor's and says so in one line.
# ON    insists, GPU or not.
# WHORL_CUDA_ARCHITECTURES (as CMAKE_CUDA_ARCHITECTURES) replaces the list, for a build that is to travel.

include(${CMAKE_CURRENT_LIST_DIR}/WhorlGpu.cmake)

set(WHORL_CUDA_OLDEST 12.4)  # the first whose C++20 and CUB this code relies on

# Why there is no usable toolkit goes to `reason`; empty when there is one.
function(whorl_find_toolkit reason)
  set(${reason} "" PARENT_SCOPE)
  # CMake looks on PATH only, where the toolkit's installer does not put nvcc. CUDACXX names one outright, as for CMake.
  find_program(WHORL_NVCC NAMES $ENV{CUDACXX} nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda /opt/cuda
               PATH_SUFFIXES bin)
  mark_as_advanced(WHORL_NVCC)
  if(NOT WHORL_NVCC)
    set(${reason} "no nvcc found" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${WHORL_NVCC} --version OUTPUT_VARIABLE output ERROR_QUIET)
  if(NOT output MATCHES "release ([0-9]+\\.[0-9]+)")
    set(${reason} "${WHORL_NVCC} does not run" PARENT_SCOPE)
  elseif(CMAKE_MATCH_1 VERSION_LESS WHORL_CUDA_OLDEST)
    set(${reason} "CUDA ${CMAKE_MATCH_1} found, ${WHORL_CUDA_OLDEST} or newer needed" PARENT_SCOPE)
  endif()
endfunction()

# Asks in a project of its own, where a toolkit that does not get on with the host compiler may fail.
function(whorl_check_toolkit reason)
  set(ENV{CUDACXX} ${WHORL_NVCC})
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(${reason} "${WHORL_NVCC} cannot compile with this host compiler" PARENT_SCOPE)
  endif()
endfunction()

# Sets `list` to what to compile for, or `reason` to why nothing. The toolkit comes first: without one, no GPU matters.
function(whorl_decide_cuda list reason)
  set(${list} "" PARENT_SCOPE)
  set(why "")
  if(NOT WHORL_CUDA)
    set(why "WHORL_CUDA is OFF")
  else()
    whorl_find_toolkit(why)
  endif()
  if(NOT why)
    whorl_cuda_architectures(found why)
    set(${list} "${found}" PARENT_SCOPE)
  endif()
  set(${reason} "${why}" PARENT_SCOPE)
endfunction()

macro(whorl_enable_cuda)
  whorl_decide_cuda(whorl_architectures whorl_no_cuda)
  if(NOT whorl_no_cuda)
    whorl_check_toolkit(whorl_no_cuda)
  endif()
  if(NOT whorl_no_cuda)
    set(WHORL_HAS_CUDA ON)
    set(CMAKE_CUDA_ARCHITECTURES ${whorl_architectures})
    enable_language(CUDA)
    # CMake 3.25 stops at C++17; nvcc has had -std=c++20 since 12.0.
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
    if(NOT "cuda_std_20" IN_LIST CMAKE_CUDA_COMPILE_FEATURES)
      list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
    endif()
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    message(STATUS "GPU: CUDA ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(WHORL_CUDA STREQUAL "AUTO")
    message(STATUS "GPU: none, building for the processor (${whorl_no_cuda}); -DWHORL_CUDA=ON insists, with \
-DWHORL_CUDA_ARCHITECTURES=LIST for other machines")
  elseif(WHORL_CUDA)
    message(FATAL_ERROR "WHORL_CUDA is ON, but: ${whorl_no_cuda}")
  endif()
endmacro()
