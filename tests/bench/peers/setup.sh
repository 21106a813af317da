#!/usr/bin/env bash
# The venv with the peers of `make bench-peers` and `make bench-typing-peers`: llama.cpp and its server compiled for this
# machine (20 minutes on two cores), OpenVINO GenAI, and what makes their models. Nothing else of weft uses it.
#
#   tests/bench/peers/setup.sh VENV
set -euo pipefail
venv=$1
stamp=$venv/installed
[ ! -e "$stamp" ] || exit 0
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
echo "peers: installing into $venv; llama.cpp is compiled, which takes minutes" >&2
CMAKE_ARGS=-DGGML_NATIVE=ON "$venv/bin/python" -m pip install --quiet --progress-bar off \
  --no-binary llama-cpp-python llama-cpp-python==0.3.36
# The server of the very same source, which the wheel leaves out.
sources=$venv/llama-cpp
mkdir -p "$sources"
"$venv/bin/python" -m pip download --quiet --progress-bar off --no-deps --no-binary llama-cpp-python --dest "$sources" \
  llama-cpp-python==0.3.36
tar -xzf "$sources"/llama_cpp_python-*.tar.gz -C "$sources" --strip-components=1
cmake -S "$sources/vendor/llama.cpp" -B "$sources/build" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
  -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_OPENSSL=OFF >"$sources/log"
cmake --build "$sources/build" --target llama-server -j2 >>"$sources/log"
cp "$sources/build/bin/llama-server" "$venv/bin/"
"$venv/bin/python" -m pip install --quiet --progress-bar off torch==2.13.0 openvino==2026.4.1 openvino-genai==2026.4.1.0 \
  openvino-tokenizers==2026.4.1.0 nncf==3.4.0 optimum-intel==2.2.0 transformers==5.5.4 gguf==0.19.0 safetensors==0.8.0
# Comes with optimum-intel, is built for another torch, and would keep transformers from loading; no text model needs it.
"$venv/bin/python" -m pip uninstall --quiet --yes torchvision
touch "$stamp"
