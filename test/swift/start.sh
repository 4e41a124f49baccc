#!/usr/bin/env bash
# start.sh FOLDER: starts Swift with its S3 API on a free port of this machine alone, all of it in FOLDER, and
# prints what tests need as exports. One device, one replica: this is for tests. stop.sh FOLDER ends it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"/{devices/d1,cache,log}
folder=$(cd "$folder" && pwd)

# Held open together until all are known, so that they differ.
read -r proxy account container object memcached < <(/usr/bin/python3 -c '
import socket
held = [socket.socket() for _ in range(5)]
for each in held:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in held))')

for kind in account container object; do
  ring=$folder/$kind.builder
  swift-ring-builder "$ring" create 4 1 0
  swift-ring-builder "$ring" add "r1z1-127.0.0.1:${!kind}/d1" 1
  swift-ring-builder "$ring" rebalance
done > "$folder/log/rings" 2>&1

common="bind_ip = 127.0.0.1
workers = 0
user = $(id -un)
swift_dir = $folder
devices = $folder/devices
mount_check = false
recon_cache_path = $folder/cache"

for kind in account container object; do
  cat > "$folder/$kind-server.conf" << END
[DEFAULT]
$common
bind_port = ${!kind}
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
END
done
cat > "$folder/proxy-server.conf" << END
[DEFAULT]
$common
bind_port = $proxy
[pipeline:main]
pipeline = catch_errors proxy-logging cache s3api tempauth copy bulk slo dlo symlink versioned_writes proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_rollcall_tests = rollcall-secret .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$memcached
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = false
END
for filter in catch_errors proxy-logging copy bulk slo dlo symlink; do
  printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "${filter//-/_}"
done >> "$folder/proxy-server.conf"

# What is started here holds none of the caller's files open, and is no part of its group of processes.
start() {
  setsid "$@" < /dev/null > "$folder/log/${1##*/}" 2>&1 &
  echo $! >> "$folder/pids"
}
trap '[ $? -eq 0 ] || { tail -n 5 "$folder"/log/* >&2; "$here/stop.sh" "$folder"; }' EXIT
start memcached -u "$(id -un)" -l 127.0.0.1 -p "$memcached" -m 16
for kind in account container object; do start "swift-$kind-server" "$folder/$kind-server.conf"; done
start swift-proxy-server "$folder/proxy-server.conf"

for kind in account container object proxy; do
  # Any answer will do: that there is one says that it listens.
  until timeout 5 bash -c "exec 3<> /dev/tcp/127.0.0.1/${!kind} && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && read -r _ <&3" 2> /dev/null; do
    if [ "$SECONDS" -ge 60 ]; then
      echo "swift-$kind-server does not answer" >&2
      exit 1
    fi
    sleep 0.1
  done
done
cat << END
export ROLLCALL_TEST_S3=http://127.0.0.1:$proxy
export AWS_ACCESS_KEY_ID=rollcall:tests
export AWS_SECRET_ACCESS_KEY=rollcall-secret
END
