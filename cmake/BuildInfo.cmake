# whorl_build_info(OUTPUT_VARIABLE): sets the variable to a C++ file that says what is being built: the version, the commit ("-dirty" with
# local changes, "unknown" outside git), the build type, the processors and the GPUs. Looked up at every build; rewritten
# only when it changed. Call it when WHORL_MARCH and the GPU's architectures are settled.

function(whorl_build_info result)
  set(generated ${PROJECT_BINARY_DIR}/generated/build_info.cpp)
  set(target ${WHORL_MARCH})
  if(NOT target)
    set(target ${CMAKE_SYSTEM_PROCESSOR})
  endif()
  set(gpu "")
  if(WHORL_HAS_CUDA)
    list(JOIN CMAKE_CUDA_ARCHITECTURES " " gpu)
    set(gpu "CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${gpu}")
  elseif(WHORL_CUDA STREQUAL "EMULATED")
    set(gpu "emulated")
  endif()
  add_custom_target(whorl_build_info BYPRODUCTS ${generated}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION} -DTYPE=${CMAKE_BUILD_TYPE} -DTARGET=${target} -DGPU=${gpu}
            -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/BuildInfoScript.cmake
    COMMENT "" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
