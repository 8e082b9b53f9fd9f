"""Multipart forms byte by byte, so that tests decide every detail a library would hide."""

from dataclasses import dataclass

BOUNDARY = "kxBoundary7d81b516112482"


@dataclass
class Part:
    name: str
    value: object  # str or bytes
    filename: str | None = None
    content_type: str | None = None

    def encode(self):
        head = f'Content-Disposition: form-data; name="{self.name}"'
        if self.filename is not None:
            head += f'; filename="{self.filename}"'
        if self.content_type is not None:
            head += f"\r\nContent-Type: {self.content_type}"
        value = self.value if isinstance(self.value, bytes) else str(self.value).encode()
        return head.encode() + b"\r\n\r\n" + value + b"\r\n"


def encode(parts, boundary=BOUNDARY, preamble=b"", epilogue=b"\r\n"):
    """The body and its content type. The default epilogue is what the Node SDK sends."""
    mark = b"--" + boundary.encode()
    body = preamble + b"".join(mark + b"\r\n" + part.encode() for part in parts)
    quoted = f'"{boundary}"' if any(c in boundary for c in " ()<>@,;:/[]?=") else boundary
    return body + mark + b"--" + epilogue, f"multipart/form-data; boundary={quoted}"


def in_pieces(body, size):
    """A generator body: httpx then sends it with Transfer-Encoding: chunked."""
    for at in range(0, len(body), size):
        yield body[at:at + size]
