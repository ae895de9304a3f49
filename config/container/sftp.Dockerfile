# An SFTP drop and nothing else: each feed has an account that sees one folder and cannot run anything.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssh-server \
    && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
    && groupadd --gid 2000 drop \
    && install --directory --mode=0755 /run/sshd /srv/drop /etc/ssh/authorized_keys \
    && install --directory --mode=0700 /etc/ssh/host-keys
COPY sshd_config /etc/ssh/sshd_config
COPY --chmod=0755 sftp-entrypoint.sh /usr/local/bin/sftp-entrypoint
EXPOSE 2222
ENTRYPOINT ["/usr/local/bin/sftp-entrypoint"]
