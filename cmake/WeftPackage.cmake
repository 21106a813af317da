# What `cmake --install` lays down, the layout that programs look for their model in: bin/, share/weft/model/default,
# share/weft/traces, the editors' plugins, and LibTorch in lib/weft, so that the folder runs on a machine without set-up.
if(NOT TARGET weft OR NOT TARGET weftd)
  return()
endif()
install(TARGETS weft weftd RUNTIME DESTINATION bin)
install(DIRECTORY model/default DESTINATION share/weft/model)
install(DIRECTORY tests/bench/traces DESTINATION share/weft FILES_MATCHING PATTERN "*.jsonl" PATTERN README.md
  PATTERN scenarios EXCLUDE)
install(DIRECTORY editors/nvim DESTINATION share/weft/editors)
install(FILES build/weft-${PROJECT_VERSION}.vsix DESTINATION share/weft/editors OPTIONAL)  # `make package` builds it
install(FILES LICENSE README.md DESTINATION share/doc/weft)
file(GLOB _torch_libraries ${LibTorch_ROOT}/lib/libtorch.so* ${LibTorch_ROOT}/lib/libtorch_cpu.so*
  ${LibTorch_ROOT}/lib/libc10.so* ${LibTorch_ROOT}/lib/libgomp*.so* ${LibTorch_ROOT}/../torch.libs/*.so*)
if(WEFT_WITH_CUDA)
  message(STATUS "package: the CUDA LibTorch is not packaged, programs need the venv that they were built with")
else()
  install(FILES ${_torch_libraries} DESTINATION lib/weft)
  # The run path of the build names the venv, the installed one is next door; the loader must not see the former.
  install(CODE [[
    foreach(program weft weftd)
      file(RPATH_SET FILE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/bin/${program}" NEW_RPATH "$ORIGIN/../lib/weft")
    endforeach()
  ]])
endif()
