#!/bin/sh
# A node hands its addresses over and drains before its files go.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --no-reload disable --now tandem.service || true
fi
