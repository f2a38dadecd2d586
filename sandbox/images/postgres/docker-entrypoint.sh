#!/usr/bin/env bash
# The part of the official postgres image's contract that a pod uses: an empty $PGDATA is initialised
# from POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS and POSTGRES_INITDB_WALDIR
# (each also as NAME_FILE) and the files of /docker-entrypoint-initdb.d; then the command runs.
# Non-root only: it neither changes owners nor switches users.
set -Eeuo pipefail

fail() {
    printf >&2 'error: %s\n' "$1"
    exit 1
}

# Sets $1 from itself, from the file that $1_FILE names, or to the default $2.
from_file() {
    local name="$1" file_name="$1_FILE" default="${2:-}"
    if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then
        fail "both $name and $file_name are set (but are exclusive)"
    fi
    local value="${!name:-$default}"
    if [ -n "${!file_name:-}" ]; then
        value="$(<"${!file_name}")"
    fi
    export "$name=$value"
    unset "$file_name"
}

# initdb looks its user up by id; a pod may run with an id that /etc/passwd does not know.
name_this_user() {
    if getent passwd "$(id -u)" >/dev/null; then
        return
    fi
    local wrapper
    wrapper="$(find /usr/lib -name libnss_wrapper.so -print -quit)"
    NSS_WRAPPER_PASSWD="$(mktemp)"
    NSS_WRAPPER_GROUP="$(mktemp)"
    printf 'postgres:x:%s:%s::%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >"$NSS_WRAPPER_PASSWD"
    printf 'postgres:x:%s:\n' "$(id -g)" >"$NSS_WRAPPER_GROUP"
    export LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

forget_this_user() {
    if [ -n "${NSS_WRAPPER_PASSWD:-}" ]; then
        rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
        unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    fi
}

create_cluster() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        fail 'the database is uninitialised and POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) is empty'
    fi
    local arguments=()
    eval "arguments=($POSTGRES_INITDB_ARGS)"
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
        arguments+=(--waldir "$POSTGRES_INITDB_WALDIR")
    fi
    name_this_user
    # The password goes through a pipe, never onto a command line. An empty one needs the line too.
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" \
        --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
    forget_this_user
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
}

run_sql() {
    psql --host /var/run/postgresql --username "$POSTGRES_USER" --no-password --no-psqlrc \
        -v ON_ERROR_STOP=1 "$@"
}

create_database() {
    local found
    found="$(run_sql --dbname postgres --tuples-only --set db="$POSTGRES_DB" \
        <<<"SELECT 1 FROM pg_database WHERE datname = :'db';")"
    if [ -z "$found" ]; then
        run_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
}

run_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) run_sql --dbname "$POSTGRES_DB" --file "$file" ;;
            *.sql.gz) gunzip --stdout "$file" | run_sql --dbname "$POSTGRES_DB" ;;
            *) printf '%s: ignoring %s\n' "$0" "$file" ;;
        esac
    done
}

# A server on the socket alone, with the options of the real one.
initialise() {
    create_cluster
    export PGPASSWORD="$POSTGRES_PASSWORD"
    pg_ctl start --pgdata "$PGDATA" --wait \
        --options "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")"
    create_database
    run_init_files
    pg_ctl stop --pgdata "$PGDATA" --mode fast --wait
    unset PGPASSWORD
}

if [ "${1:0:1}" = - ]; then
    set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || true
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        shopt -s nullglob
        initialise "${@:2}"
    fi
fi
exec "$@"
