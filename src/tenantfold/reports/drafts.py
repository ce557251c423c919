"""Files that appear whole or not at all (reports room): written beside their place, then put there in one move."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenantfold.errors import InputError


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Give a draft to write to; when the block ends well the draft takes the place of ``path``, else it is removed.

    Raises InputError when the folder is missing or the file cannot be written; an older file then still stands.
    """
    if not path.parent.is_dir():
        raise InputError(
            f"The folder {path.parent} does not exist.",
            next_step="Create it, or name a file in another folder.",
            path=str(path),
        )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except ConnectionError:
        raise  # an OSError by name, but from where the rows come from, not from the file
    except OSError as error:
        raise InputError(
            f"{path} could not be written: {error.strerror or error}.",
            next_step="Close it if it is open in another program, and check the folder's rights and the disk's space.",
            path=str(path),
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
