"""The mails' pages; what members and staff wrote is escaped, whatever it is."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from notifier.domain.notices import Facts


class JinjaPages:
    """Renders the templates beside this service's code."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("notifier"),
            # Plain text has no markup that could be smuggled in.
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def page(self, name: str, values: Facts) -> tuple[str, str]:
        """Return the text and the HTML."""
        text = self._templates.get_template(f"{name}.txt").render(values)
        return text, self._templates.get_template(f"{name}.html").render(values)
