"""The local page on which a person labels the few items that matter and sees the answer for all of them change."""

from importlib.util import find_spec

from handful.errors import InputError

if not (find_spec("starlette") and find_spec("uvicorn")):
    raise InputError("the review needs the extra 'review': pip install 'handful[review]'.")

from handful.reviewing.serve import review

__all__ = ["review"]
