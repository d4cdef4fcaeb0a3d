#!/bin/bash
# Users, grants, row policies and quotas, as the files here say.
#   access.sh apply                  what the deployment itself needs (at every `docker compose up`)
#   access.sh tenant NAME [SUFFIX]   a read-only user of one tenant; prints its password, once
#   access.sh forget NAME [SUFFIX]   takes it away
# clickhouse-client finds user and password in CLICKHOUSE_USER and CLICKHOUSE_PASSWORD; only hashes are arguments.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"

client() { clickhouse-client --host "${CLICKHOUSE_HOST:-127.0.0.1}" "$@"; }

sha256() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }

tenant_user() {
    local part
    for part in "$@"; do
        if [[ ! "$part" =~ ^[a-z0-9][a-z0-9_-]{0,63}$ ]]; then
            echo "error: $part is not a name: lower-case letters, digits, - and _" >&2
            exit 2
        fi
    done
    local IFS=.
    echo "bi.$*"
}

case "${1:-}" in
apply)
    # On lines of their own: what fails inside an argument does not stop the script.
    migrate="$(sha256 "${CLICKHOUSE_MIGRATE_PASSWORD:?}")"
    uptake="$(sha256 "${CLICKHOUSE_UPTAKE_PASSWORD:?}")"
    grafana="$(sha256 "${CLICKHOUSE_GRAFANA_PASSWORD:?}")"
    for file in "$here"/access/*.sql; do
        echo "applying ${file##*/}"
        client --queries-file "$file" \
            --param_migrate_sha256="$migrate" --param_uptake_sha256="$uptake" --param_grafana_sha256="$grafana"
    done
    ;;
tenant)
    [ $# -ge 2 ] && [ $# -le 3 ] || { echo "usage: tenant NAME [SUFFIX]" >&2; exit 2; }
    user="$(tenant_user "${@:2}")"
    password="$(od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n')"
    hash="$(sha256 "$password")"
    sed "s/@USER@/$user/g" "$here/tenant.sql" | client --param_sha256="$hash"
    echo "user      $user"
    echo "password  $password"
    echo "The password is shown this once." >&2
    ;;
forget)
    [ $# -ge 2 ] && [ $# -le 3 ] || { echo "usage: forget NAME [SUFFIX]" >&2; exit 2; }
    user="$(tenant_user "${@:2}")"
    client --query "DROP USER IF EXISTS \`$user\`"
    ;;
*)
    sed -n '2,6p' "$0" | cut -c3- >&2
    exit 2
    ;;
esac
