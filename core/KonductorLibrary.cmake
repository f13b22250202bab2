# konductor_library(NAME FOLDER SOURCES a.cpp ... HEADERS a.hpp ... LINK lib ...)
#
# One static library per folder, with the alias konductor::NAME. Headers are included as "FOLDER/file.hpp".
function(konductor_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;LINK;LINK_PRIVATE" ${ARGN})
  add_library(konductor_${name} STATIC ${arg_SOURCES})
  add_library(konductor::${name} ALIAS konductor_${name})
  target_sources(konductor_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/core FILES ${arg_HEADERS})
  target_link_libraries(konductor_${name} PUBLIC ${arg_LINK} PRIVATE konductor_warnings ${arg_LINK_PRIVATE})
endfunction()
