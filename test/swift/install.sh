#!/usr/bin/env bash
# Installs OpenStack Swift and memcached from Debian's packages, where they are missing. Needs root.
set -euo pipefail
packages=(swift-proxy swift-account swift-container swift-object memcached)
if ! dpkg --status "${packages[@]}" > /dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # Debian starts what it installs; here nothing but what start.sh starts may run.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  timeout 300 apt-get update -qq
  timeout 600 apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
fi
