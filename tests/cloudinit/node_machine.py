"""A directory that stands for a node: its files, recording stand-ins for the commands that need root, and the services it talks to.

`curl`, `python3` and the shell are the machine's own. Absolute paths of the script are moved below the directory.
"""

import datetime as dt
import hashlib
import hmac
import http.server
import ipaddress
import json
import os
import re
import ssl
import subprocess
import threading
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edgelib.cloudinit.k3s import bootstrap_script
from tests.cloudinit.k3s_nodes import files

CREDENTIALS = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "wJalr/Exa+mple=Key", "Token": "IQoJb3/session+token=="}
VERSION = "v1.36.2+k3s1"
ROLE = "boston-server"

# What the release's installer would leave behind, and what it was told.
INSTALLER = """\
env | grep -E '^(INSTALL|GITHUB|K3S|CONTAINERD)_' | sort >>"$NODE/installer"
[ ! -e "$NODE/installer-fails" ] || { rm "$NODE/installer-fails"; echo 'Download failed' >&2; exit 1; }
name=k3s; [ "$INSTALL_K3S_EXEC" = server ] || name=k3s-agent
mkdir -p "$NODE/etc/systemd/system"
touch "$NODE/etc/systemd/system/$name.service"
printf '#!/bin/sh\\necho "k3s version %s (0123abcd)"\\n' "$INSTALL_K3S_VERSION" >"$NODE/bin/k3s"
chmod 755 "$NODE/bin/k3s"
"""
STANDINS = {
    "sleep": 'if [ -x "$NODE/on-sleep" ]; then exec "$NODE/on-sleep"; fi',
    "ip": "echo 'default via 10.0.1.1 dev ens5 proto dhcp src 10.0.1.10 metric 100'",
    "netplan": '[ "$1" != apply ] || echo 1300 >"$NODE/sys/class/net/ens5/mtu"',
    "mountpoint": '[ -e "$NODE/mounted" ]',
    "mount": 'grep -q " $1 ext4 " "$NODE/etc/fstab" && touch "$NODE/mounted"',
    "blkid": 'cat "$NODE/blkid-says"; exit "$(cat "$NODE/blkid-status")"',
    "lsblk": 'echo nvme1n1; cat "$NODE/partitions" 2>/dev/null; exit 0',
    "dumpe2fs": 'cat "$NODE/dumpe2fs-says" 2>/dev/null; exit 1',
    "resize2fs": "echo 'The filesystem is already 5242880 (4k) blocks long.  Nothing to do!' >&2",
    "mkfs.ext4": 'echo ext4 >"$NODE/blkid-says"; echo 0 >"$NODE/blkid-status"',
    "systemctl": """\
case $* in
"start "*) [ -e "$NODE/k3s-fails" ] || touch "$NODE/active" ;;
"-q is-active "*) [ -e "$NODE/active" ] ;;
esac""",
    "journalctl": "echo 'level=fatal msg=\"token CA hash does not match\"'",
    "curl": 'exec /usr/bin/curl "$@"',
}


class Services:
    """Metadata service, SSM, K3s servers and mirror at one loopback address."""

    def __init__(self, directory):
        self.requests: list[str] = []
        self.values: dict[str, str] = {}
        self.failures: list[tuple[int, object]] = []
        """Answers that SSM gives before it works: status and document."""
        self.role_appears_at = 1
        """The request for the role's name that is the first to be answered."""
        self.serving = False
        """Whether K3s servers answer."""
        self.ssm_bodies: list[dict] = []
        self.plain, self.secure = self._server(), self._server()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(directory))
        self.secure.socket = context.wrap_socket(self.secure.socket, server_side=True)
        self.port, self.secure_port = self.plain.server_port, self.secure.server_port
        for server in (self.plain, self.secure):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        for server in (self.plain, self.secure):
            server.shutdown()
            server.server_close()

    def _server(self):
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.answer(*services.answer(self.command, self.path, self.headers, self.rfile.read(length)))

            do_GET = do_PUT = do_POST = handle_one  # noqa: N815

            def log_message(self, *args):
                pass

        return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, method, path, headers, body):
        self.requests.append(f"{method} {path}")
        if method == "POST":
            return self._ssm(headers, body)
        if path.startswith("/latest/"):
            return self._metadata(method, path, headers)
        if path == "/ping":
            return (200, b"pong") if self.serving else (503, b"")
        return (200, INSTALLER.encode()) if unquote(path).endswith(f"/{VERSION}/install.sh") else (404, b"")

    def _metadata(self, method, path, headers):
        if (method, path) == ("PUT", "/latest/api/token"):
            return 200, b"imds-token=="
        if headers["X-aws-ec2-metadata-token"] != "imds-token==":
            return 401, b""
        if self.requests.count(f"GET {path}") < self.role_appears_at:
            return 404, b""
        where, _, name = path.rpartition("/")
        assert where == "/latest/meta-data/iam/security-credentials"
        return 200, json.dumps(CREDENTIALS).encode() if name == ROLE else ROLE.encode()

    def _ssm(self, headers, body):
        if not _signature_is_right(headers, body):
            return 403, b'{"__type": "InvalidSignatureException"}'
        asked = json.loads(body)
        self.ssm_bodies.append(asked)
        if self.failures:
            status, document = self.failures.pop(0)
            return status, json.dumps(document).encode()
        return 200, json.dumps(
            {
                # SSM sorts as it likes
                "Parameters": [
                    {"Name": n, "Value": self.values[n]} for n in reversed(asked["Names"]) if n in self.values
                ],
                "InvalidParameters": [name for name in asked["Names"] if name not in self.values],
            }
        ).encode()


class Machine:
    """One node."""

    def __init__(self, directory: Path, services: Services, settings):
        self.root, self.services = directory, services
        self.bin = directory / "bin"
        self.bin.mkdir()
        for path, text in files(settings).items():
            self.write(path, text)
        parameters = self.read("/etc/edgelib/parameters")
        self.write("/etc/edgelib/parameters", re.sub("^/", f"{directory}/", parameters, flags=re.MULTILINE))
        services.values = {line.split()[1]: f"value of {line.split()[1]}\n" for line in parameters.splitlines()}
        self.script = directory / "script"
        self.script.write_text(self._moved(bootstrap_script()))
        for name, body in STANDINS.items():
            self.stand_in(name, body)
        self.write("/etc/fstab", "LABEL=cloudimg-rootfs / ext4 defaults 0 1\n")
        self.write("/sys/class/net/ens5/mtu", "9001\n")
        self.write("/run/.keep", "")
        self.attach(b"")

    def _moved(self, script):
        script, count = re.subn(r"(?<![\w.}])/(etc|var|sys|run|dev/disk)/", rf"{self.root}/\1/", script)
        assert count > 10
        for was, now in (
            ("http://169.254.169.254", f"http://127.0.0.1:{self.services.port}"),
            ("https://raw.githubusercontent.com", f"http://127.0.0.1:{self.services.port}"),
            ("$peer:6443", f"$peer:{self.services.secure_port}"),
            ("https://ssm.$AWS_REGION.amazonaws.com}", f"http://127.0.0.1:{self.services.port}}}"),
        ):
            assert was in script
            script = script.replace(was, now)
        return script

    def stand_in(self, name, body):
        stub = self.bin / name
        stub.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >>"$NODE/calls"\n{body}\n')
        stub.chmod(0o755)

    def on_sleep(self, body):
        """What happens while the script waits."""
        script = self.root / "on-sleep"
        script.write_text(f"#!/bin/bash\n{body}\n")
        script.chmod(0o755)

    def path(self, path) -> Path:
        return self.root / path.lstrip("/")

    def write(self, path, text):
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text)

    def read(self, path):
        return self.path(path).read_text()

    def tell(self, **values):
        """Sets what `/etc/edgelib/k3s.env` says."""
        with self.path("/etc/edgelib/k3s.env").open("a") as environment:
            environment.writelines(f"{key}='{value}'\n" for key, value in values.items())

    def attach(self, content, says="", status=2):
        """Attaches the data disk, which begins with ``content``; ``blkid`` answers as given."""
        self.disk.parent.mkdir(parents=True, exist_ok=True)
        with self.disk.open("wb") as disk:
            disk.write(content)
            disk.truncate(8 << 20)
        self.write("blkid-says", f"{says}\n" if says else "")
        self.write("blkid-status", f"{status}\n")

    @property
    def disk(self) -> Path:
        return self.path("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0")

    def calls(self, command="") -> list[str]:
        file = self.path("calls")
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(command)]

    def boot(self):
        """Runs the script; its output and exit status."""
        path = f"{self.bin}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", self.script],
            env={"PATH": path, "NODE": str(self.root)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )

    def boot_well(self) -> str:
        done = self.boot()
        assert done.returncode == 0, done.stdout
        return done.stdout

    def boot_badly(self) -> str:
        """The last line of a boot that fails."""
        done = self.boot()
        assert done.returncode != 0, done.stdout
        return done.stdout.splitlines()[-1]


def _certificate(directory) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "k3s")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = directory / "tls.pem"
    file.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def _signature_is_right(headers, body) -> bool:
    """AWS Signature Version 4, as SSM would check it."""
    auth = dict(re.findall(r"(\w+)=([^,\s]+)", headers["Authorization"]))
    key_id, day, region, service, end = auth["Credential"].split("/")
    signed = auth["SignedHeaders"].split(";")
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed]
    request = "\n".join(["POST", "/", "", *lines, "", auth["SignedHeaders"], hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/{end}"
    text = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{CREDENTIALS['SecretAccessKey']}".encode()
    for part in (day, region, service, end, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return (
        key.hex() == auth["Signature"]
        and (key_id, region, service) == (CREDENTIALS["AccessKeyId"], "us-east-1", "ssm")
        and headers["X-Amz-Security-Token"] == CREDENTIALS["Token"]
        and {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(signed)
        and headers["X-Amz-Target"] == "AmazonSSM.GetParameters"
    )
