#!/usr/bin/env bash
# Prepares the development container: Deno, a BLAS, software WebGPU, the sandbox, a browser for the tests,
# and the Jupyter kernel.
set -euo pipefail
sudo apt-get -qq update
sudo apt-get -qq -y install --no-install-recommends \
  libopenblas0-pthread libvulkan1 mesa-vulkan-drivers bubblewrap python3-venv \
  chromium fonts-liberation fonts-dejavu-core
sudo npm install --global --silent deno@2.9.6
deno task tunebook kernel install
deno task tunebook doctor
