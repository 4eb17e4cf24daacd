"""One mark for a person's data, so that one place can leave it out of logs or encrypt it."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel


class PersonalData:
    """Marks a field that says something about a person: a number, a text, a merge value."""

    def __repr__(self) -> str:
        return "PersonalData()"


if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")
    Personal = Annotated[T, PersonalData()]
else:

    class Personal:
        """`Personal[str]` is a `str` that no log may show."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Annotated[item, PersonalData()]


def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of a model's fields that hold a person's data."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(mark, PersonalData) for mark in field.metadata)
    )


def loggable(model: BaseModel) -> dict[str, Any]:
    """Return a model's fields without personal data, at any depth, ready for a log line."""
    hidden = personal_fields(type(model))
    shown: dict[str, Any] = {}
    for name in type(model).model_fields:
        if name in hidden:
            continue
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            shown[name] = loggable(value)
        elif isinstance(value, tuple | list) and any(isinstance(v, BaseModel) for v in value):
            shown[name] = [loggable(v) if isinstance(v, BaseModel) else v for v in value]
        else:
            shown[name] = value
    return shown
