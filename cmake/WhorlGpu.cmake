# Which GPU architectures to compile for, by what WHORL_CUDA and WHORL_CUDA_ARCHITECTURES say and the driver shows.

set(WHORL_PTX 80-virtual)  # runs on every GPU since Ampere: the matrix code asks for nothing newer
if(NOT WHORL_NVIDIA_SMI_SECONDS)
  set(WHORL_NVIDIA_SMI_SECONDS 20)  # a driver that starts up takes some; a broken one would be waited for without end
endif()

# Compute capabilities that the driver shows, such as 9.0, each once; empty without a driver, a GPU or an answer.
function(whorl_gpu_capabilities result)
  set(${result} "" PARENT_SCOPE)
  # /usr/lib/wsl: Windows' own, seen from its Linux. A toolkit's installer puts none of these on PATH.
  find_program(WHORL_NVIDIA_SMI nvidia-smi PATHS /usr/bin /usr/local/bin /usr/lib/wsl/lib /opt/bin
               /run/nvidia/driver/usr/bin /usr/local/nvidia/bin NO_CACHE)
  if(NOT WHORL_NVIDIA_SMI)
    return()
  endif()
  # A driver that does not match its library answers with an error, a GPU that has fallen off the bus with nothing.
  execute_process(COMMAND ${WHORL_NVIDIA_SMI} --query-gpu=compute_cap --format=csv,noheader
                  TIMEOUT ${WHORL_NVIDIA_SMI_SECONDS} OUTPUT_VARIABLE output ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status STREQUAL "0")
    return()
  endif()
  string(REGEX REPLACE "[\r\n]+" ";" lines "${output}")
  list(TRANSFORM lines STRIP)
  list(FILTER lines INCLUDE REGEX "^[0-9]+\\.[0-9]$")
  list(REMOVE_DUPLICATES lines)
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

# Whether the toolkit's compiler knows a GPU: one that is newer than the toolkit it does not, but PTX runs there, too.
function(whorl_toolkit_knows number result)
  execute_process(COMMAND ${WHORL_NVCC} --list-gpu-code OUTPUT_VARIABLE codes ERROR_QUIET)
  if(codes MATCHES "sm_${number}[^0-9]")
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Sets `list` for CMAKE_CUDA_ARCHITECTURES, or `reason` to why AUTO builds for the processor.
function(whorl_cuda_architectures list reason)
  set(${list} "" PARENT_SCOPE)
  set(${reason} "" PARENT_SCOPE)
  if(WHORL_CUDA_ARCHITECTURES)
    set(${list} "${WHORL_CUDA_ARCHITECTURES}" PARENT_SCOPE)
    return()
  endif()
  whorl_gpu_capabilities(shown)
  list(JOIN shown ", " text)
  set(why "the driver shows no GPU")
  if(shown)
    set(why "compute capability ${text} is older than 8.0; 7.5 works with -DWHORL_CUDA_ARCHITECTURES=75")
  endif()
  set(found ${WHORL_PTX})
  foreach(capability IN LISTS shown)
    string(REPLACE "." "" number ${capability})
    if(capability VERSION_LESS 8.0)
      continue()
    endif()
    set(why "")
    whorl_toolkit_knows(${number} known)
    if(known)
      list(APPEND found ${number}-real)
    endif()
  endforeach()
  if(why AND WHORL_CUDA STREQUAL "AUTO")
    set(${reason} "${why}" PARENT_SCOPE)
    return()
  elseif(why)
    list(APPEND found 90-real)  # Hopper, where this code is measured
  endif()
  set(${list} "${found}" PARENT_SCOPE)
endfunction()
