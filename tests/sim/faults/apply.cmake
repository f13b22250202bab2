# Makes a product source with one fault in it: cmake -DFAULT= -DSOURCE= -DPATCH= -DOUT= -P apply.cmake
find_program(patch_program patch REQUIRED)
execute_process(
  COMMAND ${patch_program} --silent --forward --fuzz=2 --reject-file=- --output=${OUT} ${SOURCE} ${PATCH}
  RESULT_VARIABLE failed OUTPUT_VARIABLE words ERROR_VARIABLE words)
if(failed)
  file(REMOVE ${OUT})
  message(FATAL_ERROR "the fault ${FAULT} no longer applies: ${SOURCE} has changed. Renew ${PATCH} "
    "(tests/sim/faults/README.md says how).\n${words}")
endif()
file(READ ${SOURCE} before)
file(READ ${OUT} after)
if(before STREQUAL after)
  file(REMOVE ${OUT})
  message(FATAL_ERROR "the fault ${FAULT} changes nothing: ${PATCH} is empty")
endif()
