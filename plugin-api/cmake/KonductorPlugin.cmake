# konductor_add_plugin(NAME SOURCES a.cpp ... [LINK lib ...] [OUTPUT_DIRECTORY dir])
#
# A plugin NAME.so that exports exactly one symbol, konductor_plugin_v1: hidden visibility keeps the plugin's own symbols
# in, the version script also those of static libraries linked into it. It ends up in lib/konductor/1 of the build tree
# unless OUTPUT_DIRECTORY says otherwise.
function(konductor_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES;LINK")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "konductor_add_plugin(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "konductor_add_plugin(${name}): SOURCES is missing")
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/konductor/1)
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE konductor::plugin_api ${arg_LINK})
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    SUFFIX ".so"
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})

  set(version_script ${CMAKE_CURRENT_BINARY_DIR}/${name}.map)
  file(CONFIGURE OUTPUT ${version_script} CONTENT "{\n  global: konductor_plugin_v1;\n  local: *;\n};\n")
  target_link_options(${name} PRIVATE "LINKER:--version-script=${version_script}")
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${version_script})
endfunction()
