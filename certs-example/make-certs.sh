#!/bin/sh
# Makes a small CA, a server bundle and client bundles in the layout that Docker's clients read.
# Usage: make-certs.sh DIRECTORY HOST[,HOST...] [ROLE/NAME...]
# Nothing that is there is overwritten. See README.md.
set -eu
umask 077

days=${DAYS:-365}
trust=${TRUST_DOMAIN:-dockward.demo}

fail() { echo "make-certs.sh: $*" >&2; exit 2; }

[ $# -ge 2 ] || fail "usage: make-certs.sh DIRECTORY HOST[,HOST...] [ROLE/NAME...]"
directory=$1 hosts=$2
shift 2
[ $# -gt 0 ] || set -- ci/runner administrator/admin

# name: what may stand in a path and in a URI without escapes.
check_name() {
  case $1 in
    '' | [!a-z0-9]* | *[!a-z0-9._-]* | *..*) fail "bad name '$1': use a-z, 0-9, '.', '_', '-'" ;;
  esac
}

# names of the server as openssl wants them: IP:... or DNS:...
alt_names() {
  names=
  for host in $(echo "$1" | tr ',' ' '); do
    case $host in
      *[!A-Za-z0-9.:_-]*) fail "bad host '$host'" ;;
      *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) names="$names,IP:$host" ;;
      *) names="$names,DNS:$host" ;;
    esac
  done
  [ -n "$names" ] || fail "no host"
  echo "${names#,}"
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# issue BUNDLE COMMON-NAME USAGE ALT-NAMES: the bundle appears whole or not at all.
issue() {
  if [ -e "$1" ]; then echo "kept  $1"; return; fi
  fresh=$1.new
  rm -rf "$fresh"
  mkdir -p "$fresh"
  new_key "$fresh/key.pem"
  cat > "$fresh/extensions" <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $3
subjectAltName = $4
EXTENSIONS
  openssl req -new -key "$fresh/key.pem" -subj "/CN=$2" -out "$fresh/request"
  openssl x509 -req -in "$fresh/request" -CA "$directory/ca/ca.pem" -CAkey "$directory/ca/key.pem" \
    -days "$days" -sha256 -extfile "$fresh/extensions" -out "$fresh/cert.pem" 2> "$fresh/log" ||
    { cat "$fresh/log" >&2; exit 1; }
  cp "$directory/ca/ca.pem" "$fresh/ca.pem"
  rm "$fresh/request" "$fresh/extensions" "$fresh/log"
  mv "$fresh" "$1"
  echo "made  $1"
}

server_names=$(alt_names "$hosts")
check_name "$(echo "$trust" | tr 'A-Z' 'a-z')"
for client in "$@"; do
  case $client in
    */*/*) fail "bad client '$client': write ROLE/NAME" ;;
    */*) check_name "${client%/*}"; check_name "${client#*/}" ;;
    *) fail "bad client '$client': write ROLE/NAME" ;;
  esac
done

mkdir -p "$directory/clients"
[ -e "$directory/.gitignore" ] || echo '*' > "$directory/.gitignore"
if [ ! -e "$directory/ca" ]; then
  rm -rf "$directory/ca.new"
  mkdir "$directory/ca.new"
  new_key "$directory/ca.new/key.pem"
  openssl req -x509 -new -key "$directory/ca.new/key.pem" -sha256 -days "$days" \
    -subj '/CN=dockward example CA' \
    -addext 'basicConstraints = critical, CA:TRUE, pathlen:0' \
    -addext 'keyUsage = critical, keyCertSign, cRLSign' -out "$directory/ca.new/ca.pem"
  mv "$directory/ca.new" "$directory/ca"
fi

issue "$directory/server" 'dockward server' serverAuth "$server_names"
for client in "$@"; do
  issue "$directory/clients/${client#*/}" "${client#*/}" clientAuth "URI:spiffe://$trust/$client"
done
