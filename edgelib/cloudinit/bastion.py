"""User data of a bastion: an SSH server that forwards connections to the hosts behind it and does nothing else."""

from collections.abc import Sequence

from edgelib.cloudinit.cloud_config import render_cloud_config

# Mozilla's and Debian's hardening advice, and what ProxyJump needs: TCP forwarding to port 22.
_SSHD = """\
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers ubuntu
AuthenticationMethods publickey
MaxAuthTries 3
LoginGraceTime 20
AllowAgentForwarding no
AllowStreamLocalForwarding no
AllowTcpForwarding local
PermitOpen *:22
GatewayPorts no
PermitTunnel no
X11Forwarding no
ClientAliveInterval 60
ClientAliveCountMax 3
LogLevel VERBOSE
"""


def render_bastion(*, ssh_authorized_keys: Sequence[str]) -> str:
    """Renders the cloud-config of a bastion that lets the owners of ``ssh_authorized_keys`` in as ``ubuntu``."""
    return render_cloud_config(
        {
            "ssh_pwauth": False,
            "disable_root": True,
            # cloud-init's schema refuses an empty list
            **({"ssh_authorized_keys": list(ssh_authorized_keys)} if ssh_authorized_keys else {}),
            "write_files": [
                # sshd takes the first value that it reads, so this file comes before the distribution's own
                {"path": "/etc/ssh/sshd_config.d/00-edgelib.conf", "permissions": "0600", "content": _SSHD}
            ],
            "runcmd": [["systemctl", "try-reload-or-restart", "ssh"]],
        }
    )
