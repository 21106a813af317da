# TreeSitter::grammars: the tree-sitter core and the grammars, one static library, from the npm packages that
# cmake/grammars pins and set-up puts into WEFT_DEPS/grammars. Not our code: none of our warnings, headers as SYSTEM.
# A further language is one more name in WEFT_GRAMMARS and one more line in cmake/grammars/package.json.
set(WEFT_GRAMMARS python)

set(_modules ${WEFT_DEPS}/grammars/node_modules)
set(_core ${_modules}/tree-sitter/vendor/tree-sitter/lib)
set(_sources ${_core}/src/lib.c)
foreach(language ${WEFT_GRAMMARS})
  set(_grammar ${_modules}/tree-sitter-${language}/src)
  list(APPEND _sources ${_grammar}/parser.c)
  if(EXISTS ${_grammar}/scanner.c)
    list(APPEND _sources ${_grammar}/scanner.c)
  endif()
endforeach()
foreach(source ${_sources})
  if(NOT EXISTS ${source})
    message(FATAL_ERROR "no grammar source ${source}: run `make setup`")
  endif()
endforeach()

if(NOT TARGET TreeSitter::grammars)
  add_library(weft_grammars STATIC ${_sources})
  add_library(TreeSitter::grammars ALIAS weft_grammars)
  target_include_directories(weft_grammars SYSTEM PUBLIC ${_core}/include PRIVATE ${_core}/src)
  target_compile_definitions(weft_grammars PRIVATE _POSIX_C_SOURCE=200112L _DEFAULT_SOURCE)
  target_compile_options(weft_grammars PRIVATE -w)
  set_target_properties(weft_grammars PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON)
endif()
