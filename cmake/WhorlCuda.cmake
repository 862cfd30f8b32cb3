# whorl_enable_cuda(): sets WHORL_HAS_CUDA, enabling the language when a toolkit is found that can compile this code.
# Without one the build goes on for the CPU and says so in one line, unless WHORL_CUDA is ON.

set(WHORL_CUDA_OLDEST 12.4)  # the first whose C++20 and CUB this code relies on

# Why there is no usable toolkit goes to `reason`; empty when there is one.
function(whorl_find_cuda reason)
  set(${reason} "" PARENT_SCOPE)
  if(NOT WHORL_CUDA)
    set(${reason} "WHORL_CUDA is OFF" PARENT_SCOPE)
    return()
  endif()
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
  else()
    # Asks in a project of its own, where a toolkit that does not get on with the host compiler may fail.
    set(ENV{CUDACXX} ${WHORL_NVCC})
    include(CheckLanguage)
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER)
      set(${reason} "${WHORL_NVCC} cannot compile with this host compiler" PARENT_SCOPE)
    endif()
  endif()
endfunction()

macro(whorl_enable_cuda)
  whorl_find_cuda(whorl_no_cuda)
  if(NOT whorl_no_cuda)
    set(WHORL_HAS_CUDA ON)
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 75-virtual 90-real)  # machine code for Hopper, PTX for everything else since Turing
    endif()
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
    message(STATUS "GPU: none, building for the CPU (${whorl_no_cuda})")
  elseif(WHORL_CUDA)
    message(FATAL_ERROR "WHORL_CUDA is ON, but: ${whorl_no_cuda}")
  endif()
endmacro()
