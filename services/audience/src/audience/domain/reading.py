"""How far the reading of an IQA has come, and whether it must be read again.

iMIS doesn't keep its order from page to page, so rows can come twice and others not at all, and
members come and go while we read. The first pass stores every row that comes, repeats included.
When its count of distinct rows falls short of iMIS's own total, or that total changed meanwhile,
the query is read again, and only rows with contents not seen yet are added, until as many are
known as the total says, or a pass gave just the rows of the one before, or the third pass ends.
Rows that really repeat look like rows that moved, so they cost a second pass.

Nobody is texted twice for that: a row added because another of its columns changed meanwhile has
the same member and number as the one stored first, which counts. (Who got another number between
two passes is, from here, a member with two.)
"""

from pydantic import BaseModel, ConfigDict

MOST_PASSES = 3
MOST_BEYOND = 1_000
"""A pass ends so far beyond twice iMIS's total: one that says "more" for ever gives old rows."""
_MODULUS = 1 << 63


class Reading(BaseModel):
    """A checkpoint: what to ask iMIS next."""

    model_config = ConfigDict(frozen=True)

    passes: int = 1
    offset: int = 0
    total: int | None = None
    total_changed: bool = False
    rows: int = 0
    """How many rows are stored."""
    checksum: int = 0
    """Stands for all the rows that this pass gave, in any order."""
    checksum_before: int | None = None
    """The last pass's."""
    at_end: bool = False
    """The pass is over, and it isn't decided yet whether there is another."""
    done: bool = False

    @property
    def is_first_page(self) -> bool:
        """Whether nothing has been read yet."""
        return self.passes == 1 and self.offset == 0

    @property
    def takes_repeats(self) -> bool:
        """Whether rows are stored though their contents are known."""
        return self.passes == 1

    def after_page(
        self, *, total: int, next_offset: int, has_next: bool, added: int, checksum: int
    ) -> "Reading":
        """Return the checkpoint once those rows of a page that are to be stored are."""
        return Reading(
            passes=self.passes,
            offset=next_offset,
            total=total,
            total_changed=self.total_changed or self.total not in {None, total},
            rows=self.rows + added,
            checksum=(self.checksum + checksum) % _MODULUS,
            checksum_before=self.checksum_before,
            at_end=not has_next or next_offset > 2 * total + MOST_BEYOND,
        )

    def after_pass(self, *, distinct: int) -> "Reading":
        """Decide at a pass's end; `distinct` counts the different rows that are stored."""
        if self._is_whole(distinct) or self.passes >= MOST_PASSES:
            return self.model_copy(update={"done": True})
        return Reading(
            passes=self.passes + 1,
            total=self.total,
            rows=self.rows,
            checksum_before=self.checksum,
        )

    def _is_whole(self, distinct: int) -> bool:
        if self.total_changed:
            return False
        return distinct >= (self.total or 0) or self.checksum == self.checksum_before
