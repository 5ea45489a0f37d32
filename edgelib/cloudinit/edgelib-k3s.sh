#!/bin/bash
# Brings K3s up on this node. It reads /etc/edgelib/k3s.env and /etc/edgelib/parameters (see edgelib/cloudinit/k3s.py), waits for
# what is not there yet, within bounds, and can be run again at any time. Whole-line comments are not part of the user data.
set -Eeuo pipefail
# shellcheck source=/dev/null
. /etc/edgelib/k3s.env
phase=begin reason='' why=''
server=/var/lib/rancher/k3s/server
join=/etc/rancher/k3s/config.yaml.d/20-join.yaml
marker=/var/lib/edgelib/k3s.done
imds=http://169.254.169.254/latest
unit=k3s
if [ "$ROLE" = agent ]; then unit=k3s-agent; fi

log() { echo "edgelib-k3s: $phase: $*"; }
die() {
  reason=$*
  exit 1
}
trap 'reason=${reason:-"exit status $? of: $BASH_COMMAND"}' ERR
trap '[ $? = 0 ] || log "FAILED: ${reason:-stopped}"' EXIT
trap 'die "stopped while waiting: $why"' TERM INT

# retry TRIES WHAT COMMAND...: runs COMMAND, which may set why, until it succeeds; between tries 1, 2, 4, 8, then 15 seconds
retry() {
  local tries=$1 what=$2 try delay=1
  shift 2
  for ((try = 1; ; try++)); do
    why=''
    if "$@"; then return; fi
    if ((try == tries)); then die "no $what after $tries tries${why:+: $why}"; fi
    log "waiting for $what ($try of $tries)${why:+: $why}"
    sleep "$delay"
    delay=$((delay < 8 ? delay * 2 : 15))
  done
}

has_mtu() { [ "$(cat "/sys/class/net/$nic/mtu")" = "$NIC_MTU" ]; }
set_mtu() {
  phase=mtu
  nic=$(ip -4 route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  if [ -z "$nic" ]; then die "no default route"; fi
  for setting in "mtu=$NIC_MTU" dhcp4-overrides.use-mtu=false; do
    netplan set --origin-hint=60-edgelib "ethernets.$nic.$setting"
  done
  if ! has_mtu; then netplan apply; fi
  retry 20 "MTU $NIC_MTU on $nic" has_mtu
}

# A blank volume that is encrypted reads as noise, in which blkid may see a partition table that the kernel does not. A file system
# whose beginning was lost still has ext4's second superblock.
is_blank() {
  [ -z "$type" ] && [ "$code" != 8 ] && [ "$(lsblk -nro NAME "$1" | wc -l)" = 1 ] && [[ $second != *'Filesystem volume name'* ]]
}
make_filesystem() {
  local type second code=0
  type=$(blkid -p -u filesystem,raid,crypto,other -s TYPE -o value "$1") || code=$?
  second=$(dumpe2fs -h -o superblock=32768 -o blocksize=4096 "$1" 2>/dev/null) || true
  if is_blank "$1"; then
    log "ext4 for the empty disk $DATASTORE_VOLUME"
    mkfs.ext4 -q "$1"
  elif [ "$type" != ext4 ]; then
    die "$DATASTORE_VOLUME holds ${type:-unknown data}, not ext4, and is left as it is; attach an empty volume"
  fi
}
mount_datastore() {
  phase=datastore
  local disk=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${DATASTORE_VOLUME/-/}
  if ! mountpoint -q "$server"; then
    retry 40 "attached volume $DATASTORE_VOLUME" test -e "$disk"
    make_filesystem "$disk"
    mkdir -p "$server"
    grep -q " $server " /etc/fstab || echo "$disk $server ext4 nofail,x-systemd.growfs 0 2" >>/etc/fstab
    systemctl daemon-reload
    mount "$server"
    resize2fs "$disk" >/dev/null
  fi
  # without its disk K3s would begin anew on the root disk
  mkdir -p /etc/systemd/system/k3s.service.d
  printf '[Unit]\nRequiresMountsFor=%s\n' "$server" >/etc/systemd/system/k3s.service.d/edgelib.conf
}
# K3s refuses to start with files newer than its datastore's, so equal ones stay as they are.
install_certificates() {
  phase=certificates
  local name
  install -d -m 700 "$server" "$server/tls" "$server/tls/etcd"
  cd /etc/edgelib/k3s/tls
  for name in *.crt etcd/*.crt; do
    cmp -s "$name" "$server/tls/$name" || install -m 644 "$name" "$server/tls/$name"
  done
  cd /
}

# Secrets travel by standard input, out of the process list's sight.
metadata() { printf 'header = "X-aws-ec2-metadata-token: %s"' "$token" | curl -sf -m 5 -K - "$imds/meta-data/$1"; }
fetch() {
  local token profile credentials
  why='no token from the instance metadata service'
  token=$(curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/api/token") || return
  why='the instance has no role credentials yet'
  profile=$(metadata iam/security-credentials/) || return
  credentials=$(metadata "iam/security-credentials/$profile") || return
  # curl's 22 is an error of SSM's, whose text is no secret
  why=$(printf %s "$credentials" | python3 -c '
import json, os, subprocess, sys
key = json.load(sys.stdin)
files = [line.split() for line in open("/etc/edgelib/parameters")]
options = {
 "user": key["AccessKeyId"] + ":" + key["SecretAccessKey"],
 "header": "X-Amz-Security-Token: " + key["Token"],
 "data": json.dumps({"Names": [name for _, name in files], "WithDecryption": True}),
}
config = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
done = subprocess.run(["curl", *sys.argv[1:]], input=config, capture_output=True, text=True)
if done.returncode:
 sys.exit("SSM: " + (done.stdout[:300] if done.returncode == 22 else done.stderr))
answer = json.loads(done.stdout)
if answer["InvalidParameters"]:
 sys.exit("SSM does not have " + ", ".join(answer["InvalidParameters"]))
values = {found["Name"]: found["Value"] for found in answer["Parameters"]}
for path, name in files:
 os.makedirs(os.path.dirname(path), exist_ok=True)
 if os.path.exists(path) and open(path).read() == values[name]:
  continue
 with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
  file.write(values[name])
 os.replace(path + ".new", path)
' -sS -m 20 --fail-with-body -K - --aws-sigv4 "aws:amz:$AWS_REGION:ssm" -H 'Content-Type: application/x-amz-json-1.1' \
    -H 'X-Amz-Target: AmazonSSM.GetParameters' "${SSM_ENDPOINT:-https://ssm.$AWS_REGION.amazonaws.com}/" 2>&1)
}

serves() {
  why='nothing serves there yet'
  curl -skf -m 5 -o /dev/null "$1/ping"
}
# The disk of the first server is empty: if others serve, it was lost, and beginning anew would make a second cluster.
ask_peers() {
  phase=peers
  local peer
  log "asking $PEERS for a cluster to join"
  for _ in 1 2; do
    for peer in $PEERS; do
      if serves "https://$peer:6443"; then
        log "joining the cluster of $peer"
        mkdir -p "${join%/*}"
        printf 'server: https://%s:6443\ncluster-init: false\n' "$peer" >"$join"
        return
      fi
    done
  done
  log "none serves: beginning the cluster"
}

is_installed() {
  [ -e "/etc/systemd/system/$unit.service" ] && [[ $(k3s --version) == "k3s version $K3S_VERSION "* ]]
}
run_installer() {
  why="cannot download $1"
  curl -sfL -m 60 -o /run/edgelib-k3s-install "$1" || return
  why='the installer failed, see above'
  INSTALL_K3S_VERSION=$K3S_VERSION INSTALL_K3S_EXEC=$ROLE INSTALL_K3S_SKIP_START=true \
    GITHUB_URL=${INSTALL_URL:-https://github.com/k3s-io/k3s/releases} timeout 600 sh /run/edgelib-k3s-install 2>&1
}

is_up() {
  if systemctl -q is-active "$unit"; then return; fi
  why=$(journalctl -u "$unit" -n 1 -o cat --no-pager 2>&1)
  return 1
}

if [ -e "$marker" ]; then
  log "K3s came up at an earlier boot: nothing to do"
  exit
fi
if [ -n "${NIC_MTU:-}" ]; then set_mtu; fi
if [ "$ROLE" = server ]; then
  mount_datastore
  install_certificates
fi
phase=parameters
retry 30 "parameters of this node" fetch
# etcd that has data knows its members: it must come up even if no other does
if [ ! -e "$server/db/etcd/member/wal" ] && [ ! -e "$join" ]; then
  if [ -n "${PEERS:-}" ]; then ask_peers; fi
  phase=server
  if [ -n "${SERVER_URL:-}" ]; then retry 60 "answer from $SERVER_URL" serves "$SERVER_URL"; fi
fi
phase=install
if ! is_installed; then
  script=https://raw.githubusercontent.com/k3s-io/k3s/$K3S_VERSION/install.sh
  if [ -n "${INSTALL_URL:-}" ]; then script=$INSTALL_URL/download/$K3S_VERSION/install.sh; fi
  retry 10 "installed K3s $K3S_VERSION" run_installer "$script"
fi
phase=start
systemctl start --no-block "$unit"
retry 60 "active $unit.service" is_up
mkdir -p "${marker%/*}"
touch "$marker"
log "K3s $K3S_VERSION is up"
