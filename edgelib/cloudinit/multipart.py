"""User data of several parts, as multipart MIME."""

from collections.abc import Sequence
from email.generator import Generator
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import Parser
from io import StringIO

from edgelib.errors import ArgsError

# cloud-init documentation, "User-data formats"; a longer beginning stands before one that it begins with.
_SUBTYPES = {
    "#cloud-config-archive": "cloud-config-archive",
    "#cloud-config-jsonp": "cloud-config-jsonp",
    "#cloud-config": "cloud-config",
    "#cloud-boothook": "cloud-boothook",
    "#include-once": "x-include-once-url",
    "#include": "x-include-url",
    "#part-handler": "part-handler",
    "## template: jinja": "jinja2",
    "#!": "x-shellscript",
}
# Lists of what comes earlier are kept behind ours, and so is all else; cloud-init's own way would drop its `write_files` and `runcmd`
# (cloud-init documentation, "Merging user-data sections").
_MERGE = "list(prepend)+dict(no_replace,recurse_list)+str()"
_BOUNDARY = "edgelib-part"


def render_multipart(parts: Sequence[str]) -> str:
    """Renders user data of several parts, each in a format of cloud-init known by its first line; parts that are multipart themselves
    are taken in whole. The same parts always make the same text.

    In what cloud-init makes of it, lists of an earlier part stand before those of a later one. The parts are written in reverse,
    because the last one says how it is merged: whatever format and merge type a later part has, it can drop nothing of an earlier.

    Raises:
        ArgsError: a part whose first line cloud-init does not know.
    """
    boundary = _BOUNDARY
    while any(boundary in part for part in parts):
        boundary += "-"
    message = MIMEMultipart(boundary=boundary)
    for part in reversed(parts):
        message.attach(_part(part))
    rendered = StringIO()
    # what mail does to lines that begin with "From " would change a script
    Generator(rendered, mangle_from_=False, maxheaderlen=0).flatten(message)
    return rendered.getvalue()


def _part(text: str) -> Message:
    if text.startswith(("Content-Type:", "MIME-Version:")):
        return Parser().parsestr(text)
    for beginning, subtype in _SUBTYPES.items():
        if text.startswith(beginning):
            # text beyond ASCII becomes base64: cloud-init's parser would garble it otherwise
            part = MIMEText(text, subtype, "us-ascii" if text.isascii() else "utf-8")
            if subtype == "cloud-config":
                part["Merge-Type"] = _MERGE
            return part
    line = text.split("\n", 1)[0][:40]
    way_out = "begin with #cloud-config or #!"
    raise ArgsError("user_data", repr(line), "is no first line that cloud-init knows: it would ignore all", way_out)
