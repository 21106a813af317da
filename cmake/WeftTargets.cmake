# Compiler settings and the two helpers that every folder uses: weft_library and weft_test.
# Both collect the folder's own sources, so that adding a file needs no CMake change.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(WEFT_CCACHE ccache)
if(WEFT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${WEFT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WEFT_CCACHE})
endif()
find_program(WEFT_MOLD mold)
if(WEFT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(WEFT_SANITIZE)
  add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WEFT_SANITIZE})
  if(WEFT_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-error=tsan)  # GCC warns of every fence, which Asio uses
  endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(WEFT_DEBUG_CHECKS)
endif()

set(WEFT_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Werror)

# weft_library(NAME DIR [TORCH] [DEPS ...]): the .cc files of one folder, not of its subfolders.
# Without TORCH neither the library nor what links it sees LibTorch's headers.
function(weft_library name dir)
  cmake_parse_arguments(arg "TORCH" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.cc)
  if(arg_TORCH AND NOT WEFT_WITH_TORCH)
    return()
  endif()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${WEFT_WARNINGS})
  target_link_libraries(${name} PUBLIC ${arg_DEPS})
  if(arg_TORCH)
    # Headers stay private to the library; the link dependency travels.
    target_link_libraries(${name} PRIVATE LibTorch::headers PUBLIC LibTorch::link)
  endif()
endfunction()

# weft_test(NAME DIR [TORCH] [DEPS ...]): one GoogleTest program of a folder's *_test.cc; CTest names are NAME.Suite.Test.
function(weft_test name dir)
  cmake_parse_arguments(arg "TORCH" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*_test.cc)
  if(NOT sources OR (arg_TORCH AND NOT WEFT_WITH_TORCH))
    return()
  endif()
  string(REPLACE "." "_" target "test_${name}")
  add_executable(${target} ${sources})
  target_compile_options(${target} PRIVATE ${WEFT_WARNINGS})
  target_compile_definitions(${target} PRIVATE WEFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" WEFT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${target} PRIVATE ${arg_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(arg_TORCH)
    target_link_libraries(${target} PRIVATE LibTorch::headers LibTorch::link)
  endif()
  add_test(NAME ${name} COMMAND ${target})
  # A folder of the build's own, so that the tests of two builds do not meet; and threads that sleep while they wait, since
  # the tests beside this one want the processor too.
  set(scratch ${CMAKE_BINARY_DIR}/tests/scratch/)
  file(MAKE_DIRECTORY ${scratch})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "TEST_TMPDIR=${scratch};TMPDIR=${scratch};OMP_WAIT_POLICY=passive")
endfunction()
