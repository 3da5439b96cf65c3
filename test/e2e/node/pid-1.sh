#!/bin/bash
# Pid 1 of the node's namespaces: runs a command, buries whom the others leave, and ends with the command's exit code. When it ends, so does
# everything in these namespaces: processes, mounts, network devices, rules.
set -euo pipefail
# The kubelet's mounts reach containers; nothing reaches the machine outside.
mount --make-rshared /
"$@" &
command=$!
trap 'kill -TERM "$command" 2>/dev/null || true' TERM INT
code=0
wait "$command" || code=$?
# A signal ends the wait, not the command.
while kill -0 "$command" 2>/dev/null; do
  code=0
  wait "$command" || code=$?
done
exit "$code"
