#!/bin/sh
# Format the storage once, then become the broker. The image's own start scripts write into its root file system,
# which is read-only here.
set -eu

bin="${KAFKA_HOME:-/opt/kafka}/bin"
properties="${1:?the file of the broker properties}"

# --ignore-formatted keeps what is there: only a new volume gets a new cluster id.
data="$(sed -n 's/^log\.dirs=//p' "$properties")"
if [ ! -f "$data/meta.properties" ]; then
    "$bin/kafka-storage.sh" format --standalone --ignore-formatted \
        --cluster-id "$("$bin/kafka-storage.sh" random-uuid)" --config "$properties"
fi
exec "$bin/kafka-server-start.sh" "$properties"
