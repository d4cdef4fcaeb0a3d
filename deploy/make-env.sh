#!/bin/sh
# Write .env with a new secret for everything that docker-compose.yml requires. Never overwrites one.
#   sh deploy/make-env.sh [FILE]
set -eu
umask 077

file="${1:-.env}"
if [ -e "$file" ]; then
    echo "error: $file exists: its secrets are in use" >&2
    echo "hint: add what is missing by hand, from .env.example" >&2
    exit 1
fi

secret() { od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n'; }

sha256() {
    if command -v sha256sum >/dev/null; then printf '%s' "$1" | sha256sum; else printf '%s' "$1" | shasum -a 256; fi |
        cut -d' ' -f1
}

admin="$(secret)"
draft="$file.$$"
trap 'rm -f "$draft"' EXIT
cat >"$draft" <<END
# Made by deploy/make-env.sh. Keep it: the database and the pseudonyms depend on it. .env.example explains each line.
UPTAKE_PSEUDONYM_KEY=$(secret)
UPTAKE_SLACK_TOKEN=
CLICKHOUSE_ADMIN_PASSWORD=$admin
CLICKHOUSE_ADMIN_PASSWORD_SHA256=$(sha256 "$admin")
CLICKHOUSE_MIGRATE_PASSWORD=$(secret)
CLICKHOUSE_UPTAKE_PASSWORD=$(secret)
CLICKHOUSE_GRAFANA_PASSWORD=$(secret)
GRAFANA_ADMIN_PASSWORD=$(secret)
END
# A link fails where the file has appeared meanwhile; a rename would replace it.
ln "$draft" "$file"
echo "wrote $file"
