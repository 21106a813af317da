# The CUDA build: nvcc from venv-cuda where set-up put it there, else the machine's. Configuring compiles and links a
# program with it; no GPU is needed. weft_library compiles the .cu files of a folder beside its .cc files.
file(GLOB _nvcc ${WEFT_DEPS}/venv-cuda/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
if(NOT _nvcc)
  find_program(WEFT_NVCC nvcc REQUIRED)
  set(_nvcc ${WEFT_NVCC})
endif()
set(CMAKE_CUDA_COMPILER ${_nvcc})
set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
set(CMAKE_CUDA_ARCHITECTURES 80 90)
set(CMAKE_CUDA_STANDARD 17)  # of CUDA, CMake 3.25 knows no later one
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # LibTorch's own, LibTorch::cudart: one runtime in the process
enable_language(CUDA)
message(STATUS "nvcc: ${_nvcc}, ${CMAKE_CUDA_COMPILER_VERSION}")
add_compile_definitions(WEFT_WITH_CUDA)
