"""The masking of a response, message by message: what its caller must not see, and what the record must not hold.

The rules are those of ``redaction``; this module knows only what each message owes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from extproc.core import catalog
from extproc.core.exchange.call import Call
from extproc.core.masking import NO_MASKS, Masking
from extproc.core.model import Json, ResourceKind, Target
from extproc.core.redaction.masker import masker

__all__ = ["Covering"]


@dataclass(slots=True)
class Covering:
    """The messages of one response, and what was masked in them."""

    call: Call
    counts: Counter[str] = field(default_factory=Counter)
    """What was masked for the client, by type."""
    dropped: int = 0
    """List entries left out for what their names say."""
    exhausted: bool = False
    """Whether a message would have cost too much to mask, and so cannot be passed on."""

    def shown(self, value: Mapping[str, Json]) -> Mapping[str, Json] | None:
        """A message without what its caller must not see; None where to mask it would cost too much."""
        masks = self._owed(value).responses
        if masks is NO_MASKS:
            return value
        found = masker(masks, self.call.ring.masking_key).message(value, named=self._named)
        self.counts.update(found.counts)
        self.dropped += found.dropped
        if found.exhausted:
            self.exhausted = True
            return None
        seen: Mapping[str, Json] = found.value
        result = seen.get("result")
        if not isinstance(result, dict):
            return seen
        own = catalog.for_one(catalog.without_output_schemas(result, self._is_masked), self.call.message.era)
        return seen if own is result else {**seen, "result": own}

    def payload(self, value: Mapping[str, Json], seen: Mapping[str, Json]) -> Json:
        """The result or error of a response, shown as ``seen``, for the record, where the caller is no exception."""
        record = self._as_recorded(value, seen)
        payload = None if record is None else record.get("result", record.get("error"))
        # a sealed state is long, and says nothing
        return payload and {name: member for name, member in payload.items() if name != "requestState"}

    def parameters(self, value: Mapping[str, Json], seen: Mapping[str, Json]) -> Json:
        """The parameters of a request or a notification for the record, with the server's own ids."""
        record = self._as_recorded(value, seen)
        params = None if record is None else record.get("params")
        sent = value.get("params")
        if not isinstance(params, Mapping) or not isinstance(sent, Mapping) or "requestId" not in sent:
            return params
        return {**params, "requestId": sent["requestId"]}

    def _as_recorded(self, value: Mapping[str, Json], seen: Mapping[str, Json]) -> Mapping[str, Json] | None:
        """The message for the record; None, and on record by its digest alone, where it would cost too much."""
        owed = self._owed(value)
        if owed.recorded is owed.responses and not self._named:
            return seen
        # a URI that the client knows is no less personal
        found = masker(owed.recorded, self.call.ring.masking_key).message(seen)
        return None if found.exhausted else found.value

    def _owed(self, value: Mapping[str, Json]) -> Masking:
        """What a message owes: as the call, and for a resource that comes without being asked for, as that."""
        result = value.get("result")
        contents = result.get("contents") if isinstance(result, dict) else None
        message = self.call.message
        if message.method != "resources/read" or not isinstance(contents, list):
            return self.call.decision.obligations.masking
        uris_of = [entry["uri"] for entry in contents if isinstance(entry, dict) and isinstance(entry.get("uri"), str)]
        return self.call.owed((*message.targets, *(Target(kind=ResourceKind.RESOURCE, name=uri) for uri in uris_of)))

    def _is_masked(self, tool: str) -> bool:
        return self.call.owed((Target(kind=ResourceKind.TOOL, name=tool),)).responses is not NO_MASKS

    @property
    def _named(self) -> frozenset[str]:
        """The URIs that the client named itself."""
        targets = self.call.message.targets
        return frozenset(target.name for target in targets if target.kind is ResourceKind.RESOURCE)
