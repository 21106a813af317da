# LibTorch::headers and LibTorch::link from the torch wheel in WEFT_DEPS (venv: CPU build, venv-cuda: CUDA build, which
# also gives LibTorch::cudart and LibTorch::nccl).
# Headers go in with -idirafter: the wheel carries its own fmt, which must not shadow the system's.
set(_venv ${WEFT_DEPS}/venv)
if(WEFT_WITH_CUDA)
  set(_venv ${WEFT_DEPS}/venv-cuda)
endif()
file(GLOB _roots ${_venv}/lib/python3*/site-packages/torch)
find_path(LibTorch_ROOT include/ATen/ATen.h PATHS ${_roots} NO_DEFAULT_PATH NO_CACHE)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_ROOT
  REASON_FAILURE_MESSAGE "no torch wheel in ${_venv}: run `make setup`")
if(LibTorch_FOUND AND NOT TARGET LibTorch::link)
  add_library(LibTorch::headers INTERFACE IMPORTED)
  foreach(_include include include/torch/csrc/api/include)
    target_compile_options(LibTorch::headers INTERFACE
      "$<$<COMPILE_LANGUAGE:C,CXX>:SHELL:-idirafter ${LibTorch_ROOT}/${_include}>")
  endforeach()
  add_library(LibTorch::link INTERFACE IMPORTED)
  set(_libs torch torch_cpu c10)
  if(WEFT_WITH_CUDA)
    list(APPEND _libs torch_cuda c10_cuda)
    # The wheels that the torch wheel brings along. The compiler's own headers come first: only they have crt/.
    set(_nvidia ${LibTorch_ROOT}/../nvidia)
    add_library(LibTorch::cudart INTERFACE IMPORTED)
    target_include_directories(LibTorch::cudart SYSTEM INTERFACE
      ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} ${_nvidia}/cu13/include)
    target_link_options(LibTorch::cudart INTERFACE -Wl,-rpath,${_nvidia}/cu13/lib)
    target_link_libraries(LibTorch::cudart INTERFACE ${_nvidia}/cu13/lib/libcudart.so.13)
    add_library(LibTorch::nccl INTERFACE IMPORTED)
    target_include_directories(LibTorch::nccl SYSTEM INTERFACE ${_nvidia}/nccl/include)
    target_link_options(LibTorch::nccl INTERFACE -Wl,-rpath,${_nvidia}/nccl/lib)
    target_link_libraries(LibTorch::nccl INTERFACE ${_nvidia}/nccl/lib/libnccl.so.2 LibTorch::cudart)
  endif()
  list(TRANSFORM _libs PREPEND -l)
  target_link_options(LibTorch::link INTERFACE -L${LibTorch_ROOT}/lib -Wl,-rpath,${LibTorch_ROOT}/lib)
  target_link_libraries(LibTorch::link INTERFACE -Wl,--no-as-needed ${_libs} -Wl,--as-needed)
endif()
