"""Subjects that a policy names: read from the file, and held against its issuers."""

from extproc.core.model import IdentityConfig
from extproc.core.policy.entries import Subject
from extproc.core.policy.positions import Members, Node
from extproc.core.policy.reading import Reading, listed

__all__ = ["check_subjects", "read_subjects"]


def read_subjects(node: Node | None, what: str, reading: Reading) -> tuple[Subject, ...]:
    """A list of subjects, each a text or ``{issuer: ..., subject: ...}``."""
    return tuple(subject for item in reading.items(node, what) if (subject := _subject(item, reading)) is not None)


def _subject(node: Node, reading: Reading) -> Subject | None:
    if not isinstance(node, Members):
        bare = reading.word(node, "a subject")
        return None if bare is None else Subject(issuer=None, subject=bare)
    found = reading.members(node, "a subject", ("issuer", "subject"), required=("issuer", "subject"))
    issuer = reading.word(found.get("issuer"), "`issuer` of a subject")
    subject = reading.word(found.get("subject"), "`subject` of a subject")
    return None if issuer is None or subject is None else Subject(issuer=issuer, subject=subject)


def check_subjects(subjects: tuple[Subject, ...], identity: IdentityConfig, reading: Reading) -> None:
    """Note every subject of an issuer that is not there, and of one that is not said."""
    names = {issuer.name for issuer in identity.issuers}
    for subject in subjects:
        if subject.issuer is None and len(identity.issuers) > 1:
            what = f"`{subject.subject.value}` is a subject of which issuer?"
            fix = "Write `{issuer: NAME, subject: …}`: the same subject of two issuers is two principals"
            reading.problem(subject.subject.spot, what, fix)
        elif subject.issuer is not None and subject.issuer.value not in names:
            what = f"there is no issuer named `{subject.issuer.value}`"
            reading.problem(
                subject.issuer.spot, what, f"Use one of {listed(sorted(names))}" if names else "Add the issuer"
            )
