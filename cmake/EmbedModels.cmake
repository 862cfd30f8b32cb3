# Writes a C++ file that holds experiments/models: models.toml as text and each .safetensors file as bytes, so that the
# program can show trained models wherever it is.
# Usage: whorl_embed_models(OUTPUT_VARIABLE) sets the variable to the file's path; it is made anew when a model changes.

function(whorl_embed_models result)
  set(list ${PROJECT_SOURCE_DIR}/experiments/models/models.toml)
  file(GLOB models CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/experiments/models/*.safetensors)
  set(generated ${PROJECT_BINARY_DIR}/generated/shipped_files.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DMODELS=${models}" -DLIST=${list} -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedModelsScript.cmake
    DEPENDS ${list} ${models} ${PROJECT_SOURCE_DIR}/cmake/EmbedModelsScript.cmake
    COMMENT "Embedding the trained models" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
