"""Say who is at the other end of a Unix socket, as the system knows it."""

import os
import socket
import struct
import sys

# <sys/un.h> and <sys/ucred.h> of macOS: struct xucred begins with its version and the user's number.
_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1
_XUCRED_BYTES = 76


def peer_user(connection: socket.socket) -> int | None:
    """Return the user number of the process at the other end; None where the system does not tell."""
    user: int | None = None
    if sys.platform == "linux":
        _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    elif sys.platform == "darwin":
        _, user = struct.unpack_from("=II", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES))
    return user


def is_ours(connection: socket.socket) -> bool:
    """Return False where the other end is known to be somebody else. On TCP nobody is known: the token decides."""
    if sys.platform == "win32" or connection.family != socket.AF_UNIX:
        return True
    return peer_user(connection) in {os.geteuid(), None}
