# whorl_add_emulated_gpu(TARGET SOURCES…): a library of gpu/*/*.cu compiled by the C++ compiler against gpu/emulated, which
# runs kernels on the processor: for tests where there is no GPU.

function(whorl_add_emulated_gpu target)
  file(GLOB emulation CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/gpu/emulated/*.cpp)
  set(kernels ${ARGN})
  list(FILTER kernels INCLUDE REGEX "\\.cu$")
  set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX)
  add_library(${target} STATIC ${ARGN} ${emulation})
  target_compile_definitions(${target} PRIVATE WHORL_EMULATED_GPU)
  target_include_directories(${target} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/gpu/emulated)
  # nvcc knows #pragma unroll, and lets memory be read as another type than it was written.
  target_compile_options(${target} PRIVATE -Wno-unknown-pragmas -fno-strict-aliasing -g1)
  # Kernels alone: memory they reach outside a buffer, misaligned wide accesses. The rest of the program is not slowed.
  if(WHORL_EMULATED_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${WHORL_EMULATED_SANITIZE} -fno-sanitize-recover=all
                                             -Wno-maybe-uninitialized)
    target_link_options(${target} PUBLIC -fsanitize=${WHORL_EMULATED_SANITIZE})
  endif()
  message(STATUS "GPU: emulated on the processor")
endfunction()
