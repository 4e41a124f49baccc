#!/usr/bin/env bash
# stop.sh FOLDER: ends what start.sh started in FOLDER, by its process ids alone, and removes the folder.
set -uo pipefail
folder=$1
if [ -e "$folder/pids" ]; then
  mapfile -t pids < "$folder/pids"
  kill "${pids[@]}" 2> /dev/null
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "${pids[@]}" 2> /dev/null || break
    sleep 0.1
  done
  kill -9 "${pids[@]}" 2> /dev/null
fi
rm -rf "$folder"
