include(${CMAKE_CURRENT_LIST_DIR}/konductor-plugin-apiTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/KonductorPlugin.cmake)
