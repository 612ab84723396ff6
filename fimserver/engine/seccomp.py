"""Turn "this process needs no network" into a filter of the Linux kernel that holds for it and all it starts.

The filter is a program of the kernel's classic packet filter over `struct seccomp_data` (<linux/seccomp.h>): it looks
at the system call's number, and at the first argument of `socket`, which is the address family.
"""

import ctypes
import errno
import platform
import struct

# <linux/prctl.h> and <linux/seccomp.h>
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF_0000
_REFUSE = 0x0005_0000  # and the error's number below

# Offsets in struct seccomp_data.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

# Instructions of <linux/filter.h>: load a word, jump if equal or not less, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

_AF_UNIX = 1

# By machine: its audit architecture, and the numbers of `socket`, `io_uring_setup` (which opens sockets past this
# filter), `ptrace` and `process_vm_readv`, `process_vm_writev` (which reach into the user's other processes).
_MACHINES = {
    "x86_64": (0xC000_003E, 41, (425, 101, 310, 311)),
    "aarch64": (0xC000_00B7, 198, (425, 117, 270, 271)),
}

# x86-64 has a second set of numbers, from here on, for the same calls.
_OTHER_NUMBERS = 0x4000_0000


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid_network(libc: ctypes.CDLL) -> bool:
    """Refuse every socket but Unix ones from now on; return whether the kernel does that.

    It needs PR_SET_NO_NEW_PRIVS, and must come before the first other thread, to which it would not apply.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    instructions = filter_program(*machine)
    program = _Program(len(instructions) // 8, instructions)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def filter_program(architecture: int, socket_call: int, refused_calls: tuple[int, ...]) -> bytes:
    """Return the filter's instructions. A jump says how many instructions to skip where it holds, and where not."""
    count = len(refused_calls)
    rows = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, count + 5, architecture),  # another one: a 32-bit call in a 64-bit process
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, count + 3, 0, _OTHER_NUMBERS),
        *((_IF_EQUAL, count + 2 - index, 0, call) for index, call in enumerate(refused_calls)),
        (_IF_EQUAL, 0, 3, socket_call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE | errno.EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *row) for row in rows)
