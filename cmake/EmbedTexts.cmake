# Writes a C++ file that holds experiments/FOLDER/*.toml as strings, so that the program works far from its sources:
# recipes, tables, and the rules of claims. Usage: whorl_embed_texts(FOLDER OUTPUT_VARIABLE) sets the variable to the
# file's path, which defines built_in_FOLDER() of app/run/built_in.hpp; it is made anew when a file changes.

function(whorl_embed_texts folder result)
  file(GLOB texts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/experiments/${folder}/*.toml)
  set(generated ${PROJECT_BINARY_DIR}/generated/built_in_${folder}.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DTEXTS=${texts}" -DFOLDER=${folder} -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedTextsScript.cmake
    DEPENDS ${texts} ${PROJECT_SOURCE_DIR}/cmake/EmbedTextsScript.cmake
    COMMENT "Embedding the ${folder}" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
