"""Every error a caller can react to, with the sentence a user reads.

    FimError
    ├── SettingsError          a settings file that cannot be read at all
    ├── ModelError
    │   ├── ModelMissing       the settings name a file that is not there
    │   ├── ModelBroken        the file is there but is no GGUF that llama.cpp can load
    │   ├── ModelTooLarge      it does not fit into memory beside the model that completes
    │   └── ModelWithoutFim    a sound model that was never taught to fill in the middle
    ├── EngineError
    │   ├── EngineMissing      llama-cpp-python is not installed
    │   ├── EngineLoading      the model is still being read; ask again
    │   ├── EngineUnavailable  it could not be started, or it died
    │   ├── EngineRefused      it answered, and the answer was no
    │   └── PromptTooLong      the parts that must be kept do not fit the context
    ├── AnswerCut              an answer that was wanted whole did not come to its end
    ├── EditRefused            an edit that was asked for is not made, and nothing was changed
    ├── GitUnusable            git is missing, there is no repository, or it refuses: no change can be looked at
    ├── FileUnsuitable         binary, too large, or not text: nothing can be completed in it
    ├── RuntimeFolderUnsafe    the folder for sockets and locks is not ours alone
    └── StatisticsUnreadable   the file in which suggestions are counted is damaged

A message says what happened, to what, and the command that mends it.
"""


class FimError(Exception):
    """Base of all errors of this package: its text is meant for the user."""


class SettingsError(FimError):
    """A settings file cannot be read; the text names the file and the line."""


class ModelError(FimError):
    """The chosen model cannot be used."""


class ModelMissing(ModelError):
    """The settings name a model that is not on disk."""


class ModelBroken(ModelError):
    """The file is not a GGUF that llama.cpp can load."""


class ModelTooLarge(ModelError):
    """The model does not fit into the memory that is left for it."""


class ModelWithoutFim(ModelError):
    """The model has no tokens for filling in the middle."""


class EngineError(FimError):
    """The engine cannot answer."""


class EngineMissing(EngineError):
    """llama-cpp-python is not installed in this environment."""


class EngineLoading(EngineError):
    """The engine is still reading its model."""


class EngineUnavailable(EngineError):
    """The engine could not be started, or died; the text holds its last words."""


class EngineRefused(EngineError):
    """The engine understood the request and will not carry it out."""


class PromptTooLong(EngineError):
    """The segments that must be kept whole do not fit the model's context."""


class AnswerCut(FimError):
    """The model's answer did not come to its end; what there is of it was delivered."""


class GitUnusable(FimError):
    """git cannot say what changed; the text holds why."""


class EditRefused(FimError):
    """An edit is not made: there is nothing to edit, the text changed meanwhile, or the answer must not go into it."""


class FileUnsuitable(FimError):
    """A file that holds no text we could complete."""


class RuntimeFolderUnsafe(FimError):
    """The folder for sockets and locks cannot be made private to this user."""


class StatisticsUnreadable(FimError):
    """The file in which suggestions are counted cannot be read."""
