# The CUDA build: nvcc from venv-cuda where set-up put it there, else the machine's. Configuring compiles and links a
# program with it; no GPU is needed. weft_library compiles the .cu files of a folder beside its .cc files.
file(GLOB WEFT_NVCC ${WEFT_DEPS}/venv-cuda/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
if(NOT WEFT_NVCC)
  find_program(WEFT_NVCC nvcc REQUIRED)
endif()
set(CMAKE_CUDA_COMPILER ${WEFT_NVCC})
set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
set(CMAKE_CUDA_ARCHITECTURES 80 90)
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)  # not before: what enable_language compiles would want it
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
message(STATUS "nvcc: ${WEFT_NVCC}, ${CMAKE_CUDA_COMPILER_VERSION}")
add_compile_definitions(WEFT_WITH_CUDA)
