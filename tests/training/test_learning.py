"""The parts that need PyTorch: a run that is cut off and goes on, what stops it, and the way to a file and back."""

import json
import random

import pytest

from fimserver.errors import FimError
from training.corpus import Source, Split, write_corpus

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")
pytest.importorskip("gguf")

from training.export import write_gguf  # noqa: E402 - after the check that its libraries are there
from training.layouts import ANSWERED, READ  # noqa: E402
from training.loss import weighted_loss  # noqa: E402
from training.model import Model, Shape, attention  # noqa: E402
from training.muon import orthogonal  # noqa: E402
from training.scores import wholly_right  # noqa: E402
from training.tokenizer import CONTROLS, LearntVocabulary, learnt, of_model  # noqa: E402
from training.train import main as train  # noqa: E402
from training.train import read_checkpoint  # noqa: E402
from training.weights import load_gguf  # noqa: E402

SHAPE = Shape(vocabulary=50, width=32, layers=2, heads=4, key_value_heads=2, feed_forward=64, context=512)

# PyTorch warns of its own old parts while it prepares to compile.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _uncompiled():
    torch.manual_seed(0)
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small corpus and its tokenizer."""
    folder = tmp_path_factory.mktemp("corpus")
    chance = random.Random(0)
    texts = ["".join(f"name_{chance.randint(0, 99)} = call(value)\n" for _ in range(60)) for _ in range(12)]
    splits = [Split.HELDOUT, Split.UNSEEN, *[Split.TRAIN] * 10]
    write_corpus(
        folder, [Source("p", "1", f"{n}.py", s, t) for n, (s, t) in enumerate(zip(splits, texts, strict=True))], {}
    )
    (folder / "tokenizer.json").write_text(learnt(texts, 300).to_str())
    (folder / "other.json").write_text(learnt(["other words than those"], 300).to_str())
    return folder


def run(folder, out, *more, tokenizer="tokenizer.json"):
    arguments = [
        "--preset",
        "tiny",
        "--corpus",
        folder,
        "--tokenizer",
        folder / tokenizer,
        "--out",
        out,
        "--device",
        "cpu",
    ]
    train([str(argument) for argument in (*arguments, *more)])


def test_attention_in_blocks_is_attention():
    query, key, value = torch.randn(2, 4, 256, 8), torch.randn(2, 2, 256, 8), torch.randn(2, 2, 256, 8)
    whole = torch.nn.functional.scaled_dot_product_attention(
        query, key.repeat_interleave(2, 1), value.repeat_interleave(2, 1), is_causal=True
    )
    assert torch.allclose(attention(query, key, value), whole, atol=1e-5)


def test_a_token_sees_none_that_follow():
    model = Model(SHAPE)
    tokens = torch.randint(0, 50, (1, 256))
    changed = tokens.clone()
    changed[0, 200:] = 0
    assert torch.allclose(model.logits(tokens)[0, :200], model.logits(changed)[0, :200], atol=1e-5)


def test_the_loss_and_its_gradient_are_those_of_cross_entropy():
    hidden, matrix = torch.randn(20, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
    targets, weights = torch.randint(0, 50, (20,)), torch.rand(20)
    ours, _ = weighted_loss(hidden, matrix, targets, weights)
    theirs = (torch.nn.functional.cross_entropy(hidden @ matrix.T, targets, reduction="none") * weights).sum()
    gradients = torch.autograd.grad(ours, (hidden, matrix)), torch.autograd.grad(theirs, (hidden, matrix))
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("size", [(1, 16, 48), (1, 48, 16)], ids=["wide", "tall"])
def test_an_orthogonal_update_moves_all_directions_alike(size):
    values = torch.linalg.svdvals(orthogonal(torch.randn(size)).float())
    assert values.min() > 0.5
    assert values.max() < 1.5


@pytest.mark.parametrize(
    ("likeliest", "roles", "right"),
    [
        pytest.param("yy", "aa", [True], id="every token is the likeliest"),
        pytest.param("yn", "aa", [False], id="one is not"),
        pytest.param("nyny", "rara", [True, True], id="what is read does not count"),
        pytest.param("nn", "rr", [], id="no answer"),
    ],
)
def test_wholly_right(likeliest, roles, right):
    assert wholly_right([c == "y" for c in likeliest], [{"r": READ, "a": ANSWERED}[c] for c in roles]) == right


def test_a_run_that_was_cut_off_goes_on(folder, tmp_path):
    for steps in (1, 2):
        run(folder, tmp_path, "--minutes", 100, "--this-call", 0)
        assert read_checkpoint(tmp_path / "checkpoint.pt")["progress"]["steps"] == steps
    assert [point["steps"] for point in json.loads((tmp_path / "curve.json").read_text())] == [1, 2]


def test_a_run_whose_time_is_over_learns_no_more(folder, tmp_path):
    run(folder, tmp_path, "--minutes", 100, "--this-call", 0)
    before = read_checkpoint(tmp_path / "checkpoint.pt")["model"]
    run(folder, tmp_path, "--minutes", 1e-9)
    after = read_checkpoint(tmp_path / "checkpoint.pt")["model"]
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_a_run_does_not_go_on_with_another_tokenizer(folder, tmp_path):
    run(folder, tmp_path, "--minutes", 100, "--this-call", 0)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(FimError, match="another tokenizer"):
        run(folder, tmp_path, "--minutes", 1, tokenizer="other.json")
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("", "is no tokenizer", id="empty"),
        pytest.param("{}", "lacks <|endoftext|>", id="of another kind"),
        pytest.param(None, "is no tokenizer", id="absent"),
    ],
)
def test_no_tokenizer_is_said_before_anything_is_written(folder, tmp_path, content, says):
    if content is not None:
        (tmp_path / "wrong.json").write_text(content)
    with pytest.raises(FimError, match=says):
        run(folder, tmp_path / "out", "--minutes", 1, tokenizer=tmp_path / "wrong.json")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"half a checkpoint"], ids=["empty", "cut off"])
def test_half_a_checkpoint_is_refused(folder, tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(FimError, match="is no checkpoint"):
        run(folder, tmp_path, "--minutes", 1)


def test_an_exported_file_gives_its_weights_and_its_tokenizer_back(folder, tmp_path):
    run(folder, tmp_path, "--minutes", 100, "--this-call", 0)
    saved, path = read_checkpoint(tmp_path / "checkpoint.pt"), tmp_path / "model.gguf"
    write_gguf(path, saved, folder / "tokenizer.json", "test")
    model = Model(Shape(**saved["shape"]))
    load_gguf(model, path)
    assert all(torch.allclose(weight, saved["model"][name], atol=1e-3) for name, weight in model.state_dict().items())
    assert json.loads(of_model(path).to_str()) == json.loads((folder / "tokenizer.json").read_text())


def test_weights_of_another_size_are_refused(folder, tmp_path):
    run(folder, tmp_path, "--minutes", 100, "--this-call", 0)
    write_gguf(tmp_path / "model.gguf", read_checkpoint(tmp_path / "checkpoint.pt"), folder / "tokenizer.json", "test")
    with pytest.raises(FimError, match="does not hold the weights"):
        load_gguf(Model(SHAPE), tmp_path / "model.gguf")


def test_a_control_text_in_a_file_stays_text(folder):
    vocabulary = LearntVocabulary(folder / "tokenizer.json")
    numbers = {vocabulary.end, vocabulary.prefix, vocabulary.middle, vocabulary.suffix}
    for text in CONTROLS:
        assert not numbers & set(vocabulary.encode(text))
        assert vocabulary.decode(vocabulary.encode(text)) == text
