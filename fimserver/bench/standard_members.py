"""Tell the members that standard types of several languages have: which `x.append` means, nobody sees in its name."""

import builtins
import collections
import io
import os
import re
import sys
import typing
from argparse import ArgumentParser
from asyncio import AbstractEventLoop, Future
from contextvars import ContextVar
from datetime import datetime
from logging import Logger
from pathlib import Path
from socket import socket
from subprocess import Popen
from threading import Event, Thread

# Members of the standard types of several languages, beside Python's own, which are asked for theirs.
_STANDARD_TYPES = (
    *(
        str,
        bytes,
        list,
        dict,
        set,
        int,
        float,
        Exception,
        Path,
        re.Match,
        re.Pattern,
        builtins,
        datetime,
        Logger,
        Popen,
    ),
    *(io.TextIOWrapper, io.BytesIO, Thread, Event, ContextVar, ArgumentParser, socket, Future, AbstractEventLoop),
    *(typing, os, os.path, sys, collections),
)
STANDARD_MEMBERS = frozenset(name for standard in _STANDARD_TYPES for name in dir(standard)).union(
    re.findall(
        r"\w+",
        """
        Arc Box Close Err Error HashMap HashSet None Ok Option PathBuf Rc Read Result Self Some String Vec Write
        abort aborted addEventListener address append apply arrayBuffer assert assert_eq assign begin bind blob
        body bool buffer byteLength byteOffset c_str call cancel catch cfg charAt charCodeAt charset
        clearTimeout clone collect concat constructor contains containsKey create currentTarget data
        debug_assert delete derive detail dispatchEvent emit emplace_back empty encoding endsWith entries equals
        error every exec exit expect exports filter finally find findIndex flat flatMap forEach format freeze
        from fromEntries getClass getReader has hasOwnProperty hash hashCode headers host hostname href includes
        indexOf insert into isArray isEmpty iter iterator join json keys kill length listen localeCompare match
        matches message method name next normalize now once origin padEnd padStart panic parse pathname
        performance pid pipe port preventDefault println protocol prototype push push_back reduce reject
        releaseLock removeEventListener removeListener repeat replace resolve reverse search send setTimeout
        shift signal size slice socket some sort splice stack startsWith status stderr stdout stringify substr
        substring target test then toFixed toJSON toLowerCase toString toUpperCase todo trim trimEnd trimStart
        type unimplemented unreachable unshift unwrap url valueOf values vec warn write
        """,
    )
)
