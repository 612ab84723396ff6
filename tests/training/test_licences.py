"""Which metadata lets a package's source be learnt from."""

from email.message import Message

import pytest

from training.licences import permissive_licence


def metadata(expression: str = "", classifiers: tuple[str, ...] = (), text: str = "") -> Message:
    message = Message()
    if expression:
        message["License-Expression"] = expression
    for classifier in classifiers:
        message["Classifier"] = f"License :: OSI Approved :: {classifier}"
    if text:
        message["License"] = text
    return message


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("MIT", id="one permissive licence"),
        pytest.param("Apache-2.0 OR MPL-2.0", id="of alternatives one is enough"),
        pytest.param("BSD-3-Clause AND 0BSD AND Zlib", id="all parts are permissive"),
        pytest.param("(GPL-2.0-only OR MIT) AND ISC", id="brackets bind first"),
        pytest.param("MIT OR GPL-3.0-only AND LGPL-3.0-only", id="AND binds before OR"),
        pytest.param("Apache-2.0 WITH LLVM-exception", id="an exception only allows more"),
        pytest.param("psf-2.0", id="case does not matter"),
    ],
)
def test_these_expressions_are_permissive(expression):
    assert permissive_licence(metadata(expression)) == expression


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("MPL-2.0", id="copyleft of files"),
        pytest.param("MIT AND LGPL-2.1-or-later", id="one part is copyleft"),
        pytest.param("LicenseRef-Proprietary", id="unknown"),
        pytest.param("(MIT", id="a bracket is open"),
        pytest.param("MIT )", id="a bracket too many"),
        pytest.param("MIT Apache-2.0", id="no operator"),
        pytest.param("MIT OR", id="an operand is missing"),
    ],
)
def test_these_expressions_are_refused(expression):
    assert permissive_licence(metadata(expression)) == ""


def test_an_expression_counts_before_classifiers():
    assert permissive_licence(metadata("GPL-3.0-only", ("MIT License",))) == ""


@pytest.mark.parametrize(
    ("classifiers", "licence"),
    [
        pytest.param(("MIT License",), "MIT License", id="MIT"),
        pytest.param(("Apache Software License", "BSD License"), "Apache Software License; BSD License", id="two"),
        pytest.param(("ISC License (ISCL)",), "ISC License (ISCL)", id="ISC"),
        pytest.param(("Python Software Foundation License",), "Python Software Foundation License", id="PSF"),
        pytest.param(("BSD License", "GNU General Public License v3 (GPLv3)"), "", id="one of two is copyleft"),
        pytest.param(("Mozilla Public License 2.0 (MPL 2.0)",), "", id="MPL"),
    ],
)
def test_of_classifiers_every_one_must_be_permissive(classifiers, licence):
    assert permissive_licence(metadata(classifiers=classifiers)) == licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        pytest.param("Apache 2.0", "Apache 2.0", id="a short name"),
        pytest.param("The MIT License\n\nPermission is hereby…", "The MIT License", id="the first line of a text"),
        pytest.param("see LICENSE.txt", "", id="what is not understood"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_without_either_the_free_text_is_read(text, licence):
    assert permissive_licence(metadata(text=text)) == licence
