# whorl_glyphs(OUTPUT_VARIABLE): sets the variable to a C++ file that holds the letters of figures, made by a program that
# is built first and reads DejaVu Sans. The fonts and stb_truetype are needed for building, not for running.

find_path(STB_INCLUDE_DIR stb_truetype.h PATH_SUFFIXES stb)
set(dejavu_folders /usr/share/fonts/truetype/dejavu /usr/share/fonts/TTF /usr/share/fonts/dejavu
                   /usr/share/fonts/dejavu-sans-fonts /usr/local/share/fonts /Library/Fonts)
find_file(WHORL_FONT_REGULAR DejaVuSans.ttf PATHS ${dejavu_folders})
find_file(WHORL_FONT_BOLD DejaVuSans-Bold.ttf PATHS ${dejavu_folders})
mark_as_advanced(STB_INCLUDE_DIR WHORL_FONT_REGULAR WHORL_FONT_BOLD)
if(NOT STB_INCLUDE_DIR)
  message(FATAL_ERROR "stb_truetype.h is missing: install the package libstb-dev, or give its folder as \
-DSTB_INCLUDE_DIR=…")
endif()
if(NOT WHORL_FONT_REGULAR OR NOT WHORL_FONT_BOLD)
  message(FATAL_ERROR "DejaVuSans.ttf and DejaVuSans-Bold.ttf are missing: install the package fonts-dejavu-core, or \
give them as -DWHORL_FONT_REGULAR=… -DWHORL_FONT_BOLD=…")
endif()

function(whorl_glyphs result)
  set(generated ${PROJECT_BINARY_DIR}/generated/glyphs.cpp)
  add_executable(whorl_make_glyphs ${PROJECT_SOURCE_DIR}/viz/glyphs/make_glyphs.cpp)
  target_include_directories(whorl_make_glyphs SYSTEM PRIVATE ${STB_INCLUDE_DIR})
  # A tool of the build, and another's parser: not what sanitizers are to look at.
  target_compile_options(whorl_make_glyphs PRIVATE -fno-sanitize=all)
  target_link_options(whorl_make_glyphs PRIVATE -fno-sanitize=all)
  add_custom_command(OUTPUT ${generated}
    COMMAND whorl_make_glyphs ${generated} ${WHORL_FONT_REGULAR} ${WHORL_FONT_BOLD}
    DEPENDS whorl_make_glyphs ${WHORL_FONT_REGULAR} ${WHORL_FONT_BOLD}
    COMMENT "Reading the letters of figures" VERBATIM)
  set(${result} ${generated} PARENT_SCOPE)
endfunction()
