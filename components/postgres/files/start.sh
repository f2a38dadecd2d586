#!/usr/bin/env bash
# Starts Postgres for one pod, in three steps:
#   1. a server on the local socket alone; an empty volume is initialised on the way
#   2. reconcile.sql: roles, passwords and grants as the Secret and the environment say now
#   3. the server that listens, as this process, so that it gets the container's signals
# Nothing can connect over TCP, and no probe passes, before step 2 is done.
# Needs of the image: bash, and `docker-entrypoint.sh postgres …` as in the official one.
set -Eeuo pipefail

here="$(dirname "$0")"
sockets=/var/run/postgresql
# Given on the command line, since there they win over whatever is on the volume.
options=(
    -c "hba_file=$here/pg_hba.conf"
    -c "ident_file=$here/pg_ident.conf"
    -c "unix_socket_directories=$sockets"
    -c password_encryption=scram-sha-256
)
server=

say() {
    printf 'cutover: %s\n' "$1"
}

fail() {
    say "$1" >&2
    exit 1
}

# Ends the server of step 1 the fast way and waits until its files are flushed.
stop_server() {
    local pid="$server"
    server=
    if [ -n "$pid" ]; then
        kill -INT "$pid" 2>/dev/null || true
        wait "$pid" || true
    fi
}

# bash is process 1 here, and without a trap it would ignore the container's stop signal.
stopped_early() {
    trap '' INT TERM
    say 'stopped before the database was ready'
    # bash starts background commands with SIGINT ignored: the entrypoint heeds only SIGTERM.
    [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
    stop_server
    exit 143
}
trap stopped_early INT TERM
trap stop_server EXIT

# The entrypoint runs and stops a server of its own while it initialises: ours is the one whose
# process is the entrypoint's after its exec. A killed server leaves its file behind, perhaps with the
# number that ours has now, so the answer counts too.
is_ready() {
    local pid=
    [ -f "$1/postmaster.pid" ] && read -r pid <"$1/postmaster.pid"
    [ "$pid" = "$server" ] && pg_isready --quiet --host "$sockets"
}

# No deadline: crash recovery takes as long as it takes, and the startup probe has the last word.
wait_until_ready() {
    until is_ready "$1"; do
        if ! kill -0 "$server" 2>/dev/null; then
            server=
            fail 'the server ended before it was ready; its messages are above'
        fi
        sleep 0.1
    done
}

for file in "$POSTGRES_PASSWORD_FILE" "$API_PASSWORD_FILE"; do
    [ -s "$file" ] || fail "$file is missing or empty; it comes from the Secret's keys"
done

# A first start that is killed half-way must not leave a half-made database that the next start
# takes for a whole one: it is made beside $PGDATA and renamed once it is complete.
data="$PGDATA"
command=(postgres)
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    say 'the volume is empty: initialising it'
    data="$PGDATA.partial"
    rm -rf -- "$data"
    command=(docker-entrypoint.sh postgres)
else
    # fsGroup may have opened it to the group, with which Postgres refuses to start.
    chmod 0700 "$PGDATA"
fi

PGDATA="$data" "${command[@]}" "${options[@]}" -c listen_addresses= &
server=$!
wait_until_ready "$data"

say "reconciling the roles $POSTGRES_USER and $API_USER and the database $POSTGRES_DB"
psql --no-psqlrc --quiet --no-password --host "$sockets" \
    --username "$POSTGRES_USER" --dbname postgres --file "$here/reconcile.sql" ||
    fail "the roles could not be reconciled. If the message above says that role \"$POSTGRES_USER\" does not exist, the volume was initialised with another user: name that one"

stop_server
if [ "$data" != "$PGDATA" ]; then
    mv -T -- "$data" "$PGDATA"
    sync "$(dirname -- "$PGDATA")"
fi

say 'roles and passwords are as the Secret says; starting'
trap - EXIT INT TERM
exec postgres "${options[@]}" -c 'listen_addresses=*'
