#!/bin/bash
# Makes an account, a drop folder and the authorised keys for each feed in SFTP_FEEDS, then becomes sshd.
set -euo pipefail

host_key=/etc/ssh/host-keys/ssh_host_ed25519_key
[ -f "$host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$host_key"

for feed in ${SFTP_FEEDS:-default}; do
  if ! [[ $feed =~ ^[a-z0-9][a-z0-9_-]*$ ]]; then
    echo "SFTP_FEEDS: '$feed' is not the name of a feed" >&2
    exit 2
  fi
  # Every account has the user id that user-sync runs under in its own container: SFTP clients hand over the mode of
  # their local file, often 0600, and user-sync must be able to read and remove it. Feeds are kept apart by the folder
  # they are locked into. '*' is a password that nothing matches; the '!' of a new account would refuse keys as well.
  id "$feed" >/dev/null 2>&1 ||
    useradd --badname --uid 1000 --non-unique --gid drop --no-create-home --home-dir / --shell /usr/sbin/nologin \
      --password '*' "$feed"
  # sshd only locks a session into a folder that nobody but root can change; what is dropped goes one level below.
  install --directory --owner=root --group=root --mode=0755 "/srv/drop/$feed"
  install --directory --owner="$feed" --group=drop --mode=0700 "/srv/drop/$feed/upload"
  printf '%s\n' "${SFTP_AUTHORIZED_KEYS:?the public keys of those who deliver files}" >"/etc/ssh/authorized_keys/$feed"
done

exec /usr/sbin/sshd -D -e
