#!/bin/bash
# Run by the image of Postgres when it makes its database, before anybody may connect: the role of the daemon, which owns
# nothing. `user-sync migrate --grant-to user_sync_daemon` gives it what it needs.
set -euo pipefail

psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set password="$USER_SYNC_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role user_sync_daemon login password :'password';
SQL
