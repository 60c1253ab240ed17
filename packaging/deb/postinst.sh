#!/bin/sh
# The user, the rights of the configuration, and the kernel settings. Neither enables nor starts the service: first
# its configuration must be written; and an update leaves a node that runs as it is.
set -e
if [ "$1" = configure ]; then
  systemd-sysusers /usr/lib/sysusers.d/tandem.conf
  systemd-tmpfiles --create /usr/lib/tmpfiles.d/tandem.conf
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    /lib/systemd/systemd-sysctl 60-tandem.conf || true
  fi
fi
